from .baseline import raw_pixels as raw_pixels
from .devices import PRECISIONS as PRECISIONS
from .devices import native_precision as native_precision
from .extract import embed as embed
from .extract import embed_as_is as embed_as_is
from .extract import embed_many as embed_many
from .extraction import Extraction as Extraction
from .table import Embeddings as Embeddings

__all__ = [
    "Embeddings",
    "Extraction",
    "PRECISIONS",
    "embed",
    "embed_as_is",
    "embed_many",
    "native_precision",
    "raw_pixels",
]
