"""A rule on pairs that a person has told apart."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from whalereid.arguments import instance, sequence
from whalereid.candidates.rule import PhotoTable
from whalereid.errors import WhalereidError
from whalereid.tables import id_columns, read_table

__all__ = ["MustNot", "read_must_not"]


@dataclass(frozen=True)
class MustNot:
    """These pairs are never compared: two animals in one frame, or what a person has called different.

    Attributes
    ----------
    pairs : sequence of pairs of str
        Two values each, such as two image ids. A pair holds both ways; values that no photo has say nothing.
    column : str, default="image_id"
        What the values are of; with ``encounter`` no photos of the two encounters are compared.
    """

    pairs: Iterable[tuple[str, str]]
    column: str = "image_id"

    def __post_init__(self) -> None:
        wanted = "pairs of ids, such as [('a', 'b')]; a command reads them from a file (must-not-file:file=FILE)"
        given = () if isinstance(self.pairs, str) else instance(self.pairs, "must-not: pairs", Iterable, wanted)
        pairs = tuple(sequence(pair, "must-not: one of pairs", 2, wanted) for pair in given)
        if not pairs or not all(isinstance(side, str) for pair in pairs for side in pair):
            raise WhalereidError(f"must-not: pairs is {self.pairs!r:.60}; give {wanted}.")
        object.__setattr__(self, "pairs", pairs)
        instance(self.column, "must-not: column", str, "the name of a column")

    def bind(self, queries: PhotoTable, database: PhotoTable) -> _Apart:
        """Find the values in both tables; see `Rule.bind`."""
        names = pd.Index(pd.unique(np.array(list(self.pairs), object).ravel()), dtype=object)
        one, other = (names.get_indexer(pd.Index(side, dtype=object)) for side in zip(*self.pairs, strict=True))
        query, candidate = (
            np.asarray(names.get_indexer(pd.Index(photos.column(self.column).to_numpy(object))), np.int64)
            for photos in (queries, database)
        )
        keys = np.unique(np.concatenate([one * len(names) + other, other * len(names) + one]))
        return _Apart(query, candidate, keys, len(names))

    def in_words(self) -> str:
        """``never one of 12 pairs that are told apart``."""
        many = len(tuple(self.pairs))
        return f"never {'the pair' if many == 1 else f'one of {many:,} pairs'} told apart"


@dataclass(frozen=True, eq=False)
class _Apart:
    """Few pairs among many: only those photos are looked at that are in one.

    Attributes
    ----------
    query, candidate : ndarray of shape (Q,) and (D,), int64
        The number of each photo's value; -1 where it is in no pair.
    keys : ndarray, int64, sorted
        The pairs: one number times `stride`, plus the other.
    stride : int
    """

    query: np.ndarray
    candidate: np.ndarray
    keys: np.ndarray
    stride: int

    def block(self, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """(q, d) bool, as in `Bound`."""
        query, candidate = self.query[rows], self.candidate[columns]
        allowed = np.ones((len(query), len(candidate)), bool)
        some = np.ix_(np.flatnonzero(query >= 0), np.flatnonzero(candidate >= 0))
        allowed[some] = ~np.isin(query[some[0]] * self.stride + candidate[some[1]], self.keys)
        return allowed

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n,) bool, as in `Bound`."""
        query, candidate = self.query[rows], self.candidate[columns]
        told_apart = np.isin(query * self.stride + candidate, self.keys)
        return np.asarray(~(told_apart & (query >= 0) & (candidate >= 0)))


def read_must_not(file: str | os.PathLike[str], column: str = "image_id") -> MustNot:
    """Read pairs from a table's first two columns, whatever they are called.

    Parameters
    ----------
    file : path
        CSV or Parquet, a row for each pair.
    column : str, default="image_id"
        What the values are of.

    Raises
    ------
    WhalereidError
        It can't be read, has one column only, or a value is missing; names the row.
    """
    table = read_table(Path(file))
    if table.shape[1] < 2:
        raise WhalereidError(f"{file}: has {table.shape[1]} columns; give two, a pair of ids in each row.")
    ids = id_columns(table, *table.columns[:2], where=str(file))
    return MustNot(tuple(ids.itertuples(index=False, name=None)), column)
