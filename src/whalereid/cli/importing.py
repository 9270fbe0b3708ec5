"""`whalereid import`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from whalereid.cli.command import Answer
from whalereid.cli.console import refuse_absent, say, say_forced, show, shows_progress
from whalereid.cli.options import INPUT, OUTPUT, SHARE, Exif, Force, part_option, path_of
from whalereid.errors import WhalereidError, listing
from whalereid.parts import READERS
from whalereid.registry import Part

__all__ = ["command"]

MEANING = "What means what"
_NEXT = re.compile(r",(?=\s*\w+\s*=)")  # a comma within a column's name is none between two


def command(
    *,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="A table, a file of annotations or a folder, of any layout.",
            show_default=False,
            rich_help_panel=INPUT,
            **path_of("a table, a file of annotations or a folder"),
        ),
    ],
    layout: Annotated[
        Part | None,
        typer.Option(
            help="Take it for this layout.",
            show_default="found out",
            rich_help_panel=INPUT,
            **part_option(READERS),
        ),
    ] = None,
    photos: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where the photos lie, if not beside what names them.",
            rich_help_panel=INPUT,
            **path_of("the folder of the photos"),
        ),
    ] = None,
    sheet: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The sheet of an Excel file that is the table.",
            show_default="the only one",
            rich_help_panel=INPUT,
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KNOWN=COLUMN,...",
            help="Which columns of the source mean which of a catalogue's; repeat it for more.",
            rich_help_panel=MEANING,
        ),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option(metavar="FIELD", help="The field of annotations that names the animal.", rich_help_panel=MEANING),
    ] = None,
    min_conf: Annotated[
        float | None,
        typer.Option(
            "--min-conf",
            metavar="X",
            help="Leave out detections below this confidence.",
            rich_help_panel=MEANING,
            **SHARE,
        ),
    ] = None,
    exif: Exif = False,
    out: Annotated[
        Path,
        typer.Option(
            metavar="CATALOGUE",
            help="Write the catalogue to this folder.",
            show_default=False,
            rich_help_panel=OUTPUT,
            **path_of("a folder to write to"),
        ),
    ],
    force: Force = False,
) -> Answer:
    """Make a catalogue of the table or data set you have.

    Writes metadata.csv, with the columns that catalogues know and all others as they are, and import.json, which keeps
    what was made of what. The source is never changed, and photos stay where they are.

    Without image_id, ids are the photos' names; without path, the photo that is called as the image_id is looked for
    below the photos' folder.

    Example: [bold]whalereid import photos.csv --columns image_id=Image,identity=Id --out catalogue[/bold]
    """
    mapping = _mapping(columns or [])
    given = {"photos": photos and str(photos), "sheet": sheet, "identity": identity, "min_conf": min_conf}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if layout is not None:
        READERS.part(Part(layout.name, {**layout.options, **options}))
    refuse_absent(source)
    if photos is not None:
        refuse_absent(photos, what="folder")

    from whalereid.catalogue import check_import, import_catalogue

    say_forced(out, check_import(out, source, force=force))
    asked = None if layout is None else str(layout)
    made = import_catalogue(
        source, out, columns=mapping, layout=asked, options=options, exif=exif, force=force, progress=shows_progress()
    )
    for note in made.notes:
        say(note)
    written = out / "metadata.csv"
    found = {"out": str(written), "photos": len(made), "identities": made.n_identities, "columns": made.columns}
    found |= {"root": str(made.root), "notes": [*made.notes]}
    words = (
        f"{written}: {len(made):,} photos, {made.n_identities:,} identities; columns {listing(made.columns, most=20)}"
    )
    return Answer(found, lambda: show(words))


def _mapping(texts: list[str]) -> dict[str, str]:
    """Read KNOWN=COLUMN,... as often as it is given."""
    mapping: dict[str, str] = {}
    for pair in (pair for text in texts for pair in _NEXT.split(text)):
        known, equals, name = (side.strip() for side in pair.partition("="))
        if not equals or not known or not name:
            raise WhalereidError(f"--columns {pair!r:.80}: write KNOWN=COLUMN, such as identity=Id.")
        if known in mapping:
            raise WhalereidError(f"--columns: {known} is given twice; give it once.")
        mapping[known] = name
    return mapping
