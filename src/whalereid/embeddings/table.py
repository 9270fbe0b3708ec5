"""Embeddings: photos' vectors with their ids and where they came from; kept as Parquet."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whalereid.catalogue import TrainedOn
from whalereid.errors import WhalereidError, listing
from whalereid.files import replacing

__all__ = ["Embeddings"]

MARKER = "embeddings.json"
"""In a folder that `embed` writes: whether its parts are all there, and their provenance."""

_METADATA_KEY = b"whalereid"
_BLOCK = 1024
_ROUNDING = 1e-6  # between unit vectors: some ten times what float32 rounds away


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

    @cached_property
    def trained_on(self) -> TrainedOn | None:
        """What the network was trained on, of concatenated ones any of them; None where the provenance doesn't say."""
        return _trained_on(self.provenance)

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
        write_table(path, self)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Embeddings:
        """Read a Parquet file, or a folder of part files, that has ``image_id`` and ``embedding``.

        Raises
        ------
        WhalereidError
            Nothing there, not Parquet, a column is missing, vectors differ in width, parts differ in what made them,
            or `embed` has not finished it.
        """
        path = Path(path)
        if path.is_dir():
            unfinished, parts = (path / MARKER).exists() and not read_marker(path)["complete"], parts_of(path)
        else:
            unfinished, parts = work_folder(path).exists() and not path.exists(), [path] if path.exists() else []
        if unfinished:
            raise WhalereidError(f"{path}: unfinished; run the same `whalereid embed` again, it goes on from there.")
        if not parts:
            raise WhalereidError(f"{path}: no embeddings there; `whalereid embed` writes them.")
        tables = [read_table(part)[0] for part in parts]
        first = tables[0]
        for part, table in zip(parts, tables, strict=True):
            if table.dim != first.dim or table.provenance != first.provenance:
                what = f"is {table.dim} wide, not {first.dim}" if table.dim != first.dim else "was not made"
                raise WhalereidError(f"{part}: {what} as in {parts[0].name}; keep one making's parts in a folder.")
        ids, vectors = [table.ids for table in tables], [table.vectors for table in tables]
        return cls(np.concatenate(ids), np.concatenate(vectors), first.provenance)

    @classmethod
    def concatenate(cls, members: Sequence[Embeddings]) -> Embeddings:
        """Several networks' vectors of the same photos end to end, raw; in the first one's order.

        The cosine of such vectors weighs each network by its vectors' lengths.

        Raises
        ------
        WhalereidError
            Nothing given, or a network lacks a photo that another has.

        Examples
        --------
        >>> one = Embeddings.from_numpy(["a", "b"], [[1.0], [2.0]])
        >>> two = Embeddings.from_numpy(["b", "a"], [[3.0, 4.0], [5.0, 6.0]])
        >>> Embeddings.concatenate([one, two]).take(["a"]).tolist()
        [[1.0, 5.0, 6.0]]
        """
        if not members:
            raise WhalereidError("embeddings: nothing to concatenate; give one network's embeddings at least.")
        ids = members[0].ids
        for member in members[1:]:
            odd = np.setxor1d(ids, member.ids)
            if len(odd):
                raise WhalereidError(
                    f"embeddings: {len(odd)} photos have vectors of one network but not of another: {listing(odd)}."
                )
        vectors = np.concatenate([member.take(ids) for member in members], axis=1)
        return cls(ids, vectors, {"concatenated": [dict(member.provenance) for member in members]})

    def __repr__(self) -> str:
        return f"Embeddings({len(self)} photos, {self.dim} wide)"


def _trained_on(provenance: Mapping[str, Any]) -> TrainedOn | None:
    parts = provenance.get("concatenated")
    if parts is not None:
        return TrainedOn.of_all(_trained_on(part) for part in parts)
    held = provenance.get("trained_on")
    return None if held is None else TrainedOn.from_dict(held)


