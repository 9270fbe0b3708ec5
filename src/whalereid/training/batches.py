"""Which photos make a batch: the same for the same seed and epoch, on any number of workers and after any kill."""

from __future__ import annotations

import copy
import hashlib
import math
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.utils.data import Sampler

from whalereid.errors import WhalereidError
from whalereid.training.arithmetic import mixed_seed

__all__ = ["AnySampler", "EpochBatches", "SampledBatches"]

AnySampler: TypeAlias = Iterable[Any] | Callable[[np.ndarray, int, int], Iterable[Any]]
"""A sampler of items' numbers or of lists of them; or a function ``(labels (N,), batch_size, seed)`` that gives one."""

_MOST_PASSES = 1000  # an epoch that shows each item more often than this is taken for one without an end


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


class SampledBatches(Sampler[list[int]]):
    """The batches of a sampler, drawn anew each epoch; a `DataLoader`'s ``batch_sampler``.

    NumPy's, Python's and torch's global generators are seeded for each epoch while it is drawn, so that the samplers
    of pytorch-metric-learning and torch give the same batches again. A sampler with a state of its own is drawn from
    in turn, the epochs before a resumed one too. Every process draws the same and takes its share.

    Parameters
    ----------
    sampler : iterable or callable
        Gives items' numbers (dealt to batches in their order) or lists of them (a batch each); or is a function
        ``(labels, batch_size, seed)`` that makes such a sampler for each epoch.
    labels : ndarray of shape (N,), int64
        The class of each item.
    batch_size : int
        Items a batch, where the sampler gives single ones and has no `batch_size` of its own.
    seed : int
        Of all epochs.
    process, processes : int
        Which of how many processes draws.

    Raises
    ------
    WhalereidError
        It is no sampler, or it gives no batches, or something else than items' numbers.

    Examples
    --------
    >>> batches = SampledBatches([3, 1, 2, 0, 1], np.array([0, 0, 1, 1]), 2)
    >>> list(batches)  # the last alone would be no batch
    [[3, 1], [2, 0]]
    """

    def __init__(
        self, sampler: AnySampler, labels: np.ndarray, batch_size: int, *, seed: int = 0, process: int = 0,
        processes: int = 1,
    ) -> None:  # fmt: skip
        if isinstance(sampler, type | str | bytes) or not (callable(sampler) or hasattr(sampler, "__iter__")):
            raise WhalereidError(
                f"batches is {sampler!r:.60}; give a sampler, such as MPerClassSampler(labels, m=4), a function "
                "(labels, batch_size, seed) that makes one, or a name."
            )
        self._sampler = _copied(sampler)  # a sampler that shuffles itself must begin as it was given
        self._labels, self._batch_size, self._seed = labels, batch_size, seed
        self._process, self._processes = process, processes
        self._n_drawn, self._batches = 0, list[list[int]]()
        self.set_epoch(0)  # what can't be drawn is refused now

    def set_epoch(self, epoch: int) -> None:
        """Draw the batches of this epoch, counted from 0; of epochs before it those that weren't drawn yet."""
        first = max(epoch, self._n_drawn) if callable(self._sampler) else self._n_drawn
        for number in range(first, epoch + 1):
            self._batches = self._draw(number)
            self._n_drawn = number + 1

    @property
    def digest(self) -> str:
        """Of the epoch's batches, of all processes: they must agree."""
        return hashlib.sha256(repr(self._batches).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self._batches) // self._processes

    def __iter__(self) -> Iterator[list[int]]:
        yield from self._batches[self._process : len(self) * self._processes : self._processes]

    def _draw(self, epoch: int) -> list[list[int]]:
        seed = mixed_seed(self._seed, epoch)
        with _seeded(seed):
            sampler: Any = self._sampler
            most = _MOST_PASSES * len(self._labels)
            try:
                if callable(sampler):
                    sampler = sampler(self._labels, self._batch_size, seed)
                if hasattr(sampler, "set_epoch"):
                    sampler.set_epoch(epoch)
                drawn = list(islice(iter(sampler), most + 1))
            except WhalereidError:
                raise
            except Exception as error:
                name = getattr(sampler, "__name__", type(sampler).__name__)
                what = " ".join(str(error).split()) or type(error).__name__
                raise WhalereidError(
                    f"batches: {name} gives no items ({what:.200}); give a sampler, or a function "
                    "(labels, batch_size, seed) that makes one."
                ) from error
        if len(drawn) > most:
            raise WhalereidError(f"batches: epoch {epoch + 1} has no end; let it give a number of items.")
        single = [isinstance(item, int | np.integer) for item in drawn]
        if all(single):
            size = getattr(sampler, "batch_size", None) or self._batch_size  # MPerClassSampler knows its own
            batches = [[int(item) for item in drawn[start : start + size]] for start in range(0, len(drawn), size)]
            batches = [batch for batch in batches if len(batch) > 1]  # one alone can't pass batch norm
        elif not any(single):
            batches = [self._checked(batch) for batch in drawn]
        else:
            raise WhalereidError("batches gives both items and lists of them; let it give one of the two.")
        for batch in batches:
            for item in batch:
                if not 0 <= item < len(self._labels):
                    raise WhalereidError(f"batches gives item {item}; the items are 0 to {len(self._labels) - 1}.")
        if len(batches) < self._processes:
            shared = f" for {self._processes} processes" if self._processes > 1 else ""
            raise WhalereidError(
                f"batches gives {len(batches)} batches of two items or more in epoch {epoch + 1}{shared}; give "
                "a sampler that can be gone through once an epoch."
            )
        return batches

    def _checked(self, batch: Any) -> list[int]:
        try:
            items = [item.item() if hasattr(item, "item") else item for item in batch]
        except TypeError:
            items = []
        if len(items) < 2 or not all(type(item) is int for item in items):
            raise WhalereidError(f"batches gives {batch!r:.60}; a batch is a list of two items' numbers or more.")
        return items


def _copied(sampler: Any) -> Any:
    try:
        return copy.deepcopy(sampler)
    except Exception:  # what can't be copied is used as it is
        return sampler


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generators, and give them back as they were."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])  # noqa: NPY002
