"""Masks from outlines, run lengths and pictures to pixels: 1 where the animal is, 0 elsewhere."""

from __future__ import annotations

import os
from collections.abc import Sequence

import cv2
import numpy as np

from whalereid.decoding.headers import JPEG
from whalereid.decoding.photos import decode_bytes, read_bytes
from whalereid.errors import WhalereidError

__all__ = ["fill_polygons", "fill_runs", "mask_bounds", "read_mask_picture", "run_lengths"]

_MOST_POINTS = 100_000  # of a mask's polygons together: an outline traced around every pixel of a large photo has fewer
_MOST_CROSSINGS = 1_000  # of outlines with a row of pixels, on average: filling takes the square of it
_FURTHEST = 1_000_000  # px
_MARGIN = 2  # px
_SHIFT = 4  # binary digits of a fraction of a pixel
_LONGEST_RUN = 7  # characters: 35 binary digits


def fill_polygons(polygons: Sequence[np.ndarray], height: int, width: int) -> np.ndarray:
    """Fill polygons, together.

    Parameters
    ----------
    polygons : sequence of ndarray of shape (n, 2), float64
        x and y of each corner in pixels, as COCO counts them: the photo's top left corner is (0, 0), its first pixel's
        middle (0.5, 0.5). What reaches beyond the photo is cut off. A polygon that crosses itself is hollow where it
        goes around twice.
    height, width : int
        Of the photo.

    Returns
    -------
    ndarray of shape (height, width), uint8
        Pixels that an outline touches belong to it, so it reaches up to a pixel further than COCO's own masks.

    Raises
    ------
    ValueError
        A corner lies absurdly far away, or there is too much to draw; says which.
    """
    n_points, crossings = sum(map(len, polygons)), 0.0
    for corners in polygons:
        if np.abs(corners).max() > _FURTHEST:
            raise ValueError(f"has a corner further than {_FURTHEST:,} px from the photo")
        y = corners[:, 1]
        crossings += float(np.abs(y[1:] - y[:-1]).sum() + abs(y[-1] - y[0]))
    if n_points > _MOST_POINTS or crossings > _MOST_CROSSINGS * max(height, 1000):
        raise ValueError(f"is no outline of an animal: its {n_points:,} corners go to and fro")
    # OpenCV errs by many pixels where corners lie outside its image: so they are clipped to one with a margin.
    mask = np.zeros((height + 2 * _MARGIN, width + 2 * _MARGIN), np.uint8)
    for corners in polygons:
        clipped = corners + (_MARGIN - 0.5)
        for axis, most in ((0, mask.shape[1] - 1), (1, mask.shape[0] - 1)):
            along = clipped[:, axis]
            if len(along) and (along.min() < 0 or along.max() > most):
                clipped = _clipped(_clipped(clipped, axis, 0, 1), axis, most, -1)
        fixed = np.rint(clipped * (1 << _SHIFT)).astype(np.int32)
        if len(fixed):
            cv2.fillPoly(mask, [fixed], 1, shift=_SHIFT)  # one by one: together, what two share would be hollow
    return np.ascontiguousarray(mask[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN])


def _clipped(corners: np.ndarray, axis: int, bound: float, sign: int) -> np.ndarray:
    """The part of a polygon, (n, 2), on one side of a line: with x or y from a bound on (sign 1), or up to it (-1).

    Sutherland and Hodgman, "Reentrant polygon clipping", 1974.
    """
    depth = sign * (corners[:, axis] - bound)
    within = depth >= 0
    following, next_depth = np.roll(corners, -1, axis=0), np.roll(depth, -1)
    crosses = within != (next_depth >= 0)
    share = depth / np.where(crosses, depth - next_depth, 1)
    points = np.stack([corners, corners + share[:, None] * (following - corners)], axis=1)
    return points[np.stack([within, crosses], axis=1)]


def run_lengths(text: str) -> np.ndarray:
    """Unpack the run lengths of COCO's compressed text.

    A character holds 5 binary digits of a number, the lowest first, and whether more follow; from the fourth number
    on each is the difference to the one before the last. (``rleFrString`` of
    https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.c)

    Parameters
    ----------
    text : str
        Of characters 48 to 111 of ASCII.

    Returns
    -------
    ndarray of shape (n,), int64
        Pixels outside, inside, outside, ... down the columns, from left to right.

    Raises
    ------
    ValueError
        It is cut short, or something else.

    Examples
    --------
    >>> run_lengths("52203").tolist()
    [5, 2, 2, 2, 5]
    """
    try:
        characters = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - 48
    except UnicodeEncodeError:
        characters = np.array([-1])
    if not len(characters) or characters.min() < 0 or characters.max() > 63:
        raise ValueError("isn't COCO's compressed text")
    last = (characters & 0x20) == 0
    starts = np.flatnonzero(np.r_[True, last[:-1]])
    lengths = np.diff(starts, append=len(characters))
    if not last[-1] or lengths.max() > _LONGEST_RUN:
        raise ValueError("isn't COCO's compressed text")
    place = np.arange(len(characters)) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((characters & 0x1F) << (5 * place), starts)
    negative = (characters[last] & 0x10) != 0
    numbers -= negative.astype(np.int64) << (5 * lengths)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])  # the very first stands for itself
    return numbers


def fill_runs(runs: np.ndarray, height: int, width: int) -> np.ndarray:
    """Fill run lengths: pixels outside, inside, outside, ... down the columns, from left to right.

    Parameters
    ----------
    runs : ndarray of shape (n,), int64
        Their lengths.
    height, width : int
        Of the photo.

    Returns
    -------
    ndarray of shape (height, width), uint8

    Raises
    ------
    ValueError
        They don't add up to the photo's pixels.
    """
    # Each is bounded before they are added up: a sum of huge ones could come round to the right one.
    if not len(runs) or runs.min() < 0 or runs.max() > height * width or runs.sum() != height * width:
        raise ValueError(f"has run lengths that don't add up to {height}×{width} pixels")
    inside = np.arange(len(runs), dtype=np.int64) % 2 == 1
    return cv2.transpose(np.repeat(inside.astype(np.uint8), runs).reshape(width, height))


def read_mask_picture(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a picture of a mask: the animal is where any colour isn't zero, nor transparent.

    Returns
    -------
    ndarray of shape (H, W), uint8

    Raises
    ------
    WhalereidError
        As for `decode`, or it is a JPEG; the message names the file.
    """
    data = read_bytes(path)
    if data.startswith(JPEG):
        raise WhalereidError(f"{path}: is a JPEG, in which the edges of a mask bleed; save masks as PNG.")
    pixels = decode_bytes(data, where=str(path))
    shows = pixels != 0
    if pixels.ndim == 3:
        coloured = shows[..., 0] | shows[..., 1] | shows[..., 2]
        shows = coloured & shows[..., 3] if pixels.shape[2] == 4 else coloured
    return shows.astype(np.uint8)


def mask_bounds(mask: np.ndarray) -> tuple[float, float, float, float] | None:
    """x, y, width and height of the box around a mask's pixels, (H, W) uint8; None where it has none."""
    x, y, width, height = cv2.boundingRect(mask)
    return (float(x), float(y), float(width), float(height)) if width and height else None
