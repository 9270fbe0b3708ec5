"""View routes: which ensemble and re-ranker a task gets, by the viewpoints of its queries and its database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from whalereid.arguments import instance, texts
from whalereid.catalogue import Catalogue, TrainedOn
from whalereid.errors import WhalereidError, listing
from whalereid.ranking.ensemble import Ensemble
from whalereid.ranking.result import Ranking
from whalereid.ranking.search import Reranker, check_reranker
from whalereid.text import normalise_viewpoint

__all__ = ["Route", "ViewRoutes", "Views", "anything", "only", "without"]

Views = Callable[[frozenset[str]], bool]
"""Whether a set of viewpoints fits; an unknown viewpoint stands in the set as ``""``."""


def anything(views: frozenset[str]) -> bool:
    """Fit any photos."""
    return True


def only(*viewpoints: str) -> Views:
    """Fit photos that are all of these viewpoints; no photos at all fit too."""
    wanted = _known(viewpoints)
    return lambda views: views <= wanted


def without(*viewpoints: str) -> Views:
    """Fit photos none of which is of these viewpoints; no photos at all fit too."""
    unwanted = _known(viewpoints)
    return lambda views: views.isdisjoint(unwanted)


@dataclass(frozen=True, eq=False)
class Route:
    """How to rank queries and databases of certain viewpoints.

    Attributes
    ----------
    name : str
        Such as ``top/top``.
    ensemble : Ensemble
    rerank : Reranker or str, optional
    queries, database : callable, default=anything
        Given the set of viewpoints there, whether this route is for them: `only`, `without`, `anything`, or your own.
    """

    name: str
    ensemble: Ensemble
    rerank: Reranker | str | None = None
    queries: Views = anything
    database: Views = anything

    def __post_init__(self) -> None:
        instance(self.name, "name", str, "what the route is called, a text")
        instance(self.ensemble, "ensemble", Ensemble, "an Ensemble")
        object.__setattr__(self, "rerank", check_reranker(self.rerank))
        for side in ("queries", "database"):
            if not callable(getattr(self, side)):
                raise WhalereidError(f"{side} is {getattr(self, side)!r:.60}; give a condition such as only('top').")

    def fits(self, queries: Catalogue, database: Catalogue) -> bool:
        """Tell whether this route is for these photos."""
        return self.queries(viewpoints(queries, "queries")) and self.database(viewpoints(database, "database"))

    def rank(self, queries: Catalogue, database: Catalogue, k: int = 20, **options: Any) -> Ranking:
        """Rank by this route; arguments are those of `Ensemble.rank`."""
        return self.ensemble.rank(queries, database, k, rerank=self.rerank, **options)


class ViewRoutes:
    """Routes in order; the first that fits a task's photos ranks it.

    Parameters
    ----------
    routes : sequence of Route
        The last one should fit anything.

    Examples
    --------
    >>> import pandas as pd
    >>> from whalereid.embeddings import Embeddings
    >>> from whalereid.ranking.ensemble import Member
    >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], "viewpoint": ["top", "left"]}))
    >>> mine = Ensemble([Member("mine", Embeddings.from_numpy(["a", "b"], [[1.0, 0.0], [0.8, 0.6]]))])
    >>> routes = ViewRoutes([Route("top/top", mine, queries=only("top"), database=only("top")), Route("other", mine)])
    >>> routes.pick(photos.filter(viewpoint="top"), photos).name
    'other'
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        wanted = "a list of Route"
        self.routes: tuple[Route, ...] = tuple(instance(routes, "routes", Iterable, wanted))
        for route in self.routes:
            instance(route, "one of routes", Route, wanted)
        if not self.routes:
            raise WhalereidError("view routes: none given; give at least one.")

    @cached_property
    def trained_on(self) -> TrainedOn | None:
        """What any of the routes' networks was trained on; None where one doesn't say."""
        return TrainedOn.of_all(route.ensemble.trained_on for route in self.routes)

    def pick(self, queries: Catalogue, database: Catalogue) -> Route:
        """Find the first route that fits.

        Raises
        ------
        WhalereidError
            None does, or the catalogues have no viewpoints.
        """
        for route in self.routes:
            if route.fits(queries, database):
                return route
        raise WhalereidError(
            f"view routes: none of {listing(r.name for r in self.routes)} fits queries of viewpoints "
            f"{_names(viewpoints(queries, 'queries'))} and a database of {_names(viewpoints(database, 'database'))}; "
            "add a route that fits anything."
        )

    def rank(self, queries: Catalogue, database: Catalogue, k: int = 20, **options: Any) -> Ranking:
        """Rank by the route that fits; arguments are those of `Ensemble.rank`, less `rerank`, which the route has."""
        return self.pick(queries, database).rank(queries, database, k, **options)


def viewpoints(photos: Catalogue, name: str) -> frozenset[str]:
    """The viewpoints that occur; a missing one as ``""``. Errors call the photos by this name."""
    instance(photos, name, Catalogue, "a Catalogue: routes go by its viewpoints")
    return frozenset(photos.column("viewpoint").fillna("").unique())


def _known(views: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(normalise_viewpoint, texts(views, "viewpoints", "names of viewpoints, such as 'top'")))


def _names(views: frozenset[str]) -> str:
    return listing(sorted(view or "unknown" for view in views)) or "none"
