"""Sizes of photos, for boxes that are given as shares of them."""

from __future__ import annotations

from pathlib import Path

from whalereid import stopping
from whalereid.decoding import upright_size
from whalereid.errors import WhalereidError
from whalereid.files import inside

__all__ = ["ROUNDED", "PhotoSizes", "box_in_pixels"]

ROUNDED = 0.01
"""By which shares may leave the photo: they are rounded."""


def box_in_pixels(
    box: tuple[float, float, float, float], size: tuple[float, float]
) -> tuple[float, float, float, float]:
    """A box given as shares of a photo, in its pixels, to a hundredth; what leaves the photo by rounding is cut off.

    Examples
    --------
    >>> box_in_pixels((0.5, 0.25, 0.5001, 0.5), (640, 480))
    (320.0, 120.0, 320.0, 240.0)
    """
    x, y, w, h = box
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, 1), min(y + h, 1)
    width, height = size
    return (
        round(left * width, 2),
        round(top * height, 2),
        round((right - left) * width, 2),
        round((bottom - top) * height, 2),
    )


class PhotoSizes:
    """Looks up how large photos are, once each.

    Parameters
    ----------
    root : Path
        The folder that their paths are relative to.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, tuple[int, int] | None] = {}
        self.problems: list[str] = []

    def of(self, path: str) -> tuple[int, int] | None:
        """Width and height of the upright photo in pixels; None where it can't be read: `problems` says why.

        Raises
        ------
        WhalereidError
            The path leaves the root.
        """
        if path not in self._known:
            stopping.check()
            photo = inside(self._root, path, where=str(self._root))
            try:
                self._known[path] = upright_size(photo)
            except WhalereidError as error:
                self._known[path] = None
                self.problems.append(str(error))
        return self._known[path]
