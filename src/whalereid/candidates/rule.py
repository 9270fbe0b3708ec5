"""What a candidate rule is: bound to two tables of photos, it says which pairs it allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pandas as pd

from whalereid.arguments import choice, instance
from whalereid.errors import WhalereidError
from whalereid.text import id_array

__all__ = ["Bound", "Compared", "PhotoTable", "Photos", "Rule", "check_unknown", "image_ids", "table_of"]


@runtime_checkable
class PhotoTable(Protocol):
    """A table of N photos, as a `Catalogue` is one.

    Attributes
    ----------
    image_ids : ndarray of shape (N,), str objects
    source : str
        What errors call it.
    """

    @property
    def image_ids(self) -> np.ndarray:
        """(N,) str objects, unique."""

    @property
    def source(self) -> str:
        """What errors call it."""

    def column(self, name: str) -> pd.Series:
        """One column, (N,), missing values as NaN."""

    def dates(self, column: str | None = None) -> np.ndarray:
        """A column read as dates, (N,) datetime64[s], NaT where unknown."""


Photos: TypeAlias = PhotoTable | Sequence[str] | np.ndarray
"""A catalogue, or image ids."""


class Bound(Protocol):
    """A rule bound to Q queries and D database photos."""

    def block(self, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """(q, d) bool: which of these database photos each of these queries may be compared with."""

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n,) bool: for n pairs of a query's row and a database photo's, whether they may be compared."""


class Rule(Protocol):
    """What a biologist knows about who may be compared with whom.

    Rules are frozen dataclasses of plain values, so that they can be noted beside a ranking and asked for by name
    (`whalereid.parts.RULES`).
    """

    def bind(self, queries: PhotoTable, database: PhotoTable) -> Bound:
        """Read from both tables what the rule looks at.

        Raises
        ------
        WhalereidError
            A column is missing, or has no value that the rule can use.
        """

    def in_words(self) -> str:
        """The rule as a part of a sentence: ``never of the same encounter``."""


@dataclass(frozen=True, eq=False)
class Compared:
    """A rule that looks at one value of the query and one of the candidate.

    Attributes
    ----------
    query, candidate : ndarray of shape (Q, ...) and (D, ...)
        The values: numbers, codes, or vectors of them.
    allows : callable
        Takes arrays of values that broadcast against each other, and says which pairs are allowed.

    Examples
    --------
    >>> older = Compared(np.array([3, 5]), np.array([4, 5, 1]), lambda query, candidate: candidate >= query)
    >>> older.block(slice(None), slice(None)).astype(int)
    array([[1, 1, 0],
           [0, 1, 0]])
    >>> older.pairs(np.array([0, 1]), np.array([2, 1]))
    array([False,  True])
    """

    query: np.ndarray
    candidate: np.ndarray
    allows: Callable[[Any, Any], Any]

    def block(self, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """(q, d) bool, as in `Bound`."""
        return np.asarray(self.allows(self.query[rows][:, None], self.candidate[columns][None]), bool)

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n,) bool, as in `Bound`."""
        return np.asarray(self.allows(self.query[rows], self.candidate[columns]), bool)


def check_unknown(value: Any, rule: str) -> None:
    """Refuse a word for what a missing value matches that is none."""
    choice(value, f"{rule}: unknown", ("nothing", "anything"))


def image_ids(photos: Photos, name: str) -> np.ndarray:
    """(n,) str objects: the ids of a catalogue, or of a list of them; one text is one id.

    Raises
    ------
    WhalereidError
        It is neither; the message calls it by this name.
    """
    if isinstance(photos, PhotoTable):
        return photos.image_ids
    instance(photos, name, Iterable, "a Catalogue, or a list of image ids")
    return id_array([photos] if isinstance(photos, str) else photos, name)


def table_of(photos: Photos, rule: str) -> PhotoTable:
    """Return the photos if they have columns.

    Raises
    ------
    WhalereidError
        They are a list of ids alone.
    """
    if not isinstance(photos, PhotoTable):
        raise WhalereidError(f"rule ({rule}): needs queries and database as catalogues, which have columns.")
    return photos
