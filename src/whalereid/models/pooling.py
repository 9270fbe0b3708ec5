"""Pooling: from a backbone's feature maps to one vector a photo.

A pooling is any module (B, C, positions...) → (B, width); `whalereid.parts.POOLINGS` knows them by name. One that has
``stages = 2`` is given the maps of the last two stages; one that has ``reads`` other than ``"positions"`` is given what
the backbone pools by itself (``"pooled"``, (B, C)) or its class token (``"class token"``, (B, C)).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from whalereid.arguments import number

__all__ = ["AveragePooling", "ClassToken", "GeM", "MultiStageGeM", "NativePooling"]


class GeM(nn.Module):
    """Generalised mean over the positions of a feature map, with a learnable exponent [1]_.

    p = 1 is the average, p → ∞ the maximum. Computed in float32 at least, as powers of half-precision numbers overflow.

    Parameters
    ----------
    p : float, default=3.0
        The exponent that training starts from.
    eps : float, default=1e-6
        Features are raised to at least this: the power of a negative number is undefined.

    References
    ----------
    .. [1] Radenović, Tolias, Chum: Fine-tuning CNN Image Retrieval with No Human Annotation.
       https://arxiv.org/abs/1711.02512

    Examples
    --------
    >>> GeM(p=1.0)(torch.ones(1, 2, 4, 4)).tolist()
    [[1.0, 1.0]]
    """

    stages = 1

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = _exponent(p, 1)
        self.eps = number(eps, "eps", 0, open_ends=True)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, positions...) → (B, C)."""
        return _generalised_mean(features, self.p, self.eps)


class MultiStageGeM(nn.Module):
    """GeM of a backbone's last two stages, one after the other, each with its own exponent.

    The stage before the last is twice as fine: marks that the last one blurs are still apart there.

    Parameters
    ----------
    p : float, default=3.0
        The exponent that training starts from, of each stage.
    eps : float, default=1e-6
        As in `GeM`.
    """

    stages = 2

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = _exponent(p, self.stages)
        self.eps = number(eps, "eps", 0, open_ends=True)

    def forward(self, before: Tensor, last: Tensor) -> Tensor:
        """(B, C1, positions...), (B, C2, positions...) → (B, C1 + C2)."""
        pooled = [_generalised_mean(maps, p, self.eps) for maps, p in zip((before, last), self.p, strict=True)]
        return torch.cat(pooled, dim=1)


class AveragePooling(nn.Module):
    """Mean over the positions of a feature map."""

    stages = 1

    def __init__(self) -> None:  # written out: its options are read off the source, without loading torch
        super().__init__()

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, positions...) → (B, C)."""
        return features.flatten(2).mean(dim=2)


class NativePooling(nn.Module):
    """What the backbone pools by itself, as timm built it: an average for most, a class token for some transformers."""

    stages, reads = 1, "pooled"

    def __init__(self) -> None:
        super().__init__()

    def forward(self, pooled: Tensor) -> Tensor:
        """(B, C) → (B, C)."""
        return pooled


class ClassToken(NativePooling):
    """The token that a vision transformer keeps for the whole photo; DINOv2 and DINOv3 are meant to be used by it."""

    reads = "class token"

    def __init__(self) -> None:
        super().__init__()


def _exponent(p: float, n: int) -> nn.Parameter:
    return nn.Parameter(torch.full((n,), number(p, "p", 0, open_ends=True)))


def _generalised_mean(features: Tensor, p: Tensor, eps: float) -> Tensor:
    powers = features.to(p.dtype).clamp(min=eps).pow(p)
    return powers.flatten(2).mean(dim=2).pow(1.0 / p)
