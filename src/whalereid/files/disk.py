"""What the disk says no to, in words; folders made and removed as far as it lets us."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from whalereid.errors import WhalereidError

__all__ = ["disk_errors", "make_folders", "mode_of", "remove", "special", "unmake_folders"]

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
