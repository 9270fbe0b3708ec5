"""Neck: the layers between pooling and embedding."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from whalereid.arguments import choice, number, whole_number
from whalereid.errors import WhalereidError

__all__ = ["ACTIVATIONS", "NECKS", "WIDEST", "Neck"]

WIDEST = 65_536
"""What an embedding may be wide at most: every photo's vector is kept."""

NECKS = ("none", "bn", "bn-linear")
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"hardtanh": nn.Hardtanh, "relu": nn.ReLU, "tanh": nn.Tanh}


class Neck(nn.Module):
    """BatchNorm (BNNeck [1]_), then perhaps an activation, dropout and a linear layer.

    Dropout comes after BatchNorm: before it, the variance that BatchNorm learns in training would not be the one it
    meets afterwards [2]_.

    Parameters
    ----------
    kind : {"none", "bn", "bn-linear"}
        Nothing, BatchNorm, or BatchNorm and a linear layer.
    width : int
        Width of the pooled vector.
    dim : int, optional
        Width of the embedding, up to 65,536; by default `width`. Only the linear layer can change it.
    activation : {"hardtanh", "relu", "tanh"}, optional
        Between BatchNorm and the linear layer.
    dropout : float, default=0.0
        Share of the numbers dropped in training.

    References
    ----------
    .. [1] Luo et al.: Bag of Tricks and a Strong Baseline for Deep Person Re-identification.
       https://arxiv.org/abs/1903.07071
    .. [2] Li et al.: Understanding the Disharmony between Dropout and Batch Normalization by Variance Shift.
       https://arxiv.org/abs/1801.05134
    """

    def __init__(
        self,
        kind: str,
        width: int,
        *,
        dim: int | None = None,
        activation: str | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        choice(kind, "neck", NECKS)
        width = whole_number(width, "width", 1)
        if activation is not None:
            choice(activation, "activation", ACTIVATIONS)
        if dim is not None:
            dim = whole_number(dim, "dim", 1, WIDEST)
        number(dropout, "dropout", 0)
        if kind != "bn-linear" and activation is not None:
            raise WhalereidError(
                f"activation={activation!r} wants neck='bn-linear', before whose linear layer it stands."
            )
        if kind != "bn-linear" and dim not in (None, width):
            raise WhalereidError(f"dim={dim}: only neck='bn-linear' changes the width, which is {width} here.")
        if dropout >= 1.0:
            raise WhalereidError(f"dropout is {dropout}; give a share from 0 to below 1.")
        self.dim = width if dim is None else dim
        self.bn = nn.BatchNorm1d(width) if kind != "none" else nn.Identity()
        self.activation = ACTIVATIONS[activation]() if activation else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, self.dim) if kind == "bn-linear" else nn.Identity()

    def forward(self, pooled: Tensor) -> Tensor:
        """(B, width) → (B, dim)."""
        return self.linear(self.dropout(self.activation(self.bn(pooled))))
