from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalereid.catalogue import Catalogue
from whalereid.catalogue.columns import ALIASES
from whalereid.catalogue.schema import normalise, parse_bbox
from whalereid.errors import WhalereidError
from whalereid.text import is_viewpoint


def catalogue(**columns: object) -> Catalogue:
    n = max((len(values) for values in columns.values() if isinstance(values, list)), default=1)
    ids = {"image_id": [f"p{row}" for row in range(n)], "path": [f"p{row}.jpg" for row in range(n)]}
    return Catalogue(pd.DataFrame({**ids, **columns}), source="photos.csv")


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_aliases_are_read_in(alias: str, name: str) -> None:
    value = 7.5 if name in ("latitude", "longitude") else "left"
    assert catalogue(**{alias: [value]}).column(name).tolist() == [value]


def test_an_alias_stays_a_column_of_its_own_where_the_proper_name_is_there() -> None:
    photos = catalogue(identity=["a"], label=["b"])
    assert photos.column("identity").tolist() == ["a"]
    assert photos.column("label").tolist() == ["b"]


def test_names_of_columns_may_differ_in_case_and_spaces() -> None:
    frame = pd.DataFrame({"Image_ID": ["a"], " Path ": ["a.jpg"], "Whale_ID": ["w"], "Notes": ["x"]})
    assert Catalogue(frame).columns == ["image_id", "path", "identity", "Notes"]


@pytest.mark.parametrize("unknown", ["", " ", "unknown", "Unknown", "____", None, np.nan])
@pytest.mark.parametrize("name", ["identity", "viewpoint", "encounter"])
def test_unknown_is_missing(name: str, unknown: object) -> None:
    assert catalogue(**{name: ["left", unknown]}).known(name).tolist() == [True, False]


def test_up_and_top_are_one_viewpoint_left_and_right_two() -> None:
    viewpoints = catalogue(viewpoint=["up", "Top", "left", "RIGHT"]).column("viewpoint")
    assert viewpoints.tolist() == ["top", "top", "left", "right"]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("left", True),
        ("frontleft", True),
        ("back-right", True),
        ("up", True),
        ("lft", False),
        ("", False),
        ("-", False),
    ],
)
def test_viewpoints_known(name: str, known: bool) -> None:
    assert is_viewpoint(name) is known


def test_ids_are_text_whatever_they_come_as() -> None:
    frame = pd.DataFrame({"image_id": [1, 2], "path": ["a", "b"], "identity": [7.0, np.nan]})
    photos = Catalogue(frame)
    assert photos.image_ids.tolist() == ["1", "2"]
    assert photos.identities == ("7",)


def test_leading_zeros_survive_a_csv(table: Callable[[str], Path]) -> None:
    photos = Catalogue.read(table("image_id,path,identity\n0007,a.jpg,007\n"))
    assert photos.image_ids.tolist() == ["0007"]
    assert photos.identities == ("007",)


def test_sizes_are_numbers() -> None:
    photos = catalogue(height=["10", "20"], width=["1.5", ""])
    assert photos.column("height").dtype == np.int64
    assert photos.column("width").tolist()[0] == 1.5
    assert photos.known("width").tolist() == [True, False]


@pytest.mark.parametrize("value", ["wide", "1,5", "inf"])
def test_a_size_that_is_no_number_names_its_row(value: str) -> None:
    with pytest.raises(WhalereidError, match=r"photos\.csv, row 2, column height: .* is not a number"):
        catalogue(height=["10", value])


@pytest.mark.parametrize(
    "value",
    ["1,2,3,4", "[1, 2, 3, 4]", "(1.0, 2.0, 3.0, 4.0)", "1;2;3;4", " 1 2 3 4 ", (1, 2, 3, 4), np.array([1, 2, 3, 4])],
)
def test_boxes_in_every_form(value: object) -> None:
    photos = catalogue(bbox=[value, None, ""])
    assert photos.column("bbox").iloc[0] == (1.0, 2.0, 3.0, 4.0)
    assert photos.known("bbox").tolist() == [True, False, False]


@pytest.mark.parametrize(
    "value", ["1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,0,4", "1,2,3,-4", "nan,2,3,4", 5, "[[1,2,3,4]]"]
)
def test_a_box_that_is_none_names_its_row(value: object) -> None:
    with pytest.raises(WhalereidError, match=r"photos\.csv, row 1, column bbox: .* is not x, y, width, height"):
        catalogue(bbox=[value])


def test_boxes_in_four_columns() -> None:
    photos = catalogue(bbox_x=["1", ""], bbox_y=["2", ""], bbox_w=["3", ""], bbox_h=["4", ""])
    assert photos.column("bbox").iloc[0] == (1.0, 2.0, 3.0, 4.0)
    assert photos.columns == ["image_id", "path", "bbox"]
    with pytest.raises(WhalereidError, match="row 1, column bbox"):
        catalogue(bbox_x=["1"], bbox_y=["2"], bbox_w=["3"], bbox_h=[None])


@given(st.tuples(*[st.floats(-1e6, 1e6)] * 2, *[st.floats(1e-3, 1e6)] * 2))
def test_a_box_read_back_is_the_same(box: tuple[float, ...]) -> None:
    assert parse_bbox(str(box)) == parse_bbox(str(list(box))) == box


def test_cleaning_twice_changes_nothing() -> None:
    frame = pd.DataFrame(
        {
            "image_id": ["a ", "b"],
            "path": ["a", "b"],
            "name": ["w", "____"],
            "view": ["up", None],
            "bbox": ["1,2,3,4", ""],
        }
    )
    once = normalise(frame, where="x")
    pd.testing.assert_frame_equal(once, normalise(once, where="x"))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(WhalereidError, match=r"photos\.csv: no column path; it has image_id, file"):
        Catalogue(pd.DataFrame({"image_id": ["a"], "file": ["a.jpg"]}), source="photos.csv")


def test_two_columns_of_one_name_are_refused() -> None:
    frame = pd.DataFrame([["a", "b", "c"]], columns=["image_id", "path", "path"])
    with pytest.raises(WhalereidError, match="two columns are called path"):
        Catalogue(frame, source="photos.csv")


@pytest.mark.parametrize("name", ["image_id", "path"])
def test_an_empty_required_value_names_its_row(name: str) -> None:
    columns = {"image_id": ["a", "b"], "path": ["a.jpg", "b.jpg"], name: ["a", " "]}
    with pytest.raises(WhalereidError, match=rf"photos\.csv, row 2: {name} is empty"):
        Catalogue(pd.DataFrame(columns), source="photos.csv")


def test_repeated_ids_are_named_with_their_rows() -> None:
    frame = pd.DataFrame({"image_id": ["a", "b", "a", "b", "a"], "path": list("vwxyz")})
    with pytest.raises(WhalereidError, match=r"photos\.csv, rows 1, 3, 5: image_id 'a' is repeated.*'a', 'b'"):
        Catalogue(frame, source="photos.csv")
