"""What a table of photos must have to be trained on; needs no torch, so that a refusal is quick."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from whalereid.catalogue import Catalogue
from whalereid.catalogue.masks import located_masks
from whalereid.errors import WhalereidError, listing
from whalereid.images.classes import class_labels, class_names
from whalereid.images.cropping import Crop

__all__ = ["check_files", "labelled", "refuse_one_class", "sides_told_apart"]


def labelled(train: Catalogue, labels_from: Sequence[str]) -> tuple[Catalogue, str]:
    """Leave out the photos that have no class to learn; returns also what there is to say of those, if any.

    Raises
    ------
    WhalereidError
        A column isn't there, or no photo is left.
    """
    if not len(train):
        raise WhalereidError(f"{train.source}: no photos to train on.")
    by = " and ".join(labels_from)
    classes = class_names(train, labels_from)
    if not classes:
        columns = "column" if len(labels_from) == 1 else "columns"
        raise WhalereidError(f"{train.source}: no photo has a known {by}; fill the {columns} {by!r}.")
    known = class_labels(train, labels_from, classes) >= 0
    unnamed = int((~known).sum())
    note = f"{unnamed} photos of unknown {by} are left out of the training." if unnamed else ""
    return train[known], note


def refuse_one_class(source: str, labels: np.ndarray, classes: Sequence[object]) -> None:
    """Refuse photos that are all of one class."""
    if len(np.unique(labels)) < 2:
        name = classes[int(labels[0])]
        only = " ".join(name) if isinstance(name, tuple) else name
        kind = "class" if isinstance(name, tuple) else "identity"
        raise WhalereidError(
            f"{source}: all training photos are of one {kind} ({only}); it takes two to tell them apart."
        )


def sides_told_apart(photos: Catalogue) -> list[str]:
    """Viewpoints of these photos that a mirror would turn into each other's: those of a left or right side."""
    if "viewpoint" not in photos.columns:
        return []
    names = photos.column("viewpoint").dropna().unique()
    return sorted(str(name) for name in names if re.search(r"left|right|^[lr]$", str(name).lower()))


def check_files(photos: Catalogue, crop: Crop) -> None:
    """Look for every file now, not hours into the training: photos, and the pictures of masks that are used."""
    masked = crop.masked(photos)
    masks = zip(masked.tolist(), located_masks(photos), strict=True) if masked.any() else ()
    pictures = [mask for used, mask in masks if used and isinstance(mask, Path)]
    for what, files in (("photos", photos.paths), ("pictures of masks", pictures)):
        absent = [str(path) for path in files if not path.is_file()]
        if absent:
            raise WhalereidError(
                f"{photos.source}: {len(absent)} of {len(files)} {what} are not there: {listing(absent, most=3)}; "
                "`whalereid check` lists them, --on-error skip leaves them out."
            )
