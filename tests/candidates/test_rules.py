"""Each rule against itself written out photo by photo; noted, asked for by name, and counted."""

from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whalereid.candidates import (
    Alive,
    BeyondDays,
    BeyondDistance,
    CandidateRules,
    Compared,
    Differ,
    MustNot,
    Same,
    Viewpoints,
    WithinDays,
    WithinDistance,
    read_must_not,
)
from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings
from whalereid.errors import WhalereidError
from whalereid.evaluation import Labels, Protocol
from whalereid.parts import RULES
from whalereid.ranking import Ensemble

DATES = st.sampled_from(["2020-01-01", "2020-01-31", "2020-02-15", "2021-06-01 12:30", None])
UNKNOWN = st.sampled_from(["nothing", "anything"])
NAMES = "abcdefg"


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    n = len(NAMES)

    def column(values: st.SearchStrategy[Any], sure: Any) -> list[Any]:
        return [*draw(st.lists(values, min_size=n - 1, max_size=n - 1)), sure]  # one value is known at least

    frame = {
        "image_id": list(NAMES),
        "path": list(NAMES),
        "identity": column(st.sampled_from(["nanuq", "siku", None]), "siku"),
        "encounter": column(st.sampled_from(["monday", "friday", None]), "friday"),
        "viewpoint": column(st.sampled_from(["left", "right", "top", None]), "top"),
        "date": column(DATES, "2020-01-01"),
        "born": column(DATES, "2020-01-01"),
        "died": column(DATES, "2021-06-01 12:30"),
        "latitude": column(st.floats(-90, 90) | st.none(), 60.0),
        "longitude": column(st.floats(-180, 180) | st.none(), -150.0),
    }
    return Catalogue(pd.DataFrame(frame).astype({"latitude": float, "longitude": float}))


@st.composite
def rules(draw: st.DrawFn) -> Any:
    unknown = draw(UNKNOWN)
    days, km = draw(st.sampled_from([0, 0.5, 30, 45])), draw(st.sampled_from([0, 1.5, 5000, 20040]))
    pairs = draw(st.lists(st.sampled_from(["left/left", "left/top", "right/right"]), min_size=1, unique=True))
    apart = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=4))
    return draw(
        st.sampled_from(
            [
                Differ("encounter", unknown),
                Same("viewpoint", unknown),
                WithinDays(days, unknown=unknown),
                BeyondDays(days, unknown=unknown),
                WithinDistance(km, unknown=unknown),
                BeyondDistance(km, unknown=unknown),
                Viewpoints(pairs, unknown=unknown),
                MustNot(apart),
                MustNot([("monday", "friday")], column="encounter"),
                Alive(unknown=unknown),
            ]
        )
    )


def allows(rule: Any, photos: Catalogue, one: int, other: int) -> bool:
    """The rule as a person would say it, for the query in row `one` and the candidate in row `other`."""
    frame = photos.frame
    query, candidate = frame.iloc[one], frame.iloc[other]
    anything = getattr(rule, "unknown", "nothing") == "anything"
    if isinstance(rule, Differ | Same | Viewpoints):
        query, candidate = query[rule.column], candidate[rule.column]
        if pd.isna(query) or pd.isna(candidate):
            return not anything if isinstance(rule, Differ) else anything
        if isinstance(rule, Viewpoints):
            return {query, candidate} in [set(pair.split("/")) for pair in rule.pairs]
        return (query == candidate) == isinstance(rule, Same)
    if isinstance(rule, WithinDays | BeyondDays):
        query, candidate = pd.to_datetime(query["date"]), pd.to_datetime(candidate["date"])
        unsure = pd.isna(query) or pd.isna(candidate)
        near = anything if unsure else abs((query - candidate).total_seconds()) <= rule.days * 86_400
        return near == isinstance(rule, WithinDays)
    if isinstance(rule, WithinDistance | BeyondDistance):
        places = [query["latitude"], query["longitude"], candidate["latitude"], candidate["longitude"]]
        near = anything if np.isnan(places).any() else great_circle(*np.radians(places)) <= rule.km
        return near == isinstance(rule, WithinDistance)
    if isinstance(rule, MustNot):
        pair = query[rule.column], candidate[rule.column]
        return pair not in rule.pairs and pair[::-1] not in rule.pairs
    assert isinstance(rule, Alive)
    when = pd.to_datetime(query["date"])
    if pd.isna(when):
        return anything
    animal = (
        frame[frame["identity"] == candidate["identity"]] if pd.notna(candidate["identity"]) else frame.iloc[[other]]
    )
    born, died = (
        pd.to_datetime(animal["born"], format="mixed").min(),
        pd.to_datetime(animal["died"], format="mixed").max(),
    )
    return not (pd.notna(born) and when < born) and not (pd.notna(died) and when > died)


