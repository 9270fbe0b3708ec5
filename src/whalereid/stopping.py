"""Ctrl-C and its kin: at any moment of any command one line that says what is kept, and one exit status.

A command calls `heed` before it imports anything else. From then on a signal ends the process at once, from a thread of
its own and thus also while an import or a long computation holds the main one. Raising an exception wherever the main
thread happens to be, as Python does, may be swallowed there, or leave one of two files that belong together. So a piece
of work that has something to keep runs in `later`, and asks `check` between its steps; a file under way is finished
first (`writing`). A second signal doesn't wait for either.

The library alone never calls `heed`: in a notebook Ctrl-C is Python's own KeyboardInterrupt.
"""

from __future__ import annotations

import _signal as signal  # the heart of `signal`, without the milliseconds that its import takes
import _thread
import os
import sys
import time

TYPE_CHECKING = False  # `typing` would cost as long as all of this
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import NoReturn

__all__ = ["Stopped", "asked", "check", "heed", "later", "leave", "leave_to_parent", "say", "status", "writing"]

_SIGNALS = {getattr(signal, name): name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}

# In seconds. A launcher may pass on the Ctrl-C that the terminal has sent too: those are one.
_ONE_PRESS = 0.5
# How long `check` is waited for, and a file that is being written.
_PATIENCE, _WRITING_PATIENCE = 8.0, 30.0


class Stopped(BaseException):
    """The command is to end; its text says what is kept. No Exception, so that nothing takes it for a failure."""


def heed() -> None:
    """End this process on Ctrl-C, SIGTERM and SIGHUP, in one line and with 128 + the signal's number.

    A signal that is ignored on arrival stays so, as SIGHUP under ``nohup``, but for Ctrl-C: a shell ignores it for
    whatever it starts in the background, also where somebody sends it on purpose.
    """
    global _watch, _heeded
    if _watch is not None:
        return
    heeded = [n for n in _SIGNALS if n == signal.SIGINT or signal.getsignal(n) != signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, _end_at_once)
    _watch, _heeded = _Watch(), True
    for number in heeded:
        signal.signal(number, _leave_to_the_watch)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget)


def leave(code: int) -> NoReturn:
    """Leave the process with an exit status, or, if it was asked to stop meanwhile, with that one and its line."""
    import atexit
    from contextlib import suppress

    if asked():
        os._exit(say())  # not through Python's own end, which waits for worker processes
    for number in _SIGNALS if _watch is not None else ():  # it is done: there is nothing left to stop
        signal.signal(number, signal.SIG_IGN)
    # Python would take torch apart piece by piece now, deaf for seconds; the system does that at once.
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # its reader went away
            stream.flush()
    os._exit(code)


def asked() -> bool:
    """Whether a signal has come that ends this process."""
    return _watch is not None and _watch.number is not None


def check() -> None:
    """Between two steps: raise `Stopped` if a signal has come."""
    if _watch is not None and _watch.number is not None:
        _watch.unwind()
        raise Stopped


def status() -> int:
    """The exit status of a command that was stopped: 128 + the signal's number, so 130 after Ctrl-C."""
    number: int = signal.SIGINT if _watch is None or _watch.number is None else _watch.number
    return 128 + number


def say(words: str = "") -> int:
    """Print the line of a command that was stopped, unless it was said; returns the exit status."""
    if _watch is None:
        print(_line(words, signal.SIGINT), file=sys.stderr, flush=True)
    else:
        _watch.say(words)
    return status()


def later(kept: Callable[[], str] | None = None) -> _Work:
    """Do work that has something to keep, as a context: a signal waits until `check`, or until the work's end.

    Python's own KeyboardInterrupt, which passes through where nobody heeds signals, is given the words to say, too.

    Parameters
    ----------
    kept : callable, optional
        Gives the words that say what is kept and how to go on, "" if nothing is. It is asked when the work ends, maybe
        by another thread, so it looks at what is on disk.
    """
    return _Work(kept, writes=False)


def writing() -> _Work:
    """Write a file, or several that belong together, as a context: done before a signal ends the process."""
    return _Work(None, writes=True)


def leave_to_parent(worker: int = 0) -> None:
    """In a worker process: a terminal sends Ctrl-C to it too, but its parent stops it, in order.

    It dies with its parent, however that ends: on Linux at once, elsewhere when torch's loader notices.
    """
    # Where a whole group of processes is told to end, the parent of a command does, and says what is kept.
    for number in _SIGNALS if _heeded else [signal.SIGINT]:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes

        signal_at_parents_death = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(signal_at_parents_death, signal.SIGKILL)


