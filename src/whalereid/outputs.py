"""What is written: its kinds, and the gate before each file. Ours, of this kind, or new; else it is refused."""

from __future__ import annotations

import csv
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from whalereid.errors import WhalereidError, listing
from whalereid.files import disk_errors, mode_of, special

__all__ = [
    "CALIBRATION",
    "CATALOGUE",
    "COCO",
    "EMBEDDINGS",
    "FIGURE",
    "FOLDS",
    "PACKAGE",
    "PICTURE",
    "RANKING",
    "REPORT",
    "REPORT_MARKER",
    "SOFTWARE",
    "TASK",
    "WORKBOOK",
    "Kind",
    "check_output",
    "has_columns",
    "is_import",
    "is_protocol",
    "is_same",
    "made_by",
    "signed",
]

SOFTWARE = "whalereid"
"""The word that our pictures and figures carry inside, so that they are known again."""

REPORT_MARKER = "report.json"
"""The file that tells a folder of pages of ours from another."""

_HEAD = 1 << 16  # bytes of a file that are looked at
_TABLES = (".csv", ".parquet", ".pq")
_PARQUET = b"PAR1"
_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "a picture",
    b"\xff\xd8\xff": "a photo",
    b"II*\0": "a photo",
    b"MM\0*": "a photo",
    b"GIF8": "a picture",
    b"RIFF": "a picture or a video",
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a zip, a workbook or a checkpoint",
    b"SQLite format 3\0": "a database",
}


@dataclass(frozen=True)
class Kind:
    """A kind of file that is written.

    Attributes
    ----------
    name : str
        In words, with its article: ``"a ranking"``.
    suffixes : tuple of str
        What its name may end in, in lower case.
    is_ours : callable
        Whether a file is of this kind; looks at its first bytes alone, and may raise what reading raises.
    """

    name: str
    suffixes: tuple[str, ...]
    is_ours: Callable[[Path], bool]


def check_output(
    path: str | os.PathLike[str],
    kind: Kind,
    *,
    inputs: Iterable[str | os.PathLike[str] | None] = (),
    force: bool = False,
) -> str | None:
    """Refuse a place where a file can't be written, or where something would be lost. Writes nothing.

    Parameters
    ----------
    path : path
        The file wanted. New, empty, or an earlier one of its kind is fine. A link is followed.
    kind : Kind
        What is to be written.
    inputs : iterable of path or None
        Files and folders that the same call reads: they are never written over, whatever `force` says.
    force : bool, default=False
        Take a file of another kind as well.

    Returns
    -------
    str or None
        What will be lost because of `force`, in words; None where nothing will.

    Raises
    ------
    WhalereidError
        The name has another suffix; a file of another kind, an input, a folder, a device or a link that leads nowhere
        is there; or the place can't be written.
    """
    path = Path(path)
    with disk_errors(path):
        if path.suffix.lower() not in kind.suffixes:
            raise WhalereidError(f"{path}: {kind.name} is written with a name that ends in {_either(kind.suffixes)}.")
        mode = mode_of(path)
        if mode is None:
            _check_folder_of(path)
            return None
        if stat.S_ISDIR(mode):
            raise WhalereidError(f"{path}: is a folder; {kind.name} is a file, so choose another name.")
        if not stat.S_ISREG(mode):
            raise WhalereidError(f"{path}: is {special(mode)}; {kind.name} is a file, so choose another name.")
        _check_folder_of(path.resolve())
        read = [Path(given) for given in inputs if given is not None]
        for given in read:
            if is_same(given, path):
                raise WhalereidError(
                    f"{path}: is read by the same command ({given}), so it can't be written too; choose another name."
                )
        if path.stat().st_size == 0 or _is(kind, path):
            return None
        held = _what(path)
        if not force:
            raise WhalereidError(
                f"{path}: is there already, and is {held}, not {kind.name}; choose another name, or overwrite it with "
                "--force (force=True in Python)."
            )
        for given in read:
            if given.is_dir() and given.resolve() in path.resolve().parents:
                raise WhalereidError(
                    f"{path}: is {held} in {given}, which the same command reads; choose another name (--force never "
                    "overwrites what is read)."
                )
        return held


