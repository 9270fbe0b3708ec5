"""Where the animal is on its photo: what the column ``mask`` holds, read and drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from whalereid.catalogue.values import PhotoValues
from whalereid.decoding import fill_polygons, fill_runs, mask_bounds, read_mask_picture, run_lengths
from whalereid.errors import WhalereidError
from whalereid.files import inside
from whalereid.reading import parse_any_json

__all__ = [
    "MaskPicture",
    "OtherSizeError",
    "Polygons",
    "Runs",
    "animal_box",
    "as_text",
    "draw_mask",
    "is_drawn",
    "located",
    "located_masks",
    "mask_of",
]

_WANTED = "polygons ([[x, y, x, y, ...], ...]), run lengths ({'size': [height, width], 'counts': ...}) or a path"
_LONGEST = 10_000_000  # characters; the outline of an animal takes thousands, run lengths around every hair a million
_MOST_SIDE = 1_000_000  # px


class OtherSizeError(WhalereidError):
    """A mask is of a photo of another size than the one it is laid on."""


@dataclass(frozen=True, eq=False)
class Polygons:
    """Outlines of an animal: (n, 2) float64 of x and y each, in pixels of the upright photo."""

    outlines: tuple[np.ndarray, ...]

    def unlike(self, height: float, width: float) -> str:
        """In what it doesn't fit a photo of this size, in words: a corner lies a photo's side beyond its edge."""
        for corners in self.outlines:
            for x, y in (corners.min(axis=0), corners.max(axis=0)):
                if x < -width or y < -height or x > 2 * width or y > 2 * height:
                    return f"reaches ({x:g}, {y:g}), far outside the photo of {width:g}×{height:g} px"
        return ""

    def draw(self, height: int, width: int) -> np.ndarray:
        """(height, width) uint8: 1 inside."""
        return fill_polygons(self.outlines, height, width)


@dataclass(frozen=True, eq=False)
class Runs:
    """Lengths of runs of pixels, down the columns: outside, inside, outside, ... (n,) int64; and (height, width)."""

    lengths: np.ndarray
    size: tuple[int, int]

    def unlike(self, height: float, width: float) -> str:
        """In what it doesn't fit a photo of this size, in words."""
        return _unlike(self.size, (height, width))

    def draw(self, height: int, width: int) -> np.ndarray:
        """(height, width) uint8: 1 inside."""
        return fill_runs(self.lengths, height, width)


@dataclass(frozen=True)
class MaskPicture:
    """A picture of the photo's size, with colour where the animal is."""

    path: Path

    def unlike(self, height: float, width: float) -> str:
        """Nothing: its size is known when it is read."""
        return ""

    def draw(self, height: int, width: int) -> np.ndarray:
        """(H, W) uint8 of its own size: 1 where it isn't black."""
        return read_mask_picture(self.path)


def is_drawn(mask: str) -> bool:
    """Whether the text of a mask draws it; else it is the path of a picture."""
    return mask.lstrip()[:1] in ("[", "{")


def mask_of(value: Any, *, where: str) -> Polygons | Runs | MaskPicture:
    """Read a mask.

    Parameters
    ----------
    value : str, Path, list or mapping
        COCO's polygons or run lengths, or JSON text of them; any other text, and every Path, leads to a picture.
    where : str
        What to name in errors.

    Raises
    ------
    WhalereidError
        It is none of these, or absurdly large.
    """
    if isinstance(value, Polygons | Runs | MaskPicture):
        return value
    if isinstance(value, Path) or (isinstance(value, str) and not is_drawn(value)):
        return MaskPicture(Path(value))
    try:
        if isinstance(value, str):
            if len(value) > _LONGEST:
                raise ValueError(f"is {len(value):,} characters long, above the {_LONGEST:,} that are read")
            value = parse_any_json(value, f"{where}: its mask", "JSON of polygons or run lengths")
        return _runs(value) if isinstance(value, Mapping) else _polygons(value)
    except ValueError as error:
        if isinstance(error, WhalereidError):
            raise
        raise WhalereidError(f"{where}: its mask {error}; a mask is {_WANTED}.") from error


def _polygons(value: Any) -> Polygons:
    """One list of numbers is one polygon, as wildlife-datasets has it."""
    held = list(value) if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes) else []
    several = held if held and all(isinstance(one, Sequence | np.ndarray) for one in held) else [held]
    outlines = []
    for numbers in several:
        try:
            flat = np.asarray(numbers)
        except ValueError:  # lists within lists, of unlike lengths
            flat = np.zeros(0)
        if flat.ndim != 1 or flat.dtype.kind not in "iuf" or len(flat) < 6 or len(flat) % 2:
            raise ValueError("has a polygon that isn't x, y of three corners or more")
        if not np.isfinite(flat).all():
            raise ValueError("has a polygon with a corner that isn't a number")
        outlines.append(flat.astype(np.float64).reshape(-1, 2))
    return Polygons(tuple(outlines))


