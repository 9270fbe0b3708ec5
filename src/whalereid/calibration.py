"""Calibration: what a score says about the chance that two photos show one animal."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from whalereid.arguments import choice, instance, whole_number
from whalereid.arrays import bools, floats, path_of
from whalereid.errors import WhalereidError
from whalereid.files import replacing
from whalereid.outputs import CALIBRATION, check_output
from whalereid.reading import read_json

__all__ = ["ScoreCalibration", "expected_calibration_error", "reliability"]

_FORMAT = "whalereid-calibration-1"


class ScoreCalibration:
    """Map scores to the probability that a pair shows one animal, learnt from pairs with a known answer.

    Fit it on validation pairs, of animals that neither the network nor the final test has seen; a calibration fitted on
    the pairs it is judged on looks better than it is.

    Parameters
    ----------
    method : {"isotonic", "logistic"}, default="isotonic"
        ``isotonic``: any rising step function (Zadrozny and Elkan 2002); wants a few hundred pairs of both kinds.
        ``logistic``: a sigmoid of the score (Platt 1999), its slope not below 0; steadier with few pairs. Where chance
        would fall as scores rise, both say the share of pairs that show one animal, whatever the score.

    Examples
    --------
    >>> chance = ScoreCalibration("logistic").fit([0.1, 0.2, 0.3, 0.7, 0.8, 0.9], [0, 0, 0, 1, 1, 1])
    >>> bool(chance.predict([0.85])[0] > 0.5)
    True
    """

    def __init__(self, method: Literal["isotonic", "logistic"] = "isotonic") -> None:
        self.method = choice(method, "method", ("isotonic", "logistic"))
        self.scores_: np.ndarray | None = None
        self.probabilities_: np.ndarray | None = None
        self.slope_: float | None = None
        self.intercept_: float | None = None

    def fit(self, scores: Any, same: Any) -> ScoreCalibration:
        """Learn the map.

        Parameters
        ----------
        scores : array-like of shape (n,)
            Similarities; higher is better.
        same : array-like of shape (n,), bool
            Whether the pair shows one animal.

        Raises
        ------
        WhalereidError
            Lengths differ, a score isn't finite, or all pairs are of one kind.
        """
        x, y = _pairs(scores, same)
        if not len(y):
            raise WhalereidError("calibration: no pair with a known answer; give pairs of both kinds.")
        if y.all() or not y.any():
            kind = "the same animal" if y.all() else "different animals"
            raise WhalereidError(f"calibration: all {len(y)} pairs show {kind}; give pairs of both kinds.")
        if self.method == "isotonic":
            from sklearn.isotonic import IsotonicRegression

            fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(x, y)
            self.scores_, self.probabilities_ = fitted.X_thresholds_, fitted.y_thresholds_
        else:
            self.slope_, self.intercept_ = _sigmoid(x, y)
        return self

    def predict(self, scores: Any) -> np.ndarray:
        """(n,) float64 probabilities within [0, 1]; never falls as the score rises.

        Raises
        ------
        WhalereidError
            Not fitted yet, or a score is NaN.
        """
        x = floats(scores, "scores")
        if np.isnan(x).any():
            raise WhalereidError(f"scores: score {int(np.flatnonzero(np.isnan(x))[0])} is NaN.")
        if self.scores_ is not None and self.probabilities_ is not None:
            at = np.searchsorted(self.scores_, x)
            last = len(self.scores_) - 1
            lowest = self.probabilities_[np.clip(at - 1, 0, last)]
            highest = self.probabilities_[np.clip(at, 0, last)]
            # interpolation may miss its ends by a last digit, and so fall
            return np.clip(np.interp(x, self.scores_, self.probabilities_), lowest, highest)
        if self.slope_ is None or self.intercept_ is None:
            raise WhalereidError("calibration: not fitted yet; call fit(scores, same) first.")
        from scipy.special import expit

        if self.slope_ == 0:  # an infinite score too
            return np.full(len(x), float(expit(self.intercept_)))
        return np.asarray(expit(self.slope_ * x + self.intercept_))

    def write(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write as JSON, whole or not at all.

        Parameters
        ----------
        path : path
            Ends in ``.json``. An earlier calibration there is replaced.
        force : bool, default=False
            Replace a file of another kind too.

        Raises
        ------
        WhalereidError
            Not fitted yet, something else is there, or the place can't be written.
        """
        path = Path(path_of(path))
        check_output(path, CALIBRATION, force=instance(force, "force", bool, "True or False"))
        self.predict([0.0])  # refuses where not fitted
        content: dict[str, Any] = {"format": _FORMAT, "method": self.method}
        if self.scores_ is not None and self.probabilities_ is not None:
            content |= {"scores": self.scores_.tolist(), "probabilities": self.probabilities_.tolist()}
        else:
            content |= {"slope": self.slope_, "intercept": self.intercept_}
        with replacing(path) as beside:
            beside.write_text(json.dumps(content), encoding="utf-8")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> ScoreCalibration:
        """Read what `write` wrote.

        Raises
        ------
        WhalereidError
            Nothing there, or not a calibration.
        """
        path = Path(path_of(path))
        content = read_json(path, "a calibration written by whalereid")
        try:
            if content["format"] != _FORMAT:
                raise ValueError(f"its format isn't {_FORMAT}")
            found = cls(content["method"])
            if found.method == "isotonic":
                found.scores_ = _numbers(content["scores"])
                found.probabilities_ = _numbers(content["probabilities"])
                _refuse_falling(found.scores_, found.probabilities_)
            else:
                found.slope_, found.intercept_ = _numbers([content["slope"], content["intercept"]]).tolist()
                if not (np.isfinite([found.slope_, found.intercept_]).all() and found.slope_ >= 0):
                    raise ValueError("its chance falls as scores rise; fit it again")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            said = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise WhalereidError(f"{path}: isn't a calibration written by whalereid ({said}).") from error
        return found


