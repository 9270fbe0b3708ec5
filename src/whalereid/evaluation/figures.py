"""Figures of a report, on matplotlib (the extra ``plots``)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from whalereid.calibration import reliability
from whalereid.errors import WhalereidError
from whalereid.evaluation.intervals import bootstrap_means
from whalereid.evaluation.metrics import cmc, top_k
from whalereid.evaluation.open_set import score_text
from whalereid.files import replacing
from whalereid.outputs import FIGURE, SOFTWARE, check_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from whalereid.evaluation.open_set import OpenSetReport
    from whalereid.evaluation.report import Report

__all__ = ["draw_open_set", "draw_report", "write_figure"]

_INK, _FILL, _ACCENT = "#0b3c5d", "#7fb7d6", "#c0672b"


def write_figure(figure: Figure, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a figure, whole or not at all, with a word inside that lets it be replaced later.

    Parameters
    ----------
    figure : matplotlib Figure
    path : path
        Ends in ``.png``, ``.svg`` or ``.pdf``. An earlier figure of ours there is replaced.
    force : bool, default=False
        Replace any other file too.

    Raises
    ------
    WhalereidError
        Another suffix, something else is there, or the place can't be written.
    """
    path = Path(path)
    check_output(path, FIGURE, force=force)
    key = "Software" if path.suffix.lower() == ".png" else "Creator"
    with replacing(path) as beside:
        figure.savefig(beside, dpi=150, format=path.suffix.lower()[1:], metadata={key: SOFTWARE})


def draw_report(report: Report, by: str | None = None) -> Figure:
    """Draw a report's CMC curve and its mAP in groups; see `Report.figure`."""
    by = by or _usual_groups(report)
    figure = _figure((9.5 if by else 5, 4))
    axes = figure.subplots(1, 2 if by else 1, squeeze=False)[0]
    _draw_cmc(axes[0], report)
    if by:
        _draw_groups(axes[1], report, by)
    return figure


def draw_open_set(found: OpenSetReport) -> Figure:
    """Draw identification against false alarms, and calibrated chances against shares; see `OpenSetReport.figure`."""
    figure = _figure((9.5, 4))
    left, right = figure.subplots(1, 2)
    curve, outcome, threshold = found.outcome.curve(), found.outcome, found.threshold.value
    left.plot(curve["false_alarm_rate"], curve["identification_rate"], color=_INK, drawstyle="steps-post")
    left.plot(outcome.false_alarm_rate(threshold), outcome.identification_rate(threshold), "o", color=_ACCENT)
    left.set(xlabel="new animals taken for known ones", ylabel="known animals named rightly", xlim=(-0.02, 1))
    left.set(ylim=(0, 1.02), title=f"AUROC {outcome.auroc():.3f}; the dot: threshold {score_text(threshold)}")
    table = reliability(found.calibration.predict(found.pairs[0]), found.pairs[1])
    right.plot([0, 1], [0, 1], ":", color="grey", linewidth=1)
    right.plot(table["predicted"], table["observed"], "o-", color=_INK, markersize=4)
    right.set(xlabel="chance said", ylabel="share right", xlim=(0, 1), ylim=(0, 1.02))
    right.set_title(f"calibration error {found.calibration_error:.3f}")
    return figure


def _figure(size: tuple[float, float]) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise WhalereidError("figures need matplotlib; pip install whalereid[plots].") from error
    return Figure(figsize=size, layout="constrained")


def _usual_groups(report: Report) -> str | None:
    if report.catalogue is not None and report.query_images is not None and report.catalogue.known("viewpoint").any():
        return "viewpoint"
    return "scenario" if len(set(report.scenarios)) > 1 else None


def _draw_cmc(axes: Axes, report: Report) -> None:
    hits, ranks = report.hits, np.arange(1, report.k + 1)
    axes.plot(ranks, cmc(hits.hit, hits.relevant, k=report.k), color=_INK, marker="o", markersize=3)
    if report.resamples:
        rows = hits.scored
        found = np.stack([top_k(hits.hit[rows], hits.relevant[rows], k=int(k)) for k in ranks], axis=1)
        bands = bootstrap_means(
            found,
            report.identities[rows],
            resamples=report.resamples,
            confidence=report.confidence,
            method=report.interval,
            seed=report.seed,
        )
        axes.fill_between(ranks, [b.low for b in bands], [b.high for b in bands], color=_FILL, alpha=0.4, linewidth=0)
    axes.set(xlabel="rank", ylabel="queries with a hit by this rank", ylim=(0, 1.02), title="CMC")
    axes.set_xticks([1, *range(5, report.k + 1, 5)])
    axes.grid(alpha=0.25)


def _draw_groups(axes: Axes, report: Report, by: str) -> None:
    table = report.by(by)
    name = f"mAP@{report.k}"
    value = table[name].to_numpy()
    places = np.arange(len(table))
    axes.barh(places, value, color=_FILL)
    if report.resamples:
        reach = np.abs(np.stack([value - table["low"], table["high"] - value]))
        axes.errorbar(value, places, xerr=np.nan_to_num(reach), fmt="none", ecolor=_INK, capsize=3)
    labels = [f"{group}\n{n} queries" for group, n in zip(table.index, table["queries"], strict=True)]
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.set(xlabel=name, xlim=(0, 1), title=f"{name} by {by}")
    axes.grid(axis="x", alpha=0.25)
