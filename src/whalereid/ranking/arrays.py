"""What rankings are made from, as people give it: lists, columns and arrays of numbers, checked."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.errors import WhalereidError

__all__ = ["check_lists", "lists_of", "numbers_of", "score_column", "score_matrix"]


def lists_of(value: Any, name: str) -> list[list[Any]]:
    """A list a query, of ids or scores."""
    wanted = "a list for each query"
    rows = list(instance(value, name, Iterable, wanted))
    for row in rows:
        if isinstance(row, str) or not isinstance(row, Iterable):
            raise WhalereidError(f"{name}: one query's is {row!r:.60}; give {wanted}.")
    return [list(row) for row in rows]


def score_column(column: pd.Series) -> np.ndarray:
    """(n,) float64: numbers, and text that reads as one, as in a CSV; NaN where it is something else."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and column.dtype.kind != "c":
        return column.to_numpy(np.float64, na_value=np.nan)
    filled = column.astype(object)
    given = filled.map(lambda value: isinstance(value, str | Real) and not isinstance(value, bool | np.bool_))
    return pd.to_numeric(filled.where(given.astype(bool)), errors="coerce").to_numpy(np.float64)


def numbers_of(values: Any, name: str, kinds: str) -> np.ndarray:
    """An array of numbers of these kinds, in NumPy's letters."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise WhalereidError(f"{name}: can't be made one array of numbers ({error}).") from error
    if array.size and array.dtype.kind not in kinds:
        what = "whole numbers" if kinds == "iu" else "numbers"
        raise WhalereidError(f"{name}: hold {array.dtype}, not {what}.")
    return array if array.size else np.zeros(array.shape)  # of whatever kind an empty list is taken for


def check_lists(query_ids: np.ndarray, database_ids: np.ndarray, codes: np.ndarray, scores: np.ndarray) -> None:
    """Refuse arrays that are no ranking: see `Ranking.from_codes` for their shapes.

    Raises
    ------
    WhalereidError
        Shapes differ, an id is repeated, or a list has a gap, a photo twice, or scores that aren't finite and falling.
    """

    def first(bad: np.ndarray) -> str:
        return str(query_ids[int(np.flatnonzero(bad.any(axis=1))[0])])

    shape = codes.shape
    if len(shape) != 2 or scores.shape != shape or len(query_ids) != shape[0]:
        raise WhalereidError(f"ranking: {len(query_ids)} queries, codes {shape} and scores {scores.shape} don't fit.")
    queries = pd.Index(query_ids, dtype=object)
    if not queries.is_unique:
        raise WhalereidError(f"ranking: query {queries[queries.duplicated()][0]!r} is repeated.")
    if not pd.Index(database_ids, dtype=object).is_unique:
        raise WhalereidError("ranking: database ids repeat.")
    if shape[1] == 0:
        return
    filled = codes >= 0
    if codes.max(initial=-1) >= len(database_ids):
        raise WhalereidError("ranking: a code points past the database ids.")
    if (filled[:, 1:] & ~filled[:, :-1]).any():
        raise WhalereidError("ranking: padding may stand only at the end of a list.")
    bad = filled & ~np.isfinite(scores)
    if bad.any():
        raise WhalereidError(f"ranking: a score of query {first(bad)!r} is NaN or infinite.")
    bad = filled[:, 1:] & (scores[:, 1:] > scores[:, :-1])
    if bad.any():
        raise WhalereidError(f"ranking: scores of query {first(bad)!r} aren't in descending order.")
    order = np.sort(codes, axis=1)
    bad = (order[:, 1:] == order[:, :-1]) & (order[:, 1:] >= 0)
    if bad.any():
        raise WhalereidError(f"ranking: query {first(bad)!r} lists a photo twice.")


def score_matrix(scores: Any, queries: np.ndarray, database: np.ndarray, *, are: str) -> np.ndarray:
    """(Q, D) float64: a matrix of scores or distances as scores, a copy; see `Ranking.from_scores`.

    Raises
    ------
    WhalereidError
        It has another shape, or a value that can't be ranked.
    """
    matrix = numbers_of(scores, are, "iuf").astype(np.float64)
    if matrix.shape != (len(queries), len(database)):
        raise WhalereidError(
            f"{are} have shape {matrix.shape} for {len(queries)} queries and {len(database)} database photos; give a "
            "row for each query, a column for each photo."
        )
    if are == "distances":
        matrix = -matrix
    for wrong, what in ((np.isnan(matrix), "NaN"), (np.isposinf(matrix), "infinitely good")):
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise WhalereidError(f"{are}: that of {queries[row]!r} and {database[column]!r} is {what}.")
    return matrix
