"""Files written whole or not at all, and paths that stay inside their root."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

from whalereid.errors import WhalereidError
from whalereid.stopping import writing

__all__ = [
    "LONGEST_NAME",
    "check_folder",
    "check_whole_folder",
    "claim_folder",
    "companion",
    "disk_errors",
    "inside",
    "is_leftover",
    "leftovers",
    "make_folders",
    "mode_of",
    "remove",
    "replacing",
    "replacing_all",
    "special",
    "sweep",
    "temporary",
    "unmake_folders",
]

LONGEST_NAME = 255
"""Bytes of a file's name, as nearly every file system allows."""

_LEFTOVER = re.compile(r"\.whalereid-(?P<of>[0-9a-f]{8})\.(?P<pid>\d+)\.(?P<what>part|old)(?:\.[^.]*)?")
_OTHER_NAME = {errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}
_OTHER_NAME |= {errno.ENOTEMPTY, errno.ENXIO, errno.ENODEV, errno.EILSEQ}


@contextmanager
def disk_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn the operating system's refusals while writing `path` into an error that says what to do."""
    try:
        yield
    except BrokenPipeError:
        raise  # the reader of our words went away: no matter of this file's
    except OSError as error:
        if error.errno is None:  # a library's own error
            raise
        said = error.strerror or os.strerror(error.errno)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = "the disk is full; free some space, then run it again."
        elif error.errno == errno.EFBIG:
            message = "grows larger than a file may be here; choose another disk, or raise the limit (ulimit -f)."
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            message = f"can't be written here ({said}); choose another place."
        elif error.errno in _OTHER_NAME:
            message = f"can't be written ({said}); choose another name."
        else:
            message = f"can't be written ({said}); look at the disk, or choose another place."
        raise WhalereidError(f"{os.fspath(path)}: {message}") from error
    except ValueError as error:
        if "\0" not in os.fspath(path):
            raise
        raise WhalereidError(f"{os.fspath(path)!r}: no file can be called so; choose another name.") from error


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


def mode_of(path: Path) -> int | None:
    """What lies at a path, links followed; None where nothing does. A link that leads nowhere is refused."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            raise WhalereidError(f"{path}: is a link that leads nowhere; remove it, or choose another name.") from None
        return None


def special(mode: int) -> str:
    """Say what something in a folder is that is neither file nor folder, by its mode."""
    return "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"


def make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it, all or none; returns those that are new, from above."""
    new: list[Path] = []
    for each in (folder, *folder.parents):
        if os.path.lexists(each):
            break
        new.insert(0, each)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except BaseException:  # Ctrl-C too
        unmake_folders(new)
        raise
    return new


def unmake_folders(made: Sequence[Path]) -> None:
    """Take away what `make_folders` made, as far as it is empty."""
    for folder in reversed(made):
        for _ in range(2):  # as in `remove`
            with suppress(OSError):  # something is in it by now
                folder.rmdir()
                break


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


def remove(path: Path) -> None:
    """Remove a file, or a folder with all in it, as far as the system lets us; nothing is said where it doesn't."""
    for _ in range(2):  # a drive of the network, or what looks for viruses, may hold on to it for a moment
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        if not os.path.lexists(path):
            return


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
    return _LEFTOVER.fullmatch(path.name) is not None


def leftovers(path: Path) -> list[Path]:
    """What writers of a path that were killed have left beside it."""
    return sorted(left for left in path.parent.glob(f".whalereid-{_digest(path.name)}.*") if is_leftover(left))


def sweep(folder: Path) -> None:
    """Remove what a killed run left half written in a folder that is ours alone."""
    for left in folder.glob(".whalereid-*"):
        if is_leftover(left):
            remove(left)


def _tidy(path: Path) -> None:
    """Remove what killed writers of this path left; a folder that one had moved aside comes back."""
    for left in leftovers(path):
        found = _LEFTOVER.fullmatch(left.name)
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


def claim_folder(path: str | os.PathLike[str], *, marker: str, option: str = "--out") -> list[Path]:
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
    list of Path
        The folders that had to be made, from above: whoever then fails to write anything gives them to
        `unmake_folders`.

    Raises
    ------
    WhalereidError
        It is a file, or holds something else; or it can't be made.
    """
    path = check_folder(path, marker=marker, option=option)
    with disk_errors(path):
        return make_folders(path)


def check_whole_folder(
    path: str | os.PathLike[str], *, marker: str, holds: Sequence[str], option: str = "--out"
) -> None:
    """Refuse a folder that would be replaced as a whole while something in it isn't ours.

    Parameters
    ----------
    path : path
        The folder wanted.
    marker : str
        Name of a file that tells an earlier one of ours.
    holds : sequence of str
        Patterns of the files in it that are ours, such as ``"queries/scenario*.csv"``.
    option : str
        The option to name in the error.
    """
    path = check_folder(path, marker=marker, option=option)
    with disk_errors(path):
        for found in sorted(path.rglob("*")) if path.is_dir() else []:
            name = found.relative_to(path)
            ours = any(len(name.parts) == one.count("/") + 1 and name.match(one) for one in (marker, *holds))
            if found.is_symlink() or not (ours or found.is_dir() or is_leftover(found)):
                raise WhalereidError(
                    f"{found}: isn't ours, and would be lost with the rest of {path}; move it, or choose a new folder."
                )


def check_folder(path: str | os.PathLike[str], *, marker: str, option: str = "--out") -> Path:
    """Refuse what `claim_folder` would refuse, and make nothing."""
    path = Path(path)
    with disk_errors(path):
        kind = mode_of(path)
        if kind is not None and not stat.S_ISDIR(kind):
            raise WhalereidError(
                f"{path}: is {'a file' if stat.S_ISREG(kind) else special(kind)}; {option} wants a folder."
            )
        entries = [] if kind is None or (path / marker).exists() else sorted(path.iterdir())
        held = [entry.name for entry in entries if not is_leftover(entry)]
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