def great_circle(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """By the haversine formula, which is another than the library's."""
    across = math.sin((other_lat - lat) / 2) ** 2
    across += math.cos(lat) * math.cos(other_lat) * math.sin((other_lon - lon) / 2) ** 2
    return 2 * 6371.0088 * math.asin(min(1.0, math.sqrt(across)))


@settings(max_examples=150, deadline=None)
@given(photos=catalogues(), asked=st.lists(rules(), min_size=1, max_size=3))
def test_as_a_person_would_say_it(photos: Catalogue, asked: list[Any]) -> None:
    n = len(photos)
    mask = CandidateRules(rules=asked).mask(photos, photos)
    want = np.array(
        [[i != j and all(allows(rule, photos, i, j) for rule in asked) for j in range(n)] for i in range(n)]
    )
    every = slice(None)
    np.testing.assert_array_equal(mask.block(every, every), want)
    some = np.array([5, 0, 2])
    np.testing.assert_array_equal(mask.block(some, slice(1, 6)), want[some, 1:6])
    at, other = np.indices(want.shape).reshape(2, -1)
    np.testing.assert_array_equal(mask.pairs(at, other), want.ravel())
    np.testing.assert_array_equal(mask.count(np.array([5, 0, 0])), want[[5, 0, 0]].sum(axis=1))
    labels = photos.labels()
    same = (labels[:, None] == labels) & (labels >= 0)
    np.testing.assert_array_equal(mask.count(np.arange(n), [(labels, labels)]), (want & same).sum(axis=1))


@settings(max_examples=100, deadline=None)
@given(asked=st.lists(rules(), max_size=4))
def test_noted_and_made_again(asked: list[Any]) -> None:
    given_rules = CandidateRules("encounter", "viewpoint", rules=asked)
    noted = json.loads(json.dumps(given_rules.to_list()))
    assert CandidateRules.from_list(noted) == given_rules
    assert hash(CandidateRules.from_list(noted)) == hash(given_rules)
    assert all(isinstance(words, str) and words for words in given_rules.in_words())
    for rule in asked:
        if not isinstance(rule, MustNot):  # whose pairs are too many for a command line
            assert RULES.make(str(RULES.describe(rule))) == rule


def test_rules_travel_from_rank_to_score() -> None:
    frame = pd.DataFrame({"image_id": list("abcd"), "path": list("abcd"), "identity": ["nanuq"] * 4})
    photos = Catalogue(frame.assign(date=["2020-01-01", "2020-01-02", "2020-03-01", "2020-03-02"]))
    ensemble = Ensemble({"mine": Embeddings.from_numpy(list("abcd"), np.eye(4)[[0, 0, 0, 1]] + 0.1)})
    far = CandidateRules(rules=[BeyondDays(7)])
    ranking = ensemble.rank(photos, photos, rules=["beyond-days:days=7"])
    assert [set(ids) for ids in ranking.ids] == [set("cd"), set("cd"), set("ab"), set("ab")]
    protocol = Protocol.from_catalogue(photos, rules=far)
    assert protocol.tasks[0].rules == far
    assert protocol.candidates.tolist() == [2, 2, 2, 2]
    assert Labels.implied(photos, protocol.tasks).counts.tolist() == [2, 2, 2, 2]


def test_a_protocol_keeps_its_rules(tmp_path: Path) -> None:
    frame = pd.DataFrame({"image_id": list("abcd"), "path": list("abcd"), "identity": ["nanuq"] * 4})
    photos = Catalogue(frame.assign(latitude=[60.0, 60, 61, 61], longitude=[0.0, 0, 0, 0]))
    protocol = Protocol.from_catalogue(photos, rules=[BeyondDistance(10), Differ("latitude", "anything")])
    protocol.write(tmp_path / "p")
    assert Protocol.read(tmp_path / "p", photos).tasks == protocol.tasks


@dataclass(frozen=True)
class Younger:
    """A stranger's rule, which no registry knows."""

    column: str = "age"

    def bind(self, queries: Any, database: Any) -> Compared:
        ages = [photos.column(self.column).to_numpy(float) for photos in (queries, database)]
        return Compared(ages[0], ages[1], lambda query, candidate: candidate < query)

    def in_words(self) -> str:
        return "always younger"


def test_a_rule_of_ones_own_ranks_but_is_not_noted() -> None:
    photos = Catalogue(pd.DataFrame({"image_id": list("abc"), "path": list("abc"), "age": [3, 1, 2]}))
    mine = CandidateRules(rules=[Younger()])
    assert mine.mask(photos, photos).block(slice(None), slice(None)).sum(axis=1).tolist() == [2, 0, 1]
    with pytest.raises(WhalereidError, match=r"no rule that can be noted.*whalereid\.rules"):
        mine.to_list()


def test_pairs_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "told.csv").write_text("left,right\na,b\n007,c\n")
    assert read_must_not(tmp_path / "told.csv").pairs == (("a", "b"), ("007", "c"))
    made = CandidateRules(rules=[f"must-not-file:file={tmp_path / 'told.csv'}"])
    assert made == CandidateRules(rules=[MustNot([("a", "b"), ("007", "c")])])
    assert CandidateRules.from_list(made.to_list()) == made
    (tmp_path / "told.csv").write_text("left,right\na,\n")
    with pytest.raises(WhalereidError, match=r"told\.csv, row 1: right is empty"):
        read_must_not(tmp_path / "told.csv")
    (tmp_path / "told.csv").write_text("left\na\n")
    with pytest.raises(WhalereidError, match="has 1 columns; give two"):
        read_must_not(tmp_path / "told.csv")


