"""Confidence intervals by resampling identities: photos of one animal are not independent, animals nearly are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from whalereid import arguments
from whalereid.arrays import floats, names_of, real
from whalereid.errors import WhalereidError

__all__ = [
    "Difference",
    "Interval",
    "Method",
    "bootstrap",
    "bootstrap_means",
    "bootstrap_statistic",
    "check_resampling",
    "compare",
]

Method: TypeAlias = Literal["bca", "percentile"]

_ROUNDING = 1e-12  # sums in another order differ in the last digits
_BLOCK = 4_000_000  # numbers held at once: memory stays small, whatever the number of resamples


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes
    ----------
    estimate : float
        On the data as they are.
    low, high : float
        The interval's ends; NaN where there is none: of one identity, which says nothing about others, or without
        resamples.
    confidence : float
        Its level, such as 0.95.
    identities : int
        How many were resampled: the size of the experiment, more than its number of photos is.
    """

    estimate: float
    low: float
    high: float
    confidence: float
    identities: int

    def __post_init__(self) -> None:
        for name in ("estimate", "low", "high", "confidence"):
            real(getattr(self, name), name)
        arguments.whole_number(self.identities, "identities", 0)

    def __str__(self) -> str:
        ends = "–" if np.isnan(self.low) else f"[{self.low:.4f}, {self.high:.4f}]"
        return f"{self.estimate:.4f} {ends}"


@dataclass(frozen=True)
class Difference:
    """How much better one ranking is than another, on the same queries.

    Attributes
    ----------
    interval : Interval
        Of the first's mean minus the second's.
    probability : float
        That the better of the two is the better one: the share of resampled populations in which the sign stays as
        observed, equal means counting half. 0.5 where nothing tells them apart, NaN with one identity or no resamples.
    """

    interval: Interval
    probability: float

    def __post_init__(self) -> None:
        arguments.instance(self.interval, "interval", Interval, "an Interval")
        real(self.probability, "probability")


