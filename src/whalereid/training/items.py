"""What a training is trained on: photos with their labels, augmented as the recipe says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from whalereid import arguments
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.images import TRAINING_TRANSFORMS, CrossViewPairs, PhotoDataset
from whalereid.images.classes import label_columns
from whalereid.images.reading import read_transform
from whalereid.models import Embedder
from whalereid.training.photos import check_files, labelled, refuse_one_class, sides_told_apart
from whalereid.training.recipe import Recipe

__all__ = ["PHOTOS_IN_WORDS", "Photos", "make_items"]

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
        sides = sides_told_apart(items.catalogue[items.used])
        if sides and read_transform(items.transform).mirrors:
            told = f"though left and right are told apart here (viewpoint {listing(sides, most=4)})"
            notes.append(f"The data set mirrors photos, {told}; build its transform with flip=False if that matters.")
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


def _mirroring(recipe: Recipe, photos: Catalogue) -> tuple[bool, str]:
    """Whether to mirror half of the photos, and why, in words."""
    sides = sides_told_apart(photos)
    if recipe.flip is None:
        if sides:
            told = f"left and right are told apart here (viewpoint {listing(sides, most=4)})"
            return False, f"Photos are not mirrored in training: {told}. --flip (flip=True) mirrors them all the same."
        return True, "Half of the photos are mirrored in training; where sides differ, --no-flip (flip=False) says no."
    return recipe.flip, f"{'Half of the photos' if recipe.flip else 'No photos'} are mirrored in training, as asked."
