"""Reports: the numbers of the metrics, broken down, compared, and put into tables, JSON and figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import metrics as oracle
from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings
from whalereid.errors import WhalereidError
from whalereid.evaluation import Bootstrap, OpenSetOutcome, Protocol, Report, evaluate, mean_average_precision
from whalereid.ranking import Ensemble, Expand, Member, Ranking, Task
from whalereid.reporting import draw_report

BARE = Bootstrap(resamples=0)  # no intervals


def herd(n: int = 80, seed: int = 0) -> Catalogue:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "image_id": [f"p{i}" for i in range(n)],
            "path": [f"p{i}.jpg" for i in range(n)],
            "identity": rng.choice(["ann", "bob", "cid", "dot", "eve", "fay", None], n),
            "viewpoint": rng.choice(["left", "right"], n),
            "encounter": rng.choice([f"e{i}" for i in range(20)], n),
            "date": rng.choice(["2017-07-01", "2018-08-01", "2020-01-31", None], n),
            "water": rng.choice([1.5, 2.5, np.nan], n),
        }
    )
    return Catalogue(frame, "herd", source="herd.csv")


def vectors(photos: Catalogue, noise: float = 1.0, seed: int = 0) -> Embeddings:
    """Photos of one animal look alike, more so with less noise."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((photos.n_identities + 1, 8))
    return Embeddings.from_numpy(
        photos.image_ids, centres[photos.labels()] + noise * rng.standard_normal((len(photos), 8))
    )


@pytest.fixture
def photos() -> Catalogue:
    return herd()


@pytest.fixture
def protocol(photos: Catalogue) -> Protocol:
    return Protocol.from_catalogue(photos, exclude=["encounter"])


@pytest.fixture
def ensemble(photos: Catalogue) -> Ensemble:
    return Ensemble([Member("made", vectors(photos))])


@pytest.fixture
def report(protocol: Protocol, ensemble: Ensemble) -> Report:
    return evaluate(protocol, ensemble, k=10, bootstrap=Bootstrap(resamples=200))


def relevant(protocol: Protocol) -> dict[str, set[str]]:
    return {q: set(found) for q, found in protocol.labels.to_frame().groupby("query_id")["database_image_id"]}


def test_the_means_are_the_metrics(report: Report, protocol: Protocol) -> None:
    assert report["mAP@10"] == pytest.approx(mean_average_precision(report.ranking, protocol.labels, k=10))
    slow = relevant(protocol)
    lists = {q: list(one) for q, one in zip(report.ranking.query_ids, report.ranking.ids, strict=True) if q in slow}
    by_hand = {
        "top-1": np.mean([oracle.top_k(lists[q], slow[q], 1) for q in slow]),
        "top-5": np.mean([oracle.top_k(lists[q], slow[q], 5) for q in slow]),
        "top-10": np.mean([oracle.top_k(lists[q], slow[q], 10) for q in slow]),
        "precision@10": np.mean([oracle.precision_at(lists[q], slow[q], 10) for q in slow]),
        "recall@10": np.mean([oracle.recall_at(lists[q], slow[q], 10) for q in slow]),
        "R-precision": np.mean([oracle.r_precision(lists[q], slow[q]) for q in slow]),
        "mINP": np.mean([oracle.inverse_negative_penalty(lists[q], slow[q]) for q in slow]),
    }
    assert list(report.metrics.index) == ["mAP@10", *by_hand]
    for name, value in by_hand.items():
        assert report[name] == pytest.approx(value, abs=1e-12)
    assert (report.metrics["low"] <= report.metrics["value"]).all()
    assert (report.metrics["value"] <= report.metrics["high"]).all()
    assert report.counts["queries"] == len(slow)
    assert report.counts["without_relevant"] == len(protocol.distractors)
    with pytest.raises(WhalereidError, match="no metric 'mAP'; this report has mAP@10, top-1"):
        _ = report["mAP"]


def test_an_ensemble_and_its_ranking_score_the_same(protocol: Protocol, ensemble: Ensemble, photos: Catalogue) -> None:
    ranking = ensemble.rank(photos, photos, k=10, exclude=["encounter"])
    one, other = evaluate(protocol, ensemble, k=10), evaluate(protocol, ranking, k=10)
    pd.testing.assert_frame_equal(one.metrics, other.metrics)
    pd.testing.assert_frame_equal(one.per_query, other.per_query)


