"""All that decides the result of a training, as run.json has it: what a resumed one must agree on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from whalereid.catalogue import Catalogue
from whalereid.catalogue.contents import content_keys
from whalereid.heads import Mined
from whalereid.images import Crop, CrossViewPairs
from whalereid.models import Embedder
from whalereid.training.items import PhotosAsItems, TrainingItems, catalogue_of, crop_of_items
from whalereid.training.recipe import Recipe
from whalereid.training.validation import Validation

__all__ = ["settings_of"]


def settings_of(
    net: Embedder,
    head: nn.Module,
    items: TrainingItems,
    validation: Validation | None,
    recipe: Recipe,
    *,
    batches: Any,
    mirrors: bool | None,
    seed: int,
) -> dict[str, Any]:
    """Note all that decides the result, as JSON can hold it.

    Parameters
    ----------
    net, head, items, validation, recipe : Embedder, Module, TrainingItems, Validation or None, Recipe
        What is trained, on what, how, and by what the epoch is chosen.
    batches : object
        A sampler, or a function that makes one; None where the recipe says how batches are made.
    mirrors : bool or None
        Whether photos are mirrored; None where that isn't known.
    seed : int
        Of the training.

    Raises
    ------
    WhalereidError
        A rule or the schedule is known by no name, so that it can't be noted.
    """
    photos, by, crop = catalogue_of(items), items.labels_from, crop_of_items(items)
    train: dict[str, Any] = {
        "items": len(items),
        "digest": _digest(items.catalogue, by) if isinstance(items, PhotosAsItems) else _digest_of_labels(items),
        "on_error": items.on_error,
        "seed": items.seed,
        "flip": mirrors,
        "labels_from": list(by),
        **crop.noted(),
    }
    if isinstance(items, CrossViewPairs):
        train |= {"anchor": list(items.anchor), "partner": list(items.partner), "fixed": items.fixed}
    valid = None
    if validation is not None:
        valid = {
            "photos": len(validation.photos),
            "digest": _digest(validation.photos, by),
            "rules": validation.rules.to_list(),
        }
    return {
        "recipe": recipe.to_dict(),
        "seed": seed,
        "network": net.config,
        "head": _described(head) | {"shapes": {name: list(tensor.shape) for name, tensor in head.state_dict().items()}},
        "batches": None if batches is None else _described(batches),
        "train": train,
        "valid": valid,
        "identities": list(items.identities),
        "classes": None if items.classes == items.identities else list(items.classes),
        "contents": {
            "train": {} if photos is None else _contents(photos, crop),
            "valid": {} if validation is None else _contents(validation.photos, crop),
        },
    }


def _described(part: Any) -> dict[str, Any]:
    """What an object is and its plain attributes, by which another one is told from it."""
    if isinstance(part, Mined):
        return _described(part.loss) | {"miner": _described(part.miner)}
    plain = {
        name: value
        for name, value in getattr(part, "__dict__", {}).items()
        if isinstance(value, bool | int | float | str) and not name.startswith("_") and name != "training"
    }
    return {"kind": getattr(part, "__qualname__", type(part).__name__), **plain}


def _contents(photos: Catalogue, crop: Crop) -> dict[str, str]:
    """From each photo's ``image_id`` to a key of what is in its file, by which a replaced one is named."""
    return dict(zip(photos.image_ids, content_keys(photos, crop.masked(photos)), strict=True))


def _digest(photos: Catalogue, labels_from: Sequence[str]) -> str:
    """Of who is on which photo, and what else it is labelled with; `_contents` knows the masks."""
    columns = dict.fromkeys(("image_id", "path", "identity", "viewpoint", "bbox", *labels_from))
    table = photos.frame[[name for name in columns if name in photos.columns]].astype("str").to_csv(index=False)
    return hashlib.sha256(table.encode()).hexdigest()[:16]


def _digest_of_labels(items: TrainingItems) -> str:
    return hashlib.sha256(np.ascontiguousarray(items.labels).tobytes()).hexdigest()[:16]
