"""View routes: which task goes where."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings
from whalereid.errors import WhalereidError
from whalereid.ranking import Ensemble, Expand, Member, Route, ViewRoutes, anything, only, without

NAMES = ["t1", "t2", "l1", "r1", "x1"]
PHOTOS = Catalogue(pd.DataFrame({"image_id": NAMES, "path": NAMES, "viewpoint": ["up", "top", "left", "right", None]}))
ENSEMBLE = Ensemble([Member("m", Embeddings.from_numpy(NAMES, np.random.default_rng(0).normal(size=(5, 3))))])


@pytest.mark.parametrize(
    ("queries", "database", "route"),
    [
        (["t1"], ["t2"], "top/top"),
        (["l1", "r1"], ["t1", "t2"], "lateral/top"),
        (["t1"], ["l1"], "top/lateral"),
        (["t1", "l1"], ["t2"], "rest"),
        (["t1"], ["t2", "l1"], "rest"),
        (["l1"], ["r1"], "rest"),
        (["x1"], ["t1"], "lateral/top"),  # an unknown view is no top view
        (["t1"], [], "top/top"),  # of no photos at all, all are of the top view
        (["l1"], [], "lateral/top"),
        ([], [], "top/top"),
    ],
)
def test_the_first_that_fits(queries, database, route):
    routes = ViewRoutes(
        [
            Route("top/top", ENSEMBLE, queries=only("top"), database=only("top")),
            Route("lateral/top", ENSEMBLE, queries=without("top"), database=only("top")),
            Route("top/lateral", ENSEMBLE, queries=only("top"), database=without("top")),
            Route("rest", ENSEMBLE, queries=anything),
        ]
    )
    assert routes.pick(PHOTOS.subset(queries), PHOTOS.subset(database)).name == route


def test_ranks_as_its_route_does():
    reranker = Expand(weights=(0.5, 0.5))
    routes = ViewRoutes([Route("any", ENSEMBLE, reranker)])
    got = routes.rank(PHOTOS[:2], PHOTOS, 2, query_ids=["a", "b"], match=["viewpoint"])
    want = ENSEMBLE.rank(PHOTOS[:2], PHOTOS, 2, rerank=reranker, query_ids=["a", "b"], match=["viewpoint"])
    pd.testing.assert_frame_equal(got.to_frame(), want.to_frame())


def test_none_fits():
    routes = ViewRoutes([Route("top/top", ENSEMBLE, queries=only("top"), database=only("top"))])
    with pytest.raises(
        WhalereidError, match="none of top/top fits queries of viewpoints left and a database of left, top"
    ):
        routes.pick(PHOTOS.subset(["l1"]), PHOTOS.subset(["l1", "t1"]))
    with pytest.raises(WhalereidError, match="at least one"):
        ViewRoutes([])


def test_no_viewpoints():
    bare = Catalogue(pd.DataFrame({"image_id": ["t1"], "path": ["t1"]}))
    routes = ViewRoutes([Route("top/top", ENSEMBLE, queries=only("top"))])
    with pytest.raises(WhalereidError, match="viewpoint"):
        routes.pick(bare, bare)


@pytest.mark.parametrize("name", ["up", "Top", " UP "])
def test_viewpoints_are_meant_however_they_are_written(name):
    assert only(name)(frozenset({"top"}))
    assert not without(name)(frozenset({"top"}))
