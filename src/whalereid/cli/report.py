"""`whalereid report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whalereid.cli.command import Answer
from whalereid.cli.console import read_photos, refuse_absent, say, shows_progress
from whalereid.cli.options import INPUT, OUTPUT, QUERIES, CatalogueOption, K
from whalereid.cli.ranked import ChangedRules, tasks_of
from whalereid.files import check_folder
from whalereid.outputs import REPORT, REPORT_MARKER, check_output

__all__ = ["command"]


def command(
    *,
    ranking: Annotated[
        Path,
        typer.Argument(
            metavar="RANKING",
            help="CSV or Parquet of query_id, database_image_id, score.",
            show_default=False,
            rich_help_panel=INPUT,
        ),
    ],
    catalogue: CatalogueOption,
    queries: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="How many queries to show; of more, as many are taken at even distances.",
            rich_help_panel=OUTPUT,
            **QUERIES,
        ),
    ] = 50,
    k: Annotated[
        int, typer.Option("--k", "-k", metavar="N", help="Best matches of each.", rich_help_panel=OUTPUT, **K)
    ] = 5,
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="Folder for the page and its small photos; new or ours.", rich_help_panel=OUTPUT
        ),
    ],
) -> Answer:
    """Look at a ranking: a page of photos beside their best matches, which opens in any browser.

    The page needs no network and no server: send the folder to a colleague. Where identities are known, matches of the
    same animal have a green frame.

    Example: [bold]whalereid report ranking.csv --catalogue data/ --out report[/bold]
    """
    refuse_absent(ranking, catalogue)
    check_folder(out, marker=REPORT_MARKER)
    check_output(out / REPORT_MARKER, REPORT)

    from whalereid.ranking import Ranking

    found, photos = Ranking.read(ranking), read_photos(catalogue)
    tasks = tasks_of([ranking], [found], photos, ChangedRules(None, None, None))

    from whalereid.reporting import Matches, write_matches

    page = write_matches(found, photos, out, tasks=tasks, shown=Matches(queries, k), progress=shows_progress())
    say(f"open {page} in a browser")
    return Answer({"page": str(page), "queries": min(queries, int((found.lengths > 0).sum())), "k": k})
