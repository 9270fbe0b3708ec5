"""ElasticArcFace: ArcFace with a margin drawn for each photo."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from pytorch_metric_learning.losses import ArcFaceLoss
from torch import Tensor, nn

from whalereid import arguments
from whalereid.errors import WhalereidError

__all__ = ["ElasticArcFace", "class_size_margins"]

# The gradient of acos is infinite at ±1: cosines stay this far inside.
_INSIDE = 1e-7


def class_size_margins(
    class_sizes: Sequence[int] | np.ndarray, most: float = 0.5, power: float = 0.125, least: float = 0.05
) -> np.ndarray:
    """(C,) margins in radians, larger for identities of few photos: ``most * n**-power + least`` for one of n [1]_.

    Few photos fill little of an identity's room, so more of it is kept free around them.

    Parameters
    ----------
    class_sizes : (C,) whole numbers
        How many photos each identity has to train on; one without photos counts as having one.
    most, power, least : float
        The formula's numbers. The defaults are those of the second place of "Where's Whale-do?".

    Raises
    ------
    WhalereidError
        A size is no whole number from 0, or a margin would leave [0, π].

    References
    ----------
    .. [1] Ha et al.: Google Landmark Recognition 2020 Competition Third Place Solution.
       https://arxiv.org/abs/2010.05350

    Examples
    --------
    >>> class_size_margins([1, 16, 256]).round(3).tolist()
    [0.55, 0.404, 0.3]
    """
    sizes = np.asarray(class_sizes)
    if sizes.ndim != 1 or sizes.dtype.kind not in "iu" or (sizes < 0).any():
        raise WhalereidError(f"class_sizes is {class_sizes!r:.60}; give each identity's number of photos.")
    most = arguments.number(most, "margin: the most", 0, math.pi)
    power = arguments.number(power, "margin: the power", 0)
    least = arguments.number(least, "margin: the least", 0, math.pi - most)
    margins: np.ndarray = most * np.maximum(sizes, 1).astype(float) ** -power + least
    return margins


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
    margin : float or (float, float, float), default=0.5
        Mean margin, in radians; or the three numbers of `class_size_margins`, for one by an identity's photos.
    std : float, default=0.0125
        Standard deviation of the margins, in radians.
    class_sizes : (n_identities,) whole numbers, optional
        How many photos each identity has; needed for margins by class size. `fit` gives them.
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
        margin: float | Sequence[float] = 0.5,
        std: float = 0.0125,
        *,
        class_sizes: Sequence[int] | np.ndarray | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        dim = arguments.whole_number(dim, "dim", 1)
        n_identities = arguments.whole_number(n_identities, "n_identities", 2)
        scale = arguments.number(scale, "scale", 0, open_ends=True)
        margins = _mean_margins(margin, n_identities, class_sizes)
        std = arguments.number(std, "std, in radians,", 0)
        if generator is not None:
            arguments.instance(generator, "generator", torch.Generator, "a torch.Generator, or None")
        super().__init__(
            num_classes=n_identities,
            embedding_size=dim,
            margin=math.degrees(margins.mean()),  # radians here, degrees there
            scale=scale,
            weight_init_func=_small_normal,
        )
        self.std = std
        self._generator = generator
        self._mean_margins: Tensor
        self.register_buffer("_mean_margins", torch.from_numpy(margins).float(), persistent=False)
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
        self._margins = self._draw(labels).to(embeddings)
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

    def _draw(self, labels: Tensor) -> Tensor:
        means = self._mean_margins[labels]
        if not self.training or self.std == 0:
            return means
        return means + self.std * torch.randn(len(labels), generator=self._generator).to(means)


def _mean_margins(margin: Any, n_identities: int, class_sizes: Any) -> np.ndarray:
    """(n_identities,) float64: each identity's mean margin, in radians."""
    if not isinstance(margin, Sequence | np.ndarray) or isinstance(margin, str):
        return np.full(n_identities, arguments.number(margin, "margin, in radians,", 0, math.pi))
    if len(margin) != 3:
        raise WhalereidError(
            f"margin is {margin!r:.60}; give one number, or three, as class_size_margins takes them: 0.5+0.125+0.05."
        )
    if class_sizes is None:
        raise WhalereidError("margin by class size: give class_sizes too, each identity's number of photos.")
    margins = class_size_margins(class_sizes, *margin)
    if len(margins) != n_identities:
        raise WhalereidError(
            f"class_sizes has {len(margins)} numbers for {n_identities} identities; give one for each."
        )
    return margins


def _small_normal(weight: Tensor) -> None:
    nn.init.normal_(weight, std=0.01)
