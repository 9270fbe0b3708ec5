"""The one base error. Every message names the file, row, column or option at fault, and the way out."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["WhalereidError", "WhalereidWarning", "listing", "printable"]


_LONGEST = 300  # characters of one name: a line that can be read


class WhalereidError(ValueError):
    """Something the user gave can't be used as it is.

    The commands print its message as one line on stderr and exit with 2; any other exception is a bug.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class WhalereidWarning(UserWarning):
    """Something that was done, yet should be known; the commands say it on stderr, as one line."""


def printable(text: str) -> str:
    r"""Control characters as escapes, on one line: a table from elsewhere must not drive the terminal.

    Examples
    --------
    >>> print(printable("whale\x1b[2J"))
    whale\x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def listing(items: Iterable[object], most: int = 5) -> str:
    """Name the first few of many offenders, and count the rest.

    Examples
    --------
    >>> listing(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    held = list(items)
    head = ", ".join(_short(str(item)) for item in held[:most])
    return head if len(held) <= most else f"{head} and {len(held) - most} more"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."
