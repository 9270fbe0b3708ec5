"""Report: what a ranking is worth, told: with notes, against another, as Markdown, JSON and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from whalereid import arguments, html
from whalereid.arguments import instance
from whalereid.arrays import positions
from whalereid.errors import WhalereidError, listing
from whalereid.evaluation.measurements import Measurements
from whalereid.evaluation.notes import notes_of_intervals, notes_of_lists
from whalereid.evaluation.resampling import compare
from whalereid.evaluation.seen import notes_of_seen

__all__ = ["Report"]


@dataclass(frozen=True, eq=False, repr=False)
class Report(Measurements):
    """What a ranking is worth. Made by `evaluate`.

    Means are over the queries that have a relevant photo; intervals are of resampled identities.

    Attributes
    ----------
    scored : ScoredRanking
        The ranking against its task: `ranking`, `labels`, `hits`, `catalogue`, `query_images`, `scenarios`,
        `trained_on`, which the report has too.
    k : int
        Last rank of the CMC curve, and cut-off of the usual metrics.
    measures : tuple of Metric
        What is measured; the first leads.
    bootstrap : Bootstrap
        How intervals are made.
    remarks : tuple of str
        What was done to the ranking before.
    """

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know beside the numbers, one sentence each."""
        return (
            *notes_of_seen(self.scored, self.seen),
            *self.remarks,
            *notes_of_lists(self.scored, self.counts, self.k, self.measures),
            *notes_of_intervals(self.names, self.per_metric[self.hits.scored], self.counts, self.bootstrap),
        )

    def compare(self, other: Report) -> pd.DataFrame:
        """Compare with another ranking of the same queries, query by query.

        Parameters
        ----------
        other : Report
            With the same queries, labels, k and metrics.

        Returns
        -------
        DataFrame
            Index: the metric; columns: ``A`` (this report), ``B`` (the other), ``difference`` (A - B) with its interval
            ``low`` and ``high``, and the ``probability`` that the better one is better.

        Raises
        ------
        WhalereidError
            They rank or score different queries, or differ in k or metrics.
        """
        instance(other, "other", Report, "a Report (evaluate(protocol, ranking) makes one)")
        if (self.k, self.measures) != (other.k, other.measures):
            raise WhalereidError("compare: the reports differ in k or in their metrics; evaluate both the same way.")
        first, second = self.hits, other.hits
        for one, another, lacking in ((first, second, "second"), (second, first, "first")):
            asked = one.query_ids[one.scored & ~one.missing]
            lost = asked[positions(asked, another.query_ids[another.scored & ~another.missing]) < 0]
            if len(lost):
                raise WhalereidError(
                    f"compare: {len(lost)} queries are not in the {lacking} ranking: {listing(lost)}; "
                    "both must rank the same queries."
                )
        rows = np.flatnonzero(first.scored)
        at = positions(first.query_ids[rows], second.query_ids)
        if (at < 0).any() or (first.relevant[rows] != second.relevant[at]).any():
            raise WhalereidError("compare: the reports' labels differ; score both against the same ones.")
        table = {}
        for column, name in enumerate(self.names):
            a, b = self.per_metric[rows, column], other.per_metric[at, column]
            found = compare(a, b, self.identities[rows], bootstrap=self.bootstrap)
            spread = found.interval
            table[name] = [a.mean(), b.mean(), spread.estimate, spread.low, spread.high, found.probability]
        columns = ["A", "B", "difference", "low", "high", "probability"]
        return pd.DataFrame.from_dict(table, orient="index", columns=columns).rename_axis("metric")

    def to_dict(self, by: Sequence[str] = ()) -> dict[str, Any]:
        """Return everything as JSON can hold it: each metric by name, the counts, intervals, notes and breakdowns.

        ``intervals`` is null without resamples; an end is null where there is no interval, as of one identity.
        """
        result: dict[str, Any] = {name: self[name] for name in self.names}
        result |= self.counts | {"asked": len(self.hits)}
        result["headline"] = self.headline
        result["seen"] = None if self.seen is None else self._rows_by("seen")
        result |= {"k": self.k, "denominator": self.denominator}
        result["intervals"] = None
        if self.bootstrap.resamples:
            bounds = self.metrics[["low", "high"]]
            result["intervals"] = {
                "confidence": self.bootstrap.confidence,
                "method": self.bootstrap.method,
                "resamples": self.bootstrap.resamples,
                "seed": self.bootstrap.seed,
                **{name: _ends(*row) for name, row in zip(self.names, bounds.to_numpy().tolist(), strict=True)},
            }
        by = arguments.texts(by, "by", "names of breakdowns, such as ['viewpoint']")
        if by:
            result["by"] = {what: self._rows_by(what) for what in by}
        result["notes"] = list(self.notes)
        return result

    def to_markdown(self, by: Sequence[str] = ()) -> str:
        """Return the report as Markdown: the table, its notes, and a table for each breakdown."""
        by = arguments.texts(by, "by", "names of breakdowns, such as ['viewpoint']")
        counts = self.counts
        by = [*(["seen"] if self.seen is not None and "seen" not in by else []), *by]
        lines = [
            f"{self.headline}.",
            "",
            f"{counts['queries']} queries of {counts['identities']} identities",
            "",
            f"| metric | value | {self._level} |",
            "|---|---|---|",
        ]
        for name, value, low, high in self.metrics.itertuples():
            lines.append(f"| {name} | {value:.4f} | {_span(low, high)} |")
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        for what in by:
            names = self.names_by_group
            lines += ["", f"| {what} | queries | identities | {' | '.join(names)} | {self._level} of {names[0]} |"]
            lines.append("|---" * (len(names) + 4) + "|")
            for group, row in self.by(what).to_dict(orient="index").items():
                shown = " | ".join(f"{row[name]:.4f}" for name in names)
                span = _span(row["low"], row["high"])
                lines.append(f"| {group} | {row['queries']} | {row['identities']} | {shown} | {span} |")
        return "\n".join(lines) + "\n"

    def _rows_by(self, what: str) -> dict[str, Any]:
        table = self.by(what)
        plain = table.astype(object).where(table.notna(), None)
        return {str(group): row for group, row in plain.to_dict(orient="index").items()}

    def __repr__(self) -> str:
        return f"Report({self.headline}; {self.counts['identities']} identities)"

    def _repr_html_(self) -> str:
        return html.section(
            "Report",
            html.paragraph(self.headline),
            html.facts(self.counts | {"k": self.k}),
            html.table(
                ["metric", "value", self._level],
                [[name, f"{value:.4f}", _span(low, high)] for name, value, low, high in self.metrics.itertuples()],
            ),
            *map(html.paragraph, self.notes),
        )

    @property
    def _level(self) -> str:
        return f"{100 * self.bootstrap.confidence:g}% interval"


def _ends(low: float, high: float) -> list[float | None]:
    """An interval's ends, as JSON can hold them."""
    return [None, None] if np.isnan(low) else [low, high]


def _span(low: float, high: float) -> str:
    return "–" if np.isnan(low) else f"{low:.4f} to {high:.4f}"
