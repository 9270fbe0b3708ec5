"""Output folders: ours, new or empty; another's is refused."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from whalereid.errors import WhalereidError
from whalereid.files.disk import disk_errors, make_folders, mode_of, special
from whalereid.files.names import is_leftover

__all__ = ["check_folder", "check_whole_folder", "claim_folder"]


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
