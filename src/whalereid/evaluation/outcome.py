"""Open set, query by query: was the animal known, was the match right, and what a threshold then makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arguments import instance, number
from whalereid.arrays import bools, floats, names_of, real
from whalereid.errors import WhalereidError
from whalereid.evaluation.intervals import USUAL, Bootstrap
from whalereid.evaluation.report import Report

__all__ = ["OpenSetOutcome", "Threshold", "report_of"]


@dataclass(frozen=True)
class Threshold:
    """The lowest score at which a best match is accepted; below it the animal is called new.

    Attributes
    ----------
    value : float
        The threshold; ``-inf`` where any score will do: every match is accepted.
    false_accept_rate : float
        The rate asked for: the share of new animals' photos that may be taken for a known animal.
    low, high : float
        Percentile interval of the threshold, over resampled identities; NaN without resamples.
    measured : float
        The share of new animals' photos accepted at `value` in the data it was chosen on.
    """

    value: float
    false_accept_rate: float
    low: float
    high: float
    measured: float

    def __post_init__(self) -> None:
        for name in ("value", "false_accept_rate", "low", "high", "measured"):
            real(getattr(self, name), name)


class OpenSetOutcome:
    """What happened to each query: its best match's score, whether its animal is known, whether the match is right.

    Parameters
    ----------
    scores : array-like of shape (Q,)
        Score of each query's best match; ``-inf`` where it had no candidate at all: it is called new at any threshold.
    known : array-like of shape (Q,), bool
        Whether a photo of its animal was among the candidates.
    correct : array-like of shape (Q,), bool
        Whether the best match shows its animal; never true where not known.
    identities : sequence of str, length Q, optional
        Each query's animal; animals weigh equally in BAKS and BAUS and are the unit of resampling. By default every
        query stands for itself.

    Raises
    ------
    WhalereidError
        Lengths differ, a score is NaN or +inf, or a match is called correct for an animal that isn't known.

    References
    ----------
    .. [1] Phillips, Grother and Micheals, "Evaluation methods in face recognition", Handbook of Face Recognition, 2011
       (detection and identification rate, false-alarm rate).
    .. [2] Adam, Čermák, Papafitsoros and Picek, "WildlifeReID-10k", CVPR workshops 2025 (BAKS, BAUS).

    Examples
    --------
    >>> outcome = OpenSetOutcome([0.9, 0.8, 0.7, 0.3], [True, True, False, False], [True, False, False, False])
    >>> outcome.identification_rate(0.5), outcome.false_alarm_rate(0.5), outcome.auroc()
    (0.5, 0.5, 1.0)
    """

    def __init__(self, scores: Any, known: Any, correct: Any, identities: Sequence[str] | None = None) -> None:
        self.scores = floats(scores, "scores")
        self.known, self.correct = bools(known, "known"), bools(correct, "correct")
        names = np.arange(len(self.scores)) if identities is None else names_of(identities, "identities")
        if not len(self.scores) == len(self.known) == len(self.correct) == len(names):
            raise WhalereidError(
                f"open set: {len(self.scores)} scores, {len(self.known)} known, {len(self.correct)} correct and "
                f"{len(names)} identities; give one of each for each query."
            )
        bad = np.flatnonzero(np.isnan(self.scores) | (self.scores == np.inf))
        if len(bad):
            raise WhalereidError(
                f"open set: score {bad[0]} is {self.scores[bad[0]]}; give numbers, or -inf for no match."
            )
        if (self.correct & ~self.known).any():
            row = int(np.flatnonzero(self.correct & ~self.known)[0])
            raise WhalereidError(f"open set: query {row} is matched correctly, yet its animal isn't known.")
        self._animal, self._animals = pd.factorize(names, use_na_sentinel=False)

    @classmethod
    def from_report(cls, report: Report) -> OpenSetOutcome:
        """Take the best match of each query of a report; queries whose own identity is unknown are left out.

        Raises
        ------
        WhalereidError
            The report has no catalogue with identities, so that it can't be told who is new.
        """
        rows = report_of(report, "report").per_query
        if "identity" not in rows:
            raise WhalereidError("open set: who is new is told by the photos' identities; give the catalogue too.")
        rows = rows[rows["identity"].notna()]
        scores = rows["best_score"].fillna(-np.inf)
        return cls(scores, rows["relevant"] > 0, rows["first_hit"] == 1, rows["identity"].tolist())

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        return f"OpenSetOutcome({len(self)} queries, {int((~self.known).sum())} of new animals)"

    def _accepted(self, threshold: float) -> np.ndarray:
        """(Q,) bool: whose best match is accepted; where there is none there is nothing to accept."""
        threshold = real(threshold, "threshold")
        if np.isnan(threshold):
            raise WhalereidError(f"threshold is {threshold}; give a number.")
        return np.asarray((self.scores >= threshold) & (self.scores > -np.inf))

    def _need(self, *, known: bool) -> np.ndarray:
        rows = self.known if known else ~self.known
        if not rows.any():
            raise WhalereidError(
                "open set: no query's animal is known; leave some of each animal's photos in the database."
                if known
                else "open set: no query is of a new animal; leave some identities out of the database "
                "(an open-set split does)."
            )
        return rows

    def false_alarm_rate(self, threshold: float) -> float:
        """Share of new animals' queries whose best match scores at least `threshold`."""
        return float(self._accepted(threshold)[self._need(known=False)].mean())

    def identification_rate(self, threshold: float) -> float:
        """Share of known animals' queries matched correctly with a score of at least `threshold` (DIR)."""
        rows = self._need(known=True)
        return float((self.correct & self._accepted(threshold))[rows].mean())

    def curve(self) -> pd.DataFrame:
        """Detection and identification rate against false alarms, at every threshold that changes either.

        Returns
        -------
        DataFrame
            ``threshold`` (descending, from above the best score), ``false_alarm_rate``, ``identification_rate``.
        """
        new, old = self._need(known=False), self._need(known=True)
        thresholds = np.concatenate([[np.inf], np.unique(self.scores[np.isfinite(self.scores)])[::-1], [-np.inf]])
        alarms = _share_at_least(self.scores[new], thresholds, int(new.sum()))
        found = _share_at_least(self.scores[old & self.correct], thresholds, int(old.sum()))
        return pd.DataFrame({"threshold": thresholds, "false_alarm_rate": alarms, "identification_rate": found})

    def auroc(self) -> float:
        """Area under the ROC curve of telling known from new by the best score; 0.5 is chance, 1 is perfect."""
        from sklearn.metrics import roc_auc_score

        self._need(known=False), self._need(known=True)
        ranks = np.unique(self.scores, return_inverse=True)[1]  # order alone matters; -inf is allowed
        return float(roc_auc_score(self.known, ranks))

    def baks(self, threshold: float) -> float:
        """Balanced accuracy on known animals: accepted and right, averaged within each animal, then over animals."""
        rows = self._need(known=True)
        return self._balanced(rows, self.correct & self._accepted(threshold))

    def baus(self, threshold: float) -> float:
        """Balanced accuracy on unknown animals: called new, averaged within each animal, then over animals."""
        rows = self._need(known=False)
        return self._balanced(rows, ~self._accepted(threshold))

    def _balanced(self, rows: np.ndarray, right: np.ndarray) -> float:
        photos = np.bincount(self._animal[rows], minlength=len(self._animals))
        hits = np.bincount(self._animal[rows], right[rows].astype(np.float64), len(self._animals))
        return float((hits[photos > 0] / photos[photos > 0]).mean())

    def threshold(self, false_accept_rate: float, *, bootstrap: Bootstrap = USUAL) -> Threshold:
        """Return the lowest threshold that accepts at most this share of new animals' photos, with its interval.

        Choose it on validation animals, then report what it does on others. The interval resamples new animals, since
        photos of one animal are not independent.

        Parameters
        ----------
        false_accept_rate : float
            Within [0, 1].
        bootstrap : Bootstrap, optional
            How the interval is made, of percentiles whatever its `method`; without resamples there is none.
        """
        number(false_accept_rate, "false_accept_rate", 0, 1)
        bootstrap = Bootstrap.of(bootstrap)
        rows = self._need(known=False)
        order = np.argsort(-self.scores[rows], kind="stable")
        scores, animal = self.scores[rows][order], pd.factorize(self._animal[rows][order])[0]
        animals = int(animal.max()) + 1
        low = high = np.nan
        if bootstrap.resamples:
            generator = np.random.default_rng(bootstrap.seed)
            draws = generator.multinomial(animals, np.full(animals, 1 / animals), size=bootstrap.resamples)
            chosen = np.array([_lowest_allowed(scores, counts[animal], false_accept_rate) for counts in draws])
            # "lower"/"higher" interpolation, since a threshold may be infinite and infinities can't be averaged
            lowest, highest = bootstrap.levels
            low = float(np.quantile(chosen, lowest, method="lower"))
            high = float(np.quantile(chosen, highest, method="higher"))
        value = _lowest_allowed(scores, np.ones(len(scores)), false_accept_rate)
        return Threshold(value, float(false_accept_rate), low, high, self.false_alarm_rate(value))

    def summary(self, threshold: float) -> dict[str, float]:
        """Every number at one threshold: AUROC, DIR, FAR, BAKS, BAUS, and how many queries of each kind."""
        return {
            "threshold": threshold,
            "AUROC": self.auroc(),
            "identification rate": self.identification_rate(threshold),
            "false-alarm rate": self.false_alarm_rate(threshold),
            "BAKS": self.baks(threshold),
            "BAUS": self.baus(threshold),
            "known queries": int(self.known.sum()),
            "new queries": int((~self.known).sum()),
        }


def _share_at_least(scores: np.ndarray, thresholds: np.ndarray, total: int) -> np.ndarray:
    ascending = np.sort(scores[scores > -np.inf])
    return np.asarray((len(ascending) - np.searchsorted(ascending, thresholds, side="left")) / total)


def _lowest_allowed(descending: np.ndarray, weights: np.ndarray, rate: float) -> float:
    """Return the lowest threshold whose accepted weight is at most `rate` of all; scores sorted best first.

    Scores of -inf, no match at all, are never accepted: where every finite one may be, any score will do (-inf).
    """
    total = weights.sum()
    accepted = np.cumsum(weights)  # accepting down to and including each score
    # Equal scores are accepted together, so what counts is the weight at the last of a run of ties.
    last = np.append(descending[1:] != descending[:-1], True) & (descending > -np.inf)
    over = np.flatnonzero(accepted[last] > rate * total * (1 + 1e-12))
    if not len(over):
        return float("-inf")
    return float(np.nextafter(descending[last][over[0]], np.inf))  # just above the first that would be one too many


def report_of(given: Report, name: str) -> Report:
    """Return a report, or refuse by name."""
    return instance(given, name, Report, "a Report (evaluate(protocol, ranking) makes one)")
