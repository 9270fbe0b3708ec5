"""One reader per layout, and the one that recognises which.

A reader is a module with two functions: ``recognises(folder: Listing) -> bool`` looks at the names in one folder alone,
``read(folder: Path) -> Catalogue`` reads it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whalereid.arguments import choice, instance
from whalereid.catalogue.readers import coco, competition, folders, lila_test, table, wildlife
from whalereid.catalogue.readers.listing import Listing
from whalereid.errors import WhalereidError, listing
from whalereid.tables import read_table, write_table

if TYPE_CHECKING:
    from whalereid.catalogue.table import Catalogue

__all__ = ["LAYOUTS", "read", "read_table", "write_table"]

# A folder that several would take goes to the first.
_BY_NAME: dict[str, Any] = {"lila-test": lila_test, "coco": coco, "competition": competition, "table": table}
LAYOUTS = ("table", "competition", "coco", "lila-test", "folders", "wildlife")
_ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z"})
_DEPTH = 2  # folders around a data set, as archives unpack


def read(source: str | os.PathLike[str] | Any, layout: str | None = None) -> Catalogue:
    """Read a catalogue, recognising its layout; see `Catalogue.read`."""
    if layout is not None:
        choice(layout, "layout", LAYOUTS)
    if not isinstance(source, str | os.PathLike):
        if not (hasattr(source, "metadata") and hasattr(source, "root")):
            wanted = "a path, or an object with a DataFrame .metadata and a folder .root"
            if hasattr(source, "columns"):
                wanted += "; a DataFrame becomes a catalogue by Catalogue(frame, root)"
            instance(source, "source", (str, os.PathLike), wanted)
        if layout not in (None, "wildlife"):
            raise WhalereidError(f"layout {layout!r} reads a path, not a {type(source).__name__}.")
        catalogue = wildlife.read(source)
    else:
        if not os.fspath(source) or "\0" in str(source):
            raise WhalereidError(f"source is {str(source)!r}, which is no path; give that of a table or a folder.")
        path = Path(source)
        if layout == "wildlife":
            raise WhalereidError(f"{path}: layout 'wildlife' reads an object with .metadata and .root, not a path.")
        try:
            if not path.exists():
                raise WhalereidError(f"{path}: no such file or folder.")
        except OSError as error:
            raise WhalereidError(f"{path}: can't be read ({error.strerror}).") from error
        catalogue = _read_folder(path, layout) if path.is_dir() else _read_file(path, layout)
    if not len(catalogue):
        raise WhalereidError(f"{catalogue.source}: the table is empty; it needs a row for each photo.")
    return catalogue


def _read_file(path: Path, layout: str | None) -> Catalogue:
    if layout not in (None, "table"):
        raise WhalereidError(f"{path}: layout {layout!r} reads a folder, this is a file.")
    if path.suffix.lower() in _ARCHIVES:
        raise WhalereidError(f"{path}: is an archive; unpack it, then give its folder.")
    if path.suffix.lower() == ".json":
        raise WhalereidError(f"{path}: give the folder that holds annotations/ and images/, not the annotations.")
    return table.read_file(path)


def _read_folder(path: Path, layout: str | None) -> Catalogue:
    if layout != "folders":
        readers = _BY_NAME if layout is None else {layout: _BY_NAME[layout]}
        level = [Listing(path)]
        for _ in range(_DEPTH + 1):
            found = [(folder, name) for folder in level if (name := _recognise(folder, readers)) is not None]
            if len(found) > 1:
                there = listing(f"{folder.path.relative_to(path)} ({name})" for folder, name in found)
                raise WhalereidError(f"{path}: holds several data sets: {there}; name one of them.")
            if found:
                folder, name = found[0]
                return readers[name].read(folder)
            level = [Listing(inner) for folder in level for inner in folder.folders]
    if layout in (None, "folders"):
        return folders.read(Listing(path), insists=layout == "folders")
    raise WhalereidError(f"{path}: no data set of layout {layout!r} here; {_BY_NAME[layout].WANTED}.")


def _recognise(folder: Listing, readers: dict[str, Any]) -> str | None:
    return next((name for name, reader in readers.items() if reader.recognises(folder)), None)
