"""Photo keys: which photo a vector is of, so that one that has changed since is noticed."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np

from whalereid.catalogue import Catalogue
from whalereid.catalogue.contents import boxes_in_words, content_keys, masks_in_words
from whalereid.embeddings.parquet import Part, parts_of, read_keys
from whalereid.errors import WhalereidError, listing
from whalereid.images.cropping import Crop

__all__ = ["KEYS", "WHERE", "check_photos", "photo_keys", "places", "split_keys"]

KEYS = b"whalereid-photo-keys"
"""In a part's schema metadata: which photo each vector is of, row by row."""

WHERE = 8
"""How many of a key's 16 digits say where the photo is; the others say what is in it."""


def photo_keys(photos: Catalogue, masked: np.ndarray | None = None) -> dict[str, str]:
    """From each photo's ``image_id`` to 16 hexadecimal digits: 8 of its path and box, 8 of its box and content.

    The paths are the catalogue's own, so one that moves with its photos has the same keys. Masks count where they
    decide pixels, as (N,) `masked` says; by default where there is no box.
    """
    keys = zip(photos.image_ids, places(photos, masked), content_keys(photos, masked), strict=True)
    return {image_id: where + (content or "-" * (16 - WHERE)) for image_id, where, content in keys}


def places(photos: Catalogue, masked: np.ndarray | None = None) -> list[str]:
    """8 hexadecimal digits for each photo's path and box, and its mask where that decides pixels."""
    parts = zip(photos.frame["path"], boxes_in_words(photos), masks_in_words(photos, masked), strict=True)
    return [
        hashlib.blake2b(json.dumps([path, box, *([mask] if mask else [])]).encode(), digest_size=WHERE // 2).hexdigest()
        for path, box, mask in parts
    ]


def split_keys(keys: str) -> list[str]:
    """Part what was joined into one text: 16 hexadecimal digits a photo."""
    return [keys[start : start + 16] for start in range(0, len(keys), 16)]


def check_photos(path: str | os.PathLike[str], photos: Catalogue) -> None:
    """Refuse embeddings of which some vectors were made of other photos than the catalogue now has by these ids.

    A photo is the same where its path and box are, or else where its box and its file's content are; and its mask,
    where that decided pixels. What says nothing of its photos, as another tool's vectors, is taken at its word.

    Raises
    ------
    WhalereidError
        A photo's path, box or mask has changed and what is there now isn't what was embedded; names the photos.
    """
    path = Path(path)
    keyed: dict[str, str] = {}
    crop = Crop()
    for part in parts_of(path) if path.is_dir() else [path]:
        ids, keys = read_keys(part, KEYS)
        keyed |= zip(ids, split_keys(keys), strict=False)
        crop = _crop_of(part) if keys else crop
    if not keyed:
        return
    where = dict(zip(photos.image_ids, places(photos, crop.masked(photos)), strict=True))
    moved = {i: key for i, key in keyed.items() if i in where and key[:WHERE] != where[i]}
    if not moved:
        return
    others = photos.subset(moved)
    now = dict(zip(others.image_ids, content_keys(others, crop.masked(others)), strict=True))
    changed = [image_id for image_id, key in moved.items() if key[WHERE:] != now[image_id]]
    if changed:
        raise WhalereidError(
            f"{path}: {len(changed)} photos of {photos.source} aren't those that were embedded: their path, bbox or "
            f"mask has changed ({listing(changed)}); embed this catalogue anew, or give the one that was embedded."
        )


def _crop_of(part: Path) -> Crop:
    """How the photos of these embeddings were cut."""
    try:
        return Crop.from_dict(Part(part).header.provenance.get("crop"))
    except WhalereidError as error:
        raise WhalereidError(f"{part}: {error}") from error
