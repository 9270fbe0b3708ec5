"""The border of a photo, where the animal mostly isn't: enough to tell whether backgrounds give it away."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import cv2
import numpy as np

from whalereid.catalogue import Catalogue
from whalereid.decoding import crop, decode_bytes, read_bytes
from whalereid.errors import WhalereidError
from whalereid.files import inside

__all__ = ["borders"]

_SIDE, _BAND = 64, 8  # px: the photo is shrunk to a square, whose outer eighth on each side is the border
_BINS = np.array([8, 6, 6])  # of lightness, and of the two colour axes
_LEAST, _MOST = np.array([0, -40, -40], np.float32), np.array([100, 40, 40], np.float32)  # of CIELAB; beyond is clipped
_BORDER = np.ones((_SIDE, _SIDE), bool)
_BORDER[_BAND:-_BAND, _BAND:-_BAND] = False


def borders(catalogue: Catalogue, *, progress: bool = False) -> np.ndarray:
    """Describe each photo's border by its colours, wherever in the border they are.

    Parameters
    ----------
    catalogue : Catalogue of N photos
        Whose photos to read, cropped to their box where there is one.
    progress : bool
        Show a bar on stderr.

    Returns
    -------
    ndarray of shape (N, 288), float32
        Roots of a CIELAB histogram's shares, so that the dot product of two photos is their Bhattacharyya coefficient,
        within [0, 1]. All zero for a photo that can't be read.
    """
    frame = catalogue.frame
    boxes = frame["bbox"] if "bbox" in frame else [None] * len(frame)
    found = np.zeros((len(frame), int(_BINS.prod())), np.float32)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # OpenCV lets other threads run
        done = pool.map(_border, repeat(catalogue), frame["path"], boxes)
        if progress:
            from rich.console import Console
            from rich.progress import track

            done = iter(track(done, "reading borders", len(frame), console=Console(stderr=True)))
        for row, border in enumerate(done):
            found[row] = border
    return found


def _border(catalogue: Catalogue, path: str, box: object) -> np.ndarray | float:
    """(288,) float32, or 0 for a photo that can't be read."""
    try:
        file = inside(catalogue.root, path, where=catalogue.source)
        image = decode_bytes(read_bytes(file), where=str(file))
        if isinstance(box, tuple):
            image = crop(image, box, where=str(file))
    except WhalereidError:
        return 0.0
    shades = 65535 if image.dtype == np.uint16 else 255
    small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(shades)
    colour = cv2.cvtColor(small, cv2.COLOR_GRAY2BGR) if small.ndim == 2 else np.ascontiguousarray(small[..., :3])
    band = cv2.cvtColor(colour, cv2.COLOR_BGR2LAB)[_BORDER]
    bins = ((band - _LEAST) / (_MOST - _LEAST) * _BINS).astype(int).clip(0, _BINS - 1)
    counts = np.bincount(np.ravel_multi_index(tuple(bins.T), tuple(_BINS)), minlength=int(_BINS.prod()))
    return np.sqrt(counts / counts.sum()).astype(np.float32)