def test_a_ranking_made_without_the_rules_is_held_to_them(
    protocol: Protocol, ensemble: Ensemble, photos: Catalogue
) -> None:
    ruled = evaluate(protocol, ensemble, k=10)
    unruled = evaluate(protocol, ensemble.rank(photos, photos, k=80), k=10)
    assert unruled["mAP@10"] == pytest.approx(ruled["mAP@10"])
    assert any("no candidates under the rules: " in note for note in unruled.notes)


def test_per_query_rows_show_the_failures(report: Report, protocol: Protocol, photos: Catalogue) -> None:
    rows = report.per_query.set_index("query_id")
    slow = relevant(protocol)
    for query, best, score in zip(report.ranking.query_ids, report.ranking.ids, report.ranking.scores, strict=True):
        row = rows.loc[query]
        assert row["relevant"] == len(slow.get(query, ()))
        assert row["image_id"] == query
        assert row["best_id"] == best[0]
        assert row["best_score"] == score[0]
        hits = [rank for rank, photo in enumerate(best, start=1) if photo in slow.get(query, ())]
        assert row["first_hit"] == hits[0] if hits else np.isnan(row["first_hit"])
        assert np.isnan(row["AP@10"]) == (query not in slow)
    assert rows["AP@10"].mean() == pytest.approx(report["mAP@10"])
    assert rows["INP"].mean() == pytest.approx(report["mINP"])
    known = photos.frame.set_index("image_id")["identity"]
    assert rows["identity"].dropna().equals(known.loc[rows.index].dropna())


def groups_by_hand(report: Report, protocol: Protocol, of_pair: Any) -> dict[str, tuple[int, float]]:
    """Queries and mAP of each group of pairs: other relevant photos are struck from the list."""
    slow = relevant(protocol)
    values: dict[str, list[float]] = {}
    for query, ids, scores in zip(report.ranking.query_ids, report.ranking.ids, report.ranking.scores, strict=True):
        for name in {of_pair(query, photo) for photo in slow.get(query, ())}:
            asked = {photo for photo in slow[query] if of_pair(query, photo) == name}
            left = [(i, s) for i, s in zip(ids, scores, strict=False) if i in asked or i not in slow[query]]
            kept, their = [i for i, _ in left], [float(s) for _, s in left]
            values.setdefault(name, []).append(oracle.average_precision(kept, their, asked, report.k, "min"))
    return {name: (len(each), float(np.mean(each))) for name, each in values.items()}


def test_by_a_column_of_the_query(report: Report, photos: Catalogue) -> None:
    table = report.by("viewpoint")
    assert list(table.index) == ["left", "right"]
    rows = report.per_query.merge(photos.frame, on="image_id").dropna(subset="AP@10")
    for name, group in rows.groupby("viewpoint"):
        assert table.loc[name, "queries"] == len(group)
        assert table.loc[name, "mAP@10"] == pytest.approx(group["AP@10"].mean())
        assert table.loc[name, "top-1"] == pytest.approx(group["top-1"].mean())
        assert table.loc[name, "identities"] == group["identity_x"].nunique()
    assert (table["low"] <= table["mAP@10"]).all()
    assert list(report.by("water").index) == ["1.5", "2.5", "unknown"]
    assert report.by("water")["queries"].sum() == report.counts["queries"]


VALUES = st.sampled_from(
    ["unknown", "no value", "1", 1, 1.5, "1.5", True, "a → b", "b → c", ("a", 1), None, np.nan, "x"]
)


@given(st.lists(VALUES, min_size=12, max_size=12), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_groups_hold_every_query_once(values: list[object], seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"image_id": [f"p{i}" for i in range(12)], "path": "x", "identity": rng.choice(list("abc"), 12)}
    )
    held = np.empty(12, object)
    held[:] = values
    photos = Catalogue(frame).assign(what=pd.Series(held, dtype=object))
    ranking = Ensemble([Member("made", vectors(photos))]).rank(photos, photos, k=3)
    report = evaluate(Protocol.from_catalogue(photos), ranking, k=3, bootstrap=BARE)
    table = report.by("what")
    assert table.index.is_unique
    assert table["queries"].sum() == report.counts["queries"]
    scored = report.per_query["relevant"].to_numpy() > 0
    kinds = {None if value is None or value != value else value for value in held[scored]}
    assert len(table) == len(kinds)
    weights = table["queries"] / table["queries"].sum()
    assert (weights * table["mAP@3"]).sum() == pytest.approx(report["mAP@3"])
    assert len(report.to_dict(by=["what"])["by"]["what"]) == len(table)
    pairs = report.by("what-pair")
    assert pairs.index.is_unique
    assert pairs["queries"].sum() >= table["queries"].sum()


