"""By date: training stays in the past."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.splits import DateSplit

from .tables import table, tables

DAYS = ["2020-06-01", "2020-06-02", "2020-06-03", "2020-06-04"]


@given(photos=tables(), share=st.floats(0.05, 0.95))
@settings(max_examples=40, deadline=None)
def test_training_is_the_past(photos: Catalogue, share: float) -> None:
    try:
        train, test = next(DateSplit(test_share=share).split(photos))
    except WhalereidError as error:
        assert "every encounter ends on" in str(error) or "no photo has a date" in str(error)  # noqa: PT017
        return
    assert len(train)
    assert len(test)
    assert not set(train) & set(test)
    dates, encounters = photos.dates(), photos.column("encounter").to_numpy(object)
    met = {value for value in encounters[test] if isinstance(value, str)}
    assert not met & set(encounters[train])
    left_out = sorted(set(range(len(photos))) - set(train) - set(test))
    assert np.isnat(dates[left_out]).all()
    # The cut lies after all training; photos before it are tested only with an encounter that lasts over it.
    latest = np.nanmax(dates[train]) if not np.isnat(dates[train]).all() else None
    for row in test:
        if latest is not None and dates[row] <= latest:
            lasts = dates[encounters == encounters[row]]
            assert np.nanmax(lasts) > latest


def test_by_date_the_day_itself_is_tested() -> None:
    photos = table(identity=list("abab"), date=DAYS)
    train, test = DateSplit("2020-06-03").first(photos)
    assert (train.image_ids.tolist(), test.image_ids.tolist()) == (["p000", "p001"], ["p002", "p003"])
    assert DateSplit("2020-06-03").get_n_splits() == 1


def test_by_date_and_time() -> None:
    hours = [f"2020-06-01 {hour}:30" for hour in ("08", "09", "10", "11")]
    photos = table(identity=list("abab"), encounter=list("1234"), date=hours)
    assert DateSplit("2020-06-01 10:00").folds(photos).tolist() == [-1, -1, 0, 0]


def test_a_share_cuts_between_days_nearest_to_it() -> None:
    photos = table(identity=list("ababababab"), date=[DAYS[0]] * 4 + [DAYS[1]] * 3 + [DAYS[2]] * 2 + [DAYS[3]])
    tested = {share: int((DateSplit(test_share=share).folds(photos) == 0).sum()) for share in (0.01, 0.15, 0.4, 0.9)}
    assert tested == {0.01: 1, 0.15: 1, 0.4: 3, 0.9: 6}  # of 1, 3 and 6


def test_an_encounter_over_the_date_is_tested_whole() -> None:
    photos = table(identity=list("aabb"), encounter=["1", "2", "2", "3"], date=[*DAYS[:3], DAYS[0]])
    assert DateSplit("2020-06-03").folds(photos).tolist() == [-1, 0, 0, -1]


def test_photos_without_a_date_go_with_their_encounter_or_are_left_out() -> None:
    photos = table(
        identity=list("ababa"),
        encounter=["1", "1", "2", None, "3"],
        date=["2020-06-01", None, "2020-06-02", None, "soon"],
    )
    assert DateSplit("2020-06-02").folds(photos).tolist() == [-1, -1, 0, -2, -2]


def test_plain_rows_give_their_dates_as_groups() -> None:
    dates = np.array(DAYS, "datetime64[D]")
    train, test = next(DateSplit("2020-06-02").split(np.zeros((4, 1)), groups=dates))
    assert (train.tolist(), test.tolist()) == ([0], [1, 2, 3])
    y = [0, 1, 0, 1]
    assert len(cross_val_score(DummyClassifier(), np.zeros((4, 1)), y, cv=DateSplit("2020-06-03"), groups=DAYS)) == 1


@pytest.mark.parametrize(
    ("date", "days", "says"),
    [
        (
            "2021-01-01",
            DAYS,
            "no photo is left to test when splitting at 2021-01-01; .* 2020-06-01 to 2020-06-04",
        ),
        ("2020-01-01", DAYS, "no photo is left to train on when splitting at 2020-01-01"),
        ("2020-01-01", [None, "", "soon", None], "no photo has a date; fill the column 'date'"),
    ],
)
def test_impossible_dates_say_why(date: str, days: list[str | None], says: str) -> None:
    with pytest.raises(WhalereidError, match=says):
        DateSplit(date).split(table(identity=list("abab"), date=days))


def test_one_day_cannot_be_shared_out() -> None:
    with pytest.raises(WhalereidError, match="every encounter ends on 2020-06-01; it takes two days"):
        DateSplit(test_share=0.5).split(table(identity=list("abab"), date=[DAYS[0]] * 4))


@pytest.mark.parametrize("given", [{}, {"date": "2020-01-01", "test_share": 0.2}])
def test_a_date_or_a_share(given: dict[str, object]) -> None:
    with pytest.raises(WhalereidError, match="either a date or test_share"):
        DateSplit(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"date": "last summer"}, "'last summer' is no date; write it as 2019-06-01"),
        ({"test_share": 0}, "test_share is 0; give a number between 0 and 1"),
        ({"test_share": 1.5}, "test_share is 1.5"),
        ({"test_share": "1"}, "test_share is '1'"),
    ],
)
def test_dates_and_shares_are_checked(given: dict[str, object], says: str) -> None:
    with pytest.raises(WhalereidError, match=says):
        DateSplit(**given)  # type: ignore[arg-type]
