"""Photo keys: which photo a vector is of, so that one that has changed since is noticed."""

from __future__ import annotations

import hashlib
import json

from whalereid.catalogue import Catalogue
from whalereid.catalogue.fingerprints import boxes_in_words, content_keys

__all__ = ["WHERE", "photo_keys", "places", "split_keys"]

WHERE = 8
"""How many of a key's 16 digits say where the photo is; the others say what is in it."""


def photo_keys(photos: Catalogue) -> dict[str, str]:
    """From each photo's ``image_id`` to 16 hexadecimal digits: 8 of its path and box, 8 of its box and content.

    The paths are the catalogue's own, so one that moves with its photos has the same keys.
    """
    return {
        image_id: where + (content or "-" * (16 - WHERE))
        for image_id, where, content in zip(photos.image_ids, places(photos), content_keys(photos), strict=True)
    }


def places(photos: Catalogue) -> list[str]:
    """8 hexadecimal digits for each photo's path and box."""
    return [
        hashlib.blake2b(json.dumps([path, box]).encode(), digest_size=WHERE // 2).hexdigest()
        for path, box in zip(photos.frame["path"], boxes_in_words(photos), strict=True)
    ]


def split_keys(keys: str) -> list[str]:
    """Part what was joined into one text: 16 hexadecimal digits a photo."""
    return [keys[start : start + 16] for start in range(0, len(keys), 16)]
