"""Ranking: for each query its database photos, best first, with scores; validated and frozen."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from whalereid.arguments import choice, instance, whole_number
from whalereid.candidates import CandidateRules, Task
from whalereid.candidates.rule import Photos, image_ids
from whalereid.candidates.rules import AnyRule
from whalereid.catalogue import TrainedOn
from whalereid.errors import WhalereidError
from whalereid.files import replacing_all
from whalereid.html import facts, section, table
from whalereid.outputs import RANKING, TASK, check_output
from whalereid.ranking.arrays import check_lists, lists_of, numbers_of, score_column, score_matrix
from whalereid.ranking.exact import Strip, best_candidates
from whalereid.ranking.task_file import read_trained_on, refuse_unfinished, task_path, tasks_as_json
from whalereid.tables import id_columns, read_table, require_columns, write_table
from whalereid.text import id_array

__all__ = ["Ranking"]

_SHOWN = 5  # queries and ranks in a notebook
COLUMNS = ("query_id", "database_image_id", "score")


class Ranking:
    """For each query its database photos, best first.

    Kept as integer codes into one list of database ids, so that metrics and masks are array work; lists shorter than
    the widest are padded at the end with code -1 and score -inf.

    Parameters
    ----------
    ids : sequence of Q sequences of str
        Database image ids, best first; lists may differ in length, and be empty.
    scores : sequence of Q sequences of float
        Their scores, descending, finite; higher is better.
    query_ids : sequence of str, length Q, optional
        What each query is called; by default ``"0"``, ``"1"``, ...

    Attributes
    ----------
    query_ids : ndarray of shape (Q,), str objects
    database_ids : ndarray of shape (D,), str objects
        Every database photo that `codes` may point to; unique.
    codes : ndarray of shape (Q, k), int64
        Positions in `database_ids`; -1 pads. k is the length of the longest list.
    scores : ndarray of shape (Q, k), float64
        Descending along each row; -inf pads.
    trained_on : TrainedOn or None
        What the networks that ranked were trained on; None where that isn't known.

    Raises
    ------
    WhalereidError
        Shapes differ, ids aren't text, scores aren't finite numbers and descending, a photo is listed twice, or a
        query is repeated.

    Examples
    --------
    >>> ranking = Ranking(ids=[["a", "z"], ["b"]], scores=[[0.9, 0.8], [0.7]], query_ids=["q", "r"])
    >>> ranking.lengths.tolist(), ranking.ids[1].tolist()
    ([2, 1], ['b'])
    """

    query_ids: np.ndarray
    database_ids: np.ndarray
    codes: np.ndarray
    scores: np.ndarray
    trained_on: TrainedOn | None = None

    def __init__(
        self,
        ids: Sequence[Sequence[str]],
        scores: Sequence[Sequence[float]],
        query_ids: Sequence[str] | None = None,
    ) -> None:
        lists, values = lists_of(ids, "ids"), lists_of(scores, "scores")
        if [len(row) for row in lists] != [len(row) for row in values]:
            raise WhalereidError("ranking: ids and scores differ in shape; give one score for each id.")
        lengths = np.array([len(row) for row in lists], np.int64)
        flat_codes, database_ids = pd.factorize(id_array([i for row in lists for i in row], "ids"))
        k = int(lengths.max(initial=0))
        filled = np.arange(k) < lengths[:, None]
        codes = np.full((len(lists), k), -1, np.int64)
        padded = np.full((len(lists), k), -np.inf)
        codes[filled] = flat_codes
        padded[filled] = numbers_of([s for row in values for s in row], "scores", "iuf")
        names = [str(q) for q in range(len(lists))] if query_ids is None else query_ids
        self._set(names, np.asarray(database_ids, dtype=object), codes, padded)

    @classmethod
    def from_codes(
        cls,
        query_ids: Sequence[str] | np.ndarray,
        database_ids: Sequence[str] | np.ndarray,
        codes: Any,
        scores: Any,
        *,
        trained_on: TrainedOn | None = None,
    ) -> Ranking:
        """Build from arrays: (Q,) and (D,) ids, (Q, k) codes into the latter (-1 pads), (Q, k) scores (-inf pads)."""
        ranking = cls.__new__(cls)
        ranking.trained_on = trained_on
        ranking._set(query_ids, database_ids, codes, scores)
        return ranking

    @classmethod
    def from_scores(
        cls,
        scores: Any,
        query_ids: Photos,
        database_ids: Photos,
        *,
        k: int = 20,
        are: Literal["scores", "distances"] = "scores",
        rules: CandidateRules | Iterable[AnyRule] = (),
    ) -> Ranking:
        """Rank by a matrix of scores or distances that another tool has made. A photo is never its own candidate.

        Parameters
        ----------
        scores : array of shape (Q, D), numbers
            How alike each query and database photo are, or how far apart; -inf (inf of distances): no candidate.
        query_ids, database_ids : sequence of str, or Catalogue
            Image ids of the rows and of the columns; catalogues where there are rules.
        k : int, default=20
            Photos a query.
        are : {"scores", "distances"}
            Whether more is better, or less; distances become scores by their sign.
        rules : CandidateRules, or sequence of Rule or str
            Who may be compared with whom.

        Raises
        ------
        WhalereidError
            The matrix has another shape, or holds NaN; an id is repeated; or the rules don't fit the photos.

        Examples
        --------
        >>> Ranking.from_scores([[0.2, 0.9]], ["q"], ["a", "b"]).ids[0].tolist()
        ['b', 'a']
        """
        choice(are, "are", ("scores", "distances"))
        queries, database = image_ids(query_ids, "query_ids"), image_ids(database_ids, "database_ids")
        matrix = score_matrix(scores, queries, database, are=are)
        every = slice(None)
        matrix = CandidateRules.of(rules).mask(query_ids, database_ids).apply(matrix, every, every)
        strip = Strip(matrix, lambda rows, columns: matrix[rows, columns], np.zeros_like)
        return cls.from_codes(queries, database, *best_candidates(strip, whole_number(k, "k", 1)))

    @classmethod
    def concat(cls, rankings: Sequence[Ranking]) -> Ranking:
        """Put rankings of different queries one below the other; the query ids must all differ."""
        rankings = list(instance(rankings, "rankings", Iterable, "a list of Ranking"))
        for ranking in rankings:
            instance(ranking, "one of rankings", Ranking, "a list of Ranking")
        if not rankings:
            return cls(ids=[], scores=[])
        if len(rankings) == 1:
            return rankings[0]
        database_ids = pd.unique(np.concatenate([r.database_ids for r in rankings]))
        index = pd.Index(database_ids, dtype=object)
        shape = (sum(map(len, rankings)), max(r.k for r in rankings))
        codes, scores = np.full(shape, -1, np.int64), np.full(shape, -np.inf)
        start = 0
        for ranking in rankings:
            rows = slice(start, start + len(ranking))
            code = np.append(
                index.get_indexer(ranking.database_ids), -1
            )  # the last one is where -1, the padding, points
            codes[rows, : ranking.k] = code[ranking.codes]
            scores[rows, : ranking.k] = ranking.scores
            start = rows.stop
        learnt = TrainedOn.of_all(ranking.trained_on for ranking in rankings)
        query_ids = np.concatenate([r.query_ids for r in rankings])
        return cls.from_codes(query_ids, database_ids, codes, scores, trained_on=learnt)

    def _set(self, query_ids: Any, database_ids: Any, codes: Any, scores: Any) -> None:
        self.query_ids = id_array(query_ids, "query_ids")
        self.database_ids = id_array(database_ids, "database_ids")
        self.codes = np.ascontiguousarray(numbers_of(codes, "codes", "iu"), np.int64)
        self.scores = np.ascontiguousarray(numbers_of(scores, "scores", "iuf"), np.float64)
        check_lists(self.query_ids, self.database_ids, self.codes, self.scores)
        longest = int(self.lengths.max(initial=0))
        self.codes, self.scores = self.codes[:, :longest].copy(), self.scores[:, :longest].copy()
        for array in (self.query_ids, self.database_ids, self.codes, self.scores):
            array.flags.writeable = False

    @property
    def lengths(self) -> np.ndarray:
        """(Q,) int64: how many photos each query lists."""
        return np.asarray((self.codes >= 0).sum(axis=1), np.int64)

    @property
    def ids(self) -> list[np.ndarray]:
        """Q arrays of database image ids, best first."""
        return [self.database_ids[row[row >= 0]] for row in self.codes]

    @property
    def k(self) -> int:
        """Length of the longest list."""
        return int(self.codes.shape[1])

    def __len__(self) -> int:
        return len(self.query_ids)

    def cut(self, k: int) -> Ranking:
        """Keep the best `k` of each query."""
        k = whole_number(k, "k", 1)
        codes, scores = self.codes[:, :k], self.scores[:, :k]
        return Ranking.from_codes(self.query_ids, self.database_ids, codes, scores, trained_on=self.trained_on)

    def to_frame(self) -> pd.DataFrame:
        """Return a long table: query_id, database_image_id, score; best first, queries in order."""
        filled = self.codes >= 0
        return pd.DataFrame(
            {
                "query_id": np.repeat(self.query_ids, self.lengths),
                "database_image_id": self.database_ids[self.codes[filled]],
                "score": self.scores[filled],
            }
        )

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, where: str = "ranking") -> Ranking:
        """Build from a long table, rows in any order; equal scores keep the table's order.

        Raises
        ------
        WhalereidError
            A column is missing, a score isn't a finite number, or a query lists a photo twice; names the row.
        """
        instance(frame, "frame", pd.DataFrame, "a DataFrame of query_id, database_image_id, score")
        require_columns(frame, *COLUMNS, where=where)
        scores = score_column(frame["score"])
        bad = np.flatnonzero(~np.isfinite(scores))
        if len(bad):
            given = frame["score"].iloc[bad[0]]
            raise WhalereidError(f"{where}, row {bad[0] + 1}: score {given!r:.60} isn't a finite number.")
        ids = id_columns(frame, *COLUMNS[:2], where=where)
        query, query_ids = pd.factorize(ids["query_id"])
        code, database_ids = pd.factorize(ids["database_image_id"])
        if (np.diff(query) < 0).any() or ((np.diff(query) == 0) & (np.diff(scores) > 0)).any():
            order = np.lexsort((-scores, query))
        else:
            order = np.arange(len(query))  # best first already, as everyone writes it; sorting millions takes its time
        query, code, scores = query[order], code[order], scores[order]
        lengths = np.bincount(query, minlength=len(query_ids))
        rank = np.arange(len(query)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        k = int(lengths.max(initial=0))
        codes = np.full((len(query_ids), k), -1, np.int64)
        padded = np.full((len(query_ids), k), -np.inf)
        codes[query, rank] = code
        padded[query, rank] = scores
        sorted_codes = np.sort(codes, axis=1)
        if ((sorted_codes[:, 1:] == sorted_codes[:, :-1]) & (sorted_codes[:, 1:] >= 0)).any():
            repeated = pd.DataFrame({"query": query, "code": code}).iloc[np.argsort(order)].duplicated()
            row = int(np.flatnonzero(repeated)[0])
            at = int(np.flatnonzero(order == row)[0])
            raise WhalereidError(
                f"{where}, row {row + 1}: query {query_ids[query[at]]!r} lists {database_ids[code[at]]!r} twice."
            )
        return cls.from_codes(
            np.asarray(query_ids, dtype=object), np.asarray(database_ids, dtype=object), codes, padded
        )

    def write(self, path: str | os.PathLike[str], tasks: Sequence[Task] | None = None, *, force: bool = False) -> None:
        """Write CSV or Parquet by the suffix and, beside it, the tasks that it answers: both, or neither.

        Queries with an empty list have no row.

        Parameters
        ----------
        path : path
            Ends in ``.csv`` or ``.parquet``. An earlier ranking there is replaced, and the tasks beside it.
        tasks : sequence of Task, optional
            Who was looked for among whom, for ``RANKING.task.json``. Left out, none lies beside it afterwards: an
            earlier ranking's tasks would speak of other lists.
        force : bool, default=False
            Replace files of another kind too.

        Raises
        ------
        WhalereidError
            Another suffix, something else is there, two tasks share a query id, or the place can't be written.
        """
        instance(path, "path", (str, os.PathLike), "the path of a CSV or Parquet file")
        instance(force, "force", bool, "True or False")
        path, beside = Path(path), task_path(path)
        check_output(path, RANKING, force=force)
        check_output(beside, TASK, force=force)
        if tasks is None:
            with replacing_all([path], removing=[beside]) as (new,):
                write_table(self.to_frame(), new)
            return
        text = tasks_as_json(tasks, self.trained_on)
        with replacing_all([path, beside]) as (new, new_tasks):
            write_table(self.to_frame(), new)
            new_tasks.write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Ranking:
        """Read a CSV or Parquet file of query_id, database_image_id, score, and what its networks were trained on.

        The latter from the task that `whalereid rank` wrote beside it.

        Raises
        ------
        WhalereidError
            Nothing there, not readable, or its content is refused; names file, row and column.
        """
        instance(path, "path", (str, os.PathLike), "the path of a CSV or Parquet file")
        refuse_unfinished(path)
        ranking = cls.from_frame(read_table(Path(path)), where=str(path))
        ranking.trained_on = read_trained_on(path)
        return ranking

    def __repr__(self) -> str:
        return f"Ranking({len(self)} queries, best {self.k})"

    def _repr_html_(self) -> str:
        counts = {"queries": len(self), "database photos listed": len(np.unique(self.codes[self.codes >= 0]))}
        counts["empty lists"] = int((self.lengths == 0).sum())
        rows = (
            (query, *(f"{image} ({score:.3f})" for image, score in zip(ids[:_SHOWN], scores, strict=False)))
            for query, ids, scores in zip(self.query_ids, self._first_ids(), self.scores, strict=False)
        )
        headings = ["query", *(f"rank {rank}" for rank in range(1, min(self.k, _SHOWN) + 1))]
        return section("Ranking", facts(counts), table(headings, rows, most=_SHOWN))

    def _first_ids(self) -> list[np.ndarray]:
        return [self.database_ids[row[row >= 0]] for row in self.codes[:_SHOWN, :_SHOWN]]
