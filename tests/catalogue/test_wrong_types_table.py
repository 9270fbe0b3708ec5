"""Whatever a catalogue is given in place of what it asks for, it refuses by name and never falls over."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError

FRAME = pd.DataFrame(
    {
        "image_id": list("abc"),
        "path": list("abc"),
        "identity": ["x", None, "y"],
        "viewpoint": ["up", "left", None],
        "fold": [0, 1, 0],
    }
)
PHOTOS = Catalogue(FRAME, source="photos.csv")
WRONG: list[Any] = [None, 7, 0.5, b"a", object(), [None], [7], np.array(3), np.zeros((2, 2))]
NO_IDS = [*WRONG, "z", ["a", "z"], ["a", None], [["a"], ["b", "c"]]]
NO_NAME = [*WRONG, ["identity"], ("identity", "path")]
# For each public method: calls of one argument, and what each refuses.
REFUSED: dict[str, list[tuple[Callable[[Any], object], list[Any]]]] = {
    "__init__": [
        (lambda wrong: Catalogue(wrong), [*WRONG, "photos.csv", FRAME["path"], pd.DataFrame()]),
        (lambda wrong: Catalogue(FRAME, wrong), WRONG),
        (lambda wrong: Catalogue(FRAME, scenarios=wrong), [*WRONG, "ab"]),
        (lambda wrong: Catalogue(FRAME, source=wrong), WRONG[1:]),
    ],
    "__getitem__": [
        (
            lambda wrong: PHOTOS[wrong],
            [
                *WRONG[:6],
                *WRONG[7:],
                0,
                -1,
                True,
                np.int64(0),
                "a",
                "identity",
                ["a"],
                [0.5],
                [1.0],
                [True, False],
                np.zeros(4, bool),
                np.zeros(0, bool),
                np.array([True, None, False]),
                pd.Series([True, pd.NA, False], dtype="boolean"),
                [3],
                [-4],
                [0, 0],
                [[0], [1, 2]],
                {0},
                {"a": 1},
                slice("a", "b"),
                slice(0, 3, 0),
                (row for row in range(2)),
            ],
        )
    ],
    "__iter__": [(lambda _: list(PHOTOS), [None]), (lambda wrong: wrong in PHOTOS, ["a"])],
    "assign": [
        (
            lambda wrong: PHOTOS.assign(identity=wrong),
            [
                object(),
                [],
                ["x"],
                np.zeros(4),
                pd.Series(["x"] * 4),
                np.zeros((3, 2)),
                {"x"},
                {"x": 1},
                lambda frame: 1,
            ],
        ),
        (lambda wrong: PHOTOS.assign(image_id=wrong), ["a", None, ["a", "b", None]]),
    ],
    "column": [(PHOTOS.column, [*NO_NAME, "encounter"])],
    "counts": [(PHOTOS.counts, [*NO_NAME, "encounter"])],
    "date_order": [(PHOTOS.date_order, [*NO_NAME, "date"])],
    "dates": [(lambda wrong: PHOTOS.dates(wrong), [*NO_NAME[1:], "date"])],
    "filter": [
        (lambda wrong: PHOTOS.filter(no_such=wrong), [1]),
        (lambda wrong: PHOTOS.filter(identity=wrong), [*WRONG, True, {7}, ["x", 7], float("nan")]),
        (lambda wrong: PHOTOS.filter(viewpoint=wrong), [*WRONG, True]),
        (lambda wrong: PHOTOS.filter(fold=wrong), [None, "0", ["0"], b"0", 1j, object()]),
    ],
    "head": [(PHOTOS.head, [None, -1, 1.5, True, "2"])],
    "join": [
        (
            PHOTOS.join,
            [
                *WRONG,
                "nowhere.csv",
                pd.DataFrame(),
                pd.DataFrame([["a", "b"]], columns=["image_id", "image_id"]),
                pd.DataFrame([["a", 1, 2]], columns=["image_id", "x", "x"]),
            ],
        )
    ],
    "known": [(PHOTOS.known, NO_NAME)],
    "labels": [(PHOTOS.labels, [*WRONG[1:], ["x", "x"], ["x", None]])],
    "read": [],  # the readers' own
    "rows": [(PHOTOS.rows, NO_IDS)],
    "subset": [(PHOTOS.subset, [*NO_IDS, "abc", ["a", "a"]])],
    "to_frame": [],  # takes nothing
    "fill": [
        (lambda wrong: PHOTOS.fill(identity=wrong), [object(), [], ["x"], np.zeros(4), [object()] * 3]),
        (lambda wrong: PHOTOS.fill(latitude=wrong), ["x", [91, 0, 0], ["a", "b", "c"]]),
    ],
    "with_notes": [(PHOTOS.with_notes, [None, 3, {1}, [1]])],
    "with_root": [(PHOTOS.with_root, [*WRONG, "/nowhere/at/all"])],
    "with_scenarios": [(PHOTOS.with_scenarios, [None, 3, {1}, [1], ["scenario01"]])],
    "write": [(PHOTOS.write, WRONG)],
    "written": [],  # takes nothing
}


def test_every_public_method_is_tried() -> None:
    told = {
        name
        for name, value in inspect.getmembers_static(Catalogue)
        if not name.startswith("_") and not isinstance(value, property | cached_property)
    }
    assert {name for name in REFUSED if not name.startswith("__")} == told
    assert all(inspect.isroutine(getattr(Catalogue, name)) for name in told)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_no_such_thing_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for call, wrongs in REFUSED[name]:
        for wrong in wrongs:
            with pytest.raises(WhalereidError) as error:
                call(wrong)
            assert "\n" not in str(error.value), wrong
    assert not list(tmp_path.iterdir())


def test_errors_say_what_would_do() -> None:
    with pytest.raises(WhalereidError, match=r"rows are slices, masks or lists; catalogue\[\[0\]\] is"):
        PHOTOS[0]  # type: ignore[index]
    with pytest.raises(WhalereidError, match=r"\.image_ids can, and so can the rows of its \.frame"):
        iter(PHOTOS)
    with pytest.raises(WhalereidError, match="the mask has 2 values for 3 photos"):
        PHOTOS[[True, False]]
    with pytest.raises(WhalereidError, match="there is no row 3; the catalogue has 3 photos"):
        PHOTOS[[3]]
    with pytest.raises(WhalereidError, match="identity is 7; give text"):
        PHOTOS.filter(identity=7)
    with pytest.raises(WhalereidError, match="identity has 2 values for 3 photos"):
        PHOTOS.assign(identity=["x", "y"])


def test_one_id_alone_is_one_id() -> None:
    photos = Catalogue(FRAME.assign(image_id=["abc", "b", "c"]))
    assert photos.subset("abc").image_ids.tolist() == ["abc"]
    assert photos.rows("c").tolist() == [2]
    assert photos.labels("y").tolist() == [-1, -1, 0]


def test_rows_of_every_right_kind_pass() -> None:
    mask = [True, False, True]
    for rows in (
        mask,
        np.array(mask),
        pd.Series(mask),
        pd.Series(mask, dtype="boolean"),
        pd.Series(mask, dtype=object),
    ):
        assert PHOTOS[rows].image_ids.tolist() == ["a", "c"]
    for rows in ([-1, 0], (2, 0), np.array([2, 0], np.uint8), pd.Index([2, 0]), np.array([2, 0], object)):
        assert PHOTOS[rows].image_ids.tolist() == ["c", "a"]  # type: ignore[index]
    assert [len(PHOTOS[rows]) for rows in ([], (), slice(None), slice(1, None))] == [0, 0, 3, 2]


def test_assigned_values_stand_in_the_order_of_rows() -> None:
    for values in (["x", "y", "z"], np.array(["x", "y", "z"]), pd.Series(["x", "y", "z"], index=[2, 1, 0])):
        assert PHOTOS.assign(identity=values).column("identity").tolist() == ["x", "y", "z"]
    assert PHOTOS.assign(identity="x").column("identity").tolist() == ["x"] * 3
    assert not PHOTOS.assign(identity=None).known("identity").any()


@pytest.mark.parametrize("name", ["up", "top", "Top", " UP "])
def test_viewpoints_are_found_however_they_are_written(name: str) -> None:
    assert PHOTOS.filter(viewpoint=name).image_ids.tolist() == ["a"]
    assert PHOTOS.filter(viewpoint=[name, "Left "]).image_ids.tolist() == ["a", "b"]
