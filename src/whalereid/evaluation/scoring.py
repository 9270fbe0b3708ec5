"""`evaluate`: score a method, or a ranking made already, on a task."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from whalereid import arguments
from whalereid.arrays import positions
from whalereid.catalogue import Catalogue, TrainedOn
from whalereid.errors import WhalereidError, listing
from whalereid.evaluation.breakdown import query_photos, scenarios_of
from whalereid.evaluation.checks import catalogue_of, cut_off
from whalereid.evaluation.hits import Hits, RankingLike, as_ranking, refuse_empty
from whalereid.evaluation.intervals import USUAL, Bootstrap
from whalereid.evaluation.labels import Labels, LabelsLike
from whalereid.evaluation.named_metrics import Metric, metrics_of
from whalereid.evaluation.notes import queries_in_words
from whalereid.evaluation.protocol import Protocol
from whalereid.evaluation.report import Report
from whalereid.evaluation.scored import ScoredRanking
from whalereid.evaluation.seen import trained_on_of
from whalereid.ranking import Ranker, Ranking, rank_tasks

__all__ = ["evaluate"]


def evaluate(
    task: Protocol | LabelsLike,
    method: RankingLike | Ranker,
    *,
    k: int = 20,
    metrics: Sequence[str | Metric] | None = None,
    catalogue: Catalogue | None = None,
    trained_on: TrainedOn | Catalogue | Collection[str] | None = None,
    bootstrap: Bootstrap = USUAL,
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
        Cut-off of the usual metrics and the last rank of the CMC curve; where `method` ranks, the length of its lists,
        or a metric's cut-off where that is larger.
    metrics : sequence of str or Metric, optional
        What to measure, such as ``["mAP@20", "top-1", "mINP"]``; the first leads. By default `usual_metrics`.
    catalogue : Catalogue, optional
        With labels alone: the photos, for breakdowns and for whose photos belong together. A protocol has its own.
    trained_on : TrainedOn, Catalogue or collection of str, optional
        What the method was trained on, or the identities there, so that animals seen and unseen are told apart; by
        default what the ranking says of itself.
    bootstrap : Bootstrap, optional
        How intervals are made; ``Bootstrap(resamples=0)`` leaves them out.
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
    measures = metrics_of(metrics, k)
    bootstrap = Bootstrap.of(bootstrap)
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
        deepest = max(k, *(metric.k or 1 for metric in measures))
        ranking = rank_tasks(method, task.catalogue, task.tasks, deepest, **options)
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
                f"listing nothing though they have candidates, none of them relevant: {queries_in_words(len(asked))} "
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
    scored = ScoredRanking(ranking, labels, hits, catalogue, images, scenarios, learnt)
    report = Report(scored, k, measures, bootstrap, tuple(notes))
    _ = report.per_metric  # a metric that can't be taken is refused here, not where it is looked at
    return report
