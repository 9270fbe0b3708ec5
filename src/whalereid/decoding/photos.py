"""Photos from files to pixels: whole or refused by name, upright, and quietly."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

from whalereid.decoding.headers import JPEG, TIFF, declared_size, tiff_is_whole
from whalereid.decoding.jpeg import decode_jpeg
from whalereid.decoding.limits import DAMAGED, refuse_large
from whalereid.decoding.opencv import decode_with_opencv
from whalereid.decoding.png import PNG, Png
from whalereid.errors import WhalereidError

__all__ = ["PHOTO_SUFFIXES", "crop", "decode", "decode_bytes", "read_bytes"]

# .jfif and .mpo (of cameras with two lenses; the first photo counts) are JPEGs by another name.
PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff", ".bmp", ".jp2", ".avif"}
)


def decode(path: str | os.PathLike[str]) -> np.ndarray:
    """Decode a photo as it is stored, turned upright by its EXIF orientation.

    Parameters
    ----------
    path : path
        An image file of a kind that OpenCV reads, recognised by its content.

    Returns
    -------
    ndarray of shape (H, W), (H, W, 3) or (H, W, 4)
        Greyscale, BGR or BGRA; uint8, uint16 where the file has 16 bits, float32 where it has floats.

    Raises
    ------
    WhalereidError
        The file is missing, empty, cut short, damaged, too large, or not a photo; the message names it.
    """
    return decode_bytes(read_bytes(path), where=str(path))


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read a photo's bytes.

    Raises
    ------
    WhalereidError
        The file is missing, empty, too large (`largest_mb`), or may not be read.
    """
    path = Path(path)
    try:
        if not path.is_file():  # a pipe or a device would never end
            raise WhalereidError(f"{path}: {'is not a file' if path.exists() else 'no such file'}.")
        refuse_large(path.stat().st_size, "the file is", where=str(path))
        data = path.read_bytes()
    except OSError as error:
        raise WhalereidError(f"{path}: can't be read ({error.strerror}).") from error
    if not data:
        raise WhalereidError(f"{path}: the file is empty; copy it again from where it came.")
    return data


def decode_bytes(data: bytes, *, where: str) -> np.ndarray:
    """Decode the bytes of an image file; like `decode`, with `where` naming the file in errors."""
    try:
        if data.startswith(JPEG):
            return decode_jpeg(data, where=where)
        if data.startswith(PNG):
            return _decode_png(data, where=where)
        width, height, depth = declared_size(data)
        refuse_large(width * height * depth, f"{width}×{height} px decode to", where=where)
        if data.startswith(TIFF) and width and not tiff_is_whole(data):
            raise WhalereidError(f"{where}: {DAMAGED}")
        return decode_with_opencv(data, where=where)
    except MemoryError as error:
        raise WhalereidError(f"{where}: the photo is too large for this machine's memory.") from error


def _decode_png(data: bytes, *, where: str) -> np.ndarray:
    """Decode a PNG that was looked through, size first, so that libpng finds nothing to say."""
    png = Png.parse(data)
    if png is None:
        raise WhalereidError(f"{where}: {DAMAGED}")
    refuse_large(png.decoded_bytes, f"{png.width}×{png.height} px decode to", where=where)
    plain = png.encoded()
    if plain is None:
        raise WhalereidError(f"{where}: {DAMAGED}")
    return decode_with_opencv(plain, where=where)


def crop(image: np.ndarray, bbox: tuple[float, float, float, float], *, where: str) -> np.ndarray:
    """Cut a box out of a photo.

    Parameters
    ----------
    image : ndarray of shape (H, W) or (H, W, C)
        The photo, upright.
    bbox : tuple of 4 floats
        x, y of the top left corner, width, height, in pixels. What lies outside the photo is cut off, part pixels are
        kept whole.
    where : str
        What to name in errors.

    Returns
    -------
    ndarray of shape (h, w) or (h, w, C)
        A view.

    Raises
    ------
    WhalereidError
        The box misses the photo.
    """
    x, y, width, height = bbox
    rows, columns = image.shape[:2]
    left, top = max(math.floor(x), 0), max(math.floor(y), 0)
    right, bottom = min(math.ceil(x + width), columns), min(math.ceil(y + height), rows)
    if left >= right or top >= bottom:
        raise WhalereidError(
            f"{where}: bbox ({x:g}, {y:g}, {width:g}, {height:g}) lies outside the photo of {columns}×{rows} px; "
            "a box is x, y, width, height in pixels of the upright photo."
        )
    return image[top:bottom, left:right]