def _check_folder_of(path: Path) -> None:
    """Refuse a file whose folder can't take it."""
    for folder in path.parents:
        mode = mode_of(folder)
        if mode is not None:
            if not stat.S_ISDIR(mode):
                raise WhalereidError(f"{path}: can't be written, as {folder} is no folder; choose another place.")
            if not os.access(folder, os.W_OK | os.X_OK):
                raise WhalereidError(f"{path}: can't be written, as {folder} may not be; choose another place.")
            break


def is_same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, by whatever links."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # an input that isn't there; whoever reads it says so
        return False


def _is(kind: Kind, path: Path) -> bool:
    try:
        return kind.is_ours(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error):
        return False


def _what(path: Path) -> str:
    """Say what a file seems to be."""
    for kind in _KINDS:
        if _is(kind, path):
            return kind.name
    try:
        columns, head = _columns(path), _head(path)
    except OSError:
        return "a file that can't be read"
    if columns == ["query_id", "database_image_id"]:
        return "labels"
    for beginning, words in _BEGINNINGS.items():
        if head.startswith(beginning):
            return words
    if columns is not None and len(columns) > 1:
        return f"a table of {listing(columns, most=4)}"
    return f"a {path.suffix} file" if path.suffix else "some file"


def _either(suffixes: Sequence[str]) -> str:
    return " or ".join([", ".join(suffixes[:-1]), suffixes[-1]] if len(suffixes) > 1 else suffixes)


def _head(path: Path, size: int = _HEAD) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _columns(path: Path) -> list[str] | None:
    """The names of a CSV's or Parquet's columns; None where it is no table."""
    head = _head(path)
    if head.startswith(_PARQUET):
        return _parquet(path)[0]
    try:
        line = head.decode("utf-8-sig", errors="strict" if len(head) < _HEAD else "ignore").lstrip("\r\n").splitlines()
        return next(csv.reader(line[:1])) if line and line[0].isprintable() else None
    except (UnicodeDecodeError, csv.Error, StopIteration):
        return None


