"""Scores as `whalereid evaluate` prints them for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from whalereid.cli.console import show
from whalereid.errors import printable

if TYPE_CHECKING:
    import pandas as pd

    from whalereid.evaluation import OpenSetReport, Report

__all__ = ["print_comparison", "print_report"]


def print_report(report: Report, by: list[str], open_set: OpenSetReport | None) -> None:
    """Print one ranking's scores, broken down by what was asked for."""
    groups = _groups(report, by)  # before a word is printed: it may be refused
    _print_table(
        f"{report.headline}; {report.counts['identities']:,} identities",
        ["metric", "value", _level(report)],
        [[name, _number(value), _span(low, high)] for name, value, low, high in report.metrics.itertuples()],
    )
    for title, table in groups:
        _print_groups(title, table, report)
    if open_set is not None:
        _print_table("open set", ["", "value"], [[name, text] for name, text in open_set.lines()])


def print_comparison(reports: list[Report], by: list[str], names: list[str]) -> None:
    """Print the scores of two rankings side by side, with their differences."""
    first, second = reports
    difference = first.compare(second)
    both = list(zip("AB", reports, strict=True))
    groups = [(f"{which} {title}", table, report) for which, report in both for title, table in _groups(report, by)]
    base = f"{first.counts['queries']:,} of {len(first.hits):,} queries of {first.counts['identities']:,} identities"
    _print_table(
        f"A: {names[0]}, B: {names[1]}; over {base}",
        ["metric", "A", "B", "A - B", _level(first), "better", "probability"],
        [
            [name, _number(a), _number(b), f"{d:+.4f}", _span(low, high), _better(d), "–" if p != p else f"{p:.3f}"]
            for name, a, b, d, low, high, p in difference.itertuples()
        ],
    )
    for group in groups:
        _print_groups(*group)


def _groups(report: Report, by: list[str]) -> list[tuple[str, pd.DataFrame]]:
    """The breakdowns asked for, and always the one by what was trained on, where that is known."""
    always = {} if report.seen is None else {"seen": report.seen}
    return [(f"by {what}", table) for what, table in (always | {what: report.by(what) for what in by}).items()]


def _print_groups(title: str, table: pd.DataFrame, report: Report) -> None:
    what = str(table.index.name)
    first, *others = report.names_by_group
    if report.measures_the_usual:
        others = [name for name in others if name in ("top-1", f"top-{report.k}")]  # a terminal is only so wide
    rows = [
        [
            str(row[what]),
            f"{row['queries']:,}",
            f"{row['identities']:,}",
            _number(row[first]),
            _span(row["low"], row["high"]),
            *(_number(row[name]) for name in others),
        ]
        for row in table.reset_index().to_dict("records")
    ]
    _print_table(title, [what, "queries", "identities", first, _level(report), *others], rows)


def _print_table(title: str, header: list[str], rows: list[list[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for number, name in enumerate(header):
        table.add_column(printable(name), justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*map(printable, row))
    show(title)
    Console(markup=False, highlight=False).print(table)


def _level(report: Report) -> str:
    return f"{100 * report.bootstrap.confidence:g}% interval"


def _number(value: float) -> str:
    return f"{value:.4f}"


def _span(low: float, high: float) -> str:
    return "–" if low != low else f"{low:.4f} to {high:.4f}"


def _better(difference: float) -> str:
    return "A" if difference > 0 else "B" if difference < 0 else "–"
