"""Scenario files, in the layout of the competition "Where's Whale-do?": tasks as tables of ids.

https://www.drivendata.org/competitions/96/beluga-whales/
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from whalereid.candidates.task import Task
from whalereid.errors import WhalereidError
from whalereid.files import inside
from whalereid.tables import id_columns, read_table, write_table

__all__ = ["INDEX", "read_scenario", "read_scenarios", "write_scenarios"]

INDEX = "query_scenarios.csv"
"""Names the scenarios and the two files of each: ``scenario_id, queries_path, database_path``."""


class NamedPhotos(Protocol):
    """Photos by their ids, as a catalogue has them, and what errors call their table."""

    @property
    def image_ids(self) -> np.ndarray:
        """(N,) str objects, unique."""

    @property
    def source(self) -> str:
        """What errors call them."""


def read_scenarios(index: Path, photos: NamedPhotos | None = None) -> tuple[Task, ...]:
    """Read ``query_scenarios.csv``, and the files that it names.

    Parameters
    ----------
    index : path
        Has ``scenario_id, queries_path, database_path``, the paths relative to its folder. Queries have the columns
        ``query_id, query_image_id``, a database has ``database_image_id``; a database may be empty.
    photos : Catalogue, optional
        The photos that they may name; by default any.

    Raises
    ------
    WhalereidError
        A file or column is missing, a path leaves the folder, a photo is unknown, or something stands twice; the
        message names file and row.
    """
    rows = id_columns(read_table(index), "scenario_id", "queries_path", "database_path", where=str(index))
    _refuse_repeats(rows["scenario_id"], index)
    tasks = []
    for row, (name, *paths) in enumerate(rows.itertuples(index=False), start=1):
        queries, database = (inside(index.parent, path, where=f"{index}, row {row}") for path in paths)
        tasks.append(read_scenario(name, queries, database, photos))
    return tuple(tasks)


def read_scenario(
    name: str,
    queries_path: Path,
    database_path: Path,
    photos: NamedPhotos | None = None,
    *,
    drop_repeats: bool = False,
) -> Task:
    """Read one scenario from its two files; exact repeats of a row are refused, or dropped if asked."""
    queries = id_columns(read_table(queries_path), "query_id", "query_image_id", where=str(queries_path))
    database = id_columns(read_table(database_path), "database_image_id", where=str(database_path))
    if drop_repeats:
        queries, database = queries.drop_duplicates(), database.drop_duplicates()
    _refuse_repeats(queries["query_id"], queries_path)
    _refuse_repeats(database["database_image_id"], database_path)
    if photos is not None:
        _refuse_unknown(queries["query_image_id"], queries_path, photos)
        _refuse_unknown(database["database_image_id"], database_path, photos)
    ids, images = tuple(queries["query_id"]), tuple(queries["query_image_id"])
    return Task(name, ids, images, tuple(database["database_image_id"]))


def write_scenarios(tasks: Sequence[Task], folder: Path) -> None:
    """Write tasks as scenario files into an existing folder; their rules aren't in these files."""
    for part in ("queries", "databases"):
        (folder / part).mkdir(parents=True)
    index = []
    for number, task in enumerate(tasks, start=1):  # numbered: a task's name may not do as a file's
        queries, database = f"queries/scenario{number:02d}.csv", f"databases/scenario{number:02d}.csv"
        index.append({"scenario_id": task.name, "queries_path": queries, "database_path": database})
        pairs = pd.DataFrame({"query_id": task.query_ids, "query_image_id": task.query_images})
        write_table(pairs, folder / queries)
        write_table(pd.DataFrame({"database_image_id": task.database_images}, dtype="str"), folder / database)
    write_table(pd.DataFrame(index), folder / INDEX)


def _refuse_repeats(column: pd.Series, path: Path) -> None:
    again = column.index[column.duplicated()]
    if len(again):
        raise WhalereidError(
            f"{path}, row {again[0] + 1}, column {column.name}: {column[again[0]]!r} stands here a second time."
        )


def _refuse_unknown(column: pd.Series, path: Path, photos: NamedPhotos) -> None:
    unknown = column.index[~column.isin(photos.image_ids)]
    if len(unknown):
        raise WhalereidError(
            f"{path}, row {unknown[0] + 1}, column {column.name}: {column[unknown[0]]!r} is not in {photos.source} "
            f"({len(unknown)} of {len(column)} photos are not)."
        )
