"""Writing a catalogue in other programs' formats."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from whalereid.arguments import instance
from whalereid.catalogue.readers.table import NAMES
from whalereid.catalogue.table import Catalogue
from whalereid.catalogue.writers.writer import Writer
from whalereid.errors import WhalereidError
from whalereid.files import replacing_all
from whalereid.outputs import check_output
from whalereid.parts import WRITERS
from whalereid.registry import Part

__all__ = ["check_export", "export"]


def export(
    catalogue: Catalogue, path: str | os.PathLike[str], to: str | Mapping[str, Any] | Part, *, force: bool = False
) -> tuple[str, ...]:
    """Write a catalogue for another program, whole or not at all.

    Boxes and masks, identities (given or predicted) and every other column are kept: what is written here and read
    again by `Catalogue.read` is the same catalogue.

    Parameters
    ----------
    catalogue : Catalogue
        What to write. Its photos stay where they are.
    path : path
        The file; of ``camtrap-dp`` the folder. An earlier one of the same kind is replaced.
    to : str, mapping or Part
        The format: ``csv``, ``parquet``, ``xlsx``, ``camtrap-dp``, ``coco``, or another of
        ``whalereid.parts.WRITERS``, with its options as ``name:key=value,...``.
    force : bool, default=False
        Replace files of another kind, too; never the one that the catalogue was read from.

    Returns
    -------
    tuple of str
        What should be known, a sentence each: what the format needs and the catalogue lacks, where photos are looked
        for.

    Raises
    ------
    WhalereidError
        Another suffix, something else is there, the place can't be written; or the format can't hold a value, which is
        named by row and column.
    """
    catalogue = instance(catalogue, "catalogue", Catalogue, "a Catalogue (Catalogue.read(path) makes one)")
    instance(path, "path", (str, os.PathLike), "the path of a file or folder")
    if not os.fspath(path) or "\0" in str(path):
        raise WhalereidError(f"path is {str(path)!r}, which is no path; say where to write.")
    instance(force, "force", bool, "True or False")
    instance(to, "to", (str, Mapping, Part), "a format, such as 'coco'")
    read_from = [Path(catalogue.source), *(Path(catalogue.source, name) for name in NAMES)]
    writer, places, _ = check_export(path, to, inputs=read_from, force=force)
    with replacing_all([*places.values()]) as besides:
        notes = writer.write(catalogue, dict(zip(places, besides, strict=True)), Path(path))
    return tuple(notes)


def check_export(
    path: str | os.PathLike[str],
    to: str | Mapping[str, Any] | Part,
    *,
    inputs: Iterable[str | os.PathLike[str]] = (),
    force: bool = False,
) -> tuple[Writer, dict[str, Path], dict[Path, str]]:
    """Refuse a place where `export` can't write; writes nothing.

    Gives the writer, the files it will write, and of those that only `force` lets it overwrite what they are.
    """
    writer: Writer = WRITERS.make(to)
    out = Path(path)
    places = {name: out / name if name else out for name in writer.kinds}
    read = list(inputs)
    lost = {
        place: words
        for name, place in places.items()
        if (words := check_output(place, writer.kinds[name], inputs=read, force=force)) is not None
    }
    return writer, places, lost
