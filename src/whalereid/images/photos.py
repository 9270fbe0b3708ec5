"""From a file to upright 8-bit RGB pixels, cropped and turned as asked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np

from whalereid import arguments
from whalereid.catalogue.schema import parse_bbox
from whalereid.decoding import MIN_SIDE, crop, decode
from whalereid.errors import WhalereidError

__all__ = ["MIN_SIDE", "BBox", "read_photo"]

BBox: TypeAlias = tuple[float, float, float, float]


def read_photo(path: str | os.PathLike[str], bbox: Sequence[float] | None = None, portrait: bool = False) -> np.ndarray:
    """Read a photo as 8-bit RGB.

    EXIF orientation is honoured, greyscale is repeated over the channels, transparency is laid over white, 16 bits
    become 8 by their upper half, and CMYK is converted.

    Parameters
    ----------
    path : path
        The image file.
    bbox : sequence of 4 numbers, optional
        Keep only x, y, width, height, in pixels of the upright photo from its top-left corner; what lies outside
        the photo is cut off, part pixels are kept whole.
    portrait : bool
        Turn what is wider than high by 90° clockwise (after cropping).

    Returns
    -------
    ndarray of shape (H, W, 3), uint8
        RGB, contiguous.

    Raises
    ------
    WhalereidError
        The file can't be decoded, the bbox misses the photo, or a side is below 8 px; the message names the file.
    """
    arguments.instance(path, "path", (str, os.PathLike), "the path of a photo")
    arguments.instance(portrait, "portrait", bool, "True or False")
    box = None if bbox is None else _checked(bbox, where=str(path))
    pixels = decode(path)
    if box is not None:
        pixels = crop(pixels, box, where=str(path))
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE:
        what = "the photo" if box is None else f"bbox {_in_words(box)}"
        raise WhalereidError(
            f"{path}: {what} is {width}×{height} px; at least {MIN_SIDE} px a side are needed to tell animals apart."
        )
    rgb = _to_rgb(pixels, where=str(path))
    if portrait and width > height:
        rgb = cv2.rotate(rgb, cv2.ROTATE_90_CLOCKWISE)
    return rgb


def _checked(bbox: Sequence[float], *, where: str) -> BBox:
    try:
        return parse_bbox(bbox)
    except (TypeError, ValueError):
        raise WhalereidError(f"{where}: bbox {bbox!r} is not x, y, width, height in pixels, with an area.") from None


def _in_words(box: BBox) -> str:
    return "(" + ", ".join(f"{number:g}" for number in box) + ")"


def _to_rgb(pixels: np.ndarray, *, where: str) -> np.ndarray:
    """(H, W), (H, W, 3) or (H, W, 4) as decoded, BGR(A), to contiguous (H, W, 3) uint8 RGB."""
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    elif pixels.dtype != np.uint8:
        raise WhalereidError(
            f"{where}: has {pixels.dtype} pixels, which have no agreed range; save it with 8 or 16 bits per channel."
        )
    if pixels.ndim == 2:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    if pixels.shape[2] == 3:
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    rgb, alpha = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB), pixels[:, :, 3:]
    if alpha.min() == 255:
        return rgb
    # Under transparency lie colours that nobody chose; white is what viewers show there.
    over_white = rgb.astype(np.uint16) * alpha + 255 * (255 - alpha.astype(np.uint16))
    return ((over_white + 127) // 255).astype(np.uint8)
