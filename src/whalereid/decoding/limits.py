"""How large a photo may be, as a file and decoded; and what is said of one that can't be read."""

from __future__ import annotations

import math
import os

from whalereid.errors import WhalereidError

__all__ = ["DAMAGED", "MAX_PHOTO_MB", "MIN_SIDE", "largest_mb", "refuse_large"]

MIN_SIDE = 8  # px; nothing of an animal can be told on less, and a 1×1 placeholder is not a photo
MAX_PHOTO_MB = "WHALEREID_MAX_PHOTO_MB"
"""Environment variable: how many megabytes a photo may take, as a file and as pixels; worker processes inherit it."""
_LARGEST_MB = 1000  # 330 megapixels in colour: above every camera's, below what fills a machine's memory
DAMAGED = "the photo is cut short or damaged; copy it again from where it came."


def largest_mb() -> float:
    """How many megabytes (of a million bytes) a photo may take, as a file and decoded: 1,000, or what is set.

    The environment variable ``WHALEREID_MAX_PHOTO_MB`` sets it, and the commands' ``--max-photo-mb``.

    Raises
    ------
    WhalereidError
        What is set is no number above 0.
    """
    said = os.environ.get(MAX_PHOTO_MB, str(_LARGEST_MB))
    try:
        most = float(said)
    except ValueError:
        most = math.nan
    if not 0 < most < math.inf:
        raise WhalereidError(f"{MAX_PHOTO_MB} is {said!r:.60}; set it to a number of megabytes above 0.")
    return most


def refuse_large(size: int, what: str, *, where: str) -> None:
    """Refuse what would fill the memory, before it does."""
    most = largest_mb()
    if size > most * 1e6:
        raise WhalereidError(
            f"{where}: {what} {_mb(size / 1e6)} MB, above the {_mb(most)} MB that a photo may take; if it is one, "
            f"raise --max-photo-mb (or the environment variable {MAX_PHOTO_MB})."
        )


def _mb(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"
