"""Drawing numbers and noise."""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["generator", "noise", "uniform"]


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number in [low, high)."""
    return low + (high - low) * float(rng.random())


def generator(seed: int, *key: int) -> np.random.Generator:
    """One independent stream per thing drawn, so that nothing depends on the order in which things are drawn."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def noise(rng: np.random.Generator, height: int, width: int, cell_height: float, cell_width: float) -> np.ndarray:
    """Smooth noise of about zero mean and unit spread, (height, width) float32, with bumps of about one cell."""
    rows, columns = max(2, round(height / cell_height) + 1), max(2, round(width / cell_width) + 1)
    grid = rng.standard_normal((rows, columns), dtype=np.float32)
    return np.asarray(cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
