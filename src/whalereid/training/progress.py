"""What a person sees of a training: a bar in a terminal, plain lines elsewhere; on stderr."""

from __future__ import annotations

import time
import warnings
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from whalereid.errors import WhalereidWarning, printable

__all__ = ["TrainingProgress", "in_words"]

_BETWEEN_LINES = 30.0  # seconds, where there is no terminal to redraw a bar in


class TrainingProgress:
    """Loss, photos a second and time left, as training goes.

    Parameters
    ----------
    epochs : int
        Of the whole training.
    show : bool
        False keeps silent.
    """

    def __init__(self, epochs: int, *, show: bool = True) -> None:
        self._console = Console(stderr=True, quiet=not show, highlight=False, soft_wrap=True)
        self._epochs, self._from, self._epoch = epochs, 0, 0
        self._batch = self._batches = self._photos = 0
        self._began = self._epoch_began = self._last_line = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> TrainingProgress:
        if self._console.is_terminal and not self._console.quiet:
            columns = (TextColumn("{task.description}"), BarColumn(bar_width=None), TextColumn("{task.fields[words]}"))
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("", words="", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, message: str) -> None:
        """Print a line, above the bar if there is one."""
        self._console.print(printable(message), markup=False)

    def warn(self, message: str) -> None:
        """Tell of what may spoil the result: as a line or, where nothing is shown, as a warning of Python's."""
        if self._console.quiet:
            warnings.warn(printable(message), WhalereidWarning, stacklevel=4)
        else:
            self.say(f"Warning: {message}")

    def begin(self, done: int) -> None:
        """Start the clock, after `done` epochs that an earlier run did."""
        self._from, self._epoch = done, done
        self._began = time.monotonic()

    def start_epoch(self, epoch: int, batches: int) -> None:
        """Epoch number `epoch`, counted from 1, begins."""
        self._epoch, self._batch, self._batches, self._photos = epoch, 0, batches, 0
        self._epoch_began = self._last_line = time.monotonic()
        if self._bar is not None and self._task is not None:
            self._bar.reset(self._task, total=batches, description=f"epoch {epoch}/{self._epochs}", words="")

    def step(self, photos: int, loss: float) -> None:
        """One more batch is done; `loss` is the epoch's mean so far."""
        self._batch += 1
        self._photos += photos
        now = time.monotonic()
        words = f"loss {loss:.3f}, {self.rate():.0f} photos/s, {self._left(now)}"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, words=words)
        elif now - self._last_line > _BETWEEN_LINES:
            self._last_line = now
            self.say(f"epoch {self._epoch}/{self._epochs}, batch {self._batch}/{self._batches}: {words}")

    def validating(self) -> None:
        """All batches of the epoch are done; the validation photos are next."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, words="validating")

    def end_epoch(self, words: str) -> None:
        """All of the epoch is done; `words` tell its figures."""
        now = time.monotonic()
        self._batch = self._batches
        left = f", {self._left(now)}" if self._epoch < self._epochs else ""
        self.say(f"epoch {self._epoch}/{self._epochs}: {words}; {in_words(now - self._epoch_began)}{left}")

    def rate(self) -> float:
        """Photos a second in this epoch."""
        return self._photos / max(time.monotonic() - self._epoch_began, 1e-9)

    def _left(self, now: float) -> str:
        done = self._epoch - 1 + self._batch / max(self._batches, 1) - self._from
        return f"{in_words((now - self._began) * (self._epochs - self._from - done) / max(done, 1e-9))} left"


def in_words(seconds: float) -> str:
    """Say a span of time in two units at most.

    Examples
    --------
    >>> in_words(8.2), in_words(200), in_words(11000)
    ('8 s', '3 min 20 s', '3 h 3 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
