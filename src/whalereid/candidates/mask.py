"""CandidateMask: rules bound to queries and database; who may be compared with whom, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.candidates.columns import Coded, coded
from whalereid.candidates.rule import Bound, Photos, image_ids, table_of
from whalereid.errors import WhalereidError

if TYPE_CHECKING:
    from whalereid.candidates.rule import Rule

__all__ = ["CandidateMask", "equal_pairs"]

_BLOCK = 5_000_000  # pairs judged at once


class CandidateMask:
    """Rules bound to queries and database: gives the mask of any block. Built by `CandidateRules.mask`.

    Attributes
    ----------
    shape : tuple of int
        (Q, D).
    """

    def __init__(self, rules: Sequence[Rule], queries: Photos, database: Photos) -> None:
        for rule in instance(rules, "rules", (list, tuple), "a list of rules"):
            if not callable(getattr(rule, "bind", None)):
                raise WhalereidError(f"rules: {rule!r:.60} is no rule; give one such as WithinDays(30).")
        names, searched = image_ids(queries, "queries"), image_ids(database, "database")
        self.shape = (len(names), len(searched))
        bound = [rule.bind(table_of(queries, rule.in_words()), table_of(database, rule.in_words())) for rule in rules]
        itself: list[Bound] = [Coded(*coded(names, searched), equal=False)]
        self._bound = itself + bound
        self._must_equal = [rule for rule in bound if isinstance(rule, Coded) and rule.equal]
        self._must_differ = [rule for rule in self._bound if isinstance(rule, Coded) and not rule.equal]
        self._others = [rule for rule in bound if not isinstance(rule, Coded)]

    def block(self, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """(q, d) bool: who is a candidate of whom, for these queries and these database photos."""
        first, *others = self._bound
        allowed = first.block(rows, columns)
        for rule in others:
            allowed &= rule.block(rows, columns)
        return allowed

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n,) bool: for n pairs of a query's row and a database photo's, whether it is a candidate."""
        first, *others = self._bound
        allowed = first.pairs(rows, columns)
        for rule in others:
            allowed &= rule.pairs(rows, columns)
        return allowed

    def count(self, rows: np.ndarray, equal: Sequence[tuple[np.ndarray, np.ndarray]] = ()) -> np.ndarray:
        """(n,) int64: how many candidates n queries have.

        Rules on equal values take time that grows with n + D. Other rules are asked pair by pair: for the pairs that
        the former leave, or for n × D of them where nothing must be equal.

        Parameters
        ----------
        rows : ndarray of shape (n,), int
            The queries, by row; one may be asked for several times.
        equal : sequence of pairs of ndarray, (n,) and (D,), int
            Count only photos whose code is the query's in each of these too; a negative code equals nothing.
        """
        key = np.zeros(len(rows), np.int64), np.zeros(self.shape[1], np.int64)
        for query, candidate in equal:
            key = _joined(key, (query, candidate))
        for rule in self._must_equal:
            key = _joined(key, (rule.query[rows], rule.candidate))
        if not self._others:
            return _counted(key, [(rule.query[rows], rule.candidate) for rule in self._must_differ])
        counts = np.zeros(len(rows), np.int64)
        for position, place in equal_pairs(*key):
            counts += np.bincount(position[self.pairs(rows[position], place)], minlength=len(rows))
        return counts

    def apply(self, scores: np.ndarray, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """Set the scores (q, d) of those who aren't candidates to -inf, in place; returns `scores`."""
        np.copyto(scores, -np.inf, where=~self.block(rows, columns))
        return scores


def equal_pairs(query: np.ndarray, candidate: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield blocks of the pairs (position in `query`, position in `candidate`) of equal codes that aren't negative."""
    order = np.argsort(candidate, kind="stable")
    start, stop = (np.searchsorted(candidate[order], query, side=side) for side in ("left", "right"))
    counts = np.where(query >= 0, stop - start, 0)
    block = np.cumsum(counts) // _BLOCK  # a common value has many photos, squared: not all pairs at once
    rows = np.flatnonzero(counts > 0)
    for some in np.split(rows, np.flatnonzero(np.diff(block[rows])) + 1):
        many = counts[some]
        within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        if len(some):
            yield np.repeat(some, many), order[np.repeat(start[some], many) + within]


def _joined(key: tuple[np.ndarray, np.ndarray], column: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Code two lists of codes as one: equal where both are; -1 where either is missing, or only the query has it."""
    stride = 1 + max(int(codes.max(initial=-1)) for codes in column)
    query, candidate = (
        np.where((k >= 0) & (c >= 0), k * stride + c, np.int64(-1)) for k, c in zip(key, column, strict=True)
    )
    codes, found = pd.factorize(candidate)
    codes[candidate < 0] = -1
    place = np.asarray(pd.Index(found).get_indexer(pd.Index(query)), np.int64)
    place[query < 0] = -1
    return place, np.asarray(codes, np.int64)


def _counted(key: tuple[np.ndarray, np.ndarray], unequal: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """(n,) int64: how many candidates' keys equal each query's, and differ in every one of the columns."""
    query, candidate = key
    held = np.bincount(candidate[candidate >= 0], minlength=1)
    counts = np.where(query >= 0, held[query], 0).astype(np.int64)
    for number, column in enumerate(unequal):  # less those whose first equal column this is
        if not counts.any():
            break
        counts -= _counted(_joined(key, column), unequal[:number])
    return counts
