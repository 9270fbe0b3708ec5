"""Photos told apart by what decides their pixels: their files, boxes and masks."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from whalereid.catalogue.masks import located_masks
from whalereid.catalogue.values import PhotoValues

__all__ = ["boxes_in_words", "content_keys", "cut_by_mask", "masks_in_words"]

_BLOCK = 1 << 18  # bytes


def cut_by_mask(photos: PhotoValues) -> np.ndarray:
    """(N,) bool: which photos are cut by the bounds of their mask, as they have no box."""
    return photos.known("mask") & ~photos.known("bbox")


def boxes_in_words(photos: PhotoValues) -> list[str]:
    """Each photo's box as text, alike for equal ones; empty where it has none."""
    frame = photos.frame
    boxes = frame["bbox"] if "bbox" in frame else [None] * len(frame)
    return [repr(tuple(map(float, box))) if isinstance(box, tuple) else "" for box in boxes]


def masks_in_words(photos: PhotoValues, masked: np.ndarray | None = None) -> list[str]:
    """Each photo's mask as the table has it, where it decides pixels; else empty.

    Parameters
    ----------
    masked : ndarray of shape (N,), bool, optional
        Where it does; by default where `cut_by_mask` says so.
    """
    masked = cut_by_mask(photos) if masked is None else masked
    if not masked.any():
        return [""] * len(photos)
    masks = photos.column("mask").tolist()
    return [mask if decides else "" for mask, decides in zip(masks, masked.tolist(), strict=True)]


def content_keys(photos: PhotoValues, masked: np.ndarray | None = None) -> list[str]:
    """Tell photos apart by what is in their files, without decoding them.

    A key is of the photo's box, of its mask where that decides pixels, and of its file: all of it up to a megabyte; of
    a larger one its size and the first, middle and last quarter of a megabyte, so that large photos on a slow disk
    aren't read twice.

    Parameters
    ----------
    photos : Catalogue of N photos
        Whose files to read.
    masked : ndarray of shape (N,), bool, optional
        Whose masks count; by default those of photos without a box.

    Returns
    -------
    list of str, length N
        8 hexadecimal digits each; empty where the file can't be read.

    Raises
    ------
    WhalereidError
        A path leaves the catalogue's root.
    """
    masked = cut_by_mask(photos) if masked is None else masked
    masks = located_masks(photos) if masked.any() else [None] * len(photos)
    counted = [mask if decides else None for mask, decides in zip(masks, masked.tolist(), strict=True)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(_content_key, photos.paths, boxes_in_words(photos), counted))


def _content_key(file: Path, box: str, mask: str | Path | None) -> str:
    key = hashlib.blake2b(box.encode(), digest_size=4)
    try:
        if isinstance(mask, str):
            key.update(f"\0{mask}\0".encode("utf-8", "surrogatepass"))
        files = [mask, file] if isinstance(mask, Path) else [file]
        for one in files:
            if not one.is_file():  # a pipe would never end
                return ""
            _add(key, one)
    except OSError:
        return ""
    return key.hexdigest()


def _add(key: hashlib.blake2b, file: Path) -> None:
    with file.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        key.update(f"{size} ".encode())
        whole = size <= 4 * _BLOCK
        for start in [0] if whole else [0, (size - _BLOCK) // 2, size - _BLOCK]:
            opened.seek(start)
            key.update(opened.read(size if whole else _BLOCK))
