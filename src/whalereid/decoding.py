"""Photos from files to pixels: whole or refused by name, upright, and quietly."""

from __future__ import annotations

import math
import os
import threading
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from whalereid.errors import WhalereidError

__all__ = ["MIN_SIDE", "PHOTO_SUFFIXES", "crop", "decode", "decode_bytes", "read_bytes"]

MIN_SIDE = 8  # px; nothing of an animal can be told on less, and a 1×1 placeholder is not a photo
# .jfif and .mpo (of cameras with two lenses; the first photo counts) are JPEGs by another name.
PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff", ".bmp", ".jp2", ".avif"}
)

# As in the file, upright: the one combination of OpenCV's flags that keeps greyscale, alpha and 16 bits and still turns
# a photo by its EXIF orientation (IMREAD_UNCHANGED does not turn, IMREAD_ANYCOLOR drops alpha).
_AS_STORED_UPRIGHT = cv2.IMREAD_LOAD_GDAL
_JPEG, _PNG, _TIFF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", (b"II*\0", b"MM\0*")
_OTHERS = (b"RIFF", b"BM", b"GIF8", b"\0\0\0\x0cjP  ")
_DAMAGED = "the photo is cut short or damaged; copy it again from where it came."


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
        The file is missing, empty, cut short, damaged, or not a photo; the message names it.
    """
    return decode_bytes(read_bytes(path), where=str(path))


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read a photo's bytes.

    Raises
    ------
    WhalereidError
        The file is missing, empty, or may not be read.
    """
    path = Path(path)
    try:
        if not path.is_file():  # a pipe or a device would never end
            raise WhalereidError(f"{path}: {'is not a file' if path.exists() else 'no such file'}.")
        data = path.read_bytes()
    except OSError as error:
        raise WhalereidError(f"{path}: can't be read ({error.strerror}).") from error
    if not data:
        raise WhalereidError(f"{path}: the file is empty; copy it again from where it came.")
    return data


def decode_bytes(data: bytes, *, where: str) -> np.ndarray:
    """Decode the bytes of an image file; like `decode`, with `where` naming the file in errors."""
    if (data.startswith(_JPEG) and not _jpeg_is_whole(data)) or (data.startswith(_PNG) and not _png_is_whole(data)):
        raise WhalereidError(f"{where}: {_DAMAGED}")
    try:
        with _quiet:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), _AS_STORED_UPRIGHT)
    except cv2.error as error:  # such as more pixels than OpenCV allows
        raise WhalereidError(f"{where}: can't be decoded ({error.err or 'refused by OpenCV'}).") from error
    except MemoryError as error:
        raise WhalereidError(f"{where}: the photo is too large for this machine's memory.") from error
    if image is None:
        raise WhalereidError(f"{where}: {_what_it_seems(data)}")
    return image


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


def _jpeg_is_whole(data: bytes) -> bool:
    """Whether a JPEG's segments lead to its end-of-image mark (ITU T.81, annex B).

    Decoders fill what is missing with grey, in some versions without a word. A thumbnail among the
    metadata has an end mark of its own, so looking for the mark anywhere would not do.
    """
    at = 2
    marks: np.ndarray | None = None
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if at + 1 >= len(data) or data[at] != 0xFF:
            return False
        marker = data[at + 1]
        if marker == 0xD9:
            return True
        if 0xD0 <= marker <= 0xD8 or marker == 0x01:  # marks that stand alone
            at += 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:  # start of scan: compressed data follow
            marks = _marks_that_end_scans(data) if marks is None else marks
            following = int(np.searchsorted(marks, at))
            if following == len(marks):
                return False
            at = int(marks[following])


def _marks_that_end_scans(data: bytes) -> np.ndarray:
    """(n,) positions of 0xFF that end a scan: it is data when stuffed with 0x00, and harmless before a restart mark."""
    values = np.frombuffer(data, np.uint8)
    at = np.flatnonzero(values[:-1] == 0xFF)
    after = values[at + 1]
    return at[(after != 0x00) & (after != 0xFF) & ((after < 0xD0) | (after > 0xD7))]


def _png_is_whole(data: bytes) -> bool:
    """Whether a PNG's chunks lead to IEND, those that matter with their checksums right (libpng would print)."""
    at = len(_PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, end = data[at + 4 : at + 8], at + 8 + length
        critical = kind[:1].isupper()
        if critical and zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return False
        if kind == b"IEND":
            return True
        at = end + 4
    return False


def _what_it_seems(data: bytes) -> str:
    brand = data[8:11] if data[4:8] == b"ftyp" else b""
    if brand in (b"hei", b"hev", b"mif", b"msf"):
        return "is a HEIC photo, which can't be read here; convert it to JPEG."
    if data.startswith(_TIFF):  # as most raw formats are, with data that only their maker's software decodes
        return "can't be decoded; if it is a raw camera file convert it to JPEG, else copy it again from where it came."
    if data.startswith((_JPEG, _PNG, *_OTHERS)) or brand == b"avi":
        return _DAMAGED
    return "is not a photo (JPEG, PNG, WebP, TIFF or BMP)."


class _Quiet:
    """Keeps OpenCV's own log off stderr while any thread decodes; the error we raise says it better."""

    def __init__(self) -> None:
        log: Any = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # moved between OpenCV 4 and 5
        self._get, self._set = log.getLogLevel, log.setLogLevel
        self._lock = threading.Lock()
        self._inside = self._before = 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = self._get()
                self._set(0)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._set(self._before)


_quiet = _Quiet()
