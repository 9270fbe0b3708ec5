"""How a notebook shows a table of photos: what it holds, and the first few photos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from whalereid.catalogue.masks import animal_box, located
from whalereid.catalogue.values import PhotoValues
from whalereid.decoding import crop, decode, largest_mb
from whalereid.errors import WhalereidError
from whalereid.files import inside
from whalereid.html import Html, cell, facts, picture, section, table

__all__ = ["DATED", "SHOWN", "html_of"]

SHOWN = 5
"""How many photos are opened."""

DATED = 20_000
"""How many dates are read."""

_SIDE = 96  # px of a thumbnail's longer side
_LARGEST_MB = 50  # of a file that is opened to be shown small; a notebook mustn't wait
_COLUMNS = ("identity", "viewpoint", "encounter", "date", "species", "location")
_LEVELS = {np.dtype(np.uint8): 1, np.dtype(np.uint16): 256}


def html_of(photos: PhotoValues, first: PhotoValues, dated: PhotoValues) -> Html:
    """Counts, and a table of the first few photos with thumbnails; one that can't be read says why.

    Parameters
    ----------
    photos : Catalogue of N photos
        All of them.
    first : Catalogue of at most `SHOWN` photos
        Those to show. None is opened whose file is above 50 MB, or what ``WHALEREID_MAX_PHOTO_MB`` allows.
    dated : Catalogue
        Those whose dates are read for the years: of a large table `DATED` of them, as a million take seconds.
    """
    columns = [name for name in _COLUMNS if name in photos.columns]
    shown = first.frame
    nothing = [None] * len(shown)
    boxes, masks = (shown[name].tolist() if name in shown else nothing for name in ("bbox", "mask"))
    seen = [_thumbnail(photos, *row) for row in zip(shown["image_id"], shown["path"], boxes, masks, strict=True)]
    values = shown[["image_id", *columns]].itertuples(index=False)
    rows = [[picture_of, *row] for picture_of, row in zip(seen, values, strict=True)]
    more = len(photos) - len(rows)
    parts = [facts(_counts(photos, dated)), table(["photo", "image_id", *columns], rows)]
    return section(f"Catalogue of {photos.source}", *parts, *([f"… and {more:,} more photos"] if more else []))


def _counts(photos: PhotoValues, dated: PhotoValues) -> dict[str, object]:
    counts: dict[str, object] = {"photos": len(photos)}
    if photos.known("identity").any():
        counts["identities"] = photos.n_identities
    if photos.known("encounter").any():
        counts["encounters"] = int(photos.column("encounter").nunique())
    if photos.known("viewpoint").any():
        views = photos.counts("viewpoint")
        counts["viewpoints"] = ", ".join(f"{name} {count:,}" for name, count in views.head(6).items())
    years = dated.dates()
    years = years[~np.isnat(years)].astype("datetime64[Y]")
    if len(years):
        first, last = years.min(), years.max()
        some = f" (of {len(dated):,} photos)" if len(dated) < len(photos) else ""
        counts["years"] = (str(first) if first == last else f"{first}–{last}") + some
    return counts


def _thumbnail(photos: PhotoValues, image_id: str, path: str, box: object, mask: object) -> Html:
    """A photo, small, cropped to its box or its mask's bounds; or why it can't be shown."""
    try:
        file = inside(photos.root, path, where=path)
        drawn = located(mask, photos.root, where=f"{path}: its mask") if isinstance(mask, str) else None
        return picture(_small(file, box, drawn), says=image_id)
    except WhalereidError as error:
        reason = str(error).removeprefix(f"{photos.root / path}: ").removeprefix(f"{path}: ")
        return cell(f"not shown: {reason}")


def _small(file: Path, box: object, mask: str | Path | None) -> bytes:
    """The bytes of a JPEG of at most 96 px a side."""
    try:
        size = file.stat().st_size / 1e6
    except OSError as error:
        raise WhalereidError(f"{file}: can't be read ({error.strerror}).") from error
    if size > min(_LARGEST_MB, largest_mb()):
        raise WhalereidError(f"{file}: the file is {size:,.0f} MB, too large to be shown here.")
    pixels = decode(file)
    part = animal_box(box, mask, pixels.shape, where=str(file))
    if part is not None:
        pixels = crop(pixels, part, where=str(file))
    if pixels.dtype not in _LEVELS:
        raise WhalereidError(f"{file}: has {pixels.dtype} pixels, which have no agreed range.")
    scale = _SIDE / max(pixels.shape[:2])
    size_of = tuple(max(1, round(side * min(scale, 1))) for side in pixels.shape[1::-1])
    small = cv2.resize(pixels, size_of, interpolation=cv2.INTER_AREA)
    small = (small // _LEVELS[pixels.dtype]).astype(np.uint8)
    done, data = cv2.imencode(".jpg", small[..., :3] if small.ndim == 3 else small, [cv2.IMWRITE_JPEG_QUALITY, 80])
    if not done:
        raise WhalereidError(f"{file}: can't be shown.")
    return data.tobytes()
