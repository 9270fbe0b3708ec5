"""Tables: CSV, Parquet and Excel files, and a folder that holds one called metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from whalereid.catalogue.import_file import IMPORT_FILE, root_noted
from whalereid.catalogue.readers.folder import Folder, given_folder
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.errors import WhalereidError
from whalereid.outputs import is_same
from whalereid.tables import SUFFIXES, read_table

__all__ = ["NAMES", "Table"]

NAMES = ("metadata.csv", "metadata.parquet", "metadata.tsv")


class Table:
    """A table of photos, whose paths are relative to its folder, or to the one that its import.json names.

    Parameters
    ----------
    photos : path, optional
        The folder that paths are relative to, in place of either.
    sheet : str, optional
        Of an Excel file, the sheet that is the table; by default the only one that holds anything.
    """

    wanted = "it needs metadata.csv or metadata.parquet"

    def __init__(self, photos: str | None = None, sheet: str | None = None) -> None:
        self.photos, self.sheet = photos, sheet

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
        return FoundPhotos(read_table(path, self.sheet), root, source=str(path), notes=notes)
