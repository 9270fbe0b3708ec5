"""Embeddings: photos' vectors with their ids and where they came from; kept as Parquet."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whalereid.errors import WhalereidError, listing
from whalereid.files import replacing

__all__ = ["Embeddings"]

_METADATA_KEY = b"whalereid"


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Photos' vectors, raw as the network gave them; rankings normalise.

    Attributes
    ----------
    ids : ndarray of shape (N,), str objects
        The photos' ``image_id``, unique.
    vectors : ndarray of shape (N, D), float32
        One row a photo, finite.
    provenance : mapping
        What made them (network, weights digest, transform, flip, precision, library version), as JSON can hold it.

    Examples
    --------
    >>> vectors = Embeddings.from_numpy(["a", "b"], [[3.0, 4.0], [1.0, 0.0]])
    >>> len(vectors), vectors.dim, vectors.take(["b"]).tolist()
    (2, 2, [[1.0, 0.0]])
    """

    ids: np.ndarray
    vectors: np.ndarray
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ids = np.asarray([str(i) for i in self.ids], dtype=object)
        vectors = np.ascontiguousarray(self.vectors, dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(ids):
            raise WhalereidError(f"embeddings: {len(ids)} ids but vectors of shape {vectors.shape}; give (ids, width).")
        if not np.isfinite(vectors).all():
            row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
            raise WhalereidError(f"embeddings: the vector of {ids[row]!r} holds NaN or infinity.")
        if not pd.Index(ids).is_unique:
            twice = ids[pd.Index(ids).duplicated()][0]
            raise WhalereidError(f"embeddings: image_id {twice!r} is repeated; one vector a photo.")
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "vectors", vectors)
        object.__setattr__(self, "provenance", dict(self.provenance))

    @classmethod
    def from_numpy(cls, ids: Iterable[str], vectors: Any, provenance: Mapping[str, Any] | None = None) -> Embeddings:
        """Wrap vectors that any tool made: N ids and an (N, D) array of numbers."""
        return cls(np.asarray(list(ids), dtype=object), np.asarray(vectors), dict(provenance or {}))

    @property
    def dim(self) -> int:
        """Width of a vector."""
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self.ids, dtype=object)

    def rows(self, ids: Iterable[str]) -> np.ndarray:
        """(n,) int64: the row of each photo.

        Raises
        ------
        WhalereidError
            A photo has no vector here; the message names the first few.
        """
        wanted = pd.Index(list(ids), dtype=object)
        found = np.asarray(self._index.get_indexer(wanted), np.int64)
        if (found < 0).any():
            absent = wanted[found < 0]
            raise WhalereidError(
                f"embeddings: {len(absent)} photos have no vector: {listing(absent)}; embed them first."
            )
        return found

    def take(self, ids: Iterable[str]) -> np.ndarray:
        """(n, D) float32: the vectors of these photos, in this order."""
        return self.vectors[self.rows(ids)]

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write one Parquet file (``image_id``, ``embedding``), whole or not at all."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        flat = pa.array(self.vectors.reshape(-1), type=pa.float32())
        table = pa.table(
            {
                "image_id": pa.array(self.ids, type=pa.string()),
                "embedding": pa.FixedSizeListArray.from_arrays(flat, self.dim),
            }
        ).replace_schema_metadata({_METADATA_KEY: json.dumps(dict(self.provenance)).encode()})
        with replacing(path) as beside:
            pq.write_table(table, beside, compression="zstd")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Embeddings:
        """Read a Parquet file, or a folder of part files, that has ``image_id`` and ``embedding``.

        Raises
        ------
        WhalereidError
            Nothing there, not Parquet, a column is missing, or vectors differ in width.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = Path(path)
        parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not parts or not parts[0].exists():
            raise WhalereidError(f"{path}: no embeddings there; `whalereid embed` writes them.")
        ids: list[np.ndarray] = []
        vectors: list[np.ndarray] = []
        provenance: dict[str, Any] = {}
        for part in parts:
            try:
                table = pq.read_table(part)
            except (pa.ArrowInvalid, OSError) as error:
                raise WhalereidError(f"{part}: can't be read as Parquet ({error}).") from error
            absent = [name for name in ("image_id", "embedding") if name not in table.column_names]
            if absent:
                raise WhalereidError(f"{part}: no column {listing(absent)}; it has {listing(table.column_names)}.")
            column = table["embedding"].combine_chunks()
            if isinstance(column, pa.ChunkedArray):
                column = column.chunk(0) if column.num_chunks else pa.array([], type=column.type)
            widths = (
                {column.type.list_size}
                if pa.types.is_fixed_size_list(column.type)
                else set(np.unique(column.value_lengths().to_numpy(zero_copy_only=False)).tolist())
            )
            if column.null_count or len(widths) > 1:
                raise WhalereidError(f"{part}: embeddings differ in width ({listing(sorted(widths))}) or are missing.")
            width = widths.pop() if widths else 0
            flat = column.flatten().to_numpy(zero_copy_only=False)
            vectors.append(np.asarray(flat, np.float32).reshape(len(column), width))
            ids.append(table["image_id"].to_numpy().astype(object))
            provenance = provenance or json.loads((table.schema.metadata or {}).get(_METADATA_KEY, b"{}"))
        if len({v.shape[1] for v in vectors}) > 1:
            raise WhalereidError(f"{path}: its parts differ in width; were they written by different networks?")
        return cls(np.concatenate(ids), np.concatenate(vectors), provenance)

    def __repr__(self) -> str:
        return f"Embeddings({len(self)} photos, {self.dim} wide)"
