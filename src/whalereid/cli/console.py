"""What the commands share: where words go, and the options that several of them have."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whalereid.errors import WhalereidError, printable

if TYPE_CHECKING:
    from whalereid.catalogue import Catalogue
    from whalereid.outputs import Kind

__all__ = [
    "be_quiet",
    "check_out",
    "print_json",
    "read_photos",
    "refuse_absent",
    "say",
    "say_forced",
    "show",
    "shows_progress",
    "tell",
    "warn",
]

_quiet = False


def be_quiet(asked: bool) -> None:
    """Heed --quiet, or that it wasn't given: from now on `say` says nothing, and no progress is shown."""
    global _quiet
    _quiet = asked


def shows_progress() -> bool:
    """Whether the library is to tell how it goes."""
    return not _quiet


def refuse_absent(*paths: Path, what: str = "file or folder") -> None:
    """Refuse what isn't there, before pandas is loaded to read it, which takes a second."""
    for path in paths:
        if not os.path.exists(path):  # noqa: PTH110 - never raises, as on a name that is too long
            raise WhalereidError(f"{path}: no such {what}.")


def say(message: str) -> None:
    """Tell the person something on stderr, in one line, unless --quiet is given; stdout is for results."""
    if not _quiet:
        tell(message)


def warn(message: str) -> None:
    """Tell of something that may spoil the result, --quiet or not."""
    tell(f"Warning: {message}")


def tell(message: str) -> None:
    """Write one line on stderr, come what may: refusals, warnings."""
    with suppress(OSError):  # what can't be told, as to a full disk, must not stop the work
        print(printable(message), file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Print a result on stdout, line by line."""
    for line in text.split("\n"):
        print(printable(line))


def check_out(path: Path, kind: Kind, *, inputs: Iterable[Path | None], force: bool) -> None:
    """Refuse a place where a file can't be written; see `whalereid.outputs.check_output`. Says what --force loses."""
    from whalereid.outputs import check_output

    say_forced(path, check_output(path, kind, inputs=inputs, force=force))


def say_forced(path: Path, lost: str | None) -> None:
    """Say out loud what --force overwrites, if anything."""
    if lost is not None:
        warn(f"--force: {path} is {lost}, and is overwritten")


def read_photos(source: str | os.PathLike[str], layout: str | None = None, *, exif: bool = False) -> Catalogue:
    """Read a catalogue, filled from its photos' EXIF if asked; say what was taken for what."""
    from whalereid.catalogue import Catalogue, fill_from_exif

    photos = Catalogue.read(source, layout)
    for note in photos.notes:
        say(note)
    if exif:
        said = set(photos.notes)
        photos = fill_from_exif(photos, progress=shows_progress())
        for note in photos.notes:
            if note not in said:
                say(note)
    return photos


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
