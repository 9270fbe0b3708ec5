"""Metrics by name: read in one place, the library's own and a stranger's, through a whole report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.evaluation import (
    Bootstrap,
    Hits,
    Metric,
    Protocol,
    Report,
    average_precision,
    evaluate,
    top_k,
    usual_metrics,
)
from whalereid.parts import METRICS
from whalereid.ranking import Ranking


def animals() -> tuple[Protocol, Ranking, Ranking]:
    """Eight animals with five photos each, and two rankings of every photo against all others."""
    rng = np.random.default_rng(0)
    ids = [f"p{i}" for i in range(40)]
    frame = pd.DataFrame({"image_id": ids, "path": ids, "identity": np.repeat(list("abcdefgh"), 5)})
    frame["viewpoint"] = rng.choice(["left", "right"], 40)
    rankings = []
    for noise in (0.8, 1.6):
        vectors = np.repeat(rng.standard_normal((8, 6)), 5, axis=0) + noise * rng.standard_normal((40, 6))
        similar = vectors @ vectors.T
        np.fill_diagonal(similar, -np.inf)
        order = np.argsort(-similar, axis=1)[:, :39]
        rankings.append(Ranking.from_codes(ids, ids, order, np.take_along_axis(similar, order, axis=1)))
    return Protocol.from_catalogue(Catalogue(frame)), rankings[0], rankings[1]


PROTOCOL, GOOD, BAD = animals()


@pytest.fixture
def first_rank() -> Iterator[str]:
    """A script's own metric, added for a test."""

    @METRICS.add("one-over-rank")
    def one_over_rank(hits: Hits, k: int, floor: float = 0.0) -> np.ndarray:
        first = np.where(hits.hit[:, :k].any(axis=1), hits.hit[:, :k].argmax(axis=1) + 1.0, np.inf)
        return np.asarray(np.maximum(1 / first, floor))

    yield "one-over-rank"
    del METRICS._added["one-over-rank"]


def by_hand(ranking: Ranking, k: int) -> float:
    hits = Hits.of(ranking, PROTOCOL.labels)
    return float(np.mean([next((1 / (r + 1) for r in range(k) if row[r]), 0.0) for row in hits.hit]))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("mAP@20", "mAP@20"),
        ("mAP-20", "mAP@20"),
        (" top-1 ", "top-1"),
        ("top@5", "top-5"),
        ("CMC@5", "CMC@5"),
        ("precision@020", "precision@20"),
        ("recall@3", "recall@3"),
        ("R-precision", "R-precision"),
        ("mINP", "mINP"),
        ("mAP@7:denominator=relevant", "mAP@7:denominator=relevant"),
    ],
)
def test_names_are_read_and_written_the_same_way(written: str, said: str) -> None:
    metric = Metric.parse(written)
    assert str(metric) == said
    assert Metric.parse(str(metric)) == metric
    assert hash(Metric.parse(str(metric))) == hash(metric)


def test_the_usual_metrics_are_parsed_back() -> None:
    for k in (1, 3, 20, 50):
        for denominator in ("min", "retrieved"):
            usual = usual_metrics(k, denominator)  # type: ignore[arg-type]
            assert tuple(Metric.parse(str(metric)) for metric in usual) == usual


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("mAp@20", "metric 'mAp' is unknown; did you mean 'mAP'"),
        ("mAP", "metric 'mAP' needs a cut-off; write mAP@20"),
        ("top", "write top-20"),
        ("mAP@0", "k of the metric mAP is 0"),
        ("mAP@-5", "metric 'mAP@-5' is unknown"),
        ("mAP@" + "9" * 5000, "is unknown"),
        ("mINP@5", "metric 'mINP' takes no cut-off; write mINP"),
        ("mAP@5:denominator=all", "give one of min, relevant, retrieved"),
        ("mAP@5:colour=red", "has no option 'colour'; it has denominator=min"),
        ("", "is unknown|text"),
        ("@5", "is unknown"),
        (5, "metric is 5"),
    ],
)
def test_what_is_no_metric_is_refused(written: str, message: str) -> None:
    with pytest.raises(WhalereidError, match=message):
        Metric.parse(written)
    with pytest.raises(WhalereidError):
        evaluate(PROTOCOL, GOOD, metrics=[written])


