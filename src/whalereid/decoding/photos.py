"""Photos from files to pixels: whole or refused by name, upright, and quietly."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

from whalereid.decoding.avif import decode_avif
from whalereid.decoding.boxes import brands
from whalereid.decoding.headers import BMP, J2K, JP2, JPEG, declared_size, is_webp
from whalereid.decoding.heif import HEIF, decode_heif
from whalereid.decoding.jpeg import decode_jpeg
from whalereid.decoding.limits import DAMAGED, refuse_large
from whalereid.decoding.opencv import decode_with_opencv
from whalereid.decoding.png import PNG, Png
from whalereid.decoding.raw import decode_raw, is_raw
from whalereid.decoding.tiff import Tiff
from whalereid.errors import WhalereidError

__all__ = ["crop", "decode", "decode_bytes", "read_bytes"]

_AVIF = frozenset({b"avif", b"avis"})
_MADE_OF_FRAMES = b"\x1a\x45\xdf\xa3", b"\0\0\1\xba", b"FLV", b"0&\xb2u"  # Matroska, MPEG, Flash, Windows Media


def decode(path: str | os.PathLike[str]) -> np.ndarray:
    """Decode a photo as it is stored, turned upright by its EXIF orientation.

    Parameters
    ----------
    path : path
        An image file, recognised by its content; a raw one also by its suffix. HEIC needs the extra ``heif``, cameras'
        raw files the extra ``raw``.

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
    """Decode the bytes of an image file; like `decode`, with `where` its path, which errors name."""
    try:
        if data.startswith(JPEG):
            return decode_jpeg(data, where=where)
        if data.startswith(PNG):
            return _decode_png(data, where=where)
        named = brands(data)
        if _AVIF & {*named} and (named[0] in _AVIF or not HEIF - {b"mif1", b"msf1"} & {*named}):
            return decode_avif(data, where=where)
        if HEIF & {*named}:
            return decode_heif(data, where=where)
        tiff = Tiff.parse(data)
        if is_raw(data, tiff, name=where):
            return decode_raw(data, tiff, where=where)
        if tiff is None and not (data.startswith((BMP, JP2, J2K)) or is_webp(data)):
            raise WhalereidError(f"{where}: {_what_it_is(data)}")
        width, height, pixel = declared_size(data)
        refuse_large(width * height * pixel, f"{width}×{height} px decode to", where=where)
        if tiff is not None and not tiff.is_sound(data):
            raise WhalereidError(f"{where}: {DAMAGED}")
        return decode_with_opencv(data, where=where)
    except MemoryError as error:
        raise WhalereidError(f"{where}: the photo is too large for this machine's memory.") from error


def _what_it_is(data: bytes) -> str:
    """What a file is that holds no photo."""
    if brands(data) or data.startswith(_MADE_OF_FRAMES) or (data.startswith(b"RIFF") and data[8:12] == b"AVI "):
        return "is a video, not a photo; take frames of it, as with ffmpeg -i VIDEO -vf fps=1 VIDEO-%04d.jpg."
    if data.startswith(b"GIF8"):
        return "is a GIF, of 256 colours; if it is all there is, save it as PNG."
    return "is not a photo (JPEG, PNG, WebP, TIFF, HEIC, AVIF, BMP, JPEG 2000 or a camera's raw file)."


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
