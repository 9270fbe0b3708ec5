"""Mined: a loss that looks only at the pairs or triplets which a miner picks out of each batch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from whalereid.errors import WhalereidError

__all__ = ["Mined"]


class Mined(nn.Module):
    """A head with a miner before it: ``loss(embeddings, labels, miner(embeddings, labels))``.

    In evaluation mode nothing is mined, so that a validation loss is of all photos alike.

    Parameters
    ----------
    loss : nn.Module
        A head that takes indices as its third argument, such as pytorch-metric-learning's losses and `ElasticArcFace`.
    miner : callable
        ``miner(embeddings (B, D), labels (B,))`` → indices: three tensors (anchors, positives, negatives) or four
        (anchors, positives, anchors, negatives), as pytorch-metric-learning's miners give.

    Raises
    ------
    WhalereidError
        The loss takes no indices, or the miner can't be called.

    Examples
    --------
    >>> import torch
    >>> from pytorch_metric_learning.losses import TripletMarginLoss
    >>> from pytorch_metric_learning.miners import BatchHardMiner
    >>> head = Mined(TripletMarginLoss(), BatchHardMiner())
    >>> head(torch.randn(4, 8), torch.tensor([0, 0, 1, 1])).shape
    torch.Size([])
    """

    def __init__(self, loss: nn.Module, miner: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        if not isinstance(loss, nn.Module):
            raise WhalereidError(f"loss is a {type(loss).__name__}; give a head, such as TripletMarginLoss().")
        if isinstance(miner, type) or not callable(miner):
            raise WhalereidError(f"miner is {miner!r:.60}; give a miner, such as BatchHardMiner(), or its name.")
        if not _takes_indices(loss):
            raise WhalereidError(
                f"the head {type(loss).__name__} takes embeddings and labels alone, so a miner can't tell it which "
                "pairs to look at; give one that takes indices as its third argument, or leave the miner out."
            )
        self.loss, self.miner = loss, miner

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(B, D) embeddings, (B,) int64 labels → the loss, a scalar."""
        if not self.training:
            loss: Tensor = self.loss(embeddings, labels)
        else:
            loss = self.loss(embeddings, labels, self.miner(embeddings, labels))
        return loss


def _takes_indices(loss: nn.Module) -> bool:
    """Whether a third argument may be given in its place."""
    try:
        inspect.signature(loss.forward).bind(None, None, None)
    except TypeError:
        return False
    return True
