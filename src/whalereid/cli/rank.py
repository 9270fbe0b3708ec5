"""`whalereid rank`: the best matches of each query in a database of photos."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whalereid.cli.console import say
from whalereid.cli.options import ABOVE_0, K, ManyValues
from whalereid.errors import WhalereidError, listing

if TYPE_CHECKING:
    from whalereid.catalogue import Catalogue
    from whalereid.ranking import Ranking, Task

__all__ = ["COMMAND_CLASS", "command"]

COMMAND_CLASS = ManyValues


def command(
    embeddings: Annotated[
        list[Path],
        typer.Option(
            metavar="EMB [EMB...]",
            help="What `whalereid embed` wrote, or any Parquet of image_id and embedding; several make an ensemble.",
        ),
    ],
    catalogue: Annotated[Path, typer.Option(metavar="CATALOGUE", help="The table of photos, or its folder.")],
    out: Annotated[
        Path,
        typer.Option(metavar="RANKING", help="Where to write query_id, database_image_id, score: .csv, .parquet."),
    ],
    queries: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Photos to look for: a table with image_id, or query_id and query_image_id; or ids, one a line, in a "
            ".txt.",
            show_default="every photo, or the catalogue's scenarios",
        ),
    ] = None,
    database: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Photos to look among: a table with image_id or database_image_id, or a .txt.",
            show_default="every photo, or the catalogue's scenarios",
        ),
    ] = None,
    k: Annotated[int, typer.Option("--k", "-k", metavar="N", help="Photos listed for a query.", **K)] = 20,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN [COLUMN...]", help="Never a photo of the query's value here, like encounter."),
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN [COLUMN...]", help="Only photos of the query's value here, like viewpoint."),
    ] = None,
    rerank: Annotated[
        str, typer.Option(metavar="none|expand", help="expand: ask the query's two best matches as well.")
    ] = "none",
    weights: Annotated[
        list[float] | None,
        typer.Option(metavar="W [W...]", help="Each member's share of the ensemble.", show_default="equal", **ABOVE_0),
    ] = None,
) -> None:
    """Rank a database of photos for each query: exactly, by cosine, the best first.

    A photo is never its own match. RANKING.task.json, written beside the ranking, says who was looked for among whom
    and by which rules; `whalereid evaluate` follows it.

    Example: whalereid rank --embeddings b5.parquet v2.parquet --weights 0.75 0.25 --catalogue data/metadata.csv
    --out ranking.csv --exclude encounter --match viewpoint
    """
    from whalereid.catalogue import Catalogue
    from whalereid.embeddings import Embeddings
    from whalereid.ranking import RERANKERS, Ensemble, Member, rank_tasks, write_tasks

    if rerank not in ("none", *RERANKERS):
        raise WhalereidError(f"--rerank {rerank!r} is unknown; choose from none, {listing(sorted(RERANKERS))}.")
    if weights and len(weights) != len(embeddings):
        raise WhalereidError(f"--weights has {len(weights)} for {len(embeddings)} --embeddings; give one each.")
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise WhalereidError(f"{out}: --out wants a name that ends in .csv or .parquet.")
    photos = Catalogue.read(catalogue)
    tasks = _tasks(photos, queries, database, exclude or [], match or [])
    members = [
        Member(str(path), Embeddings.read(path), weight)
        for path, weight in zip(embeddings, weights or [1.0] * len(embeddings), strict=True)
    ]
    say(_what(tasks))
    started = time.perf_counter()
    reranker = RERANKERS[rerank]() if rerank != "none" else None
    ranking = rank_tasks(Ensemble(members), photos, tasks, k, rerank=reranker, progress=True)
    ranking.write(out)
    beside = write_tasks(tasks, out)
    say(_outcome(ranking, time.perf_counter() - started))
    say(f"written: {out} and, for `whalereid evaluate`, {beside}")


def _tasks(
    photos: Catalogue, queries: Path | None, database: Path | None, exclude: Sequence[str], match: Sequence[str]
) -> list[Task]:
    from whalereid.ranking import CandidateRules, Task, read_database, read_queries, tasks_from

    if queries is None and database is None:
        return tasks_from(photos, exclude=exclude, match=match)
    rules = CandidateRules(tuple(exclude), tuple(match))
    everyone = photos.image_ids.tolist()
    query_ids, query_images = read_queries(queries) if queries is not None else (everyone, everyone)
    searched = read_database(database) if database is not None else everyone
    names = [path.stem for path in (queries, database) if path is not None]
    return [Task(" in ".join(names), tuple(query_ids), tuple(query_images), tuple(searched), rules)]


def _what(tasks: Sequence[Task]) -> str:
    """One line: how many are looked for among how many, and by which rules."""
    n_queries = sum(len(task.query_ids) for task in tasks)
    if len(tasks) == 1:
        what = f"{n_queries:,} queries in {len(tasks[0].database_images):,} photos"
    else:
        what = f"{n_queries:,} queries in {len(tasks)} scenarios"
    rules = tasks[0].rules
    said = ["never the photo itself"]
    said += [f"never of the same {column}" for column in rules.exclude]
    said += [f"always of the same {column}" for column in rules.match]
    return f"ranking {what}; candidates: {', '.join(said)}"


def _outcome(ranking: Ranking, seconds: float) -> str:
    empty = int((ranking.lengths == 0).sum())
    said = f"ranked {len(ranking):,} queries in {seconds:.1f} s"
    return f"{said}; {empty:,} of them have no candidate, so an empty list" if empty else said
