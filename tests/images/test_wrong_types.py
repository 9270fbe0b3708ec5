"""Every public name of the room, called with what it isn't made for: one line that names the argument."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from whalereid import images
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.images import (
    TRAINING_TRANSFORMS,
    Crop,
    CrossViewPairs,
    Framing,
    PhotoDataset,
    TrainingTransform,
    class_names,
    collate,
    evaluation_transform,
    read_photo,
)

WRONG = [None, 3, -1.5, "nyala", b"nyala", [1, 2], {"a": 1}, object(), Catalogue, torch.zeros(3)]
PLAIN = evaluation_transform(16)
PHOTOS = Catalogue(
    pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], "identity": "n", "viewpoint": ["top", "left"]})
)

# name: (how it is called, the argument given something else, what would do)
CALLS: dict[str, tuple[Any, str, tuple[type, ...]]] = {
    "read_photo path": (lambda v: read_photo(v), "nyala|path", ()),
    "read_photo bbox": (lambda v: read_photo(Path("x"), v), "bbox", (type(None),)),
    "read_photo portrait": (lambda v: read_photo(Path("x"), None, v), "portrait", ()),
    "read_photo mask": (lambda v: read_photo(Path("x"), mask=v), "mask", (type(None), str)),
    "read_photo crop": (lambda v: read_photo(Path("x"), crop=v), "crop", (type(None),)),
    "Crop pad": (lambda v: Crop(pad=v), "pad", ()),
    "Crop background": (lambda v: Crop(background=v), "background", ()),
    "PhotoDataset cropped": (lambda v: PhotoDataset(PHOTOS, PLAIN).cropped(v), "crop", ()),
    "evaluation_transform size": (lambda v: evaluation_transform(v), "image size", (int, list)),
    "evaluation_transform mean": (lambda v: evaluation_transform(8, v), "mean", (torch.Tensor,)),
    "evaluation_transform std": (lambda v: evaluation_transform(8, (0, 0, 0), v), "std", ()),
    "evaluation_transform antialias": (lambda v: evaluation_transform(8, antialias=v), "antialias", ()),
    "evaluation_transform framing": (lambda v: evaluation_transform(8, framing=v), "framing", (type(None),)),
    "Framing interpolation": (lambda v: Framing(v), "interpolation", ()),
    "Framing crop_pct": (lambda v: Framing(crop_pct=v), "crop_pct", ()),
    "Framing crop_mode": (lambda v: Framing(crop_mode=v), "crop_mode", ()),
    "TRAINING_TRANSFORMS": (lambda v: TRAINING_TRANSFORMS[v], "training transform", ()),
    "TRAINING_TRANSFORMS size": (lambda v: TRAINING_TRANSFORMS["plain"](v), "image size", (int, list)),
    "TRAINING_TRANSFORMS mean": (lambda v: TRAINING_TRANSFORMS["plain"](8, v), "mean", (torch.Tensor,)),
    "TRAINING_TRANSFORMS std": (lambda v: TRAINING_TRANSFORMS["plain"](8, (0, 0, 0), v), "std", ()),
    "TRAINING_TRANSFORMS flip": (lambda v: TRAINING_TRANSFORMS["plain"](8, flip=v), "flip", ()),
    "TRAINING_TRANSFORMS antialias": (
        lambda v: TRAINING_TRANSFORMS["plain"](8, antialias=v),
        "antialias",
        (type(None),),
    ),
    "TRAINING_TRANSFORMS steps": (lambda v: TRAINING_TRANSFORMS["plain"].steps(8, flip=v), "flip", ()),
    "TrainingTransform": (lambda v: TrainingTransform(v, lambda *_: {}), "description", (str,)),
    "TrainingTransform build": (lambda v: TrainingTransform("mine", v), "build", (type,)),
    "PhotoDataset catalogue": (lambda v: PhotoDataset(v, PLAIN), "catalogue", ()),
    "PhotoDataset transform": (lambda v: PhotoDataset(PHOTOS, v), "transform", ()),
    "PhotoDataset identities": (
        lambda v: PhotoDataset(PHOTOS, PLAIN, identities=v),
        "identities",
        (type(None), str, dict),
    ),
    "PhotoDataset labels_from": (lambda v: PhotoDataset(PHOTOS, PLAIN, labels_from=v), "labels_from|column", ()),
    "PhotoDataset portrait": (lambda v: PhotoDataset(PHOTOS, PLAIN, portrait=v), "portrait", ()),
    "PhotoDataset on_error": (lambda v: PhotoDataset(PHOTOS, PLAIN, on_error=v), "on_error", ()),
    "PhotoDataset seed": (lambda v: PhotoDataset(PHOTOS, PLAIN, seed=v), "seed", (int,)),
    "PhotoDataset item": (lambda v: PhotoDataset(PHOTOS, PLAIN)[v], "index", (int,)),
    "PhotoDataset slice": (lambda v: PhotoDataset(PHOTOS, PLAIN)[slice(v)], "index", ()),
    "PhotoDataset read": (lambda v: PhotoDataset(PHOTOS, PLAIN).read(v), "row", (int,)),
    "PhotoDataset epoch": (lambda v: PhotoDataset(PHOTOS, PLAIN).set_epoch(v), "epoch", (int,)),
    "CrossViewPairs catalogue": (lambda v: CrossViewPairs(v, PLAIN), "catalogue", ()),
    "CrossViewPairs transform": (lambda v: CrossViewPairs(PHOTOS, v), "transform", ()),
    "CrossViewPairs anchor": (lambda v: CrossViewPairs(PHOTOS, PLAIN, v), "anchor|no identity has", ()),
    "CrossViewPairs partner": (lambda v: CrossViewPairs(PHOTOS, PLAIN, "top", v), "partner|no identity has", ()),
    "CrossViewPairs identities": (
        lambda v: CrossViewPairs(PHOTOS, PLAIN, identities=v),
        "identities",
        (type(None), str, dict),
    ),
    "CrossViewPairs item": (lambda v: CrossViewPairs(PHOTOS, PLAIN)[v], "index", (int,)),
    "CrossViewPairs partner_row": (lambda v: CrossViewPairs(PHOTOS, PLAIN).partner_row(v), "index", (int,)),
    "class_names catalogue": (lambda v: class_names(v), "catalogue", ()),
    "class_names columns": (lambda v: class_names(PHOTOS, v), "labels_from|column", ()),
    "collate": (lambda v: collate(v), "items", ()),
}


@pytest.mark.parametrize("name", list(CALLS))
def test_wrong_types_are_refused_by_name(name: str) -> None:
    call, names, fine = CALLS[name]
    for value in WRONG:
        if isinstance(value, fine):
            continue
        with pytest.raises(WhalereidError, match=names) as refused:
            call(value)
        assert "\n" not in str(refused.value), value


def test_the_table_has_every_public_name() -> None:
    constants = {"MIN_SIDE", "IMAGENET_MEAN", "IMAGENET_STD"}
    assert {name.split()[0] for name in CALLS} == set(images.__all__) - constants
