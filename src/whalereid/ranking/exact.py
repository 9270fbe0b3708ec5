"""Exact top-k of scores that are computed block by block, whatever the blocks.

Blocks come from fast float32 matrix products, whose last bits depend on a block's shape and on where in it a pair
stands. So photos whose fast scores are too close to tell apart are compared again by exact scores, which depend on the
pair alone; equal ones stay in the order of the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

__all__ = ["BLOCK", "Scores", "Some", "Strip", "slices", "best_candidates"]

BLOCK = (1024, 4096)
"""Queries and database photos in a block: 16 MB of scores, small enough for a processor's cache."""

_SPARE = 12  # kept beyond k, so that near-ties at the k-th place seldom need a second look at the whole database
_WIDE_PAIRS = 1 << 22  # compared exactly at a time, where everything ties


class Scores(Protocol):
    """Scores of Q queries and D database photos, computed where they are asked for; -inf: not a candidate.

    Attributes
    ----------
    shape : tuple of int
        (Q, D).
    """

    @property
    def shape(self) -> tuple[int, int]:
        """(Q, D)."""

    def block(self, rows: slice | np.ndarray, columns: slice) -> np.ndarray:
        """(q, d) float32, fast; valid until the next call."""

    def exact(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n,) float64: the scores of n candidate pairs, each depending on its pair alone."""

    def error(self, scores: np.ndarray) -> np.ndarray:
        """Bound how far fast scores of this size may lie from the exact ones; float64, same shape."""


@dataclass(frozen=True)
class Strip:
    """Scores of some queries against the whole database, kept in memory.

    Attributes
    ----------
    values : ndarray of shape (q, D), float32
    exact, error : callables
        As in `Scores`; rows count from the strip's first.
    """

    values: np.ndarray
    exact: Callable[[np.ndarray, np.ndarray], np.ndarray]
    error: Callable[[np.ndarray], np.ndarray]

    @property
    def shape(self) -> tuple[int, int]:
        """(q, D)."""
        return self.values.shape[0], self.values.shape[1]

    def block(self, rows: slice | np.ndarray, columns: slice) -> np.ndarray:
        """(q, d) float32."""
        return self.values[rows, columns]


@dataclass(frozen=True)
class Some:
    """Scores of some of the queries.

    Attributes
    ----------
    scores : Scores of shape (Q, D)
    rows : slice
        Which of its queries, q.
    """

    scores: Scores
    rows: slice

    @property
    def shape(self) -> tuple[int, int]:
        """(q, D)."""
        return self.rows.stop - self.rows.start, self.scores.shape[1]

    def block(self, rows: slice | np.ndarray, columns: slice) -> np.ndarray:
        """(q, d) float32, as in `Scores`."""
        return self.scores.block(np.arange(self.rows.start, self.rows.stop)[rows], columns)

    def exact(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n,) float64, as in `Scores`."""
        return self.scores.exact(rows + self.rows.start, columns)

    def error(self, scores: np.ndarray) -> np.ndarray:
        """As in `Scores`."""
        return self.scores.error(scores)


