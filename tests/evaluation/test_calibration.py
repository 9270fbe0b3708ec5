"""ScoreCalibration, reliability and the calibration error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from whalereid.errors import WhalereidError
from whalereid.evaluation.calibration import ScoreCalibration, expected_calibration_error, reliability


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
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(WhalereidError, match="isn't a calibration"):
        ScoreCalibration.read(tmp_path / "other.json")
