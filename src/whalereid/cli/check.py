"""`whalereid check`: what is wrong with the table and its photos."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from whalereid.cli.console import print_json, read_photos, say
from whalereid.cli.options import MAX_PHOTO_MB
from whalereid.errors import WhalereidError

if TYPE_CHECKING:
    from pathlib import Path

    from whalereid.catalogue import Catalogue

__all__ = ["command"]


def command(
    catalogue: Annotated[str, typer.Argument(help="A table (.csv, .parquet) or a folder of any known layout.")],
    layout: Annotated[
        str | None,
        typer.Option(help="Take it for this layout: table, competition, coco, lila-test or folders."),
    ] = None,
    photos: Annotated[bool, typer.Option("--photos/--no-photos", help="Read every photo, or the table alone.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write the table as it was read, for the other commands: metadata.csv.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 2 where an error is found, for scripts.")] = False,
    max_photo_mb: Annotated[float | None, typer.Option(**MAX_PHOTO_MB)] = None,
) -> None:
    """Say what a catalogue holds, and what is wrong with the table and its photos.

    Missing and unreadable photos, paths that leave the folder, photos that stand twice (byte for byte, or nearly),
    encounters with several identities, identities with one photo, viewpoints not known, dates that can't be read.
    Also which candidate rules the table can bear: how many photos have another of their animal among their candidates.
    Whatever it finds, it exits 0, unless --strict is given; 2 means that the table can't be used at all.

    Example: [bold]whalereid check data/nyala[/bold]
    """
    if not os.path.exists(catalogue):  # noqa: PTH110 - never raises; and before pandas, which takes a second
        raise WhalereidError(f"{catalogue}: no such file or folder.")
    from whalereid.catalogue import audit

    table = read_photos(catalogue, layout)
    if write:
        say(f"written: {_write(table)}, which every command reads from now on")
    if photos:
        say(f"{len(table):,} photos to read; --no-photos checks the table alone")
    found = audit(table, photos=photos, progress=photos)
    if json:
        print_json(found.to_dict())
    else:
        from rich.console import Console

        Console(highlight=False).print(found, soft_wrap=True)
    if strict and any(finding.severity == "error" for finding in found.findings):
        raise typer.Exit(2)


def _write(table: Catalogue) -> Path:
    """Write the table beside its photos: its paths lead from there."""
    path = table.root / "metadata.csv"
    if path.exists():
        raise WhalereidError(f"{path}: is there already; --write doesn't replace it.")
    table.write(path)
    return path
