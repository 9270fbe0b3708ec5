"""Across viewpoints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from whalereid.errors import WhalereidError
from whalereid.splits import ViewpointSplit

from .tables import table

PHOTOS = table(
    identity=["a", "a", "b", "c", "a", "b", None],
    viewpoint=["top", "left", "up", "right", "top", None, "front"],
    encounter=["1", "1", "2", "3", "4", "5", "6"],
)


def test_database_and_queries_are_of_their_viewpoints() -> None:
    database, queries = ViewpointSplit(("left", "right"), "top").first(PHOTOS)
    assert database.image_ids.tolist() == ["p000", "p002", "p004"]
    assert queries.image_ids.tolist() == ["p001", "p003"]


def test_synonyms_are_understood() -> None:
    assert (ViewpointSplit("left", "UP ").folds(PHOTOS) == ViewpointSplit("left", "top").folds(PHOTOS)).all()


def test_plain_rows_give_their_viewpoints_as_groups() -> None:
    database, queries = next(ViewpointSplit("left", "right").split(np.zeros((3, 2)), groups=["right", "left", None]))
    assert (database.tolist(), queries.tolist()) == ([0], [1])


def test_a_viewpoint_that_is_not_there_is_named() -> None:
    with pytest.raises(WhalereidError, match="no photo has the viewpoint 'bottom'; it has front, left, right, top"):
        ViewpointSplit("bottom", "top").split(PHOTOS)
    with pytest.raises(WhalereidError, match="no photo has the viewpoint 'left'; it has none"):
        ViewpointSplit("left", "top").split(table(identity=["a", "b"]))


def test_both_sides_must_differ() -> None:
    with pytest.raises(WhalereidError, match="viewpoint top is asked for on both sides"):
        ViewpointSplit(("left", "up"), "top")


@pytest.mark.parametrize(("query", "database"), [("Left", "up"), (" left ", "UP "), (["LEFT"], ("Top",))])
def test_viewpoints_are_found_however_they_are_written(query: Any, database: Any) -> None:
    split = ViewpointSplit(query, database)
    assert split.folds(table(identity=list("aab"), viewpoint=["left", "top", "front"])).tolist() == [0, -1, -2]
    assert split.folds(range(4), groups=["Left ", "up", "front", None]).tolist() == [0, -1, -2, -2]
