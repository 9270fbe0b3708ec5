"""When and where a photo was taken, by its EXIF: read from the head of its file, without decoding a pixel.

References
----------
CIPA DC-008 (Exif 2.32), sections 4.6.5 and 4.6.6; of Canon's CR3 https://github.com/lclevy/canon_cr3.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal, TypeAlias

from whalereid.decoding.boxes import Boxes, boxes_in, brands
from whalereid.decoding.head import Bytes, Head
from whalereid.decoding.jpeg import segments
from whalereid.decoding.tiff import MARKS

__all__ = ["Exif", "read_exif"]

_CHANGED, _MORE, _PLACE = 306, 34665, 34853  # the last change; where the pages of EXIF and GPS are
_TAKEN, _ZONE, _FRACTION = 36867, 36881, 37521
_NORTH, _LATITUDE, _EAST, _LONGITUDE = 1, 2, 3, 4
_WANTED = {_CHANGED, _MORE, _PLACE, _TAKEN, _ZONE, _FRACTION, _NORTH, _LATITUDE, _EAST, _LONGITUDE}
_KINDS = {2: (1, "text"), 3: (2, "whole"), 4: (4, "whole"), 5: (8, "ratio"), 13: (4, "whole")}  # bytes of a value
_MOST_TAGS, _MOST_BYTES, _MOST_PIECES = 1000, 4096, 100_000
_DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_Value: TypeAlias = str | tuple[float, ...]


@dataclass(frozen=True)
class Exif:
    """When and where a photo was taken.

    Attributes
    ----------
    date : str or None
        When the shutter opened, by the camera's clock: ``2019-05-06 10:11:12.34+02:00``, the parts of a second and the
        offset from UTC where the camera noted them.
    latitude, longitude : float or None
        In degrees, north and east positive; both or none. A position of exactly 0, 0 is none.
    changed : bool
        Whether the time of the file's last change is there and no other.
    broken : bool
        Whether something is there that can't be read.
    """

    date: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    changed: bool = False
    broken: bool = False


def read_exif(path: str | os.PathLike[str]) -> Exif:
    """Read the EXIF of a JPEG, PNG, WebP, TIFF, HEIC, AVIF or camera's raw file; an empty one where there is none.

    Raises
    ------
    OSError
        The file can't be read.
    """
    tags: dict[int, _Value] = {}
    place: dict[int, _Value] = {}
    broken = False
    with Path(path).open("rb") as file:
        data = Head(file)
        for start, is_place in islice(_blocks(data), _MOST_PIECES):
            order: Literal["little", "big"] = "little" if data[start : start + 2] == b"II" else "big"
            if data[start : start + 4] not in MARKS:
                broken = True
                continue
            first = _page(data, start, int.from_bytes(data[start + 4 : start + 8], order), order)
            (place if is_place else tags).update(first or {})
            broken |= first is None
            for pointer, page in ((_MORE, tags), (_PLACE, place)):
                at = (first or {}).get(pointer)
                if isinstance(at, tuple):
                    more = _page(data, start, int(at[0]), order)
                    page.update(more or {})
                    broken |= more is None
    date, odd_date = _date(tags)
    latitude, longitude, odd_place = _position(place)
    changed = date is None and not odd_date and _text(tags, _CHANGED) != ""
    return Exif(date, latitude, longitude, changed, broken or odd_date or odd_place)


def _blocks(data: Bytes) -> Iterator[tuple[int, bool]]:
    """Where the blocks of EXIF begin, each a TIFF by itself, and whether its first page is that of the position."""
    head = data[:32]
    if head[:2] == b"\xff\xd8":
        yield from _of_jpeg(data, 2)
    elif head[:15] == b"FUJIFILMCCD-RAW":
        yield from _of_jpeg(data, int.from_bytes(data[84:88], "big") + 2)
    elif head[:4] in MARKS:
        yield 0, False
    elif head[:4] == b"\x89PNG":
        at = 8
        for _ in range(_MOST_PIECES):
            if at + 12 > len(data):
                return
            if data[at + 4 : at + 8] == b"eXIf":
                yield at + 8, False
            at += 12 + int.from_bytes(data[at : at + 4], "big")
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        at = 12
        for _ in range(_MOST_PIECES):
            if at + 8 > len(data):
                return
            size = int.from_bytes(data[at + 4 : at + 8], "little")
            if data[at : at + 4] == b"EXIF":
                yield at + (14 if data[at + 8 : at + 14] == b"Exif\0\0" else 8), False
            at += 8 + size + size % 2
    elif brands(data)[:1] == (b"crx ",):
        for kind, start, end in boxes_in(data, 0, len(data)):
            for inner, at, stop in boxes_in(data, start, end) if kind == b"moov" else ():
                if inner == b"uuid" and data[at : at + 16] == _CANON:
                    parts = {part: place for part, place, _ in boxes_in(data, at + 16, stop)}
                    yield from ((parts[name], name == b"CMT4") for name in (b"CMT1", b"CMT2", b"CMT4") if name in parts)
    elif brands(data):
        for item in Boxes.parse(data).items:
            if item.kind == b"Exif" and item.pieces:  # after the number of bytes to pass over
                at = item.pieces[0][0]
                yield at + 4 + int.from_bytes(data[at : at + 4], "big"), False


def _of_jpeg(data: Bytes, start: int) -> Iterator[tuple[int, bool]]:
    for marker, at, _ in islice(segments(data, start), _MOST_PIECES):
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            yield at + 10, False
            return


def _page(data: Bytes, base: int, at: int, order: Literal["little", "big"]) -> dict[int, _Value] | None:
    """The values of a page that are wanted; None where the page isn't there."""

    def number(start: int, size: int) -> int:
        return int.from_bytes(data[base + start : base + start + size], order)

    if at < 8 or base + at + 2 > len(data):
        return None
    found: dict[int, _Value] = {}
    for entry in range(at + 2, at + 2 + 12 * min(number(at, 2), _MOST_TAGS), 12):
        tag, (size, kind), count = number(entry, 2), _KINDS.get(number(entry + 2, 2), (0, "")), number(entry + 4, 4)
        if base + entry + 12 > len(data):
            return None
        if tag in _WANTED and size and 0 < size * count <= _MOST_BYTES:
            start = entry + 8 if size * count <= 4 else number(entry + 8, 4)
            if kind == "text":
                found[tag] = data[base + start : base + start + count].decode("ascii", "replace")
            elif kind == "whole":
                found[tag] = tuple(number(start + size * n, size) for n in range(count))
            else:
                parts = [(number(start + 8 * n, 4), number(start + 8 * n + 4, 4)) for n in range(count)]
                found[tag] = tuple(over / under if under else math.nan for over, under in parts)
    return found


