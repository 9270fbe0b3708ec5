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


def same_but_for_spelling(
    strange: Sequence[str] | np.ndarray, known: Sequence[str] | np.ndarray, claimed: Sequence[str] | np.ndarray
) -> dict[str, str]:
    """Find the known ids that strange ones probably mean.

    Parameters
    ----------
    strange : sequence of str
        Ids that are not known.
    known : sequence of str
        Ids that are.
    claimed : sequence of str
        Known ids that are written rightly beside the strange ones: these are somebody else.

    Returns
    -------
    dict
        From each strange id that differs from a known, unclaimed one in spelling alone, to that one.

    Examples
    --------
    >>> same_but_for_spelling(["7", "8.jpg", "x"], known=["007", "8", "y"], claimed=["8"])
    {'7': '007'}
    """
    if not len(strange):
        return {}
    free = pd.Index(known, dtype=object).difference(pd.Index(claimed, dtype=object), sort=False)
    meant = dict(zip(reversed(_spoken(free).tolist()), reversed(free.tolist()), strict=True))  # the first one counts
    spoken = _spoken(strange).tolist()
    return {str(given): meant[plain] for given, plain in zip(strange, spoken, strict=True) if plain in meant}


def nearest(image_id: str, known: Sequence[str] | np.ndarray) -> str | None:
    """Find the known id that looks most like this one, if any does; of very many the first thousands are looked at."""
    alike = same_but_for_spelling([image_id], known, ())
    if alike:
        return alike[image_id]
    return next(iter(get_close_matches(image_id, [str(name) for name in known[:_LOOKED_AT]], n=1)), None)
