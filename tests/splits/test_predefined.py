"""Fold tables: made, kept, read back, followed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import PredefinedSplit, cross_val_score

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.splits import (
    DateSplit,
    EncounterFolds,
    PhotoFolds,
    PredefinedFolds,
    ViewpointSplit,
    fold_table,
    read_folds,
    write_folds,
)

from .tables import table, tables

PHOTOS = table(identity=list("aabbcc"), encounter=list("123456"), viewpoint=["top"] * 4 + ["left", "right"])


@given(photos=tables(gaps=False))
@settings(max_examples=20, deadline=None)
def test_a_table_gives_the_same_folds(photos: Catalogue) -> None:
    try:
        splitter = EncounterFolds(2)
        expected = list(splitter.split(photos))
    except WhalereidError:
        return
    shuffled = fold_table(splitter, photos).sample(frac=1, random_state=0)
    found = list(PredefinedFolds(shuffled).split(photos))
    assert all(
        (ours == theirs).all() for o, t in zip(found, expected, strict=True) for ours, theirs in zip(o, t, strict=True)
    )


def test_written_and_read_back(tmp_path: Path) -> None:
    made = fold_table(EncounterFolds(3), PHOTOS)
    for name in ("folds.csv", "deep/folds.parquet"):
        write_folds(made, tmp_path / name)
        pd.testing.assert_frame_equal(read_folds(tmp_path / name, PHOTOS), made, check_dtype=False)
    assert (tmp_path / "folds.csv").read_text().splitlines()[0] == "image_id,fold"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "folds.csv"]


def test_single_splits_mark_what_is_only_trained_on_and_leave_out_the_rest() -> None:
    made = fold_table(ViewpointSplit("left", "top"), PHOTOS)
    assert made["image_id"].tolist() == ["p000", "p001", "p002", "p003", "p004"]
    assert made["fold"].tolist() == [-1, -1, -1, -1, 0]
    train, test = PredefinedFolds(made).first(PHOTOS)
    assert (len(train), test.image_ids.tolist()) == (4, ["p004"])


def test_photos_without_a_fold_are_in_neither_part() -> None:
    splitter = PredefinedFolds(pd.DataFrame({"image_id": ["p001", "p004", "p003"], "fold": [0, 1, 1]}))
    assert splitter.get_n_splits() == 2
    assert [(a.tolist(), b.tolist()) for a, b in splitter.split(PHOTOS)] == [([3, 4], [1]), ([1], [3, 4])]


def test_an_empty_fold_is_none_at_all(tmp_path: Path) -> None:
    (tmp_path / "folds.csv").write_text("image_id,fold\np001,0\np002,\np003,1\n")
    expected = pd.DataFrame({"image_id": ["p001", "p003"], "fold": [0, 1]})
    pd.testing.assert_frame_equal(read_folds(tmp_path / "folds.csv", PHOTOS), expected, check_dtype=False)
    joined = PHOTOS.join(expected)
    splitter = PredefinedFolds(joined.frame[["image_id", "fold"]])
    assert splitter.folds(joined).tolist() == [-2, 0, -2, 1, -2, -2]


def test_folds_keep_their_numbers() -> None:
    splitter = PredefinedFolds(pd.DataFrame({"image_id": PHOTOS.image_ids, "fold": [4, 4, 2, 2, 0, 0]}))
    assert splitter.fold(PHOTOS, 4)[1].image_ids.tolist() == ["p000", "p001"]
    assert fold_table(splitter, PHOTOS)["fold"].tolist() == [4, 4, 2, 2, 0, 0]
    with pytest.raises(WhalereidError, match=r"no fold 1; .* has 0, 2, 4"):
        splitter.fold(PHOTOS, 1)


def test_plain_rows_are_the_tables_own() -> None:
    folds = [0, 1, -1, 1, 0, 2]
    splitter = PredefinedFolds(pd.DataFrame({"image_id": PHOTOS.image_ids, "fold": folds}))
    X, y = np.zeros((6, 1)), [0, 1, 0, 1, 0, 1]
    expected = [(a.tolist(), b.tolist()) for a, b in PredefinedSplit(folds).split()]
    assert [(a.tolist(), b.tolist()) for a, b in splitter.split(X, y)] == expected
    assert len(cross_val_score(DummyClassifier(), X, y, cv=splitter)) == 3
    with pytest.raises(WhalereidError, match="the fold table has 6 photos, 5 rows were given; give a catalogue"):
        splitter.split(X[:5])


@pytest.mark.shared
def test_the_winners_table_is_read(shared: Path) -> None:
    photos = Catalogue.read(shared / "data/whaledo/metadata.csv")
    known = read_folds(shared / "golden/model/top_folds.csv", photos)
    assert len(known) == 5434
    made = fold_table(PhotoFolds(5, seed=42), photos.filter(viewpoint="top"))
    pd.testing.assert_frame_equal(made, known, check_dtype=False)
    train, valid = PredefinedFolds(known).fold(photos, 4)
    assert (len(train), len(valid)) == (5434 - 1086, 1086)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "image_id,part\np000,0\n",
            "folds.csv: no column fold; it has image_id, part; a fold table has image_id and fold",
        ),
        ("image_id,fold\np000,0\np001,x\n", "folds.csv, row 2: fold 'x' is none"),
        ("image_id,fold\np000,0.5\n", "folds.csv, row 1: fold '0.5' is none"),
        ("image_id,fold\np000,-2\n", "folds.csv, row 1: fold '-2' is none; folds count from 0, and -1 is for"),
        ("image_id,fold\n,1\n", "folds.csv, row 1: image_id is empty"),
        ("image_id,fold\np000,0\np000,1\n", "folds.csv, row 2: image_id 'p000' is repeated"),
        (
            "image_id,fold\np000,0\nq1,0\nq2,1\n",
            "folds.csv: 2 photos are not in photos.csv: q1, q2; are these",
        ),
        ("image_id,fold\np000,-1\n", "folds.csv: no photo is in a fold that is tested"),
    ],
)
def test_wrong_tables_are_refused_by_row(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "folds.csv").write_text(text)
    with pytest.raises(WhalereidError, match=says):
        read_folds(tmp_path / "folds.csv", PHOTOS)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(WhalereidError, match=r"nowhere\.csv"):
        read_folds(tmp_path / "nowhere.csv", PHOTOS)


def test_a_fold_without_photos_is_named() -> None:
    splitter = PredefinedFolds(fold_table(EncounterFolds(6), PHOTOS))
    with pytest.raises(WhalereidError, match=r"photos.csv: has no photo of fold .* of the fold table"):
        splitter.split(PHOTOS[:3])


def test_only_fold_tables_are_written_over(tmp_path: Path) -> None:
    made = fold_table(DateSplit("2020-06-02"), table(identity=["a", "b"], date=["2020-06-01", "2020-06-02"]))
    target = tmp_path / "photos.csv"
    PHOTOS.write(target)
    before = target.read_bytes()
    with pytest.raises(WhalereidError, match="is a catalogue, not a table of folds; choose another name"):
        write_folds(made, target)
    assert target.read_bytes() == before
    ours = tmp_path / "folds.csv"
    write_folds(fold_table(EncounterFolds(3), PHOTOS), ours)
    write_folds(made, ours)
    assert ours.read_text() == "image_id,fold\np000,-1\np001,0\n"
    for name, content in {"notes.csv": "remember the milk", "photo.jpg": "\x89\xff"}.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(WhalereidError, match="table of folds"):
            write_folds(made, tmp_path / name)
        assert (tmp_path / name).read_text() == content
    with pytest.raises(WhalereidError):
        write_folds(made, tmp_path)


def test_photos_that_the_table_lacks_are_named() -> None:
    photos = table(identity=list("aabbc"))
    folds = PredefinedFolds(pd.DataFrame({"image_id": ["p003", "p000", "p001", "p004"], "fold": [0, 1, -1, None]}))
    assert folds.left_out(photos).tolist() == ["p002", "p004"]
    assert (folds.folds(photos) == -2).sum() == 2
    assert folds.left_out(photos[[0, 1, 3]]).tolist() == []