def test_viewpoints_are_read_as_a_catalogue_reads_them() -> None:
    photos = Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], "viewpoint": ["up", "Left"]}))
    mask = Viewpoints([" Up/LEFT"]).bind(photos, photos)
    assert mask.block(slice(None), slice(None)).tolist() == [[False, True], [True, False]]


def test_rules_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        CandidateRules().rules = ()  # type: ignore[misc]
    before = CandidateRules("encounter", "viewpoint", rules=[WithinDays(3)])
    assert set(before.but(exclude=()).rules) == {WithinDays(3), Same("viewpoint")}
    assert before.but(match=["date"]).match == ("date",)
    assert before.but(match=["date"]).exclude == ("encounter",)
    assert CandidateRules.of(before, exclude="date").exclude == ("date", "encounter")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: WithinDays(-1), "within-days: days is -1"),
        (lambda: WithinDays("x"), "days is 'x'"),
        (lambda: WithinDays(1, column=None), "column is None"),
        (lambda: BeyondDays(1, unknown="all"), "unknown is 'all'; choose from nothing, anything"),
        (lambda: WithinDistance(float("nan")), "km is nan"),
        (lambda: Viewpoints("left"), "pairs is 'left'; give pairs of viewpoints"),
        (lambda: Viewpoints([]), "pairs is 'empty'"),
        (lambda: MustNot("ab"), "pairs is 'ab'"),
        (lambda: MustNot([("a", 7)]), "must-not: pairs"),
        (lambda: MustNot([("a",)]), "one of pairs"),
        (lambda: Differ(None), "differ: column is None"),
        (lambda: Same("a", unknown=None), "same: unknown"),
        (lambda: CandidateRules(rules=7), "rules is 7"),
        (lambda: CandidateRules(rules=[7]), "7 is no rule"),
        (lambda: CandidateRules(rules=[WithinDays]), "is no rule"),
        (lambda: CandidateRules(rules=["within-dais:days=3"]), "did you mean 'within-days'"),
        (lambda: CandidateRules(rules=["within-days"]), "needs days"),
        (lambda: CandidateRules.from_list("x"), "rules are 'x'"),
    ],
)
def test_refusals(make: Any, says: str) -> None:
    with pytest.raises(WhalereidError, match=says):
        make()


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (WithinDays(3), "no column 'date'"),
        (WithinDays(3, column="note"), "'note' has no values"),
        (WithinDistance(3), "no column 'latitude'"),
        (WithinDistance(3, "den_lat", "den_lon"), r"photo 'b', column den_lat: .*no number of degrees from -90 to 90"),
        (Viewpoints(["a/a"]), "no column 'viewpoint'"),
        (Alive(), "no column 'date'"),
        (MustNot([("a", "b")], column="sea"), "no column 'sea'"),
    ],
)
def test_columns_that_do_not_fit(rule: Any, says: str) -> None:
    frame = pd.DataFrame(
        {"image_id": ["a", "b"], "path": ["a", "b"], "note": ["x", "y"], "den_lat": [1, 91], "den_lon": [0, 0]}
    )
    with pytest.raises(WhalereidError, match=says):
        CandidateRules(rules=[rule]).mask(Catalogue(frame), Catalogue(frame))
