"""import.json: beside a table that was imported, what it was made of, and where its photos lie."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whalereid.errors import WhalereidError
from whalereid.outputs import is_import, is_same
from whalereid.reading import digest_of, os_errors, read_json
from whalereid.registry import Part

__all__ = ["IMPORT_FILE", "Import", "is_as_imported", "root_noted"]

IMPORT_FILE = "import.json"
_FORMAT = "whalereid-import/1"
_WHAT = "what `whalereid import` notes"


@dataclass(frozen=True)
class Import:
    """How a table came about.

    Attributes
    ----------
    source : str
        What was imported: a path, or what an object is called.
    root : path
        The folder that the photos' paths are relative to.
    layout : Part
        The reader that read it, with its options.
    columns : mapping of str to str
        Known columns, each with the source's column that became it.
    """

    source: str
    root: Path
    layout: Part
    columns: Mapping[str, str]

    def write(self, path: Path, table: Path, *, place: Path) -> None:
        """Write the notes to `path`, about the table that was written to `table` and both will stand in `place`."""
        source = Path(self.source)
        noted = {
            "format": _FORMAT,
            "table": {"file": place.name, "sha256": digest_of(table)},
            "photos": _way(self.root, place.parent),
            "source": {
                "path": _way(source, place.parent) if source.exists() else self.source,
                "sha256": digest_of(source) if source.is_file() else None,
            },
            "layout": self.layout.to_dict(),
            "columns": dict(self.columns),
        }
        path.write_text(json.dumps(noted, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def is_as_imported(table: Path) -> bool:
    """Whether a table is one that an import wrote, and nobody has changed since.

    Raises
    ------
    WhalereidError
        The notes beside it are broken.
    """
    noted = _noted(table)
    ours = noted is not None and noted["table"].get("file") == table.name
    return noted is not None and ours and noted["table"].get("sha256") == digest_of(table)


def root_noted(table: Path) -> Path | None:
    """The folder of the photos, where an import has noted it for the tables beside it; None where there are no notes.

    Raises
    ------
    WhalereidError
        The notes are broken, or the folder isn't there.
    """
    noted = _noted(table)
    if noted is None:
        return None
    way, where = noted.get("photos"), table.parent / IMPORT_FILE
    if not isinstance(way, str) or not way.strip() or "\0" in way:
        raise WhalereidError(f"{where}: its 'photos' is {way!r:.80}, not the folder of the photos; import again.")
    plain = table.parent / way
    tidy = Path(os.path.normpath(plain))
    root = tidy if is_same(tidy, plain) else plain  # a link on the way may lead elsewhere
    with os_errors(root):
        if root.is_dir():
            return root
    raise WhalereidError(
        f"{where}: the folder of the photos, {way!r:.300}, isn't there; bring it back, write where it is now as "
        "'photos' in that file, or import again with --photos FOLDER."
    )


def _noted(table: Path) -> dict[str, Any] | None:
    """What an import has noted in the folder of this table; None where none has."""
    path = table.parent / IMPORT_FILE
    with os_errors(path):
        if not path.is_file() or not is_import(path):
            return None
    noted = read_json(path, _WHAT)
    if noted.get("format") != _FORMAT:
        raise WhalereidError(f"{path}: has the form {noted.get('format')!r:.40}; this version reads {_FORMAT}.")
    if not isinstance(noted.get("table"), dict):
        raise WhalereidError(f"{path}: isn't {_WHAT} (it names no table); import again.")
    return noted


def _way(path: Path, start: Path) -> str:
    """The way to a path from a folder, so that both can be moved together; the whole path where there is none."""
    real = start.resolve()
    try:
        way = Path(os.path.relpath(path.absolute(), real))
        return (way if is_same(real / way, path) else Path(os.path.relpath(path.resolve(), real))).as_posix()
    except ValueError:  # on another drive
        return path.resolve().as_posix()
