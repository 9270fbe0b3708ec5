"""How large a photo is, told by its header where that is enough."""

from __future__ import annotations

import os
from pathlib import Path

from whalereid.decoding.headers import JPEG
from whalereid.decoding.jpeg import jpeg_size
from whalereid.decoding.photos import decode_bytes, read_bytes
from whalereid.decoding.png import PNG, Png

__all__ = ["upright_size"]

_HEAD = 1 << 17  # bytes, which hold most cameras' headers with their little pictures


def upright_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Width and height of a photo in pixels, once its EXIF orientation has turned it upright.

    JPEGs and PNGs are read as far as their headers go; other kinds are decoded.

    Raises
    ------
    WhalereidError
        The file is missing, empty, too large or no photo; the message names it.
    """
    head = _head(Path(path))
    size = jpeg_size(head) if head.startswith(JPEG) else None
    if size is not None:
        return size
    data = read_bytes(path)
    if data.startswith(JPEG):
        size = jpeg_size(data)
    elif data.startswith(PNG):
        png = Png.parse(data)
        size = None if png is None or b"eXIf" in png.before else (png.width, png.height)
    if size is None:
        height, width = decode_bytes(data, where=str(path)).shape[:2]
        size = width, height
    return size


def _head(path: Path) -> bytes:
    """The first bytes of a plain file; none where it can't be read, which `read_bytes` then says."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(_HEAD)
    except (OSError, ValueError):
        pass
    return b""
