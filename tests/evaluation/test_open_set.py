"""OpenSetOutcome against hand-worked cases and a slow oracle."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.evaluation import Bootstrap, OpenSetOutcome, Protocol, Report, evaluate, evaluate_open_set
from whalereid.ranking import Ranking
from whalereid.reporting import draw_open_set

BARE = Bootstrap(resamples=0)  # no intervals


def drawn(seed: int, queries: int = 200, animals: int = 40) -> OpenSetOutcome:
    rng = np.random.default_rng(seed)
    animal = rng.integers(0, animals, queries)
    known = animal < animals // 2
    scores = np.round(rng.normal(0.4 + 0.3 * known, 0.2), 2)  # rounded, so that ties are common
    correct = known & (rng.random(queries) < 0.8)
    return OpenSetOutcome(scores, known, correct, [f"animal{a}" for a in animal])


def test_by_hand() -> None:
    # Nanuq has two photos (one matched right, one wrong), Sedna one (right); Ahti (two photos) and Kiviuq are new.
    outcome = OpenSetOutcome(
        scores=[0.9, 0.8, 0.6, 0.7, 0.2, 0.5],
        known=[True, True, True, False, False, False],
        correct=[True, False, True, False, False, False],
        identities=["nanuq", "nanuq", "sedna", "ahti", "ahti", "kiviuq"],
    )
    assert outcome.identification_rate(0.65) == pytest.approx(1 / 3)
    assert outcome.false_alarm_rate(0.65) == pytest.approx(1 / 3)
    assert outcome.baks(0.55) == pytest.approx((1 / 2 + 1) / 2)
    assert outcome.baus(0.55) == pytest.approx((1 / 2 + 1) / 2)
    assert outcome.auroc() == pytest.approx(8 / 9)  # of nine pairs only sedna's 0.6 lies below ahti's 0.7
    assert outcome.summary(0.65)["new queries"] == 3


@given(st.integers(0, 10_000), st.floats(-0.5, 1.5))
def test_rates_against_a_loop(seed: int, threshold: float) -> None:
    outcome = drawn(seed)
    rows = list(zip(outcome.scores, outcome.known, outcome.correct, strict=True))
    alarms = [s >= threshold for s, k, _ in rows if not k]
    found = [c and s >= threshold for s, k, c in rows if k]
    assert outcome.false_alarm_rate(threshold) == pytest.approx(sum(alarms) / len(alarms))
    assert outcome.identification_rate(threshold) == pytest.approx(sum(found) / len(found))
    names = outcome._animal
    right = np.where(outcome.scores >= threshold, outcome.correct, False)
    truth, guess = names[outcome.known], np.where(right[outcome.known], names[outcome.known], -1)
    with np.errstate(all="ignore"):
        recalls = [np.mean(guess[truth == a] == a) for a in np.unique(truth)]
    assert outcome.baks(threshold) == pytest.approx(np.mean(recalls))


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
def test_balanced_accuracies_are_scikit_learns() -> None:
    outcome = drawn(5)
    new = ~outcome.known
    guess = np.where(outcome.scores[new] < 0.5, outcome._animal[new], -1)
    assert outcome.baus(0.5) == pytest.approx(balanced_accuracy_score(outcome._animal[new], guess))
    assert outcome.auroc() == pytest.approx(roc_auc_score(outcome.known, outcome.scores))


@given(st.integers(0, 10_000))
def test_curve_agrees_with_the_rates_and_never_falls(seed: int) -> None:
    outcome = drawn(seed)
    curve = outcome.curve()
    assert (np.diff(curve["false_alarm_rate"]) >= 0).all()
    assert (np.diff(curve["identification_rate"]) >= 0).all()
    for row in curve.iloc[:: max(1, len(curve) // 7)].itertuples():
        assert row.false_alarm_rate == pytest.approx(outcome.false_alarm_rate(row.threshold))
        assert row.identification_rate == pytest.approx(outcome.identification_rate(row.threshold))
    assert curve["false_alarm_rate"].iloc[[0, -1]].tolist() == [0.0, 1.0]


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_the_threshold_is_the_lowest_that_keeps_the_rate(seed: int, rate: float) -> None:
    outcome = drawn(seed)
    chosen = outcome.threshold(rate, bootstrap=Bootstrap(resamples=20, seed=seed))
    assert outcome.false_alarm_rate(chosen.value) <= rate + 1e-9
    assert chosen.measured == outcome.false_alarm_rate(chosen.value)
    lower = outcome.scores[~outcome.known & (outcome.scores < chosen.value)]
    if len(lower):  # taking in the next score down would be too much
        assert outcome.false_alarm_rate(lower.max()) > rate - 1e-9
    assert chosen.low <= chosen.high


def test_the_interval_covers_the_true_threshold() -> None:
    """Of new animals whose scores are uniform, the true threshold at 10% is 0.9; the interval should hold it often."""
    rng = np.random.default_rng(7)
    held = 0
    for trial in range(60):
        scores = rng.random(150)
        outcome = OpenSetOutcome(scores, np.zeros(150, bool), np.zeros(150, bool))
        found = outcome.threshold(0.1, bootstrap=Bootstrap(resamples=200, seed=trial))
        held += found.low <= 0.9 <= found.high
    assert 50 <= held <= 60  # 95% of 60 is 57


def test_resampling_is_by_animal() -> None:
    """Ten photos of each of ten animals tell less than a hundred animals: the interval is wider."""
    scores = np.repeat(np.linspace(0, 1, 10), 10)
    none = np.zeros(100, bool)
    clustered = OpenSetOutcome(scores, none, none, np.repeat([f"a{i}" for i in range(10)], 10)).threshold(0.3)
    single = OpenSetOutcome(scores, none, none).threshold(0.3)
    assert clustered.high - clustered.low > single.high - single.low
    again = OpenSetOutcome(scores, none, none, np.repeat([f"a{i}" for i in range(10)], 10)).threshold(0.3)
    assert (again.low, again.high) == (clustered.low, clustered.high)


def test_a_query_without_candidates_counts_as_called_new() -> None:
    outcome = OpenSetOutcome([-np.inf, 0.5, 0.4], [False, True, False], [False, True, False])
    assert outcome.false_alarm_rate(0.3) == 0.5
    assert outcome.auroc() == 1.0


def test_no_match_is_never_accepted() -> None:
    """Where every finite score may be accepted any score will do, and who had no match at all is still called new."""
    outcome = OpenSetOutcome([-np.inf, 0.5, 0.4, -np.inf], [False, True, False, True], [False, True, False, False])
    assert outcome.false_alarm_rate(-np.inf) == 0.5
    assert outcome.identification_rate(-np.inf) == 0.5
    assert outcome.baus(-np.inf) == 0.5
    assert outcome.curve().iloc[-1].tolist() == [-np.inf, 0.5, 0.5]
    chosen = outcome.threshold(0.5, bootstrap=Bootstrap(resamples=50))
    assert chosen.value == -np.inf
    assert chosen.measured == 0.5
    assert outcome.threshold(0.4, bootstrap=BARE).value == np.nextafter(0.4, 1)


@given(st.lists(st.sampled_from([-np.inf, -1.0, 0.2, 0.5, 0.9]), min_size=1, max_size=8), st.floats(0, 1))
def test_thresholds_are_scores_or_any(scores: list[float], rate: float) -> None:
    none = np.zeros(len(scores), bool)
    outcome = OpenSetOutcome(scores, none, none)
    chosen = outcome.threshold(rate, bootstrap=Bootstrap(resamples=10))
    for value in (chosen.value, chosen.low, chosen.high):
        assert value == -np.inf or -1 <= value < 1
    assert chosen.measured <= rate + 1e-12


def test_without_resamples_a_threshold_has_no_interval() -> None:
    outcome = drawn(3)
    bare = outcome.threshold(0.1, bootstrap=BARE)
    assert bare.value == outcome.threshold(0.1).value
    assert np.isnan([bare.low, bare.high]).all()
    with pytest.raises(WhalereidError, match="resamples is 1"):
        outcome.threshold(0.1, bootstrap=Bootstrap(resamples=1))


def survey(unknown: bool) -> Report:
    """Ann and Bob are known, Cid and Dot new; with photos of unknown animals as queries and among those listed."""
    names = ["ann", "ann", "bob", "bob", "cid", "dot"]
    frame = pd.DataFrame({"image_id": list("abcdefuv"), "path": "x", "identity": [*names, None, None]})
    photos = Catalogue(frame if unknown else frame.iloc[:6])
    rng = np.random.default_rng(0)
    lists = [[x for x in rng.permutation(photos.image_ids) if x != i] for i in photos.image_ids]
    scores = [np.linspace(1, 0.1, len(one)) for one in lists]
    return evaluate(Protocol.from_catalogue(photos), Ranking(lists, scores, photos.image_ids), bootstrap=BARE)


def test_pairs_with_an_unknown_animal_say_nothing_of_chances() -> None:
    report = survey(unknown=True)
    found = evaluate_open_set(report, false_accept_rate=0.5, bootstrap=BARE)
    scores, same = found.pairs
    assert len(scores) == 6 * 5  # of six photos with a name, each with the five others
    by_hand = [
        (score, report.catalogue.frame.set_index("image_id").identity.loc[[query, photo]].nunique() == 1)
        for query, ids, row in zip(report.ranking.query_ids, report.ranking.ids, report.ranking.scores, strict=True)
        for photo, score in zip(ids, row, strict=True)
        if query not in "uv" and photo not in "uv"
    ]
    assert list(zip(scores.tolist(), same.tolist(), strict=True)) == by_hand
    assert same.sum() == 4


def test_numbers_are_printable_whatever_the_threshold() -> None:
    found = evaluate_open_set(survey(unknown=False), false_accept_rate=1, bootstrap=BARE)
    assert found.threshold.value == -np.inf
    assert dict(found.lines())["threshold for 1 false accepts"] == "any score (–)"
    said = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(said)["threshold"] == {
        "value": None, "false_accept_rate": 1.0, "low": None, "high": None, "measured": 1.0
    }  # fmt: skip
    assert repr(found) == f"OpenSetReport({len(found.outcome)} queries, threshold any score)"
    assert "<td>AUROC</td>" in found._repr_html_()
    assert "any score" in draw_open_set(found).axes[0].get_title()
    drawn_from = evaluate_open_set(survey(unknown=False), false_accept_rate=0.5, bootstrap=Bootstrap(resamples=50))
    assert " to " in dict(drawn_from.lines())["threshold for 0.5 false accepts"]
    assert all(len(text) < 40 for _, text in drawn_from.lines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1], [True, False], [True]), "give one of each"),
        (([np.nan], [True], [True]), "score 0 is nan"),
        (([0.1], [False], [True]), "query 0 is matched correctly, yet its animal isn't known"),
    ],
)
def test_bad_input(arguments: tuple[list[float], list[bool], list[bool]], message: str) -> None:
    with pytest.raises(WhalereidError, match=message):
        OpenSetOutcome(*arguments)


def test_one_sided_outcomes_say_what_is_missing() -> None:
    all_known = OpenSetOutcome([0.5], [True], [True])
    with pytest.raises(WhalereidError, match="no query is of a new animal"):
        all_known.false_alarm_rate(0.5)
    with pytest.raises(WhalereidError, match="no query is of a new animal"):
        all_known.threshold(0.1)
    all_new = OpenSetOutcome([0.5], [False], [False])
    with pytest.raises(WhalereidError, match="no query's animal is known"):
        all_new.auroc()
    with pytest.raises(WhalereidError, match="false_accept_rate is 2"):
        all_new.threshold(2)
