"""Embeddings on disk: Parquet files of ``image_id`` and ``embedding``, and folders of such parts."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from whalereid.arguments import instance
from whalereid.embeddings.provenance import trained_on_of
from whalereid.errors import WhalereidError, listing
from whalereid.files import companion, replacing
from whalereid.reading import MOST_NUMBERS_GB, check_file, check_size, os_errors, parse_json, read_json

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = [
    "MARKER",
    "Header",
    "Part",
    "open_parts",
    "parts_of",
    "read_keys",
    "read_marker",
    "work_folder",
    "write_part",
]

MARKER = "embeddings.json"
"""In a folder that `embed` writes: whether its parts are all there, and their provenance."""

_COLUMNS = ("image_id", "embedding")
_METADATA_KEY = b"whalereid"
_READ_BYTES = 8 << 20  # vectors read at a time
_ROW_GROUP = 1 << 16  # rows of a file that are compressed together, and read again together


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


def write_part(
    path: str | os.PathLike[str],
    ids: np.ndarray,
    vectors: np.ndarray,
    provenance: Mapping[str, Any],
    notes: Mapping[bytes, bytes] | None = None,
) -> None:
    """Write a Parquet file, whole or not at all; `notes` go beside the provenance in its schema metadata.

    Raises
    ------
    WhalereidError
        It can't be written, or JSON can't hold the provenance.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        noted = json.dumps(dict(provenance)).encode()
    except (TypeError, ValueError) as error:
        raise WhalereidError(f"{path}: provenance holds what JSON can't ({error}); keep text and numbers.") from error
    flat = pa.array(vectors.reshape(-1), type=pa.float32())
    table = pa.table(
        {
            "image_id": pa.array(ids, type=pa.string()),
            "embedding": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
        }
    )
    table = table.replace_schema_metadata({_METADATA_KEY: noted, **(notes or {})})
    with replacing(path) as beside:
        pq.write_table(table, beside, compression="zstd", row_group_size=_ROW_GROUP, use_dictionary=False)


def read_keys(path: Path, name: bytes) -> tuple[np.ndarray, str]:
    """Read one Parquet file's ids, (N,) str objects, and what its schema metadata holds by this name; no vectors."""
    part = Part(path)
    keys = part.notes.get(name, b"").decode("ascii", errors="replace")
    return part.read_ids() if keys else np.empty(0, object), keys


def open_parts(path: str | os.PathLike[str]) -> list[Part]:
    """Open the parts of a file or folder, at least one, all made alike.

    Raises
    ------
    WhalereidError
        Nothing there, not Parquet, a column is missing, parts differ in width or in what made them, or `embed` has not
        finished it.
    """
    instance(path, "path", (str, os.PathLike), "the path of a Parquet file, or of a folder of them")
    path = Path(path)
    with os_errors(path):
        return _parts(path)


def _parts(path: Path) -> list[Part]:
    if path.is_dir():
        unfinished, files = (path / MARKER).exists() and not read_marker(path)["complete"], parts_of(path)
    else:
        unfinished, files = work_folder(path).exists() and not path.exists(), [path] if path.exists() else []
    if unfinished:
        raise WhalereidError(f"{path}: unfinished; run the same `whalereid embed` again, it goes on from there.")
    if not files:
        raise WhalereidError(f"{path}: no embeddings there; `whalereid embed` writes them.")
    parts = [Part(file) for file in files]
    first = parts[0].header
    for part in parts:
        if part.header.dim != first.dim or part.header.provenance != first.provenance:
            differs = part.header.dim != first.dim
            what = f"is {part.header.dim} wide, not {first.dim}" if differs else "was not made"
            raise WhalereidError(f"{part.path}: {what} as in {files[0].name}; keep one making's parts in a folder.")
    return parts


class Part:
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
                trained_on_of(provenance)
            except WhalereidError as error:
                raise WhalereidError(f"{path}: its provenance: {error}") from error
            self.header = Header(file.metadata.num_rows, self._width(file), provenance)
            check_size(path, 4 * self.header.n_photos * self.header.dim, MOST_NUMBERS_GB)

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """(N,) objects and (N, D) float32: ids and vectors."""
        ids = np.empty(self.header.n_photos, object)
        vectors = np.empty((len(ids), self.header.dim), np.float32)
        self.read_into(ids, vectors)
        return ids, vectors

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

        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        is_text = pa.types.is_string(plain) or pa.types.is_large_string(plain) or str(plain) == "string_view"
        if not is_text and not pa.types.is_integer(plain):
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
