"""Candidate rules: which database photos a query may be compared with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from whalereid.arguments import column_names, instance
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.text import id_array

__all__ = ["CandidateMask", "CandidateRules", "Photos", "image_ids"]

Photos = Catalogue | Sequence[str] | np.ndarray
"""A catalogue, or image ids."""


@dataclass(frozen=True)
class CandidateRules:
    """What a biologist knows about who may be compared with whom. A photo is never its own candidate.

    Attributes
    ----------
    exclude : tuple of str
        Columns in which a candidate must not equal the query, such as ``encounter``; a missing value equals nothing.
        One string is one column.
    match : tuple of str
        Columns in which a candidate must equal the query, such as ``viewpoint``; a missing value matches nothing.

    Raises
    ------
    WhalereidError
        Something is no name of a column.

    Examples
    --------
    >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b", "c"], "path": ["a", "b", "c"],
    ...                                  "encounter": ["monday", "monday", None]}))
    >>> CandidateRules(exclude=["encounter"]).mask(photos, photos).block(slice(None), slice(None)).astype(int)
    array([[0, 0, 1],
           [0, 0, 1],
           [1, 1, 0]])
    """

    exclude: Sequence[str] = ()
    match: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("exclude", "match"):
            object.__setattr__(self, name, column_names(getattr(self, name), name))

    def mask(self, queries: Photos, database: Photos) -> CandidateMask:
        """Bind the rules to Q queries and D database photos.

        Parameters
        ----------
        queries, database : Catalogue, or sequence of str
            Lists of image ids will do where no column is asked for.

        Raises
        ------
        WhalereidError
            A column is absent from either or has no value at all, or lists of ids were given where columns are needed.
        """
        return CandidateMask(self, queries, database)


class CandidateMask:
    """Rules bound to queries and database; gives the mask of any block. Built by `CandidateRules.mask`.

    Attributes
    ----------
    shape : tuple of int
        (Q, D).
    """

    def __init__(self, rules: CandidateRules, queries: Photos, database: Photos) -> None:
        instance(rules, "rules", CandidateRules, "CandidateRules")
        names, searched = image_ids(queries, "queries"), image_ids(database, "database")
        self.shape = (len(names), len(searched))
        self._self = _codes(names, searched)
        self._exclude = [_column_codes(name, queries, database) for name in rules.exclude]
        self._match = [_column_codes(name, queries, database) for name in rules.match]

    def block(self, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """(q, d) bool: who is a candidate of whom, for these queries and these database photos."""
        return ~self._refused(rows, columns)

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n,) bool: for n pairs of a query's row and a database photo's, whether it is a candidate."""
        allowed = np.asarray(self._self[0][rows] != self._self[1][columns])
        for ours, theirs in self._exclude:
            allowed &= ours[rows] != theirs[columns]
        for ours, theirs in self._match:
            allowed &= ours[rows] == theirs[columns]
        return allowed

    def count(self, rows: np.ndarray, equal: Sequence[tuple[np.ndarray, np.ndarray]] = ()) -> np.ndarray:
        """(n,) int64: how many candidates n queries have, in time that grows with n + D, where `block` takes n × D.

        Parameters
        ----------
        rows : ndarray of shape (n,), int
            The queries, by row; one may be asked for several times.
        equal : sequence of pairs of ndarray, (n,) and (D,), int
            Count only photos whose code is the query's in each of these too; a negative code equals nothing.
        """
        key = np.zeros(len(rows), np.int64), np.zeros(self.shape[1], np.int64)
        for ours, theirs in equal:
            key = _joined(key, (ours, theirs))
        for ours, theirs in self._match:
            key = _joined(key, (ours[rows], theirs))
        unequal = [(ours[rows], theirs) for ours, theirs in [self._self, *self._exclude]]
        return _counted(key, unequal)

    def apply(self, scores: np.ndarray, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """Set the scores (q, d) of those who aren't candidates to -inf, in place; returns `scores`."""
        np.copyto(scores, -np.inf, where=self._refused(rows, columns))
        return scores

    def _refused(self, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """(q, d) bool: who is no candidate."""
        ours, theirs = self._self
        refused = np.equal(ours[rows][:, None], theirs[columns])
        for ours, theirs in self._exclude:
            refused |= ours[rows][:, None] == theirs[columns]
        for ours, theirs in self._match:
            refused |= ours[rows][:, None] != theirs[columns]
        return refused


def image_ids(photos: Photos, name: str) -> np.ndarray:
    """(n,) str objects: the ids of a catalogue, or of a list of them; one text is one id.

    Raises
    ------
    WhalereidError
        It is neither; the message calls it by this name.
    """
    if isinstance(photos, Catalogue):
        return photos.image_ids
    instance(photos, name, Iterable, "a Catalogue, or a list of image ids")
    return id_array([photos] if isinstance(photos, str) else photos, name)


def _codes(ours: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Code two lists of values over one vocabulary; missing is -1 on our side, -2 on theirs, so equal to nothing."""
    codes = pd.factorize(np.concatenate([ours, theirs]))[0].astype(np.int32)
    left, right = codes[: len(ours)], codes[len(ours) :]
    return left, np.where(right < 0, np.int32(-2), right)


def _joined(key: tuple[np.ndarray, np.ndarray], column: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Code two lists of codes as one: equal where both are; -1 where either is missing, or only our side has it."""
    stride = 1 + max(int(codes.max(initial=-1)) for codes in column)
    ours, theirs = (
        np.where((k >= 0) & (c >= 0), k * stride + c, np.int64(-1)) for k, c in zip(key, column, strict=True)
    )
    codes, found = pd.factorize(theirs)
    codes[theirs < 0] = -1
    place = np.asarray(pd.Index(found).get_indexer(pd.Index(ours)), np.int64)
    place[ours < 0] = -1
    return place, np.asarray(codes, np.int64)


def _counted(key: tuple[np.ndarray, np.ndarray], unequal: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """(n,) int64: for each of our keys how many of theirs equal it, and differ in every one of the columns."""
    ours, theirs = key
    held = np.bincount(theirs[theirs >= 0], minlength=1)
    counts = np.where(ours >= 0, held[ours], 0).astype(np.int64)
    for number, column in enumerate(unequal):  # less those whose first equal column this is
        if not counts.any():
            break
        counts -= _counted(_joined(key, column), unequal[:number])
    return counts


def _column_codes(name: str, queries: Photos, database: Photos) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(queries, Catalogue) or not isinstance(database, Catalogue):
        raise WhalereidError(f"a rule on {name!r} needs queries and database as catalogues, which have columns.")
    ours, theirs = queries.column(name), database.column(name)
    if len(ours) and len(theirs) and ours.isna().all() and theirs.isna().all():
        raise WhalereidError(
            f"{queries.source}: column {name!r} has no values, so it can't exclude or match anything; fill it, or "
            "leave the rule out."
        )
    return _codes(ours.to_numpy(object), theirs.to_numpy(object))
