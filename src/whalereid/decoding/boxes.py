"""HEIC and AVIF looked through before they are decoded: their boxes say how large a photo is, and where it lies.

Nothing here raises on a broken file: what can't be read is taken for absent.

References
----------
ISO/IEC 14496-12 (ISO base media file format), sections 4.2 and 8.11, and ISO/IEC 23008-12 (HEIF), sections 6.5 and 9.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from whalereid.decoding.head import Bytes

__all__ = ["Boxes", "boxes_in", "brands", "ends_with_a_box"]

_HOLES = (b"\0\0\0", b"\0\0\1", b"\0\0\2")  # none of them stands within a unit of HEVC (ITU-T H.265, section 7.4.2)

_MOST_META, _MOST_PIECES = 1 << 24, 1 << 17  # bytes; pieces of all items together, and boxes beside each other


def brands(data: Bytes) -> tuple[bytes, ...]:
    """The four letters by which a file says what it is, the main ones first; none where it isn't made of boxes."""
    if data[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(data[:4], "big"), len(data), 1024)
    return (data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4)))


def ends_with_a_box(data: Bytes) -> bool:
    """Whether the boxes that a file is made of are all there."""
    at = 0
    for _ in range(_MOST_PIECES):
        if at + 8 > len(data):
            return at <= len(data)
        size = _size(data, at, len(data))[0]
        if size < 8:
            return False
        at += size
    return False


@dataclass(frozen=True)
class _Item:
    """A part of the file: its kind, and the pieces that it lies in, each as where it starts and how long it is."""

    kind: bytes
    pieces: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Boxes:
    """What the boxes of a HEIC or AVIF say.

    Attributes
    ----------
    width, height : int
        The largest in pixels that any part of it declares; 0 where none does.
    channels, bits : int
        Of a pixel: 4 with transparency, else 3; bits a channel.
    turns : tuple of (str, int)
        How it is turned upright, in this order: ``("rotate", quarters anticlockwise)``, ``("mirror", axis)``, where
        axis 0 swaps top and bottom, 1 left and right.
    items : tuple
        The parts of the file.
    has_long_heads : bool
        Whether each unit of HEVC stands after its length in four bytes, as is usual.
    """

    width: int = 0
    height: int = 0
    channels: int = 3
    bits: int = 8
    turns: tuple[tuple[str, int], ...] = ()
    items: tuple[_Item, ...] = field(default=(), repr=False)
    has_long_heads: bool = False

    @classmethod
    def parse(cls, data: Bytes) -> Boxes:
        """Look through a file; as far as it can be read."""
        whole = {kind: (start, end) for kind, start, end in boxes_in(data, 0, len(data))}
        meta = whole.get(b"meta", (-4, 0))
        if meta[1] - meta[0] > _MOST_META:
            return cls()
        held = {kind: (start, end) for kind, start, end in boxes_in(data, meta[0] + 4, meta[1])}
        properties = {kind: (start, end) for kind, start, end in boxes_in(data, *held.get(b"iprp", (0, 0)))}
        listed = list(boxes_in(data, *properties.get(b"ipco", (0, 0))))
        sizes = [(_number(data, start + 4, 4), _number(data, start + 8, 4)) for k, start, _ in listed if k == b"ispe"]
        sizes.append(_size_of_frames(data, *whole.get(b"moov", (0, 0))))
        bits = [8, *(data[at] for k, start, end in listed if k == b"pixi" for at in range(start + 5, end))]
        for kind, start, end in listed:
            if kind == b"av1C" and start + 2 < end and data[start + 2] & 0x40:
                bits.append(12 if data[start + 2] & 0x20 else 10)
        alpha = any(k == b"auxC" and b"alpha" in data[start:end] for k, start, end in listed)
        heads = {(data[start + 21] & 3) + 1 for k, start, end in listed if k == b"hvcC" and start + 21 < end}
        main = _primary(data, *held.get(b"pitm", (0, 0)))
        turns = []
        for number in _properties_of(data, main, *properties.get(b"ipma", (0, 0))):
            kind, start, _ = listed[number - 1] if 0 < number <= len(listed) else (b"", 0, 0)
            if kind in (b"irot", b"imir") and start < len(data):
                turns.append(("rotate", data[start] & 3) if kind == b"irot" else ("mirror", data[start] & 1))
        kinds = dict(_kinds(data, *held.get(b"iinf", (0, 0))))
        places = _places(data, held.get(b"iloc", (0, 0)), held.get(b"idat", (0, 0)))
        width, height = max(sizes, key=lambda size: size[0] * size[1])
        return cls(
            width,
            height,
            4 if alpha else 3,
            min(max(bits), 16),
            tuple(turns),
            tuple(_Item(kinds.get(item, b""), pieces) for item, pieces in places),
            heads == {4},
        )

    @property
    def size(self) -> tuple[int, int, int]:
        """Width, height and bytes a pixel."""
        return self.width, self.height, self.channels * (2 if self.bits > 8 else 1)

    def are_whole(self, data: Bytes) -> bool:
        """Whether every part that the file names lies in it and, of HEVC, has no hole such as a lost sector leaves."""
        for item in self.items:
            if any(start + length > len(data) for start, length in item.pieces):
                return False
            if self.has_long_heads and item.kind in (b"hvc1", b"hev1") and not _units_are_sound(data, item.pieces):
                return False
        return bool(self.items)


