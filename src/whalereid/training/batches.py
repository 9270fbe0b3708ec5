"""Which photos make a batch: the same for the same seed and epoch, on any number of workers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from whalereid.errors import WhalereidError

__all__ = ["EpochBatches"]


class EpochBatches(Sampler[list[int]]):
    """Deals the items of an epoch to batches of nearly equal size; a `DataLoader`'s ``batch_sampler``.

    A few items left over would make a batch whose statistics and gradient are mostly noise, and one alone can't pass
    batch norm; so the batches differ in size by one at most, and none has a single item.

    Parameters
    ----------
    n : int
        Items of an epoch, at least 2 a process.
    batch_size : int
        Items a batch, at most (three items in batches of two make one of three).
    shuffle : bool
        Draw a new order each epoch; False keeps the items' own.
    seed : int
        The order depends on (seed, epoch) alone.
    process, processes : int
        Which of how many processes draws: each has its own batches, all the same number of them.

    Raises
    ------
    WhalereidError
        There are too few items.

    Examples
    --------
    >>> list(EpochBatches(7, 3, shuffle=False))
    [[0, 1, 2], [3, 4], [5, 6]]
    """

    def __init__(
        self, n: int, batch_size: int, *, shuffle: bool = True, seed: int = 0, process: int = 0, processes: int = 1
    ) -> None:
        if n < 2 * processes:
            shared = f" in {processes} processes" if processes > 1 else ""
            raise WhalereidError(f"{n} photos are too few to train on{shared}: a batch has at least two.")
        self._n, self._shuffle, self._seed, self._epoch = n, shuffle, seed, 0
        self._process, self._processes = process, processes
        self._rounds = max(1, min(math.ceil(n / (batch_size * processes)), n // (2 * processes)))

    def set_epoch(self, epoch: int) -> None:
        """Draw the order of this epoch, counted from 0, next."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._rounds

    def __iter__(self) -> Iterator[list[int]]:
        order = np.arange(self._n)
        if self._shuffle:
            order = np.random.default_rng((self._seed, self._epoch)).permutation(self._n)
        for batch in np.array_split(order, self._rounds * self._processes)[self._process :: self._processes]:
            yield batch.tolist()
