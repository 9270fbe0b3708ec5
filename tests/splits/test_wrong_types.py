"""Whatever is given in place of what is asked for, the splits refuse it by name and never fall over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import whalereid.splits
from whalereid.errors import WhalereidError
from whalereid.splits import (
    DateSplit,
    EncounterFolds,
    IdentityFolds,
    OpenSetSplit,
    PhotoFolds,
    PredefinedFolds,
    Splitter,
    ViewpointSplit,
    fold_table,
    leakage,
    leakage_over_folds,
    read_folds,
    write_folds,
)

from .tables import table

PHOTOS = table(
    identity=list("aabbccdd"),
    encounter=list("12345678"),
    date=["2020-06-01", "2020-06-02"] * 4,
    viewpoint=["top", "left"] * 4,
)
FOLDS = pd.DataFrame({"image_id": PHOTOS.image_ids, "fold": [0, 1] * 4})
WRONG: list[Any] = [
    None,
    7,
    0.5,
    "ab",
    b"ab",
    {},
    {"a"},
    [None],
    [[0], [1, 2]],
    object(),
    np.array(3),
    np.zeros((2, 2)),
]
NO_CATALOGUE = WRONG
NO_TABLE = [*WRONG, pd.DataFrame(), pd.DataFrame({"image_id": ["a"]}), pd.DataFrame({"image_id": ["a"], "fold": [[0]]})]
NO_PATH = [wrong for wrong in WRONG if not isinstance(wrong, str)]
NO_NUMBER = [wrong for wrong in WRONG if not isinstance(wrong, int)]
NO_FOLDS = [*NO_NUMBER, True, 1, -2, float("nan")]
NO_SEED = [*NO_NUMBER, True, -1, 2**32]
NO_SHARE = [*(wrong for wrong in WRONG if not isinstance(wrong, float)), True, float("nan"), 1.5, -1]
NO_DATE = [*(wrong for wrong in WRONG if wrong is not None), True, "soon"]
NO_VIEWPOINT = [*(wrong for wrong in WRONG if not isinstance(wrong, str | set)), [], ()]


def of_folds(kind: Callable[..., Splitter]) -> list[tuple[Callable[[Any], object], list[Any]]]:
    return [(lambda wrong: kind(wrong), NO_FOLDS), (lambda wrong: kind(2, seed=wrong), NO_SEED)]


MADE = {
    "DateSplit": DateSplit(test_share=0.5),
    "EncounterFolds": EncounterFolds(2),
    "IdentityFolds": IdentityFolds(2),
    "OpenSetSplit": OpenSetSplit(test_share=0.5),
    "PhotoFolds": PhotoFolds(2),
    "PredefinedFolds": PredefinedFolds(FOLDS),
    "ViewpointSplit": ViewpointSplit("left", "top"),
}
# For each public name: calls of one argument, and what each refuses.
REFUSED: dict[str, list[tuple[Callable[[Any], object], list[Any]]]] = {
    "DateSplit": [(lambda wrong: DateSplit(wrong), NO_DATE), (lambda wrong: DateSplit(test_share=wrong), NO_SHARE)],
    "EncounterFolds": of_folds(EncounterFolds),
    "IdentityFolds": of_folds(IdentityFolds),
    "OpenSetSplit": [
        (lambda wrong: OpenSetSplit(wrong), NO_SHARE),
        (lambda wrong: OpenSetSplit(test_share=wrong), NO_SHARE),
        (lambda wrong: OpenSetSplit(seed=wrong), NO_SEED),
    ],
    "PhotoFolds": of_folds(PhotoFolds),
    "PredefinedFolds": [
        (lambda wrong: PredefinedFolds(wrong), NO_TABLE),
        (lambda wrong: PredefinedFolds(FOLDS).left_out(wrong), NO_CATALOGUE),
    ],
    "ViewpointSplit": [
        (lambda wrong: ViewpointSplit(wrong, "top"), NO_VIEWPOINT),
        (lambda wrong: ViewpointSplit("left", wrong), NO_VIEWPOINT),
    ],
    "fold_table": [
        (lambda wrong: fold_table(wrong, PHOTOS), WRONG),
        (lambda wrong: fold_table(PhotoFolds(2), wrong), NO_CATALOGUE),
    ],
    "leakage": [
        (lambda wrong: leakage(wrong, PHOTOS), NO_CATALOGUE),
        (lambda wrong: leakage(PHOTOS, wrong), NO_CATALOGUE),
    ],
    "leakage_over_folds": [
        (lambda wrong: leakage_over_folds(wrong, PhotoFolds(2)), NO_CATALOGUE),
        (lambda wrong: leakage_over_folds(PHOTOS, wrong), WRONG),
    ],
    "read_folds": [
        (lambda wrong: read_folds(wrong, PHOTOS), [*NO_PATH, "nowhere.csv"]),
        (lambda wrong: read_folds("nowhere.csv", wrong), NO_CATALOGUE),
    ],
    "write_folds": [
        (lambda wrong: write_folds(wrong, "folds.csv"), NO_TABLE),
        (lambda wrong: write_folds(FOLDS, wrong), NO_PATH),
    ],
}
NOTHING_TO_GIVE = {"BorderHint", "FoldLeakage", "Leakage", "Splitter"}  # made by others, or abstract


def test_every_public_name_is_tried() -> None:
    assert set(whalereid.splits.__all__) == REFUSED.keys() | NOTHING_TO_GIVE
    kinds = [getattr(whalereid.splits, name) for name in whalereid.splits.__all__]
    splitters = {kind.__name__ for kind in kinds if isinstance(kind, type) and issubclass(kind, Splitter)}
    assert splitters - {"Splitter"} == MADE.keys()


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_no_such_thing_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for call, wrongs in REFUSED[name]:
        for wrong in wrongs:
            with pytest.raises(WhalereidError) as error:
                call(wrong)
            assert "\n" not in str(error.value), wrong
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", sorted(MADE))
def test_splitters_refuse_what_has_no_rows(name: str) -> None:
    splitter = MADE[name]
    list(splitter.split(PHOTOS))  # what is right passes
    for wrong in (None, 7, 0.5, "ab", b"ab", {"a": 1}, object(), np.array(3), [], (row for row in range(4))):
        for call in (splitter.split, splitter.folds):
            with pytest.raises(WhalereidError, match=r"^X is a|no photos to split"):
                call(wrong)
    for wrong in NO_CATALOGUE:
        with pytest.raises(WhalereidError, match=r"^catalogue is "):
            splitter.first(wrong)
        with pytest.raises(WhalereidError, match=r"^catalogue is "):
            splitter.fold(wrong, 0)
    for number in (None, "a", 0.5, True, -1, [0], np.array([0, 1])):
        with pytest.raises(WhalereidError, match=r"^number is "):
            splitter.fold(PHOTOS, number)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(MADE.keys() - {"PredefinedFolds"}))
@pytest.mark.parametrize("wrong", [7, "abcd", b"abcd", {"a": 1}, object(), np.array(3), np.zeros((4, 2)), [1, 2], []])
def test_splitters_refuse_labels_and_groups_that_are_not_one_a_photo(name: str, wrong: Any) -> None:
    for given in ({"y": wrong}, {"groups": wrong}):
        with pytest.raises(WhalereidError, match=f"^{next(iter(given))} (is a|has)"):
            MADE[name].split(range(4), **given)


def test_labels_of_any_kind_are_told_apart() -> None:
    groups = ["1", "2", "3", "4"]
    for y in (["b", "b", "a", "a"], [2, 2, 1, 1], np.array([2.0, 2.0, 1.0, 1.0]), [True, True, False, False]):
        expected = IdentityFolds(2).folds(range(4), ["b", "b", "a", "a"], groups)
        np.testing.assert_array_equal(IdentityFolds(2).folds(range(4), y, groups), expected)
        np.testing.assert_array_equal(
            IdentityFolds(2).folds(range(4), pd.Series(y, index=[9, 8, 7, 6]), groups), expected
        )