def reliability(probabilities: Any, same: Any, *, bins: int = 10) -> pd.DataFrame:
    """Said against seen: pairs sorted into equal-width bins of the predicted probability.

    Parameters
    ----------
    probabilities : array-like of shape (n,)
        Predictions within [0, 1].
    same : array-like of shape (n,), bool
        Outcomes.
    bins : int, default=10
        Number of bins.

    Returns
    -------
    DataFrame
        One row for each bin that holds a pair: ``low``, ``high``, ``predicted`` (mean), ``observed`` (share) and
        ``pairs``.

    References
    ----------
    .. [1] Niculescu-Mizil and Caruana, "Predicting good probabilities with supervised learning", ICML 2005.
    """
    bins = whole_number(bins, "bins", 1, 1_000_000)
    p, y = _pairs(probabilities, same, "probabilities")
    if len(p) and (p.min() < 0 or p.max() > 1):
        raise WhalereidError("probabilities: must lie within [0, 1]; calibrate the scores first.")
    which = np.minimum((p * bins).astype(np.int64), bins - 1)
    pairs = np.bincount(which, minlength=bins)
    filled = pairs > 0
    with np.errstate(invalid="ignore"):
        predicted = np.bincount(which, p, bins) / pairs
        observed = np.bincount(which, y.astype(np.float64), bins) / pairs
    edges = np.arange(bins + 1) / bins
    table = pd.DataFrame(
        {"low": edges[:-1], "high": edges[1:], "predicted": predicted, "observed": observed, "pairs": pairs}
    )
    return table[filled].reset_index(drop=True)


def expected_calibration_error(probabilities: Any, same: Any, *, bins: int = 10) -> float:
    """Mean distance between what was predicted and what was seen, over bins weighted by their pairs (ECE).

    Parameters
    ----------
    probabilities : array-like of shape (n,)
        Predictions within [0, 1].
    same : array-like of shape (n,), bool
        Outcomes.
    bins : int, default=10
        Equal-width bins.

    Returns
    -------
    float
        Within [0, 1]; 0 is calibrated.

    References
    ----------
    .. [1] Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.

    Examples
    --------
    >>> expected_calibration_error([0.9, 0.9], [True, False])
    0.4
    """
    table = reliability(probabilities, same, bins=bins)
    if table.empty:
        raise WhalereidError("calibration error: no pairs given.")
    gap = (table["predicted"] - table["observed"]).abs()
    return float((gap * table["pairs"]).sum() / table["pairs"].sum())


def _pairs(scores: Any, same: Any, name: str = "scores") -> tuple[np.ndarray, np.ndarray]:
    x, y = floats(scores, name), bools(same, "same")
    if len(x) != len(y):
        raise WhalereidError(f"calibration: {len(x)} {name} but {len(y)} outcomes; give one for each.")
    if not np.isfinite(x).all():
        raise WhalereidError(f"{name}: score {int(np.flatnonzero(~np.isfinite(x))[0])} is NaN or infinite.")
    return x, y


def _sigmoid(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the likeliest sigmoid that doesn't fall."""
    from scipy.special import logit

    size = float(np.abs(x).max()) or 1.0
    scaled = x / size
    centre, spread = float(scaled.mean()), float(scaled.std())  # cosines huddle; the solver wants unit spread
    if np.ptp(x) > 0 and spread > 0:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=1e6).fit(((scaled - centre) / spread)[:, None], y)
        slope = float(model.coef_[0, 0]) / spread / size
        if 0 < slope < np.inf:
            return slope, float(model.intercept_[0]) - slope * size * centre
    # The likelihood is concave: where the best slope is negative, the best one allowed is 0, with the base rate.
    return 0.0, float(logit(y.mean()))


def _numbers(values: Any) -> np.ndarray:
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        raise TypeError("numbers are something else")
    return np.asarray(values, np.float64)


def _refuse_falling(scores: np.ndarray, probabilities: np.ndarray) -> None:
    if scores.ndim != 1 or scores.shape != probabilities.shape or not len(scores):
        raise ValueError("scores and probabilities don't go together")
    if not (np.isfinite(scores).all() and (np.diff(scores) > 0).all()):
        raise ValueError("its scores don't rise")
    if not ((probabilities >= 0) & (probabilities <= 1)).all() or (np.diff(probabilities) < 0).any():
        raise ValueError("its probabilities fall, or leave [0, 1]")
