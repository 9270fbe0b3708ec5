"""The border of a photo, where the animal mostly isn't: enough to tell whether backgrounds give it away."""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["WIDTH", "border"]

_SIDE, _BAND = 64, 8  # px: the photo is shrunk to a square, whose outer eighth on each side is the border
_BINS = np.array([8, 6, 6])  # of lightness, and of the two colour axes
WIDTH = int(_BINS.prod())
_LEAST, _MOST = np.array([0, -40, -40], np.float32), np.array([100, 40, 40], np.float32)  # of CIELAB; beyond is clipped
_BORDER = np.ones((_SIDE, _SIDE), bool)
_BORDER[_BAND:-_BAND, _BAND:-_BAND] = False


def border(image: np.ndarray) -> np.ndarray:
    """Describe a photo's border by its colours, wherever in the border they are.

    Parameters
    ----------
    image : ndarray of shape (H, W) or (H, W, 3 or 4), uint8 or uint16
        Grey, or BGR as OpenCV decodes it.

    Returns
    -------
    ndarray of shape (288,), float32
        Roots of a CIELAB histogram's shares, so that the dot product of two photos is their Bhattacharyya coefficient,
        within [0, 1].
    """
    shades = 65535 if image.dtype == np.uint16 else 255
    small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(shades)
    colour = cv2.cvtColor(small, cv2.COLOR_GRAY2BGR) if small.ndim == 2 else np.ascontiguousarray(small[..., :3])
    band = cv2.cvtColor(colour, cv2.COLOR_BGR2LAB)[_BORDER]
    bins = ((band - _LEAST) / (_MOST - _LEAST) * _BINS).astype(int).clip(0, _BINS - 1)
    counts = np.bincount(np.ravel_multi_index(tuple(bins.T), tuple(_BINS)), minlength=WIDTH)
    return np.sqrt(counts / counts.sum()).astype(np.float32)
