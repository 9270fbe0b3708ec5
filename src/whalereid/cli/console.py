"""What the commands share: where words go, and the options that several of them have."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from whalereid.errors import printable

__all__ = ["print_json", "say", "show"]


def say(message: str) -> None:
    """Tell the person something on stderr, in one line; stdout is for results."""
    with suppress(OSError):  # what can't be told, as to a full disk, must not stop the work
        print(printable(message), file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Print a result on stdout, line by line."""
    for line in text.split("\n"):
        print(printable(line))


def print_json(result: Mapping[str, Any]) -> None:
    """Print one JSON object, and nothing else, on stdout; NaN and infinity become null."""
    finite = _finite(result)
    text = json.dumps(finite, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeError:  # half a character, or a terminal that isn't UTF-8
        text = json.dumps(finite, allow_nan=False)
    if not text.isprintable():  # JSON lets control characters beyond the first 32 stand
        text = "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)
        text = text.replace("\x7f", "\\u007f")
    print(text)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if hasattr(value, "tolist"):  # a NumPy scalar or array
        return _finite(value.tolist())
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
