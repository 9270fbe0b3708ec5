"""What other kinds of files declare of themselves, looked at before they are decoded."""

from __future__ import annotations

import struct
import zlib

__all__ = ["JP2", "JPEG", "TIFF", "declared_size", "tiff_is_whole"]

JPEG = b"\xff\xd8\xff"
TIFF = (b"II*\0", b"MM\0*")
JP2 = b"\0\0\0\x0cjP  "


def declared_size(data: bytes) -> tuple[int, int, int]:
    """Width, height, and bytes a pixel, at least, that a file's header declares; 0 where that can't be read.

    Of kinds that store large photos in small files; WebP has no more than 16,383 pixels a side.
    """
    try:
        if data.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", data, 18)
            return abs(width), abs(height), 3
        if data.startswith(TIFF):
            return _declared_by_tiff(data)
        box = data.find(b"ihdr", 0, 4096) if data.startswith(JP2) else data.find(b"ispe", 0, 1 << 16)
        if data.startswith(JP2) and box > 0:
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


def tiff_is_whole(data: bytes) -> bool:
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
