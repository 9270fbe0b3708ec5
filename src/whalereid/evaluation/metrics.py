"""Retrieval metrics, each one pass over the (queries, ranks) hit matrix.

Every function takes arrays and returns one value a query, NaN for a query without a relevant photo (Q queries,
K ranks). Lists end where scores are -inf. Photos are counted in the order they are listed; where scores are equal,
average precision alone doesn't depend on that order.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np

from whalereid import arguments
from whalereid.arrays import bools, floats, integers
from whalereid.errors import WhalereidError
from whalereid.evaluation.checks import cut_off
from whalereid.evaluation.hits import Hits, RankingLike, as_ranking, refuse_empty
from whalereid.evaluation.labels import LabelsLike

__all__ = [
    "Denominator",
    "average_precision",
    "cmc",
    "inverse_negative_penalty",
    "mean_average_precision",
    "precision_at",
    "r_precision",
    "recall_at",
    "top_k",
]

Denominator: TypeAlias = Literal["min", "relevant", "retrieved"]


def average_precision(
    hit: np.ndarray, scores: np.ndarray, relevant: np.ndarray, *, k: int = 20, denominator: Denominator = "min"
) -> np.ndarray:
    """Average precision at k of each query.

    Each relevant photo among the best k adds the precision at its rank; photos of equal score share the rank of the
    last of them, as one threshold. The sum is divided by what `denominator` says.

    Parameters
    ----------
    hit : ndarray of shape (Q, K), bool
        Where a listed photo is relevant, best first.
    scores : ndarray of shape (Q, K), float
        Descending along each row; -inf where the list has ended.
    relevant : ndarray of shape (Q,), int
        Relevant photos of each query, listed or not.
    k : int, default=20
        Cut-off, in ranks. Where it falls between equal scores, the list's order decides who is in.
    denominator : {"min", "relevant", "retrieved"}, default="min"
        ``min(relevant, k)``, as the beluga competition and sentence-transformers divide [1]_ [2]_; all ``relevant``
        photos, as pytorch-metric-learning and trec_eval do [3]_ [4]_; or those ``retrieved`` among the best k, as
        scikit-learn, torchmetrics and open-metric-learning do [5]_ [6]_ [7]_.

    Returns
    -------
    ndarray of shape (Q,), float64
        Within [0, 1]; NaN where `relevant` is 0.

    Raises
    ------
    WhalereidError
        k < 1, an unknown denominator, or shapes that don't fit.

    References
    ----------
    .. [1] https://github.com/drivendataorg/boem-belugas-runtime (scoring/score_submission.py)
    .. [2] https://sbert.net (InformationRetrievalEvaluator)
    .. [3] https://github.com/KevinMusgrave/pytorch-metric-learning (AccuracyCalculator)
    .. [4] https://github.com/usnistgov/trec_eval (map_cut)
    .. [5] https://scikit-learn.org (average_precision_score)
    .. [6] https://lightning.ai/docs/torchmetrics (retrieval_average_precision)
    .. [7] https://github.com/OML-Team/open-metric-learning (calc_map)

    Examples
    --------
    >>> hit, scores = np.array([[True, False, True]]), np.array([[0.9, 0.5, 0.5]])
    >>> average_precision(hit, scores, np.array([2])).round(4).tolist()
    [0.8333]
    """
    arguments.choice(denominator, "denominator", get_args(Denominator))
    hit, relevant = _checked(hit, relevant, k)
    scores = floats(scores, "scores", 2)
    if scores.shape != hit.shape:
        raise WhalereidError(f"scores have shape {scores.shape}, hit {hit.shape}; they belong cell by cell.")
    hit, scores = hit[:, :k], scores[:, :k]
    found = np.cumsum(hit, axis=1)
    summed = (hit * (found / np.arange(1, hit.shape[1] + 1))).sum(axis=1)
    tied = np.flatnonzero(((scores[:, 1:] == scores[:, :-1]) & (scores[:, 1:] > -np.inf)).any(axis=1))
    if len(tied):
        summed[tied] = _tied_sums(hit[tied], scores[tied], found[tied])
    if denominator == "retrieved":
        divisor = found[:, -1] if hit.shape[1] else np.zeros(len(hit), np.int64)
    else:
        divisor = np.minimum(relevant, k) if denominator == "min" else relevant
    return _where_relevant(summed / np.maximum(divisor, 1), relevant)


def _tied_sums(hit: np.ndarray, scores: np.ndarray, found: np.ndarray) -> np.ndarray:
    """(Q,) sums of precisions, each taken at the end of its run of equal scores."""
    ranks = hit.shape[1]
    ends_run = np.ones(hit.shape, bool)
    ends_run[:, :-1] = scores[:, 1:] != scores[:, :-1]
    end = np.where(ends_run, np.arange(ranks), ranks)
    end = np.minimum.accumulate(end[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((hit * (np.take_along_axis(found, end, axis=1) / (end + 1))).sum(axis=1))


def top_k(hit: np.ndarray, relevant: np.ndarray, *, k: int) -> np.ndarray:
    """Whether each query has a hit among its best k: 1.0 or 0.0; the mean is the CMC curve at k.

    Parameters
    ----------
    hit : ndarray of shape (Q, K), bool
        Where a listed photo is relevant, best first.
    relevant : ndarray of shape (Q,), int
        Relevant photos of each query, listed or not.
    k : int
        Cut-off, in ranks.

    Returns
    -------
    ndarray of shape (Q,), float64
        NaN where `relevant` is 0.
    """
    hit, relevant = _checked(hit, relevant, k)
    return _where_relevant(np.asarray(hit[:, :k].any(axis=1)), relevant)


def cmc(hit: np.ndarray, relevant: np.ndarray, *, k: int) -> np.ndarray:
    """Cumulative matching characteristic: the share of queries with a hit by each rank.

    Parameters
    ----------
    hit : ndarray of shape (Q, K), bool
        Where a listed photo is relevant, best first.
    relevant : ndarray of shape (Q,), int
        Relevant photos of each query, listed or not; queries with none are left out.
    k : int
        Last rank.

    Returns
    -------
    ndarray of shape (k,), float64
        At ranks 1 to k; NaN where no query has a relevant photo.
    """
    hit, relevant = _checked(hit, relevant, k)
    if not (relevant > 0).any():
        return np.full(k, np.nan)
    reached = np.zeros((int((relevant > 0).sum()), k), bool)  # a list shorter than k finds nothing more
    reached[:, : hit.shape[1]] = hit[relevant > 0, :k]
    return np.logical_or.accumulate(reached, axis=1).mean(axis=0)


def precision_at(hit: np.ndarray, relevant: np.ndarray, *, k: int) -> np.ndarray:
    """Share of the best k that are relevant; a list shorter than k is still divided by k.

    Parameters
    ----------
    hit : ndarray of shape (Q, K), bool
        Where a listed photo is relevant, best first.
    relevant : ndarray of shape (Q,), int
        Relevant photos of each query, listed or not.
    k : int
        Cut-off, in ranks.

    Returns
    -------
    ndarray of shape (Q,), float64
        NaN where `relevant` is 0.
    """
    hit, relevant = _checked(hit, relevant, k)
    return _where_relevant(hit[:, :k].sum(axis=1) / k, relevant)


def recall_at(hit: np.ndarray, relevant: np.ndarray, *, k: int) -> np.ndarray:
    """Share of a query's relevant photos that are among its best k.

    Not what much of the metric-learning literature calls recall at k: that is `top_k`.

    Parameters
    ----------
    hit : ndarray of shape (Q, K), bool
        Where a listed photo is relevant, best first.
    relevant : ndarray of shape (Q,), int
        Relevant photos of each query, listed or not.
    k : int
        Cut-off, in ranks.

    Returns
    -------
    ndarray of shape (Q,), float64
        NaN where `relevant` is 0.
    """
    hit, relevant = _checked(hit, relevant, k)
    return _where_relevant(hit[:, :k].sum(axis=1) / np.maximum(relevant, 1), relevant)


def r_precision(hit: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Precision at R, R being the query's own number of relevant photos.

    Parameters
    ----------
    hit : ndarray of shape (Q, K), bool
        Where a listed photo is relevant, best first. A list shorter than R counts what it doesn't show as missed.
    relevant : ndarray of shape (Q,), int
        Relevant photos of each query, listed or not.

    Returns
    -------
    ndarray of shape (Q,), float64
        NaN where `relevant` is 0.

    References
    ----------
    .. [1] C. D. Manning, P. Raghavan, H. Schütze, Introduction to Information Retrieval, 2008, section 8.4.
    """
    hit, relevant = _checked(hit, relevant)
    within = np.arange(hit.shape[1]) < relevant[:, None]
    return _where_relevant((hit & within).sum(axis=1) / np.maximum(relevant, 1), relevant)