def test_a_value_called_unknown_is_not_a_missing_one() -> None:
    frame = pd.DataFrame({"image_id": list("abcdef"), "path": "x", "identity": ["ann"] * 6})
    frame["species"] = ["unknown", "orca", None, "unknown", "orca", None]
    photos = Catalogue(frame)
    report = evaluate(Protocol.from_catalogue(photos), Ensemble([Member("x", vectors(photos))]), bootstrap=BARE)
    assert report.by("species")["queries"].to_dict() == {"orca": 2, "unknown": 2, "no value": 2}
    frame["place"] = [1, "1", 1, "1", None, "11 or more"]
    photos = Catalogue(frame)
    report = evaluate(Protocol.from_catalogue(photos), Ensemble([Member("x", vectors(photos))]), bootstrap=BARE)
    assert report.by("place")["queries"].to_dict() == {"1": 2, "'1'": 2, "11 or more": 1, "unknown": 1}
    assert set(report.by("place-pair").index) >= {"(1, '1')", "('1', 1)"}


def test_a_column_may_have_any_name_and_hold_anything() -> None:
    frame = pd.DataFrame({"image_id": list("abcd"), "path": "x", "identity": ["ann"] * 4, "queries": list("xxyy")})
    frame["parts"] = [[1], [1], {"fin": 2}, None]
    photos = Catalogue(frame)
    report = evaluate(Protocol.from_catalogue(photos), Ensemble([Member("x", vectors(photos))]), bootstrap=BARE)
    assert report.by("parts")["queries"].to_dict() == {"[1]": 2, "{'fin': 2}": 1, "unknown": 1}
    assert "| x | 2 |" in report.to_markdown(by=["queries", "parts"])


def test_by_viewpoint_pair_and_year_gap(report: Report, protocol: Protocol, photos: Catalogue) -> None:
    frame = photos.frame.set_index("image_id")
    pairs = groups_by_hand(report, protocol, lambda q, p: f"{frame.viewpoint[q]} → {frame.viewpoint[p]}")
    table = report.by("viewpoint-pair")
    assert list(table.index) == ["left → left", "left → right", "right → left", "right → right"]
    assert {n: (q, pytest.approx(v)) for n, q, v in table[["queries", "mAP@10"]].itertuples()} == pairs

    def gap(query: str, photo: str) -> str:
        ours, theirs = frame.date[query], frame.date[photo]
        return "unknown" if pd.isna(ours) or pd.isna(theirs) else str(abs(int(ours[:4]) - int(theirs[:4])))

    years = report.by("year-gap")
    assert list(years.index) == ["0", "1", "2", "3", "unknown"]
    assert {n: (q, pytest.approx(v)) for n, q, v in years[["queries", "mAP@10"]].itertuples()} == groups_by_hand(
        report, protocol, gap
    )


def test_by_seen_photos_and_scenario(protocol: Protocol, ensemble: Ensemble, photos: Catalogue) -> None:
    report = evaluate(protocol, ensemble, trained_on=["ann", "bob"], bootstrap=BARE)
    rows = report.per_query.dropna(subset="AP@20")
    seen = rows["identity"].isin(["ann", "bob"])
    table = report.by("seen")
    assert table["queries"].to_dict() == {"seen": seen.sum(), "unseen": (~seen).sum()}
    by_hand = rows.groupby(np.where(seen, "seen", "unseen"))["AP@20"].mean()
    assert table["mAP@20"].to_dict() == pytest.approx(by_hand.to_dict())
    assert np.isnan(table["low"]).all()
    trained = evaluate(protocol, ensemble, trained_on=photos.filter(identity=["ann", "bob"]), bootstrap=BARE)
    pd.testing.assert_frame_equal(trained.by("seen"), table)
    many = report.by("photos")
    assert set(many.index) <= {"1", "2", "3–5", "6–10", "11 or more"}
    assert many["queries"].sum() == len(rows)
    assert many["queries"].get("6–10", 0) == rows["relevant"].between(6, 10).sum()
    ids = tuple(photos.image_ids)
    tasks = [Task(n, [f"{n}-{i}" for i in some], some, ids) for n, some in (("a", ids[:30]), ("b", ids[30:]))]
    scenarios = evaluate(Protocol(tasks, photos), ensemble, bootstrap=BARE)
    split = scenarios.per_query.dropna(subset="AP@20").groupby("scenario")["AP@20"].mean()
    assert scenarios.by("scenario")["mAP@20"].to_dict() == pytest.approx(split.to_dict())


