"""ScoreCalibration, reliability and the calibration error."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

import whalereid as wr
from whalereid import evaluation
from whalereid.calibration import ScoreCalibration, expected_calibration_error, reliability
from whalereid.errors import WhalereidError


def pairs(seed: int, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose true chance of being the same animal is a sigmoid of the score."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(-0.2, 1.0, n)
    return scores, rng.random(n) < 1 / (1 + np.exp(-12 * (scores - 0.6)))


@pytest.mark.parametrize("method", ["isotonic", "logistic"])
def test_calibrated_on_pairs_it_never_saw(method: str) -> None:
    chance = ScoreCalibration(method).fit(*pairs(0))
    scores, same = pairs(1)
    assert expected_calibration_error(np.clip(scores, 0, 1), same) > 0.1  # a raw score isn't a probability
    assert expected_calibration_error(chance.predict(scores), same) < 0.03
    truth = 1 / (1 + np.exp(-12 * (np.linspace(0, 1, 50) - 0.6)))
    assert np.abs(chance.predict(np.linspace(0, 1, 50)) - truth).max() < 0.12
    assert (np.diff(chance.predict(np.linspace(-1, 2, 500))) >= 0).all()


@pytest.mark.parametrize("method", ["isotonic", "logistic"])
def test_written_and_read(method: str, tmp_path: Path) -> None:
    chance = ScoreCalibration(method).fit(*pairs(2, 300))
    chance.write(tmp_path / "calibration.json")
    again = ScoreCalibration.read(tmp_path / "calibration.json")
    grid = np.linspace(-1, 1, 101)
    np.testing.assert_array_equal(again.predict(grid), chance.predict(grid))


@pytest.mark.parametrize("method", ["isotonic", "logistic"])
def test_where_chance_falls_as_scores_rise_it_is_the_share(method: str, tmp_path: Path) -> None:
    scores, same = np.linspace(-1, 1, 200), np.arange(200) < 100  # the higher, the less likely
    chance = ScoreCalibration(method).fit(scores, same)
    np.testing.assert_allclose(chance.predict([-np.inf, -5, 0, 5, np.inf]), 0.5)
    chance.write(tmp_path / "c.json")  # a slope of 0 with an intercept of 0 is a calibration too
    np.testing.assert_allclose(ScoreCalibration.read(tmp_path / "c.json").predict([0.1, 0.9]), 0.5)
    uneven = ScoreCalibration(method).fit(scores, np.arange(200) < 50)
    np.testing.assert_allclose(uneven.predict([-1, 1]), 0.25)
    alike = ScoreCalibration(method).fit([0.1, 0.1, 0.1], [True, False, False])
    np.testing.assert_allclose(alike.predict([-1, 0.1, 1]), 1 / 3)


def test_the_constrained_slope_is_the_optimum() -> None:
    from scipy.optimize import minimize

    rng = np.random.default_rng(0)
    for trend in (-3.0, -0.3, 0.3, 3.0):
        x = rng.normal(size=400)
        y = rng.random(400) < 1 / (1 + np.exp(-trend * x - 0.5))

        def loss(ab: np.ndarray, x: np.ndarray = x, y: np.ndarray = y) -> float:
            z = ab[0] * x + ab[1]
            return float((np.logaddexp(0, z) - y * z).sum())

        best = minimize(loss, [1.0, 0.0], method="L-BFGS-B", bounds=[(0, None), (None, None)], tol=1e-12)
        fitted = ScoreCalibration("logistic").fit(x, y)
        np.testing.assert_allclose([fitted.slope_, fitted.intercept_], best.x, atol=2e-3)


SCORES = st.floats(-1e300, 1e300, allow_subnormal=False) | st.floats(-1, 1) | st.sampled_from([0.0, 0.5, 1e300])


@given(st.lists(st.tuples(SCORES, st.booleans()), min_size=2, max_size=30), st.sampled_from(["isotonic", "logistic"]))
@settings(max_examples=200, deadline=None)
def test_a_chance_never_falls(given_pairs: list[tuple[float, bool]], method: str) -> None:
    scores, same = zip(*given_pairs, strict=True)
    if len(set(same)) < 2:
        return
    chance = ScoreCalibration(method).fit(scores, same)
    grid = np.sort([*scores, *np.linspace(min(scores), max(scores), 50), -np.inf, np.inf, *np.linspace(-1, 1, 50)])
    said = chance.predict(grid)
    assert (np.diff(said) >= 0).all()
    assert ((said >= 0) & (said <= 1)).all()
    with tempfile.TemporaryDirectory() as folder:
        chance.write(Path(folder) / "c.json")
        np.testing.assert_array_equal(ScoreCalibration.read(Path(folder) / "c.json").predict(grid), said)


def test_narrow_scores_are_calibrated_too() -> None:
    scores, same = pairs(3)
    chance = ScoreCalibration("logistic").fit(0.99 + scores / 1e4, same)
    assert expected_calibration_error(chance.predict(0.99 + scores / 1e4), same) < 0.03


def test_reliability_is_scikit_learns() -> None:
    probabilities, same = np.random.default_rng(4).random(500), np.random.default_rng(5).random(500) < 0.4
    table = reliability(probabilities, same, bins=7)
    observed, predicted = calibration_curve(same, probabilities, n_bins=7)
    np.testing.assert_allclose(table["observed"], observed)
    np.testing.assert_allclose(table["predicted"], predicted)
    assert table["pairs"].sum() == 500


def test_bins_without_pairs_are_left_out() -> None:
    table = reliability([0.05, 0.95, 1.0], [False, True, True], bins=10)
    assert table["pairs"].tolist() == [1, 2]


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(WhalereidError, match="method is 'magic'; choose from isotonic, logistic"):
        ScoreCalibration("magic")  # type: ignore[arg-type]
    with pytest.raises(WhalereidError, match="all 2 pairs show different animals"):
        ScoreCalibration().fit([0.1, 0.2], [False, False])
    with pytest.raises(WhalereidError, match="2 scores but 1 outcomes"):
        ScoreCalibration().fit([0.1, 0.2], [True])
    with pytest.raises(WhalereidError, match="score 1 is NaN or infinite"):
        ScoreCalibration().fit([0.1, np.nan], [True, False])
    with pytest.raises(WhalereidError, match="not fitted yet"):
        ScoreCalibration().predict([0.1])
    with pytest.raises(WhalereidError, match="not fitted yet"):
        ScoreCalibration("logistic").write(tmp_path / "c.json")
    with pytest.raises(WhalereidError, match=r"within \[0, 1\]"):
        reliability([1.5], [True])
    with pytest.raises(WhalereidError, match="no such file"):
        ScoreCalibration.read(tmp_path / "absent.json")
    falling = {"format": "whalereid-calibration-1", "method": "logistic", "slope": -1.0, "intercept": 0.0}
    (tmp_path / "falling.json").write_text(json.dumps(falling))
    with pytest.raises(WhalereidError, match=r"falling.json: .*falls as scores rise"):
        ScoreCalibration.read(tmp_path / "falling.json")
    steps = {"format": "whalereid-calibration-1", "method": "isotonic", "scores": [0, 1], "probabilities": [1, 0]}
    (tmp_path / "steps.json").write_text(json.dumps(steps))
    with pytest.raises(WhalereidError, match=r"steps.json: .*its probabilities fall"):
        ScoreCalibration.read(tmp_path / "steps.json")
    with pytest.raises(WhalereidError, match="no pair with a known answer"):
        ScoreCalibration().fit([], [])
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(WhalereidError, match="isn't a calibration"):
        ScoreCalibration.read(tmp_path / "other.json")


def test_it_is_one_class_on_a_floor_below_ranking() -> None:
    assert wr.ScoreCalibration is evaluation.ScoreCalibration is ScoreCalibration
    code = "import sys, whalereid.calibration; print(*(name for name in sys.modules if 'whalereid' in name))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"whalereid.ranking", "whalereid.evaluation"} & set(loaded)