def _runs(value: Mapping[Any, Any]) -> Runs:
    size, counts = value.get("size"), value.get("counts")
    sides = [side for side in size if _is_side(side)] if isinstance(size, list | tuple | np.ndarray) else []
    if len(sides) != 2 or len(sides) != len(size or ()):
        raise ValueError("has run lengths without a size [height, width]")
    if isinstance(counts, bytes):
        counts = counts.decode("ascii", "replace")
    if isinstance(counts, str):
        lengths = run_lengths(counts)
    else:
        held = np.asarray(counts) if isinstance(counts, list | tuple | np.ndarray) else np.zeros(0)
        if held.ndim != 1 or held.dtype.kind not in "iu" or not len(held):
            raise ValueError("has run lengths that aren't whole numbers, nor COCO's compressed text")
        lengths = held.astype(np.int64)
    return Runs(lengths, (int(sides[0]), int(sides[1])))


def _is_side(side: Any) -> bool:
    return isinstance(side, int | np.integer) and not isinstance(side, bool) and 0 < int(side) <= _MOST_SIDE


def as_text(value: Any) -> Any:
    """The text of a mask that a table holds as a list, mapping or array; anything else as it is.

    Raises
    ------
    TypeError, ValueError
        It can't be written as JSON.
    """
    if isinstance(value, list | tuple | Mapping | np.ndarray):
        return json.dumps(dict(value) if isinstance(value, Mapping) else value, default=_plain)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("ascii")  # as pycocotools has its run lengths
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} in a mask")


def located(mask: str, root: Path, *, where: str) -> str | Path:
    """A mask of a table, as `mask_of` takes it: text that draws, or the path of a picture below the root.

    Raises
    ------
    WhalereidError
        The path leaves the root; the message begins with `where`.
    """
    return mask if is_drawn(mask) else inside(root, mask, where=where)


def located_masks(photos: PhotoValues) -> list[str | Path | None]:
    """N masks, each as `located` gives it; None where a photo has none."""
    if not photos.known("mask").any():
        return [None] * len(photos)
    named = zip(photos.image_ids, photos.column("mask").tolist(), strict=True)
    return [
        located(mask, photos.root, where=f"{photos.source}, mask of photo {image_id!r}")
        if isinstance(mask, str)
        else None
        for image_id, mask in named
    ]


def draw_mask(mask: Any, height: int, width: int, *, where: str) -> np.ndarray:
    """Draw a mask on a photo of this size.

    Parameters
    ----------
    mask : str, Path, list, mapping, or ndarray of shape (H, W)
        As `mask_of` takes it, or drawn already: not zero where the animal is.
    height, width : int
        Of the upright photo.
    where : str
        What to name in errors.

    Returns
    -------
    ndarray of shape (height, width), uint8
        1 where the animal is; somewhere it is.

    Raises
    ------
    OtherSizeError
        It is of a photo of another size; the message names both.
    WhalereidError
        It can't be read, or has no pixel on the photo.
    """
    if isinstance(mask, np.ndarray) and mask.ndim == 2 and mask.dtype.kind in "biuf":
        drawn, unlike = (mask != 0).astype(np.uint8), _unlike(mask.shape, (height, width))
    else:
        read = mask_of(mask, where=where)
        unlike = read.unlike(height, width)
        try:
            drawn = np.zeros((0, 0), np.uint8) if unlike else read.draw(height, width)
        except WhalereidError as error:
            raise WhalereidError(f"{where}: its mask {error}") from error
        except ValueError as error:
            raise WhalereidError(f"{where}: its mask {error}.") from error
        unlike = unlike or _unlike(drawn.shape, (height, width))
    if unlike:
        raise OtherSizeError(f"{where}: its mask {unlike}; a mask is in pixels of the upright photo.")
    if not drawn.any():
        raise WhalereidError(f"{where}: its mask has no pixel on the photo of {width}×{height} px.")
    return drawn


def animal_box(box: Any, mask: Any, size: Sequence[int], *, where: str) -> tuple[float, float, float, float] | None:
    """Where the animal is on a photo of this (height, width): its box, or else the bounds of its mask; None unknown.

    Raises
    ------
    WhalereidError
        The mask is needed, and can't be drawn on such a photo.
    """
    if isinstance(box, tuple) or mask is None:
        return box if isinstance(box, tuple) else None
    return mask_bounds(draw_mask(mask, size[0], size[1], where=where))


def _unlike(size: Sequence[float], photo: Sequence[float]) -> str:
    if tuple(size) == tuple(photo):
        return ""
    return f"is {size[1]:g}×{size[0]:g} px, the photo {photo[1]:g}×{photo[0]:g} px"
