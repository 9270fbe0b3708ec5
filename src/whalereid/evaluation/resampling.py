"""Resampling identities: photos of one animal are not independent, animals nearly are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arrays import floats, names_of
from whalereid.errors import WhalereidError
from whalereid.evaluation.intervals import USUAL, Bootstrap, Difference, Interval

__all__ = ["bootstrap", "bootstrap_means", "bootstrap_statistic", "compare"]

# scipy.stats.bootstrap gives the same intervals, as a test holds, in 6 to 17 times the time: it sums drawn values anew,
# where how often each identity is drawn, times its sums, is one matrix product for all metrics.

_ROUNDING = 1e-12  # sums in another order differ in the last digits
_BLOCK = 4_000_000  # numbers held at once: memory stays small, whatever the number of resamples


def bootstrap(
    values: Any,
    clusters: Sequence[Any] | np.ndarray | None = None,
    *,
    bootstrap: Bootstrap = USUAL,
) -> Interval:
    """Interval of a mean of per-query values, resampling identities.

    Each resample draws as many identities as there are, with replacement, with all their queries, and takes the mean
    over the queries drawn [1]_.

    Parameters
    ----------
    values : array-like of shape (Q,)
        One value a query, such as `average_precision` gives; NaN is left out, as in the mean.
    clusters : sequence of length Q, optional
        Each query's identity. By default every query stands for itself, which is right only for one query an animal.
    bootstrap : Bootstrap, optional
        How; by default 1,000 resamples to a level of 0.95, bias-corrected and accelerated.

    Returns
    -------
    Interval

    Raises
    ------
    WhalereidError
        Lengths differ, or there is no value at all.

    References
    ----------
    .. [1] C. A. Field, A. H. Welsh, Bootstrapping clustered data, J. R. Stat. Soc. B 69, 2007.

    Examples
    --------
    >>> interval = bootstrap([1.0, 1.0, 0.0, 0.5, 0.0, 1.0], ["ann", "ann", "bob", "cid", "dot", "eve"])
    >>> round(interval.estimate, 4), interval.low < interval.estimate < interval.high, interval.identities
    (0.5833, True, 5)
    """
    table = floats(values, "values")[:, None]
    return bootstrap_means(table, clusters, bootstrap=bootstrap)[0]


def bootstrap_means(
    values: np.ndarray,
    clusters: Sequence[Any] | np.ndarray | None = None,
    *,
    bootstrap: Bootstrap = USUAL,
) -> list[Interval]:
    """Intervals of M means at once, over the same resampled identities; see `bootstrap`.

    Parameters
    ----------
    values : ndarray of shape (Q, M)
        One row a query; a row with a NaN is left out.
    clusters, bootstrap
        As in `bootstrap`.

    Returns
    -------
    list of M Interval
    """
    bootstrap = Bootstrap.of(bootstrap)
    sums, sizes = _cluster_sums(floats(values, "values", 2), clusters)
    estimates = sums.sum(axis=0) / sizes.sum()
    if len(sizes) < 2 or not bootstrap.resamples:
        return [Interval(float(e), np.nan, np.nan, bootstrap.confidence, len(sizes)) for e in estimates]
    draws = _resampled_means(sums, sizes, bootstrap)
    left_out = (sums.sum(axis=0) - sums) / (sizes.sum() - sizes)[:, None]
    return [
        _interval(float(estimates[m]), draws[:, m], left_out[:, m], len(sizes), bootstrap)
        for m in range(len(estimates))
    ]


def bootstrap_statistic(
    statistic: Callable[[np.ndarray], np.ndarray],
    clusters: Sequence[Any] | np.ndarray,
    *,
    bootstrap: Bootstrap = USUAL,
) -> Interval:
    """Interval of any statistic of weighted queries, resampling identities.

    Parameters
    ----------
    statistic : callable
        Takes (B, Q) weights, how often each query counts in each of B populations, and returns B values. Weights of
        one give the estimate.
    clusters : sequence of length Q
        Each query's identity.
    bootstrap
        As in `bootstrap`.

    Returns
    -------
    Interval

    Examples
    --------
    >>> scores = np.array([0.1, 0.5, 0.9, 0.8])
    >>> best = bootstrap_statistic(lambda weights: np.where(weights > 0, scores, 0).max(axis=1), ["a", "b", "c", "c"],
    ...                            bootstrap=Bootstrap(method="percentile"))
    >>> best.estimate, best.high
    (0.9, 0.9)
    """
    bootstrap = Bootstrap.of(bootstrap)
    if not callable(statistic):
        raise WhalereidError(f"statistic is a {type(statistic).__name__}; give a function of weights (B, Q).")
    codes, names = pd.factorize(names_of(clusters, "clusters"), use_na_sentinel=False)
    if not len(codes):
        raise WhalereidError("clusters: no query to resample.")

    def valued(weights: np.ndarray) -> np.ndarray:
        given = floats(statistic(weights), "what the statistic gives")
        if len(given) != len(weights):
            raise WhalereidError(f"statistic: gives {len(given)} values for {len(weights)} populations; give one each.")
        return given

    estimate = float(valued(np.ones((1, len(codes))))[0])
    if len(names) < 2 or not bootstrap.resamples:
        return Interval(estimate, np.nan, np.nan, bootstrap.confidence, len(names))
    step = max(1, _BLOCK // len(codes))
    blocks = (c[i : i + step] for c in _draws(len(names), bootstrap) for i in range(0, len(c), step))
    draws = np.concatenate([valued(counts[:, codes]) for counts in blocks])
    left_out = np.zeros(0)
    if bootstrap.method == "bca":
        rows = (np.arange(i, min(i + step, len(names))) for i in range(0, len(names), step))
        left_out = np.concatenate([valued((codes != r[:, None]).astype(np.float64)) for r in rows])
    return _interval(estimate, draws, left_out, len(names), bootstrap)


def compare(
    first: Any,
    second: Any,
    clusters: Sequence[Any] | np.ndarray | None = None,
    *,
    bootstrap: Bootstrap = USUAL,
) -> Difference:
    """Compare two rankings of the same queries, resampling identities.

    The difference is taken query by query, so what makes a query easy or hard for both falls out.

    Parameters
    ----------
    first, second : array-like of shape (Q,)
        One value a query and ranking, queries in the same order.
    clusters, bootstrap
        As in `bootstrap`.

    Returns
    -------
    Difference
        Of the first minus the second.

    Examples
    --------
    >>> better = compare([1.0, 0.9, 0.8, 1.0], [0.5, 0.6, 0.8, 0.4], ["ann", "bob", "cid", "dot"])
    >>> round(better.interval.estimate, 4), better.probability > 0.99
    (0.35, True)
    """
    bootstrap = Bootstrap.of(bootstrap)
    a, b = floats(first, "first"), floats(second, "second")
    if len(a) != len(b):
        raise WhalereidError(f"compare: {len(a)} values and {len(b)}; both rankings must answer the same queries.")
    sums, sizes = _cluster_sums((a - b)[:, None], clusters)
    estimate = float(sums.sum() / sizes.sum())
    if len(sizes) < 2 or not bootstrap.resamples:
        return Difference(Interval(estimate, np.nan, np.nan, bootstrap.confidence, len(sizes)), np.nan)
    draws = _resampled_means(sums, sizes, bootstrap)[:, 0]
    left_out = ((sums.sum() - sums[:, 0]) / (sizes.sum() - sizes)).ravel()
    interval = _interval(estimate, draws, left_out, len(sizes), bootstrap)
    above, equal = (draws > _ROUNDING).mean(), (np.abs(draws) <= _ROUNDING).mean()
    probability = float(above + equal / 2)
    return Difference(interval, probability if estimate >= 0 else 1 - probability)


def _cluster_sums(values: np.ndarray, clusters: Sequence[Any] | np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """(C, M) sums of the values of each identity's queries, and (C,) how many queries."""
    names = np.arange(len(values)) if clusters is None else names_of(clusters, "clusters")
    if len(names) != len(values):
        raise WhalereidError(f"interval: {len(values)} values but {len(names)} identities; give each query's.")
    kept = ~np.isnan(values).any(axis=1)
    if not kept.any() or not values.shape[1]:
        raise WhalereidError("interval: no query has a value, so there is no mean.")
    codes, found = pd.factorize(names[kept], use_na_sentinel=False)
    sums = np.stack([np.bincount(codes, column, len(found)) for column in values[kept].T], axis=1)
    return sums, np.bincount(codes, minlength=len(found)).astype(np.float64)


