"""Split across viewpoints: queries of one, a database of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from whalereid.catalogue.schema import VIEWPOINT_SYNONYMS
from whalereid.errors import WhalereidError, listing
from whalereid.splits.base import LEFT_OUT, ONLY_TRAINING, Facts, SingleSplit, facts_of, texts

__all__ = ["ViewpointSplit"]


@dataclass(frozen=True)
class ViewpointSplit(SingleSplit):
    """Queries of one viewpoint, a database of another: `split` yields (database rows, query rows).

    How well animals are recognised from a side that the database doesn't show.

    Parameters
    ----------
    query : str or sequence of str
        The queries' viewpoint; several count as one, such as ``("left", "right")``.
    database : str or sequence of str
        The database's viewpoint.

    Notes
    -----
    With plain rows, ``groups`` holds the viewpoints. Photos of other viewpoints are left out. Encounters may straddle;
    exclude them when ranking, or split by encounter first.

    Examples
    --------
    >>> views = ["top", "left", "top", "right", "front"]
    >>> database, queries = next(ViewpointSplit(("left", "right"), "top").split(range(5), groups=views))
    >>> database.tolist(), queries.tolist()
    ([0, 2], [1, 3])
    """

    query: str | Sequence[str]
    database: str | Sequence[str]

    def __post_init__(self) -> None:
        both = sorted(set(_names(self.query)) & set(_names(self.database)))
        if both:
            raise WhalereidError(
                f"viewpoint {listing(both)} is asked for on both sides; queries and database must differ."
            )

    def _facts(self, X: Any, y: Any, groups: Any) -> Facts:
        facts = facts_of(X, y)
        return facts if groups is None else replace(facts, viewpoint=texts(groups, len(facts), "groups"))

    def _folds(self, facts: Facts) -> np.ndarray:
        there = sorted({view for view in facts.viewpoint if view is not None})
        for name in (*_names(self.query), *_names(self.database)):
            if name not in there:
                raise WhalereidError(
                    f"{facts.where}: no photo has the viewpoint {name!r}; it has {listing(there, most=12) or 'none'}."
                )
        queries, database = (
            np.isin(facts.viewpoint, _names(self.query)),
            np.isin(facts.viewpoint, _names(self.database)),
        )
        return np.where(queries, 0, np.where(database, ONLY_TRAINING, LEFT_OUT))


def _names(viewpoint: str | Sequence[str]) -> list[str]:
    names = [viewpoint] if isinstance(viewpoint, str) else list(viewpoint)
    plain = [name.strip().lower() for name in names]
    return [VIEWPOINT_SYNONYMS.get(name, name) for name in plain]