def _parquet(path: Path) -> tuple[list[str] | None, dict[bytes, bytes]]:
    """A Parquet file's columns and the notes in its schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        return None, {}
    return list(schema.names), dict(schema.metadata or {})


def has_columns(*names: str, more: bool = False) -> Callable[[Path], bool]:
    """Make a recogniser of tables that have these columns, and no others; with `more`, others after them."""
    return lambda path: (_columns(path) or [])[: len(names) if more else None] == list(names)


def _is_catalogue(path: Path) -> bool:
    return {"image_id", "path"} <= set(_columns(path) or ())


def _is_workbook(path: Path) -> bool:
    """Whether an Excel workbook carries our word as its creator."""
    with zipfile.ZipFile(path) as held, held.open("docProps/core.xml") as file:
        return f"creator>{SOFTWARE}<".encode() in file.read(_HEAD)


def _begins_with(pattern: bytes) -> Callable[[Path], bool]:
    """Make a recogniser of JSON by what stands near its beginning."""
    compiled = re.compile(pattern)
    return lambda path: compiled.match(_head(path, 4096)) is not None


def _is_embeddings(path: Path) -> bool:
    if not _head(path, 4).startswith(_PARQUET):
        return False
    columns, notes = _parquet(path)
    return columns == ["image_id", "embedding"] and b"whalereid" in notes


def _has_format(name: str) -> Callable[[Path], bool]:
    """Make a recogniser of JSON whose first entry is our format, of any version."""
    pattern = re.compile(rb'\s*\{\s*"format"\s*:\s*"' + re.escape(name.encode()) + rb"[/-]\d")
    return lambda path: pattern.match(_head(path, 256)) is not None


def made_by(path: Path) -> bool:
    """Whether a picture or figure carries our word."""
    head = _head(path)
    if head.startswith(b"%PDF"):
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _HEAD))
            return b"/Creator (whalereid" in file.read()
    if head.startswith(b"\x89PNG"):
        return b"tEXtSoftware\0whalereid" in head[:4096]
    if head.startswith(b"\xff\xd8"):
        return _COMMENT in head[:256]
    if head.startswith(b"RIFF"):
        return _WEBP_NOTE in _tail(path)
    return b"<svg" in head and re.search(rb"<dc:creator>.{0,200}<dc:title>whalereid", head, re.DOTALL) is not None


def _tail(path: Path, size: int = 256) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read()


_COMMENT = b"\xff\xfe" + (2 + len(SOFTWARE)).to_bytes(2, "big") + SOFTWARE.encode()  # a JPEG's comment
_WEBP_NOTE = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- {SOFTWARE} --></x:xmpmeta>'.encode()


def signed(picture: bytes, width: int, height: int) -> bytes:
    """Put our word into an encoded PNG, JPEG or WebP without transparency; its pixels stay as they are.

    A text chunk after a PNG's header (https://www.w3.org/TR/png-3/#11tEXt), a JPEG's comment, a WebP's XMP chunk
    (https://developers.google.com/speed/webp/docs/riff_container).
    """
    if picture.startswith(b"\x89PNG"):
        text = b"tEXtSoftware\0" + SOFTWARE.encode()
        chunk = (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
        return picture[:33] + chunk + picture[33:]  # 8 bytes of signature, 25 of header
    if picture.startswith(b"\xff\xd8"):
        start = 4 + int.from_bytes(picture[4:6], "big") if picture[2:4] == b"\xff\xe0" else 2  # JFIF's header is first
        return picture[:start] + _COMMENT + picture[start:]
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    extended = _webp_chunk(b"VP8X", b"\x04\0\0\0" + sides)
    pixels = b"".join(data for name, data in _webp_chunks(picture) if name in (b"VP8 ", b"VP8L"))
    body = b"WEBP" + extended + pixels + _webp_chunk(b"XMP ", _WEBP_NOTE)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _webp_chunk(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)


def _webp_chunks(picture: bytes) -> Iterable[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(picture):
        size = int.from_bytes(picture[at + 4 : at + 8], "little")
        end = at + 8 + size + size % 2
        yield picture[at : at + 4], picture[at:end]
        at = end


is_protocol = _has_format("whalereid-protocol")
"""Whether a file is the ``protocol.json`` of a protocol that was written."""

is_import = _has_format("whalereid-import")
"""Whether a file is the ``import.json`` of a catalogue that was imported."""

RANKING = Kind("a ranking", _TABLES, has_columns("query_id", "database_image_id", "score"))
TASK = Kind("a ranking's task", (".json",), _has_format("whalereid-task"))
FOLDS = Kind("a table of folds", _TABLES, has_columns("image_id", "fold"))
CATALOGUE = Kind("a catalogue", _TABLES, _is_catalogue)
EMBEDDINGS = Kind("whalereid's embeddings", (".parquet",), _is_embeddings)
CALIBRATION = Kind("a calibration", (".json",), _has_format("whalereid-calibration"))
REPORT = Kind("a report's mark", (".json",), _has_format("whalereid-report"))
FIGURE = Kind("a figure of whalereid's", (".png", ".svg", ".pdf"), made_by)
WORKBOOK = Kind("a workbook of whalereid's", (".xlsx",), _is_workbook)
COCO = Kind(
    "annotations of whalereid's",
    (".json",),
    _begins_with(rb'\s*\{\s*"info"\s*:\s*\{[^{}]*"contributor"\s*:\s*"whalereid"'),
)
PACKAGE = Kind(
    "a data package of whalereid's",
    (".json",),
    _begins_with(rb'\s*\{\s*"sources"\s*:\s*\[\s*\{\s*"title"\s*:\s*"whalereid"'),
)
PICTURE = Kind("a picture of whalereid's", (".png", ".jpg", ".jpeg", ".webp"), made_by)
_KINDS = (RANKING, TASK, FOLDS, CATALOGUE, EMBEDDINGS, CALIBRATION, FIGURE, WORKBOOK, COCO, PACKAGE)