def slices(n: int, step: int) -> Iterator[slice]:
    """Cut 0..n into runs of `step`."""
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def best_candidates(
    scores: Scores, k: int, *, block: tuple[int, int] = BLOCK, advance: Callable[[int], None] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Find each query's k best candidates, exactly; equal scores in database order.

    Parameters
    ----------
    scores : Scores of shape (Q, D)
    k : int
        How many, at most.
    block : tuple of int
        Queries and database photos per block. The ids that come out don't depend on it, and their scores only by the
        rounding of float32.
    advance : callable, optional
        Told how many queries are done, each time some are.

    Returns
    -------
    codes : ndarray of shape (Q, min(k, D)), int64
        Columns, best first; -1 pads.
    values : ndarray of the same shape, float64
        Descending; -inf pads.
    """
    n_queries, n_database = scores.shape
    k = min(k, n_database)
    kept = min(n_database, k + _SPARE)
    codes = np.full((n_queries, kept), -1, np.int64)
    values = np.full((n_queries, kept), -np.inf)
    if k == 0:
        return codes[:, :0], values[:, :0]
    for rows in slices(n_queries, block[0]):
        best = _Best(rows.stop - rows.start, kept)
        for columns in slices(n_database, block[1]):
            best.add(scores.block(rows, columns), columns.start)
        best.merge()
        codes[rows], values[rows] = best.codes, best.values
        _put_in_order(scores, rows, codes, values, k, block[1])
        if advance is not None:
            advance(rows.stop - rows.start)
    return codes[:, :k], values[:, :k]


class _Best:
    """The best scores of each of q rows, out of blocks; in no order, -1 and -inf where there are none.

    What beats the worst of them waits until there is enough to be worth a partition.
    """

    def __init__(self, n: int, kept: int) -> None:
        self.codes = np.full((n, kept), -1, np.int64)
        self.values = np.full((n, kept), -np.inf, np.float32)
        self._floor = np.full((n, 1), -np.inf, np.float32)
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, block: np.ndarray, start: int) -> None:
        """Take note of a block's scores, (q, d), of the database's photos from `start`."""
        kept = self.values.shape[1]
        better = block > self._floor
        counts = np.count_nonzero(better, axis=1)
        width = int(counts.max(initial=0))
        if width == 0:
            return
        if width > block.shape[1] // 4 and block.shape[1] > kept:  # the first blocks: most scores beat an empty list
            codes = np.argpartition(block, block.shape[1] - kept, axis=1)[:, -kept:]
            values = _taken(block, codes)
            codes = np.where(values > -np.inf, codes + start, -1)
        else:
            at = np.flatnonzero(better)
            rows, columns = np.divmod(at, block.shape[1])
            values = np.full((len(block), width), -np.inf, np.float32)
            codes = np.full((len(block), width), -1, np.int64)
            rank = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
            values[rows, rank] = block[rows, columns]
            codes[rows, rank] = columns + start
        self._waiting.append((values, codes))
        if sum(values.shape[1] for values, _ in self._waiting) >= kept:
            self.merge()

    def merge(self) -> None:
        """Bring in what waits."""
        kept = self.values.shape[1]
        values = np.hstack([self.values, *(values for values, _ in self._waiting)])
        codes = np.hstack([self.codes, *(codes for _, codes in self._waiting)])
        self._waiting = []
        keep = np.argpartition(values, values.shape[1] - kept, axis=1)[:, -kept:]
        self.values, self.codes = _taken(values, keep), _taken(codes, keep)
        self._floor = self.values.min(axis=1, keepdims=True)


def _taken(array: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Take columns (q, n) of each row; faster than NumPy's `take_along_axis`."""
    return array.reshape(-1).take(columns + np.arange(len(array))[:, None] * array.shape[1])


def _put_in_order(scores: Scores, rows: slice, codes: np.ndarray, values: np.ndarray, k: int, step: int) -> None:
    """Put the kept of these rows in order, best first, near-ties by their exact scores; in place."""
    code, value = codes[rows], values[rows]  # views
    code[:], value[:] = _in_order(code, value)
    full = value > -np.inf
    level = np.where(full, value, 0.0)  # padding has no differences to take
    error = scores.error(level)
    close = full[:, 1:] & (level[:, :-1] - level[:, 1:] <= error[:, :-1] + error[:, 1:])
    close[:, k - 1 :] = np.logical_and.accumulate(close[:, k - 1 :], axis=1)  # past k, only what ties with the k-th
    if value.shape[1] < scores.shape[1]:  # a photo that isn't kept might tie with the k-th: look at the whole row again
        last = full[:, -1] & (level[:, k - 1] - level[:, -1] <= error[:, k - 1] + error[:, -1])
        wide = np.flatnonzero(last)
    else:
        wide = np.empty(0, np.int64)
    near = np.zeros(value.shape, bool)
    near[:, 1:] |= close
    near[:, :-1] |= close
    near[wide] = False
    at = np.nonzero(near)
    if len(at[0]):
        value[at] = scores.exact(at[0] + rows.start, code[at])
        code[:], value[:] = _in_order(code, value)
    for some in slices(len(wide), max(1, _WIDE_PAIRS // scores.shape[1])):
        row = wide[some]
        floor = level[row, k - 1] - error[row, k - 1] - error[row, -1]
        _put_in_order_by_all(scores, row + rows.start, floor, codes, values, k, step)


def _put_in_order_by_all(
    scores: Scores, rows: np.ndarray, floor: np.ndarray, codes: np.ndarray, values: np.ndarray, k: int, step: int
) -> None:
    """Find the k best of these rows among all candidates down to `floor`, by exact scores; in place."""
    found = []
    for columns in slices(scores.shape[1], step):
        row, column = np.nonzero(scores.block(rows, columns) >= floor[:, None])
        found.append((row, column + columns.start))
    row, column = (np.concatenate(part) for part in zip(*found, strict=True))
    exact = scores.exact(rows[row], column)
    order = np.lexsort((column, -exact, row))
    row, column, exact = row[order], column[order], exact[order]
    counts = np.bincount(row, minlength=len(rows))
    rank = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    keep = rank < k
    codes[rows[row[keep]], rank[keep]] = column[keep]
    values[rows[row[keep]], rank[keep]] = exact[keep]


def _in_order(codes: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort each row: best first, equal scores by code, padding last."""
    by_code = np.argsort(codes, axis=1, kind="stable")
    codes, values = _taken(codes, by_code), _taken(values, by_code)
    by_value = np.argsort(-values, axis=1, kind="stable")
    return _taken(codes, by_value), _taken(values, by_value)
