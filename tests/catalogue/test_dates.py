from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalereid.catalogue import Catalogue, audit
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
    assert parsed("3/4/2017", "25/4/2017", "4/25/2017", "2017-08-07") == ["NaT"] * 3 + ["2017-08-07T00:00:00"]


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


SLASHED = pd.DataFrame({"image_id": list("abcd"), "path": list("abcd"), "date": ["3/4/2017", "25/4/2017", None, "?"]})
DATES = ["2017-04-03T00:00:00", "2017-04-25T00:00:00", "NaT", "NaT"]


def dates(photos: Catalogue) -> list[str]:
    return [str(date) for date in photos.dates()]


def test_a_part_of_a_table_reads_its_dates_as_the_whole_does() -> None:
    photos = Catalogue(SLASHED.assign(seen=SLASHED["date"]))
    part = photos[[0]]
    assert dates(part) == dates(photos.subset("a")) == dates(photos.filter(date="3/4/2017")) == DATES[:1]
    assert dates(part.assign(fold=0)) == dates(part.join(pd.DataFrame({"image_id": ["a"], "fold": [0]}))) == DATES[:1]
    assert [str(date) for date in part.dates("seen")] == DATES[:1]
    assert dates(photos) == DATES


def test_new_dates_are_read_as_they_show_themselves() -> None:
    part = Catalogue(SLASHED)[[0, 1]]
    assert dates(part.assign(date=["3/4/2017", "4/25/2017"])) == ["2017-03-04T00:00:00", "2017-04-25T00:00:00"]
    assert dates(part[[0]].assign(date="3/4/2017")) == ["NaT"]
    joined = part.join(pd.DataFrame({"image_id": ["a", "b"], "date": ["3/4/2017", "4/25/2017"]}))
    assert dates(joined) == ["2017-03-04T00:00:00", "2017-04-25T00:00:00"]


def test_a_part_that_is_written_keeps_its_dates(tmp_path: Path) -> None:
    photos = Catalogue(SLASHED.assign(timestamp=["3/4/2017 8:05 PM", "25/4/2017", None, "?"]))
    for name in ("part.csv", "part.parquet"):
        photos[[0, 2, 3]].write(tmp_path / name)
        read = Catalogue.read(tmp_path / name)
        assert dates(read) == ["2017-04-03T20:05:00", "NaT", "NaT"]
        assert read.column("date").fillna("").tolist() == ["2017-04-03", "", "?"]
        photos.write(tmp_path / name)
        assert Catalogue.read(tmp_path / name).column("date").fillna("").tolist() == ["3/4/2017", "25/4/2017", "", "?"]


def test_the_order_is_said() -> None:
    photos = Catalogue(SLASHED, notes=["a note"])
    assert photos.notes == ("a note", "column date: 2 dates read with the day first, as 25/4/2017 shows")
    assert photos[[0]].notes == photos.notes
    assert Catalogue(SLASHED[2:]).notes == ()
    unread = Catalogue(SLASHED[:1].rename(columns={"date": "timestamp"})).notes
    assert unread == (
        "column date: 1 date left unread, since none shows which number is the month, as 25/4/2017 would; "
        "write YYYY-MM-DD",
    )


def test_a_table_whose_rows_disagree_is_left_unread_as_a_whole_and_said() -> None:
    frame = pd.DataFrame({"image_id": list("abc"), "path": list("abc"), "date": ["3/4/2017", "25/4/2017", "4/25/2017"]})
    photos = Catalogue(frame)
    assert dates(photos) == ["NaT"] * 3
    assert [dates(photos[[row]]) for row in range(3)] == [["NaT"]] * 3
    assert photos.notes == (
        "column date: 3 dates left unread, since 25/4/2017 has the day first and 4/25/2017 the month; write YYYY-MM-DD",
    )
    (finding,) = [one for one in audit(photos, photos=False).findings if "date" in one.kind]
    assert finding.kind == "disagreeing-dates"
    assert finding.offenders == ("a", "b", "c")
    assert finding.examples == ("25/4/2017 has the day first, 4/25/2017 the month",)
