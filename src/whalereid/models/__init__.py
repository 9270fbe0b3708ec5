"""Backbone (timm), pooling and neck make an Embedder; loading and saving weights."""

from whalereid.models.embedder import Embedder, Preprocessing
from whalereid.models.neck import ACTIVATIONS, NECKS, Neck
from whalereid.models.pooling import POOLINGS, AveragePooling, GeM, MultiStageGeM
from whalereid.models.weights import load_weights, read_weights

__all__ = [
    "Embedder",
    "Preprocessing",
    "AveragePooling",
    "GeM",
    "MultiStageGeM",
    "Neck",
    "load_weights",
    "read_weights",
    "ACTIVATIONS",
    "NECKS",
    "POOLINGS",
]
