"""Displays: the numbers that they draw, on one's own axes or on new ones; and the figures made of them."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from whalereid.calibration import reliability
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.evaluation import Bootstrap, OpenSetReport, Protocol, Report, evaluate, evaluate_open_set
from whalereid.ranking import Ranking
from whalereid.reporting import (
    CMCDisplay,
    MetricByGroupDisplay,
    OpenSetDisplay,
    ReliabilityDisplay,
    draw_open_set,
    draw_report,
)


def seals(resamples: int = 100, **more: Any) -> Report:
    """Photos of ten animals and of ten that nobody else's photo shows, seen from two sides."""
    rng = np.random.default_rng(2)
    ids = [f"p{i}" for i in range(60)]
    animal = np.array([*np.repeat(np.arange(10), 5), *range(10, 20)])
    frame = pd.DataFrame({"image_id": ids, "path": ids, "identity": [f"seal{a}" for a in animal]})
    frame["viewpoint"] = rng.choice(["left", "right"], 60)
    vectors = rng.standard_normal((20, 8))[animal] + 0.5 * rng.standard_normal((60, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -np.inf)
    order = np.argsort(-similar, axis=1)[:, :59]
    ranking = Ranking.from_codes(ids, ids, order, np.take_along_axis(similar, order, axis=1))
    protocol = Protocol.from_catalogue(Catalogue(frame))
    return evaluate(protocol, ranking, k=10, bootstrap=Bootstrap(resamples=resamples), **more)


@pytest.fixture(scope="module")
def report() -> Report:
    return seals()


@pytest.fixture(scope="module")
def found(report: Report) -> OpenSetReport:
    return evaluate_open_set(report, false_accept_rate=0.3)


def test_the_cmc_curve_is_the_reports_and_its_band_the_intervals(report: Report) -> None:
    display = CMCDisplay.from_report(report)
    tops = ["top-1", "top-5", "top-10"]
    np.testing.assert_allclose(display.share[[0, 4, 9]], [report[name] for name in tops])
    assert display.low is not None
    assert display.high is not None
    np.testing.assert_allclose(display.low[[0, 4, 9]], report.metrics.loc[tops, "low"])
    np.testing.assert_allclose(display.high[[0, 4, 9]], report.metrics.loc[tops, "high"])
    assert CMCDisplay.from_report(seals(0)).low is None


def test_two_curves_share_ones_own_axes(report: Report) -> None:
    ax = Figure().subplots()
    first = CMCDisplay.from_report(report, name="A").plot(ax=ax, color="red")
    second = CMCDisplay.from_report(seals(0), name="B").plot(ax=ax, linestyle=":")
    assert first.ax_ is second.ax_ is ax
    assert first.line_.get_color() == "red"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["A", "B"]
    assert ax.lines == [first.line_, second.line_] or list(ax.lines) == [first.line_, second.line_]


def test_groups_of_any_metric(report: Report) -> None:
    by_side = MetricByGroupDisplay.from_report(report).plot()
    table = report.by("viewpoint")
    assert by_side.groups == ["left", "right"]
    np.testing.assert_allclose([bar.get_width() for bar in by_side.bars_], table["mAP@10"])
    assert by_side.ax_.get_title() == "mAP@10 by viewpoint"
    first = MetricByGroupDisplay.from_report(report, "photos", metric="top-1")
    np.testing.assert_allclose(first.value, report.by("photos")["top-1"])
    assert first.low is None  # a breakdown has the leading metric's intervals alone
    with pytest.raises(WhalereidError, match="metric is 'top-2'; choose from mAP@10, top-1"):
        MetricByGroupDisplay.from_report(report, metric="top-2")
    named = seals(metrics=["mINP", "mAP@10"])
    assert MetricByGroupDisplay.from_report(named).plot().ax_.get_xlabel() == "mINP"


def test_open_set_rates_and_the_threshold(found: OpenSetReport) -> None:
    display = OpenSetDisplay.from_report(found).plot()
    curve, threshold = found.outcome.curve(), found.threshold.value
    np.testing.assert_array_equal(display.line_.get_ydata(), curve["identification_rate"])
    assert display.point == (found.outcome.false_alarm_rate(threshold), found.outcome.identification_rate(threshold))
    assert display.ax_.get_title() == f"AUROC {found.outcome.auroc():.3f}; the dot: threshold {threshold:.4f}"


def test_reliability_is_the_bins(found: OpenSetReport) -> None:
    display = ReliabilityDisplay.from_report(found).plot()
    table = reliability(found.calibration.predict(found.pairs[0]), found.pairs[1])
    np.testing.assert_array_equal(display.line_.get_xdata(), table["predicted"])
    np.testing.assert_array_equal(display.line_.get_ydata(), table["observed"])
    assert display.ax_.get_title() == f"calibration error {found.calibration_error:.3f}"


def test_figures_put_displays_side_by_side(report: Report, found: OpenSetReport) -> None:
    assert [ax.get_title() for ax in draw_report(report).axes] == ["CMC", "mAP@10 by viewpoint"]
    assert [ax.get_title() for ax in draw_report(report, by="photos").axes] == ["CMC", "mAP@10 by photos"]
    assert len(draw_open_set(found).axes) == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: CMCDisplay([0.5], [0.4]), "low and high go together"),
        (lambda: CMCDisplay([0.5], [0.4, 0.4], [0.6, 0.6]), "low holds 2 and high 2; give 1 of each"),
        (lambda: CMCDisplay([0.5]).plot(ax=3), "ax is 3; give matplotlib axes"),
        (lambda: MetricByGroupDisplay(["a"], [0.5, 0.6], [1]), "1 groups, but value holds 2 and queries 1"),
        (lambda: OpenSetDisplay([0.1], [0.2, 0.3]), "false_alarm_rate holds 1 and identification_rate 2"),
        (lambda: ReliabilityDisplay([0.1], []), "predicted holds 1 and observed 0"),
    ],
)
def test_what_doesnt_fit_is_refused(wrong: Callable[[], Any], message: str) -> None:
    with pytest.raises(WhalereidError, match=message):
        wrong()


@pytest.mark.parametrize("draw", [draw_report, lambda report: CMCDisplay.from_report(report).plot()])
def test_without_matplotlib_it_says_what_to_install(
    draw: Callable[[Report], Any], report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return plain(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(WhalereidError, match=r"pip install whalereid\[plots\]"):
        draw(report)
