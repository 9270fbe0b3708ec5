"""Catalogue: the table of photos, thin and immutable, over a DataFrame and a root folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from whalereid.arguments import instance, texts
from whalereid.candidates.task import Task, tasks_of
from whalereid.catalogue.dates import DateColumn, DateOrder, parse_dates
from whalereid.catalogue.schema import KNOWN, normalise, normalise_viewpoint, refuse_repeats
from whalereid.errors import WhalereidError, listing
from whalereid.files import inside
from whalereid.outputs import CATALOGUE, check_output, is_same
from whalereid.text import id_column

__all__ = ["Catalogue"]

_SEVERAL_IN_ORDER = (list, tuple, np.ndarray, pd.Series, pd.Index, pd.api.extensions.ExtensionArray)
_SEVERAL = (*_SEVERAL_IN_ORDER, set, frozenset)
_DATES = ("timestamp", "date")


class Catalogue:
    """A table of photos: who, where and when.

    Parameters
    ----------
    frame : DataFrame of N rows
        Columns ``image_id`` and ``path``, and any of ``identity``, ``viewpoint``, ``encounter``, ``date``, ``bbox``,
        ``species``, ``location``, ``height``, ``width``; aliases are renamed, other columns kept.
    root : path
        The folder that ``path`` is relative to.
    scenarios : sequence of Task
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
        scenarios: Sequence[Task] = (),
        source: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        frame = instance(frame, "frame", pd.DataFrame, "a DataFrame (Catalogue.read(path) reads a file)")
        instance(root, "root", (str, os.PathLike), "the path of a folder")
        self._root = Path(root)
        self._source = str(root) if source is None else instance(source, "source", str, "text")
        self._frame = normalise(frame, where=self._source)
        self._scenarios = tasks_of(scenarios)
        self._notes = texts(notes, "notes", "sentences")
        self._date_columns = {
            name: DateColumn(self._frame[name])
            for name in self._frame
            if (name in _DATES or name not in KNOWN) and isinstance(self._frame[name].dtype, pd.StringDtype)
        }

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
    def scenarios(self) -> tuple[Task, ...]:
        """The retrieval tasks that came with the table."""
        return self._scenarios

    @property
    def notes(self) -> tuple[str, ...]:
        """What was taken for what when the table was read, a sentence each, where that wasn't plain.

        Such as whether dates like 3/4/2017 have the day first, which the whole table tells.
        """
        said: dict[str, str] = {}
        for name in reversed(_DATES):
            note = self._date_columns[name].order.note(name) if name in self._date_columns else None
            if note is not None:
                said.setdefault(note.removeprefix(f"column {name}"), note)  # a timestamp alone is the date, too
        return (*self._notes, *said.values())

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
        >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], "date": ["2017-08-07", "?"]}))
        >>> photos.dates()
        array(['2017-08-07T00:00:00', 'NaT'], dtype='datetime64[s]')
        """
        if column is not None:
            known = self._date_columns.get(column) if isinstance(column, str) else None
            return parse_dates(self.column(column)) if known is None else known.parse(self._frame[column])
        dates = np.full(len(self), "NaT", "datetime64[s]")
        for name in _DATES:
            if name in self._frame and np.isnat(dates).any():
                dates = np.where(np.isnat(dates), self.dates(name), dates)
        return dates

    def date_order(self, column: str) -> DateOrder:
        """Which of two numbers is the month in a column's dates such as 3/4/2017, as the whole table told it.

        Examples
        --------
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

    def __getitem__(self, rows: slice | Sequence[int] | Sequence[bool] | np.ndarray | pd.Series) -> Catalogue:
        """Rows by position, mask or slice, as another catalogue with the same root; scenarios stay behind.

        Raises
        ------
        WhalereidError
            The rows are something else, such as one number; a mask isn't of length N; or a row isn't there, or is
            named twice.
        """
        part = object.__new__(Catalogue)  # what is clean already need not be cleaned again
        part._root, part._source, part._scenarios, part._notes = self._root, self._source, (), self._notes
        part._frame = self._frame.iloc[_positions(rows, len(self))].reset_index(drop=True)
        part._date_columns = self._date_columns
        refuse_repeats(part._frame["image_id"], where=self._source)
        return part

    def with_scenarios(self, scenarios: Sequence[Task]) -> Catalogue:
        """Return the same table with these retrieval tasks in place of its own."""
        other = object.__new__(Catalogue)
        other._root, other._source, other._notes = self._root, self._source, self._notes
        other._frame, other._date_columns = self._frame, self._date_columns
        other._scenarios = tasks_of(scenarios)
        return other

    def __iter__(self) -> NoReturn:
        raise WhalereidError(
            "a Catalogue can't be gone through photo by photo; its .image_ids can, and so can the rows of its .frame."
        )

    def subset(self, image_ids: Iterable[str]) -> Catalogue:
        """Return the photos of these ids, in this order."""
        return self[self.rows(image_ids)]

    def filter(self, **equal: Any) -> Catalogue:
        """Return the photos whose columns equal the given values; several values mean any of them.

        Viewpoints are looked for as catalogues write them: ``up`` finds ``top``, ``Left`` finds ``left``.

        Raises
        ------
        WhalereidError
            There is no such column, or a value isn't of its kind: text for text, a number for numbers.

        Examples
        --------
        >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], "view": ["up", "left"]}))
        >>> photos.filter(viewpoint=["left", "right"]).image_ids.tolist()
        ['b']
        """
        keep = np.ones(len(self), bool)
        for name, value in equal.items():
            several = isinstance(value, _SEVERAL) and getattr(value, "ndim", 1) > 0
            wanted = list(value) if several else [value]
            column = self.column(name)
            kind, words = _kind(column)
            for each in wanted:
                instance(each, name, kind, f"{words}, which the column holds (known({name!r}) tells where)")
            if name == "viewpoint":
                wanted = [normalise_viewpoint(view) for view in wanted]
            keep &= column.isin(wanted).to_numpy(bool)
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
            No ``image_id`` there, an id repeated, or not one photo in common; or it is no table.
        """
        where = "the joined table"
        instance(table, "table", (pd.DataFrame, str, os.PathLike), "a DataFrame, or the path of a table")
        if not isinstance(table, pd.DataFrame):
            where = str(table)
            from whalereid.tables import read_table

            table = read_table(Path(table))
        if "image_id" not in table:
            raise WhalereidError(f"{where}: no column image_id to join by; it has {listing(table.columns, most=12)}.")
        if not table.columns.is_unique:
            named_twice = listing(table.columns[table.columns.duplicated()])
            raise WhalereidError(f"{where}: two columns are called {named_twice}; rename or remove one.")
        table = table.assign(image_id=id_column(table["image_id"], where=where))
        if table["image_id"].isna().any():
            row = int(table["image_id"].isna().to_numpy().argmax()) + 1
            raise WhalereidError(f"{where}, row {row}: image_id is empty; every row needs one.")
        if table["image_id"].duplicated().any():
            twice = table["image_id"][table["image_id"].duplicated()]
            raise WhalereidError(f"{where}: image_id {twice.iloc[0]!r} is repeated; one row a photo, please.")
        if len(self) and not self._frame["image_id"].isin(table["image_id"]).any():
            raise WhalereidError(f"{where}: has none of the photos of {self._source}; is it another data set's?")
        table = table.drop(columns="path", errors="ignore")  # ours leads from our root to the photo
        kept = [name for name in self._frame if name == "image_id" or name not in table]
        return self._with(self._frame[kept].merge(table, on="image_id", how="left"), changed=set(map(str, table)))

    def assign(self, **columns: Any) -> Catalogue:
        """Another catalogue with columns added or replaced, each a scalar or N values in the order of rows.

        Raises
        ------
        WhalereidError
            Values are of another number or kind, or can't be used in such a column.
        """
        values = {name: self._each(value, name) for name, value in columns.items()}
        return self._with(self._frame.assign(**values), changed=set(values))

    def _each(self, value: Any, name: str) -> Any:
        """A scalar as it is, or N values in the order of rows, whatever index they came with."""
        if pd.api.types.is_scalar(value):
            return value
        instance(value, name, _SEVERAL_IN_ORDER, f"a scalar, or {len(self)} values in the order of rows")
        if getattr(value, "ndim", 1) != 1:
            raise WhalereidError(f"{name} has {value.ndim} dimensions; give a scalar, or {len(self)} values.")
        if len(value) != len(self):
            raise WhalereidError(f"{name} has {len(value)} values for {len(self)} photos; give one a photo.")
        return value.reset_index(drop=True) if isinstance(value, pd.Series) else value

    def write(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the table, whole or not at all; its column ``path`` stays relative to the root.

        A date such as 3/4/2017 is written year first where the rows that show its order aren't in the table any more.

        Parameters
        ----------
        path : path
            Ends in ``.csv`` or ``.parquet``. An earlier table of ``image_id`` and ``path`` there is replaced.
        force : bool, default=False
            Replace a file of another kind, or the one that this catalogue was read from, too.

        Raises
        ------
        WhalereidError
            Another suffix, something else is there, or the place can't be written.
        """
        from whalereid.catalogue.readers.table import NAMES
        from whalereid.tables import write_table

        instance(path, "path", (str, os.PathLike), "the path of a file")
        instance(force, "force", bool, "True or False")
        check_output(path, CATALOGUE, force=force)
        read_from = [Path(self._source), *(Path(self._source, name) for name in NAMES)]
        if not force and any(is_same(one, Path(path)) for one in read_from):
            raise WhalereidError(
                f"{path}: this catalogue was read from there; write it elsewhere, or over it with force=True."
            )
        dates = {
            name: self._date_columns[name].write(self._frame[name]) for name in _DATES if name in self._date_columns
        }
        write_table(self._frame.assign(**dates), Path(path))

    def _with(self, frame: pd.DataFrame, *, changed: set[str]) -> Catalogue:
        """Another table; of columns that didn't change, dates are read as before."""
        made = Catalogue(frame, self._root, scenarios=self._scenarios, source=self._source, notes=self._notes)
        made._date_columns |= {
            name: column
            for name, column in self._date_columns.items()
            if name in made._date_columns and name not in changed
        }
        return made

    def __repr__(self) -> str:
        return f"Catalogue({len(self)} photos, {self.n_identities} identities, root={str(self._root)!r})"


