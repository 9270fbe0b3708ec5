"""How much of the training steps' time the network waits for photos, and what to do about it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch

from whalereid.training.optimizer import default_workers

__all__ = ["MOST_WAITING", "WatchedBatches", "in_all", "share_in_words"]

MOST_WAITING = 0.15
"""The share of the time from which on more workers, or lighter photos, are worth a word."""


class WatchedBatches:
    """The batches of an epoch, and how long the network waits for them.

    A processor waits from asking for a batch until it is there. A GPU works on while the program already asks for the
    next one, so its own clock is read: from the end of a step until the next one's photos are there.

    Parameters
    ----------
    batches : iterable
        A data loader; starting its workers counts as waiting.
    device : torch.device
        Where the network computes.

    Attributes
    ----------
    waited, taken : float
        Seconds spent waiting, and in all.
    """

    def __init__(self, batches: Iterable[Any], device: torch.device) -> None:
        self._batches, self._on_gpu = batches, device.type == "cuda"
        self.waited = self.taken = 0.0

    def __iter__(self) -> Iterator[Any]:
        began = asked = time.perf_counter()
        marks: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []
        step_end = None
        for batch in self._batches:
            if step_end is None:  # nothing was computed before the first batch
                self.waited += time.perf_counter() - asked
            else:
                marks.append((step_end, _mark()))
            yield batch
            asked = time.perf_counter()
            step_end = _mark() if self._on_gpu else None
        if self._on_gpu:
            torch.cuda.synchronize()
        self.waited += sum(end.elapsed_time(next_one) for end, next_one in marks) / 1000  # from ms
        self.taken = time.perf_counter() - began


def _mark() -> torch.cuda.Event:
    """Let the GPU note the time when it comes to here."""
    mark = torch.cuda.Event(enable_timing=True)
    mark.record()
    return mark


def share_in_words(share: float) -> str:
    """Say a share of the time.

    Examples
    --------
    >>> share_in_words(0.034)
    '3% of the time waiting for photos'
    """
    return f"{share:.0%} of the time waiting for photos"


def in_all(history: pd.DataFrame, workers: int) -> str | None:
    """Say how much of all epochs' time went in waiting, and what to do where it is much.

    Parameters
    ----------
    history : DataFrame
        With the columns ``waiting`` and ``seconds``; epochs of which `waiting` isn't known are left out.
    workers : int
        Processes that prepare photos.

    Returns
    -------
    str or None
        A line; None where it is known of no epoch.
    """
    known = history[history["waiting"].notna()]
    if not len(known):
        return None
    share = float(np.average(known["waiting"], weights=known["seconds"].clip(lower=1e-9)))
    said = f"In all, {share_in_words(share)}"
    return f"{said}{'.' if share <= MOST_WAITING else f': {_remedy(workers)}'}"


def _remedy(workers: int) -> str:
    enough = default_workers()
    if workers < enough:
        now = f"{workers} {'prepares' if workers == 1 else 'prepare'} them now" if workers else "none prepares them now"
        return f"--workers {enough} (in Python workers={enough}) may shorten it; {now}."
    return (
        f"{workers} processes prepare them, and more are of use only where cores are idle (--workers N); photos stored "
        "smaller are read faster."
    )