def test_scenarios_and_animals_are_read_off_ids_and_labels_where_nothing_else_tells() -> None:
    labels = {"scenario01-q": {"a", "b"}, "scenario02-q": {"b"}, "scenario02-r": {"z"}}
    ranking = Ranking([["a"], ["x"], ["z"]], [[0.9]] * 3, list(labels))
    report = evaluate(labels, ranking)
    assert report.by("scenario")["queries"].to_dict() == {"scenario01": 1, "scenario02": 2}
    assert report.counts["identities"] == 2  # the first two share photo b
    assert any("share a relevant photo" in note for note in report.notes)
    with pytest.raises(WhalereidError, match="by 'viewpoint' without the photos' table"):
        report.by("viewpoint")


def test_notes_say_what_numbers_hide(photos: Catalogue) -> None:
    labels = {"p0": {"a"}, "p1": {"a"}, "p2": {"a", "b"}}
    ranking = Ranking([["a", "c"], ["c", "a"], ["a"]], [[0.5, 0.5], [0.9, 0.8], [1.0]], ["p0", "p1", "q9"])
    report = evaluate(labels, ranking)
    notes = " / ".join(report.notes)
    assert report.counts == {"queries": 3, "identities": 1, "without_relevant": 1, "missing": 1, "tied": 1}
    for part in (
        "left out of the means, having no relevant photo: 1 query",
        "scored 0, having relevant photos but no ranking: 1 query (p2)",
        "a right and a wrong photo with equal scores: 1 query",
        "the longest list holds 2, fewer than k = 20",
        "don't reach the last relevant photo: 1 query; mINP is a lower bound",
        "no intervals",
    ):
        assert part in notes
    assert "every query has the same mAP@20" in " ".join(evaluate({"q": {"a"}, "r": {"b"}}, one_right()).notes)


def one_right() -> Ranking:
    return Ranking([["a"], ["b"]], [[1.0], [1.0]], ["q", "r"])


def test_comparing_two_rankings(protocol: Protocol, photos: Catalogue) -> None:
    better = evaluate(protocol, Ensemble([Member("good", vectors(photos, noise=0.5))]), k=10)
    worse = evaluate(protocol, Ensemble([Member("bad", vectors(photos, noise=3.0))]), k=10)
    table = better.compare(worse)
    row = table.loc["mAP@10"]
    assert row["A"] == pytest.approx(better["mAP@10"])
    assert row["B"] == pytest.approx(worse["mAP@10"])
    assert row["difference"] == pytest.approx(row["A"] - row["B"])
    assert row["low"] < row["difference"] < row["high"]
    assert row["probability"] > 0.99
    assert worse.compare(better).loc["mAP@10", "probability"] == pytest.approx(row["probability"])
    part = Ranking.from_codes(
        worse.ranking.query_ids[1:], worse.ranking.database_ids, worse.ranking.codes[1:], worse.ranking.scores[1:]
    )
    query = worse.ranking.query_ids[0]
    with pytest.raises(WhalereidError, match=f"1 queries are not in the second ranking: {query}"):
        better.compare(evaluate(protocol, part, k=10))
    with pytest.raises(WhalereidError, match="differ in k"):
        better.compare(evaluate(protocol, worse.ranking, k=5))
    with pytest.raises(WhalereidError, match="labels differ"):
        better.compare(evaluate(Protocol.from_catalogue(photos), worse.ranking, k=10))


def test_the_order_of_queries_doesn_t_matter_to_a_comparison(report: Report, protocol: Protocol) -> None:
    ranking = report.ranking
    turned = Ranking.from_codes(
        ranking.query_ids[::-1], ranking.database_ids, ranking.codes[::-1], ranking.scores[::-1]
    )
    table = report.compare(evaluate(protocol, turned, k=10, bootstrap=Bootstrap(resamples=200)))
    assert (table["difference"].abs() < 1e-12).all()
    assert (table["probability"] == 0.5).all()


def test_without_resamples_there_are_no_intervals(report: Report, protocol: Protocol) -> None:
    bare = evaluate(protocol, report.ranking, k=10, bootstrap=BARE)
    assert bare["mAP@10"] == report["mAP@10"]
    assert np.isnan(bare.metrics[["low", "high"]]).all(axis=None)
    assert np.isnan(bare.compare(bare)[["low", "high", "probability"]]).all(axis=None)
    assert (bare.compare(report)["difference"] == 0).all()


def test_rerankers_and_other_options_reach_the_ensemble(protocol: Protocol, photos: Catalogue) -> None:
    ensemble = Ensemble([Member("made", vectors(photos))])
    asked = ensemble.rank(photos, photos, k=20, exclude=["encounter"], rerank=Expand())
    expanded = evaluate(protocol, ensemble, rerank=Expand(), bootstrap=BARE)
    assert expanded["mAP@20"] == pytest.approx(mean_average_precision(asked, protocol.labels))
    assert expanded["mAP@20"] != evaluate(protocol, ensemble, bootstrap=BARE)["mAP@20"]