class _Work:
    """What a signal waits for."""

    def __init__(self, kept: Callable[[], str] | None, *, writes: bool) -> None:
        self._kept, self.writes = kept, writes

    def __enter__(self) -> None:
        if _watch is not None:
            _watch.begin(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        ending = error
        if _watch is not None and _watch.ends_with(self) and (error is None or _comes_of_stopping(error)):
            _watch.unwind()
            ending = Stopped()
        if isinstance(ending, KeyboardInterrupt | Stopped) and not ending.args and (words := self.words()):
            ending.args = (words,)
        if _watch is not None:
            _watch.end(self, str(ending) if isinstance(ending, Stopped) else "")
        if ending is not None and ending is not error:
            raise ending from None

    def words(self) -> str:
        """What is kept; "" where that can't be told."""
        try:
            return self._kept() if self._kept is not None else ""
        except Exception:
            return ""


class _Watch:
    """The thread that hears the signals, and what it knows of the main one."""

    def __init__(self) -> None:
        import socket
        import threading

        self.number: int | None = None  # the first signal that came
        self._came = self._since = 0.0
        self._works: list[_Work] = []
        self._unwinding = self._said = False
        self._words = ""
        self._ear, self._mouth = socket.socketpair()
        self._mouth.setblocking(False)
        threading.Thread(target=self._listen, name="whalereid-stopping", daemon=True).start()
        signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)

    def begin(self, work: _Work) -> None:
        with _lock:  # a process that is ending holds it for good
            self._works.append(work)

    def ends_with(self, work: _Work) -> bool:
        """Whether a signal waits for this work alone."""
        return self.number is not None and self._works == [work]

    def end(self, work: _Work, words: str) -> None:
        with _lock:
            self._works.remove(work)
            self._words = self._words or words

    def unwind(self) -> None:
        """The main thread has taken notice, and is on its way out."""
        with _lock:
            if not self._unwinding:
                self._unwinding, self._since = True, time.monotonic()

    def say(self, words: str) -> None:
        with _lock:
            if not self._said:
                self._said = True
                _print(words, self.number or signal.SIGINT)

    def _listen(self) -> None:
        while True:
            self._ear.settimeout(None if self.number is None else 0.2)
            try:
                heard = self._ear.recv(64)
            except TimeoutError:
                heard = b""
            for number in heard:
                if number in _SIGNALS:
                    self._hear(number)
            with _lock:
                patience = _WRITING_PATIENCE if any(work.writes for work in self._works) else _PATIENCE
                if self.number is not None and time.monotonic() - self._since > patience:
                    self._end()

    def _hear(self, number: int) -> None:
        with _lock:
            now = time.monotonic()
            if self.number is None:
                self._came = self._since = now
                self.number = number
            if now - self._came > _ONE_PRESS or not (self._works or self._unwinding):
                self._end()

    def _end(self) -> NoReturn:
        self.say(next((words for work in self._works if (words := work.words())), self._words))
        os._exit(status())


_lock = _thread.RLock()
_watch: _Watch | None = None
_heeded = False  # also in the processes that one which heeds has forked


def _comes_of_stopping(error: BaseException) -> bool:
    """Whether an error is no more than what ending brings with it: workers are gone, other processes hang up."""
    from whalereid.errors import WhalereidError

    return isinstance(error, Exception) and not isinstance(error, WhalereidError)


def _line(words: str, number: int) -> str:
    stopped = "whalereid: stopped" if number == signal.SIGINT else f"whalereid: stopped by {_SIGNALS[number]}"
    if not words:
        return f"{stopped}."
    from whalereid.errors import printable

    return printable(" ".join(f"{stopped}; {words}".split()))


def _print(words: str, number: int) -> None:
    """One line on stderr, past all buffers, which the main thread may hold."""
    try:
        before = "\r\x1b[2K\x1b[?25h" if os.isatty(2) else ""  # over a bar that is drawn there; the cursor shown again
        os.write(2, f"{before}{_line(words, number)}\n".encode(errors="backslashreplace"))
    except OSError:  # nobody reads it
        pass


def _end_at_once(number: int, frame: object) -> None:
    """Before the watch stands: nothing has begun."""
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    with _lock:
        _print("", number)
        os._exit(128 + number)


def _leave_to_the_watch(number: int, frame: object) -> None:
    """Python wants a handler; the watch has heard of it through the wake-up socket, maybe long before."""


def _forget() -> None:
    """In a forked process: it isn't the one that speaks."""
    global _watch, _lock
    if _watch is None:
        return
    _watch, _lock = None, _thread.RLock()
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        if signal.getsignal(number) == _leave_to_the_watch:
            signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN)