def _positions(rows: Any, n: int) -> slice | np.ndarray:
    """Rows by position, mask or slice as pandas takes them; what is none of these is refused."""
    if isinstance(rows, slice):
        if all(part is None or isinstance(part, Integral) for part in (rows.start, rows.stop, rows.step)):
            if rows.step != 0:
                return rows
            raise WhalereidError("rows: a slice's step can't be 0.")
        raise WhalereidError(
            f"rows: {rows!r:.80} isn't a slice of whole numbers; catalogue[:10] is the first ten photos."
        )
    if isinstance(rows, str):
        raise WhalereidError(
            f"rows: {rows!r:.80} is text; catalogue.column({rows!r:.80}) is a column, subset takes ids."
        )
    if isinstance(rows, Integral):
        raise WhalereidError(f"rows are slices, masks or lists; catalogue[[{rows}]] is the catalogue of one photo.")
    wanted = "rows are slices, masks or lists of whole numbers"
    try:
        found = np.asarray(rows)
    except (ValueError, TypeError) as error:  # lists of lists of unequal lengths
        raise WhalereidError(f"{wanted}, not a {type(rows).__name__} of several lengths.") from error
    if found.ndim != 1:
        raise WhalereidError(f"{wanted}, not a {type(rows).__name__} of {found.ndim} dimensions.")
    if found.size == 0 and found.dtype != bool:
        return found.astype(np.int64)
    if found.dtype == object and pd.api.types.infer_dtype(found, skipna=False) in ("boolean", "integer"):
        found = np.array(found.tolist())
    if found.dtype == bool:
        if len(found) != n:
            raise WhalereidError(f"rows: the mask has {len(found)} values for {n} photos; give one a photo.")
        return found
    if found.dtype.kind not in "iu":
        raise WhalereidError(f"{wanted}, not values such as {found.tolist()[0]!r:.60}; a mask is True or False.")
    beyond = found[(found >= n) | (found < -n)]
    if len(beyond):
        raise WhalereidError(f"rows: there is no row {listing(beyond)}; the catalogue has {n} photos, counted from 0.")
    return found


def _kind(column: pd.Series) -> tuple[type | tuple[type, ...], str]:
    """What a value of a column is, and in words."""
    if isinstance(column.dtype, pd.StringDtype):
        return str, "text"
    if pd.api.types.is_numeric_dtype(column.dtype):
        return (Real, np.bool_), "a number"
    return object, "a value"
