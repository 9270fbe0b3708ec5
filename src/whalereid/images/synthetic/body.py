"""What a photo is taken of: an animal's outline, and the skin around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["PLAN_SCALE", "PLAN_U", "PLAN_V", "SKIN_COLUMNS", "SKIN_ROWS", "STEPS", "Body"]

# Skin: rows run from nose (0) to tail stock, columns from belly over the right flank, back (middle) and left flank to
# the belly. About square on the body where it is thickest.
SKIN_ROWS, SKIN_COLUMNS = 384, 256
# Plan of fins and flukes, in body lengths: u along, v across.
PLAN_U, PLAN_V = (-0.03, 1.03), 0.26
PLAN_SCALE = 256  # pixels per body length
STEPS = 512  # samples of a lengthwise profile


@dataclass(frozen=True)
class Body:
    """An animal's shape and colours.

    Attributes
    ----------
    skin : ndarray of shape (384, 256, 3), uint8
        Colours over length (nose first) and angle around the body (belly, right flank, back, left flank, belly), RGB.
    width, above, below : ndarray of shape (512,), float32
        Half width seen from above, and height of back and belly over the axis seen from the side, in body lengths.
    plan : ndarray of shape (271, 133, 4), uint8
        Flippers and flukes seen from above, RGB and opacity.
    flipper : float
        Length of a flipper, in body lengths.
    """

    skin: np.ndarray
    width: np.ndarray
    above: np.ndarray
    below: np.ndarray
    plan: np.ndarray
    flipper: float
