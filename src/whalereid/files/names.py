"""Names of files: temporary ones, companions, what a killed writer leaves, and paths that stay in their root."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from whalereid.errors import WhalereidError

__all__ = ["LEFTOVER", "LONGEST_NAME", "companion", "inside", "is_leftover", "leftovers", "temporary"]

LONGEST_NAME = 255
"""Bytes of a file's name, as nearly every file system allows."""
LEFTOVER = re.compile(r"\.whalereid-(?P<of>[0-9a-f]{8})\.(?P<pid>\d+)\.(?P<what>part|old)(?:\.[^.]*)?")


def temporary(path: Path, what: str = "part", *, pid: int | None = None) -> Path:
    """Where `replacing` writes: beside the path, under a hidden name that is short however long the path's is.

    Examples
    --------
    >>> temporary(Path("runs/run.json"), pid=7).as_posix()
    'runs/.whalereid-cef72e9b.7.part.json'
    """
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= 16 else ""
    return path.with_name(f".whalereid-{_digest(path.name)}.{os.getpid() if pid is None else pid}.{what}{suffix}")


def companion(path: Path, before: str, after: str) -> Path:
    """A file beside another, named after it: as much of the name as fits, and a digest of it where that isn't all.

    Examples
    --------
    >>> companion(Path("out/r.csv"), "", ".task.json").as_posix()
    'out/r.csv.task.json'
    >>> len(companion(Path("r" * 255), "", ".task.json").name)
    255

    Raises
    ------
    WhalereidError
        The path ends in no name, as ``.`` does.
    """
    if not path.name:
        raise WhalereidError(f"{path}: names no file; give its name as well.")
    room = LONGEST_NAME - len(before) - len(after)
    if len(os.fsencode(path.name)) <= room:
        return path.with_name(f"{before}{path.name}{after}")
    short = os.fsencode(path.name)[: room - 9].decode(errors="ignore")
    return path.with_name(f"{before}{short}~{_digest(path.name)}{after}")


def _digest(name: str) -> str:
    return hashlib.blake2s(os.fsencode(name), digest_size=4).hexdigest()


def is_leftover(path: Path) -> bool:
    """Whether a file or folder is what `replacing` leaves behind when it is killed while it writes.

    Examples
    --------
    >>> is_leftover(temporary(Path("run.json"))), is_leftover(Path("run.json")), is_leftover(Path(".a.1.part.json"))
    (True, False, False)
    """
    return LEFTOVER.fullmatch(path.name) is not None


def leftovers(path: Path) -> list[Path]:
    """What writers of a path that were killed have left beside it."""
    return sorted(left for left in path.parent.glob(f".whalereid-{_digest(path.name)}.*") if is_leftover(left))


def inside(root: Path, relative: str, *, where: str) -> Path:
    """Join a path from a table to its root, refusing one that leaves it.

    The check is on the names alone: a link below the root that the user made is theirs to follow.

    Parameters
    ----------
    root : Path
        The table's root folder.
    relative : str
        The path as the table gives it; `/` or the platform's separator.
    where : str
        What to name in the error, such as ``"metadata.csv, row 7"``.

    Raises
    ------
    WhalereidError
        The path is empty, absolute, or climbs above the root.

    Examples
    --------
    >>> inside(Path("data"), "../etc/passwd", where="photos.csv, row 1")
    Traceback (most recent call last):
    ...
    whalereid.errors.WhalereidError: photos.csv, row 1: the path '../etc/passwd' leaves the table's folder ...
    """
    parts = PurePosixPath(relative.replace("\\", "/")).parts
    depth = 0
    escapes = not relative.strip() or "\0" in relative
    escapes = escapes or PurePosixPath(relative).is_absolute() or PureWindowsPath(relative).anchor != ""
    for part in parts:
        depth += -1 if part == ".." else 1
        escapes = escapes or depth < 0
    if escapes:
        raise WhalereidError(
            f"{where}: the path {relative!r} leaves the table's folder {root}; paths are relative to it, without '..'."
        )
    return root.joinpath(*parts)
