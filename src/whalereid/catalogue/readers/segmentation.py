"""COCO's outlines of an animal: polygons or run lengths, checked, and kept as text.

https://cocodataset.org/#format-data
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

from whalereid.catalogue.readers.records import Entry

__all__ = ["Box", "is_outline", "outline"]

Box = tuple[float, float, float, float]
_WANTED = "a list of polygons, each x, y, x, y, ... with an area, or run lengths {'size': [h, w], 'counts': ...}"
_ROUNDED = 1.0  # px, by which a rectangle may differ from the box that it is


def outline(
    entry: Entry, field: str, box: Box | None, size: Box | None, *, as_written: bool = False
) -> tuple[Box | None, str | None]:
    """Read an annotation's outline: its box and its mask.

    A rectangle along the sides that is just the box, or covers the photo, is no mask.

    Parameters
    ----------
    entry : Entry
        An annotation.
    field : str
        Its field: ``segmentation``.
    box : tuple of 4 floats, optional
        The annotation's own box: x, y, width, height.
    size : tuple of 4 floats, optional
        The whole photo as a box, where its size is known.
    as_written : bool, default=False
        Take the box and the mask as they are, and make neither of the other.

    Returns
    -------
    box : tuple of 4 floats or None
        Its own, or that around its polygons.
    mask : str or None
        JSON of the polygons or run lengths.

    Raises
    ------
    WhalereidError
        It is something else; the message names the annotation and the field.
    """
    shape = entry.get(field)
    if shape is None or shape == []:
        return box, None
    if not is_outline(shape):
        entry.refuse(field, _WANTED)
    if isinstance(shape, dict):
        return box, _as_text({"size": shape["size"], "counts": shape["counts"]})
    around = _around(shape)
    if as_written or not (len(shape) == 1 and _is_rectangle(shape[0])):
        return box if as_written else box or around, _as_text(shape)
    is_whole = size is not None and around[0] <= 0 and around[1] <= 0 and around[2] >= size[2] and around[3] >= size[3]
    if box is None:
        return None if is_whole or size is None else around, None
    is_box = all(abs(one - other) <= _ROUNDED for one, other in zip(box, around, strict=True))
    return box, None if is_whole or is_box else _as_text(shape)


def is_outline(shape: Any) -> bool:
    """Whether a value is polygons with an area, or run lengths."""
    if isinstance(shape, dict):
        return _is_run_lengths(shape)
    if not isinstance(shape, list) or not shape or not all(_is_polygon(polygon) for polygon in shape):
        return False
    _, _, width, height = _around(shape)
    return width > 0 and height > 0


def _around(polygons: list[list[float]]) -> Box:
    x, y = ([value for polygon in polygons for value in polygon[start::2]] for start in (0, 1))
    return float(min(x)), float(min(y)), float(max(x) - min(x)), float(max(y) - min(y))


def _is_polygon(polygon: Any) -> bool:
    is_list = isinstance(polygon, list) and len(polygon) >= 6 and len(polygon) % 2 == 0
    return is_list and all(type(value) in (int, float) for value in polygon) and _is_finite_sum(polygon)


def _is_finite_sum(values: list[int | float]) -> bool:
    """Whether all are finite, told by one addition: there may be very many."""
    try:
        return math.isfinite(sum(map(abs, values)))
    except OverflowError:  # a whole number beyond every float
        return False


def _is_run_lengths(shape: dict[str, Any]) -> bool:
    size, counts = shape.get("size"), shape.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not all(_is_count(side) and side > 0 for side in size):
        return False
    if isinstance(counts, str):
        return bool(counts)
    return (
        isinstance(counts, list) and bool(counts) and all(map(_is_count, counts)) and sum(counts) == size[0] * size[1]
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _is_rectangle(polygon: list[float]) -> bool:
    """Whether a polygon is a rectangle along the sides of the photo, its first corner repeated at the end or not."""
    corners = list(zip(polygon[::2], polygon[1::2], strict=True))
    corners = corners[:-1] if corners[0] == corners[-1] else corners
    if len(corners) != 4 or len({x for x, _ in corners}) != 2 or len({y for _, y in corners}) != 2:
        return False
    # Each side changes one of the two; a bow tie changes both.
    return all(len({a, b}) == 2 and (a[0] == b[0]) != (a[1] == b[1]) for a, b in pairwise(corners))


def _as_text(shape: Any) -> str:
    return json.dumps(shape, separators=(",", ":"))
