"""How long work takes: by the clock and by the processor, the quickest of several runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Timing(NamedTuple):
    """Seconds of one run, and what it gave."""

    clock: float
    processor: float
    result: Any


def timed(work: Callable[[], Any], runs: int = 1) -> Timing:
    """The quickest of several runs."""
    return quickest([work], runs)[0]


def quickest(works: Sequence[Callable[[], Any]], runs: int) -> list[Timing]:
    """The quickest run of each, taking turns, so that a busy moment of the machine doesn't fall on one alone."""
    every = [[_once(work) for work in works] for _ in range(runs)]
    return [min(of_one, key=lambda timing: timing.processor) for of_one in zip(*every, strict=True)]


def _once(work: Callable[[], Any]) -> Timing:
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    return Timing(time.perf_counter() - clock, time.process_time() - processor, result)
