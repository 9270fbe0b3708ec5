"""Photos as telephones and cameras write them, made for the tests: HEIC, AVIF, WebP, TIFF, a raw DNG, EXIF."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

Tag = tuple[int, int, Any]
SCENE = cv2.resize(
    np.random.default_rng(5).integers(0, 256, (5, 7, 3), np.uint8), (112, 80), interpolation=cv2.INTER_CUBIC
)
"""(80, 112, 3) BGR: colours that differ in every corner."""

BYTE, TEXT, SHORT, LONG, RATIONAL, SIGNED_RATIONAL = 1, 2, 3, 4, 5, 10
_LETTERS = {SHORT: "H", LONG: "I", RATIONAL: "II", SIGNED_RATIONAL: "ii"}


def heic(image: np.ndarray = SCENE, mode: str = "BGR", **options: Any) -> bytes:
    """A HEIC; with `tile_size` of tiles, as Apple's telephones write them."""
    import pillow_heif

    out = io.BytesIO()
    options = {"quality": 90, "chroma": 444, **options}
    pillow_heif.encode(mode, (image.shape[1], image.shape[0]), image.tobytes(), out, **options)
    return out.getvalue()


def pillow(kind: str, image: np.ndarray = SCENE, **options: Any) -> bytes:
    """Any kind that Pillow writes: AVIF, WEBP, TIFF, JPEG, PNG, JPEG2000."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(image[..., ::-1] if image.ndim == 3 else image).save(out, kind, **options)
    return out.getvalue()


def packed(kind: int, values: Any, order: str) -> tuple[int, bytes]:
    """How many values a tag has, and their bytes."""
    if isinstance(values, str):
        values = values.encode() + b"\0"
    if isinstance(values, bytes):
        return len(values), values
    values = values if isinstance(values, list | tuple) else [values]
    if kind in (RATIONAL, SIGNED_RATIONAL):
        parts = [(part.numerator, part.denominator) if isinstance(part, Fraction) else part for part in values]
        parts = [part if isinstance(part, tuple) else (part, 1) for part in parts]
        return len(parts), b"".join(struct.pack(order + _LETTERS[kind], *part) for part in parts)
    return len(values), struct.pack(f"{order}{len(values)}{_LETTERS[kind]}", *values)


def page(tags: Iterable[Tag], at: int, order: str = "<") -> bytes:
    """One page of a TIFF that begins at a byte of its file, with what its tags hold behind it (TIFF 6.0, section 2)."""
    tags = sorted(tags, key=lambda tag: tag[0])
    entries, body = b"", b""
    end = at + 2 + 12 * len(tags) + 4
    for tag, kind, values in tags:
        count, data = packed(kind, values, order)
        if len(data) > 4:
            place = struct.pack(order + "I", end + len(body))
            body += data + b"\0" * (len(data) % 2)
        else:
            place = data.ljust(4, b"\0")
        entries += struct.pack(order + "HHI", tag, kind, count) + place
    return struct.pack(order + "H", len(tags)) + entries + bytes(4) + body


def tiff(
    tags: Sequence[Tag], exif: Sequence[Tag] = (), gps: Sequence[Tag] = (), order: str = "<", pixels: bytes = b""
) -> bytes:
    """A TIFF of one page, and of the pages of EXIF and GPS that it points to; its pixels come last."""
    pointers: list[Tag] = [(tag, LONG, 0) for tag, some in ((34665, exif), (34853, gps)) if some]
    pointers += [(273, LONG, 0)] if pixels else []
    for _ in range(2):  # once to learn where things lie
        parts = [page([*tags, *pointers], 8, order)]
        places = {}
        for tag, some in ((34665, exif), (34853, gps)):
            if some:
                places[tag] = 8 + sum(map(len, parts))
                parts.append(page(some, places[tag], order))
        places[273] = 8 + sum(map(len, parts))
        pointers = [(tag, kind, places[tag]) for tag, kind, _ in pointers]
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "I", 8) + b"".join(parts) + pixels


def dng(
    image: np.ndarray = SCENE,
    orientation: int = 1,
    order: str = "<",
    exif: Sequence[Tag] = (),
    gps: Sequence[Tag] = (),
    **replaced: Any,
) -> bytes:
    """A camera's raw file: an uncompressed mosaic of red, green, green, blue (Adobe's DNG specification, chapter 4)."""
    light = (np.power(image[..., ::-1] / 255.0, 2.2) * 65535).astype(np.uint16)
    mosaic = light[..., 1].copy()
    mosaic[0::2, 0::2], mosaic[1::2, 1::2] = light[0::2, 0::2, 0], light[1::2, 1::2, 2]
    height, width = mosaic.shape
    matrix = [(int(row == column), 1) for row in range(3) for column in range(3)]
    tags: list[Tag] = [
        (254, LONG, 0), (256, LONG, replaced.get("width", width)), (257, LONG, replaced.get("height", height)),
        (258, SHORT, 16), (259, SHORT, 1), (262, SHORT, 32803), (271, TEXT, "Nobody"), (272, TEXT, "Camera"),
        (274, SHORT, orientation), (277, SHORT, 1), (278, LONG, height), (279, LONG, 2 * width * height),
        (284, SHORT, 1), (33421, SHORT, [2, 2]), (33422, BYTE, bytes([0, 1, 1, 2])), (50706, BYTE, bytes([1, 4, 0, 0])),
        (50707, BYTE, bytes([1, 1, 0, 0])), (50708, TEXT, "Nobody's camera"), (50717, LONG, 65535),
        (50721, SIGNED_RATIONAL, matrix), (50728, RATIONAL, [(1, 1)] * 3), (50778, SHORT, 21),
    ]  # fmt: skip
    return tiff(tags, exif, gps, order, mosaic.astype(f"{order}u2").tobytes())


def with_exif(jpeg: bytes, exif: bytes) -> bytes:
    """A JPEG with a TIFF as its EXIF."""
    payload = b"Exif\0\0" + exif
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]


DATE = (36867, TEXT, "2019:05:06 10:11:12")
EXACT = [DATE, (36881, TEXT, "+02:00"), (37521, TEXT, "34")]
PLACE = [
    (1, TEXT, "S"),
    (2, RATIONAL, [45, 30, Fraction(3, 2)]),
    (3, TEXT, "W"),
    (4, RATIONAL, [73, Fraction(61, 2), 0]),
]


def block(exif: Any = EXACT, gps: Any = PLACE, first: Any = (), order: str = "<") -> bytes:
    """EXIF as it stands in a photo."""
    return tiff([(271, TEXT, "Nobody"), *first], exif, gps, order)
