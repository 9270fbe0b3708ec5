"""SubCenterArcFace: several directions an identity, of which a photo needs to be near one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from whalereid import arguments
from whalereid.heads.elastic import ElasticArcFace

__all__ = ["SubCenterArcFace"]


class SubCenterArcFace(ElasticArcFace):
    """ArcFace with several directions an identity [1]_: a photo is compared with the nearest of each identity's.

    What looks different, such as two flanks, or was named wrongly, gets a direction of its own instead of pulling all
    photos of its identity together. With ``sub_centers=1`` this is `ElasticArcFace`.

    Parameters
    ----------
    dim, n_identities, margin, std, class_sizes, generator
        As for `ElasticArcFace`.
    scale : float, default=21.0
        As there; the default is that of the second place of "Where's Whale-do?".
    sub_centers : int, default=2
        How many directions an identity has.

    Attributes
    ----------
    W : Parameter of shape (dim, n_identities * sub_centers)
        The directions, an identity's side by side, first drawn from N(0, 0.01²).

    Raises
    ------
    WhalereidError
        An argument is out of range; the message names it.

    References
    ----------
    .. [1] Deng et al.: Sub-center ArcFace: Boosting Face Recognition by Large-Scale Noisy Web Faces.
       https://www.ecva.net/papers/eccv_2020/papers_ECCV/papers/123560715.pdf

    Examples
    --------
    >>> head = SubCenterArcFace(8, 3, margin=(0.5, 0.125, 0.05), class_sizes=[4, 1, 9])
    >>> head(torch.randn(2, 8), torch.tensor([0, 2])).shape
    torch.Size([])
    """

    def __init__(
        self,
        dim: int,
        n_identities: int,
        scale: float = 21.0,
        margin: float | Sequence[float] = 0.5,
        std: float = 0.0,
        *,
        sub_centers: int = 2,
        class_sizes: Sequence[int] | np.ndarray | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        sub_centers = arguments.whole_number(sub_centers, "sub_centers", 1, 1000)
        super().__init__(dim, n_identities, scale, margin, std, class_sizes=class_sizes, generator=generator)
        self.sub_centers = sub_centers
        if sub_centers > 1:
            self.W: nn.Parameter = nn.Parameter(torch.empty(dim, n_identities * sub_centers))
            self.weight_init_func(self.W)

    def get_cosine(self, embeddings: Tensor) -> Tensor:
        """(B, dim) → (B, n_identities): the cosine with the nearest direction of each identity."""
        cosines: Tensor = super().get_cosine(embeddings)
        return cosines.unflatten(1, (self.num_classes, self.sub_centers)).amax(dim=2)
