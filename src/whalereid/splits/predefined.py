"""Fold tables: which fold tests which photo, kept as CSV, and a splitter that follows one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.outputs import FOLDS, check_output
from whalereid.splits.base import LEFT_OUT, ONLY_TRAINING, PhotoInfo, Splitter, needs_catalogue
from whalereid.tables import read_table, require_columns, require_filled, write_table
from whalereid.text import MISSING, id_column

__all__ = ["PredefinedFolds", "fold_table", "read_folds", "write_folds"]

COLUMNS = ["image_id", "fold"]
_HIGHEST = 2**31 - 1  # what any system's integers hold


def fold_table(splitter: Splitter, catalogue: Catalogue) -> pd.DataFrame:
    """Tell which fold tests each photo.

    Parameters
    ----------
    splitter : Splitter
        One of this library's.
    catalogue : Catalogue of N photos
        The photos.

    Returns
    -------
    DataFrame of shape (n <= N, 2)
        ``image_id`` and ``fold``, in the catalogue's order: folds count from 0, -1 is a photo that is only ever trained
        on. Photos that the splitter leaves out of both parts have no row.

    Raises
    ------
    WhalereidError
        The photos can't be split this way.

    Examples
    --------
    >>> from whalereid.splits import PhotoFolds
    >>> photos = Catalogue(pd.DataFrame({"image_id": list("abcd"), "path": list("abcd"), "identity": list("xxyy")}))
    >>> fold_table(PhotoFolds(2), photos)["fold"].tolist()
    [1, 0, 0, 1]
    """
    instance(splitter, "splitter", Splitter, "one of whalereid.splits, such as EncounterFolds(5)")
    needs_catalogue(catalogue)
    table = pd.DataFrame({"image_id": catalogue.image_ids, "fold": splitter.folds(catalogue)})
    return table[table["fold"] != LEFT_OUT].reset_index(drop=True)


def write_folds(table: pd.DataFrame, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a fold table as CSV (or Parquet, by the suffix), whole or not at all.

    Parameters
    ----------
    table : DataFrame
        ``image_id`` and ``fold``, as `fold_table` makes it; other columns stay behind.
    path : path
        The file; an earlier fold table there is replaced.
    force : bool, default=False
        Replace a file of another kind too.

    Raises
    ------
    WhalereidError
        The table isn't one of folds, a file is there that is none, the disk is full, or the place can't be written.
    """
    table = _checked(table, where="table")
    instance(path, "path", (str, os.PathLike), "the path of a file")
    instance(force, "force", bool, "True or False")
    path = Path(path)
    check_output(path, FOLDS, force=force)
    write_table(table, path)


def read_folds(path: str | os.PathLike[str], catalogue: Catalogue) -> pd.DataFrame:
    """Read a fold table and hold it against its catalogue.

    Parameters
    ----------
    path : path
        CSV or Parquet with ``image_id`` and ``fold``; other columns are ignored.
    catalogue : Catalogue
        The photos it is about. Those without a row, or with an empty fold, are in none.

    Returns
    -------
    DataFrame
        ``image_id`` (str) and ``fold`` (int64), in the file's order; without rows of empty fold.

    Raises
    ------
    WhalereidError
        No such file, a column is missing, a fold isn't a whole number from -1, an id is repeated or isn't in the
        catalogue, or no fold is tested.
    """
    needs_catalogue(catalogue)
    instance(path, "path", (str, os.PathLike), "the path of a file")
    path = Path(path)
    table = _checked(read_table(path), where=str(path))
    strange = table["image_id"][~table["image_id"].isin(catalogue.image_ids)]
    if len(strange):
        raise WhalereidError(
            f"{path}: {len(strange)} photos are not in {catalogue.source}: {listing(strange)}; "
            "are these the folds of another table?"
        )
    return table


