"""What the commands share: where words go, and the options that several of them have."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from whalereid.outputs import Kind

__all__ = ["check_out", "print_json", "say", "say_forced"]


def say(message: str) -> None:
    """Tell the person something on stderr; stdout is for results."""
    print(message, file=sys.stderr, flush=True)


def check_out(path: Path, kind: Kind, *, inputs: Iterable[Path | None], force: bool) -> None:
    """Refuse a place where a file can't be written; see `whalereid.outputs.check_file`. Says what --force loses."""
    from whalereid.outputs import check_file

    say_forced(path, check_file(path, kind, inputs=inputs, force=force))


def say_forced(path: Path, lost: str | None) -> None:
    """Say out loud what --force overwrites, if anything."""
    if lost is not None:
        say(f"Warning: --force: {path} is {lost}, and is overwritten")


def print_json(result: Mapping[str, Any]) -> None:
    """Print one JSON object, and nothing else, on stdout; NaN and infinity become null."""
    print(json.dumps(_finite(result), ensure_ascii=False, allow_nan=False))


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
