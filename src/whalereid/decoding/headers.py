"""What other kinds of files declare of themselves, looked at before they are decoded."""

from __future__ import annotations

import struct

from whalereid.decoding.boxes import Boxes
from whalereid.decoding.tiff import Tiff

__all__ = ["BMP", "J2K", "JP2", "JPEG", "declared_size", "is_webp"]

JPEG = b"\xff\xd8\xff"
JP2, J2K = b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"
BMP = b"BM"


def is_webp(data: bytes) -> bool:
    """Whether it is a WebP."""
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def declared_size(data: bytes) -> tuple[int, int, int]:
    """Width, height, and bytes a pixel that the header of a BMP, WebP, JPEG 2000, AVIF or TIFF declares; else 0.

    Where a file declares itself twice, the larger counts.
    """
    try:
        if data.startswith(BMP):
            return _declared_by_bmp(data)
        if is_webp(data):
            return _declared_by_webp(data)
        if data.startswith((JP2, J2K)):
            return _declared_by_jp2(data)
        tiff = Tiff.parse(data)
        if tiff is not None:
            return tiff.size
    except struct.error:  # cut short
        return 0, 0, 0
    return Boxes.parse(data).size


def _declared_by_bmp(data: bytes) -> tuple[int, int, int]:
    (header,) = struct.unpack_from("<I", data, 14)
    if header == 12:  # of OS/2
        return (*struct.unpack_from("<HH", data, 18), 3)
    width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
    return abs(width), abs(height), 4 if bits == 32 else 3


def _declared_by_webp(data: bytes) -> tuple[int, int, int]:
    """By the canvas, and by the first frame (https://developers.google.com/speed/webp/docs/riff_container)."""
    sizes = [(0, 0)]
    kind, body = data[12:16], data[20:36]
    alpha = False
    if kind == b"VP8X":
        alpha = bool(body[0] & 0x10) if body else False
        sizes.append((1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")))
        at = 30
        while at + 8 <= len(data) and data[at : at + 4] not in (b"VP8 ", b"VP8L", b"ANMF"):
            size = int.from_bytes(data[at + 4 : at + 8], "little")
            at += 8 + size + size % 2
        kind, body = data[at : at + 4], data[at + 8 : at + 24]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", body, 6)
        sizes.append((width & 0x3FFF, height & 0x3FFF))
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", body, 1)
        sizes.append((1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)))
        alpha = alpha or bool(bits >> 28 & 1)
    return (*max(sizes, key=lambda size: size[0] * size[1]), 4 if alpha else 3)


def _declared_by_jp2(data: bytes) -> tuple[int, int, int]:
    """By the box of its header, and by the code stream's own (ITU-T T.800, annexes A.5.1 and I.5.3.1)."""
    sizes = [(0, 0, 0)]
    box = data.find(b"ihdr", 0, 4096) if data.startswith(JP2) else -1
    if box > 0:
        height, width, channels, bits = struct.unpack_from(">IIHB", data, box + 4)
        sizes.append((width, height, channels * (2 if (bits & 0x7F) > 7 and bits != 255 else 1)))
    stream = data.find(J2K)
    if stream >= 0:
        right, bottom, left, top = struct.unpack_from(">IIII", data, stream + 8)
        channels, bits = struct.unpack_from(">HB", data, stream + 40)
        sizes.append((max(right - left, 0), max(bottom - top, 0), channels * (2 if (bits & 0x7F) > 7 else 1)))
    return max(sizes, key=lambda size: size[0] * size[1] * size[2])
