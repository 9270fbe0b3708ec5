"""Ids written in another way than the ones they mean: found before they count as wrong answers."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["nearest", "same_but_for_spelling"]

_SUFFIX = r"\.(?:jpe?g|jpe|jfif|png|tiff?|webp|bmp|gif|heic|heif|avif|0)$"  # 7.0 is a 7 that was a number for a while
_LOOKED_AT = 5_000


def _spoken(ids: Any) -> pd.Series:
    """(n,) str: ids without what is lost or added on the way: case, spaces, leading zeros, a photo's suffix.

    Examples
    --------
    >>> _spoken(["Train007.JPG", " train 7", "train7.0", "70"]).tolist()
    ['train7', 'train7', 'train7', '70']
    """
    text = pd.Series(ids, dtype="str")
    if not all(map(str.isascii, text)):
        text = text.str.normalize("NFKC").str.casefold()
    plain = text.str.lower().str.replace(r"\s+", "", regex=True).str.replace("\\", "/", regex=False)
    plain = plain.str.removeprefix("./").str.replace(_SUFFIX, "", regex=True)
    return plain.str.replace(r"(^|[^0-9])0+([0-9])", r"\1\2", regex=True)


def same_but_for_spelling(strange: Sequence[str] | np.ndarray, known: Sequence[str] | np.ndarray) -> dict[str, str]:
    """Find the known ids that strange ones probably mean.

    Parameters
    ----------
    strange : sequence of str
        Ids that are not known.
    known : sequence of str
        Ids that are.

    Returns
    -------
    dict
        From each strange id that differs from a known one in spelling alone, to that one. A folder before one of the
        two is spelling too, where no other known id ends so.

    Examples
    --------
    >>> same_but_for_spelling(["7", "images/8.jpg", "x", "1"], known=["007", "8", "y", "ann/1", "bo/1"])
    {'7': '007', 'images/8.jpg': '8'}
    """
    if not len(strange):
        return {}
    spoken = _spoken(known).tolist()
    meant = dict(zip(reversed(spoken), reversed([str(name) for name in known]), strict=True))  # the first one counts
    ends: dict[str, set[str]] = {}
    for plain in meant:
        for end in _ends(plain):
            ends.setdefault(end, set()).add(plain)
    found = {}
    for given, plain in zip(strange, _spoken(strange).tolist(), strict=True):
        alike = [plain, *_ends(plain)] if plain not in ends or len(ends[plain]) > 1 else [plain, *ends[plain]]
        right = next((meant[one] for one in alike if one in meant), None)
        if right is not None:
            found[str(given)] = right
    return found


def _ends(plain: str) -> list[str]:
    """What is left of a path without its first folder, without its first two, and so on."""
    parts = plain.split("/")
    return ["/".join(parts[start:]) for start in range(1, len(parts)) if parts[-1]]


def nearest(image_id: str, known: Sequence[str] | np.ndarray) -> str | None:
    """Find the known id that looks most like this one, if any does; of very many the first thousands are looked at."""
    alike = same_but_for_spelling([image_id], known)
    if alike:
        return alike[image_id]
    return next(iter(get_close_matches(image_id, [str(name) for name in known[:_LOOKED_AT]], n=1)), None)
