"""OpenCV's decoder, quietly: its refusal becomes ours."""

from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np

from whalereid.decoding.headers import JP2, JPEG, TIFF
from whalereid.decoding.limits import DAMAGED
from whalereid.decoding.png import PNG
from whalereid.errors import WhalereidError

__all__ = ["decode_with_opencv"]

# As in the file, upright: the one combination of OpenCV's flags that keeps greyscale, alpha and 16 bits and still turns
# a photo by its EXIF orientation (IMREAD_UNCHANGED does not turn, IMREAD_ANYCOLOR drops alpha).
_AS_STORED_UPRIGHT = cv2.IMREAD_LOAD_GDAL
_OTHERS = (b"RIFF", b"BM", b"GIF8", JP2)


def decode_with_opencv(data: bytes, *, where: str) -> np.ndarray:
    """Decode as stored and upright, by what OpenCV recognises; `where` names the file in errors."""
    try:
        with _quiet:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), _AS_STORED_UPRIGHT)
    except cv2.error as error:  # such as more pixels than OpenCV allows
        raise WhalereidError(f"{where}: can't be decoded ({error.err or 'refused by OpenCV'}).") from error
    if image is None:
        raise WhalereidError(f"{where}: {_what_it_seems(data)}")
    return image


def _what_it_seems(data: bytes) -> str:
    brand = data[8:11] if data[4:8] == b"ftyp" else b""
    if brand in (b"hei", b"hev", b"mif", b"msf"):
        return "is a HEIC photo, which can't be read here; convert it to JPEG."
    if data.startswith(TIFF):  # as most raw formats are, with data that only their maker's software decodes
        return "can't be decoded; if it is a raw camera file convert it to JPEG, else copy it again from where it came."
    if data.startswith((JPEG, PNG, *_OTHERS)) or brand == b"avi":
        return DAMAGED
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
