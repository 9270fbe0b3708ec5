"""COCO's outlines of an animal: polygons or run lengths, checked, and kept as text.

https://cocodataset.org/#format-data
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

from whalereid.catalogue.readers.records import Entry

__all__ = ["Box", "outline"]

Box = tuple[float, float, float, float]
_WANTED = "a list of polygons, each x, y, x, y, ... of 3 points or more, or run lengths {'size': [h, w], 'counts': ...}"


def outline(entry: Entry, field: str, box: Box | None, size: Box | None) -> tuple[Box | None, str | None]:
    """Read an annotation's outline: its box and its mask.

    A rectangle along the sides is no mask: it is the box, or where it covers the photo, nothing at all.

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
    if isinstance(shape, dict):
        if not _is_run_lengths(shape):
            entry.refuse(field, _WANTED)
        return box, _as_text({"size": shape["size"], "counts": shape["counts"]})
    if not isinstance(shape, list) or not all(_is_polygon(polygon) for polygon in shape):
        entry.refuse(field, _WANTED)
    x, y = ([value for polygon in shape for value in polygon[start::2]] for start in (0, 1))
    around: Box = (min(x), min(y), max(x) - min(x), max(y) - min(y))
    if not (around[2] > 0 and around[3] > 0):
        entry.refuse(field, f"{_WANTED}, with an area")
    if not (len(shape) == 1 and _is_rectangle(shape[0])):
        return box or around, _as_text(shape)
    whole = size is None or (around[0] <= 0 and around[1] <= 0 and around[2] >= size[2] and around[3] >= size[3])
    return box or (None if whole else around), None


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
