"""Measurements: what a ranking is worth, in numbers, on the whole, query by query and in groups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.catalogue import Catalogue, TrainedOn
from whalereid.errors import WhalereidError, listing
from whalereid.evaluation.breakdown import groups_of
from whalereid.evaluation.checks import cut_off
from whalereid.evaluation.hits import Hits
from whalereid.evaluation.intervals import Bootstrap
from whalereid.evaluation.labels import Labels
from whalereid.evaluation.metrics import Denominator
from whalereid.evaluation.named_metrics import Metric, name_of_one_query, names_in_report, usual_metrics
from whalereid.evaluation.notes import queries_in_words
from whalereid.evaluation.resampling import bootstrap_means
from whalereid.evaluation.scored import ScoredRanking
from whalereid.ranking import Ranking

__all__ = ["Measurements"]


@dataclass(frozen=True, eq=False)
class Measurements:
    """What a ranking is worth, in numbers: each metric of each query, on the whole and in groups.

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

    scored: ScoredRanking
    k: int
    measures: tuple[Metric, ...]
    bootstrap: Bootstrap
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        instance(self.scored, "scored", ScoredRanking, "what evaluate(protocol, ranking) makes")
        cut_off(self.k)
        for metric in instance(self.measures, "measures", tuple, "a tuple of Metric"):
            instance(metric, "one of measures", Metric, "a Metric, such as Metric.parse('mAP@20')")
        if not self.measures:
            raise WhalereidError("measures holds none; give one Metric at least.")
        Bootstrap.of(self.bootstrap)

    @property
    def ranking(self) -> Ranking:
        """As scored."""
        return self.scored.ranking

    @property
    def labels(self) -> Labels:
        """The relevant photos."""
        return self.scored.labels

    @property
    def hits(self) -> Hits:
        """The ranking set against its labels."""
        return self.scored.hits

    @property
    def catalogue(self) -> Catalogue | None:
        """The photos, where they are known."""
        return self.scored.catalogue

    @property
    def query_images(self) -> np.ndarray | None:
        """(Q,) str objects: the photo of each query of `hits`, where known."""
        return self.scored.query_images

    @property
    def scenarios(self) -> np.ndarray:
        """(Q,) str objects: the scenario of each query, or empty."""
        return self.scored.scenarios

    @property
    def trained_on(self) -> TrainedOn | None:
        """What the method was trained on; None where that isn't known."""
        return self.scored.trained_on

    @property
    def identities(self) -> np.ndarray:
        """(Q,): whose photo each query is. Without a catalogue: queries that share a relevant photo count as one's."""
        return self.scored.identities

    def query_column(self, name: str) -> pd.Series:
        """(Q,) a column of the catalogue, of each query's photo."""
        return self.scored.query_column(name)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the metrics are called here, the leading one first: ``mAP@20``."""
        return names_in_report(self.measures)

    @property
    def measures_the_usual(self) -> bool:
        """Whether no other metrics were asked for than `usual_metrics`."""
        return self.measures == usual_metrics(self.k, self.denominator)

    @property
    def names_by_group(self) -> tuple[str, ...]:
        """The metrics that a table of groups shows: all that were asked for; of the usual ones mAP and the top-k."""
        shown = [not self.measures_the_usual or metric.name in ("mAP", "top") for metric in self.measures]
        return tuple(name for name, show in zip(self.names, shown, strict=True) if show)

    @property
    def denominator(self) -> Denominator:
        """What average precision is divided by, in the first metric that is one."""
        given = [metric.options.get("denominator", "min") for metric in self.measures if metric.name == "mAP"]
        return given[0] if given else "min"

    def __getitem__(self, metric: str) -> float:
        """Return one metric, such as ``report["mAP@20"]``."""
        if not isinstance(metric, str) or metric not in self.names:
            raise WhalereidError(f"no metric {metric!r}; this report has {listing(self.names, most=20)}.")
        return float(self.metrics["value"].to_numpy()[self.names.index(metric)])

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Index: the metric; columns: ``value`` and the interval's ``low`` and ``high``."""
        rows = self.hits.scored
        return pd.DataFrame(
            self._summary(self.per_metric[rows], self.identities[rows]),
            index=pd.Index(self.names, name="metric"),
            columns=["value", "low", "high"],
        )

    @cached_property
    def per_query(self) -> pd.DataFrame:
        """One row a query, to look at the failures.

        ``query_id``; where known ``image_id``, ``identity`` and ``scenario``; ``relevant`` and ``listed`` photos; the
        rank of the ``first_hit``; the ``best_id`` and ``best_score``; every metric's value, NaN for a query without a
        relevant photo.
        """
        table: dict[str, Any] = {"query_id": self.hits.query_ids}
        if self.query_images is not None:
            table["image_id"] = self.query_images
        if self.catalogue is not None and "identity" in self.catalogue.columns and self.query_images is not None:
            table["identity"] = self.query_column("identity")
        if len(set(self.scenarios)) > 1:
            table["scenario"] = self.scenarios
        names = map(name_of_one_query, self.measures, self.names)
        return pd.DataFrame(table | self.scored.first_of_lists() | dict(zip(names, self.per_metric.T, strict=True)))

    @property
    def counts(self) -> dict[str, int]:
        """How many queries are in the means, of how many identities, and how many are not as one would wish."""
        hits = self.hits
        return {
            "queries": int(hits.scored.sum()),
            "identities": len(pd.unique(self.identities[hits.scored])),
            "without_relevant": int((~hits.scored).sum()),
            "missing": int(hits.missing.sum()),
            "tied": int((hits.tied & hits.scored).sum()),
        }

    @property
    def headline(self) -> str:
        """The first metric with what it stands on, in one line: never the one without the other."""
        name, scored, asked = self.names[0], int(self.hits.scored.sum()), len(self.hits)
        said = f"{name} {self[name]:.4f} over {scored:,} of {queries_in_words(asked)}"
        if scored == asked:
            return said
        has = "has" if asked - scored == 1 else "have"
        return f"{said} ({asked - scored:,} {has} no match among their candidates under these rules)"

    @cached_property
    def seen(self) -> pd.DataFrame | None:
        """``by("seen")``: animals that were trained on, and others; None where it can't be told."""
        return self.by("seen") if self.trained_on is not None and self.scored.identified else None

    def by(self, what: str) -> pd.DataFrame:
        """Break the metrics down.

        Parameters
        ----------
        what : str
            A column of the catalogue (of the query's photo), such as ``viewpoint`` or ``species``; ``COLUMN-pair``,
            such as ``viewpoint-pair`` (the query's and the relevant photo's); ``year-gap`` (calendar years between the
            two); ``photos`` (how many relevant photos the query has); ``seen`` (whether its identity was trained on);
            ``scenario``. In pairs and gaps each query is asked for its relevant photos of the group alone; its other
            relevant photos are taken out of the list, neither right nor wrong, as in Radenović et al., Revisiting
            Oxford and Paris, CVPR 2018.

        Returns
        -------
        DataFrame
            Index: the group, each name once; missing values last, as ``unknown``, or ``no value`` where a value is
            called so; values that read alike stay apart, as ``1`` and ``'1'``. Columns: ``queries``, ``identities``,
            each metric, and ``low`` and ``high`` of the first.

        Raises
        ------
        WhalereidError
            There is no such column, or what the breakdown needs wasn't given.
        """
        hits, groups = self.hits, groups_of(self.scored, what)
        inside = np.flatnonzero(groups.relevant > 0)
        order = inside[np.argsort(groups.codes[inside], kind="stable")]
        names, rows = [], []
        for members in np.split(order, np.flatnonzero(np.diff(groups.codes[order])) + 1) if len(order) else ():
            code, queries = groups.codes[members[0]], groups.queries[members]
            if groups.cells is None:
                values = self.per_metric[queries]
            else:
                asked = hits.narrowed(queries, groups.cells[queries] == code, groups.relevant[members])
                values = self._measure(asked)
            identities = self.identities[queries]
            summary = self._summary(values, identities)
            names.append(groups.names[code])
            rows.append([len(queries), len(pd.unique(identities)), *summary[:, 0], *summary[0, 1:]])
        columns = ["queries", "identities", *self.names, "low", "high"]
        table = pd.DataFrame(rows, index=pd.Index(names, name=what, dtype=object), columns=columns)
        return table.astype({"queries": int, "identities": int})

    @cached_property
    def per_metric(self) -> np.ndarray:
        """(Q, M) float64: each metric of each query; NaN where a query has no relevant photo."""
        return self._measure(self.hits)

    def _measure(self, hits: Hits) -> np.ndarray:
        return np.stack([metric.values(hits) for metric in self.measures], axis=1)

    def _summary(self, values: np.ndarray, identities: np.ndarray) -> np.ndarray:
        """(M, 3): mean, low, high."""
        means = values.mean(axis=0)
        intervals = bootstrap_means(values, identities, bootstrap=self.bootstrap)
        return np.column_stack([means, [[i.low, i.high] for i in intervals]])
