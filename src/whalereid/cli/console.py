"""What the commands share: where words go, and the options that several of them have."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from whalereid.catalogue import Catalogue

__all__ = ["print_json", "read_photos", "say"]


def say(message: str) -> None:
    """Tell the person something on stderr; stdout is for results."""
    print(message, file=sys.stderr, flush=True)


def read_photos(source: str | os.PathLike[str], layout: str | None = None) -> Catalogue:
    """Read a catalogue, and say what was taken for what."""
    from whalereid.catalogue import Catalogue

    photos = Catalogue.read(source, layout)
    for note in photos.notes:
        say(note)
    return photos


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
