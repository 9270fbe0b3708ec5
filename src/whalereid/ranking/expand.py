"""Expand: top-k expansion, a query's best matches asked as well."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from whalereid.errors import WhalereidError
from whalereid.ranking.ensemble import COSINE_ERROR, Ensemble, Search, Similarity
from whalereid.ranking.search import Scores, Strip, slices, top_k

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

    Raises
    ------
    WhalereidError
        A weight or the power is out of range, or `anchors` is unknown.

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

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(float(w) for w in self.weights))
        if not self.weights or not all(math.isfinite(w) and w >= 0 for w in self.weights) or not any(self.weights):
            raise WhalereidError(f"expand: weights {self.weights}; give numbers of 0 or more, the query's first.")
        if not (math.isfinite(self.power) and self.power >= 1):
            raise WhalereidError(f"expand: power is {self.power}; 1 or more.")
        if self.anchors not in ("first", "chain"):
            raise WhalereidError(f"expand: anchors is {self.anchors!r}; choose from 'chain', 'first'.")

    def rerank(self, search: Search, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Find each query's k best by the expanded score; see `Reranker`."""
        n_queries, n_database = search.shape
        k = min(k, n_database)
        codes, scores = np.full((n_queries, k), -1, np.int64), np.full((n_queries, k), -np.inf)
        among = (self.by or search.ensemble).similarity(search.database, search.database)
        per_query = 4 * max(n_database, 1) * (len(self.weights) + 4)  # rows of similarities held at once, and to spare
        for rows in slices(n_queries, max(1, _STRIP_BYTES // per_query)):
            codes[rows], scores[rows] = self._rank_some(search, among, rows, k)
            search.advance(rows.stop - rows.start)
        return codes, scores

    def _rank_some(self, search: Search, among: Similarity, rows: slice, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Codes and scores of some queries, (q, k)."""
        first = Strip(_strip(search, rows, search.block_size), _offset(search.exact, rows.start), search.error)
        hidden = np.isneginf(first.values)
        total = np.where(hidden, np.float32(0), first.values)
        _raise(total, self.power)
        total *= np.float32(self.weights[0])
        anchors = np.empty((len(total), 0), np.int64)
        wanted = min(len(self.weights) - 1, search.shape[1])
        last = first
        while anchors.shape[1] < wanted:
            done = anchors.shape[1]
            new = top_k(first, wanted)[0] if self.anchors == "first" else top_k(last, 1)[0]
            anchors = np.hstack([anchors, new])
            # queries share anchors: each is compared with the database once
            unique, at = np.unique(new, return_inverse=True)
            at = at.reshape(new.shape)
            near = _strip(among, unique, search.block_size)
            if anchors.shape[1] < wanted:
                last = self._rest(near[at[:, 0]], among, anchors, hidden)
            _raise(near, self.power)
            for j in range(new.shape[1]):
                weight = np.float32(self.weights[1 + done + j])
                for some in slices(len(total), 64):  # few enough rows to stay in the processor's cache
                    total[some] += near[at[some, j]] * np.where(new[some, j] >= 0, weight, 0)[:, None]
        total[hidden] = -np.inf
        return top_k(Strip(total, self._exact(search, among, rows, anchors), self._error), k)

    def _rest(self, values: np.ndarray, among: Similarity, anchors: np.ndarray, hidden: np.ndarray) -> Strip:
        """The similarities (q, D) to each query's last anchor, of the candidates that are no anchors yet."""
        values[hidden] = -np.inf
        query, order = np.nonzero(anchors >= 0)
        values[query, anchors[query, order]] = -np.inf
        return Strip(values, lambda r, c: among.exact(anchors[r, -1], c), among.error)

    def _exact(
        self, search: Search, among: Similarity, rows: slice, anchors: np.ndarray
    ) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """The expanded scores of pairs, in float64."""

        def exact(row: np.ndarray, column: np.ndarray) -> np.ndarray:
            total = search.exact(row + rows.start, column)
            _raise(total, self.power)
            total *= self.weights[0]
            for weight, anchor in zip(self.weights[1:], anchors[row].T, strict=False):
                has = anchor >= 0
                term = among.exact(anchor[has], column[has])
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


def _strip(scores: Scores | Similarity, rows: slice | np.ndarray, block: tuple[int, int]) -> np.ndarray:
    """(q, D) float32: the scores of some rows against the whole database, computed block by block."""
    which = np.arange(scores.shape[0])[rows]
    values = np.empty((len(which), scores.shape[1]), np.float32)
    for some in slices(len(which), block[0]):
        for columns in slices(scores.shape[1], block[1]):
            values[some, columns] = scores.block(which[some], columns)
    return values


def _offset(
    exact: Callable[[np.ndarray, np.ndarray], np.ndarray], start: int
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return lambda row, column: exact(row + start, column)


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
