"""Backbone (timm), pooling and neck make an Embedder; loading and saving weights.

The names are imported when first used: looking at a saved network's folder needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from whalereid.models.config import IMAGE_SIDES, look_at, look_for_backbone, look_for_weights, read_config
from whalereid.parts import NECKS, POOLINGS

if TYPE_CHECKING:
    from whalereid.models.embedder import Embedder as Embedder
    from whalereid.models.neck import ACTIVATIONS as ACTIVATIONS
    from whalereid.models.neck import BatchNormNeck as BatchNormNeck
    from whalereid.models.neck import LinearNeck as LinearNeck
    from whalereid.models.neck import NoNeck as NoNeck
    from whalereid.models.network import Network as Network
    from whalereid.models.pooling import AveragePooling as AveragePooling
    from whalereid.models.pooling import GeM as GeM
    from whalereid.models.pooling import MultiStageGeM as MultiStageGeM
    from whalereid.models.preprocessing import Preprocessing as Preprocessing
    from whalereid.models.saving import write_network as write_network
    from whalereid.models.weights import load_weights as load_weights
    from whalereid.models.weights import read_weights as read_weights

_MODULES = {
    "Embedder": "embedder",
    "Network": "network",
    "Preprocessing": "preprocessing",
    "AveragePooling": "pooling",
    "GeM": "pooling",
    "MultiStageGeM": "pooling",
    "BatchNormNeck": "neck",
    "LinearNeck": "neck",
    "NoNeck": "neck",
    "ACTIVATIONS": "neck",
    "load_weights": "weights",
    "read_weights": "weights",
    "write_network": "saving",
}

__all__ = [
    *_MODULES,
    "IMAGE_SIDES",
    "NECKS",
    "POOLINGS",
    "look_at",
    "look_for_backbone",
    "look_for_weights",
    "read_config",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'whalereid.models' has no attribute {name!r}")
    return getattr(import_module(f"whalereid.models.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
