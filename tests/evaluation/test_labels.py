from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.evaluation import Labels, Protocol
from whalereid.ranking import tasks_from


def pairs(labels: Labels) -> set[tuple[str, str]]:
    return set(labels.to_frame().itertuples(index=False, name=None))


PAIRS = {("q", "a"), ("r", "a"), ("r", "b")}


def test_every_form_is_the_same_set_of_pairs(tmp_path: Path) -> None:
    frame = pd.DataFrame([*sorted(PAIRS), ("q", "a")], columns=["query_id", "database_image_id"])  # one row repeated
    frame.to_csv(tmp_path / "labels.csv", index=False)
    frame.to_parquet(tmp_path / "labels.parquet", index=False)
    forms = [
        {"q": {"a"}, "r": ["a", "b"], "s": ()},
        frame,
        tmp_path / "labels.csv",
        str(tmp_path / "labels.parquet"),
        Labels(["r", "q", "r"], ["b", "a", "a"]),
        Labels.from_codes(["x", "q", "r"], ["c", "b", "a"], np.array([1, 2, 2]), np.array([2, 2, 1])),
    ]
    for form in forms:
        labels = Labels.of(form)
        assert pairs(labels) == PAIRS
        assert dict(zip(labels.query_ids, labels.counts, strict=True)) == {"q": 1, "r": 2}
        assert sorted(labels.image_ids) == ["a", "b"]
    assert pairs(Labels.of([{"a"}, {"a", "b"}, set()], ["q", "r", "s"])) == PAIRS


def test_numbers_for_ids_are_text() -> None:
    assert pairs(Labels.of({1: {7}})) == {("1", "7")}
    assert pairs(Labels.of(pd.DataFrame({"query_id": [1], "database_image_id": [7]}))) == {("1", "7")}


def test_a_crowd_is_scored_but_not_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("whalereid.evaluation.implied._MOST", 20)
    frame = pd.DataFrame({"image_id": list("abcdefg"), "path": "x", "identity": ["nn"] * 5 + ["ann"] * 2})
    labels = Labels.implied(Catalogue(frame), tasks_from(Catalogue(frame)))
    assert labels.counts.tolist() == [4] * 5 + [1] * 2  # scoring needs no pairs
    assert len(labels) == 22
    with pytest.raises(WhalereidError, match="5 queries of identity 'nn' and its 5 photos are too many to list"):
        labels.to_frame()
    with pytest.raises(WhalereidError, match=r"labels.csv: .*identity 'nn'"):
        Protocol.from_catalogue(Catalogue(frame)).write(tmp_path / "protocol")
    assert not (tmp_path / "protocol").exists()


def test_no_pairs_at_all() -> None:
    labels = Labels.of({"q": set()})
    assert len(labels) == 0
    assert labels.counts.tolist() == []
    assert labels.to_frame().shape == (0, 2)


def test_errors_name_file_and_row(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("query_id,database_image_id\nq,a\nr,\n")
    with pytest.raises(WhalereidError, match=r"labels.csv, row 2: database_image_id is empty"):
        Labels.read(tmp_path / "labels.csv")
    (tmp_path / "other.csv").write_text("query,image\nq,a\n")
    with pytest.raises(WhalereidError, match=r"other.csv: no column query_id, database_image_id; it has query, image"):
        Labels.read(tmp_path / "other.csv")
    with pytest.raises(WhalereidError, match="give a mapping"):
        Labels.of([{"a"}])
    with pytest.raises(WhalereidError, match="2 query ids but 1 photos"):
        Labels(["q", "r"], ["a"])
