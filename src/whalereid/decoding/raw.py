"""Cameras' raw files, by the extra ``raw`` (LibRaw)."""

from __future__ import annotations

import io
import os
import struct
import sys
import threading
from pathlib import PurePath
from typing import Any

import cv2
import numpy as np

from whalereid.decoding.boxes import brands, ends_with_a_box
from whalereid.decoding.limits import DAMAGED, refuse_large
from whalereid.decoding.suffixes import RAW_SUFFIXES
from whalereid.decoding.tiff import Tiff
from whalereid.errors import WhalereidError

__all__ = ["decode_raw", "is_raw"]

# How raw files begin that are no plain TIFF: Fujifilm, Olympus, Panasonic, Minolta, Sigma; and Canon, at byte 6 or 8.
_BEGINNINGS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"\0MRM", b"FOVb")
_CANON = b"HEAPCCDR", b"CR\2\0"
_CR3 = b"crx "
_loading = threading.Lock()


def is_raw(data: bytes, tiff: Tiff | None, *, name: str) -> bool:
    """Whether a file is a camera's raw one: by how it begins, by what it holds as a TIFF, or by the suffix of its name.

    A raw file's first page is often a small picture, so a TIFF with the suffix of one is never taken for a photo.
    """
    if data.startswith(_BEGINNINGS) or data[6:14] == _CANON[0] or data[8:12] == _CANON[1] or _CR3 in brands(data)[:1]:
        return True
    return (tiff is not None and tiff.is_raw) or PurePath(name).suffix.lower() in RAW_SUFFIXES


def decode_raw(data: bytes, tiff: Tiff | None, *, where: str) -> np.ndarray:
    """Decode a raw file to (H, W) or (H, W, 3) uint8, BGR, upright, with the white balance of the camera.

    Brightness is stretched until a hundredth of the pixels are white, as LibRaw does by default.

    Raises
    ------
    WhalereidError
        The extra isn't installed; or the photo is too large, cut short, damaged, or of a camera that is not known.
    """
    rawpy = _rawpy(where)
    if not _is_all_there(data, tiff):
        raise WhalereidError(f"{where}: {DAMAGED}")
    raw = rawpy.RawPy()  # imread would warn in every worker process
    try:
        raw.open_buffer(io.BytesIO(data))
        sizes = raw.sizes
        for width, height, pixel in ((sizes.iwidth, sizes.iheight, 3), (sizes.raw_width, sizes.raw_height, 2)):
            refuse_large(width * height * pixel, f"{width}×{height} px decode to", where=where)
        pixels = raw.postprocess(use_camera_wb=True, output_bps=8, demosaic_algorithm=rawpy.DemosaicAlgorithm.PPG)
        if pixels.ndim == 3 and pixels.shape[2] == 3:
            return cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        return np.array(pixels.reshape(pixels.shape[:2]))
    except WhalereidError:
        raise
    except (rawpy.LibRawFileUnsupportedError, rawpy.NotSupportedError) as error:
        raise WhalereidError(
            f"{where}: is not a raw file that LibRaw {'.'.join(map(str, rawpy.libraw_version))} knows; update rawpy, "
            "or export it as JPEG."
        ) from error
    except (rawpy.LibRawUnsufficientMemoryError, rawpy.LibRawTooBigError) as error:
        raise MemoryError from error
    except (rawpy.LibRawError, OSError, ValueError, RuntimeError) as error:
        raise WhalereidError(f"{where}: {DAMAGED}") from error
    finally:
        raw.close()


def _rawpy(where: str) -> Any:
    """The library, with one thread a photo: those of OpenMP don't outlive a fork, and data loaders fork."""
    with _loading:
        if "rawpy" in sys.modules:
            return sys.modules["rawpy"]
        before = os.environ.get("OMP_NUM_THREADS")
        os.environ["OMP_NUM_THREADS"] = "1"  # heeded once, while it is loaded
        try:
            import rawpy
        except ImportError as error:
            raise WhalereidError(
                f"{where}: is a camera's raw file; `pip install 'whalereid[raw]'` reads it, or export it as JPEG."
            ) from error
        finally:
            if before is None:
                del os.environ["OMP_NUM_THREADS"]
            else:
                os.environ["OMP_NUM_THREADS"] = before
        return rawpy


def _is_all_there(data: bytes, tiff: Tiff | None) -> bool:
    """Whether what a file names lies in it, as far as its kind is known; LibRaw would complain on the terminal."""
    if tiff is not None:
        return tiff.has_all(data)
    if data.startswith(b"FUJIFILM"):  # where each of three pieces starts, and its length
        pieces = [struct.unpack(">II", data[at : at + 8].ljust(8, b"\xff")) for at in (84, 92, 100)]
        return all(start + length <= len(data) for start, length in pieces)
    return _CR3 not in brands(data)[:1] or ends_with_a_box(data)
