"""Going through many photos: a few ahead of the reader, and with a bar."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

__all__ = ["in_order", "with_bar"]

_Item = TypeVar("_Item")
_Job = TypeVar("_Job")


def with_bar(items: Iterable[_Item], what: str, total: int, progress: bool) -> Iterable[_Item]:
    """The items, with a bar on stderr if asked."""
    if not progress:
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, what, total, console=Console(stderr=True))


def in_order(
    pool: ThreadPoolExecutor, look: Callable[[_Job], _Item], jobs: Iterable[_Job], ahead: int
) -> Iterator[_Item]:
    """Look at every job, a few ahead of the reader, so that stopping is quick."""
    waiting = iter(jobs)
    running = deque(pool.submit(look, job) for job in islice(waiting, ahead))
    while running:
        yield running.popleft().result()
        running.extend(pool.submit(look, job) for job in islice(waiting, 1))
