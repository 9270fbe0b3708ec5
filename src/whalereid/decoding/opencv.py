"""OpenCV's decoder, quietly: its refusal becomes ours."""

from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np

from whalereid.decoding.limits import DAMAGED
from whalereid.errors import WhalereidError

__all__ = ["decode_with_opencv"]

# As in the file, upright: the one combination of OpenCV's flags that keeps greyscale, alpha and 16 bits and still turns
# a photo by its EXIF orientation (IMREAD_UNCHANGED does not turn, IMREAD_ANYCOLOR drops alpha).
_AS_STORED_UPRIGHT = cv2.IMREAD_LOAD_GDAL


def decode_with_opencv(data: bytes, *, where: str, turned: bool = True) -> np.ndarray:
    """Decode a photo of a kind that OpenCV reads as it is stored, `turned` by its EXIF orientation or not.

    `where` names the file in errors.
    """
    try:
        with _quiet:
            how = _AS_STORED_UPRIGHT if turned else cv2.IMREAD_UNCHANGED
            image = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    except cv2.error as error:  # such as more pixels than OpenCV allows
        raise WhalereidError(f"{where}: can't be decoded ({error.err or 'refused by OpenCV'}).") from error
    if image is None:
        raise WhalereidError(f"{where}: {DAMAGED}")
    return image


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
