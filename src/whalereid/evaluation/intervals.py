"""Confidence intervals: how they are asked for, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from whalereid import arguments
from whalereid.arrays import real
from whalereid.errors import WhalereidError

__all__ = [
    "Bootstrap",
    "Difference",
    "Interval",
    "Method",
    "USUAL",
]

Method: TypeAlias = Literal["bca", "percentile"]


@dataclass(frozen=True)
class Bootstrap:
    """How confidence intervals are made: by resampling identities, this often, to this level.

    Attributes
    ----------
    resamples : int, default=1000
        Resampled populations, 2 or more; 0 leaves intervals out.
    confidence : float, default=0.95
        Level of the intervals.
    method : {"bca", "percentile"}, default="bca"
        ``percentile``: quantiles of the resampled means. ``bca``: those quantiles corrected for bias and skewness, the
        latter by a jackknife over identities [1]_.
    seed : int, default=0
        Same seed, same intervals.

    Raises
    ------
    WhalereidError
        An option is out of range; or one resample, of which quantiles would be an interval without width.

    References
    ----------
    .. [1] B. Efron, Better bootstrap confidence intervals, J. Am. Stat. Assoc. 82, 1987.

    Examples
    --------
    >>> Bootstrap(resamples=200, confidence=0.9)
    Bootstrap(resamples=200, confidence=0.9, method='bca', seed=0)
    """

    resamples: int = 1000
    confidence: float = 0.95
    method: Method = "bca"
    seed: int = 0

    def __post_init__(self) -> None:
        if arguments.whole_number(self.resamples, "resamples", 0, 10_000_000) == 1:
            raise WhalereidError("resamples is 1; an interval takes 2 at least (1000 is usual), and 0 leaves it out.")
        arguments.number(self.confidence, "confidence", 0, 1, open_ends=True)
        arguments.choice(self.method, "method", get_args(Method))
        arguments.seed(self.seed)

    @classmethod
    def of(cls, bootstrap: Bootstrap) -> Bootstrap:
        """Return what was given as ``bootstrap=``, or refuse it by name."""
        return arguments.instance(bootstrap, "bootstrap", cls, "a Bootstrap, such as Bootstrap(resamples=200, seed=1)")

    @property
    def levels(self) -> np.ndarray:
        """(2,) the quantiles at an interval's ends."""
        return np.array([(1 - self.confidence) / 2, (1 + self.confidence) / 2])


USUAL = Bootstrap()


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
