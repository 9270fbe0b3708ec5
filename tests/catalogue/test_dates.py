from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalereid.catalogue import Catalogue
from whalereid.catalogue.dates import parse_dates


def parsed(*dates: object) -> list[str]:
    return [str(date) for date in parse_dates(pd.Series(list(dates), dtype=object))]


@pytest.mark.parametrize(
    "written",
    [
        "2017-08-07 20:38:36",
        "2017-08-07T20:38:36Z",
        "2017-08-07T20:38:36.5+02:00",
        "2017:08:07 20:38:36",
        "2017/08/07 20:38:36",
        "2017-8-7 20:38:36",
        "20170807 20:38:36",
        "7.8.2017 20:38:36",
        " 2017-08-07 8:38:36 PM ",
    ],
)
def test_a_moment_as_it_is_written(written: str) -> None:
    assert parsed(written) == ["2017-08-07T20:38:36"]


@pytest.mark.parametrize(
    "written",
    ["", "NA", "in August", "2017", "2017-13-01", "2017-02-30", "2017-08-07 25:00", "07/08/17", "31.4.2017", None],
)
def test_what_is_no_date_is_not_guessed(written: object) -> None:
    assert parsed(written) == ["NaT"]


def test_midnight_and_noon() -> None:
    assert parsed("2017-08-07 12:00 am", "2017-08-07 12:05 PM") == ["2017-08-07T00:00:00", "2017-08-07T12:05:00"]


def test_a_column_follows_the_order_that_it_shows() -> None:
    assert parsed("3/4/2017", "25/4/2017") == ["2017-04-03T00:00:00", "2017-04-25T00:00:00"]
    assert parsed("3/4/2017", "4-25-2017") == ["2017-03-04T00:00:00", "2017-04-25T00:00:00"]


def test_where_no_order_shows_or_two_do_only_plain_dates_are_read() -> None:
    assert parsed("3/4/2017", "5/5/2017") == ["NaT", "NaT"]
    assert parsed("3/4/2017", "25/4/2017", "4/25/2017") == ["NaT", "2017-04-25T00:00:00", "2017-04-25T00:00:00"]


@given(st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))))
def test_iso_dates_are_read_back(moments: list[object]) -> None:
    expected = np.array(moments, "datetime64[s]")
    np.testing.assert_array_equal(parse_dates(pd.Series([str(moment) for moment in moments], dtype=object)), expected)


def test_timestamps_go_before_dates_and_both_stay() -> None:
    frame = pd.DataFrame(
        {
            "image_id": list("abc"),
            "path": list("abc"),
            "date": ["2017-08-07"] * 3,
            "timestamp": ["2017-08-07 20:38", None, "?"],
        }
    )
    photos = Catalogue(frame)
    assert [str(date) for date in photos.dates()] == ["2017-08-07T20:38:00"] + ["2017-08-07T00:00:00"] * 2
    assert [str(date) for date in photos.dates("date")] == ["2017-08-07T00:00:00"] * 3
    assert photos.column("date").tolist() == ["2017-08-07"] * 3


def test_a_timestamp_alone_is_the_date() -> None:
    photos = Catalogue(
        pd.DataFrame({"image_id": ["a"], "path": ["a"], "timestamp": pd.to_datetime(["2017-08-07 20:38"])})
    )
    assert photos.column("date").tolist() == ["2017-08-07 20:38:00"]


def test_without_dates_all_are_unknown() -> None:
    assert np.isnat(Catalogue(pd.DataFrame({"image_id": ["a"], "path": ["a"]})).dates()).tolist() == [True]
