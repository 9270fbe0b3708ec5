"""Lists of photos from files: which are looked for, and among which."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from whalereid.arguments import instance
from whalereid.errors import WhalereidError, listing
from whalereid.reading import MOST_TABLE_GB, read_text
from whalereid.tables import id_columns, read_table

__all__ = ["path_of", "read_database", "read_queries"]


def read_queries(path: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """Read which photos are looked for: a list (``.txt``), or a table (CSV, Parquet).

    Returns
    -------
    query_ids, query_images : list of str, length Q
        Columns ``query_id`` and ``query_image_id``, or ``image_id`` for both.

    Raises
    ------
    WhalereidError
        Nothing there, no such column, or an id is empty; the message names the row.
    """
    table = _read_ids(path_of(path, "path"), ("query_image_id", "image_id"))
    images = table["id"].tolist()
    return (table["query_id"].tolist() if "query_id" in table else images), images


def read_database(path: str | os.PathLike[str]) -> list[str]:
    """Read which photos are searched: a list (``.txt``), or a table with ``database_image_id`` or ``image_id``."""
    ids: list[str] = _read_ids(path_of(path, "path"), ("database_image_id", "image_id"))["id"].tolist()
    return ids


def _read_ids(path: Path, names: tuple[str, ...]) -> pd.DataFrame:
    """One row an id: column `id`, and `query_id` where the table has it."""
    if path.suffix == ".txt":
        named = [line.strip() for line in read_text(path, most_gb=MOST_TABLE_GB).splitlines() if line.strip()]
        if not named:
            raise WhalereidError(f"{path}: names no photo; give an image_id in each line.")
        return pd.DataFrame({"id": named}, dtype=object)
    table = read_table(path)
    name = next((n for n in names if n in table), None)
    if name is None:
        raise WhalereidError(
            f"{path}: no column {' or '.join(names)}; it has {listing(table.columns)}. A bare list of ids is a .txt."
        )
    if not len(table):
        raise WhalereidError(f"{path}: names no photo; give a row for each.")
    wanted = [name, "query_id"] if name == "query_image_id" and "query_id" in table else [name]
    return id_columns(table, *wanted, where=str(path)).astype(object).rename(columns={name: "id"})


def path_of(path: str | os.PathLike[str], name: str) -> Path:
    """Return the path of a file, or refuse what is none; the message calls it by this name."""
    instance(path, name, (str, os.PathLike), "the path of a file")
    return Path(path)