def bootstrap(
    values: Any,
    clusters: Sequence[Any] | np.ndarray | None = None,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    method: Method = "bca",
    seed: int = 0,
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
    resamples : int, default=1000
        Resampled populations, 2 or more; 0 leaves the interval out.
    confidence : float, default=0.95
        Level of the interval.
    method : {"bca", "percentile"}, default="bca"
        ``percentile``: quantiles of the resampled means. ``bca``: those quantiles corrected for bias and skewness, the
        latter by a jackknife over identities [2]_.
    seed : int, default=0
        Same seed, same interval.

    Returns
    -------
    Interval

    Raises
    ------
    WhalereidError
        Lengths differ, no value at all, or an option out of range.

    References
    ----------
    .. [1] C. A. Field, A. H. Welsh, Bootstrapping clustered data, J. R. Stat. Soc. B 69, 2007.
    .. [2] B. Efron, Better bootstrap confidence intervals, J. Am. Stat. Assoc. 82, 1987.

    Examples
    --------
    >>> interval = bootstrap([1.0, 1.0, 0.0, 0.5, 0.0, 1.0], ["ann", "ann", "bob", "cid", "dot", "eve"])
    >>> round(interval.estimate, 4), interval.low < interval.estimate < interval.high, interval.identities
    (0.5833, True, 5)
    """
    table = floats(values, "values")[:, None]
    return bootstrap_means(table, clusters, resamples=resamples, confidence=confidence, method=method, seed=seed)[0]


def bootstrap_means(
    values: np.ndarray,
    clusters: Sequence[Any] | np.ndarray | None = None,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    method: Method = "bca",
    seed: int = 0,
) -> list[Interval]:
    """Intervals of M means at once, over the same resampled identities; see `bootstrap`.

    Parameters
    ----------
    values : ndarray of shape (Q, M)
        One row a query; a row with a NaN is left out.
    clusters, resamples, confidence, method, seed
        As in `bootstrap`.

    Returns
    -------
    list of M Interval
    """
    check_resampling(resamples, confidence, seed, method)
    sums, sizes = _cluster_sums(floats(values, "values", 2), clusters)
    estimates = sums.sum(axis=0) / sizes.sum()
    if len(sizes) < 2 or not resamples:
        return [Interval(float(e), np.nan, np.nan, confidence, len(sizes)) for e in estimates]
    draws = _resampled_means(sums, sizes, resamples, seed)
    left_out = (sums.sum(axis=0) - sums) / (sizes.sum() - sizes)[:, None]
    return [
        _interval(float(estimates[m]), draws[:, m], left_out[:, m], len(sizes), confidence, method)
        for m in range(len(estimates))
    ]


def bootstrap_statistic(
    statistic: Callable[[np.ndarray], np.ndarray],
    clusters: Sequence[Any] | np.ndarray,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    method: Method = "bca",
    seed: int = 0,
) -> Interval:
    """Interval of any statistic of weighted queries, resampling identities.

    Parameters
    ----------
    statistic : callable
        Takes (B, Q) weights, how often each query counts in each of B populations, and returns B values. Weights of
        one give the estimate.
    clusters : sequence of length Q
        Each query's identity.
    resamples, confidence, method, seed
        As in `bootstrap`.

    Returns
    -------
    Interval

    Examples
    --------
    >>> scores = np.array([0.1, 0.5, 0.9, 0.8])
    >>> best = bootstrap_statistic(lambda weights: np.where(weights > 0, scores, 0).max(axis=1), ["a", "b", "c", "c"],
    ...                            method="percentile")
    >>> best.estimate, best.high
    (0.9, 0.9)
    """
    check_resampling(resamples, confidence, seed, method)
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
    if len(names) < 2 or not resamples:
        return Interval(estimate, np.nan, np.nan, confidence, len(names))
    step = max(1, _BLOCK // len(codes))
    blocks = (c[i : i + step] for c in _draws(len(names), resamples, seed) for i in range(0, len(c), step))
    draws = np.concatenate([valued(counts[:, codes]) for counts in blocks])
    left_out = np.zeros(0)
    if method == "bca":
        rows = (np.arange(i, min(i + step, len(names))) for i in range(0, len(names), step))
        left_out = np.concatenate([valued((codes != r[:, None]).astype(np.float64)) for r in rows])
    return _interval(estimate, draws, left_out, len(names), confidence, method)


def compare(
    first: Any,
    second: Any,
    clusters: Sequence[Any] | np.ndarray | None = None,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    method: Method = "bca",
    seed: int = 0,
) -> Difference:
    """Compare two rankings of the same queries, resampling identities.

    The difference is taken query by query, so what makes a query easy or hard for both falls out.

    Parameters
    ----------
    first, second : array-like of shape (Q,)
        One value a query and ranking, queries in the same order.
    clusters, resamples, confidence, method, seed
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
    check_resampling(resamples, confidence, seed, method)
    a, b = floats(first, "first"), floats(second, "second")
    if len(a) != len(b):
        raise WhalereidError(f"compare: {len(a)} values and {len(b)}; both rankings must answer the same queries.")
    sums, sizes = _cluster_sums((a - b)[:, None], clusters)
    estimate = float(sums.sum() / sizes.sum())
    if len(sizes) < 2 or not resamples:
        return Difference(Interval(estimate, np.nan, np.nan, confidence, len(sizes)), np.nan)
    draws = _resampled_means(sums, sizes, resamples, seed)[:, 0]
    left_out = ((sums.sum() - sums[:, 0]) / (sizes.sum() - sizes)).ravel()
    interval = _interval(estimate, draws, left_out, len(sizes), confidence, method)
    above, equal = (draws > _ROUNDING).mean(), (np.abs(draws) <= _ROUNDING).mean()
    probability = float(above + equal / 2)
    return Difference(interval, probability if estimate >= 0 else 1 - probability)


def check_resampling(resamples: int, confidence: float, seed: int, method: str = "percentile") -> None:
    """Refuse by name what no interval can be made with; 0 resamples are asked for to have none.

    Raises
    ------
    WhalereidError
        One resample, of which quantiles would be an interval without width; or another option out of range.
    """
    if arguments.whole_number(resamples, "resamples", 0, 10_000_000) == 1:
        raise WhalereidError("resamples is 1; an interval takes 2 at least (1000 is usual), and 0 leaves it out.")
    arguments.number(confidence, "confidence", 0, 1, open_ends=True)
    arguments.choice(method, "method", get_args(Method))
    arguments.seed(seed)


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


def _draws(clusters: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield (b, C) float64 blocks of how often each identity is drawn, `resamples` rows in all."""
    generator = np.random.default_rng(seed)
    step = max(1, _BLOCK // clusters)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = generator.integers(0, clusters, (rows, clusters)) + clusters * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * clusters).reshape(rows, clusters).astype(np.float64)


def _resampled_means(sums: np.ndarray, sizes: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """(B, M) means over the queries of the identities drawn."""
    blocks = [(counts @ sums) / (counts @ sizes)[:, None] for counts in _draws(len(sizes), resamples, seed)]
    return np.concatenate(blocks)


def _interval(
    estimate: float, draws: np.ndarray, left_out: np.ndarray, clusters: int, confidence: float, method: Method
) -> Interval:
    levels = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if method == "bca":
        levels = _bca_levels(estimate, draws, left_out, levels)
    low, high = np.quantile(draws, levels)
    return Interval(estimate, float(low), float(high), confidence, clusters)


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
