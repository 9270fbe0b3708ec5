"""One reader per layout, and the one that recognises which."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from whalereid.catalogue.table import Catalogue
from whalereid.errors import WhalereidError
from whalereid.files import replacing

__all__ = ["LAYOUTS", "read", "read_table", "write_table"]

LAYOUTS = ("table", "competition", "coco", "lila-test", "folders", "wildlife")


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or Parquet table, every CSV value as text."""
    if not path.is_file():
        raise WhalereidError(f"{path}: no such file.")
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, dtype=str)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV or Parquet by its suffix, whole or not at all."""
    with replacing(path) as beside:
        if path.suffix == ".parquet":
            frame.to_parquet(beside, index=False)
        else:
            frame.to_csv(beside, index=False)


def read(path: str | os.PathLike[str], layout: str | None = None) -> Catalogue:
    """Read a catalogue, recognising its layout."""
    path = Path(path)
    table = path / "metadata.csv" if path.is_dir() else path
    return Catalogue(read_table(table), table.parent, source=str(table))
