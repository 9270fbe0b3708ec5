"""Make a catalogue of what people have: read it, name its columns, write the table and what it was made of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whalereid.arguments import instance
from whalereid.catalogue.exif import fill_from_exif
from whalereid.catalogue.import_file import IMPORT_FILE, Import, is_as_imported
from whalereid.catalogue.importing.columns import ask, check_columns, rename
from whalereid.catalogue.importing.photos import complete, refuse_outside
from whalereid.catalogue.readers import read_as
from whalereid.catalogue.readers.table import NAMES
from whalereid.catalogue.schema import known_names
from whalereid.catalogue.table import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.files import disk_errors, replacing_all
from whalereid.outputs import CATALOGUE, check_output, is_import, is_same
from whalereid.tables import write_table

__all__ = ["check_import", "import_catalogue"]

_TABLE = "metadata.csv"


def check_import(out: str | os.PathLike[str], source: Any = None, *, force: bool = False) -> str | None:
    """Refuse a folder that a catalogue can't be written to, or where one would be lost. Writes nothing.

    Parameters
    ----------
    out : path
        The folder. What lies there is kept, but for the table and notes of an earlier import.
    source : path, optional
        What is to be imported: it is never written over, whatever `force` says.
    force : bool, default=False
        Replace a table that no import has written, or that was changed since.

    Returns
    -------
    str or None
        What will be lost because of `force`, in words; None where nothing will.

    Raises
    ------
    WhalereidError
        It is no folder, or the source's own; a table is there that no import has written; or it can't be written.
    """
    instance(out, "out", (str, os.PathLike), "the folder to write to")
    instance(force, "force", bool, "True or False")
    if not os.fspath(out):
        raise WhalereidError("out is empty; give the folder for the catalogue.")
    folder = Path(out)
    table, notes = folder / _TABLE, folder / IMPORT_FILE
    with disk_errors(folder):
        if folder.exists() and not folder.is_dir():
            raise WhalereidError(f"{folder}: is a file; a catalogue is written to a folder, so choose another name.")
        path = Path(source) if isinstance(source, str | os.PathLike) and os.fspath(source) else None
        if path is not None and path.is_dir() and path.resolve() in (folder.resolve(), *folder.resolve().parents):
            raise WhalereidError(
                f"{folder}: is {'what' if is_same(path, folder) else 'inside what'} is imported, which an import never "
                "changes; choose a folder beside it (`whalereid check --write` writes a table into it)."
            )
        check_output(table, CATALOGUE, inputs=[path], force=force)
        there = [one.name for one in (folder.iterdir() if folder.is_dir() else ()) if one.name.lower() in NAMES]
        lost = [name for name in sorted(there) if name != _TABLE or not _is_ours(table)]
        if notes.exists() and not (notes.is_file() and is_import(notes)):
            lost.append(IMPORT_FILE)
        others = [name for name in lost if name not in (_TABLE, IMPORT_FILE)]
        if others:
            raise WhalereidError(f"{folder}: holds {listing(others)}, another table of photos; choose another folder.")
        if lost and not force:
            raise WhalereidError(
                f"{folder / lost[0]}: is there already, and isn't as an import has written it; choose another folder, "
                "or overwrite it with --force (force=True in Python)."
            )
    return f"{listing(lost)}, not as an import has written it" if lost else None


def _is_ours(table: Path) -> bool:
    try:
        return is_as_imported(table)
    except WhalereidError:  # its notes are broken
        return False


def import_catalogue(
    source: str | os.PathLike[str] | Any,
    out: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    layout: str | None = None,
    options: Mapping[str, Any] | None = None,
    exif: bool = False,
    force: bool = False,
    progress: bool = False,
) -> Catalogue:
    """Read any source that any reader reads, and write it as a catalogue: ``metadata.csv`` and ``import.json``.

    The source stays as it is, and photos where they are: ``import.json`` names their folder, which reading heeds.

    Parameters
    ----------
    source : path, or object with ``metadata`` and ``root``
        As `Catalogue.read` takes it.
    out : path
        The folder for the catalogue.
    columns : mapping of str to str, optional
        Known columns, each with the source's column that means it: ``{"image_id": "Image", "identity": "Id"}``.
    layout : str, optional
        The reader to use, as `Catalogue.read` takes it; by default the layout is recognised.
    options : mapping of str to value, optional
        Of that reader, such as ``{"photos": "survey/"}``; refused where it has none of that name.
    exif : bool, default=False
        Take dates and positions that the table lacks from the photos' EXIF.
    force : bool, default=False
        Replace a table in `out` that no import has written.
    progress : bool, default=False
        Show a bar on stderr while EXIF is read.

    Returns
    -------
    Catalogue
        As it was written; its notes say what was taken for what.

    Raises
    ------
    WhalereidError
        As for `Catalogue.read` and `check_import`; there is no such column; a path leads out of the photos' folder.
    """
    wanted = "a mapping such as {'identity': 'Id'}"
    mapping = {} if columns is None else dict(instance(columns, "columns", Mapping, wanted))
    for name in (*mapping, *mapping.values()):
        instance(name, "columns", str, wanted)
    check_columns(mapping)
    for name, value in {"exif": exif, "progress": progress}.items():
        instance(value, name, bool, "True or False")
    check_import(out, source, force=force)
    found, part = read_as(source, layout, options)
    table = Path(out) / _TABLE
    if is_same(Path(found.source), table):
        raise WhalereidError(f"{table}: is what is imported, and an import never changes that; choose another folder.")
    frame, notes = rename(found.frame, mapping, where=found.source)
    frame, filled = complete(known_names(frame, where=found.source), found.root, where=found.source)
    question = ask([name for name in frame.columns if not str(name).startswith("original_")])
    said = [*found.notes, *notes, *filled, *([question] if question else [])]
    if found.scenarios:
        said.append(f"its {len(found.scenarios)} scenarios stay behind; only the table is imported")
    catalogue = Catalogue(frame, found.root, source=found.source, notes=said)
    if not len(catalogue):
        raise WhalereidError(f"{found.source}: the table is empty; it needs a row for each photo.")
    refuse_outside(catalogue)
    if exif:
        catalogue = fill_from_exif(catalogue, progress=progress)
    noted = Import(found.source, found.root, part, mapping)
    with replacing_all([table.parent / IMPORT_FILE, table]) as (notes_beside, table_beside):
        write_table(catalogue.frame, table_beside)
        noted.write(notes_beside, table_beside, place=table)
    return catalogue
