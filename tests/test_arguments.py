"""Arguments are refused by name, with what would do instead."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalereid import arguments
from whalereid.errors import WhalereidError

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.lists(st.integers()),
    st.complex_numbers(),
)


@given(ANYTHING)
def test_a_whole_number_comes_back_or_is_refused(value: object) -> None:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 9
    if fits:
        assert arguments.whole_number(value, "k", 0, 9) == value
    else:
        with pytest.raises(WhalereidError, match=r"^k is .*; give a whole number from 0 to 9"):
            arguments.whole_number(value, "k", 0, 9)


@given(ANYTHING)
def test_a_number_is_finite_and_inside(value: object) -> None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 < value < 1
    if fits:
        assert arguments.number(value, "share", 0, 1, open_ends=True) == value
    else:
        with pytest.raises(WhalereidError, match=r"^share is .*; give a number between 0 and 1"):
            arguments.number(value, "share", 0, 1, open_ends=True)


def test_numpy_numbers_are_numbers() -> None:
    assert arguments.whole_number(np.int64(3), "k", 1) == 3
    assert arguments.number(np.float32(0.5), "lr", 0) == 0.5


@pytest.mark.parametrize(
    ("least", "most", "open_ends", "words"),
    [
        (0, math.inf, True, "above 0"),
        (0, math.inf, False, "from 0"),
        (-math.inf, math.inf, False, "that is finite"),
        (0, 1, False, "from 0 to 1"),
    ],
)
def test_the_range_is_said(least: float, most: float, open_ends: bool, words: str) -> None:
    with pytest.raises(WhalereidError, match=f"lr is nan; give a number {words}"):
        arguments.number(math.nan, "lr", least, most, open_ends=open_ends)


@pytest.mark.parametrize("value", [-1, 2**32, 2**64 + 1, 1.5, "0", None])
def test_seeds_fit_every_generator(value: object) -> None:
    with pytest.raises(WhalereidError, match=r"^seed is .*4294967295"):
        arguments.seed(value)
    assert arguments.seed(2**32 - 1) == 2**32 - 1


def test_one_string_is_one_column() -> None:
    assert arguments.column_names("encounter", "exclude") == ("encounter",)
    assert arguments.column_names(None, "exclude") == ()
    for wrong in (7, [7], b"encounter"):
        with pytest.raises(WhalereidError, match=r"^exclude is .*columns"):
            arguments.column_names(wrong, "exclude")


def test_a_choice_lists_what_there_is() -> None:
    assert arguments.choice("mAP", "select_by", ["mAP", "loss"]) == "mAP"
    for wrong in ("map", None, ["mAP"]):
        with pytest.raises(WhalereidError, match=r"select_by is .*; choose from mAP, loss"):
            arguments.choice(wrong, "select_by", ["mAP", "loss"])
