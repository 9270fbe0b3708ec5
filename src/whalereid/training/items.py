"""What a training is trained on: photos with their labels, augmented as the recipe says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from whalereid import arguments
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.images import TRAINING_TRANSFORMS, CrossViewPairs, PhotoDataset, class_names
from whalereid.images.classes import class_labels, label_columns
from whalereid.models import Embedder
from whalereid.training.recipe import Recipe

__all__ = ["PHOTOS_IN_WORDS", "Photos", "check_files", "make_items", "sides_told_apart"]

Photos = Catalogue | PhotoDataset | CrossViewPairs

PHOTOS_IN_WORDS = "a Catalogue (Catalogue.read(path) makes one), PhotoDataset or CrossViewPairs"


def make_items(
    train: Photos,
    net: Embedder,
    recipe: Recipe,
    *,
    labels_from: str | Sequence[str] | None,
    on_error: Literal["raise", "skip"],
    seed: int,
) -> tuple[PhotoDataset | CrossViewPairs, list[str]]:
    """Make what to train on; returns also what there is to say of it."""
    notes: list[str] = []
    arguments.instance(train, "train", (Catalogue, PhotoDataset, CrossViewPairs), PHOTOS_IN_WORDS)
    if labels_from is not None:
        labels_from = label_columns(labels_from)
    if isinstance(train, Catalogue):
        photos, left_out = labelled(train, labels_from or ("identity",))
        if left_out:
            notes.append(left_out)
        flip, why = _mirroring(recipe, photos)
        notes.append(why)
        look = net.preprocessing
        transform = TRAINING_TRANSFORMS[recipe.transform](
            look.image_size, look.mean, look.std, flip=flip, antialias=look.antialias
        )
        items: PhotoDataset | CrossViewPairs = PhotoDataset(
            photos,
            transform,
            labels_from=labels_from or "identity",
            portrait=look.portrait,
            on_error=on_error,
            seed=seed,
        )
    else:
        items = train
        if labels_from is not None and labels_from != items.labels_from:
            raise WhalereidError(
                f"labels_from is {list(labels_from)}, the data set's labels are from {list(items.labels_from)}; "
                "say it to the data set."
            )
    source, labels = items.catalogue.source, items.labels
    if (labels < 0).any():
        raise WhalereidError(
            f"{source}: {int((labels < 0).sum())} of the data set's photos are of none of its classes; leave them out "
            "to train on it."
        )
    refuse_one_class(source, labels, items.classes)
    if items.on_error == "raise":
        check_files(items.catalogue)
    return items, notes


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
        lacks = "identity" if by == "identity" else f"value of {by}"
        raise WhalereidError(
            f"{train.source}: no photo has a known {lacks}; fill the column{'s' if len(labels_from) > 1 else ''} {by!r}."
        )
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


def check_files(photos: Catalogue) -> None:
    """Look for every file now, not hours into the training."""
    absent = [str(path) for path in photos.paths if not path.is_file()]
    if absent:
        raise WhalereidError(
            f"{photos.source}: {len(absent)} of {len(photos)} photos are not there: {listing(absent, most=3)}; "
            "`whalereid check` lists them, --on-error skip leaves them out."
        )


def _mirroring(recipe: Recipe, photos: Catalogue) -> tuple[bool, str]:
    """Whether to mirror half of the photos, and why, in words."""
    sides = sides_told_apart(photos)
    if recipe.flip is None:
        if sides:
            told = f"left and right are told apart here (viewpoint {listing(sides, most=4)})"
            return False, f"Photos are not mirrored in training: {told}. --flip (flip=True) mirrors them all the same."
        return True, "Half of the photos are mirrored in training; where sides differ, --no-flip (flip=False) says no."
    return recipe.flip, f"{'Half of the photos' if recipe.flip else 'No photos'} are mirrored in training, as asked."
