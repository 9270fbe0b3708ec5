"""JPEGs, with what libjpeg warns of as an error."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import cv2
import numpy as np
import simplejpeg

from whalereid.decoding.head import Bytes
from whalereid.decoding.limits import DAMAGED, refuse_large
from whalereid.decoding.opencv import decode_with_opencv
from whalereid.errors import WhalereidError

__all__ = ["decode_jpeg", "jpeg_size", "segments"]

_HOLE = bytes(16)
_MOST_SEGMENTS = 100_000  # before the first scan, fill bytes among them; cameras write a few dozen
# What libjpeg warns of though every pixel comes out as meant: oddities of the header.
_HARMLESS = ("Warning: unknown JFIF revision", "Unknown Adobe color transform", "Invalid SOS parameters")
# How a photo is turned upright, by its EXIF orientation: mirrored left to right first or not, then turned.
_UPRIGHT: dict[int, tuple[bool, int | None]] = {
    2: (True, None),
    3: (False, cv2.ROTATE_180),
    4: (True, cv2.ROTATE_180),
    5: (True, cv2.ROTATE_90_COUNTERCLOCKWISE),
    6: (False, cv2.ROTATE_90_CLOCKWISE),
    7: (True, cv2.ROTATE_90_CLOCKWISE),
    8: (False, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def decode_jpeg(data: bytes, *, where: str) -> np.ndarray:
    """Decode a JPEG as OpenCV does, to the same pixels, but with libjpeg's warnings as errors.

    Where compressed data are damaged, libjpeg goes on with what it can make of the rest, and OpenCV keeps quiet.
    """
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError) as error:  # KeyError where the header ends before it says what colours there are
        raise WhalereidError(f"{where}: {DAMAGED}") from error
    refuse_large(height * width * (1 if colours == "Gray" else 3), f"{width}×{height} px decode to", where=where)
    if colours in ("CMYK", "YCCK"):
        _check_jpeg(data, "CMYK", where=where)
        return decode_with_opencv(data, where=where)
    if _has_a_hole(data):
        raise WhalereidError(f"{where}: {DAMAGED}")
    space = "GRAY" if colours == "Gray" else "BGR"
    try:
        image: np.ndarray = simplejpeg.decode_jpeg(data, space, strict=True)
    except ValueError as error:
        if not str(error).startswith(_HARMLESS):
            raise WhalereidError(f"{where}: {_jpeg_damage(error)}") from error
        try:
            image = simplejpeg.decode_jpeg(_without_oddities(data), space, strict=True)
        except ValueError as damage:
            raise WhalereidError(f"{where}: {_jpeg_damage(damage)}") from damage
    mirrored, turn = _UPRIGHT.get(_orientation(data), (False, None))
    image = image[..., 0] if space == "GRAY" else image
    image = cv2.flip(image, 1) if mirrored else image
    return image if turn is None else cv2.rotate(image, turn)


def jpeg_size(data: Bytes) -> tuple[int, int] | None:
    """Width and height of a JPEG once it is upright, as its header declares them; None where that isn't in `data`."""
    for marker, start, _ in segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and start + 9 <= len(data):
            height, width = struct.unpack(">HH", data[start + 5 : start + 9])
            if height == 0 or width == 0:  # a height that follows the first scan
                return None
            return (height, width) if _orientation(data) in (5, 6, 7, 8) else (width, height)
    return None


def _check_jpeg(data: bytes, space: str, *, where: str) -> None:
    """Refuse a JPEG whose decoding warns; an eighth of its size tells as much."""
    try:
        simplejpeg.decode_jpeg(data, space, min_height=1, min_width=1, min_factor=8, strict=True)
    except ValueError as error:
        raise WhalereidError(f"{where}: {_jpeg_damage(error)}") from error


def _jpeg_damage(error: ValueError) -> str:
    said = str(error).removeprefix("Corrupt JPEG data: ").splitlines() or ["not decodable"]
    return f"the photo is cut short or damaged ({said[0]}); copy it again from where it came."


def segments(data: Bytes, at: int = 2) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment of a JPEG, which begins 2 bytes before, up to its first scan's.

    References
    ----------
    ITU T.81, annex B.
    """
    for _ in range(_MOST_SEGMENTS):
        if at + 4 > len(data) or data[at] != 0xFF:
            return
        marker = data[at + 1]
        alone = marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD9  # fill bytes, and marks without a length
        length = 1 if marker == 0xFF else 2 if alone else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, at, at + length
        if marker == 0xDA:
            return
        at += length


def _has_a_hole(data: bytes) -> bool:
    """Whether zeros stand among a JPEG's compressed data where they can't: a lost sector, that decoders may not notice.

    The code of zeros alone is that of a table's first symbol (ITU T.81, annex C). Unless it is the end of block, as it
    may be in tables made for a photo with flat parts, zeros fill block after block with the same coefficient.
    """
    zeros_are_flat = True
    for marker, start, end in segments(data):
        if 0xC2 <= marker <= 0xCF and marker not in (0xC4, 0xCC):
            return False  # progressive and others: zeros mean something else there
        if marker == 0xC4:
            zeros_are_flat &= all(first == 0 for is_ac, first in _first_symbols(data[start + 4 : end]) if is_ac)
        if marker == 0xDA and not zeros_are_flat:
            hole = data.find(_HOLE, end)
            return hole >= 0 and data.find(b"\xff\xd9", end, hole) < 0  # what comes after the end is none of ours
    return False


def _first_symbols(tables: bytes) -> Iterator[tuple[bool, int]]:
    """Whether each Huffman table of a segment is of AC coefficients, and its first symbol."""
    at = 0
    while at + 17 < len(tables):
        yield tables[at] >= 0x10, tables[at + 17]
        at += 17 + sum(tables[at + 1 : at + 17])


def _orientation(data: Bytes) -> int:
    """A JPEG's EXIF orientation, 1 to 8; 1 where it says none."""
    for marker, start, end in segments(data):
        if marker != 0xE1 or data[start + 4 : start + 10] != b"Exif\0\0":
            continue
        tiff = data[start + 10 : end]
        order = {b"II": "<", b"MM": ">"}.get(tiff[:2], "")
        try:
            (first,) = struct.unpack_from(f"{order}I", tiff, 4)
            (count,) = struct.unpack_from(f"{order}H", tiff, first)
            for entry in range(first + 2, first + 2 + 12 * count, 12):
                tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
                if tag == 0x112:
                    return int(value)
        except struct.error:  # metadata cut short
            pass
        return 1
    return 1


def _without_oddities(data: bytes) -> bytes:
    """A JPEG with what libjpeg warns of set right: JFIF's revision, Adobe's colours, a scan's ends."""
    mended = bytearray(data)
    baseline, colours = False, 3
    for marker, start, _ in segments(data):
        if 0xC0 <= marker <= 0xC2 and start + 9 < len(data):
            baseline, colours = marker < 0xC2, data[start + 9]
    for marker, start, end in segments(data):
        if marker == 0xDA and baseline and end <= len(data):
            mended[end - 3 : end] = b"\0\x3f\0"
        elif marker == 0xE0 and data[start + 4 : start + 9] == b"JFIF\0" and end - start >= 11:
            mended[start + 9] = 1
        elif marker == 0xEE and data[start + 4 : start + 9] == b"Adobe" and end - start >= 16 and data[start + 15] > 2:
            mended[start + 15] = 1 if colours == 3 else 2
    return bytes(mended)
