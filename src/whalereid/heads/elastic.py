"""ElasticArcFace: ArcFace with a margin drawn for each photo."""

from __future__ import annotations

import math
from typing import Any

import torch
from pytorch_metric_learning.losses import ArcFaceLoss
from torch import Tensor, nn

from whalereid import arguments
from whalereid.errors import WhalereidError

__all__ = ["ElasticArcFace"]

# The gradient of acos is infinite at ±1: cosines stay this far inside.
_INSIDE = 1e-7


class ElasticArcFace(ArcFaceLoss):
    """ArcFace [1]_ whose margin is drawn anew for each photo from a normal distribution [2]_, then cross entropy.

    In training each photo's margin is drawn from N(`margin`, `std`²); in evaluation mode it is `margin` for all, so
    that a validation loss does not depend on chance. With ``std=0`` this is ArcFace. Where an angle and its margin
    would pass π, the loss goes on falling as ``cos θ - m sin m``, as in pytorch-metric-learning.

    Always computed in float32, whatever the embeddings' dtype and autocast say.

    Parameters
    ----------
    dim : int
        Width of the embeddings.
    n_identities : int
        How many identities there are to tell apart, at least 2.
    scale : float, default=30.0
        What cosines are multiplied by before the softmax.
    margin : float, default=0.5
        Mean margin, in radians.
    std : float, default=0.0125
        Standard deviation of the margins, in radians.
    generator : torch.Generator, optional
        Where margins are drawn from, on the CPU; by default torch's global one, so that `torch.manual_seed` settles
        them on any device.

    Attributes
    ----------
    W : Parameter of shape (dim, n_identities)
        One direction an identity, first drawn from N(0, 0.01²).

    Raises
    ------
    WhalereidError
        An argument is out of range; the message names it.

    References
    ----------
    .. [1] Deng et al.: ArcFace. https://arxiv.org/abs/1801.07698
    .. [2] Boutros et al.: ElasticFace: Elastic Margin Loss for Deep Face Recognition.
       https://arxiv.org/abs/2109.09416

    Examples
    --------
    >>> head = ElasticArcFace(8, 3)
    >>> loss = head(torch.randn(4, 8), torch.tensor([0, 1, 2, 0]))
    >>> loss.ndim, bool(loss > 0)
    (0, True)
    """

    def __init__(
        self,
        dim: int,
        n_identities: int,
        scale: float = 30.0,
        margin: float = 0.5,
        std: float = 0.0125,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        dim = arguments.whole_number(dim, "dim", 1)
        n_identities = arguments.whole_number(n_identities, "n_identities", 2)
        scale = arguments.number(scale, "scale", 0, open_ends=True)
        margin = arguments.number(margin, "margin, in radians,", 0, math.pi)
        std = arguments.number(std, "std, in radians,", 0)
        if generator is not None:
            arguments.instance(generator, "generator", torch.Generator, "a torch.Generator, or None")
        super().__init__(
            num_classes=n_identities,
            embedding_size=dim,
            margin=math.degrees(margin),  # radians here, degrees there
            scale=scale,
            weight_init_func=_small_normal,
        )
        self.std = std
        self._mean_margin = margin
        self._generator = generator
        self._margins: Tensor | None = None  # of the photos at hand

    def forward(self, embeddings: Tensor, labels: Tensor, indices_tuple: Any = None, **others: Any) -> Tensor:
        """(B, dim) embeddings, (B,) int64 labels in [0, n_identities) → the mean loss, a scalar.

        `indices_tuple` is what a miner gives: photos count as often as its pairs or triplets have them.

        Raises
        ------
        WhalereidError
            A label is not one of the identities, or embeddings and labels don't fit together or the head.
        """
        arguments.instance(embeddings, "embeddings", Tensor, "a tensor (B, dim) of floats")
        arguments.instance(labels, "labels", Tensor, "a tensor (B,) of whole numbers")
        if embeddings.ndim != 2 or embeddings.shape[1] != self.W.shape[0]:
            raise WhalereidError(
                f"embeddings have shape {tuple(embeddings.shape)}, this head takes (B, {self.W.shape[0]}); make it for "
                "the network's width (net.dim)."
            )
        if labels.shape != embeddings.shape[:1] or labels.is_floating_point():
            raise WhalereidError(
                f"labels are {tuple(labels.shape)} {labels.dtype} for {len(embeddings)} embeddings; give a whole "
                "number for each."
            )
        if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < self.num_classes:
            raise WhalereidError(
                f"labels from {int(labels.min())} to {int(labels.max())} for {self.num_classes} identities; "
                "photos of unknown identity (-1) can't train a head."
            )
        with torch.autocast(embeddings.device.type, enabled=False):
            return super().forward(embeddings.float(), labels, indices_tuple, **others)

    def compute_loss(self, embeddings: Tensor, labels: Tensor, *others: Any) -> Any:
        """Draw the photos' margins, then go on as pytorch-metric-learning does."""
        # Labels never reach modify_cosine_of_target_classes; its cosines come in the photos' order.
        self._margins = self._draw(len(labels)).to(embeddings)
        try:
            return super().compute_loss(embeddings, labels, *others)
        finally:
            self._margins = None

    def modify_cosine_of_target_classes(self, cosine_of_target_classes: Tensor) -> Tensor:
        """(B,) cosines of each photo with its identity → (B,), each with its photo's margin added to the angle."""
        margins = self._margins
        assert margins is not None
        angles = self.get_angles(cosine_of_target_classes.clamp(-1 + _INSIDE, 1 - _INSIDE))
        beyond = torch.cos(angles) - margins * torch.sin(margins)
        return torch.where(angles <= math.pi - margins, torch.cos(angles + margins), beyond)

    def _draw(self, n: int) -> Tensor:
        if not self.training or self.std == 0:
            return torch.full((n,), self._mean_margin)
        return self._mean_margin + self.std * torch.randn(n, generator=self._generator)


def _small_normal(weight: Tensor) -> None:
    nn.init.normal_(weight, std=0.01)
