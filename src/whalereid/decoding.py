"""Photos from files to pixels: whole or refused by name, upright, and quietly."""

from __future__ import annotations

import math
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg

from whalereid.errors import WhalereidError
from whalereid.png import PNG, Png

__all__ = ["MAX_PHOTO_MB", "MIN_SIDE", "PHOTO_SUFFIXES", "crop", "decode", "decode_bytes", "largest_mb", "read_bytes"]

MIN_SIDE = 8  # px; nothing of an animal can be told on less, and a 1×1 placeholder is not a photo
MAX_PHOTO_MB = "WHALEREID_MAX_PHOTO_MB"
"""Environment variable: how many megabytes a photo may take, as a file and as pixels; worker processes inherit it."""

_LARGEST_MB = 1000  # 330 megapixels in colour: above every camera's, below what fills a machine's memory
# .jfif and .mpo (of cameras with two lenses; the first photo counts) are JPEGs by another name.
PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff", ".bmp", ".jp2", ".avif"}
)

# As in the file, upright: the one combination of OpenCV's flags that keeps greyscale, alpha and 16 bits and still turns
# a photo by its EXIF orientation (IMREAD_UNCHANGED does not turn, IMREAD_ANYCOLOR drops alpha).
_AS_STORED_UPRIGHT = cv2.IMREAD_LOAD_GDAL
_JPEG, _TIFF = b"\xff\xd8\xff", (b"II*\0", b"MM\0*")
_JP2 = b"\0\0\0\x0cjP  "
_OTHERS = (b"RIFF", b"BM", b"GIF8", _JP2)
_DAMAGED = "the photo is cut short or damaged; copy it again from where it came."
_HOLE = bytes(16)
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
        _refuse_large(path.stat().st_size, "the file is", where=str(path))
        data = path.read_bytes()
    except OSError as error:
        raise WhalereidError(f"{path}: can't be read ({error.strerror}).") from error
    if not data:
        raise WhalereidError(f"{path}: the file is empty; copy it again from where it came.")
    return data


def decode_bytes(data: bytes, *, where: str) -> np.ndarray:
    """Decode the bytes of an image file; like `decode`, with `where` naming the file in errors."""
    try:
        if data.startswith(_JPEG):
            return _decode_jpeg(data, where=where)
        if data.startswith(PNG):
            return _decode_png(data, where=where)
        width, height, depth = _declared(data)
        _refuse_large(width * height * depth, f"{width}×{height} px decode to", where=where)
        if data.startswith(_TIFF) and width and not _tiff_is_whole(data):
            raise WhalereidError(f"{where}: {_DAMAGED}")
        return _decode_with_opencv(data, where=where)
    except MemoryError as error:
        raise WhalereidError(f"{where}: the photo is too large for this machine's memory.") from error


def largest_mb() -> float:
    """How many megabytes (of a million bytes) a photo may take, as a file and decoded: 1,000, or what is set.

    The environment variable ``WHALEREID_MAX_PHOTO_MB`` sets it, and the commands' ``--max-photo-mb``.

    Raises
    ------
    WhalereidError
        What is set is no number above 0.
    """
    said = os.environ.get(MAX_PHOTO_MB, str(_LARGEST_MB))
    try:
        most = float(said)
    except ValueError:
        most = math.nan
    if not 0 < most < math.inf:
        raise WhalereidError(f"{MAX_PHOTO_MB} is {said!r:.60}; set it to a number of megabytes above 0.")
    return most


def _refuse_large(size: int, what: str, *, where: str) -> None:
    """Refuse what would fill the memory, before it does."""
    most = largest_mb()
    if size > most * 1e6:
        raise WhalereidError(
            f"{where}: {what} {_mb(size / 1e6)} MB, above the {_mb(most)} MB that a photo may take; if it is one, "
            f"raise --max-photo-mb (or the environment variable {MAX_PHOTO_MB})."
        )


def _mb(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _decode_with_opencv(data: bytes, *, where: str) -> np.ndarray:
    try:
        with _quiet:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), _AS_STORED_UPRIGHT)
    except cv2.error as error:  # such as more pixels than OpenCV allows
        raise WhalereidError(f"{where}: can't be decoded ({error.err or 'refused by OpenCV'}).") from error
    if image is None:
        raise WhalereidError(f"{where}: {_what_it_seems(data)}")
    return image


def _decode_png(data: bytes, *, where: str) -> np.ndarray:
    """Decode a PNG that was looked through, size first, so that libpng finds nothing to say."""
    png = Png.parse(data)
    if png is None:
        raise WhalereidError(f"{where}: {_DAMAGED}")
    _refuse_large(png.decoded_bytes, f"{png.width}×{png.height} px decode to", where=where)
    plain = png.encoded()
    if plain is None:
        raise WhalereidError(f"{where}: {_DAMAGED}")
    return _decode_with_opencv(plain, where=where)


def _decode_jpeg(data: bytes, *, where: str) -> np.ndarray:
    """Decode a JPEG as OpenCV does, to the same pixels, but with libjpeg's warnings as errors.

    Where compressed data are damaged, libjpeg goes on with what it can make of the rest, and OpenCV keeps quiet.
    """
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError) as error:  # KeyError where the header ends before it says what colours there are
        raise WhalereidError(f"{where}: {_DAMAGED}") from error
    _refuse_large(height * width * (1 if colours == "Gray" else 3), f"{width}×{height} px decode to", where=where)
    if colours in ("CMYK", "YCCK"):
        _check_jpeg(data, "CMYK", where=where)
        return _decode_with_opencv(data, where=where)
    if _has_a_hole(data):
        raise WhalereidError(f"{where}: {_DAMAGED}")
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


