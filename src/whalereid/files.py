"""Files written whole or not at all, and paths that stay inside their root."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from whalereid.errors import WhalereidError
from whalereid.stopping import writing

__all__ = ["check_folder", "claim_folder", "disk_errors", "inside", "is_leftover", "replacing"]

_LEFTOVER = re.compile(r"\..+\.\d+\.(?:part|old)(?:\.[^.]*)?")


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals while writing `path` into an error that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise WhalereidError(f"{path}: the disk is full; free some space, then run it again.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise WhalereidError(f"{path}: can't be written here ({error.strerror}); choose another place.") from error
        if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOENT):
            raise WhalereidError(f"{path}: can't be written ({error.strerror}); choose another name.") from error
        raise


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file whole or not at all: yields a path beside `path`, renamed over it on success.

    Parameters
    ----------
    path : path
        The file (or folder) to write. Its parent folders are made.

    Yields
    ------
    Path
        Where to write, with the suffix of `path`. Removed if the block raises; `path` is then as it was.

    Raises
    ------
    WhalereidError
        The disk is full, or the place can't be written.
    """
    path = Path(path)
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")  # as `is_leftover` knows it
    with writing(), disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield beside
            if beside.is_dir() and path.is_dir():  # os.replace takes only an empty folder's place
                old = path.with_name(f".{path.stem}.{os.getpid()}.old{path.suffix}")
                path.rename(old)
                beside.rename(path)
                shutil.rmtree(old)
            else:
                beside.replace(path)
        finally:
            if beside.is_dir():
                shutil.rmtree(beside, ignore_errors=True)
            else:
                beside.unlink(missing_ok=True)


def is_leftover(path: Path) -> bool:
    """Whether a file or folder is what `replacing` leaves behind when it is killed while it writes.

    Examples
    --------
    >>> is_leftover(Path(".run.1234.part.json")), is_leftover(Path("run.json")), is_leftover(Path(".hidden.json"))
    (True, False, False)
    """
    return _LEFTOVER.fullmatch(path.name) is not None


def claim_folder(path: str | os.PathLike[str], *, marker: str, option: str = "--out") -> Path:
    """Make an output folder, or take an existing one that is empty or already ours.

    Parameters
    ----------
    path : path
        The folder wanted.
    marker : str
        Name of a file that an earlier run of ours would have left there.
    option : str
        The option to name in the error.

    Returns
    -------
    Path
        The folder, existing.

    Raises
    ------
    WhalereidError
        It is a file, or holds something else.
    """
    path = check_folder(path, marker=marker, option=option)
    with disk_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def check_folder(path: str | os.PathLike[str], *, marker: str, option: str = "--out") -> Path:
    """Refuse what `claim_folder` would refuse, and make nothing."""
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise WhalereidError(f"{path}: is a file; {option} wants a folder.")
    if path.is_dir() and not (path / marker).exists():
        held = sorted(p.name for p in path.iterdir() if not is_leftover(p))
        if held:
            raise WhalereidError(
                f"{path}: already holds something else ({held[0]}); choose an empty or new folder for {option}."
            )
    return path


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
