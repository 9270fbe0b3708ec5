"""What a person sees on stderr while photos are embedded."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

__all__ = ["EmbeddingProgress"]

# In a log, where no bar can be drawn, a line this often.
_LINE_SECONDS = 30.0


class EmbeddingProgress:
    """Photos done, rate and time left: a bar on a terminal, a line now and then in a log.

    Parameters
    ----------
    total : int
        How many photos there are to go through.
    enabled : bool
        False shows nothing.
    """

    def __init__(self, total: int, *, enabled: bool) -> None:
        self._total, self._done = total, 0
        self._console = Console(stderr=True, quiet=not enabled, soft_wrap=True)
        self._bar = Progress(
            TextColumn("embedding"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("photos"),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=self._console,
            disable=not (enabled and self._console.is_terminal),
        )
        self._task = self._bar.add_task("embedding", total=total)
        self._started = self._said = time.monotonic()

    def __enter__(self) -> EmbeddingProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if kind is None and self._total and not self._console.is_terminal:
            self._line()

    def advance(self, photos: int) -> None:
        """Count some more photos as done."""
        self._done += photos
        self._bar.advance(self._task, photos)
        if not self._console.is_terminal and time.monotonic() - self._said > _LINE_SECONDS:
            self._said = time.monotonic()
            self._line()

    def _line(self) -> None:
        seconds = time.monotonic() - self._started
        rate = self._done / max(seconds, 1e-9)
        left = f", {(self._total - self._done) / rate:.0f} s left" if 0 < self._done < self._total else ""
        line = f"embedding: {self._done} of {self._total} photos, {rate:.1f} a second{left}"
        self._console.print(line, markup=False, highlight=False)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} a second")