def all_alike(vectors: np.ndarray) -> bool:
    """Whether three or more vectors, (N, D) float32, all point the same way, as far as float32 can tell.

    A network that sees nothing gives such vectors, and so do photos without anything on them.

    Examples
    --------
    >>> all_alike(np.ones((3, 4), np.float32)), all_alike(np.eye(3, 4, dtype=np.float32))
    (True, False)
    """
    if len(vectors) < 3:
        return False
    first = _directions(vectors[:1])
    for start in range(0, len(vectors), _BLOCK):  # the first blocks tell already, of nearly all vectors
        if np.linalg.norm(_directions(vectors[start : start + _BLOCK]) - first, axis=1).max() > _ROUNDING:
            return False
    return True


def _directions(vectors: np.ndarray) -> np.ndarray:
    """The vectors at length 1, zeros as they are; in float64, where no square of a float32 overflows."""
    exact = vectors.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    return np.asarray(exact / np.where(lengths > 0, lengths, 1))


def work_folder(path: Path) -> Path:
    """Where the parts of a single file lie until it is whole."""
    return path.with_name(f".{path.name}.parts")


def parts_of(folder: Path) -> list[Path]:
    """Parquet files of a folder, by name; hidden ones are half-written."""
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))


def read_marker(folder: Path) -> dict[str, Any]:
    """Read a folder's marker: ``complete`` and ``provenance``."""
    path = folder / MARKER
    try:
        marker = json.loads(path.read_text(encoding="utf-8"))
        return {"complete": bool(marker["complete"]), "provenance": dict(marker["provenance"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WhalereidError(f"{path}: can't be read ({error}); delete the folder and embed again.") from error


def write_table(
    path: str | os.PathLike[str], embeddings: Embeddings, notes: Mapping[bytes, bytes] | None = None
) -> None:
    """Write a Parquet file, whole or not at all; `notes` go beside the provenance in its schema metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    flat = pa.array(embeddings.vectors.reshape(-1), type=pa.float32())
    table = pa.table(
        {
            "image_id": pa.array(embeddings.ids, type=pa.string()),
            "embedding": pa.FixedSizeListArray.from_arrays(flat, embeddings.dim),
        }
    )
    provenance = json.dumps(dict(embeddings.provenance)).encode()
    table = table.replace_schema_metadata({_METADATA_KEY: provenance, **(notes or {})})
    with replacing(path) as beside:
        pq.write_table(table, beside, compression="zstd")


def read_table(path: Path) -> tuple[Embeddings, Mapping[bytes, bytes]]:
    """Read one Parquet file, and all of its schema metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise WhalereidError(f"{path}: can't be read as Parquet ({error}).") from error
    absent = [name for name in ("image_id", "embedding") if name not in table.column_names]
    if absent:
        raise WhalereidError(f"{path}: no column {listing(absent)}; it has {listing(table.column_names)}.")
    ids, embedding = table["image_id"], table["embedding"]
    if ids.null_count:
        raise WhalereidError(f"{path}: {ids.null_count} rows have no image_id.")
    kind = embedding.type
    fixed = pa.types.is_fixed_size_list(kind)
    if not (fixed or pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        raise WhalereidError(f"{path}: column embedding holds {kind}, not lists of numbers.")
    widths: set[int] = {kind.list_size} if fixed else set()
    pieces: list[np.ndarray] = []
    for chunk in embedding.chunks:
        if not fixed:
            widths |= set(chunk.value_lengths().drop_null().unique().to_pylist())
        pieces.append(chunk.flatten().to_numpy(zero_copy_only=False))
    if embedding.null_count or len(widths) > 1:
        raise WhalereidError(f"{path}: embeddings differ in width ({listing(sorted(widths))}) or are missing.")
    try:
        flat = np.concatenate(pieces).astype(np.float32, copy=False) if pieces else np.empty(0, np.float32)
    except (TypeError, ValueError) as error:
        raise WhalereidError(f"{path}: column embedding holds {kind}, not lists of numbers.") from error
    width = widths.pop() if widths else 0
    notes = table.schema.metadata or {}
    try:
        provenance = dict(json.loads(notes.get(_METADATA_KEY, b"{}")))
    except (TypeError, ValueError) as error:
        raise WhalereidError(f"{path}: its provenance can't be read ({error}).") from error
    try:
        embeddings = Embeddings(ids.to_numpy(), flat.reshape(len(ids), width), provenance)
    except WhalereidError as error:
        raise WhalereidError(f"{path}: {error}") from error
    return embeddings, notes
