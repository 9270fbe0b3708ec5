"""Decoding, transforms, view-aware datasets, rendered belugas.

The names are imported when first used: reading and drawing photos needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from whalereid.images.classes import class_names as class_names
    from whalereid.images.datasets import PhotoDataset as PhotoDataset
    from whalereid.images.items import collate as collate
    from whalereid.images.pairs import CrossViewPairs as CrossViewPairs
    from whalereid.images.photos import MIN_SIDE as MIN_SIDE
    from whalereid.images.photos import read_photo as read_photo
    from whalereid.images.transforms import IMAGENET_MEAN as IMAGENET_MEAN
    from whalereid.images.transforms import IMAGENET_STD as IMAGENET_STD
    from whalereid.images.transforms import TRAINING_TRANSFORMS as TRAINING_TRANSFORMS
    from whalereid.images.transforms import TrainingTransform as TrainingTransform
    from whalereid.images.transforms import evaluation_transform as evaluation_transform

_MODULES = {
    "class_names": "classes",
    "MIN_SIDE": "photos",
    "read_photo": "photos",
    "IMAGENET_MEAN": "transforms",
    "IMAGENET_STD": "transforms",
    "TRAINING_TRANSFORMS": "transforms",
    "TrainingTransform": "transforms",
    "evaluation_transform": "transforms",
    "CrossViewPairs": "pairs",
    "PhotoDataset": "datasets",
    "collate": "items",
}

__all__ = [*_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'whalereid.images' has no attribute {name!r}")
    return getattr(import_module(f"whalereid.images.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
