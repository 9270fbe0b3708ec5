"""The one base error. Every message names the file, row, column or option at fault, and the way out."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["WhalereidError", "listing"]


class WhalereidError(ValueError):
    """Something the user gave can't be used as it is.

    The commands print its message as one line on stderr and exit with 2; any other exception is a bug.
    """


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
