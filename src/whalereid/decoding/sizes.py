"""How large a photo is, told by its header where that is enough."""

from __future__ import annotations

import os
from pathlib import Path

from whalereid.decoding.head import Head
from whalereid.decoding.headers import JPEG
from whalereid.decoding.jpeg import jpeg_size
from whalereid.decoding.photos import decode_bytes, read_bytes
from whalereid.decoding.png import PNG, Png

__all__ = ["upright_size"]


def upright_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Width and height of a photo in pixels, once its EXIF orientation has turned it upright.

    JPEGs and PNGs are read as far as their headers go; other kinds are decoded.

    Raises
    ------
    WhalereidError
        The file is missing, empty, too large or no photo; the message names it.
    """
    size = _of_jpeg(Path(path))
    if size is not None:
        return size
    data = read_bytes(path)
    if data.startswith(PNG):
        png = Png.parse(data)
        size = None if png is None or b"eXIf" in png.before else (png.width, png.height)
    if size is None:
        height, width = decode_bytes(data, where=str(path)).shape[:2]
        size = width, height
    return size


def _of_jpeg(path: Path) -> tuple[int, int] | None:
    """What the header of a JPEG says; None of other files, and where it can't be read, which `read_bytes` then says."""
    try:
        if path.is_file():  # a pipe or a device would never end
            with path.open("rb") as file:
                head = Head(file)
                return jpeg_size(head) if head[:3] == JPEG else None
    except (OSError, ValueError):
        pass
    return None
