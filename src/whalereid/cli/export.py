"""`whalereid export`: write a catalogue for another program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whalereid.cli.command import Answer
from whalereid.cli.console import read_photos, refuse_absent, say, say_forced
from whalereid.cli.options import OUTPUT, CatalogueOption, Force, part_option, path_of
from whalereid.parts import WRITERS
from whalereid.registry import Part

__all__ = ["command"]


def command(
    *,
    catalogue: CatalogueOption,
    to: Annotated[
        Part,
        typer.Option(
            help="The format: csv, parquet, xlsx, camtrap-dp, coco.", rich_help_panel=OUTPUT, **part_option(WRITERS)
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="PATH",
            help="The file; of camtrap-dp the folder.",
            rich_help_panel=OUTPUT,
            **path_of("a file or folder to write"),
        ),
    ],
    force: Force = False,
) -> Answer:
    """Write a catalogue for another program: a table, a workbook, a Camtrap DP with individualID, COCO annotations.

    Boxes, masks and every other column are kept; identities may be given or predicted. The photos stay where they are.
    What the format needs and the catalogue lacks is said.

    Example: [bold]whalereid export --catalogue data/ --to camtrap-dp:zone=+02:00 --out published/[/bold]
    """
    refuse_absent(catalogue)
    from whalereid.catalogue.export import check_export, export

    _, _, lost = check_export(out, to, inputs=[catalogue], force=force)
    for place, words in lost.items():
        say_forced(place, words)
    photos = read_photos(catalogue)
    notes = export(photos, out, to, force=force)
    for note in notes:
        say(note)
    say(f"written: {out}")
    return Answer({"out": str(out), "to": to.to_dict(), "photos": len(photos), "notes": list(notes)})