def test_every_metric_is_its_function() -> None:
    hits = Hits.of(GOOD, PROTOCOL.labels)
    relevant = average_precision(hits.hit, hits.scores, hits.relevant, k=3, denominator="relevant")
    np.testing.assert_array_equal(Metric.parse("mAP@3:denominator=relevant").values(hits), relevant)
    np.testing.assert_array_equal(Metric.parse("CMC@2").values(hits), top_k(hits.hit, hits.relevant, k=2))


def test_a_report_measures_what_was_asked_for_in_that_order() -> None:
    report = evaluate(PROTOCOL, GOOD, metrics=("top-3", "mAP@5", "mAP@5:denominator=relevant", "top-3"))
    whole = evaluate(PROTOCOL, GOOD, k=5)
    assert report.metrics.index.tolist() == ["top-3", "mAP@5", "mAP@5:denominator=relevant"]
    assert report.metrics.loc["mAP@5"].tolist() == whole.metrics.loc["mAP@5"].tolist()
    assert report.headline.startswith("top-3 ")
    other = evaluate(PROTOCOL, GOOD, k=5, metrics=usual_metrics(5, "relevant"))
    assert other["mAP@5"] == report["mAP@5:denominator=relevant"]
    assert other.to_dict()["denominator"] == "relevant"
    with pytest.raises(WhalereidError, match="differ in k or in their metrics"):
        whole.compare(report)
    with pytest.raises(WhalereidError, match="metrics holds none"):
        evaluate(PROTOCOL, GOOD, metrics=[])


def test_a_strangers_metric_is_shown_everywhere(first_rank: str) -> None:
    name = f"{first_rank}@4"
    how = Bootstrap(resamples=100)
    good, bad = (evaluate(PROTOCOL, one, metrics=["mAP@10", name], bootstrap=how) for one in (GOOD, BAD))
    assert good[name] == pytest.approx(by_hand(GOOD, 4))
    low, high = good.metrics.loc[name, ["low", "high"]]
    assert low < good[name] < high
    assert good.compare(bad).loc[name, "difference"] == pytest.approx(by_hand(GOOD, 4) - by_hand(BAD, 4))
    groups = good.by("viewpoint")
    assert np.average(groups[name], weights=groups["queries"]) == pytest.approx(good[name])
    said = json.loads(json.dumps(good.to_dict(by=["viewpoint"])))
    assert said[name] == good[name]
    assert said["intervals"][name] == [low, high]
    assert said["by"]["viewpoint"]["left"][name] == groups.loc["left", name]
    assert f"| viewpoint | queries | identities | mAP@10 | {name} |" in good.to_markdown(["viewpoint"])
    assert good.per_query[name].mean() == pytest.approx(good[name])
    floored = evaluate(PROTOCOL, BAD, metrics=[f"{name}:floor=0.5"])
    assert floored[name] > bad[name]
    assert (floored.per_query[name] >= 0.5).all()


def test_another_packages_metric_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "walrus_metrics.py").write_text("def listed(hits):\n    return hits.lengths / 10\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("listed", "walrus_metrics:listed", "whalereid.metrics")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point] if group == METRICS.group else [])
    assert evaluate(PROTOCOL, GOOD, metrics=["listed"])["listed"] == pytest.approx(3.9)


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        (lambda hits: np.ones(3), "gives 3 values for 40 queries; give one each"),
        (lambda hits: np.full(len(hits), np.nan), "gives nan for query 'p0', which has a relevant photo"),
        (lambda hits: "good", "what metric odd gives is a str"),
    ],
)
def test_a_strangers_metric_that_gives_something_else_is_refused(gives: object, message: str) -> None:
    METRICS.add("odd")(gives)  # type: ignore[arg-type]
    try:
        with pytest.raises(WhalereidError, match=message):
            evaluate(PROTOCOL, GOOD, metrics=["odd"])
    finally:
        del METRICS._added["odd"]


def test_lists_are_as_long_as_the_deepest_metric_needs() -> None:
    class Whoever:
        asked: int | None = None

        def rank(self, queries: object, database: object, k: int, **options: object) -> Ranking:
            self.asked = k
            return GOOD

    whoever = Whoever()
    report: Report = evaluate(PROTOCOL, whoever, metrics=["mAP@33", "mINP"])  # type: ignore[arg-type]
    assert whoever.asked == 33
    assert report.names == ("mAP@33", "mINP")
