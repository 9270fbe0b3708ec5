"""`whalereid check`: what is wrong with the table and its photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from whalereid.cli.command import Answer
from whalereid.cli.console import read_photos, refuse_absent, say, shows_progress
from whalereid.cli.options import INPUT, MAX_PHOTO_MB, OUTPUT, CatalogueOption, Exif, Layout
from whalereid.errors import WhalereidError

if TYPE_CHECKING:
    from pathlib import Path

    from whalereid.catalogue import Catalogue

__all__ = ["command"]


def command(
    *,
    catalogue: CatalogueOption,
    layout: Layout = None,
    photos: Annotated[
        bool,
        typer.Option("--photos/--no-photos", help="Read every photo, or the table alone.", rich_help_panel=INPUT),
    ] = True,
    exif: Exif = False,
    max_photo_mb: Annotated[float | None, typer.Option(**MAX_PHOTO_MB)] = None,
    write: Annotated[
        bool,
        typer.Option(
            "--write",
            help="Write the table as it was read, with what --exif adds, for the other commands: metadata.csv.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 2 where an error is found, for scripts.", rich_help_panel=OUTPUT)
    ] = False,
) -> Answer:
    """Say what a catalogue holds, and what is wrong with the table and its photos.

    A catalogue is a table (.csv, .parquet) or a folder of any known layout. Found are: missing and unreadable photos,
    paths that leave the folder, boxes that reach beyond their photo, masks that can't be read or are of another size,
    photos that stand twice (byte for byte, or nearly), encounters with several identities, two identities for one box,
    identities with one photo, viewpoints not known, dates that can't be read. Also which candidate rules the table can
    bear: how many photos have another of their animal among their candidates, and what becomes of photos whose value
    isn't known. Whatever it finds, it exits 0, unless --strict is given; 2 means that the table can't be used at all.

    Example: [bold]whalereid check --catalogue data/nyala[/bold]
    """
    refuse_absent(catalogue)
    from whalereid.catalogue import audit

    table = read_photos(catalogue, layout, exif=exif)
    out = _write(table) if write else None
    if out is not None:
        say(f"written: {out}, which every command reads from now on")
    if photos:
        say(f"{len(table):,} photos to read; --no-photos checks the table alone")
    found = audit(table, photos=photos, progress=photos and shows_progress())

    def show() -> None:
        from rich.console import Console

        Console(highlight=False).print(found, soft_wrap=True)

    wrong = any(finding.severity == "error" for finding in found.findings)
    return Answer(found.to_dict() | {"out": out and str(out)}, show, 2 if strict and wrong else 0)


def _write(table: Catalogue) -> Path:
    """Write the table beside its photos: its paths lead from there."""
    path = table.root / "metadata.csv"
    if path.exists():
        raise WhalereidError(f"{path}: is there already; --write doesn't replace it.")
    table.write(path)
    return path
