"""The names in a folder, whatever their case: archives made elsewhere differ in it."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from whalereid.arguments import instance
from whalereid.errors import WhalereidError

__all__ = ["Folder", "given_folder"]


class Folder:
    """What lies in one folder, without hidden entries and what archivers leave behind.

    Parameters
    ----------
    path : Path
        An existing folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    @cached_property
    def _entries(self) -> tuple[list[Path], list[Path]]:
        folders, files = [], []
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name == "__MACOSX":
                        continue
                    with suppress(OSError):  # a link that leads around in a circle is neither
                        if entry.is_dir():
                            folders.append(self.path / entry.name)
                        elif entry.is_file():
                            files.append(self.path / entry.name)
        except OSError as error:
            raise WhalereidError(f"{self.path}: can't be read ({error.strerror}).") from error
        return sorted(folders), sorted(files)

    @property
    def folders(self) -> list[Path]:
        """The folders in it, sorted."""
        return self._entries[0]

    @property
    def files(self) -> list[Path]:
        """The files in it, sorted."""
        return self._entries[1]

    def folder(self, name: str) -> Path | None:
        """The folder of this name, in whatever case, or None."""
        return _named(name, self.folders)

    def file(self, *names: str) -> Path | None:
        """The file with the first of these names that is there, in whatever case, or None."""
        return next((found for name in names if (found := _named(name, self.files)) is not None), None)


def _named(name: str, entries: list[Path]) -> Path | None:
    same = [entry for entry in entries if entry.name.lower() == name.lower()]
    return next((entry for entry in same if entry.name == name), same[0] if same else None)


def given_folder(photos: str | os.PathLike[str]) -> Path:
    """The folder of the option ``photos``.

    Raises
    ------
    WhalereidError
        There is none.
    """
    instance(photos, "photos", (str, os.PathLike), "the folder of the photos")
    path = Path(photos)
    try:
        there = bool(str(photos)) and path.is_dir()
    except (OSError, ValueError):
        there = False
    if not there:
        raise WhalereidError(f"photos is {str(photos)!r:.300}: no such folder; give the one that holds the photos.")
    return path
