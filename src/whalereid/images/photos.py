"""From a file to upright 8-bit RGB pixels, cropped and turned as asked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np

from whalereid import arguments
from whalereid.catalogue import Catalogue
from whalereid.catalogue.masks import draw_mask, located_masks, mask_of
from whalereid.catalogue.schema import parse_bbox
from whalereid.decoding import MIN_SIDE, decode, mask_bounds
from whalereid.decoding import crop as cut
from whalereid.errors import WhalereidError
from whalereid.images.cropping import Crop, without_background

__all__ = ["MIN_SIDE", "BBox", "PhotoReader", "read_photo"]

BBox: TypeAlias = tuple[float, float, float, float]


def read_photo(
    path: str | os.PathLike[str],
    bbox: Sequence[float] | None = None,
    portrait: bool = False,
    *,
    mask: Any = None,
    crop: Crop | None = None,
) -> np.ndarray:
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
    mask : ndarray of shape (H, W), list, mapping, str or path, optional
        Where the animal is on the upright photo: not zero in an array, COCO's polygons or run lengths (or JSON of
        them), or the path of a picture. Without a bbox its bounds are one.
    crop : Crop, optional
        How much to keep around the bbox, and of the background.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8
        RGB, contiguous.

    Raises
    ------
    WhalereidError
        The file can't be decoded, the bbox misses the photo, the mask is of another size, beside the bbox or can't be
        read, or a side is below 8 px; the message names the file.
    """
    arguments.instance(path, "path", (str, os.PathLike), "the path of a photo")
    arguments.instance(portrait, "portrait", bool, "True or False")
    crop, where = Crop.of(crop), str(path)
    box = None if bbox is None else _checked(bbox, where=where)
    if box is not None and not crop.hides_background:
        mask = None  # which decides nothing then
    if mask is not None and not isinstance(mask, np.ndarray):
        mask = mask_of(mask, where=where)  # before the photo is decoded
    pixels = decode(path)
    if mask is not None:
        mask = draw_mask(mask, *pixels.shape[:2], where=where)
        box = mask_bounds(mask) if box is None else box
    if box is not None:
        _refuse_small(cut(pixels, box, where=where), f"bbox {_in_words(box)}", where=where)
        if mask is not None and not cut(mask, box, where=where).any():  # nothing would be left to see
            raise WhalereidError(f"{where}: its mask has no pixel in bbox {_in_words(box)}.")
        pixels = cut(pixels, crop.padded(box), where=where)
        mask = None if mask is None else cut(mask, crop.padded(box), where=where)
    _refuse_small(pixels, "the photo", where=where)
    rgb = _to_rgb(pixels, where=where)
    if mask is not None and crop.hides_background:
        rgb = without_background(rgb, mask, crop.background)
    height, width = rgb.shape[:2]
    if portrait and width > height:
        rgb = cv2.rotate(rgb, cv2.ROTATE_90_CLOCKWISE)
    return rgb


class PhotoReader:
    """Reads the photos of a catalogue by row, each cut to its animal.

    Parameters
    ----------
    photos : Catalogue of N photos
        Their ``bbox`` or ``mask``, where known, is cut out.
    crop : Crop
        How.
    portrait : bool
        Turn landscape photos by 90° clockwise.

    Raises
    ------
    WhalereidError
        A path leaves the catalogue's root.
    """

    def __init__(self, photos: Catalogue, crop: Crop, portrait: bool) -> None:
        self.paths = [os.fspath(path) for path in photos.paths]
        self._crop, self._portrait = crop, portrait
        known = photos.known("bbox")
        boxes = zip(known.tolist(), photos.column("bbox").tolist(), strict=True) if known.any() else ()
        self._boxes = [box if there else None for there, box in boxes]
        masked = crop.masked(photos)
        masks = zip(masked.tolist(), located_masks(photos), strict=True) if masked.any() else ()
        self._masks = [mask if decides else None for decides, mask in masks]

    def read(self, row: int) -> np.ndarray:
        """Read a photo: (H, W, 3) uint8 RGB.

        Raises
        ------
        WhalereidError
            As for `read_photo`.
        """
        box = self._boxes[row] if self._boxes else None
        mask = self._masks[row] if self._masks else None
        return read_photo(self.paths[row], box, self._portrait, mask=mask, crop=self._crop)


def _refuse_small(pixels: np.ndarray, what: str, *, where: str) -> None:
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise WhalereidError(
            f"{where}: {what} is {width}×{height} px; at least {MIN_SIDE} px a side are needed to tell animals apart."
        )


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