def _number(data: Bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")


def boxes_in(data: Bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, and where the contents begin and end, of each box in a part of the file."""
    end = min(end, len(data))
    for _ in range(_MOST_PIECES):
        if start + 8 > end:
            return
        size, head = _size(data, start, end)
        if size < head:
            return
        yield data[start + 4 : start + 8], start + head, min(start + size, end)
        start += size


def _size(data: Bytes, start: int, end: int) -> tuple[int, int]:
    """How many bytes a box has, and its head of these."""
    size = _number(data, start, 4)
    return (_number(data, start + 8, 8), 16) if size == 1 else (size or end - start, 8)


def _primary(data: Bytes, start: int, end: int) -> int:
    """The number of the item that is the photo; -1 where none is named."""
    return _number(data, start + 4, 4 if data[start] else 2) if start + 6 <= end else -1


def _properties_of(data: Bytes, item: int, start: int, end: int) -> list[int]:
    """The numbers of an item's properties, from 1, in their order."""
    if start + 8 > end:
        return []
    wide, long = data[start] > 0, data[start + 3] & 1
    at, most = start + 8, _number(data, start + 4, 4)
    for _ in range(most):
        if at + 3 > end:
            break
        number = _number(data, at, 4 if wide else 2)
        at += 4 if wide else 2
        count, size = data[at] if at < end else 0, 2 if long else 1
        found = [_number(data, at + 1 + size * n, size) & (0x7FFF if long else 0x7F) for n in range(count)]
        at += 1 + count * size
        if number == item:
            return found
    return []


def _kinds(data: Bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Number and kind of each item."""
    if start + 8 > end:
        return
    for kind, at, _ in boxes_in(data, start + (8 if data[start] else 6), end):
        if kind == b"infe" and data[at : at + 1] >= b"\2":
            size = 4 if data[at] > 2 else 2
            yield _number(data, at + 4, size), data[at + 6 + size : at + 10 + size]


def _places(
    data: Bytes, located: tuple[int, int], held: tuple[int, int]
) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
    """Number and pieces of each item; those of pieces in other items are left out."""
    at, end = located
    if at + 8 > end:
        return
    version, sizes = data[at], _number(data, at + 4, 2)
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    index = index if version else 0
    count, at = (_number(data, at + 6, 4), at + 10) if version == 2 else (_number(data, at + 6, 2), at + 8)
    left = _MOST_PIECES
    for _ in range(count):
        if at + 6 > end:
            return
        item = _number(data, at, 4 if version == 2 else 2)
        at += 4 if version == 2 else 2
        method = 0
        if version:
            method = _number(data, at, 2) & 15
            at += 2
        start = _number(data, at + 2, base) + (held[0] if method == 1 else 0)
        pieces, at = _number(data, at + 2 + base, 2), at + 4 + base
        found = []
        left -= pieces
        if left < 0:  # a piece may take no byte to name
            return
        for _ in range(pieces):
            if at + index + offset + length > end:
                return
            piece = start + _number(data, at + index, offset), _number(data, at + index + offset, length)
            at += index + offset + length
            found.append(piece)
        if method < 2:
            yield item, tuple(found)


def _units_are_sound(data: Bytes, pieces: tuple[tuple[int, int], ...]) -> bool:
    """Whether an item of HEVC is a row of units, each after its length in four bytes, without what no unit holds."""
    stream = data[pieces[0][0] : sum(pieces[0])] if len(pieces) == 1 else b"".join(data[a : a + n] for a, n in pieces)
    at = 0
    while at + 4 <= len(stream):
        end = at + 4 + _number(stream, at, 4)
        unit = stream[at + 4 : end].rstrip(b"\0")  # some encoders pad
        if end > len(stream) or not unit or any(hole in unit for hole in _HOLES):
            return False
        at = end
    return at == len(stream) > 0


def _size_of_frames(data: Bytes, start: int, end: int) -> tuple[int, int]:
    """Width and height of the frames of an image sequence (14496-12, section 12.1.3)."""
    at = data[start:end].find(b"av01")
    return (_number(data, start + at + 28, 2), _number(data, start + at + 30, 2)) if at > 0 else (0, 0)
