"""Extraction, the Embeddings table, its store on disk."""

from whalereid.embeddings.table import Embeddings

__all__ = ["Embeddings"]
