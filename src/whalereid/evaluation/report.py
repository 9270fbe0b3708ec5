"""Report: what a ranking is worth, with intervals, per query, in groups, as a table, a figure and JSON."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from whalereid import arguments
from whalereid.arguments import instance
from whalereid.catalogue import Catalogue, TrainedOn
from whalereid.errors import WhalereidError, listing
from whalereid.evaluation.arrays import catalogue_of, cut_off
from whalereid.evaluation.breakdown import groups_of, query_photos, scenarios_of
from whalereid.evaluation.hits import Hits, RankingLike, as_ranking, refuse_empty
from whalereid.evaluation.intervals import Method, bootstrap_means, check_resampling, compare
from whalereid.evaluation.labels import Labels, LabelsLike, positions
from whalereid.evaluation.metrics import (
    Denominator,
    average_precision,
    inverse_negative_penalty,
    precision_at,
    r_precision,
    recall_at,
    top_k,
)
from whalereid.evaluation.protocol import Protocol
from whalereid.evaluation.seen import notes_of_seen, trained_on_of
from whalereid.ranking import Ranker, Ranking, rank_tasks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Report", "evaluate"]


def evaluate(
    task: Protocol | LabelsLike,
    method: RankingLike | Ranker,
    *,
    k: int = 20,
    denominator: Denominator = "min",
    catalogue: Catalogue | None = None,
    trained_on: TrainedOn | Catalogue | Collection[str] | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    interval: Method = "bca",
    seed: int = 0,
    **options: Any,
) -> Report:
    """Score a method on a task.

    Parameters
    ----------
    task : Protocol, or labels in any form
        A protocol's rules are followed: listed photos that are no candidates are taken out. Labels alone score the
        lists as they are.
    method : Ensemble or anything else with its ``rank``; or Ranking, DataFrame or path
        Who ranks, or a ranking made already. Labels alone need a ranking.
    k : int, default=20
        Cut-off of the metrics, and length of the lists where `method` ranks.
    denominator : {"min", "relevant", "retrieved"}, default="min"
        Of average precision; see `average_precision`.
    catalogue : Catalogue, optional
        With labels alone: the photos, for breakdowns and for whose photos belong together. A protocol has its own.
    trained_on : TrainedOn, Catalogue or collection of str, optional
        What the method was trained on, or the identities there, so that animals seen and unseen are told apart; by
        default what the ranking says of itself.
    resamples : int, default=1000
        Resampled populations of the intervals; 0 leaves intervals out.
    confidence : float, default=0.95
        Level of the intervals.
    interval : {"bca", "percentile"}, default="bca"
        Kind of interval; see `bootstrap`.
    seed : int, default=0
        Of the resampling.
    **options
        Further arguments of the method's ``rank``, such as ``rerank``.

    Returns
    -------
    Report

    Raises
    ------
    WhalereidError
        Ranking, labels or protocol don't fit together; no query has a relevant photo; an option is out of range.

    Examples
    --------
    >>> photos = Catalogue(pd.DataFrame({"image_id": list("abc"), "path": list("abc"),
    ...                                  "identity": ["nanuq", "nanuq", "siku"]}))
    >>> ranking = Ranking(ids=[["b", "c"], ["c", "a"]], scores=[[0.9, 0.1], [0.8, 0.7]], query_ids=["a", "b"])
    >>> report = evaluate(Protocol.from_catalogue(photos), ranking, k=2)
    >>> report["mAP@2"], report["top-1"]
    (0.75, 0.5)
    """
    cut_off(k)
    arguments.choice(denominator, "denominator", get_args(Denominator))
    arguments.choice(interval, "interval", get_args(Method))
    check_resampling(resamples, confidence, seed)
    if catalogue is not None:
        catalogue_of(catalogue)
    if trained_on is not None and not isinstance(trained_on, TrainedOn | Catalogue):
        trained_on = arguments.texts(trained_on, "trained_on", "a Catalogue, or identities")
    if isinstance(method, Ranking | pd.DataFrame | str | os.PathLike):
        ranking = as_ranking(method)
        if options:
            raise WhalereidError(f"evaluate: {listing(options)} can't be applied to a ranking made already.")
    elif not isinstance(task, Protocol) or task.catalogue is None:
        raise WhalereidError(
            "method: ranking needs a task that is a Protocol with its catalogue; or give a ranking made already."
        )
    elif not callable(getattr(method, "rank", None)):
        raise WhalereidError(f"method is a {type(method).__name__}; give an Ensemble, a Ranking, a table or a path.")
    else:
        ranking = rank_tasks(method, task.catalogue, task.tasks, k, **options)
    notes: list[str] = []
    learnt = ranking.trained_on if trained_on is None else trained_on_of(trained_on)
    if isinstance(task, Protocol):
        ranking, taken = task.admitted(ranking)
        if taken:
            notes.append(f"listed photos that are no candidates under the rules: {taken}, taken out of the lists")
        ranking = task.completed(ranking)
        catalogue = task.catalogue
        labels = task.labels
    else:
        refuse_empty(ranking)
        labels = Labels.of(task, ranking.query_ids, name="task")
    known = () if catalogue is None else catalogue.image_ids
    if isinstance(task, Protocol):
        known = np.array([*task.query_ids, *chain.from_iterable(one.database_images for one in task.tasks)], object)
    hits = Hits.of(ranking, labels, known)
    if not isinstance(task, Protocol):
        strange = labels._check_photos(ranking, catalogue)
        if strange:
            notes.append(
                f"labelled photos that neither the ranking nor the catalogue has: {len(strange):,} "
                f"({listing(strange, most=3)}); they count as not found"
            )
    if isinstance(task, Protocol):
        silent = (hits.lengths == 0) & ~hits.scored
        asked = hits.query_ids[silent & (task.candidates > 0)] if silent.any() else ()
        if len(asked):
            notes.append(
                f"listing nothing though they have candidates, none of them relevant: {_queries(len(asked))} "
                f"({listing(asked, most=3)}); an open set takes them for called new"
            )
    if not hits.scored.any():
        raise WhalereidError(f"none of the {len(hits)} queries has a relevant photo, so there is nothing to average.")
    images, scenarios = None, scenarios_of(hits.query_ids)
    if isinstance(task, Protocol):
        at = positions(hits.query_ids, task.query_ids)
        images, scenarios = np.asarray(task.query_images, object)[at], np.asarray(task.scenarios, object)[at]
    elif catalogue is not None:
        images, scenarios = query_photos(hits.query_ids, catalogue)
    return Report(
        ranking=ranking,
        labels=labels,
        hits=hits,
        catalogue=catalogue,
        query_images=images,
        scenarios=scenarios,
        trained_on=learnt,
        k=k,
        denominator=denominator,
        resamples=resamples,
        confidence=confidence,
        interval=interval,
        seed=seed,
        remarks=tuple(notes),
    )


@dataclass(frozen=True, eq=False)
class Report:
    """What a ranking is worth. Made by `evaluate`.

    Means are over the queries that have a relevant photo; intervals are of resampled identities.

    Attributes
    ----------
    ranking : Ranking
        As scored.
    labels : Labels
        The relevant photos.
    hits : Hits
        The two set against each other.
    catalogue : Catalogue or None
    query_images : ndarray of shape (Q,), str objects, or None
        The photo of each query of `hits`, where known.
    scenarios : ndarray of shape (Q,), str objects
        Its scenario, or empty.
    trained_on : TrainedOn or None
        What the method was trained on; None where that isn't known.
    k, denominator, resamples, confidence, interval, seed : as in `evaluate`
        How it was asked for.
    remarks : tuple of str
        What was done to the ranking before.
    """

    ranking: Ranking
    labels: Labels
    hits: Hits
    catalogue: Catalogue | None
    query_images: np.ndarray | None
    scenarios: np.ndarray
    trained_on: TrainedOn | None
    k: int
    denominator: Denominator
    resamples: int
    confidence: float
    interval: Method
    seed: int
    remarks: tuple[str, ...]

    def __post_init__(self) -> None:
        made = "what evaluate(protocol, ranking) makes"
        for name, kind in (("ranking", Ranking), ("labels", Labels), ("hits", Hits)):
            instance(getattr(self, name), name, kind, made)
        if self.catalogue is not None:
            catalogue_of(self.catalogue)
        if self.trained_on is not None:
            instance(self.trained_on, "trained_on", TrainedOn, made)
        cut_off(self.k)
        arguments.choice(self.denominator, "denominator", get_args(Denominator))
        arguments.choice(self.interval, "interval", get_args(Method))
        check_resampling(self.resamples, self.confidence, self.seed)

    def __getitem__(self, metric: str) -> float:
        """Return one metric, such as ``report["mAP@20"]``."""
        if not isinstance(metric, str) or metric not in self._names:
            raise WhalereidError(f"no metric {metric!r}; this report has {listing(self._names, most=20)}.")
        return float(self.metrics["value"].to_numpy()[self._names.index(metric)])

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Index: the metric; columns: ``value`` and the interval's ``low`` and ``high``."""
        rows = self.hits.scored
        return pd.DataFrame(
            self._summary(self._values[rows], self.identities[rows]),
            index=pd.Index(self._names, name="metric"),
            columns=["value", "low", "high"],
        )

    @cached_property
    def per_query(self) -> pd.DataFrame:
        """One row a query, to look at the failures.

        ``query_id``; where known ``image_id``, ``identity`` and ``scenario``; ``relevant`` and ``listed`` photos; the
        rank of the ``first_hit``; the ``best_id`` and ``best_score``; every metric's value, NaN for a query without a
        relevant photo.
        """
        hits = self.hits
        table: dict[str, Any] = {"query_id": hits.query_ids}
        if self.query_images is not None:
            table["image_id"] = self.query_images
        if self.catalogue is not None and "identity" in self.catalogue.columns and self.query_images is not None:
            table["identity"] = self.query_column("identity")
        if len(set(self.scenarios)) > 1:
            table["scenario"] = self.scenarios
        listed, found = np.flatnonzero(hits.lengths > 0), np.flatnonzero(hits.hit.any(axis=1))
        best_id, best_score, first_hit = np.full(len(hits), None, object), *np.full((2, len(hits)), np.nan)
        best_id[listed] = self.ranking.database_ids[self.ranking.codes[listed][:, :1].ravel()]  # the ranked come first
        best_score[listed] = hits.scores[listed, 0]
        first_hit[found] = hits.hit[found].argmax(axis=1) + 1
        table |= {"relevant": hits.relevant, "listed": hits.lengths, "first_hit": first_hit}
        table |= {"best_id": best_id, "best_score": best_score}
        names = [name.replace("mAP", "AP").replace("mINP", "INP") for name in self._names]
        return pd.DataFrame(table | dict(zip(names, self._values.T, strict=True)))

    @cached_property
    def identities(self) -> np.ndarray:
        """(Q,): whose photo each query is. Without a catalogue: queries that share a relevant photo count as one's."""
        if self.query_images is not None and self.catalogue is not None and self.catalogue.n_identities:
            names = self.query_column("identity").to_numpy(object)
            lone = pd.isna(names)
            names[lone] = [f"{query_id} (unknown)" for query_id in self.hits.query_ids[lone]]
            return np.asarray(names, object)
        return _connected(self.hits, self.labels)

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
        name, scored, asked = self._names[0], int(self.hits.scored.sum()), len(self.hits)
        said = f"{name} {self[name]:.4f} over {scored:,} of {_queries(asked)}"
        if scored == asked:
            return said
        has = "has" if asked - scored == 1 else "have"
        return f"{said} ({asked - scored:,} {has} no match among their candidates under these rules)"

    @cached_property
    def seen(self) -> pd.DataFrame | None:
        """``by("seen")``: animals that were trained on, and others; None where it can't be told."""
        identified = self.query_images is not None and self.catalogue is not None and self.catalogue.n_identities
        return self.by("seen") if self.trained_on is not None and identified else None

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know beside the numbers, one sentence each."""
        counts, hits = self.counts, self.hits
        notes = [*notes_of_seen(self), *self.remarks]
        if counts["without_relevant"]:
            notes.append(f"left out of the means, having no relevant photo: {_queries(counts['without_relevant'])}")
        if counts["missing"]:
            gone = listing(hits.query_ids[hits.missing], most=3)
            notes.append(f"scored 0, having relevant photos but no ranking: {_queries(counts['missing'])} ({gone})")
        if counts["tied"]:
            notes.append(
                f"a right and a wrong photo with equal scores: {_queries(counts['tied'])}; mAP counts them as one "
                "threshold, the other metrics follow the list's order"
            )
        if self.ranking.k < self.k:
            notes.append(f"the longest list holds {self.ranking.k}, fewer than k = {self.k}")
        cut = int((hits.scored & (hits.hit.sum(axis=1) < hits.relevant)).sum())
        if cut:
            notes.append(f"lists that don't reach the last relevant photo: {_queries(cut)}; mINP is a lower bound")
        if self.query_images is None or self.catalogue is None or not self.catalogue.n_identities:
            notes.append("identities are not known here: queries that share a relevant photo count as one animal's")
        spread = np.ptp(self._values[hits.scored], axis=0)
        same = [name for name, width in zip(self._names, spread, strict=True) if width == 0]
        if self.resamples and same:
            notes.append(f"every query has the same {listing(same)}: an interval without width proves no certainty")
        if self.resamples and counts["identities"] < 2:
            notes.append("one identity says nothing about others: no intervals")
        return tuple(notes)

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
        hits, groups = self.hits, groups_of(self, what)
        inside = np.flatnonzero(groups.relevant > 0)
        order = inside[np.argsort(groups.codes[inside], kind="stable")]
        names, rows = [], []
        for members in np.split(order, np.flatnonzero(np.diff(groups.codes[order])) + 1) if len(order) else ():
            code, queries = groups.codes[members[0]], groups.queries[members]
            if groups.cells is None:
                values = self._values[queries]
            else:
                values = self._per_query_values(
                    hits.narrowed(queries, groups.cells[queries] == code, groups.relevant[members])
                )
            identities = self.identities[queries]
            summary = self._summary(values, identities)
            names.append(groups.names[code])
            rows.append([len(queries), len(pd.unique(identities)), *summary[:, 0], *summary[0, 1:]])
        columns = ["queries", "identities", *self._names, "low", "high"]
        table = pd.DataFrame(rows, index=pd.Index(names, name=what, dtype=object), columns=columns)
        return table.astype({"queries": int, "identities": int})

    def compare(self, other: Report) -> pd.DataFrame:
        """Compare with another ranking of the same queries, query by query.

        Parameters
        ----------
        other : Report
            With the same queries, labels, k and denominator.

        Returns
        -------
        DataFrame
            Index: the metric; columns: ``A`` (this report), ``B`` (the other), ``difference`` (A - B) with its interval
            ``low`` and ``high``, and the ``probability`` that the better one is better.

        Raises
        ------
        WhalereidError
            They rank or score different queries, or differ in k or denominator.
        """
        instance(other, "other", Report, "a Report (evaluate(protocol, ranking) makes one)")
        if (self.k, self.denominator) != (other.k, other.denominator):
            raise WhalereidError("compare: the reports differ in k or denominator; evaluate both the same way.")
        mine, theirs = self.hits, other.hits
        for ours, whose, lacking in ((mine, theirs, "second"), (theirs, mine, "first")):
            asked = ours.query_ids[ours.scored & ~ours.missing]
            lost = asked[positions(asked, whose.query_ids[whose.scored & ~whose.missing]) < 0]
            if len(lost):
                raise WhalereidError(
                    f"compare: {len(lost)} queries are not in the {lacking} ranking: {listing(lost)}; "
                    "both must rank the same queries."
                )
        rows = np.flatnonzero(mine.scored)
        at = positions(mine.query_ids[rows], theirs.query_ids)
        if (at < 0).any() or (mine.relevant[rows] != theirs.relevant[at]).any():
            raise WhalereidError("compare: the reports' labels differ; score both against the same ones.")
        table = {}
        for column, name in enumerate(self._names):
            a, b = self._values[rows, column], other._values[at, column]
            found = compare(
                a,
                b,
                self.identities[rows],
                resamples=self.resamples,
                confidence=self.confidence,
                method=self.interval,
                seed=self.seed,
            )
            spread = found.interval
            table[name] = [a.mean(), b.mean(), spread.estimate, spread.low, spread.high, found.probability]
        columns = ["A", "B", "difference", "low", "high", "probability"]
        return pd.DataFrame.from_dict(table, orient="index", columns=columns).rename_axis("metric")

    def to_dict(self, by: Sequence[str] = ()) -> dict[str, Any]:
        """Return everything as JSON can hold it: each metric by name, the counts, intervals, notes and breakdowns.

        ``intervals`` is null without resamples; an end is null where there is no interval, as of one identity.
        """
        result: dict[str, Any] = {name: self[name] for name in self._names}
        result |= self.counts | {"asked": len(self.hits)}
        result["headline"] = self.headline
        result["seen"] = None if self.seen is None else self._rows_by("seen")
        result |= {"k": self.k, "denominator": self.denominator}
        result["intervals"] = None
        if self.resamples:
            bounds = self.metrics[["low", "high"]]
            result["intervals"] = {
                "confidence": self.confidence,
                "method": self.interval,
                "resamples": self.resamples,
                "seed": self.seed,
                **{name: _ends(*row) for name, row in zip(self._names, bounds.to_numpy().tolist(), strict=True)},
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
        level = f"{100 * self.confidence:g}% interval"
        by = [*(["seen"] if self.seen is not None and "seen" not in by else []), *by]
        lines = [
            f"{self.headline}.",
            "",
            f"{counts['queries']} queries of {counts['identities']} identities",
            "",
            f"| metric | value | {level} |",
            "|---|---|---|",
        ]
        for name, value, low, high in self.metrics.itertuples():
            lines.append(f"| {name} | {value:.4f} | {_span(low, high)} |")
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        for what in by:
            names = [name for name in self._names if name.startswith(("mAP", "top"))]
            lines += ["", f"| {what} | queries | identities | {' | '.join(names)} | {level} of {names[0]} |"]
            lines.append("|---" * (len(names) + 4) + "|")
            for group, row in self.by(what).to_dict(orient="index").items():
                shown = " | ".join(f"{row[name]:.4f}" for name in names)
                span = _span(row["low"], row["high"])
                lines.append(f"| {group} | {row['queries']} | {row['identities']} | {shown} | {span} |")
        return "\n".join(lines) + "\n"

    def figure(self, by: str | None = None) -> Figure:
        """Draw the CMC curve and mAP in groups, both with intervals.

        Parameters
        ----------
        by : str, optional
            The groups, as in the method `by`; by default viewpoints where the catalogue has them, else scenarios where
            there are several, else no second panel.

        Returns
        -------
        matplotlib.figure.Figure
            ``.savefig("figure.png")`` writes it.

        Raises
        ------
        WhalereidError
            matplotlib isn't installed.
        """
        from whalereid.evaluation.figures import draw_report

        if by is not None:
            instance(by, "by", str, "the name of a breakdown, such as 'viewpoint'")
        return draw_report(self, by)

    def _rows_by(self, what: str) -> dict[str, Any]:
        table = self.by(what)
        held = table.astype(object).where(table.notna(), None)
        return {str(group): row for group, row in held.to_dict(orient="index").items()}

    @property
    def _names(self) -> list[str]:
        tops = sorted({1, 5, 20, self.k} - set(range(self.k + 1, 21)))
        return [
            f"mAP@{self.k}",
            *(f"top-{k}" for k in tops),
            f"precision@{self.k}",
            f"recall@{self.k}",
            "R-precision",
            "mINP",
        ]

    @cached_property
    def _values(self) -> np.ndarray:
        return self._per_query_values(self.hits)

    def _per_query_values(self, hits: Hits) -> np.ndarray:
        """(Q, M) values, NaN where a query has no relevant photo; columns as `_names`."""
        hit, relevant = hits.hit, hits.relevant
        tops = [int(name.removeprefix("top-")) for name in self._names if name.startswith("top-")]
        columns = [
            average_precision(hit, hits.scores, relevant, k=self.k, denominator=self.denominator),
            *(top_k(hit, relevant, k=k) for k in tops),
            precision_at(hit, relevant, k=self.k),
            recall_at(hit, relevant, k=self.k),
            r_precision(hit, relevant),
            inverse_negative_penalty(hit, relevant),
        ]
        return np.stack(columns, axis=1)

    def _summary(self, values: np.ndarray, identities: np.ndarray) -> np.ndarray:
        """(M, 3): mean, low, high."""
        means = values.mean(axis=0)
        intervals = bootstrap_means(
            values,
            identities,
            resamples=self.resamples,
            confidence=self.confidence,
            method=self.interval,
            seed=self.seed,
        )
        return np.column_stack([means, [[i.low, i.high] for i in intervals]])

    def query_column(self, name: str) -> pd.Series:
        """(Q,) a column of the catalogue, of each query's photo."""
        name = instance(name, "name", str, "the name of a column, such as 'identity'")
        if self.catalogue is None or self.query_images is None:
            raise WhalereidError(f"no column {name!r} without the photos' table; give the catalogue too.")
        return self.catalogue.column(name).iloc[self.catalogue.rows(self.query_images)].reset_index(drop=True)

    def __repr__(self) -> str:
        return f"Report({self.headline}; {self.counts['identities']} identities)"


def _connected(hits: Hits, labels: Labels) -> np.ndarray:
    """(Q,) int: groups of queries that share relevant photos, directly or through others."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    queries = len(hits)
    owner = positions(labels.query_ids, hits.query_ids)[labels.query]
    own = positions(hits.query_ids, labels.image_ids)  # a query that is itself relevant to another is the same animal
    held = np.flatnonzero(own >= 0)
    rows = np.concatenate([owner, held])
    columns = queries + np.concatenate([labels.image, own[held]])
    size = queries + len(labels.image_ids)
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1][:queries])


def _ends(low: float, high: float) -> list[float | None]:
    """An interval's ends, as JSON can hold them."""
    return [None, None] if np.isnan(low) else [low, high]


def _queries(count: int) -> str:
    return "1 query" if count == 1 else f"{count:,} queries"


def _span(low: float, high: float) -> str:
    return "–" if np.isnan(low) else f"{low:.4f} to {high:.4f}"