def _checked(table: pd.DataFrame, *, where: str) -> pd.DataFrame:
    instance(table, where, pd.DataFrame, "a DataFrame of image_id and fold, as fold_table and read_folds make")
    require_columns(table, *COLUMNS, where=where, hint="a fold table has image_id and fold")
    image_id, given = id_column(table["image_id"], where=where), table["fold"].map(_scalar)
    there = table["fold"].notna() & ~given.isin(MISSING)
    number = pd.to_numeric(given.where(there), errors="coerce")
    require_filled(image_id, where=where)
    for row in np.flatnonzero(there & (~number.between(ONLY_TRAINING, _HIGHEST) | (number % 1 != 0))):
        raise WhalereidError(
            f"{where}, row {row + 1}: fold {table['fold'].iloc[row]!r} is none; folds count from 0, "
            "and -1 is for photos to train on only."
        )
    for row in np.flatnonzero(image_id.duplicated()):
        raise WhalereidError(
            f"{where}, row {row + 1}: image_id {image_id.iloc[row]!r} is repeated; one row a photo, please."
        )
    if not (number >= 0).any():
        raise WhalereidError(f"{where}: no photo is in a fold that is tested (0 or more).")
    folds = pd.DataFrame({"image_id": image_id, "fold": number}).dropna(ignore_index=True)
    return folds.astype({"fold": np.int64})


def _scalar(value: Any) -> Any:
    """The value; NaN for a list and the like, which pandas would stumble over, and for what has an imaginary part."""
    return value if pd.api.types.is_scalar(value) and not isinstance(value, complex) else np.nan


class PredefinedFolds(Splitter):
    """The folds of a table, such as one that was saved, or that someone published.

    Parameters
    ----------
    table : DataFrame
        ``image_id`` and ``fold``, as `fold_table` makes and `read_folds` reads it, or a catalogue's own. Folds keep
        their numbers.

    Raises
    ------
    WhalereidError
        The table isn't one of folds.

    Notes
    -----
    Photos that the table lacks, or whose fold is empty, are left out of both parts. Plain rows are taken to be the
    table's own, in its order.

    Examples
    --------
    >>> table = pd.DataFrame({"image_id": ["a", "b", "c"], "fold": [0, 1, -1]})
    >>> [(train.tolist(), test.tolist()) for train, test in PredefinedFolds(table).split(range(3))]
    [([1, 2], [0]), ([0, 2], [1])]
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = _checked(table, where="the fold table")

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many folds are tested; the arguments are scikit-learn's and not looked at."""
        return len(self._numbers(self.table["fold"].to_numpy()))

    def left_out(self, catalogue: Catalogue) -> np.ndarray:
        """Tell which photos of a catalogue the table has no fold for: they are in no part of any split.

        Returns
        -------
        ndarray of shape (n,), object
            Their image ids, in the catalogue's order.

        Examples
        --------
        >>> photos = Catalogue(pd.DataFrame({"image_id": list("abc"), "path": list("abc")}))
        >>> PredefinedFolds(pd.DataFrame({"image_id": ["a", "b"], "fold": [0, 1]})).left_out(photos).tolist()
        ['c']
        """
        image_ids = needs_catalogue(catalogue).image_ids
        return image_ids[self._rows_of(image_ids) < 0]

    def _rows_of(self, image_ids: np.ndarray) -> np.ndarray:
        """(n,) int64: the table's row of each photo; -1 where it has none."""
        return np.asarray(pd.Index(self.table["image_id"], dtype=object).get_indexer(image_ids), np.int64)

    def _numbers(self, folds: np.ndarray) -> list[int]:
        return [fold for fold in np.unique(self.table["fold"]).tolist() if fold >= 0]

    def _folds(self, info: PhotoInfo) -> np.ndarray:
        folds = self.table["fold"].to_numpy()
        if info.plain:
            if len(info) != len(folds):
                raise WhalereidError(
                    f"the fold table has {len(folds)} photos, {len(info)} rows were given; give a catalogue."
                )
        else:
            at = self._rows_of(info.names)
            folds = np.where(at >= 0, folds[at], LEFT_OUT)
        untested = np.setdiff1d(self._numbers(folds), folds).tolist()
        if untested:
            raise WhalereidError(f"{info.where}: has no photo of fold {listing(untested)} of the fold table.")
        return folds

    def __repr__(self) -> str:
        return f"PredefinedFolds({len(self.table)} photos, {self.get_n_splits()} folds)"
