"""Embeddings: photos' vectors with their ids and where they came from; kept as Parquet."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from whalereid.arguments import instance, texts
from whalereid.catalogue import TrainedOn
from whalereid.errors import WhalereidError, listing
from whalereid.files import companion, replacing
from whalereid.outputs import EMBEDDINGS, check_output
from whalereid.reading import MOST_NUMBERS_GB, check_file, check_size, os_errors, parse_json, read_json
from whalereid.text import id_array

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = ["Embeddings", "Header", "all_alike"]

MARKER = "embeddings.json"
"""In a folder that `embed` writes: whether its parts are all there, and their provenance."""

_COLUMNS = ("image_id", "embedding")
_METADATA_KEY = b"whalereid"
_BLOCK_BYTES = 1 << 20  # float64 numbers worked on at a time: they stay in the processor's cache
_READ_BYTES = 8 << 20  # vectors read at a time
_ROW_GROUP = 1 << 16  # rows of a file that are compressed together, and read again together
_BLOCK = 1024
_ROUNDING = 1e-6  # between unit vectors: some ten times what float32 rounds away


@dataclass(frozen=True)
class Header:
    """What a file or folder of embeddings says of itself; its vectors stay unread.

    Attributes
    ----------
    n_photos : int
        How many vectors there are.
    dim : int
        Their width; 0 where there are none and the file doesn't say.
    provenance : mapping
        What made them.
    """

    n_photos: int
    dim: int
    provenance: Mapping[str, Any]


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
        return _trained_on(self.provenance)

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
        parts = _open(path)
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
        parts = _open(path)
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
        held = what.get(array.dtype.kind, str(array.dtype))
        raise WhalereidError(f"vectors: hold {held}, not numbers; give an array of shape (ids, width).")
    with np.errstate(over="ignore"):  # what float32 can't hold becomes infinite, and is refused by name
        return np.ascontiguousarray(array, dtype=np.float32)


def _trained_on(provenance: Mapping[str, Any]) -> TrainedOn | None:
    parts = provenance.get("concatenated")
    if parts is not None:
        if not isinstance(parts, list | tuple) or not all(isinstance(part, Mapping) for part in parts):
            raise WhalereidError("'concatenated' is no list of what made each part.")
        return TrainedOn.of_all([_trained_on(part) for part in parts])
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
    return companion(path, ".", ".parts")


def parts_of(folder: Path) -> list[Path]:
    """Parquet files of a folder, by name; hidden ones are half-written."""
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))


def read_marker(folder: Path) -> dict[str, Any]:
    """Read a folder's marker: ``complete`` and ``provenance``."""
    path = folder / MARKER
    try:
        marker = read_json(path, "the marker that `whalereid embed` wrote")
    except WhalereidError as error:
        raise WhalereidError(f"{str(error).rstrip('.')}; delete the folder and embed again.") from error
    complete, provenance = marker.get("complete"), marker.get("provenance")
    if not isinstance(complete, bool) or not isinstance(provenance, dict):
        raise WhalereidError(
            f"{path}: can't be read (its 'complete' or 'provenance' is missing or of another kind); delete the folder "
            "and embed again."
        )
    return {"complete": complete, "provenance": provenance}


def write_table(
    path: str | os.PathLike[str], embeddings: Embeddings, notes: Mapping[bytes, bytes] | None = None
) -> None:
    """Write a Parquet file, whole or not at all; `notes` go beside the provenance in its schema metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        provenance = json.dumps(dict(embeddings.provenance)).encode()
    except (TypeError, ValueError) as error:
        raise WhalereidError(f"{path}: provenance holds what JSON can't ({error}); keep text and numbers.") from error
    flat = pa.array(embeddings.vectors.reshape(-1), type=pa.float32())
    table = pa.table(
        {
            "image_id": pa.array(embeddings.ids, type=pa.string()),
            "embedding": pa.FixedSizeListArray.from_arrays(flat, embeddings.dim),
        }
    )
    table = table.replace_schema_metadata({_METADATA_KEY: provenance, **(notes or {})})
    with replacing(path) as beside:
        pq.write_table(table, beside, compression="zstd", row_group_size=_ROW_GROUP, use_dictionary=False)


def read_table(path: Path) -> tuple[Embeddings, Mapping[bytes, bytes]]:
    """Read one Parquet file, and all of its schema metadata."""
    part = _Part(path)
    ids = np.empty(part.header.n_photos, object)
    vectors = np.empty((len(ids), part.header.dim), np.float32)
    part.read_into(ids, vectors)
    try:
        return Embeddings(ids, vectors, part.header.provenance), part.notes
    except WhalereidError as error:
        raise WhalereidError(f"{path}: {error}") from error


def read_keys(path: Path, name: bytes) -> tuple[np.ndarray, str]:
    """Read one Parquet file's ids, (N,) str objects, and what its schema metadata holds by this name; no vectors."""
    part = _Part(path)
    keys = part.notes.get(name, b"").decode("ascii", errors="replace")
    return part.read_ids() if keys else np.empty(0, object), keys


def _open(path: str | os.PathLike[str]) -> list[_Part]:
    """Open the parts of a file or folder, at least one, all made alike."""
    instance(path, "path", (str, os.PathLike), "the path of a Parquet file, or of a folder of them")
    path = Path(path)
    with os_errors(path):
        return _parts(path)


