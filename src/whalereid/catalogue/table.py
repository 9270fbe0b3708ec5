"""Catalogue: the table of photos, thin and immutable, over a DataFrame and a root folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arguments import instance, texts, whole_number
from whalereid.candidates.task import Task, tasks_of
from whalereid.catalogue.choosing import equal_rows, positions
from whalereid.catalogue.dates import DATES, date_columns, notes_on_dates
from whalereid.catalogue.display import DATED, SHOWN, html_of
from whalereid.catalogue.import_file import root_noted
from whalereid.catalogue.readers import read
from whalereid.catalogue.readers.table import NAMES
from whalereid.catalogue.schema import normalise, refuse_repeats
from whalereid.catalogue.values import PhotoValues
from whalereid.errors import WhalereidError
from whalereid.outputs import CATALOGUE, check_output, is_same
from whalereid.tables import id_columns, read_table, write_table

__all__ = ["Catalogue"]

_IN_ORDER = (list, tuple, np.ndarray, pd.Series, pd.Index, pd.api.extensions.ExtensionArray)


class Catalogue(PhotoValues):
    """A table of photos: who, where and when.

    Parameters
    ----------
    frame : DataFrame of N rows
        Columns ``image_id`` and ``path``, and any of ``identity``, ``viewpoint``, ``encounter``, ``date``, ``bbox``,
        ``mask``, ``species``, ``location``, ``height``, ``width``; aliases are renamed, other columns kept.
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
        self._date_columns = date_columns(self._frame)

    @classmethod
    def read(cls, source: str | os.PathLike[str] | Any, layout: str | None = None) -> Catalogue:
        """Read a catalogue of any known layout.

        Parameters
        ----------
        source : path, or object with ``metadata`` and ``root``
            A table (``.csv``, ``.parquet``); a folder, which may lie in one more folder, as archives unpack; or a data
            set of the wildlife-datasets package.
        layout : str, optional
            The reader to use, one of ``whalereid.catalogue.LAYOUTS``, with its options as ``name:key=value,...``
            where it has any. By default the layout is recognised.

        Raises
        ------
        WhalereidError
            Nothing there, no layout fits, or the table can't be used; the message names file, row and column.
        """
        found = read(source, layout)
        catalogue = cls(found.frame, found.root, scenarios=found.scenarios, source=found.source, notes=found.notes)
        if not len(catalogue):
            raise WhalereidError(f"{catalogue.source}: the table is empty; it needs a row for each photo.")
        return catalogue

    @property
    def scenarios(self) -> tuple[Task, ...]:
        """The retrieval tasks that came with the table."""
        return self._scenarios

    @property
    def notes(self) -> tuple[str, ...]:
        """What was taken for what when the table was read, a sentence each, where that wasn't plain.

        Such as whether dates like 3/4/2017 have the day first, which the whole table tells.
        """
        return (*self._notes, *notes_on_dates(self._date_columns))

    def __getitem__(self, rows: slice | Sequence[int] | Sequence[bool] | np.ndarray | pd.Series) -> Catalogue:
        """Rows by position, mask or slice, as another catalogue with the same root; scenarios stay behind.

        Raises
        ------
        WhalereidError
            The rows are something else, such as one number; a mask isn't of length N; or a row isn't there, or is
            named twice.
        """
        # What is clean already need not be cleaned again.
        part = self._same(_frame=self._frame.iloc[positions(rows, len(self))].reset_index(drop=True), _scenarios=())
        refuse_repeats(part._frame["image_id"], where=self._source)
        return part

    def with_scenarios(self, scenarios: Sequence[Task]) -> Catalogue:
        """Return the same table with these retrieval tasks in place of its own."""
        return self._same(_scenarios=tasks_of(scenarios))

    def with_notes(self, notes: Sequence[str]) -> Catalogue:
        """Return the same table with further sentences on what was taken for what."""
        return self._same(_notes=(*self._notes, *texts(notes, "notes", "sentences")))

    def with_root(self, folder: str | os.PathLike[str]) -> Catalogue:
        """Return the same photos with paths that lead from another folder, as a table that is written there needs them.

        Raises
        ------
        WhalereidError
            The photos don't lie in it.
        """
        instance(folder, "folder", (str, os.PathLike), "the path of a folder")
        noted = root_noted(Path(folder) / NAMES[0])
        if noted is not None and is_same(noted, self._root):  # as its import.json says, which is heeded there
            return self
        way = Path(os.path.relpath(self._root.resolve(), Path(folder).resolve())).as_posix()
        if way.split("/")[0] == "..":
            raise WhalereidError(
                f"{folder}: the photos lie in {self._root}, which isn't inside; write the table there, or in a folder "
                "around it."
            )
        prefix = "" if way == "." else f"{way}/"
        return self._same(_root=Path(folder), _frame=self._frame.assign(path=prefix + self._frame["path"]))

    def _same(self, **replaced: Any) -> Catalogue:
        other = object.__new__(Catalogue)
        for name in ("_root", "_source", "_scenarios", "_notes", "_frame", "_date_columns"):
            setattr(other, name, replaced.get(name, getattr(self, name)))
        return other

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
        return self[equal_rows({name: self.column(name) for name in equal}, equal)] if equal else self[:]

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
            table = read_table(Path(table))
        table = table.assign(**id_columns(table, "image_id", where=where, hint="every row needs one"))
        if table["image_id"].duplicated().any():
            twice = table["image_id"][table["image_id"].duplicated()]
            raise WhalereidError(f"{where}: image_id {twice.iloc[0]!r} is repeated; one row a photo, please.")
        if len(self) and not self._frame["image_id"].isin(table["image_id"]).any():
            raise WhalereidError(f"{where}: has none of the photos of {self._source}; is it another data set's?")
        table = table.drop(columns="path", errors="ignore")  # the catalogue's own leads from its root to the photo
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

    def fill(self, **columns: Any) -> Catalogue:
        """Another catalogue with values where these columns have none; what is there stays, and no column is lost.

        Parameters
        ----------
        **columns
            N values each, in the order of rows, missing ones where nothing is known.

        Raises
        ------
        WhalereidError
            Values are of another number or kind, or can't be used in such a column.

        Examples
        --------
        >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], "date": ["2017-08-07", None]}))
        >>> photos.fill(date=["2020-01-01", "2020-01-01"]).column("date").tolist()
        ['2017-08-07', '2020-01-01']
        """
        filled = {}
        for name, values in columns.items():
            given = pd.Series(self._each(values, name), self._frame.index)
            if name in self._frame:
                there = self._frame[name]
                there = self._date_columns[name].write(there) if name in self._date_columns else there
                given = there.where(there.notna(), given)
            filled[name] = given
        return self.assign(**filled)

    def _each(self, value: Any, name: str) -> Any:
        """A scalar as it is, or N values in the order of rows, whatever index they came with."""
        if pd.api.types.is_scalar(value):
            return value
        instance(value, name, _IN_ORDER, f"a scalar, or {len(self)} values in the order of rows")
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
        instance(path, "path", (str, os.PathLike), "the path of a file")
        instance(force, "force", bool, "True or False")
        check_output(path, CATALOGUE, force=force)
        read_from = [Path(self._source), *(Path(self._source, name) for name in NAMES)]
        if not force and any(is_same(one, Path(path)) for one in read_from):
            raise WhalereidError(
                f"{path}: this catalogue was read from there; write it elsewhere, or over it with force=True."
            )
        write_table(self.written(), Path(path))

    def written(self) -> pd.DataFrame:
        """Return the table as it is written, (N, columns): year first where dates such as 3/4/2017 lost their order."""
        dates = {
            name: self._date_columns[name].write(self._frame[name]) for name in DATES if name in self._date_columns
        }
        return self._frame.assign(**dates)

    def _with(self, frame: pd.DataFrame, *, changed: set[str]) -> Catalogue:
        """Another table; of columns that didn't change, dates are read as before."""
        made = Catalogue(frame, self._root, scenarios=self._scenarios, source=self._source, notes=self._notes)
        made._date_columns |= {
            name: column
            for name, column in self._date_columns.items()
            if name in made._date_columns and name not in changed
        }
        return made

    def head(self, n: int = 5) -> Catalogue:
        """Return the first `n` photos.

        Raises
        ------
        WhalereidError
            `n` isn't a whole number from 0.
        """
        return self[: whole_number(n, "n", 0)]

    def to_frame(self) -> pd.DataFrame:
        """Return the table as a DataFrame, a copy: (N, columns), index 0..N-1."""
        return self.frame

    def __repr__(self) -> str:
        root = str(self._root)
        root = root if len(root) <= 60 else f"...{root[-57:]}"
        return f"Catalogue({len(self):,} photos, {self.n_identities:,} identities, root={root!r})"

    def _repr_html_(self) -> str:
        spread = np.linspace(0, max(len(self) - 1, 0), min(DATED, len(self))).astype(np.int64)
        return html_of(self, self.head(SHOWN), self[spread])