def _draws(clusters: int, bootstrap: Bootstrap) -> Iterator[np.ndarray]:
    """Yield (b, C) float64 blocks of how often each identity is drawn, a row a resample."""
    generator = np.random.default_rng(bootstrap.seed)
    step = max(1, _BLOCK // clusters)
    for start in range(0, bootstrap.resamples, step):
        rows = min(step, bootstrap.resamples - start)
        drawn = generator.integers(0, clusters, (rows, clusters)) + clusters * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * clusters).reshape(rows, clusters).astype(np.float64)


def _resampled_means(sums: np.ndarray, sizes: np.ndarray, bootstrap: Bootstrap) -> np.ndarray:
    """(B, M) means over the queries of the identities drawn."""
    blocks = [(counts @ sums) / (counts @ sizes)[:, None] for counts in _draws(len(sizes), bootstrap)]
    return np.concatenate(blocks)


def _interval(
    estimate: float, draws: np.ndarray, left_out: np.ndarray, clusters: int, bootstrap: Bootstrap
) -> Interval:
    levels = bootstrap.levels
    if bootstrap.method == "bca":
        levels = _bca_levels(estimate, draws, left_out, levels)
    low, high = np.quantile(draws, levels)
    return Interval(estimate, float(low), float(high), bootstrap.confidence, clusters)


def _bca_levels(estimate: float, draws: np.ndarray, left_out: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Quantile levels corrected for bias and acceleration, equation 2.3 of Efron 1987."""
    from scipy.special import ndtr, ndtri

    tolerance = _ROUNDING * max(1.0, abs(estimate))
    below = (draws < estimate - tolerance).mean() + (np.abs(draws - estimate) <= tolerance).mean() / 2
    half = 0.5 / len(draws)  # an estimate beyond every draw would else send the levels to infinity
    bias = ndtri(np.clip(below, half, 1 - half))
    deviation = left_out.mean() - left_out
    spread = (deviation**2).sum()
    acceleration = (deviation**3).sum() / (6 * spread**1.5) if spread > 0 else 0.0
    shifted = bias + ndtri(levels)
    return np.asarray(ndtr(bias + shifted / (1 - acceleration * shifted)))
