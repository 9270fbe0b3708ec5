"""Tables: CSV and Parquet files, and a folder that holds one called metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from whalereid.catalogue.readers.folder import Folder
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.errors import WhalereidError
from whalereid.tables import SUFFIXES, read_table

__all__ = ["NAMES", "Table"]

NAMES = ("metadata.csv", "metadata.parquet", "metadata.tsv")


class Table:
    """A table of photos, whose paths are relative to its folder."""

    wanted = "it needs metadata.csv or metadata.parquet"

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
        return FoundPhotos(read_table(path), path.parent, source=str(path))
