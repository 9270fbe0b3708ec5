"""What a table of photos holds: its columns, dates, identities and labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from whalereid.arguments import instance, texts
from whalereid.catalogue.dates import DATES, DateColumn, DateOrder, parse_dates
from whalereid.errors import WhalereidError, listing
from whalereid.files import inside

__all__ = ["PhotoValues"]


class PhotoValues:
    """Looks things up in a clean table of photos; `Catalogue` makes other tables of it."""

    _frame: pd.DataFrame
    _root: Path
    _source: str
    _date_columns: dict[str, DateColumn]

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
        if instance(name, "name", str, "the name of a column") not in self._frame:
            raise WhalereidError(f"{self._source}: no column {name!r}; it has {listing(self._frame.columns, most=20)}.")
        return self._frame[name].copy()

    def known(self, name: str) -> np.ndarray:
        """(N,) bool: where a column has a value; all False where the column is absent."""
        if instance(name, "name", str, "the name of a column") not in self._frame:
            return np.zeros(len(self), bool)
        return self._frame[name].notna().to_numpy(bool)

    def dates(self, column: str | None = None) -> np.ndarray:
        """When each photo was taken, (N,) datetime64[s]; NaT where that is unknown or can't be read.

        Parameters
        ----------
        column : str, optional
            The column to read. By default ``timestamp`` and, where that says nothing, ``date``.

        Notes
        -----
        Which number is the month in dates such as 3/4/2017 is what the whole table told when it was made: a part of it
        reads its dates the same way.

        See Also
        --------
        whalereid.catalogue.dates.parse_dates : What can be read.

        Examples
        --------
        >>> from whalereid import Catalogue
        >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], "date": ["2017-08-07", "?"]}))
        >>> photos.dates()
        array(['2017-08-07T00:00:00', 'NaT'], dtype='datetime64[s]')
        """
        if column is not None:
            known = self._date_columns.get(column) if isinstance(column, str) else None
            return parse_dates(self.column(column)) if known is None else known.parse(self._frame[column])
        dates = np.full(len(self), "NaT", "datetime64[s]")
        for name in DATES:
            if name in self._frame and np.isnat(dates).any():
                dates = np.where(np.isnat(dates), self.dates(name), dates)
        return dates

    def date_order(self, column: str) -> DateOrder:
        """Which of two numbers is the month in a column's dates such as 3/4/2017, as the whole table told it.

        Examples
        --------
        >>> from whalereid import Catalogue
        >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"],
        ...                                  "date": ["25/4/2017", "4/25/2017"]}))
        >>> photos.date_order("date").disagrees
        True
        """
        given = self.column(column)
        known = self._date_columns.get(column)
        return DateOrder.of(given.astype("str")) if known is None else known.order

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
        """(N,) int64: each photo's index in `identities` (by default this catalogue's own); -1 where not in it.

        Raises
        ------
        WhalereidError
            `identities` aren't text, or name one twice.
        """
        order = pd.Index(self.identities)
        if identities is not None:
            order = pd.Index(texts(identities, "identities", "names of identities"), dtype=object)
            if not order.is_unique:
                raise WhalereidError(
                    f"identities: {order[order.duplicated()][0]!r} stands there twice; name each once."
                )
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
            A photo is not in the table, or an id is no text.
        """
        wanted = texts(image_ids, "image_ids", "image ids, which are text")
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

    def __iter__(self) -> NoReturn:
        raise WhalereidError(
            "a Catalogue can't be gone through photo by photo; its .image_ids can, and so can the rows of its .frame."
        )
