"""What the tests here share: the first place's routes, assembled from the library's parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings
from whalereid.ranking import Ensemble, Expand, Member, Route, ViewRoutes, only, without


class Slipped(ViewRoutes):
    """As submitted: once another route than the first has been taken, the last is taken in its place."""

    def __init__(self, routes: Sequence[Route]) -> None:
        super().__init__(routes)
        self.left_first = False

    def pick(self, queries: Catalogue, database: Catalogue) -> Route:
        route = super().pick(queries, database)
        self.left_first |= route is not self.routes[0]
        return self.routes[-1] if self.left_first and route is self.routes[0] else route


def _first_place(T: Embeddings, V: Embeddings, L: Embeddings, as_submitted: bool = False) -> ViewRoutes:
    top = Ensemble([Member("b5-top", T, 0.75), Member("v2m-top", V, 0.25)], clip=(0, 1))
    mixed = Ensemble([Member("b5-lateral", L, 0.75), Member("v2m-top", V, 0.25)], clip=(0, 1))
    lateral = Ensemble([Member("b5-lateral", L)], clip=(0, 1))
    best_two = Expand(weights=(0.4, 0.4, 0.2), power=7, shortlist=None)  # the winner took the whole database
    through_top = Expand(weights=(0.2, 0.4, 0.4), power=7, by=top, anchors="chain", shortlist=None)
    routes = [
        Route("top/top", top, best_two, queries=only("top"), database=only("top")),
        Route("lateral/top", lateral, through_top, queries=without("top"), database=only("top")),
        Route("top/lateral", lateral, best_two, queries=only("top"), database=without("top")),
        Route("anything else", mixed, best_two),
    ]
    return Slipped(routes) if as_submitted else ViewRoutes(routes)


@pytest.fixture(scope="session")
def first_place() -> Callable[..., ViewRoutes]:
    """The first place's ranker, given T, V, L."""
    return _first_place
