"""Catalogues as plain tables: CSV and Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from whalereid.catalogue.table import Catalogue
from whalereid.outputs import CATALOGUE, Kind
from whalereid.tables import write_table

__all__ = ["Csv", "Parquet"]


class Csv:
    """A CSV file in UTF-8, columns between commas, as `Catalogue.write` writes it."""

    kinds: ClassVar[Mapping[str, Kind]] = {"": replace(CATALOGUE, suffixes=(".csv",))}

    def write(self, catalogue: Catalogue, files: Mapping[str, Path], out: Path) -> Sequence[str]:
        """Write the table; its paths are relative to the catalogue's root."""
        write_table(catalogue.written(), files[""])
        return where_photos_are(catalogue, out)


class Parquet(Csv):
    """A Parquet file, as `Catalogue.write` writes it."""

    kinds: ClassVar[Mapping[str, Kind]] = {"": replace(CATALOGUE, suffixes=(".parquet",))}


def where_photos_are(catalogue: Catalogue, out: Path) -> list[str]:
    """Say where the paths of a table lead from, unless that is its own folder."""
    if out.parent.resolve() == catalogue.root.resolve():
        return []
    return [f"paths are relative to {catalogue.root}, not to the table's folder"]
