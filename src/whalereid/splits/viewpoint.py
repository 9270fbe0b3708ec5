"""Split across viewpoints: queries of one, a database of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arguments import texts
from whalereid.errors import WhalereidError, listing
from whalereid.splits.base import LEFT_OUT, ONLY_TRAINING, PhotoInfo, SingleSplit, info_of, one_each
from whalereid.text import normalise_viewpoint

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
        both = sorted(set(_names(self.query, "query")) & set(_names(self.database, "database")))
        if both:
            raise WhalereidError(
                f"viewpoint {listing(both)} is asked for on both sides; queries and database must differ."
            )

    def _info(self, X: Any, y: Any, groups: Any) -> PhotoInfo:
        info = info_of(X, y)
        return info if groups is None else replace(info, viewpoint=_viewpoints(groups, len(info)))

    def _folds(self, info: PhotoInfo) -> np.ndarray:
        view = pd.Series(info.viewpoint)
        there = sorted(view.dropna().unique())
        wanted = [_names(self.query, "query"), _names(self.database, "database")]
        for name in (*wanted[0], *wanted[1]):
            if name not in there:
                raise WhalereidError(
                    f"{info.where}: no photo has the viewpoint {name!r}; it has {listing(there, most=12) or 'none'}."
                )
        queries, database = (view.isin(names).to_numpy(bool) for names in wanted)
        return np.where(queries, 0, np.where(database, ONLY_TRAINING, LEFT_OUT))


def _names(viewpoint: Any, argument: str) -> list[str]:
    names = texts(viewpoint, argument, "a viewpoint such as 'left', or several")
    if not names:
        raise WhalereidError(f"{argument} has no viewpoint; give one such as 'left', or several.")
    return [normalise_viewpoint(name) for name in names]


def _viewpoints(values: Any, n: int) -> np.ndarray:
    """(n,) object: viewpoints as catalogues write them, None where missing."""
    series = one_each(values, n, "groups")
    found = np.full(n, None, object)  # pandas would put NaN back
    known = series.notna().to_numpy()
    found[known] = series[known].map({view: normalise_viewpoint(str(view)) for view in series[known].unique()})
    return found
