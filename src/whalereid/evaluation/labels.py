"""Labels: which database photos are relevant to which query, in every form that people keep them in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from numbers import Integral
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.arrays import names_of, path_of, positions
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.evaluation.implied import ImpliedPairs
from whalereid.evaluation.pairs import ListedPairs
from whalereid.evaluation.spelling import nearest, same_but_for_spelling
from whalereid.ranking import Ranking, Task
from whalereid.tables import id_columns, read_table
from whalereid.text import id_array, id_column

__all__ = ["Labels", "LabelsLike"]

COLUMNS = ("query_id", "database_image_id")
_FORMS = "a mapping from query id to image ids, a table or file of query_id and database_image_id, or a set a query"


class Labels:
    """Which database photos are relevant to which query: a set of (query, photo) pairs.

    A query without a relevant photo has no pair. Repeated pairs are one. `Labels(...)` holds the pairs it is given;
    `Labels.implied` holds the identities and rules that pairs follow from, which take far less room, and lists pairs
    where they are asked for.

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

    def __init__(self, query_ids: Sequence[str] | np.ndarray | pd.Series, image_ids: Any) -> None:
        queries, images = _texts(query_ids, "query_ids"), _texts(image_ids, "image_ids")
        if len(queries) != len(images):
            raise WhalereidError(f"labels: {len(queries)} query ids but {len(images)} photos; give pairs.")
        (query, names), (image, photos) = pd.factorize(queries), pd.factorize(images)
        different = pd.unique(query.astype(np.int64) * max(len(photos), 1) + image)
        self._pairs: ListedPairs | ImpliedPairs = ListedPairs(
            np.asarray(names, object), np.asarray(photos, object), *np.divmod(different, max(len(photos), 1))
        )
        self._table: str | None = None  # what errors call the table that the pairs were read from
        self._rows: tuple[np.ndarray, np.ndarray] | None = (  # and its row that first has each query, and each photo
            _first_rows(query, len(names)),
            _first_rows(image, len(photos)),
        )

    @classmethod
    def _of_pairs(cls, pairs: ListedPairs | ImpliedPairs) -> Labels:
        labels = Labels.__new__(Labels)
        labels._pairs, labels._table, labels._rows = pairs, None, None
        return labels

    @classmethod
    def from_codes(cls, query_ids: Any, image_ids: Any, query: np.ndarray, image: np.ndarray) -> Labels:
        """Build from unique ids and (P,) codes into them, each pair once; ids that no pair uses are dropped."""
        _refuse_numbers(names_of(query_ids, "query_ids"), "query_ids")
        _refuse_numbers(names_of(image_ids, "image_ids"), "image_ids")
        return cls._of_pairs(ListedPairs(query_ids, image_ids, query, image))

    @property
    def query_ids(self) -> np.ndarray:
        """(Q,) str objects: every query that has a relevant photo."""
        return self._pairs.query_ids

    @property
    def image_ids(self) -> np.ndarray:
        """(D,) str objects: every photo that is relevant to some query."""
        return self._pairs.listed()[0]

    @property
    def query(self) -> np.ndarray:
        """(P,) int64: the query of each pair, each pair once, as a position in `query_ids`."""
        return self._pairs.listed()[1]

    @property
    def image(self) -> np.ndarray:
        """(P,) int64: the relevant photo of each pair, as a position in `image_ids`."""
        return self._pairs.listed()[2]

    @classmethod
    def of(
        cls, labels: LabelsLike, query_ids: Sequence[str] | np.ndarray | None = None, *, name: str = "labels"
    ) -> Labels:
        """Read labels in any form.

        Parameters
        ----------
        labels : Labels, mapping, DataFrame, path or sequence of sets
            A mapping from query id to its relevant photos' ids; a table, or a CSV or Parquet file, of ``query_id`` and
            ``database_image_id``, one row a relevant photo; or one set of ids a query, in the order of `query_ids`.
        query_ids : sequence of str, optional
            The queries that a sequence of sets belongs to.
        name : str
            What errors call the labels.

        Raises
        ------
        WhalereidError
            A column is missing, an id is empty, or a sequence's length isn't that of `query_ids`; names file and row.
        """
        name = instance(name, "name", str, "what errors should call the labels")
        if isinstance(labels, Labels):
            return labels
        if isinstance(labels, str | os.PathLike):
            return cls.read(labels)
        if isinstance(labels, pd.DataFrame):
            return cls.from_frame(labels)
        if isinstance(labels, Mapping):
            return cls._from_sets(list(labels), list(labels.values()))
        if not isinstance(labels, Iterable) or (isinstance(labels, np.ndarray) and not labels.ndim):
            instance(labels, name, (), _FORMS)
        sets = list(labels)
        if query_ids is None:
            raise WhalereidError("labels: a list of sets needs its queries; give a mapping from query id to set.")
        if len(sets) != len(names_of(query_ids, "query_ids")):
            raise WhalereidError(
                f"labels: {len(sets)} sets for {len(query_ids)} queries; give one set a query, in the ranking's order."
            )
        return cls._from_sets(list(names_of(query_ids, "query_ids")), sets)

    @classmethod
    def _from_sets(cls, query_ids: list[str], sets: list[Iterable[str]]) -> Labels:
        for query_id, images in zip(query_ids, sets, strict=True):
            if isinstance(images, str) or not isinstance(images, Iterable):
                raise WhalereidError(f"labels of query {query_id!r}: {images!r} isn't a set of image ids.")
        _refuse_numbers(query_ids, "query ids")
        given = [list(images) for images in sets]
        for query_id, images in zip(query_ids, given, strict=True):
            _refuse_numbers(images, f"query {query_id!r}")
        owners = np.repeat(id_array(query_ids, "labels: query ids"), [len(images) for images in given])
        return cls(owners, id_array(chain.from_iterable(given), "labels: image ids"))

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, where: str = "labels") -> Labels:
        """Build from a table of ``query_id`` and ``database_image_id``, one row a relevant photo.

        Raises
        ------
        WhalereidError
            A column is missing or an id is empty; names the row.
        """
        where = instance(where, "where", str, "what errors should call the table")
        frame = instance(frame, "frame", pd.DataFrame, f"a table of {' and '.join(COLUMNS)}")
        ids = id_columns(frame, *COLUMNS, where=where, hint="a query without a relevant photo has no row")
        labels = cls(*(ids[name] for name in COLUMNS))
        labels._table = where
        return labels

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Labels:
        """Read a CSV or Parquet file of ``query_id`` and ``database_image_id``.

        Raises
        ------
        WhalereidError
            Nothing there, not readable, without a row, or its content is refused; names file, row and column.
        """
        labels = cls.from_frame(read_table(Path(path_of(path))), where=str(path))
        if not len(labels):
            raise WhalereidError(f"{path}: holds no row, so no query has a relevant photo; give a row for each pair.")
        return labels

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
        return cls._of_pairs(ImpliedPairs(catalogue, tasks))

    def _check_spelling(self, ranking: Ranking, known: np.ndarray) -> None:
        """Refuse ids that are a ranked query's or a listed photo's, but for how they are written.

        They would count as missing, or as never found: ``7`` for ``007``, ``001.jpg`` for ``001``, ``A`` for ``a``.

        Parameters
        ----------
        ranking : Ranking
            What the labels are for.
        known : ndarray of shape (n,), str objects
            Ids that are right as they are, such as a catalogue's.

        Raises
        ------
        WhalereidError
            An id that is not there differs from one that is in leading zeros, a suffix, a folder, case or spaces alone;
            names the row, and the id that was probably meant.
        """
        if self._pairs.ids_are_the_tasks:
            return
        for column, labelled, ranked in (
            (0, self.query_ids, ranking.query_ids),
            (1, self._pairs.listed()[0], ranking.database_ids),
        ):
            strange = labelled
            for ids in (ranked, known):
                strange = strange[positions(strange, ids) < 0] if len(strange) else strange
            if not len(strange):
                continue
            meant = same_but_for_spelling(strange, np.concatenate([ranked, known]))
            if meant:
                given, right = next(iter(meant.items()))
                more = f" ({len(meant):,} ids of the labels are so)" if len(meant) > 1 else ""
                two = "" if len(known) else ", or evaluate with the photos' catalogue if they are two"
                where = "the ranking" if positions([right], ranked)[0] >= 0 else "the catalogue"
                raise WhalereidError(
                    f"{self._place(column, given)}: {given!r} is not in {where}, but {right!r} is{more}; write ids in "
                    f"the same way everywhere{two}."
                )

    def _check_photos(self, ranking: Ranking, catalogue: Catalogue | None = None) -> list[str]:
        """Refuse labels of which not one photo is known; give the photos that aren't, where a catalogue tells.

        Raises
        ------
        WhalereidError
            Not one labelled photo is listed in the ranking or is in the catalogue.
        """
        labelled = self._pairs.listed()[0]
        known = positions(labelled, ranking.database_ids) >= 0
        if catalogue is not None:
            known |= positions(labelled, catalogue.image_ids) >= 0
        if len(labelled) and len(ranking.database_ids) and not known.any():
            place, first = self._place(1, labelled[0]), labelled[0]
            alike = nearest(first, ranking.database_ids if catalogue is None else catalogue.image_ids)
            there = "is listed in the ranking" + ("" if catalogue is None else f" or is in {catalogue.source}")
            also = "" if catalogue is not None else ", or give the photos' catalogue if the ranking found none of them"
            raise WhalereidError(
                f"{place}: no photo of the labels {there}, {first!r} for one"
                f"{f' (the nearest is {alike!r})' if alike else ''}; check that both are of the same photos{also}."
            )
        return [] if catalogue is None else [str(image_id) for image_id in labelled[~known]]

    def _place(self, column: int, given: str) -> str:
        """Where an id stands: the table, row and column."""
        ids = (self.query_ids, self._pairs.listed()[0])[column]
        if self._table is None or self._rows is None:
            return f"labels, {COLUMNS[column]}"
        row = self._rows[column][int(np.flatnonzero(ids == given)[0])]
        return f"{self._table}, row {row + 1}, column {COLUMNS[column]}"

    @property
    def counts(self) -> np.ndarray:
        """(Q,) int64: how many relevant photos each query has; 1 or more."""
        return self._pairs.counts

    def hits(self, ranking: Ranking) -> np.ndarray:
        """(R, k) bool: which photos that a ranking of R queries lists are relevant to their query."""
        return self._pairs.hits(instance(ranking, "ranking", Ranking, "a Ranking"))

    def tally(self, group: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Count each query's relevant photos by a group that the photos are in.

        Parameters
        ----------
        group : callable
            From image ids (n,) to their groups (n,), whole numbers from 0.

        Returns
        -------
        query, code, count : ndarray of shape (n,), int64
            Of each query (a position in `query_ids`) and each group that it has relevant photos in, how many.
        """
        return self._pairs.tally(group)

    def to_frame(self) -> pd.DataFrame:
        """Return a long table: query_id, database_image_id; one row a relevant photo."""
        return pd.DataFrame(
            {"query_id": self.query_ids[self.query], "database_image_id": self.image_ids[self.image]}, dtype="str"
        )

    def __len__(self) -> int:
        return len(self._pairs)

    def __repr__(self) -> str:
        return f"Labels({len(self.query_ids)} queries, {len(self)} relevant photos)"


def _texts(ids: Any, name: str) -> pd.Series:
    """Ids as text; a column of text is taken as it is."""
    if isinstance(ids, pd.Series):
        given = ids
    else:
        given = pd.Series(names_of(ids, name), dtype=object)
        _refuse_numbers(given, name)
    text = id_column(given.rename(name), where="labels")
    empty = np.flatnonzero(text.isna())
    if len(empty):
        raise WhalereidError(f"labels: {name} has nothing at place {empty[0] + 1}; leave the pair out.")
    return text


def _refuse_numbers(ids: Iterable[Any], where: str) -> None:
    """Refuse whole numbers: in a table's column they are digits, but in a list they are codes or rows as likely."""
    number = next((one for one in ids if isinstance(one, Integral)), None)
    if number is not None:
        raise WhalereidError(f"labels, {where}: {number!r} is a number; ids are text, such as '{number}'.")


def _first_rows(codes: np.ndarray, n: int) -> np.ndarray:
    """(n,) int64: where each code stands first."""
    first = np.zeros(n, np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first


LabelsLike: TypeAlias = (
    Labels | Mapping[str, Iterable[str]] | pd.DataFrame | str | os.PathLike[str] | Sequence[Iterable[str]]
)
