"""Extraction, the Embeddings table, its store on disk.

What needs torch is imported when first used: tables alone can be read without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from whalereid.embeddings.baseline import raw_pixels
from whalereid.embeddings.extraction import Extraction
from whalereid.embeddings.table import Embeddings

if TYPE_CHECKING:
    from whalereid.embeddings.devices import PRECISIONS as PRECISIONS
    from whalereid.embeddings.devices import native_precision as native_precision
    from whalereid.embeddings.extract import embed as embed
    from whalereid.embeddings.extract import embed_as_is as embed_as_is
    from whalereid.embeddings.extract import embed_many as embed_many

_MODULES = {
    "embed": "extract",
    "embed_as_is": "extract",
    "embed_many": "extract",
    "native_precision": "devices",
    "PRECISIONS": "devices",
}

__all__ = ["Embeddings", "Extraction", "raw_pixels", *_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'whalereid.embeddings' has no attribute {name!r}")
    return getattr(import_module(f"whalereid.embeddings.{_MODULES[name]}"), name)
