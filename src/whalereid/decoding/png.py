"""PNGs looked through before libpng decodes them: it writes what it objects to straight to the terminal, past us.

What is refused here is what libpng would refuse; what it would only grumble at never reaches it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["PNG", "Png"]

PNG = b"\x89PNG\r\n\x1a\n"

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the kind of colour: grey, RGB, palette, grey and alpha, RGBA
_BITS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_LONGEST_SIDE = 1_000_000  # px; libpng's own bound
_MOST_EXIF = 4_000_000  # bytes; libpng's bound on any such chunk is twice that
_SIP, _PIECE = 1 << 16, 1 << 20  # bytes of compressed data fed at once, and most bytes decompressed at once
# Where each pass of an interlaced image begins and how far apart its pixels are: x, y, and steps along both.
_ONCE = ((0, 0, 1, 1),)
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass(frozen=True)
class Png:
    """The parts of a PNG that its pixels depend on: size, palette, transparency, orientation, compressed rows.

    Attributes
    ----------
    width, height : int
        In pixels.
    bits : int
        Of each channel.
    kind : int
        Of colour, as the header numbers it: 0, 2, 3, 4 or 6.
    interlaced : bool
    before : bytes
        Header, palette, transparency and orientation, as chunks.
    rows : tuple of memoryview
        The compressed rows, one a chunk.

    References
    ----------
    .. [1] W3C, Portable Network Graphics Specification (Third Edition), 2025, sections 5, 8, 9 and 11.
    """

    width: int
    height: int
    bits: int
    kind: int
    interlaced: bool
    before: bytes
    rows: tuple[memoryview, ...]

    @classmethod
    def parse(cls, data: bytes) -> Png | None:
        """Take a file apart; None where it is cut short or damaged, but for its rows, which aren't decompressed."""
        chunks = _chunks(data)
        kind, content = next(chunks, (b"", memoryview(b"")))
        if kind != b"IHDR" or len(content) != 13:
            return None
        width, height, bits, colour, compression, filtering, interlaced = struct.unpack(">IIBBBBB", content)
        sides_fit = 0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE
        if not sides_fit or bits not in _BITS.get(colour, ()) or compression or filtering or interlaced > 1:
            return None
        kept: dict[bytes, bytes] = {}
        rows: list[memoryview] = []
        over = ended = False  # the rows' chunks follow one another: later ones are none
        for kind, content in chunks:
            if kind == b"IEND":
                ended = True
                break
            if kind == b"IDAT":
                if not over:
                    rows.append(content)
                continue
            over = bool(rows)
            if kind not in (b"PLTE", b"tRNS", b"eXIf"):
                if kind[:1].isupper():  # whatever it means, the pixels can't be had without
                    return None
                continue
            if kind == b"PLTE" and colour == 3:
                if kind in kept or rows or len(content) % 3 or not 0 < len(content) <= 768:
                    return None
                kept[kind] = bytes(content[: 3 << bits])
            elif kind == b"tRNS" and kind not in kept and not rows:
                most = len(kept.get(b"PLTE", b"")) // 3
                if 0 < len(content) <= most if colour == 3 else len(content) == {0: 2, 2: 6}.get(colour):
                    kept[kind] = bytes(content) if colour == 3 else _within(content, bits)
            elif kind == b"eXIf" and kind not in kept and 8 <= len(content) <= _MOST_EXIF:
                exif = bytes(content)
                kept |= {kind: exif} if exif.startswith((b"II*\0", b"MM\0*")) else {}
        if not ended or (colour == 3 and b"PLTE" not in kept):
            return None
        before = data[:33] + b"".join(_chunk(name, content) for name, content in kept.items())
        return cls(width, height, bits, colour, bool(interlaced), before, tuple(rows))

    @property
    def decoded_bytes(self) -> int:
        """How many bytes its pixels take in memory."""
        channels = 4 if self.kind in (4, 6) else 1 if self.kind == 0 else 3
        return self.width * self.height * channels * (2 if self.bits == 16 else 1)

    def encoded(self) -> bytes | None:
        """Put it together again, with nothing that libpng would object to; None where rows are missing or damaged."""
        passes = self._passes()
        needed = sum(rows * stride for rows, stride in passes)
        stream, sips, offset = zlib.decompressobj(), _sips(self.rows), 0
        try:
            for sip in sips:
                while sip:
                    piece = stream.decompress(sip, _PIECE)  # bit by bit: the whole is never held
                    if not _filters_are_known(piece, offset, passes):
                        return None
                    offset += len(piece)
                    if offset > needed:
                        return self._shortened(needed)
                    sip = stream.unconsumed_tail
                if stream.eof:
                    break
        except zlib.error:
            return None
        if not stream.eof or offset < needed:
            return None
        if stream.unused_data or any(map(len, sips)) or sum(map(len, self.rows)) > needed + needed // 64 + 1024:
            return self._shortened(needed)
        return b"".join([self.before, *(_chunk(b"IDAT", chunk) for chunk in self.rows), _END])

    def _shortened(self, needed: int) -> bytes:
        """The same with its rows alone: what follows them, compressed or not, is none of the image."""
        stream = zlib.decompressobj()
        rows = stream.decompress(b"".join(self.rows), needed)
        return b"".join([self.before, _chunk(b"IDAT", zlib.compress(rows, 1)), _END])

    def _passes(self) -> list[tuple[int, int]]:
        """Rows, and bytes a row with the one that names its filter, of each pass over the image."""
        pixel = self.bits * _CHANNELS[self.kind]
        found = []
        for x, y, right, down in _ADAM7 if self.interlaced else _ONCE:
            columns, rows = -(-(self.width - x) // right), -(-(self.height - y) // down)
            if columns > 0 and rows > 0:
                found.append((rows, 1 + (columns * pixel + 7) // 8))
        return found


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Name and content of each chunk, up to where one is cut short, misnamed, or damaged and of use to us."""
    held, at = memoryview(data), len(PNG)
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if end + 4 > len(data) or not (kind.isalpha() and kind.isascii()):
            return
        matters = kind[:1].isupper() or kind in (b"tRNS", b"eXIf")
        if matters and zlib.crc32(held[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return
        yield kind, held[at + 8 : end]
        at = end + 4


def _within(samples: memoryview, bits: int) -> bytes:
    """Samples of 16 bits each, of which as many count as the image's have."""
    count = len(samples) // 2
    return struct.pack(f">{count}H", *(sample & ((1 << bits) - 1) for sample in struct.unpack(f">{count}H", samples)))


def _chunk(kind: bytes, content: bytes | memoryview = b"") -> bytes:
    check = zlib.crc32(content, zlib.crc32(kind))
    return b"".join([struct.pack(">I", len(content)), kind, content, struct.pack(">I", check)])


def _sips(chunks: tuple[memoryview, ...]) -> Iterator[bytes | memoryview]:
    for chunk in chunks:
        for at in range(0, len(chunk), _SIP):
            yield chunk[at : at + _SIP]


def _filters_are_known(piece: bytes, offset: int, passes: list[tuple[int, int]]) -> bool:
    """Whether every row that begins in a piece of the decompressed rows names one of the five filters."""
    start = 0
    for rows, stride in passes:
        end = start + rows * stride
        first = start + -(-max(offset - start, 0) // stride) * stride
        names = piece[first - offset : max(end - offset, 0) : stride] if first < end else b""
        if names and max(names) > 4:
            return False
        start = end
    return True


_END = _chunk(b"IEND")
