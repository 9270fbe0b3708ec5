"""Rules on one column: what candidate and query must share, and what they mustn't."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.candidates.rule import Compared, PhotoTable, check_unknown
from whalereid.errors import WhalereidError

__all__ = ["Coded", "Differ", "Same", "codes_of", "refuse_empty"]


@dataclass(frozen=True)
class Differ:
    """A candidate is never of the query's own value in a column, such as its encounter.

    Attributes
    ----------
    column : str
        Such as ``encounter``.
    unknown : {"nothing", "anything"}, default="nothing"
        What a missing value equals: nothing, so that the pair is allowed; or anything, so that it isn't.
    """

    column: str
    unknown: Literal["nothing", "anything"] = "nothing"

    def __post_init__(self) -> None:
        _check(self.column, self.unknown, "differ")

    def bind(self, queries: PhotoTable, database: PhotoTable) -> Coded | Compared:
        """Code the column; see `Rule.bind`."""
        query, candidate = codes_of(self.column, queries, database)
        if self.unknown == "nothing":
            return Coded(query, candidate, equal=False)
        return Compared(
            query, candidate, lambda query, candidate: (query != candidate) & (query >= 0) & (candidate >= 0)
        )

    def in_words(self) -> str:
        """``never of the same encounter``."""
        return f"never of the same {self.column}" + ("" if self.unknown == "nothing" else " or of an unknown one")


@dataclass(frozen=True)
class Same:
    """A candidate is always of the query's own value in a column, such as its viewpoint.

    Attributes
    ----------
    column : str
        Such as ``viewpoint``.
    unknown : {"nothing", "anything"}, default="nothing"
        What a missing value equals: nothing, so that the pair isn't allowed; or anything, so that it is.
    """

    column: str
    unknown: Literal["nothing", "anything"] = "nothing"

    def __post_init__(self) -> None:
        _check(self.column, self.unknown, "same")

    def bind(self, queries: PhotoTable, database: PhotoTable) -> Coded | Compared:
        """Code the column; see `Rule.bind`."""
        query, candidate = codes_of(self.column, queries, database)
        if self.unknown == "nothing":
            return Coded(query, candidate, equal=True)
        return Compared(query, candidate, lambda ask, look: (ask == look) | (ask < 0) | (look < 0))

    def in_words(self) -> str:
        """``always of the same viewpoint``."""
        return f"always of the same {self.column}" + ("" if self.unknown == "nothing" else " or of an unknown one")


@dataclass(frozen=True, eq=False)
class Coded:
    """A rule on equal codes: such ones are counted without looking at every pair.

    Attributes
    ----------
    query, candidate : ndarray of shape (Q,) and (D,), int
        Codes over one vocabulary; a missing value is negative, and never the same on both sides.
    equal : bool
        Whether the codes must be equal, or mustn't.
    """

    query: np.ndarray
    candidate: np.ndarray
    equal: bool

    def block(self, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """(q, d) bool, as in `Bound`."""
        return self._allows(self.query[rows][:, None], self.candidate[columns])

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n,) bool, as in `Bound`."""
        return self._allows(self.query[rows], self.candidate[columns])

    def _allows(self, query: np.ndarray, candidate: np.ndarray) -> np.ndarray:
        return np.asarray(query == candidate if self.equal else query != candidate)


def codes_of(name: str, queries: PhotoTable, database: PhotoTable) -> tuple[np.ndarray, np.ndarray]:
    """Code a column of both tables over one vocabulary; a missing value is -1 of a query, -2 of a candidate.

    Raises
    ------
    WhalereidError
        A table has no such column, or neither has a value in it.
    """
    query, candidate = queries.column(name), database.column(name)
    refuse_empty(name, query.isna().to_numpy(bool), candidate.isna().to_numpy(bool), queries)
    return coded(query.to_numpy(object), candidate.to_numpy(object))


def coded(query: np.ndarray, candidate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Code two lists of values over one vocabulary; a missing one is -1 or -2, so equal to nothing."""
    codes = pd.factorize(np.concatenate([query, candidate]))[0].astype(np.int32)
    left, right = codes[: len(query)], codes[len(query) :]
    return left, np.where(right < 0, np.int32(-2), right)


def refuse_empty(name: str, query: np.ndarray, candidate: np.ndarray, queries: PhotoTable) -> None:
    """Refuse a column in which neither table has a value, given where those are missing, (Q,) and (D,) bool."""
    if len(query) and len(candidate) and query.all() and candidate.all():
        raise WhalereidError(
            f"{queries.source}: column {name!r} has no values, so it can't exclude or match anything; fill it, or "
            "leave the rule out."
        )


def _check(column: object, unknown: object, rule: str) -> None:
    instance(column, f"{rule}: column", str, "the name of a column, such as 'encounter'")
    check_unknown(unknown, rule)