def _text(tags: Mapping[int, _Value], tag: int) -> str:
    """A tag's text; empty where it is blank, or of zeros, as cameras write what they don't know."""
    value = tags.get(tag)
    text = value.partition("\0")[0].strip() if isinstance(value, str) else ""
    return text if text.strip(" :0/-") else ""


def _date(tags: Mapping[int, _Value]) -> tuple[str | None, bool]:
    """The date, and whether what stands there is none."""
    text = _text(tags, _TAKEN)
    if not text:
        return None, False
    found = _DATE.fullmatch(text)
    try:
        year, month, day, hour, minute, second = map(int, found.groups() if found else ())
        date = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None, True
    fraction, zone = (str(tags.get(tag, "")).partition("\0")[0].strip() for tag in (_FRACTION, _ZONE))
    fraction = f".{fraction}" if re.fullmatch(r"\d{1,9}", fraction) else ""
    zone = zone if re.fullmatch(r"[+-]\d\d:\d\d", zone) else ""
    return f"{date:%Y-%m-%d %H:%M:%S}{fraction}{zone}", False


def _position(tags: Mapping[int, _Value]) -> tuple[float | None, float | None, bool]:
    """Latitude and longitude in degrees, and whether what stands there are none."""
    if not {_LATITUDE, _LONGITUDE} & tags.keys():
        return None, None, False
    latitude = _degrees(tags, _LATITUDE, _NORTH, "NS", 90)
    longitude = _degrees(tags, _LONGITUDE, _EAST, "EW", 180)
    if latitude is None or longitude is None:
        return None, None, True
    return (None, None, False) if latitude == longitude == 0 else (latitude, longitude, False)


def _degrees(tags: Mapping[int, _Value], tag: int, side: int, signs: str, most: float) -> float | None:
    """Degrees, minutes and seconds as degrees, with the sign of their side; None where they are none."""
    parts, name = tags.get(tag), str(tags.get(side, "")).strip("\0 ").upper()
    if not isinstance(parts, tuple) or len(parts) not in (2, 3) or len(name) != 1 or name not in signs:
        return None
    degrees = sum(part / 60**place for place, part in enumerate(parts))
    if not degrees <= most or max(parts[1:]) > 60:  # nor is NaN
        return None
    return round(degrees if name == signs[0] else -degrees, 7) + 0.0
