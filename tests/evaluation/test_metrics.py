"""Every metric: by hand, against slow oracles on any input, ties, empty lists, errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import metrics as oracle
from whalereid.errors import WhalereidError
from whalereid.evaluation import (
    Hits,
    average_precision,
    cmc,
    inverse_negative_penalty,
    mean_average_precision,
    precision_at,
    r_precision,
    recall_at,
    top_k,
)
from whalereid.ranking import Ranking

DENOMINATORS = ("min", "relevant", "retrieved")
PHOTOS = [f"photo{i}" for i in range(9)]

Query = tuple[list[str], list[float], set[str]]


@st.composite
def queries(draw: st.DrawFn) -> list[Query]:
    """A few queries: any list (also empty), any scores (few distinct ones, so ties abound), any relevant photos."""
    made = []
    for _ in range(draw(st.integers(1, 5))):
        ids = draw(st.lists(st.sampled_from(PHOTOS), unique=True, max_size=len(PHOTOS)))
        levels = draw(st.integers(1, 12))
        scores = sorted(draw(st.lists(st.integers(1, levels), min_size=len(ids), max_size=len(ids))), reverse=True)
        made.append((ids, [s / 16 for s in scores], draw(st.sets(st.sampled_from([*PHOTOS, "unlisted", "far"])))))
    return made


def hits_of(given_queries: list[Query]) -> Hits:
    ids, scores, relevant = zip(*given_queries, strict=True)
    return Hits.of(Ranking(ids=ids, scores=scores), relevant)


@given(queries(), st.integers(1, 12), st.sampled_from(DENOMINATORS))
@settings(max_examples=300, deadline=None)
def test_average_precision_is_the_oracles(made: list[Query], k: int, denominator: str) -> None:
    hits = hits_of(made)
    values = average_precision(hits.hit, hits.scores, hits.relevant, k=k, denominator=denominator)
    for value, (ids, scores, relevant) in zip(values, made, strict=True):
        if relevant:
            assert value == pytest.approx(oracle.average_precision(ids, scores, relevant, k, denominator), abs=1e-12)
            if denominator == "min":
                slow = oracle.competition_average_precision(ids, scores, relevant, k)
                assert value == pytest.approx(slow, abs=1e-12)
            assert 0 <= value <= 1
        else:
            assert np.isnan(value)


@given(queries(), st.integers(1, 12))
@settings(max_examples=200, deadline=None)
def test_counting_metrics_are_the_oracles(made: list[Query], k: int) -> None:
    hits = hits_of(made)
    at_k = {top_k: oracle.top_k, precision_at: oracle.precision_at, recall_at: oracle.recall_at}
    whole = {r_precision: oracle.r_precision, inverse_negative_penalty: oracle.inverse_negative_penalty}
    for row, (ids, _, relevant) in enumerate(made):
        for ours, slow in at_k.items():
            value = ours(hits.hit, hits.relevant, k=k)[row]
            assert np.isnan(value) if not relevant else value == pytest.approx(slow(ids, relevant, k), abs=1e-12)
        for ours, slow in whole.items():
            value = ours(hits.hit, hits.relevant)[row]
            assert np.isnan(value) if not relevant else value == pytest.approx(slow(ids, relevant), abs=1e-12)
    curve = cmc(hits.hit, hits.relevant, k=k)
    if hits.scored.any():
        expected = [np.nanmean(top_k(hits.hit, hits.relevant, k=rank)) for rank in range(1, k + 1)]
        np.testing.assert_allclose(curve, expected, atol=1e-12)
    else:
        assert np.isnan(curve).all()


@given(queries(), st.integers(1, 12), st.randoms())
@settings(max_examples=100, deadline=None)
def test_average_precision_ignores_the_order_of_equal_scores(made: list[Query], k: int, random: object) -> None:
    """With the whole list within k: a cut between equal scores has to follow some order."""
    turned = []
    for ids, scores, relevant in made:
        order = sorted(range(len(ids)), key=lambda i: (-scores[i], random.random()))  # type: ignore[attr-defined]
        turned.append(([ids[i] for i in order], scores, relevant))
    one, other = hits_of(made), hits_of(turned)
    a = average_precision(one.hit, one.scores, one.relevant, k=k + len(PHOTOS))
    b = average_precision(other.hit, other.scores, other.relevant, k=k + len(PHOTOS))
    np.testing.assert_allclose(a, b, atol=1e-12)


def test_one_list_by_hand() -> None:
    # relevant at ranks 1, 3 and 4 of 5; a fourth relevant photo isn't listed
    hit = np.array([[True, False, True, True, False]])
    scores = np.array([[0.9, 0.8, 0.7, 0.6, 0.5]])
    relevant = np.array([4])
    precisions = 1 / 1 + 2 / 3 + 3 / 4
    by_hand = {
        "min": precisions / 4,
        "relevant": precisions / 4,
        "retrieved": precisions / 3,
    }
    for denominator, value in by_hand.items():
        assert average_precision(hit, scores, relevant, k=5, denominator=denominator)[0] == pytest.approx(value)
    assert average_precision(hit, scores, relevant, k=3)[0] == pytest.approx((1 + 2 / 3) / 3)
    assert average_precision(hit, scores, relevant, k=3, denominator="relevant")[0] == pytest.approx((1 + 2 / 3) / 4)
    assert precision_at(hit, relevant, k=5)[0] == 3 / 5
    assert precision_at(hit, relevant, k=10)[0] == 3 / 10  # the list is short; ten were asked for
    assert recall_at(hit, relevant, k=3)[0] == 2 / 4
    assert r_precision(hit, relevant)[0] == 3 / 4
    assert inverse_negative_penalty(hit, relevant)[0] == 0  # the fourth could be anywhere
    assert inverse_negative_penalty(hit, np.array([3]))[0] == 3 / 4
    assert cmc(hit[:, 1:], relevant, k=3).tolist() == [0, 1, 1]


def test_all_tied_is_the_share_of_hits() -> None:
    hit = np.array([[True, False, False, True], [False, False, True, True]])
    values = average_precision(hit, np.full(hit.shape, 0.5), np.array([2, 2]), k=4)
    assert values.tolist() == [0.5, 0.5]


def test_a_tie_at_the_cut_follows_the_lists_order() -> None:
    ranking = Ranking(ids=[["z", "a", "b"]], scores=[[0.9, 0.5, 0.5]])
    assert mean_average_precision(ranking, [{"a"}], k=2) == 0.5
    assert mean_average_precision(ranking, [{"b"}], k=2) == 0


def test_the_examples_of_other_libraries() -> None:
    """One ranking, three numbers: what pytorch-metric-learning, open-metric-learning and others report."""
    ranking = Ranking(ids=[["a", "z"]], scores=[[0.9, 0.8]])
    values = [mean_average_precision(ranking, [{"a", "b", "c"}], k=2, denominator=d) for d in DENOMINATORS]
    assert values == [1 / 2, 1 / 3, 1]


def test_relevant_denominator_is_pytorch_metric_learnings() -> None:
    import torch
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import CustomKNN

    rng = np.random.default_rng(0)
    vectors, names = rng.standard_normal((60, 4)).astype(np.float32), rng.integers(0, 9, 60)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = unit[:15] @ unit[15:].T
    order = np.argsort(-similarity, axis=1, kind="stable")
    ranking = Ranking.from_codes(
        [str(q) for q in range(15)], [str(d) for d in range(45)], order, np.take_along_axis(similarity, order, 1)
    )
    labels = [{str(d) for d in np.flatnonzero(names[15:] == name)} for name in names[:15]]
    from pytorch_metric_learning.distances import CosineSimilarity

    peer = AccuracyCalculator(
        include=("mean_average_precision", "precision_at_1", "r_precision"),
        k=10,
        knn_func=CustomKNN(CosineSimilarity()),
        device=torch.device("cpu"),
    ).get_accuracy(unit[:15], names[:15], unit[15:], names[15:])
    assert all(labels)
    ours = mean_average_precision(ranking, labels, k=10, denominator="relevant")
    assert ours == pytest.approx(peer["mean_average_precision"], abs=1e-6)
    hits = Hits.of(ranking, labels)
    assert np.mean(top_k(hits.hit, hits.relevant, k=1)) == pytest.approx(peer["precision_at_1"], abs=1e-6)


def test_a_labelled_query_without_a_list_scores_nothing_and_counts() -> None:
    ranking = Ranking(ids=[["a"]], scores=[[0.9]], query_ids=["q"])
    assert mean_average_precision(ranking, {"q": {"a"}, "r": {"a"}}) == 0.5
    hits = Hits.of(ranking, {"q": {"a"}, "r": {"a"}})
    assert hits.query_ids[hits.missing].tolist() == ["r"]


def test_a_query_without_a_relevant_photo_is_left_out() -> None:
    ranking = Ranking(ids=[["a"], ["a"]], scores=[[0.9], [0.9]], query_ids=["q", "r"])
    assert mean_average_precision(ranking, {"q": {"a"}}) == 1
    assert mean_average_precision(ranking, [{"a"}, set()]) == 1
    assert Hits.of(ranking, {"q": {"a"}}).scored.tolist() == [True, False]


def test_a_ranking_in_every_form_gives_one_number(tmp_path: Path) -> None:
    ranking = Ranking(
        ids=[["a", "b"], ["b", "c"]], scores=[[0.123456789012, 0.1], [0.5, 0.5]], query_ids=["007", "q 2"]
    )
    labels = {"007": {"b"}, "q 2": {"c", "x"}}
    frame = ranking.to_frame()
    ranking.write(tmp_path / "ranking.csv")
    ranking.write(tmp_path / "ranking.parquet")
    expected = mean_average_precision(ranking, labels)
    assert expected == pytest.approx((1 / 2 + 1 / 2 / 2) / 2)
    forms = [frame, frame.astype(object), frame.sample(frac=1, random_state=1).sort_values("score", ascending=False)]
    forms += [tmp_path / "ranking.csv", str(tmp_path / "ranking.parquet")]
    for form in forms:
        assert mean_average_precision(form, labels) == pytest.approx(expected, abs=1e-12)


@pytest.mark.shared
def test_the_competitions_scorer_says_the_same(shared: Path) -> None:
    folder = shared / "golden" / "scorer"
    for case, expected in json.loads((folder / "expected.json").read_text()).items():
        value = mean_average_precision(folder / f"{case}_submission.csv", folder / f"{case}_labels.csv")
        assert value == pytest.approx(expected, abs=1e-9), case


def test_numbers_don_t_depend_on_the_rows_order() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "query_id": np.repeat([f"q{i}" for i in range(50)], 20),
            "database_image_id": [f"d{j}" for _ in range(50) for j in rng.permutation(40)[:20]],
            "score": rng.random(1000),
        }
    )
    labels = {f"q{i}": {f"d{j}" for j in rng.permutation(40)[: rng.integers(1, 9)]} for i in range(50)}
    expected = mean_average_precision(frame, labels)
    assert mean_average_precision(frame.sample(frac=1, random_state=0), labels) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda r: mean_average_precision(r, [{"a"}]), "1 sets for 2 queries"),
        (lambda r: mean_average_precision(r, [{"a"}, {"a"}], k=0), "k is 0"),
        (lambda r: mean_average_precision(r, [set(), set()]), "none of the 2 queries has a relevant photo"),
        (lambda r: mean_average_precision(r, [{"a"}, {"a"}], denominator="all"), "choose from min, relevant, retr"),
        (lambda r: mean_average_precision(r, {"x": {"a"}}), "first is 'x', the ranking's first 'q'"),
        (lambda r: mean_average_precision(r, ["a", "b"]), "'a' isn't a set of image ids"),
        (lambda r: mean_average_precision(r, pd.DataFrame({"query_id": ["q"]})), "no column database_image_id"),
        (lambda r: mean_average_precision("nowhere.csv", {"q": {"a"}}), "nowhere.csv: no such file"),
        (lambda r: top_k(np.zeros((2, 3)), np.zeros(3), k=1), "give \\(Q, K\\) and \\(Q,\\)"),
        (lambda r: average_precision(np.zeros((2, 3)), np.zeros((2, 4)), np.zeros(2)), "cell by cell"),
    ],
)
def test_errors_say_what_and_where(act: object, message: str) -> None:
    ranking = Ranking(ids=[["a", "b"], ["b"]], scores=[[0.9, 0.1], [0.5]], query_ids=["q", "r"])
    with pytest.raises(WhalereidError, match=message):
        act(ranking)  # type: ignore[operator]
    assert issubclass(WhalereidError, ValueError)


def test_nothing_ranked_and_nothing_listed_keep_their_shapes() -> None:
    none = Hits.of(Ranking(ids=[], scores=[]), {"q": {"a"}})
    assert average_precision(none.hit, none.scores, none.relevant).tolist() == [0.0]
    assert mean_average_precision(Ranking(ids=[[]], scores=[[]], query_ids=["q"]), {"q": {"a"}}) == 0
    assert cmc(none.hit, none.relevant, k=3).tolist() == [0, 0, 0]
    assert inverse_negative_penalty(none.hit, none.relevant).tolist() == [0]
    assert r_precision(none.hit, none.relevant).tolist() == [0]
