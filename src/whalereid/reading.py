"""Files from outside: looked at before they are read, and refused by name where they can't be."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whalereid.errors import WhalereidError

__all__ = [
    "MAX_FILE_GB",
    "MOST_JSON_GB",
    "MOST_TABLE_GB",
    "MOST_WORKBOOK_GB",
    "MOST_NUMBERS_GB",
    "check_file",
    "check_size",
    "digest_of",
    "has_keys",
    "is_file",
    "os_errors",
    "parse_any_json",
    "parse_json",
    "read_json",
    "read_text",
]

MAX_FILE_GB = "WHALEREID_MAX_FILE_GB"
"""The environment variable that sets the size up to which any file is read, in gigabytes (10^9 bytes)."""

MOST_JSON_GB, MOST_WORKBOOK_GB, MOST_TABLE_GB, MOST_NUMBERS_GB = 1.0, 2.0, 8.0, 32.0
"""Sizes up to which JSON, unpacked workbooks, tables, and weights or vectors are read where that isn't set."""

_PIECE = 1 << 20  # bytes that are looked through at once
_DEEPEST = 64  # levels of JSON; nothing of ours has ten, and code that goes down them must not run out of stack


@contextmanager
def os_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn the operating system's refusals while reading `path`, and a lack of memory, into one error that names it.

    Raises
    ------
    WhalereidError
        It can't be read, or doesn't fit into the memory.
    """
    called = os.fspath(path)
    called = called if len(called) <= 300 else f"{called[:297]}..."  # a name that is too long isn't repeated whole
    try:
        yield
    except OSError as error:
        raise WhalereidError(f"{called}: can't be read ({error.strerror or error}).") from error
    except MemoryError as error:
        raise WhalereidError(f"{called}: is too large for the memory of this machine.") from error


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether a plain file is there.

    Raises
    ------
    WhalereidError
        One can't tell: a folder on the way may not be entered, or a name is longer than the file system takes.
    """
    with os_errors(path):
        return Path(path).is_file()


def check_file(path: str | os.PathLike[str], most_gb: float, *, absent: str = "no such file") -> None:
    """Refuse what is no plain file, or a larger one than is read; nothing of it is read.

    Parameters
    ----------
    path : path
        The file; links are followed.
    most_gb : float
        The size up to which it is read, in gigabytes, unless ``WHALEREID_MAX_FILE_GB`` says otherwise.
    absent : str
        What to say where there is nothing.

    Raises
    ------
    WhalereidError
        It is no file, too large, or can't be looked at.
    """
    path = Path(path)
    if not is_file(path):  # nor is a pipe or a device, which may never end
        what = "is a folder, not a file" if path.is_dir() else "is not a plain file" if path.exists() else absent
        raise WhalereidError(f"{path}: {what}.")
    with os_errors(path):
        size = path.stat().st_size
    check_size(path, size, most_gb)


def check_size(path: str | os.PathLike[str], size: int, most_gb: float) -> None:
    """Refuse a file whose bytes, on disk or once they are unpacked, are more than is read of its kind.

    Raises
    ------
    WhalereidError
        They are.
    """
    most = _most_gb(most_gb)
    if size > most * 1e9:
        raise WhalereidError(
            f"{path}: takes {size / 1e9:,.1f} GB; such files are read up to {most:g} GB. Is it the right one? If so, "
            f"set the environment variable {MAX_FILE_GB} to a larger number."
        )


def read_text(path: str | os.PathLike[str], *, most_gb: float = MOST_JSON_GB, absent: str = "no such file") -> str:
    """Read a file of UTF-8, with or without byte-order mark.

    Raises
    ------
    WhalereidError
        As for `check_file`, or it isn't UTF-8.
    """
    check_file(path, most_gb, absent=absent)
    with os_errors(path):
        held = Path(path).read_bytes()
    try:
        return held.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WhalereidError(f"{path}: isn't UTF-8 text ({error.reason} at byte {error.start}).") from error


