"""Tables: CSV and Parquet files, and a folder that holds one called metadata."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from whalereid.arguments import instance
from whalereid.catalogue.import_file import IMPORT_FILE, root_noted
from whalereid.catalogue.readers.folder import Folder
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.errors import WhalereidError
from whalereid.outputs import is_same
from whalereid.tables import SUFFIXES, read_table

__all__ = ["NAMES", "Table", "given_folder"]

NAMES = ("metadata.csv", "metadata.parquet", "metadata.tsv")


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


class Table:
    """A table of photos, whose paths are relative to its folder, or to the one that its import.json names.

    Parameters
    ----------
    photos : path, optional
        The folder that paths are relative to, in place of either.
    """

    wanted = "it needs metadata.csv or metadata.parquet"

    def __init__(self, photos: str | None = None) -> None:
        self.photos = photos

    def recognises(self, source: Any) -> bool:
        """Whether it is a table, or a folder that holds one called metadata."""
        if isinstance(source, Folder):
            return source.file(*NAMES) is not None
        return isinstance(source, Path) and source.suffix.lower() in SUFFIXES

    def read(self, source: Folder | Path) -> FoundPhotos:
        """Read the table."""
        path = source.file(*NAMES) if isinstance(source, Folder) else source
        if path is None:
            raise WhalereidError(f"{source}: {self.wanted}.")
        root = path.parent
        notes: tuple[str, ...] = ()
        if self.photos is not None:
            root = given_folder(self.photos)
        elif (noted := root_noted(path)) is not None and not is_same(noted, root):
            root, notes = noted, (f"photos lie in {noted}, as {IMPORT_FILE} says",)
        return FoundPhotos(read_table(path), root, source=str(path), notes=notes)