def _check_jpeg(data: bytes, space: str, *, where: str) -> None:
    """Refuse a JPEG whose decoding warns; an eighth of its size tells as much."""
    try:
        simplejpeg.decode_jpeg(data, space, min_height=1, min_width=1, min_factor=8, strict=True)
    except ValueError as error:
        raise WhalereidError(f"{where}: {_jpeg_damage(error)}") from error


def _jpeg_damage(error: ValueError) -> str:
    said = str(error).removeprefix("Corrupt JPEG data: ").splitlines() or ["not decodable"]
    return f"the photo is cut short or damaged ({said[0]}); copy it again from where it came."


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment of a JPEG up to its first scan's (ITU T.81, annex B)."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
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
    for marker, start, end in _segments(data):
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


def _orientation(data: bytes) -> int:
    """A JPEG's EXIF orientation, 1 to 8; 1 where it says none."""
    for marker, start, end in _segments(data):
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
    for marker, start, _ in _segments(data):
        if 0xC0 <= marker <= 0xC2 and start + 9 < len(data):
            baseline, colours = marker < 0xC2, data[start + 9]
    for marker, start, end in _segments(data):
        if marker == 0xDA and baseline and end <= len(data):
            mended[end - 3 : end] = b"\0\x3f\0"
        elif marker == 0xE0 and data[start + 4 : start + 9] == b"JFIF\0" and end - start >= 11:
            mended[start + 9] = 1
        elif marker == 0xEE and data[start + 4 : start + 9] == b"Adobe" and end - start >= 16 and data[start + 15] > 2:
            mended[start + 15] = 1 if colours == 3 else 2
    return bytes(mended)


def _declared(data: bytes) -> tuple[int, int, int]:
    """Width, height, and bytes a pixel, at least, that a file's header declares; 0 where that can't be read.

    Of kinds that store large photos in small files; WebP has no more than 16,383 pixels a side.
    """
    try:
        if data.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", data, 18)
            return abs(width), abs(height), 3
        if data.startswith(_TIFF):
            return _declared_by_tiff(data)
        box = data.find(b"ihdr", 0, 4096) if data.startswith(_JP2) else data.find(b"ispe", 0, 1 << 16)
        if data.startswith(_JP2) and box > 0:
            height, width, channels = struct.unpack_from(">IIH", data, box + 4)
            return width, height, channels
        if data[4:12] in (b"ftypavif", b"ftypavis") and box > 0:
            width, height = struct.unpack_from(">II", data, box + 8)
            return width, height, 3
    except struct.error:  # cut short
        pass
    return 0, 0, 0


def _declared_by_tiff(data: bytes) -> tuple[int, int, int]:
    tags = _tiff_tags(data)
    width, height, channels = (tags.get(tag, (0,))[0] for tag in (256, 257, 277))
    return width, height, max(channels, 1)


def _tiff_tags(data: bytes) -> dict[int, tuple[int, ...]]:
    """Whole numbers that the first page of a TIFF is described by (TIFF 6.0, section 2)."""
    order = "<" if data[:2] == b"II" else ">"
    (first,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, first)
    tags = {}
    for entry in range(first + 2, first + 2 + 12 * count, 12):
        tag, kind, n = struct.unpack_from(f"{order}HHI", data, entry)
        letter = {3: "H", 4: "I"}.get(kind)
        if letter is not None:
            size = struct.calcsize(f"={letter}")
            at = entry + 8 if n * size <= 4 else struct.unpack_from(f"{order}I", data, entry + 8)[0]
            tags[tag] = struct.unpack_from(f"{order}{n}{letter}", data, at) if at + n * size <= len(data) else (0,)
    return tags


def _tiff_is_whole(data: bytes) -> bool:
    """Whether the checksums of a TIFF are right, if it has any: those of strips or tiles that zlib compressed.

    OpenCV leaves strips black that libtiff can't decode. Other compressions of TIFF have no checksum.
    """
    try:
        tags = _tiff_tags(data)
        if tags.get(259) not in ((8,), (32946,)):
            return True
        starts, sizes = (
            (tags.get(273, ()), tags.get(279, ())) if 273 in tags else (tags.get(324, ()), tags.get(325, ()))
        )
        for start, size in zip(starts, sizes, strict=True):
            stream = zlib.decompressobj()
            compressed = data[start : start + size]
            while compressed and not stream.eof:
                stream.decompress(compressed, 1 << 20)
                compressed = stream.unconsumed_tail
            if not stream.eof:
                return False
    except (struct.error, ValueError, zlib.error):
        return False
    return True


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


def _what_it_seems(data: bytes) -> str:
    brand = data[8:11] if data[4:8] == b"ftyp" else b""
    if brand in (b"hei", b"hev", b"mif", b"msf"):
        return "is a HEIC photo, which can't be read here; convert it to JPEG."
    if data.startswith(_TIFF):  # as most raw formats are, with data that only their maker's software decodes
        return "can't be decoded; if it is a raw camera file convert it to JPEG, else copy it again from where it came."
    if data.startswith((_JPEG, PNG, *_OTHERS)) or brand == b"avi":
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
