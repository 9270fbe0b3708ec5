"""Candidate rules: which database photos a query may be compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError

__all__ = ["CandidateMask", "CandidateRules"]


@dataclass(frozen=True)
class CandidateRules:
    """What a biologist knows about who may be compared with whom. A photo is never its own candidate.

    Attributes
    ----------
    exclude : tuple of str
        Columns in which a candidate must not equal the query, such as ``encounter``; a missing value equals nothing.
    match : tuple of str
        Columns in which a candidate must equal the query, such as ``viewpoint``; a missing value matches nothing.
    """

    exclude: tuple[str, ...] = ()
    match: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "exclude", tuple(self.exclude))
        object.__setattr__(self, "match", tuple(self.match))

    def mask(self, queries: Catalogue, database: Catalogue) -> CandidateMask:
        """Bind the rules to two catalogues.

        Raises
        ------
        WhalereidError
            A column is absent from either, or has no value at all.
        """
        return CandidateMask(self, queries, database)


class CandidateMask:
    """Rules bound to queries and database; gives the mask of any block. Built by `CandidateRules.mask`."""

    def __init__(self, rules: CandidateRules, queries: Catalogue, database: Catalogue) -> None:
        self.shape = (len(queries), len(database))
        self._self = _codes(queries.image_ids, database.image_ids)
        self._exclude = [_column_codes(name, queries, database) for name in rules.exclude]
        self._match = [_column_codes(name, queries, database) for name in rules.match]

    def block(self, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """(q, d) bool: who is a candidate of whom, for these queries and these database photos."""
        ours, theirs = self._self
        allowed = ours[rows][:, None] != theirs[columns][None, :]
        for ours, theirs in self._exclude:
            value = ours[rows][:, None]
            allowed &= (value != theirs[columns][None, :]) | (value < 0)
        for ours, theirs in self._match:
            value = ours[rows][:, None]
            allowed &= (value == theirs[columns][None, :]) & (value >= 0)
        return allowed


def _codes(ours: Sequence[object] | np.ndarray, theirs: Sequence[object] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Code two lists of values over one vocabulary; missing is -1."""
    both = pd.concat([pd.Series(ours, dtype=object), pd.Series(theirs, dtype=object)], ignore_index=True)
    codes = pd.factorize(both)[0].astype(np.int32)
    return codes[: len(ours)], codes[len(ours) :]


def _column_codes(name: str, queries: Catalogue, database: Catalogue) -> tuple[np.ndarray, np.ndarray]:
    ours, theirs = queries.column(name), database.column(name)
    if len(ours) and len(theirs) and ours.isna().all() and theirs.isna().all():
        raise WhalereidError(f"{queries.source}: column {name!r} has no values, so it can't exclude or match anything.")
    return _codes(ours.to_numpy(object), theirs.to_numpy(object))
