"""A file's bytes, read as they are asked for."""

from __future__ import annotations

import errno
import os
from typing import BinaryIO, Protocol, overload

__all__ = ["Bytes", "Head"]

_BLOCK, _MOST = 1 << 16, 1 << 24  # bytes read at least, and at most, at once


class Bytes(Protocol):
    """What parsers of headers need of a file: its length, and slices."""

    def __len__(self) -> int: ...

    @overload
    def __getitem__(self, key: int, /) -> int: ...

    @overload
    def __getitem__(self, key: slice, /) -> bytes: ...


class Head:
    """An open file as if it were bytes: of a photo of many megabytes, a few blocks are read.

    Parameters
    ----------
    file : binary file
        Open for reading.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._length = os.fstat(file.fileno()).st_size
        self._at, self._block = 0, b""

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, key: int, /) -> int: ...

    @overload
    def __getitem__(self, key: slice, /) -> bytes: ...

    def __getitem__(self, key: int | slice, /) -> int | bytes:
        if isinstance(key, int):
            if not (byte := self._read(key, key + 1)):
                raise OSError(errno.EIO, "the file became shorter")
            return byte[0]
        start, stop, _ = key.indices(self._length)
        return self._read(start, min(stop, start + _MOST)) if start < stop else b""

    def _read(self, start: int, stop: int) -> bytes:
        if not self._at <= start <= stop <= self._at + len(self._block):
            self._file.seek(start)
            self._at, self._block = start, self._file.read(max(_BLOCK, stop - start))
        return self._block[start - self._at : stop - self._at]
