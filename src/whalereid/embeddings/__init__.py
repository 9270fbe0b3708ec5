"""Extraction, the Embeddings table, its store on disk.

What needs torch is imported when first used: tables alone can be read without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from whalereid.embeddings.baseline import raw_pixels
from whalereid.embeddings.table import Embeddings

if TYPE_CHECKING:
    from whalereid.embeddings.extract import PRECISIONS as PRECISIONS
    from whalereid.embeddings.extract import embed as embed
    from whalereid.embeddings.extract import embed_as_is as embed_as_is
    from whalereid.embeddings.extract import embed_many as embed_many
    from whalereid.embeddings.extract import native_precision as native_precision

_EXTRACTION = ("embed", "embed_as_is", "embed_many", "native_precision", "PRECISIONS")

__all__ = ["Embeddings", "raw_pixels", *_EXTRACTION]


def __getattr__(name: str) -> Any:
    if name not in _EXTRACTION:
        raise AttributeError(f"module 'whalereid.embeddings' has no attribute {name!r}")
    return getattr(import_module("whalereid.embeddings.extract"), name)
