"""The one base error. Every message names the file, row, column or option at fault, and the way out."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["WhalereidError", "listing", "printable"]


class WhalereidError(ValueError):
    """Something the user gave can't be used as it is.

    The commands print its message as one line on stderr and exit with 2; any other exception is a bug.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


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
    names = [str(item) for item in items]
    head = ", ".join(names[:most])
    return head if len(names) <= most else f"{head} and {len(names) - most} more"
