"""Ranking: validated and frozen; tables, files, one below the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from whalereid.errors import WhalereidError
from whalereid.ranking import Ranking

RANKING = Ranking(ids=[["a", "z"], ["b"], []], scores=[[0.9, 0.1 + 0.2], [-0.7], []], query_ids=["q", "r", "s"])


@pytest.mark.parametrize("name", ["r.csv", "r.parquet"])
def test_written_and_read_to_the_last_bit(tmp_path, name):
    RANKING.write(tmp_path / name)
    again = Ranking.read(tmp_path / name)
    pd.testing.assert_frame_equal(again.to_frame(), RANKING.to_frame(), check_exact=True)
    assert again.query_ids.tolist() == ["q", "r"]  # an empty list has no row


def test_rows_in_any_order_and_equal_scores_as_they_stand():
    frame = pd.DataFrame(
        {"query_id": ["q", "r", "q", "q"], "database_image_id": ["a", "b", "c", "d"], "score": [0.1, 1, 0.5, 0.5]}
    )
    ranking = Ranking.from_frame(frame)
    assert [ids.tolist() for ids in ranking.ids] == [["c", "d", "a"], ["b"]]


def test_one_below_the_other():
    other = Ranking(ids=[["z", "y", "b"]], scores=[[3, 2, 1]], query_ids=["t"])
    both = Ranking.concat([RANKING, other, Ranking(ids=[], scores=[])])
    assert both.query_ids.tolist() == ["q", "r", "s", "t"]
    assert [ids.tolist() for ids in both.ids] == [["a", "z"], ["b"], [], ["z", "y", "b"]]
    assert both.scores[1].tolist() == [-0.7, -np.inf, -np.inf]
    assert len(Ranking.concat([])) == 0
    with pytest.raises(WhalereidError, match="'q' is repeated"):
        Ranking.concat([RANKING, RANKING])


def test_cut():
    assert RANKING.cut(1).lengths.tolist() == [1, 1, 0]
    assert RANKING.cut(5).k == 2
    with pytest.raises(WhalereidError, match="k is 0"):
        RANKING.cut(0)


def test_frozen():
    with pytest.raises(ValueError, match="read-only"):
        RANKING.scores[0, 0] = 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ranking(ids=[["a"]], scores=[[0.1, 0.2]]), "differ in shape"),
        (lambda: Ranking(ids=[["a", "b"]], scores=[[0.1, 0.2]]), "descending"),
        (lambda: Ranking(ids=[["a", "a"]], scores=[[0.2, 0.1]]), "twice"),
        (lambda: Ranking(ids=[["a"]], scores=[[float("nan")]]), "NaN"),
        (lambda: Ranking(ids=[["a"], ["b"]], scores=[[1], [1]], query_ids=["q", "q"]), "'q' is repeated"),
        (lambda: Ranking.from_codes(["q"], ["a"], [[1]], [[0.5]]), "points past"),
        (lambda: Ranking.from_codes(["q"], ["a"], [[-1, 0]], [[-np.inf, 0.5]]), "padding"),
        (lambda: Ranking.from_codes(["q"], ["a", "a"], [[0]], [[0.5]]), "repeat"),
        (lambda: Ranking.from_frame(pd.DataFrame({"query_id": [], "score": []})), "database_image_id"),
        (
            lambda: Ranking.from_frame(
                pd.DataFrame({"query_id": ["q", "q"], "database_image_id": ["a", "a"], "score": [1, 0]})
            ),
            "row 2: query 'q' lists 'a' twice",
        ),
        (
            lambda: Ranking.from_frame(pd.DataFrame({"query_id": ["q"], "database_image_id": ["a"], "score": ["?"]})),
            "row 1: score '\\?'",
        ),
        (
            lambda: Ranking.from_frame(pd.DataFrame({"query_id": [None], "database_image_id": ["a"], "score": [1]})),
            "row 1: query_id is empty",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(WhalereidError, match=message):
        make()
