"""Embeddings: photos' vectors with their ids and where they came from; kept as Parquet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from whalereid import html
from whalereid.arguments import instance, texts
from whalereid.catalogue import TrainedOn
from whalereid.embeddings.parquet import Header, open_parts, write_part
from whalereid.embeddings.provenance import trained_on_of
from whalereid.errors import WhalereidError, listing
from whalereid.outputs import EMBEDDINGS, check_output
from whalereid.reading import os_errors
from whalereid.text import id_array

__all__ = ["Embeddings", "Header", "all_alike"]

_BLOCK_BYTES = 1 << 20  # float64 numbers worked on at a time: they stay in the processor's cache
_BLOCK = 1024
_SHOWN = 10  # photos, in a notebook
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

    Raises
    ------
    WhalereidError
        An id is no text or repeated, vectors aren't (N, D) finite numbers with D from 1, or the provenance isn't a
        mapping.

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
        ids, vectors = id_array(self.ids, "ids"), _numbers(self.vectors)
        if vectors.ndim != 2 or len(vectors) != len(ids):
            raise WhalereidError(f"embeddings: {len(ids)} ids but vectors of shape {vectors.shape}; give (ids, width).")
        if vectors.shape[1] == 0:
            raise WhalereidError("embeddings: the vectors are 0 wide; a vector holds 1 number or more.")
        for rows in _blocks(vectors):
            if not np.isfinite(vectors[rows]).all():
                row = rows.start + int(np.flatnonzero(~np.isfinite(vectors[rows]).all(axis=1))[0])
                raise WhalereidError(
                    f"embeddings: the vector of {ids[row]!r} holds NaN, infinity, or a number beyond float32."
                )
        instance(self.provenance, "provenance", Mapping, "a mapping, such as {'network': 'b5'}")
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "vectors", vectors)
        object.__setattr__(self, "provenance", dict(self.provenance))
        if not self._index.is_unique:
            twice = ids[self._index.duplicated()][0]
            raise WhalereidError(f"embeddings: image_id {twice!r} is repeated; one vector a photo.")

    @classmethod
    def from_numpy(cls, ids: Iterable[str], vectors: Any, provenance: Mapping[str, Any] | None = None) -> Embeddings:
        """Wrap vectors that any tool made: N ids and an (N, D) array of numbers."""
        return cls(id_array(ids, "ids"), vectors, {} if provenance is None else provenance)

    @property
    def dim(self) -> int:
        """Width of a vector."""
        return int(self.vectors.shape[1])

    @cached_property
    def trained_on(self) -> TrainedOn | None:
        """What the network was trained on, of concatenated ones any of them; None where the provenance doesn't say."""
        return trained_on_of(self.provenance)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self.ids, dtype=object)

    @cached_property
    def lengths(self) -> np.ndarray:
        """(N,) float64: the vectors' lengths (L2 norms)."""
        lengths = np.empty(len(self))
        for rows in _blocks(self.vectors):
            wide = self.vectors[rows].astype(np.float64)  # squares of large or tiny numbers leave float32's range
            lengths[rows] = np.sqrt(np.add.reduce(wide * wide, axis=1))
        lengths.flags.writeable = False
        return lengths

    def rows(self, ids: Iterable[str]) -> np.ndarray:
        """(n,) int64: the row of each photo.

        Raises
        ------
        WhalereidError
            A photo has no vector here; the message names the first few.
        """
        array = isinstance(ids, np.ndarray) and ids.ndim == 1  # looking at each takes time: what is no text isn't found
        wanted = pd.Index(np.asarray(ids if array else texts(ids, "ids", "a list of image ids"), object), dtype=object)
        found = np.asarray(self._index.get_indexer(wanted), np.int64)
        if (found < 0).any():
            absent = wanted[found < 0]
            raise WhalereidError(
                f"embeddings: {len(absent)} photos have no vector: {listing(absent)}; embed them, or "
                "leave them out (`whalereid rank --missing skip`)."
            )
        return found

    def take(self, ids: Iterable[str]) -> np.ndarray:
        """(n, D) float32: the vectors of these photos, in this order."""
        return self.vectors[self.rows(ids)]

    def write(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write one Parquet file (``image_id``, ``embedding``), whole or not at all.

        Parameters
        ----------
        path : path
            Ends in ``.parquet``. Embeddings that were written there before are replaced.
        force : bool, default=False
            Replace a file of another kind too, such as another tool's vectors.

        Raises
        ------
        WhalereidError
            Something else is there, the place can't be written, or JSON can't hold the provenance.
        """
        instance(path, "path", (str, os.PathLike), "the path of a Parquet file")
        check_output(path, EMBEDDINGS, force=instance(force, "force", bool, "True or False"))
        write_part(path, self.ids, self.vectors, self.provenance)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Embeddings:
        """Read a Parquet file, or a folder of part files, that has ``image_id`` and ``embedding``.

        Raises
        ------
        WhalereidError
            Nothing there, not Parquet, a column is missing, vectors differ in width, parts differ in what made them,
            or `embed` has not finished it.
        """
        parts = open_parts(path)
        with os_errors(path):
            ids = np.empty(sum(part.header.n_photos for part in parts), object)
            vectors = np.empty((len(ids), parts[0].header.dim), np.float32)  # filled part by part: no second copy
        start = 0
        for part in parts:
            rows = slice(start, start + part.header.n_photos)
            part.read_into(ids[rows], vectors[rows])
            start = rows.stop
        try:
            return cls(ids, vectors, parts[0].header.provenance)
        except WhalereidError as error:
            raise WhalereidError(f"{path}: {error}") from error

    @staticmethod
    def read_header(path: str | os.PathLike[str]) -> Header:
        """Read what made the embeddings of a file or folder, how many and how wide they are; not the vectors.

        Takes milliseconds, whatever the file's size.

        Raises
        ------
        WhalereidError
            As for `read`, but for what only the vectors would show.
        """
        parts = open_parts(path)
        first = parts[0].header
        return Header(sum(part.header.n_photos for part in parts), first.dim, first.provenance)

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
        wanted = "a list of Embeddings"
        members = list(instance(members, "members", Iterable, wanted))
        for member in members:
            instance(member, "one of members", Embeddings, wanted)
        if not members:
            raise WhalereidError("embeddings: nothing to concatenate; give one network's embeddings at least.")
        ids = members[0].ids
        vectors = np.empty((len(ids), sum(member.dim for member in members)), np.float32)
        start = 0
        for member in members:
            rows = member._index.get_indexer(members[0]._index)
            strange = members[0]._index.get_indexer(member._index) < 0
            odd = sorted([*ids[rows < 0], *member.ids[strange]])
            if odd:
                raise WhalereidError(
                    f"embeddings: {len(odd)} photos have vectors of one network but not of another: {listing(odd)}."
                )
            vectors[:, start : start + member.dim] = member.vectors[rows]
            start += member.dim
        return cls(ids, vectors, {"concatenated": [dict(member.provenance) for member in members]})

    def __repr__(self) -> str:
        return f"Embeddings({len(self)} photos, {self.dim} wide)"

    def _repr_html_(self) -> str:
        """What notebooks show: how many, how wide, what made them, and the first photos."""
        provenance = self.provenance
        network = provenance.get("network", "unknown")
        if isinstance(network, Mapping):
            network = " → ".join(str(value) for key, value in network.items() if key not in ("dim", "weights"))
        counts = html.facts({"photos": len(self), "dim": self.dim})
        made = html.facts({"network": network, "fingerprint": str(provenance.get("fingerprint", "unknown"))[:12]})
        shown = [(ids, length) for ids, length in zip(self.ids[:_SHOWN], self.lengths[:_SHOWN], strict=True)]
        return html.section("Embeddings", counts, made, html.table(["image_id", "vector's length"], shown))


def _blocks(vectors: np.ndarray) -> Iterator[slice]:
    """Cut the rows into runs of a megabyte."""
    step = max(1, _BLOCK_BYTES // (8 * max(vectors.shape[1], 1)))
    for start in range(0, len(vectors), step):
        yield slice(start, min(start + step, len(vectors)))


def _numbers(vectors: Any) -> np.ndarray:
    """C-contiguous float32, the array itself where it is so already."""
    try:
        array = np.asarray(vectors)
    except (TypeError, ValueError, RuntimeError) as error:  # rows of differing widths; a tensor that needs gradients
        said = str(error).splitlines()[0].rstrip(".")
        raise WhalereidError(f"vectors: can't be made one array of numbers ({said}); give (ids, width).") from error
    if array.dtype.kind not in "fiu":
        what = {"U": "text", "S": "bytes", "O": "objects", "c": "complex numbers", "b": "true and false"}
        kind = what.get(array.dtype.kind, str(array.dtype))
        raise WhalereidError(f"vectors: hold {kind}, not numbers; give an array of shape (ids, width).")
    with np.errstate(over="ignore"):  # what float32 can't hold becomes infinite, and is refused by name
        return np.ascontiguousarray(array, dtype=np.float32)


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
