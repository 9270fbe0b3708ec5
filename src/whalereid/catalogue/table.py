"""Catalogue: the table of photos, thin and immutable, over a DataFrame and a root folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whalereid.catalogue.dates import parse_dates
from whalereid.catalogue.schema import normalise, refuse_repeats
from whalereid.errors import WhalereidError, listing
from whalereid.files import inside

__all__ = ["Catalogue", "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """One retrieval task of a competition's folder: which photos are looked for among which.

    Attributes
    ----------
    id : str
        Such as ``scenario01``.
    query_ids : tuple of str, length Q
        What a ranking calls each query, such as ``scenario01-train2893``.
    query_images : tuple of str, length Q
        The query photo's ``image_id``.
    database_images : tuple of str, length D
        The ``image_id`` of every database photo.
    """

    id: str
    query_ids: tuple[str, ...]
    query_images: tuple[str, ...]
    database_images: tuple[str, ...]


class Catalogue:
    """A table of photos: who, where and when.

    Parameters
    ----------
    frame : DataFrame of N rows
        Columns ``image_id`` and ``path``, and any of ``identity``, ``viewpoint``, ``encounter``, ``date``, ``bbox``,
        ``species``, ``location``, ``height``, ``width``; aliases are renamed, other columns kept.
    root : path
        The folder that ``path`` is relative to.
    scenarios : sequence of Scenario
        Retrieval tasks that came with the table.
    source : str, optional
        What errors call this table; by default the root.
    notes : sequence of str
        What a reader took for what, for the commands to say.

    Raises
    ------
    WhalereidError
        A required column is missing or empty somewhere, or an ``image_id`` is repeated.

    Examples
    --------
    >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b", "c"], "path": ["a.jpg", "b.jpg", "c.jpg"],
    ...                                  "whale_id": ["nanuq", "nanuq", "____"]}), root="data")
    >>> photos.n_identities, photos.filter(identity="nanuq").image_ids.tolist()
    (1, ['a', 'b'])
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        root: str | os.PathLike[str] = ".",
        *,
        scenarios: Sequence[Scenario] = (),
        source: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self._root = Path(root)
        self._source = source if source is not None else str(root)
        self._frame = normalise(frame, where=self._source)
        self._scenarios = tuple(scenarios)
        self._notes = tuple(notes)

    @classmethod
    def read(cls, source: str | os.PathLike[str] | Any, layout: str | None = None) -> Catalogue:
        """Read a catalogue of any known layout.

        Parameters
        ----------
        source : path, or object with ``metadata`` and ``root``
            A table (``.csv``, ``.parquet``); a folder, which may lie in one more folder, as archives unpack; or a data
            set of the wildlife-datasets package.
        layout : str, optional
            Force a reader; one of ``whalereid.catalogue.LAYOUTS``. By default the layout is recognised.

        Raises
        ------
        WhalereidError
            Nothing there, no layout fits, or the table can't be used; the message names file, row and column.
        """
        from whalereid.catalogue.readers import read

        return read(source, layout)

    @property
    def frame(self) -> pd.DataFrame:
        """The table itself, a copy: (N, columns), index 0..N-1."""
        return self._frame.copy()

    @property
    def root(self) -> Path:
        """The folder that paths are relative to."""
        return self._root

    @property
    def source(self) -> str:
        """What errors call this table."""
        return self._source

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The retrieval tasks that came with the table."""
        return self._scenarios

    @property
    def notes(self) -> tuple[str, ...]:
        """What was taken for what when the table was read, a sentence each, where that wasn't plain."""
        return self._notes

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._frame.columns)

    @cached_property
    def image_ids(self) -> np.ndarray:
        """(N,) str objects, unique; read only."""
        image_ids = np.array(self._frame["image_id"], dtype=object)
        image_ids.flags.writeable = False
        return image_ids

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """Where each photo lies, N paths below the root.

        Raises
        ------
        WhalereidError
            A path leaves the root; the message names the photo.
        """
        rows = zip(self._frame["image_id"], self._frame["path"], strict=True)
        return tuple(inside(self._root, path, where=f"{self._source}, photo {photo!r}") for photo, path in rows)

    def column(self, name: str) -> pd.Series:
        """One column, (N,), missing values as NaN.

        Raises
        ------
        WhalereidError
            There is no such column; the message lists those there are.
        """
        if name not in self._frame:
            raise WhalereidError(f"{self._source}: no column {name!r}; it has {listing(self._frame.columns, most=20)}.")
        return self._frame[name].copy()

    def known(self, name: str) -> np.ndarray:
        """(N,) bool: where a column has a value; all False where the column is absent."""
        if name not in self._frame:
            return np.zeros(len(self), bool)
        return self._frame[name].notna().to_numpy(bool)

    def dates(self, column: str | None = None) -> np.ndarray:
        """When each photo was taken, (N,) datetime64[s]; NaT where that is unknown or can't be read.

        Parameters
        ----------
        column : str, optional
            The column to read. By default ``timestamp`` and, where that says nothing, ``date``.

        See Also
        --------
        whalereid.catalogue.dates.parse_dates : What can be read.

        Examples
        --------
        >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], "date": ["2017-08-07", "?"]}))
        >>> photos.dates()
        array(['2017-08-07T00:00:00', 'NaT'], dtype='datetime64[s]')
        """
        if column is not None:
            return parse_dates(self.column(column))
        dates = np.full(len(self), "NaT", "datetime64[s]")
        for name in ("timestamp", "date"):
            if name in self._frame:
                dates = np.where(np.isnat(dates), parse_dates(self._frame[name]), dates)
        return dates

    @cached_property
    def identities(self) -> tuple[str, ...]:
        """The known identities, sorted."""
        if "identity" not in self._frame:
            return ()
        return tuple(sorted(self._frame["identity"].dropna().unique()))

    @property
    def n_identities(self) -> int:
        """How many identities are known here."""
        return len(self.identities)

    def labels(self, identities: Sequence[str] | None = None) -> np.ndarray:
        """(N,) int64: each photo's index in `identities` (by default this catalogue's own); -1 where not in it."""
        order = pd.Index(self.identities if identities is None else identities)
        if "identity" not in self._frame:
            return np.full(len(self), -1, np.int64)
        return np.asarray(order.get_indexer(pd.Index(self._frame["identity"])), np.int64)

    def counts(self, column: str) -> pd.Series:
        """Photos per value of a column, most frequent first, ties by name; missing values are left out."""
        counted = self.column(column).dropna().value_counts()
        return counted.sort_index().sort_values(ascending=False, kind="stable")

    def rows(self, image_ids: Iterable[str]) -> np.ndarray:
        """(n,) int64: the row of each photo.

        Raises
        ------
        WhalereidError
            A photo is not in the table.
        """
        wanted = list(image_ids)
        found = np.asarray(self._index.get_indexer(pd.Index(wanted, dtype=object)), np.int64)
        absent = [image_id for image_id, row in zip(wanted, found, strict=True) if row < 0]
        if absent:
            raise WhalereidError(f"{self._source}: {len(absent)} photos are not in the table: {listing(absent)}.")
        return found

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self.image_ids, dtype=object)

    def __len__(self) -> int:
        return len(self._frame)

    def __getitem__(self, rows: slice | Sequence[int] | Sequence[bool] | np.ndarray | pd.Series) -> Catalogue:
        """Rows by position, mask or slice, as another catalogue with the same root; scenarios stay behind."""
        if not isinstance(rows, slice):
            rows = np.asarray(rows)
            if rows.size == 0:
                rows = rows.astype(np.int64)
        part = object.__new__(Catalogue)  # what is clean already need not be cleaned again
        part._root, part._source, part._scenarios, part._notes = self._root, self._source, (), self._notes
        part._frame = self._frame.iloc[rows].reset_index(drop=True)
        refuse_repeats(part._frame["image_id"], where=self._source)
        return part

    def subset(self, image_ids: Iterable[str]) -> Catalogue:
        """Return the photos of these ids, in this order."""
        return self[self.rows(image_ids)]

    def filter(self, **equal: Any) -> Catalogue:
        """Return the photos whose columns equal the given values; a list, tuple or set means any of them.

        Examples
        --------
        >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], "view": ["up", "left"]}))
        >>> photos.filter(viewpoint=["left", "right"]).image_ids.tolist()
        ['b']
        """
        keep = np.ones(len(self), bool)
        for name, value in equal.items():
            wanted = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
            keep &= self.column(name).isin(wanted).to_numpy(bool)
        return self[keep]

    def join(self, table: pd.DataFrame | str | os.PathLike[str]) -> Catalogue:
        """Add another table's columns by ``image_id``, such as the folds; photos it lacks get missing values.

        Parameters
        ----------
        table : DataFrame or path to a CSV
            Has ``image_id``, at most one row a photo; its columns replace those of the same name, but for ``path``.

        Raises
        ------
        WhalereidError
            No ``image_id`` there, an id repeated, or not one photo in common.
        """
        where = "the joined table"
        if not isinstance(table, pd.DataFrame):
            where = str(table)
            from whalereid.catalogue.readers import read_table

            table = read_table(Path(table))
        if "image_id" not in table:
            raise WhalereidError(f"{where}: no column image_id to join by; it has {listing(table.columns, most=12)}.")
        table = table.assign(image_id=table["image_id"].astype("str"))
        if table["image_id"].duplicated().any():
            twice = table["image_id"][table["image_id"].duplicated()]
            raise WhalereidError(f"{where}: image_id {twice.iloc[0]!r} is repeated; one row a photo, please.")
        if len(self) and not self._frame["image_id"].isin(table["image_id"]).any():
            raise WhalereidError(f"{where}: has none of the photos of {self._source}; is it another data set's?")
        table = table.drop(columns="path", errors="ignore")  # ours leads from our root to the photo
        kept = [name for name in self._frame if name == "image_id" or name not in table]
        return self._with(self._frame[kept].merge(table, on="image_id", how="left"), scenarios=self._scenarios)

    def assign(self, **columns: Any) -> Catalogue:
        """Another catalogue with columns added or replaced, each a scalar or N values."""
        return self._with(self._frame.assign(**columns), scenarios=self._scenarios)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the table as CSV or Parquet by its suffix, whole or not at all; `path` stays relative to the root."""
        from whalereid.catalogue.readers import write_table

        write_table(self._frame, Path(path))

    def _with(self, frame: pd.DataFrame, *, scenarios: Sequence[Scenario]) -> Catalogue:
        return Catalogue(frame, self._root, scenarios=scenarios, source=self._source, notes=self._notes)

    def __repr__(self) -> str:
        return f"Catalogue({len(self)} photos, {self.n_identities} identities, root={str(self._root)!r})"
