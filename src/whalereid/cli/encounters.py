"""`whalereid encounters`: encounters from time and place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whalereid.cli.command import Answer
from whalereid.cli.console import check_out, read_photos, refuse_absent, say
from whalereid.cli.options import DISTANCE, GAP, OUTPUT, CatalogueOption, Exif, Force, Layout
from whalereid.outputs import CATALOGUE

__all__ = ["command"]

HOW = "What is one encounter"


def command(
    *,
    catalogue: CatalogueOption,
    layout: Layout = None,
    exif: Exif = False,
    gap: Annotated[
        float,
        typer.Option(metavar="MINUTES", help="The longest from one photo to the next.", rich_help_panel=HOW, **GAP),
    ] = 60,
    distance: Annotated[
        float,
        typer.Option(
            metavar="METRES",
            help="The farthest from one photo to the next, where both have a position.",
            rich_help_panel=HOW,
            **DISTANCE,
        ),
    ] = 500,
    again: Annotated[
        bool,
        typer.Option("--again", help="Make anew those that the table has, too, which else stay.", rich_help_panel=HOW),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE",
            help="Write the table with its encounters here, beside the photos or in a folder around them; by default "
            "they are only shown.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    force: Force = False,
) -> Answer:
    """Make encounters where a table has none: photos that follow each other in time, at one place.

    Shown are how many and how large they are, how many photos lack a date, and how many encounters hold several
    identities, so that the gap can be chosen; nothing is written without --out. Places are the columns latitude and
    longitude, or else location. Photos without a date get no encounter. Where dates have no time of day, the photos of
    one day and place are one encounter.

    Example: [bold]whalereid encounters --catalogue data/ --gap 60 --distance 500 --out data/met.csv[/bold]
    """
    refuse_absent(catalogue)
    if out is not None:
        check_out(out, CATALOGUE, inputs=[catalogue], force=force)
    from whalereid.catalogue import Encounters

    how = Encounters(gap, distance, again)
    photos = read_photos(catalogue, layout, exif=exif)
    if out is not None:
        check_out(out, CATALOGUE, inputs=[Path(photos.source)], force=force)
        photos.with_root(out.parent)  # refused before the work
    found = how.of(photos)
    if out is not None:
        found.catalogue.with_root(out.parent).write(out, force=force)
    else:
        say("nothing is written; --out TABLE writes them")

    def show() -> None:
        from rich.console import Console

        Console(highlight=False).print(found, soft_wrap=True)
        if out is not None:
            say(f"written: {out}")

    return Answer(found.to_dict() | {"out": out and str(out)}, show)
