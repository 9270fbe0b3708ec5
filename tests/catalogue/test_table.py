from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whalereid.candidates import Task
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError


@pytest.fixture
def photos() -> Catalogue:
    frame = pd.DataFrame(
        {
            "image_id": list("abcde"),
            "path": [f"{name}.jpg" for name in "abcde"],
            "identity": ["w2", "w1", "w2", None, "w3"],
            "viewpoint": ["top", "left", "left", "top", None],
            "bbox": [(1, 2, 3, 4), None, None, None, None],
            "notes": [1, 2, 3, 4, 5],
        }
    )
    scenario = Task("s", ("s-a",), ("a",), ("b", "c"))
    return Catalogue(frame, "data", scenarios=[scenario], source="photos.csv")


def test_what_it_holds(photos: Catalogue) -> None:
    assert len(photos) == 5
    assert photos.identities == ("w1", "w2", "w3")
    assert photos.n_identities == 3
    assert photos.labels().tolist() == [1, 0, 1, -1, 2]
    assert photos.labels(["w3", "w2"]).tolist() == [1, -1, 1, -1, 0]
    assert photos.counts("identity").to_dict() == {"w2": 2, "w1": 1, "w3": 1}
    assert photos.paths[0] == Path("data/a.jpg")
    assert photos.known("viewpoint").tolist() == [True, True, True, True, False]
    assert not photos.known("encounter").any()


def test_it_cannot_be_changed_through_what_it_gives(photos: Catalogue) -> None:
    frame, column = photos.frame, photos.column("identity")
    frame["identity"] = "x"
    column[:] = "x"
    with pytest.raises(ValueError, match="read-only"):
        photos.image_ids[0] = "x"
    assert photos.image_ids[0] == "a"
    assert photos.identities == ("w1", "w2", "w3")


def test_parts(photos: Catalogue) -> None:
    assert photos[[4, 0]].image_ids.tolist() == ["e", "a"]
    assert photos[photos.labels() == 1].image_ids.tolist() == ["a", "c"]
    assert photos[1:3].image_ids.tolist() == ["b", "c"]
    assert len(photos[[]]) == 0
    assert photos.subset(["c", "a"]).identities == ("w2",)
    assert photos.filter(viewpoint="top", identity=["w1", "w2"]).image_ids.tolist() == ["a"]
    assert photos[[4]].labels().tolist() == [0]
    assert photos[[0]].scenarios == ()
    assert photos[[2, 1]].rows(["b"]).tolist() == [1]


def test_a_row_taken_twice_is_refused(photos: Catalogue) -> None:
    with pytest.raises(WhalereidError, match="'a' is repeated"):
        photos[[0, 0]]


def test_photos_and_columns_that_are_not_there_are_named(photos: Catalogue) -> None:
    with pytest.raises(WhalereidError, match=r"photos\.csv: 2 photos are not in the table: x, y"):
        photos.subset(["a", "x", "y"])
    with pytest.raises(WhalereidError, match=r"no column 'encounter'; it has image_id"):
        photos.column("encounter")


def test_join_adds_columns_and_keeps_paths_and_scenarios(photos: Catalogue, tmp_path: Path) -> None:
    folds = pd.DataFrame(
        {"image_id": list("edcb"), "fold": [0, 1, 0, 1], "path": "elsewhere", "identity": list("wxyz")}
    )
    joined = photos.join(folds)
    assert joined.image_ids.tolist() == list("abcde")
    assert joined.filter(fold=0).image_ids.tolist() == ["c", "e"]
    assert joined.column("identity").tolist()[1:] == ["z", "y", "x", "w"]
    assert joined.column("path").tolist() == photos.column("path").tolist()
    assert joined.scenarios == photos.scenarios
    folds.to_csv(tmp_path / "folds.csv", index=False)
    assert photos.join(tmp_path / "folds.csv").filter(fold=0).image_ids.tolist() == ["c", "e"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"fold": [1]}, "the joined table: no column image_id; it has fold"),
        ({"image_id": ["a", "a"]}, "'a' is repeated"),
        ({"image_id": ["z"]}, "none of the photos of photos.csv"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(photos: Catalogue, frame: dict[str, list[object]], message: str) -> None:
    with pytest.raises(WhalereidError, match=message):
        photos.join(pd.DataFrame(frame))


def test_a_path_that_leaves_the_root_is_refused_by_name(photos: Catalogue) -> None:
    for path in ("../x.jpg", "/etc/passwd", "a/../../x", "C:\\x.jpg", "..\\x.jpg"):
        with pytest.raises(WhalereidError, match=r"photos\.csv, photo 'e': the path .* leaves the table's folder data"):
            _ = photos.assign(path=["a", "b", "c", "d", path]).paths


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_written_and_read_back_it_is_the_same(photos: Catalogue, tmp_path: Path, name: str) -> None:
    photos.write(tmp_path / name)
    again = Catalogue.read(tmp_path / name)
    pd.testing.assert_frame_equal(
        again.frame.drop(columns="notes"), photos.frame.drop(columns="notes"), check_dtype=False
    )
    assert again.column("bbox").iloc[0] == (1.0, 2.0, 3.0, 4.0)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_it_travels_to_other_processes(photos: Catalogue) -> None:
    again = pickle.loads(pickle.dumps(photos))
    np.testing.assert_array_equal(again.image_ids, photos.image_ids)
    assert again.scenarios == photos.scenarios
