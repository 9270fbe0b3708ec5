"""AVIF photos: OpenCV decodes them, but leaves them lying, and dark where a channel has more than 8 bits."""

from __future__ import annotations

import cv2
import numpy as np

from whalereid.decoding.boxes import Boxes
from whalereid.decoding.limits import DAMAGED, refuse_large
from whalereid.decoding.opencv import decode_with_opencv
from whalereid.errors import WhalereidError

__all__ = ["decode_avif"]

_ROTATE = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


def decode_avif(data: bytes, *, where: str) -> np.ndarray:
    """Decode an AVIF to (H, W, 3) or (H, W, 4), uint8 or uint16; BGR(A), turned upright as its boxes say.

    An EXIF orientation is none of its pixels' (ISO/IEC 23008-12, annex A.4): writers set both, and one of them counts.
    """
    if not cv2.haveImageWriter("a.avif"):  # as OpenCV is built, it reads and writes it, or neither
        raise WhalereidError(f"{where}: is an AVIF, which this OpenCV can't read; update opencv-python-headless.")
    boxes = Boxes.parse(data)
    width, height, pixel = boxes.size
    refuse_large(width * height * pixel, f"{width}×{height} px decode to", where=where)
    if boxes.items and not boxes.are_whole(data):
        raise WhalereidError(f"{where}: {DAMAGED}")
    image = decode_with_opencv(data, where=where, turned=False)
    if image.dtype == np.uint16 and boxes.bits < 16:  # as they are in the file, of 10 or 12 bits
        image = image << (16 - boxes.bits) | image >> (2 * boxes.bits - 16)
    for how, value in boxes.turns:
        if how == "mirror":
            image = cv2.flip(image, value)  # 0 swaps top and bottom, 1 left and right, in both
        elif value:
            image = cv2.rotate(image, _ROTATE[value])
    return image
