"""The folder of the competition "Where's Whale-do?": a table of photos, and scenarios to rank.

https://www.drivendata.org/competitions/96/beluga-whales/
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from whalereid.catalogue.readers import table
from whalereid.catalogue.readers.listing import Listing
from whalereid.catalogue.table import Catalogue, Scenario
from whalereid.errors import WhalereidError, listing
from whalereid.files import inside
from whalereid.text import id_column

__all__ = ["WANTED", "read", "read_scenario", "read_scenarios", "recognises"]

WANTED = "it needs metadata.csv and query_scenarios.csv"
_INDEX = "query_scenarios.csv"


def recognises(folder: Listing) -> bool:
    """Whether a folder holds a table called metadata, and scenarios."""
    return table.recognises(folder) and folder.file(_INDEX) is not None


def read(folder: Listing) -> Catalogue:
    """Read the table and its scenarios."""
    photos = table.read(folder)
    scenarios = read_scenarios(folder.path, photos)
    return photos.with_scenarios(scenarios)


def read_scenarios(folder: Path, photos: Catalogue) -> tuple[Scenario, ...]:
    """Read scenario files: ``query_scenarios.csv``, and what it names.

    Parameters
    ----------
    folder : Path
        Holds ``query_scenarios.csv`` (``scenario_id, queries_path, database_path``); the queries have the columns
        ``query_id, query_image_id``, a database has ``database_image_id``. A database may be empty.
    photos : Catalogue
        The photos that they may name.

    Raises
    ------
    WhalereidError
        A file or column is missing, a photo is unknown, or something stands twice; the message names file and row.
    """
    index = Listing(folder).file(_INDEX)
    if index is None:
        raise WhalereidError(f"{folder}: {_INDEX} is missing.")
    rows = _columns(index, "scenario_id", "queries_path", "database_path")
    _refuse_repeats(rows["scenario_id"], index)
    scenarios = []
    for row, (name, queries, database) in enumerate(rows.itertuples(index=False), start=1):
        files = [inside(folder, path, where=f"{index}, row {row}") for path in (queries, database)]
        scenarios.append(read_scenario(name, files[0], files[1], photos))
    return tuple(scenarios)


def read_scenario(
    name: str, queries_path: Path, database_path: Path, photos: Catalogue, *, drop_repeats: bool = False
) -> Scenario:
    """Read one scenario from its two files; exact repeats of a row are refused, or dropped if asked."""
    queries = _columns(queries_path, "query_id", "query_image_id")
    database = _columns(database_path, "database_image_id")
    if drop_repeats:
        queries, database = queries.drop_duplicates(), database.drop_duplicates()
    _refuse_repeats(queries["query_id"], queries_path)
    _refuse_repeats(database["database_image_id"], database_path)
    _refuse_unknown(queries["query_image_id"], queries_path, photos)
    _refuse_unknown(database["database_image_id"], database_path, photos)
    return Scenario(
        id=name,
        query_ids=tuple(queries["query_id"]),
        query_images=tuple(queries["query_image_id"]),
        database_images=tuple(database["database_image_id"]),
    )


def _columns(path: Path, *names: str) -> pd.DataFrame:
    """These columns of a table, all of them filled in."""
    frame = table.read_table(path)
    missing = [name for name in names if name not in frame]
    if missing:
        raise WhalereidError(f"{path}: no column {listing(missing)}; it has {listing(frame.columns, most=12)}.")
    for name in names:
        frame[name] = id_column(frame[name], where=str(path))
        empty = frame.index[frame[name].isna()]
        if len(empty):
            raise WhalereidError(f"{path}, row {empty[0] + 1}, column {name}: is empty.")
    return frame[list(names)]


def _refuse_repeats(column: pd.Series, path: Path) -> None:
    again = column.index[column.duplicated()]
    if len(again):
        raise WhalereidError(
            f"{path}, row {again[0] + 1}, column {column.name}: {column[again[0]]!r} stands here a second time."
        )


def _refuse_unknown(column: pd.Series, path: Path, photos: Catalogue) -> None:
    unknown = column.index[~column.isin(photos.image_ids)]
    if len(unknown):
        raise WhalereidError(
            f"{path}, row {unknown[0] + 1}, column {column.name}: {column[unknown[0]]!r} is not in {photos.source} "
            f"({len(unknown)} of {len(column)} photos are not)."
        )