def _parts(path: Path) -> list[_Part]:
    if path.is_dir():
        unfinished, files = (path / MARKER).exists() and not read_marker(path)["complete"], parts_of(path)
    else:
        unfinished, files = work_folder(path).exists() and not path.exists(), [path] if path.exists() else []
    if unfinished:
        raise WhalereidError(f"{path}: unfinished; run the same `whalereid embed` again, it goes on from there.")
    if not files:
        raise WhalereidError(f"{path}: no embeddings there; `whalereid embed` writes them.")
    parts = [_Part(file) for file in files]
    first = parts[0].header
    for part in parts:
        if part.header.dim != first.dim or part.header.provenance != first.provenance:
            differs = part.header.dim != first.dim
            what = f"is {part.header.dim} wide, not {first.dim}" if differs else "was not made"
            raise WhalereidError(f"{part.path}: {what} as in {files[0].name}; keep one making's parts in a folder.")
    return parts


class _Part:
    """One Parquet file, of which the header was read; its file is open only while something is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._reading() as file:
            schema = file.schema_arrow
            columns = Counter(schema.names)
            absent = [name for name in _COLUMNS if not columns[name]]
            if absent:
                raise WhalereidError(f"{path}: no column {listing(absent)}; it has {listing(schema.names)}.")
            twice = [name for name in _COLUMNS if columns[name] > 1]
            if twice:
                raise WhalereidError(f"{path}: two columns are called {listing(twice)}; rename or remove one.")
            self._check_ids(schema.field("image_id").type)
            self.notes: Mapping[bytes, bytes] = schema.metadata or {}
            provenance = parse_json(
                self.notes.get(_METADATA_KEY, b"{}"), f"{path}: its provenance", "what `embed` notes"
            )
            try:
                _trained_on(provenance)
            except WhalereidError as error:
                raise WhalereidError(f"{path}: its provenance: {error}") from error
            self.header = Header(file.metadata.num_rows, self._width(file), provenance)
            check_size(path, 4 * self.header.n_photos * self.header.dim, MOST_NUMBERS_GB)

    def read_into(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """Fill (n,) objects and (n, D) float32 with what is there, a few megabytes at a time."""
        import pyarrow as pa

        start, step = 0, max(1, _READ_BYTES // (4 * max(self.header.dim, 1)))
        with self._reading() as file, np.errstate(over="ignore"):
            for batch in file.iter_batches(step, columns=["image_id", "embedding"]):
                names, lists = batch["image_id"], batch["embedding"]
                rows = slice(start, start + len(batch))
                if names.null_count:
                    raise WhalereidError(f"{self.path}: {names.null_count} rows have no image_id.")
                flat = lists.flatten()  # without what is missing
                if lists.null_count or len(flat) != len(batch) * self.header.dim or self._odd_widths(lists):
                    widths = sorted({self.header.dim, *self._odd_widths(lists)})
                    raise WhalereidError(f"{self.path}: embeddings differ in width ({listing(widths)}) or are missing.")
                if pa.types.is_dictionary(names.type):
                    names = names.dictionary_decode()
                ids[rows] = names.to_numpy(zero_copy_only=False)
                vectors[rows] = flat.to_numpy(zero_copy_only=False).reshape(vectors[rows].shape)
                start = rows.stop
        if start != len(ids):
            raise WhalereidError(f"{self.path}: holds {start} rows where it promises {len(ids)}; write it again.")

    def _check_ids(self, kind: Any) -> None:
        """Refuse a column of ids that are neither text nor whole numbers."""
        import pyarrow as pa

        held = kind.value_type if pa.types.is_dictionary(kind) else kind
        is_text = pa.types.is_string(held) or pa.types.is_large_string(held) or str(held) == "string_view"
        if not is_text and not pa.types.is_integer(held):
            raise WhalereidError(f"{self.path}: column image_id holds {kind}; ids are text, or whole numbers.")

    def read_ids(self) -> np.ndarray:
        """(N,) objects."""
        with self._reading() as file:
            column = file.read(columns=["image_id"])["image_id"]
            return np.asarray(column.to_numpy(zero_copy_only=False), object)

    def _width(self, file: pq.ParquetFile) -> int:
        import pyarrow as pa

        kind = file.schema_arrow.field("embedding").type
        fixed = pa.types.is_fixed_size_list(kind)
        is_list = fixed or pa.types.is_list(kind) or pa.types.is_large_list(kind)
        if not is_list or not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
            raise WhalereidError(f"{self.path}: column embedding holds {kind}, not lists of numbers.")
        width = int(kind.list_size) if fixed else 0
        if not fixed:
            for batch in file.iter_batches(1, columns=["embedding"]):
                width = int(batch["embedding"].value_lengths()[0].as_py() or 0)
                break
        if width < 1 and (fixed or file.metadata.num_rows):
            raise WhalereidError(f"{self.path}: its first embedding is missing, or 0 wide; a vector holds numbers.")
        return width

    def _odd_widths(self, lists: Any) -> set[int]:
        """Widths, other than the header's, of the lists that are there."""
        import pyarrow as pa

        if pa.types.is_fixed_size_list(lists.type):
            return set()
        return set(lists.value_lengths().drop_null().unique().to_pylist()) - {self.header.dim}

    @contextmanager
    def _reading(self) -> Iterator[pq.ParquetFile]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        check_file(self.path, MOST_NUMBERS_GB)
        try:
            # without these two a whole column is in memory beside what it is read into
            with pq.ParquetFile(self.path, buffer_size=1 << 20, pre_buffer=False) as file:
                yield file
        except WhalereidError:
            raise
        except MemoryError as error:
            raise WhalereidError(f"{self.path}: is too large for the memory of this machine.") from error
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:  # text that isn't UTF-8, for one
            raise WhalereidError(f"{self.path}: can't be read as Parquet ({error}).") from error
