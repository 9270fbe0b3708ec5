"""HEIC photos, as telephones take them, by the extra ``heif`` (libheif)."""

from __future__ import annotations

import cv2
import numpy as np

from whalereid.decoding.boxes import Boxes
from whalereid.decoding.limits import DAMAGED, refuse_large
from whalereid.errors import WhalereidError

__all__ = ["HEIF", "decode_heif"]

HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
"""The brands of such files (https://github.com/nokiatech/heif); those of AVIF may be among them, too."""


def decode_heif(data: bytes, *, where: str) -> np.ndarray:
    """Decode a HEIC to (H, W), (H, W, 3) or (H, W, 4), uint8 or uint16; BGR(A).

    It is turned upright as its own boxes say; an EXIF orientation is none of its pixels' (ISO/IEC 23008-12, annex A.4).

    Raises
    ------
    WhalereidError
        The extra isn't installed, or the photo is too large, cut short or damaged.
    """
    try:
        import pillow_heif
    except ImportError as error:
        raise WhalereidError(
            f"{where}: is a HEIC photo; `pip install 'whalereid[heif]'` reads it, or convert it to JPEG."
        ) from error
    boxes = Boxes.parse(data)
    _refuse(*boxes.size, where=where)
    if not boxes.are_whole(data):  # libheif leaves tiles black that the file doesn't hold
        raise WhalereidError(f"{where}: {DAMAGED}")
    try:
        images = pillow_heif.open_heif(data, convert_hdr_to_8bit=True, bgr_mode=True)
        image = images[images.primary_index]
        width, height = image.size
        _refuse(width, height, 4, where=where)
        pixels = np.asarray(image)[:height, :width]
    except (MemoryError, WhalereidError):
        raise
    except Exception as error:  # libheif's refusals come as ValueError, EOFError, SyntaxError, RuntimeError, OSError
        raise WhalereidError(f"{where}: {_reason(error)}") from error
    if pixels.ndim == 3 and pixels.shape[2] == 2:  # grey with transparency
        return cv2.merge([pixels[..., 0]] * 3 + [pixels[..., 1]])
    return np.ascontiguousarray(pixels)


def _refuse(width: int, height: int, pixel: int, *, where: str) -> None:
    refuse_large(width * height * pixel, f"{width}×{height} px decode to", where=where)


def _reason(error: Exception) -> str:
    said = " ".join(str(error).split()).rstrip(".")
    return f"{DAMAGED.rstrip('.')} ({said:.120})." if said else DAMAGED