def read_json(path: str | os.PathLike[str], what: str, *, absent: str = "no such file") -> dict[str, Any]:
    """Read a file that holds one JSON object; what its keys hold is the caller's to check.

    Parameters
    ----------
    path : path
        The file.
    what : str
        What it should be, such as ``"a task that `whalereid rank` wrote"``.
    absent : str
        What to say where there is no file.

    Raises
    ------
    WhalereidError
        As for `read_text`, or it isn't JSON, is nested absurdly deep, or holds no object.
    """
    return parse_json(read_text(path, absent=absent), str(path), what)


def parse_json(text: str | bytes, where: str, what: str) -> dict[str, Any]:
    """Read one JSON object that stands inside another file; see `read_json`.

    Examples
    --------
    >>> parse_json("[" * 200_000, "run.json", "a run")
    Traceback (most recent call last):
    ...
    whalereid.errors.WhalereidError: run.json: isn't a run (it is nested too deep).
    """
    content = parse_any_json(text, where, what)
    if not isinstance(content, dict):
        raise WhalereidError(f"{where}: isn't {what} (it holds no JSON object).")
    return content


def parse_any_json(text: str | bytes, where: str, what: str) -> Any:
    """Read one JSON value that stands inside another file, such as a list; else as `parse_json`."""
    try:
        content = json.loads(text)
        if "\\ud" in (text if isinstance(text, str) else text.decode("utf-8")).lower():
            json.dumps(content, ensure_ascii=False).encode()  # half a character can be written nowhere
    except RecursionError as error:
        raise WhalereidError(f"{where}: isn't {what} (it is nested too deep).") from error
    except MemoryError as error:
        raise WhalereidError(f"{where}: is too large for the memory of this machine.") from error
    except UnicodeError as error:
        raise WhalereidError(f"{where}: isn't {what} (its text isn't UTF-8).") from error
    except ValueError as error:
        raise WhalereidError(f"{where}: isn't {what} (it can't be read as JSON: {error}).") from error
    brackets = ("[", "{") if isinstance(text, str) else (b"[", b"{")
    # With few brackets it can't be deep, and long lists of numbers need not be gone through.
    if sum(map(text.count, brackets)) > _DEEPEST and _is_deeper(content, _DEEPEST):  # type: ignore[arg-type]
        raise WhalereidError(f"{where}: isn't {what} (it is nested too deep).")
    return content


def digest_of(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with os_errors(path), Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def has_keys(path: str | os.PathLike[str], *keys: str) -> bool:
    """Whether a file mentions these keys, as JSON does; it is looked through, not parsed, up to the last one wanted.

    False for what is no plain file or can't be read: whoever then reads it says why.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.json").write_text('{"images": []}')
    ...     has_keys(Path(folder, "a.json"), "images"), has_keys(Path(folder, "a.json"), "images", "annotations")
    (True, False)
    """
    wanted = {key: re.compile(rb'"' + re.escape(key.encode()) + rb'"\s*:') for key in keys}
    longest = max(map(len, keys)) + 64  # of a key whose end stands in the next piece
    left = int(_most_gb(MOST_JSON_GB) * 1e9)
    before = b""
    try:
        if not is_file(path):
            return False
        with Path(path).open("rb") as file:
            while wanted and left > 0 and (piece := file.read(_PIECE)):
                left -= len(piece)
                text = before + piece
                wanted = {key: pattern for key, pattern in wanted.items() if pattern.search(text) is None}
                before = text[-longest:]
    except (OSError, WhalereidError):
        return False
    return not wanted


def _is_deeper(content: Any, levels: int) -> bool:
    """Whether lists and objects stand within each other more than `levels` deep; without going down a stack."""
    level = [content] if isinstance(content, dict | list) else []
    for _ in range(levels):
        inner = (held.values() if isinstance(held, dict) else held for held in level)
        level = [value for values in inner for value in values if isinstance(value, dict | list)]
        if not level:
            return False
    return True


def _most_gb(usual: float) -> float:
    said = os.environ.get(MAX_FILE_GB)
    if said is None:
        return usual
    try:
        most = float(said)
    except ValueError:
        most = -1.0
    if not most > 0:
        raise WhalereidError(f"{MAX_FILE_GB} is {said!r:.60}; give a number of gigabytes above 0.")
    return most
