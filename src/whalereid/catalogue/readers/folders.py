"""One folder per identity: ROOT/IDENTITY/photo.jpg."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from whalereid.catalogue.readers.listing import Listing
from whalereid.catalogue.table import Catalogue
from whalereid.decoding import PHOTO_SUFFIXES
from whalereid.errors import WhalereidError, listing

__all__ = ["read"]

_SUFFIXES = PHOTO_SUFFIXES | {".heic", ".heif"}  # can't be read, so must not be passed over in silence
_NOT_AN_IDENTITY = frozenset({"images", "image", "photos", "pictures", "queries", "databases"})


def read(folder: Listing) -> Catalogue:
    """Read every photo below a folder; its identity is the first folder on the way, its id the way without suffix.

    Photos that lie in no such folder have no identity.
    """
    root = folder.path
    while _is_around_another(folder):
        folder = Listing(folder.folders[0])
    where = folder.path
    paths = [path.relative_to(where) for path in _walk(where)]
    identities = [path.parts[0] if len(path.parts) > 1 else None for path in paths]
    known = {name for name in identities if name is not None}
    if not known or {name.lower() for name in known} <= _NOT_AN_IDENTITY:
        raise WhalereidError(f"{root}: {_why_not(folder, bool(paths))}")
    for path in paths:
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            raise WhalereidError(f"{where}: the name {str(path)!a} is not UTF-8; rename it.") from error
    posix = pd.Series([path.as_posix() for path in paths])
    stems = pd.Series([path.with_suffix("").as_posix() for path in paths])
    image_ids = stems.mask(stems.duplicated(keep=False), posix)  # a.jpg beside a.png
    if image_ids.duplicated().any():
        image_ids = posix
    return Catalogue(
        pd.DataFrame({"image_id": image_ids, "path": posix, "identity": identities}), where, source=str(where)
    )


def _is_around_another(folder: Listing) -> bool:
    """Whether a folder merely holds the one with the identities, as archives unpack; else its one folder is one."""
    if len(folder.folders) != 1 or _photos(folder.files):
        return False
    inner = Listing(folder.folders[0])
    return len(inner.folders) > 1 or (bool(inner.folders) and not _photos(inner.files))


def _walk(folder: Path) -> list[Path]:
    here = Listing(folder)
    loops = (folder.resolve(), *folder.resolve().parents)  # where a link back up would lead
    inner = [path for path in here.folders if not path.is_symlink() or path.resolve() not in loops]
    return [*_photos(here.files), *(photo for path in inner for photo in _walk(path))]


def _photos(files: list[Path]) -> list[Path]:
    return [path for path in files if path.suffix.lower() in _SUFFIXES]


def _why_not(folder: Listing, has_photos: bool) -> str:
    tables = [path.name for path in folder.files if path.suffix.lower() in (".csv", ".parquet")]
    if tables:
        return f"holds no metadata.csv; if {listing(tables)} is the table of photos, give its path."
    if has_photos:
        return "holds photos, but no metadata.csv to say what they show, nor a folder per identity."
    return (
        "holds no data set: no metadata.csv or metadata.parquet, no annotations/instances_*.json, "
        "no private_test_metadata.csv, and no folder per identity with photos."
    )
