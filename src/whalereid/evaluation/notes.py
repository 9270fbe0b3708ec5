"""Notes: what a reader of a report should know beside the numbers, one sentence each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from whalereid.errors import listing
from whalereid.evaluation.intervals import Bootstrap
from whalereid.evaluation.named_metrics import Metric
from whalereid.evaluation.scored import ScoredRanking

__all__ = ["notes_of_intervals", "notes_of_lists", "queries_in_words"]


def notes_of_lists(scored: ScoredRanking, counts: Mapping[str, int], k: int, measures: Sequence[Metric]) -> list[str]:
    """Say what the lists lack: queries left out or without a list, ties, lists that end early."""
    hits, notes = scored.hits, []
    if counts["without_relevant"]:
        left_out = queries_in_words(counts["without_relevant"])
        notes.append(f"left out of the means, having no relevant photo: {left_out}")
    if counts["missing"]:
        gone = listing(hits.query_ids[hits.missing], most=3)
        notes.append(f"scored 0, having relevant photos but no ranking: {queries_in_words(counts['missing'])} ({gone})")
    if counts["tied"]:
        notes.append(
            f"a right and a wrong photo with equal scores: {queries_in_words(counts['tied'])}; mAP counts them as one "
            "threshold, the other metrics follow the list's order"
        )
    if scored.ranking.k < k:
        notes.append(f"the longest list holds {scored.ranking.k}, fewer than k = {k}")
    cut = int((hits.scored & (hits.hit.sum(axis=1) < hits.relevant)).sum())
    if cut and any(metric.name == "mINP" for metric in measures):
        notes.append(f"lists that don't reach the last relevant photo: {queries_in_words(cut)}; mINP is a lower bound")
    if not scored.identified:
        notes.append("identities are not known here: queries that share a relevant photo count as one animal's")
    return notes


def notes_of_intervals(
    names: Sequence[str], values: np.ndarray, counts: Mapping[str, int], bootstrap: Bootstrap
) -> list[str]:
    """Say where an interval doesn't say much.

    Parameters
    ----------
    names : sequence of str, length M
        The metrics.
    values : ndarray of shape (q, M), float64
        Of the queries that count.
    counts : mapping
        Of the report.
    bootstrap : Bootstrap
        How intervals are made.
    """
    notes: list[str] = []
    if not bootstrap.resamples:
        return notes
    same = [name for name, width in zip(names, np.ptp(values, axis=0), strict=True) if width == 0]
    if same:
        notes.append(f"every query has the same {listing(same)}: an interval without width proves no certainty")
    if counts["identities"] < 2:
        notes.append("one identity says nothing about others: no intervals")
    return notes


def queries_in_words(count: int) -> str:
    """Return ``1 query`` or ``1,234 queries``."""
    return "1 query" if count == 1 else f"{count:,} queries"
