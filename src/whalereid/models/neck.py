"""Necks: the layers between pooling and embedding.

A neck is any module (B, width) → (B, dim); `whalereid.parts.NECKS` knows them by name, and gives them ``width``.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from whalereid.arguments import choice, number, whole_number
from whalereid.errors import WhalereidError

__all__ = ["ACTIVATIONS", "WIDEST", "BatchNormNeck", "LinearNeck", "NoNeck"]

WIDEST = 65_536
"""What an embedding may be wide at most: every photo's vector is kept."""

_MOST_COPIES = 64

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"hardtanh": nn.Hardtanh, "relu": nn.ReLU, "tanh": nn.Tanh}


class NoNeck(nn.Module):
    """The pooled vector itself.

    Parameters
    ----------
    width : int
        Width of the pooled vector.
    copies : int, default=1
        How many times over the pooled vector is taken, end to end, up to 64 (replicated pooling).
    """

    def __init__(self, width: int, copies: int = 1) -> None:
        super().__init__()
        self.copies = whole_number(copies, "copies", 1, _MOST_COPIES)
        self.width = whole_number(width, "width", 1) * self.copies

    def forward(self, pooled: Tensor) -> Tensor:
        """(B, width) → (B, copies * width)."""
        return pooled if self.copies == 1 else pooled.repeat(1, self.copies)


class BatchNormNeck(NoNeck):
    """BatchNorm (BNNeck [1]_), then perhaps dropout.

    Dropout comes after BatchNorm: before it, the variance that BatchNorm learns in training would not be the one it
    meets afterwards [2]_.

    Parameters
    ----------
    width, copies
        As for `NoNeck`.
    dropout : float, default=0.0
        Share of the numbers dropped in training.

    References
    ----------
    .. [1] Luo et al.: Bag of Tricks and a Strong Baseline for Deep Person Re-identification.
       https://arxiv.org/abs/1903.07071
    .. [2] Li et al.: Understanding the Disharmony between Dropout and Batch Normalization by Variance Shift.
       https://arxiv.org/abs/1801.05134
    """

    def __init__(self, width: int, copies: int = 1, dropout: float = 0.0) -> None:
        super().__init__(width, copies)
        if number(dropout, "dropout", 0) >= 1.0:
            raise WhalereidError(f"dropout is {dropout}; give a share from 0 to below 1.")
        self.bn = nn.BatchNorm1d(self.width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, pooled: Tensor) -> Tensor:
        """(B, width) → (B, copies * width)."""
        normalised: Tensor = self.dropout(self.bn(super().forward(pooled)))
        return normalised


class LinearNeck(BatchNormNeck):
    """BatchNorm, then perhaps an activation and dropout, and a linear layer to the width wanted.

    Parameters
    ----------
    width, copies, dropout
        As for `BatchNormNeck`.
    dim : int, optional
        Width of the embedding, up to 65,536; by default `width`, however many copies are taken.
    activation : {"hardtanh", "relu", "tanh"}, optional
        Between BatchNorm and the linear layer.
    """

    def __init__(
        self,
        width: int,
        dim: int | None = None,
        copies: int = 1,
        activation: str | None = None,
        dropout: float = 0.0,
    ) -> None:
        if activation is not None:
            choice(activation, "activation", ACTIVATIONS)
        dim = None if dim is None else whole_number(dim, "dim", 1, WIDEST)
        super().__init__(width, copies, dropout)
        self.activation = nn.Identity() if activation is None else ACTIVATIONS[activation]()
        self.linear = nn.Linear(self.width, width if dim is None else dim)

    def forward(self, pooled: Tensor) -> Tensor:
        """(B, width) → (B, dim)."""
        embedding: Tensor = self.linear(self.dropout(self.activation(self.bn(NoNeck.forward(self, pooled)))))
        return embedding
