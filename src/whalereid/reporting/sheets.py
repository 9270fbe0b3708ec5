"""Contact sheets: many photos in one picture, with captions, drawn by OpenCV alone."""

from __future__ import annotations

import itertools
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from whalereid import arguments
from whalereid.errors import WhalereidError
from whalereid.files import replacing
from whalereid.outputs import PICTURE, check_output, signed

__all__ = ["contact_sheet", "write_image"]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_PAPER, _INK, _HEADING_INK = (255, 255, 255), (40, 40, 40), (0, 70, 120)
_MARGIN = 6  # px around the sheet and between cells
_LINE = 16  # px, a line of a caption
_HEADING = 26  # px, a heading
_MOST_SIDE = 10_000  # px, of a cell


def contact_sheet(
    photos: Sequence[np.ndarray],
    captions: Sequence[str] | None = None,
    *,
    groups: Sequence[str] | None = None,
    columns: int | None = None,
    cell: int | tuple[int, int] = 160,
) -> np.ndarray:
    """Lay photos out on white, row by row.

    Parameters
    ----------
    photos : sequence of n arrays of shape (H, W, 3), uint8
        RGB, of any size; each is fitted into its cell, its proportions kept.
    captions : sequence of n str, optional
        What to write below each; a line break starts a new line, a line too long for its cell is cut with "..". The
        font has ASCII alone: accents are dropped, other characters become "?".
    groups : sequence of n str, optional
        Photos next to each other with the same group share a heading and start on a row of their own.
    columns : int, optional
        The most photos in a row; by default 8.
    cell : int or (height, width)
        Room for one photo, in pixels.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        RGB.

    Raises
    ------
    WhalereidError
        No photos, one that is no RGB photo, captions or groups of another number, or no room.

    Examples
    --------
    >>> grey = np.full((40, 60, 3), 128, np.uint8)
    >>> contact_sheet([grey, grey, grey], ["a", "b", "c"], columns=2, cell=100).shape
    (250, 218, 3)
    """
    pair = cell if isinstance(cell, tuple | list) and len(cell) == 2 else (cell, cell)
    height, width = (arguments.whole_number(side, "cell", 1, _MOST_SIDE) for side in pair)
    if columns is not None:
        columns = arguments.whole_number(columns, "columns", 1)
    many = isinstance(photos, Sequence) and not isinstance(photos, str | bytes)
    if not many and not (isinstance(photos, np.ndarray) and photos.ndim):
        arguments.instance(photos, "photos", (), "a list of RGB photos of shape (H, W, 3), uint8")
    captions = None if captions is None else arguments.texts(captions, "captions", "one text a photo")
    groups = None if groups is None else arguments.texts(groups, "groups", "one text a photo")
    if not len(photos):
        raise WhalereidError("a contact sheet needs at least one photo.")
    for name, words in (("captions", captions), ("groups", groups)):
        if words is not None and len(words) != len(photos):
            raise WhalereidError(f"{len(words)} {name} for {len(photos)} photos; give one for each.")
    for number, photo in enumerate(photos, start=1):
        if not _is_photo(photo):
            raise WhalereidError(f"photos: photo {number} of the sheet is not an RGB photo of shape (H, W, 3), uint8.")

    of_group = list(groups) if groups is not None else [""] * len(photos)
    blocks = [
        (heading, [number for number, _ in block])
        for heading, block in itertools.groupby(enumerate(of_group), key=lambda pair: pair[1])
    ]
    in_row = min(columns or 8, max(len(numbers) for _, numbers in blocks))
    lines = [caption.split("\n") for caption in captions] if captions is not None else [[] for _ in photos]
    below = _LINE * max(len(some) for some in lines)
    heading_height = _HEADING if groups is not None else 0
    step_x, step_y = width + _MARGIN, height + below + _MARGIN
    rows_in = [-(-len(numbers) // in_row) for _, numbers in blocks]
    sheet = np.empty(
        (_MARGIN + sum(heading_height + step_y * rows for rows in rows_in), _MARGIN + step_x * in_row, 3), "u1"
    )
    sheet[:] = _PAPER

    top = _MARGIN
    for (heading, numbers), rows in zip(blocks, rows_in, strict=True):
        if heading_height:
            _write(sheet, heading, _MARGIN, top + heading_height - 10, sheet.shape[1] - 2 * _MARGIN, 0.55, _HEADING_INK)
        top += heading_height
        for position, number in enumerate(numbers):
            x, y = _MARGIN + step_x * (position % in_row), top + step_y * (position // in_row)
            _place(sheet[y : y + height, x : x + width], photos[number])
            for line, text in enumerate(lines[number]):
                _write(sheet, text, x, y + height + _LINE * (line + 1) - 4, width, 0.4, _INK)
        top += step_y * rows
    return sheet


def write_image(path: str | os.PathLike[str], rgb: np.ndarray, *, force: bool = False) -> None:
    """Write a picture, whole or not at all.

    Parameters
    ----------
    path : path
        Its suffix names the format: ``.png``, ``.jpg`` (quality 92) or ``.webp``. An earlier picture of ours there,
        known by a word inside, is replaced.
    rgb : ndarray of shape (H, W, 3), uint8
        RGB.
    force : bool, default=False
        Replace a photo or any other file too.

    Raises
    ------
    WhalereidError
        Another suffix, no RGB picture, something else is there, a full disk, or a place that can't be written.
    """
    path = Path(arguments.instance(path, "path", (str, os.PathLike), "a path"))  # type: ignore[arg-type]
    options = {
        ".png": [cv2.IMWRITE_PNG_COMPRESSION, 9],
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 92],
        ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 92],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, 92],
    }
    suffix = path.suffix.lower()
    if suffix not in options:
        raise WhalereidError(f"{path}: pictures are written as {', '.join(options)}; choose one of these endings.")
    if not _is_photo(rgb):
        what = f"{rgb.shape} {rgb.dtype}" if isinstance(rgb, np.ndarray) else f"a {type(rgb).__name__}"
        raise WhalereidError(f"{path}: rgb is {what}; give an RGB picture, (H, W, 3) uint8.")
    check_output(path, PICTURE, force=arguments.instance(force, "force", bool, "True or False"))
    done, data = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options[suffix])
    if not done:
        raise WhalereidError(f"{path}: a picture of {rgb.shape[1]}×{rgb.shape[0]} px can't be written as {suffix}.")
    with replacing(path) as beside:
        beside.write_bytes(signed(data.tobytes(), rgb.shape[1], rgb.shape[0]))


def _is_photo(value: object) -> bool:
    """Whether something is an RGB photo of one pixel at least."""
    if not isinstance(value, np.ndarray) or value.ndim != 3 or value.dtype != np.uint8:
        return False
    return value.shape[2] == 3 and value.size > 0


def _place(room: np.ndarray, photo: np.ndarray) -> None:
    """Fit a photo into the middle of a part of the sheet."""
    height, width = photo.shape[:2]
    scale = min(room.shape[0] / height, room.shape[1] / width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    top, left = (room.shape[0] - rows) // 2, (room.shape[1] - columns) // 2
    room[top : top + rows, left : left + columns] = cv2.resize(photo, (columns, rows), interpolation=how)


def _write(
    sheet: np.ndarray, text: str, x: int, baseline: int, room: int, scale: float, ink: tuple[int, int, int]
) -> None:
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if not unicodedata.combining(c)).encode("ascii", "replace").decode("ascii")
    fitted = plain
    while fitted and cv2.getTextSize(fitted, _FONT, scale, 1)[0][0] > room:
        plain = plain[:-1]
        fitted = f"{plain.rstrip()}.." if plain else ""
    cv2.putText(sheet, fitted, (x, baseline), _FONT, scale, ink, 1, cv2.LINE_AA)
