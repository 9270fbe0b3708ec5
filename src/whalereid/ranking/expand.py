"""Expand: top-k expansion, a query's best matches asked as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from whalereid.arguments import choice, instance, number, whole_number
from whalereid.errors import WhalereidError
from whalereid.ranking.ensemble import Ensemble
from whalereid.ranking.exact import Scores, Some, Strip, best_candidates, slices
from whalereid.ranking.search import Search
from whalereid.ranking.similarity import COSINE_ERROR, Similarity

__all__ = ["Expand"]

_STRIP_BYTES = 256 << 20  # what the strips of similarities of some queries may take


@dataclass(frozen=True, eq=False)
class Expand:
    """Score a candidate by its likeness to the query and to the query's best matches, its anchors.

    ``score = w1 s1^p + w2 s2^p + w3 s3^p + ...``, where s1 is the similarity to the query and s2, s3, ... those to the
    anchors. The power makes sure matches count for more than many half-sure ones. An anchor stays among the candidates
    (1 with itself). A query with fewer candidates than anchors has fewer anchors: their terms are left out.

    Attributes
    ----------
    weights : tuple of float, default=(0.4, 0.4, 0.2)
        Of the query, the first anchor, the second, ...; as they stand, none negative.
    power : float, default=7
        1 or more. A negative similarity keeps its sign.
    by : Ensemble, optional
        Measures the likeness to the anchors; by default the ensemble that ranks.
    anchors : {"first", "chain"}, default="first"
        ``first``: the best candidates of s1. ``chain``: the best of s1, then each time the best of the last similarity
        that isn't an anchor yet: where the query is of another view than the database, its neighbours there are
        better known by `by` than by s1.
    shortlist : int or None, default=1000
        How many candidates a query has scored anew: its best by s1, never fewer than are asked for. Anchors can't bring
        up a photo that is not among them, and a chain's anchors come from among them. None takes the whole database,
        which compares it with every anchor: as much work as the search itself, once an anchor.

    Raises
    ------
    WhalereidError
        A weight, the power or the shortlist is out of range, `anchors` is unknown, or `by` is no ensemble.

    References
    ----------
    .. [1] The first place of "Where's Whale-do?", https://github.com/drivendataorg/wheres-whale-do, which credits
       solutions of the Google Landmark Recognition 2020 challenge.
    .. [2] Chum et al. Total recall: automatic query expansion with a generative feature model for object retrieval.
       ICCV 2007.

    Examples
    --------
    >>> from whalereid.embeddings import Embeddings
    >>> from whalereid.ranking.ensemble import Member
    >>> photos = Embeddings.from_numpy(["a", "b", "c"], [[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]])
    >>> ensemble = Ensemble([Member("mine", photos)])
    >>> ranking = ensemble.rank(["a"], ["b", "c"], rerank=Expand(weights=(0.5, 0.5), power=1))
    >>> ranking.ids[0].tolist(), ranking.scores[0].round(3).tolist()
    (['b', 'c'], [0.9, 0.78])
    """

    weights: Sequence[float] = (0.4, 0.4, 0.2)
    power: float = 7
    by: Ensemble | None = None
    anchors: Literal["first", "chain"] = "first"
    shortlist: int | None = 1000

    def __post_init__(self) -> None:
        wanted = "numbers of 0 or more, the query's first, such as (0.4, 0.4, 0.2)"
        given: tuple[Any, ...] = tuple(instance(self.weights, "weights", Iterable, wanted))
        weights = tuple(number(weight, "one of weights", 0) for weight in given)
        if not any(weights):
            raise WhalereidError(f"weights is {given}; give {wanted}, not all of them 0.")
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "power", number(self.power, "power", 1))
        choice(self.anchors, "anchors", ("chain", "first"))
        if self.by is not None:
            instance(self.by, "by", Ensemble, "an Ensemble, or None for the one that ranks")
        if self.shortlist is not None:
            whole_number(self.shortlist, "shortlist", 1)

    def rerank(self, search: Search, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Find each query's k best by the expanded score; see `Reranker`."""
        n_queries, n_database = instance(search, "search", Search, "a Search, as Ensemble.rank makes it").shape
        k = min(whole_number(k, "k", 1), n_database)
        codes, scores = np.full((n_queries, k), -1, np.int64), np.full((n_queries, k), -np.inf)
        among = (self.by or search.ensemble).similarity(search.database_ids, search.database_ids)
        length = n_database if self.shortlist is None else max(self.shortlist, k, len(self.weights) - 1)
        per_query = 4 * max(min(length, n_database), 1) * (len(self.weights) + 4)  # similarities held, and to spare
        step = max(1, _STRIP_BYTES // per_query)
        if length < n_database:
            step = min(step, search.block_size[0])
        for rows in slices(n_queries, step):
            pool = _Pool.whole(search, rows) if length >= n_database else _Pool.best(search, rows, length)
            codes[rows], scores[rows] = self._rank_some(pool, among, k)
            search.advance(rows.stop - rows.start)
        return codes, scores

    def _rank_some(self, pool: _Pool, among: Similarity, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Codes and scores of some queries, (q, k)."""
        first = pool.scores
        hidden = np.isneginf(first.values)
        total = np.where(hidden, np.float32(0), first.values)
        _raise(total, self.power)
        total *= np.float32(self.weights[0])
        anchors = np.empty((len(total), 0), np.int64)  # columns of the pool
        wanted = min(len(self.weights) - 1, first.shape[1])
        last = first
        while anchors.shape[1] < wanted:
            done = anchors.shape[1]
            new = best_candidates(first, wanted)[0] if self.anchors == "first" else best_candidates(last, 1)[0]
            anchors = np.hstack([anchors, new])
            near, at = pool.near(among, new)
            if anchors.shape[1] < wanted:
                last = self._rest(near[at[:, 0]], pool, among, anchors, hidden)
            _raise(near, self.power)
            for j in range(new.shape[1]):
                weight = np.float32(self.weights[1 + done + j])
                for some in slices(len(total), 64):  # few enough rows to stay in the processor's cache
                    total[some] += near[at[some, j]] * np.where(new[some, j] >= 0, weight, 0)[:, None]
        total[hidden] = -np.inf
        columns, scores = best_candidates(Strip(total, self._exact(pool, among, anchors), self._error), k)
        return np.where(columns >= 0, pool.codes(np.arange(len(columns))[:, None], columns), -1), scores

    def _rest(
        self, values: np.ndarray, pool: _Pool, among: Similarity, anchors: np.ndarray, hidden: np.ndarray
    ) -> Strip:
        """The similarities (q, d) to each query's last anchor, of the candidates that are no anchors yet."""
        values[hidden] = -np.inf
        query, order = np.nonzero(anchors >= 0)
        values[query, anchors[query, order]] = -np.inf
        return Strip(values, lambda r, c: among.exact(pool.codes(r, anchors[r, -1]), pool.codes(r, c)), among.error)

    def _exact(
        self, pool: _Pool, among: Similarity, anchors: np.ndarray
    ) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """The expanded scores of pairs, in float64."""

        def exact(row: np.ndarray, column: np.ndarray) -> np.ndarray:
            total = pool.scores.exact(row, column)
            _raise(total, self.power)
            total *= self.weights[0]
            for weight, anchor in zip(self.weights[1:], anchors[row].T, strict=False):
                has = anchor >= 0
                term = among.exact(pool.codes(row[has], anchor[has]), pool.codes(row[has], column[has]))
                _raise(term, self.power)
                total[has] += weight * term
            return total

        return exact

    def _error(self, scores: np.ndarray) -> np.ndarray:
        """Bound how far a float32 score may lie from the exact one, its terms all being positive.

        A term ``w s^p`` errs by at most ``w p s^(p-1)`` times s's own error, and s is at most ``(score / w)^(1/p)``.
        """
        spread = sum(w ** (1 / self.power) for w in self.weights)
        return self.power * COSINE_ERROR * spread * np.abs(scores) ** ((self.power - 1) / self.power)


@dataclass(frozen=True)
class _Pool:
    """The candidates that some queries choose their anchors from and have scored anew: in columns, database order.

    Attributes
    ----------
    scores : Strip of shape (q, d)
        s1 of each query's columns.
    members : ndarray of shape (q, d), int64, or None
        The database photo that each column stands for, -1 pads; None: the whole database, as it is.
    block : tuple of int
        Compared at a time.
    """

    scores: Strip
    members: np.ndarray | None
    block: tuple[int, int]

    @classmethod
    def whole(cls, search: Search, rows: slice) -> _Pool:
        """The whole database."""
        values = _strip(search, rows, search.block_size)
        return cls(Strip(values, lambda r, c: search.exact(r + rows.start, c), search.error), None, search.block_size)

    @classmethod
    def best(cls, search: Search, rows: slice, length: int) -> _Pool:
        """The best of each query by s1."""
        members, values = best_candidates(Some(search, rows), length, block=search.block_size)
        # in database order, so that equal scores stay in it; padding last
        order = np.argsort(np.where(members < 0, search.shape[1], members), axis=1)
        members = np.take_along_axis(members, order, axis=1)
        values = np.take_along_axis(values, order, axis=1).astype(np.float32)
        exact = lambda r, c: search.exact(r + rows.start, members[r, c])  # noqa: E731
        return cls(Strip(values, exact, search.error), members, search.block_size)

    def codes(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The database photos that columns of these rows stand for."""
        return columns if self.members is None else self.members[rows, columns]

    def near(self, among: Similarity, anchors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The similarities of anchors, columns (q, m), and each query's columns: (u, d), and the row of each (q, m)."""
        if self.members is None:  # queries share anchors: each is compared with the database once
            unique, at = np.unique(anchors, return_inverse=True)
            return _strip(among, unique, self.block), at.reshape(anchors.shape)
        near = among.own(self.codes(np.arange(len(anchors))[:, None], anchors), self.members)
        return near.reshape(-1, near.shape[2]), np.arange(anchors.size).reshape(anchors.shape)


def _strip(scores: Scores | Similarity, rows: slice | np.ndarray, block: tuple[int, int]) -> np.ndarray:
    """(q, D) float32: the scores of some rows against the whole database, computed block by block."""
    which = np.arange(scores.shape[0])[rows]
    values = np.empty((len(which), scores.shape[1]), np.float32)
    for some in slices(len(which), block[0]):
        for columns in slices(scores.shape[1], block[1]):
            values[some, columns] = scores.block(which[some], columns)
    return values


def _raise(values: np.ndarray, power: float) -> None:
    """Raise to a power in place, keeping signs; values are contiguous, float32 or float64."""
    flat = values.reshape(-1)
    for some in slices(flat.size, 1 << 18):  # a megabyte at a time stays in the processor's cache
        base = flat[some].copy()
        if power == int(power):  # by squaring: ten times faster than a general power
            result, exponent = np.ones_like(base), int(power)
            square = np.abs(base)
            while exponent:
                if exponent & 1:
                    result *= square
                exponent >>= 1
                if exponent:
                    square *= square
        else:
            result = np.abs(base) ** values.dtype.type(power)
        np.copysign(result, base, out=flat[some])
