"""Labels: which database photos are relevant to which query, in every form that people keep them in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.ranking import Task

__all__ = ["Labels", "LabelsLike"]

_BLOCK = 5_000_000  # pairs judged at once
_MOST = 200_000_000  # pairs held, at 16 bytes each
COLUMNS = ("query_id", "database_image_id")


class Labels:
    """Which database photos are relevant to which query: a set of (query, photo) pairs.

    Kept as integer codes into two lists of ids, so that scoring is array work. A query without a relevant photo has no
    pair. Repeated pairs are one.

    Parameters
    ----------
    query_ids : sequence of str, length P
        The query of each pair.
    image_ids : sequence of str, length P
        The relevant database photo of each pair.

    Attributes
    ----------
    query_ids : ndarray of shape (Q,), str objects
        Every query that has a relevant photo, in order of first mention.
    image_ids : ndarray of shape (D,), str objects
        Every photo that is relevant to some query.
    query, image : ndarray of shape (P,), int64
        The pairs, each once: positions in `query_ids` and in `image_ids`.

    Examples
    --------
    >>> labels = Labels.of({"q": {"a"}, "r": {"a", "b"}, "s": set()})
    >>> len(labels), labels.query_ids.tolist(), labels.counts.tolist()
    (3, ['q', 'r'], [1, 2])
    """

    query_ids: np.ndarray
    image_ids: np.ndarray
    query: np.ndarray
    image: np.ndarray

    def __init__(self, query_ids: Sequence[str] | np.ndarray | pd.Series, image_ids: Any) -> None:
        if len(query_ids) != len(image_ids):
            raise WhalereidError(f"labels: {len(query_ids)} query ids but {len(image_ids)} photos; give pairs.")
        query, names = pd.factorize(pd.Series(query_ids).astype("str"))
        image, photos = pd.factorize(pd.Series(image_ids).astype("str"))
        pairs = pd.unique(query.astype(np.int64) * max(len(photos), 1) + image)
        self._set(names, photos, *np.divmod(pairs, max(len(photos), 1)))

    @classmethod
    def from_codes(cls, query_ids: Any, image_ids: Any, query: np.ndarray, image: np.ndarray) -> Labels:
        """Build from unique ids and (P,) codes into them, each pair once; ids that no pair uses are dropped."""
        labels = cls.__new__(cls)
        (used, query), (seen, image) = _used(len(query_ids), query), _used(len(image_ids), image)
        labels._set(np.asarray(query_ids, object)[used], np.asarray(image_ids, object)[seen], query, image)
        return labels

    def _set(self, query_ids: Any, image_ids: Any, query: np.ndarray, image: np.ndarray) -> None:
        self.query_ids = np.asarray(query_ids, dtype=object)
        self.image_ids = np.asarray(image_ids, dtype=object)
        self.query, self.image = np.asarray(query, np.int64), np.asarray(image, np.int64)
        for array in (self.query_ids, self.image_ids, self.query, self.image):
            array.flags.writeable = False

    @classmethod
    def of(cls, labels: LabelsLike, query_ids: Sequence[str] | np.ndarray | None = None) -> Labels:
        """Read labels in any form.

        Parameters
        ----------
        labels : Labels, mapping, DataFrame, path or sequence of sets
            A mapping from query id to its relevant photos' ids; a table, or a CSV or Parquet file, of ``query_id`` and
            ``database_image_id``, one row a relevant photo; or one set of ids a query, in the order of `query_ids`.
        query_ids : sequence of str, optional
            The queries that a sequence of sets belongs to.

        Raises
        ------
        WhalereidError
            A column is missing, an id is empty, or a sequence's length isn't that of `query_ids`; names file and row.
        """
        if isinstance(labels, Labels):
            return labels
        if isinstance(labels, str | os.PathLike):
            return cls.read(labels)
        if isinstance(labels, pd.DataFrame):
            return cls.from_frame(labels)
        if isinstance(labels, Mapping):
            return cls._from_sets(list(labels), list(labels.values()))
        sets = list(labels)
        if query_ids is None:
            raise WhalereidError("labels: a list of sets needs its queries; give a mapping from query id to set.")
        if len(sets) != len(query_ids):
            raise WhalereidError(
                f"labels: {len(sets)} sets for {len(query_ids)} queries; give one set a query, in the ranking's order."
            )
        return cls._from_sets(list(query_ids), sets)

    @classmethod
    def _from_sets(cls, query_ids: list[str], sets: list[Iterable[str]]) -> Labels:
        for query_id, images in zip(query_ids, sets, strict=True):
            if isinstance(images, str) or not isinstance(images, Iterable):
                raise WhalereidError(f"labels of query {query_id!r}: {images!r} isn't a set of image ids.")
        held = [list(images) for images in sets]
        owners = np.repeat(np.array([str(q) for q in query_ids], dtype=object), [len(images) for images in held])
        return cls(owners, np.array([str(i) for i in chain.from_iterable(held)], dtype=object))

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, where: str = "labels") -> Labels:
        """Build from a table of ``query_id`` and ``database_image_id``, one row a relevant photo.

        Raises
        ------
        WhalereidError
            A column is missing or an id is empty; names the row.
        """
        absent = [name for name in COLUMNS if name not in frame]
        if absent:
            raise WhalereidError(f"{where}: no column {listing(absent)}; it has {listing(frame.columns, most=12)}.")
        for name in COLUMNS:
            empty = np.flatnonzero(frame[name].isna())
            if len(empty):
                raise WhalereidError(
                    f"{where}, row {empty[0] + 1}: {name} is empty; a query without a relevant photo has no row."
                )
        return cls(frame["query_id"], frame["database_image_id"])

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Labels:
        """Read a CSV or Parquet file of ``query_id`` and ``database_image_id``.

        Raises
        ------
        WhalereidError
            Nothing there, not readable, or its content is refused; names file, row and column.
        """
        from whalereid.catalogue.readers import read_table

        return cls.from_frame(read_table(Path(path)), where=str(path))

    @classmethod
    def implied(cls, catalogue: Catalogue, tasks: Sequence[Task]) -> Labels:
        """Work out labels: a query's relevant photos are those of its identity among its candidates.

        Parameters
        ----------
        catalogue : Catalogue
            Has every photo of the tasks, and identities. A photo of unknown identity is relevant to nobody, and as a
            query has no relevant photo.
        tasks : sequence of Task
            Who is looked for among whom, by which rules.

        Raises
        ------
        WhalereidError
            No identity is known, or a photo or a column of the rules is absent.
        """
        names = catalogue.identities
        if not names:
            raise WhalereidError(
                f"{catalogue.source}: no photo has a known identity, so nothing says which matches are right; "
                "fill the column identity, or give labels."
            )
        query, image = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        first = 0
        for task in tasks:
            queries, database = catalogue.subset(task.query_images), catalogue.subset(task.database_images)
            allowed = task.rules.mask(queries, database)
            rows = catalogue.rows(task.database_images)
            whose, held = queries.labels(names), database.labels(names)
            _refuse_crowds(catalogue, whose, held)
            for ours, theirs in _same(whose, held):
                kept = allowed.pairs(ours, theirs)
                query.append(first + ours[kept])
                image.append(rows[theirs[kept]])
            first += len(queries)
        query_ids = [query_id for task in tasks for query_id in task.query_ids]
        return cls.from_codes(query_ids, catalogue.image_ids, np.concatenate(query), np.concatenate(image))

    @property
    def counts(self) -> np.ndarray:
        """(Q,) int64: how many relevant photos each query has; 1 or more."""
        return np.bincount(self.query, minlength=len(self.query_ids))

    def to_frame(self) -> pd.DataFrame:
        """Return a long table: query_id, database_image_id; one row a relevant photo."""
        return pd.DataFrame(
            {"query_id": self.query_ids[self.query], "database_image_id": self.image_ids[self.image]}, dtype="str"
        )

    def __len__(self) -> int:
        return len(self.query)

    def __repr__(self) -> str:
        return f"Labels({len(self.query_ids)} queries, {len(self)} relevant photos)"


def _refuse_crowds(catalogue: Catalogue, ours: np.ndarray, theirs: np.ndarray) -> None:
    """Refuse what no memory holds: an identity of tens of thousands of photos is a name for unknown ones."""
    names = catalogue.identities
    asked, held = (np.bincount(codes[codes >= 0], minlength=len(names)) for codes in (ours, theirs))
    pairs = asked * held
    if pairs.sum() > _MOST:
        crowd = int(pairs.argmax())
        raise WhalereidError(
            f"{catalogue.source}: identity {names[crowd]!r} has {held[crowd]:,} photos, too many to pair; if that is a "
            "name for unknown animals, leave their identity empty, else ask for fewer queries."
        )


def _used(n: int, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of n are used, (n,) bool, and the codes counted among these alone."""
    used = np.zeros(n, bool)
    used[codes] = True
    return used, (np.cumsum(used) - 1)[codes]


def _same(ours: np.ndarray, theirs: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield blocks of the pairs (position in `ours`, position in `theirs`) of equal, known codes."""
    order = np.argsort(theirs, kind="stable")
    start, stop = (np.searchsorted(theirs[order], ours, side=side) for side in ("left", "right"))
    counts = np.where(ours >= 0, stop - start, 0)
    block = np.cumsum(counts) // _BLOCK  # a common animal has many photos, squared: not all pairs at once
    for number in np.unique(block[counts > 0]):
        rows = np.flatnonzero((block == number) & (counts > 0))
        many = counts[rows]
        within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        yield np.repeat(rows, many), order[np.repeat(start[rows], many) + within]


def positions(wanted: Sequence[str] | np.ndarray, among: Sequence[str] | np.ndarray | pd.Index) -> np.ndarray:
    """(n,) int64: where each id stands among unique ids; -1 where it doesn't."""
    return np.asarray(pd.Index(among, dtype=object).get_indexer(pd.Index(wanted, dtype=object)), np.int64)


LabelsLike: TypeAlias = (
    Labels | Mapping[str, Iterable[str]] | pd.DataFrame | str | os.PathLike[str] | Sequence[Iterable[str]]
)
