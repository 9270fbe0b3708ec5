"""Figures: displays side by side, and how they are written (on matplotlib, the extra ``plots``)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from whalereid.arguments import instance
from whalereid.arrays import path_of
from whalereid.evaluation import OpenSetReport, Report
from whalereid.files import replacing
from whalereid.outputs import FIGURE, SOFTWARE, check_output
from whalereid.reporting.displays import (
    CMCDisplay,
    MetricByGroupDisplay,
    OpenSetDisplay,
    ReliabilityDisplay,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_open_set", "draw_report", "write_figure"]


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
    if not callable(getattr(figure, "savefig", None)) or isinstance(figure, type):
        instance(figure, "figure", (), "a matplotlib Figure")
    path = Path(path_of(path))
    check_output(path, FIGURE, force=instance(force, "force", bool, "True or False"))
    key = "Software" if path.suffix.lower() == ".png" else "Creator"
    with replacing(path) as beside:
        figure.savefig(beside, dpi=150, format=path.suffix.lower()[1:], metadata={key: SOFTWARE})


def draw_report(report: Report, by: str | None = None) -> Figure:
    """Draw a report's CMC curve, and its leading metric in groups, both with intervals.

    Parameters
    ----------
    report : Report
    by : str, optional
        The groups, as in `Report.by`; by default viewpoints where the catalogue has them, else scenarios where there
        are several, else no second panel.

    Returns
    -------
    matplotlib.figure.Figure
        ``.savefig("figure.png")`` writes it.

    Raises
    ------
    WhalereidError
        matplotlib isn't installed.
    """
    curve = CMCDisplay.from_report(report)
    if by is not None:
        instance(by, "by", str, "the name of a breakdown, such as 'viewpoint'")
    by = by or _usual_groups(report)
    groups = MetricByGroupDisplay.from_report(report, by) if by else None
    figure = new_figure((9.5 if groups else 5, 4))
    axes = figure.subplots(1, 2 if groups else 1, squeeze=False)[0]
    curve.plot(ax=axes[0])
    if groups is not None:
        groups.plot(ax=axes[1])
    return figure


def draw_open_set(report: OpenSetReport) -> Figure:
    """Draw identification against false alarms, and what was said against what was seen.

    Raises
    ------
    WhalereidError
        matplotlib isn't installed.
    """
    rates, reliability = OpenSetDisplay.from_report(report), ReliabilityDisplay.from_report(report)
    figure = new_figure((9.5, 4))
    left, right = figure.subplots(1, 2)
    rates.plot(ax=left)
    reliability.plot(ax=right)
    return figure


def _usual_groups(report: Report) -> str | None:
    if report.catalogue is not None and report.query_images is not None and report.catalogue.known("viewpoint").any():
        return "viewpoint"
    return "scenario" if len(set(report.scenarios)) > 1 else None