def test_empty_lists(photos: Catalogue) -> None:
    report = evaluate({"q": {"a"}, "r": {"b"}}, Ranking([[], []], [[], []], ["q", "r"]))
    assert report["mAP@20"] == report["mINP"] == 0
    assert report.per_query["best_id"].isna().all()
    assert report.per_query["first_hit"].isna().all()
    assert len(draw_report(report).axes) == 1


def test_to_dict_and_markdown_say_the_same(report: Report) -> None:
    said = json.loads(json.dumps(report.to_dict(by=["viewpoint"])))
    assert said["mAP@10"] == report["mAP@10"]
    assert said["queries"] == report.counts["queries"]
    assert said["intervals"]["mAP@10"] == report.metrics.loc["mAP@10", ["low", "high"]].tolist()
    assert said["intervals"]["resamples"] == 200
    assert said["by"]["viewpoint"]["left"]["queries"] == report.by("viewpoint").loc["left", "queries"]
    text = report.to_markdown(by=["viewpoint"])
    assert f"| mAP@10 | {report['mAP@10']:.4f} | " in text
    assert "| left | " in text
    assert all(note in text for note in report.notes)
    bare = evaluate(report.labels, report.ranking, bootstrap=BARE)
    assert json.loads(json.dumps(bare.to_dict(), allow_nan=False))["intervals"] is None
    assert f"| mAP@20 | {bare['mAP@20']:.4f} | – |" in bare.to_markdown()


def test_notebooks_and_prompts_show_it_shortly(report: Report, photos: Catalogue) -> None:
    shown = report._repr_html_()
    assert f"<td>mAP@10</td><td>{report['mAP@10']:.4f}</td>" in shown
    assert "95% interval" in shown
    assert f"queries <b>{report.counts['queries']}</b>" in shown
    strange = Ranking([["<b>p1", "p2"]], [[2.0, 2.0]], ["<script>q"])
    named = evaluate({"<script>q": {"<b>p1"}, "<script>r": {"p2"}}, strange, bootstrap=BARE)
    assert "&lt;script&gt;r" in named._repr_html_()
    assert "<script>" not in named._repr_html_()
    for thing in (report, report.scored, report.hits, OpenSetOutcome.from_report(report)):
        assert len(repr(thing)) < 200, repr(thing)[:300]


def test_the_figure_shows_the_curve_and_the_groups(report: Report, tmp_path: Path) -> None:
    figure = draw_report(report)
    curve, bars = figure.axes
    np.testing.assert_allclose(curve.lines[0].get_ydata()[[0, 4, 9]], [report[f"top-{k}"] for k in (1, 5, 10)])
    widths = [bar.get_width() for bar in bars.patches]
    np.testing.assert_allclose(widths, report.by("viewpoint")["mAP@10"])
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000
    assert len(draw_report(evaluate({"q": {"a"}, "r": {"b"}}, one_right())).axes) == 1


def test_errors_say_what_and_where(report: Report, protocol: Protocol, ensemble: Ensemble, photos: Catalogue) -> None:
    with pytest.raises(WhalereidError, match="ranking needs a task that is a Protocol"):
        evaluate({"p0": {"p1"}}, ensemble)
    with pytest.raises(WhalereidError, match="rerank can't be applied"):
        evaluate(protocol, report.ranking, rerank=None)
    with pytest.raises(WhalereidError, match="no column 'colour' to break down by; choose from image_id, path"):
        report.by("colour")
    with pytest.raises(WhalereidError, match="no breakdown by 'seen'"):
        report.by("seen")
    with pytest.raises(WhalereidError, match="1 queries are no photo of it: scenario01-x"):
        evaluate({"scenario01-x": {"p1"}}, Ranking([["p1"]], [[1.0]], ["scenario01-x"]), catalogue=photos)
    dateless = Catalogue(photos.frame.drop(columns="date"), "herd", source="herd.csv")
    with pytest.raises(WhalereidError, match="no photo has a date"):
        evaluate(Protocol.from_catalogue(dateless), ensemble).by("year-gap")
    with pytest.raises(WhalereidError, match="none of the 1 queries has a relevant photo"):
        evaluate({}, Ranking([["p1"]], [[1.0]], ["p0"]))
    with pytest.raises(WhalereidError, match="k is 0"):
        _ = evaluate(protocol, report.ranking, k=0).metrics