def inverse_negative_penalty(hit: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Relevant photos over the rank of the last of them, the hardest match; the mean is mINP.

    Parameters
    ----------
    hit : ndarray of shape (Q, K), bool
        Where a listed photo is relevant, best first. A list that doesn't show all relevant photos scores 0, the lower
        bound: rank the whole database for the exact figure.
    relevant : ndarray of shape (Q,), int
        Relevant photos of each query, listed or not.

    Returns
    -------
    ndarray of shape (Q,), float64
        NaN where `relevant` is 0.

    References
    ----------
    .. [1] M. Ye et al., Deep Learning for Person Re-Identification: A Survey and Outlook, TPAMI 2021,
       https://arxiv.org/abs/2001.04193, section 4.2.
    """
    hit, relevant = _checked(hit, relevant)
    last = (hit * np.arange(1, hit.shape[1] + 1)).max(axis=1, initial=0)
    whole = hit.sum(axis=1) == relevant
    return _where_relevant(np.where(whole, relevant / np.maximum(last, 1), 0.0), relevant)


def mean_average_precision(
    ranking: RankingLike, labels: LabelsLike, *, k: int = 20, denominator: Denominator = "min"
) -> float:
    """Mean over queries of average precision at k (mAP@k).

    By default as the beluga competition defines it: average precision over the best k, with photos of equal score
    counted as one threshold, and divided by min(k, number of relevant photos). Two departures from its script, which
    leaves both out of the mean silently: a labelled query that isn't ranked scores 0; a ranked query without labels is
    left out, as there, but an evaluation report counts it.

    Parameters
    ----------
    ranking : Ranking, DataFrame or path of Q queries
        A table or a CSV or Parquet file has ``query_id``, ``database_image_id`` and ``score``, in any order.
    labels : sequence of Q sets of str, mapping, DataFrame, path or Labels
        Relevant database image ids: by the queries' position, by query id, or as rows of ``query_id`` and
        ``database_image_id``.
    k : int, default=20
        Cut-off, in ranks.
    denominator : {"min", "relevant", "retrieved"}, default="min"
        What the sum of precisions is divided by; see `average_precision`.

    Returns
    -------
    float
        Within [0, 1]; higher is better.

    Raises
    ------
    WhalereidError
        A ValueError: lengths differ, k < 1, no query is ranked or none has a relevant photo, or ranking or labels
        can't be read.

    References
    ----------
    .. [1] https://github.com/drivendataorg/boem-belugas-runtime

    Examples
    --------
    >>> from whalereid.ranking import Ranking
    >>> ranking = Ranking(ids=[["a", "z"]], scores=[[0.9, 0.8]])
    >>> mean_average_precision(ranking, [{"a", "b", "c"}], k=2)
    0.5
    """
    cut_off(k)
    arguments.choice(denominator, "denominator", get_args(Denominator))
    ranking = as_ranking(ranking)
    refuse_empty(ranking)
    hits = Hits.of(ranking, labels)
    values = average_precision(hits.hit, hits.scores, hits.relevant, k=k, denominator=denominator)
    if not hits.scored.any():
        raise WhalereidError(f"labels: none of the {len(hits)} queries has a relevant photo, so there is no mean.")
    return float(np.nanmean(values))


def _checked(hit: np.ndarray, relevant: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    cut_off(k)
    hit, relevant = bools(hit, "hit", 2), integers(relevant, "relevant")
    if relevant.shape != hit.shape[:1]:
        raise WhalereidError(f"hit of shape {hit.shape} and relevant of shape {relevant.shape}: give (Q, K) and (Q,).")
    return hit, relevant


def _where_relevant(values: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    return np.where(relevant > 0, values, np.nan)
