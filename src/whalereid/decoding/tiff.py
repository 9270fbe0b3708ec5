"""TIFFs, and the raw files of cameras that are TIFFs inside, looked through before they are decoded.

References
----------
TIFF 6.0, sections 2, 8 and 15; TIFF/EP and Adobe's DNG specification 1.7 for what makes a raw file.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

__all__ = ["MARKS", "Tiff"]

# How they begin: plain ones, then those of Olympus and Panasonic.
MARKS = (b"II*\0", b"MM\0*", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")
_BIG = (b"II+\0", b"MM\0+")
_LETTERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MOST_PAGES, _MOST_TAGS, _MOST_VALUES = 32, 4096, 1 << 20
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _COLOURS, _SAMPLES = 256, 257, 258, 259, 262, 277
_TILE_WIDTH, _TILE_HEIGHT, _PAGES_INSIDE, _DNG = 322, 323, 330, 50706
_PIECES = ((273, 279), (324, 325))  # where strips and tiles lie, and how long they are
_MOSAIC, _LINEAR = 32803, 34892  # colours of a sensor
_WANTED = {
    *(_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _COLOURS, _SAMPLES, _TILE_WIDTH, _TILE_HEIGHT, _PAGES_INSIDE, _DNG),
    *(tag for pair in _PIECES for tag in pair),
}


@dataclass(frozen=True)
class Tiff:
    """What a TIFF is described by: the whole numbers of its pages, the first page first.

    Attributes
    ----------
    pages : tuple of dict from int to tuple of int
        Values by the number of their tag; those inside other pages are among them.
    """

    pages: tuple[dict[int, tuple[int, ...]], ...]

    @classmethod
    def parse(cls, data: bytes) -> Tiff | None:
        """Look through a file; None where it is no TIFF, and what can't be read is left out."""
        mark = data[:4]
        if mark not in (*MARKS, *_BIG):
            return None
        order, big = ("<" if mark[:2] == b"II" else ">"), mark in _BIG
        pages: list[dict[int, tuple[int, ...]]] = []
        try:
            waiting = [struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, 8 if big else 4)[0]]
        except (struct.error, OverflowError):
            return cls(())
        seen: set[int] = set()
        while waiting and len(pages) < _MOST_PAGES:
            at = waiting.pop(0)
            if not at or at in seen:
                continue
            seen.add(at)
            left = _MOST_VALUES - sum(len(values) for page in pages for values in page.values())
            tags, following = _page(data, at, order, big, left)
            pages.append(tags)
            waiting += [*tags.get(_PAGES_INSIDE, ()), following]
        return cls(tuple(pages))

    @property
    def size(self) -> tuple[int, int, int]:
        """Width, height and bytes a pixel of the first page, or of its tiles where they are larger; 0 where unknown."""
        tags = self.pages[0] if self.pages else {}
        width, height = _first(tags, _WIDTH), _first(tags, _HEIGHT)
        tile = _first(tags, _TILE_WIDTH), _first(tags, _TILE_HEIGHT)
        if tile[0] * tile[1] > width * height:
            width, height = tile
        return width, height, max(_first(tags, _SAMPLES), 1) * -(-max(_first(tags, _BITS), 8) // 8)

    @property
    def is_raw(self) -> bool:
        """Whether it holds what a sensor saw, not a picture."""
        colours = {_first(tags, _COLOURS) for tags in self.pages}
        return bool(colours & {_MOSAIC, _LINEAR}) or any(_DNG in tags for tags in self.pages[:1])

    def has_all(self, data: bytes) -> bool:
        """Whether all strips and tiles of all pages lie in the file."""
        return all(_lie_in(data, tags) for tags in self.pages)

    def is_sound(self, data: bytes) -> bool:
        """Whether the first page's compressed strips or tiles are there, with the right checksums where they have some.

        zlib's have some. OpenCV leaves strips black that libtiff can't decode; those not compressed it refuses itself.
        """
        tags = self.pages[0] if self.pages else {}
        if _first(tags, _COMPRESSION) > 1 and not _lie_in(data, tags):
            return False
        if _first(tags, _COMPRESSION) not in (8, 32946):
            return True
        starts, sizes = _PIECES[0] if _PIECES[0][0] in tags else _PIECES[1]
        try:
            for start, size in zip(tags.get(starts, ()), tags.get(sizes, ()), strict=True):
                stream = zlib.decompressobj()
                compressed = data[start : start + size]
                while compressed and not stream.eof:
                    stream.decompress(compressed, 1 << 20)
                    compressed = stream.unconsumed_tail
                if not stream.eof:
                    return False
        except (ValueError, zlib.error):
            return False
        return True


def _lie_in(data: bytes, tags: dict[int, tuple[int, ...]]) -> bool:
    """Whether all strips and tiles of a page lie in the file."""
    pieces = (zip(tags.get(starts, ()), tags.get(sizes, ()), strict=False) for starts, sizes in _PIECES)
    return all(start + size <= len(data) for some in pieces for start, size in some)


def _first(tags: dict[int, tuple[int, ...]], tag: int) -> int:
    return (tags.get(tag) or (0,))[0]


def _page(data: bytes, at: int, order: str, big: bool, left: int) -> tuple[dict[int, tuple[int, ...]], int]:
    """The whole numbers of one page, and where the next one is; what lies outside the file is left out."""
    wide, entry_size = ("Q", 20) if big else ("I", 12)
    tags: dict[int, tuple[int, ...]] = {}
    try:
        (count,) = struct.unpack_from(f"{order}{'Q' if big else 'H'}", data, at)
        at += 8 if big else 2
        for entry in range(at, at + entry_size * min(count, _MOST_TAGS), entry_size):
            tag, kind, n = struct.unpack_from(f"{order}HH{wide}", data, entry)
            letter = _LETTERS.get(kind)
            if letter is None or tag not in _WANTED or tag in tags or n > left:
                continue
            value = entry + (12 if big else 8)
            if n * struct.calcsize(f"={letter}") > (8 if big else 4):
                (value,) = struct.unpack_from(f"{order}{wide}", data, value)
            if value + n * struct.calcsize(f"={letter}") <= len(data):
                tags[tag] = struct.unpack_from(f"{order}{n}{letter}", data, value)
                left -= n
        (following,) = struct.unpack_from(f"{order}{wide}", data, at + entry_size * min(count, _MOST_TAGS))
    except (struct.error, OverflowError):
        return tags, 0
    return tags, following
