"""Files written whole or not at all: beside their place first, then renamed over it."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from whalereid.errors import WhalereidError
from whalereid.files.disk import disk_errors, make_folders, mode_of, remove, special, unmake_folders
from whalereid.files.names import LEFTOVER, is_leftover, leftovers, temporary
from whalereid.stopping import writing

__all__ = ["replacing", "replacing_all", "sweep"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file whole or not at all: yields a path beside `path`, renamed over it on success.

    Parameters
    ----------
    path : path
        The file (or folder) to write. Its parent folders are made. A link is followed: what it leads to is replaced.

    Yields
    ------
    Path
        Where to write, with the suffix of `path`. Removed if the block raises; `path` is then as it was.

    Raises
    ------
    WhalereidError
        The disk is full, the place can't be written, or what lies there is neither a file nor a folder.
    """
    with replacing_all([path]) as (beside,):
        yield beside


@contextmanager
def replacing_all(
    paths: Sequence[str | os.PathLike[str]], *, removing: Sequence[str | os.PathLike[str]] = ()
) -> Iterator[tuple[Path, ...]]:
    """Write several files that belong together: all of them, or none. As `replacing`, with a path for each.

    Parameters
    ----------
    paths : sequence of path
        The files to write. Killed in the middle, the first stands without the others, never beside older ones.
    removing : sequence of path
        Files that go when these come, and stay when these don't.

    Yields
    ------
    tuple of Path
        Where to write each.
    """
    wanted = [Path(path) for path in paths]
    with disk_errors(wanted[0]):
        targets = [_target(path) for path in wanted]
    besides = [temporary(path, "part") for path in targets]
    goes = [Path(path) for path in removing]
    made: list[Path] = []
    with writing():
        try:
            for path, target in zip(wanted, targets, strict=True):
                with disk_errors(path):
                    made += make_folders(target.parent)
                    _tidy(target)
            with disk_errors(wanted[0]):
                yield tuple(besides)
                _swap(list(zip(besides, targets, strict=True)), goes)
            made = []
        finally:
            for beside in besides:
                remove(beside)
            unmake_folders(made)


def _target(path: Path) -> Path:
    """The file or folder that is replaced where `path` is to be written."""
    kind = mode_of(path)
    if kind is not None and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise WhalereidError(f"{path}: is no file but {special(kind)}; choose another name.")
    return path.resolve() if path.is_symlink() else path


def _swap(moves: Sequence[tuple[Path, Path]], goes: Sequence[Path]) -> None:
    """Put what was written into its places, or leave them all as they were."""
    for beside, path in moves:
        if path.is_dir() != beside.is_dir() and os.path.lexists(path):
            number = errno.EISDIR if path.is_dir() else errno.ENOTDIR
            raise OSError(number, os.strerror(number))
    if len(moves) == 1 and not goes and not moves[0][1].is_dir():
        moves[0][0].replace(moves[0][1])
        return
    places = [path for _, path in moves] + list(goes)
    olds = {path: temporary(path, "old") for path in places}
    new = {path for path in places if not os.path.lexists(path)}
    for old in olds.values():
        remove(old)
    try:
        for path in places:
            if path not in new:
                # The first stays in its place until what is new takes it. The others go before, so that nothing older
                # ever stands beside the first's new content.
                _keep(path, olds[path], moves_away=path != places[0] or path.is_dir())
        for beside, path in moves:
            beside.replace(path)
    except BaseException:  # Ctrl-C too
        for path, old in olds.items():
            if path in new:
                remove(path)
            elif os.path.lexists(old):
                _put_back(old, path)
        raise
    for old in olds.values():
        remove(old)


def _keep(path: Path, old: Path, *, moves_away: bool) -> None:
    """Keep what a path holds under another name, whole or not at all."""
    if moves_away:
        path.replace(old)
        return
    try:
        os.link(path, old)
    except OSError:  # a file system without hard links
        try:
            shutil.copy2(path, old)
        except BaseException:
            remove(old)
            raise


def _put_back(old: Path, path: Path) -> None:
    """Undo `_keep`; what can't be put back stays under its other name."""
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        old.replace(path)
        remove(old)  # of two names of one file the system renames neither


def sweep(folder: Path) -> None:
    """Remove what a killed run left half written in a folder that is ours alone."""
    for left in folder.glob(".whalereid-*"):
        if is_leftover(left):
            remove(left)


def _tidy(path: Path) -> None:
    """Remove what killed writers of this path left; a folder that one had moved aside comes back."""
    for left in leftovers(path):
        found = LEFTOVER.fullmatch(left.name)
        if found is None or _is_at_work(int(found["pid"])):
            continue
        if found["what"] == "old" and left.is_dir() and not os.path.lexists(path):
            left.rename(path)
        else:
            remove(left)


def _is_at_work(pid: int) -> bool:
    """Whether another process of this machine has this number."""
    if pid == os.getpid():
        return False
    if os.name == "nt":  # where asking would end it
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
