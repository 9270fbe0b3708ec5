"""`whalereid rank`: the best matches of each query in a database of photos."""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whalereid.cli.command import Answer
from whalereid.cli.console import check_out, read_photos, say, shows_progress, warn
from whalereid.cli.folds import photos_of_fold
from whalereid.cli.options import FOLD as A_FOLD
from whalereid.cli.options import INPUT, OUTPUT, WEIGHT, WHO, CatalogueOption, Force, K, part_option
from whalereid.errors import WhalereidError, listing
from whalereid.outputs import RANKING, TASK
from whalereid.parts import RERANKERS, RULES
from whalereid.registry import Part

if TYPE_CHECKING:
    from whalereid.catalogue import Catalogue, TrainedOn
    from whalereid.ranking import CandidateRules, Member, Ranking, Task

__all__ = ["command"]

SEARCH, HOW = "What to look for, and among what", "How to rank"
ALL, FOLD = Path("all"), Path("fold")  # words in place of a file


class Missing(StrEnum):
    """What becomes of a photo that has no vector."""

    RAISE = "raise"
    SKIP = "skip"


def command(
    *,
    embeddings: Annotated[
        list[Path],
        typer.Option(
            metavar="EMB",
            help="What `whalereid embed` wrote, or any Parquet of image_id and embedding; repeated, an ensemble.",
            rich_help_panel=INPUT,
        ),
    ],
    catalogue: CatalogueOption,
    queries: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|all",
            help="Photos to look for: a table with image_id, or query_id and query_image_id; ids, one a line, in a "
            ".txt; or all of them, those trained on too.",
            show_default="those of --fold; the catalogue's scenarios; every photo not trained on",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    database: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|fold",
            help="Photos to look among: a table with image_id or database_image_id, or a .txt; or those of --fold "
            "alone.",
            show_default="every photo, or the catalogue's scenarios",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(metavar="K", help="Look for the photos of this fold.", rich_help_panel=SEARCH, **A_FOLD),
    ] = None,
    folds: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Folds that `whalereid split` wrote.",
            show_default="the catalogue's column 'fold'",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    missing: Annotated[
        Missing,
        typer.Option(
            help="A photo without a vector stops it, or is neither looked for nor found.", rich_help_panel=SEARCH
        ),
    ] = Missing.RAISE,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Never a photo of the query's value here, like encounter; repeatable.",
            rich_help_panel=WHO,
        ),
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Only photos of the query's value here, like viewpoint; repeatable.",
            rich_help_panel=WHO,
        ),
    ] = None,
    rule: Annotated[
        list[Part] | None,
        typer.Option(
            help="A further rule for candidates, like within-days:days=30; repeatable. "
            "An unknown value matches nothing, and with unknown=anything all.",
            rich_help_panel=WHO,
            **part_option(RULES),
        ),
    ] = None,
    k: Annotated[
        int, typer.Option("--k", "-k", metavar="N", help="Photos listed for a query.", rich_help_panel=HOW, **K)
    ] = 20,
    weights: Annotated[
        list[float] | None,
        typer.Option(
            metavar="W",
            help="Each member's share of the ensemble, in the order of --embeddings; repeatable.",
            show_default="equal",
            rich_help_panel=HOW,
            **WEIGHT,
        ),
    ] = None,
    rerank: Annotated[
        Part | None,
        typer.Option(
            help="Look at each query's best matches again, like expand, which asks them as well; or none.",
            show_default="none",
            rich_help_panel=HOW,
            **part_option(RERANKERS, or_none=True),
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            metavar="RANKING",
            help="Where to write query_id, database_image_id, score: .csv, .parquet.",
            rich_help_panel=OUTPUT,
        ),
    ],
    force: Force = False,
) -> Answer:
    """Rank a database of photos for each query: exactly, by cosine, the best first.

    A photo is never its own match. Photos that the networks were trained on are not asked for unless you name them:
    their scores would flatter. RANKING.task.json, written beside the ranking, says who was looked for among whom
    and by which rules; `whalereid evaluate` follows it.

    Example: [bold]whalereid rank --embeddings b5.parquet --embeddings v2.parquet --weights 0.75 --weights 0.25
    --catalogue data/metadata.csv --exclude encounter --match viewpoint --out ranking.csv[/bold]
    """
    if weights and len(weights) != len(embeddings):
        raise WhalereidError(f"--weights has {len(weights)} for {len(embeddings)} --embeddings; give one each.")
    if folds is not None and fold is None:
        raise WhalereidError(f"--folds {folds} needs --fold K, such as --fold 0.")
    if fold is not None and queries is not None:
        raise WhalereidError("--fold and --queries both say which photos to look for; give one of them.")
    if fold is None and database == FOLD:
        raise WhalereidError("--database fold needs --fold K, such as --fold 0.")

    from whalereid.embeddings import Embeddings
    from whalereid.embeddings.photo_keys import check_photos
    from whalereid.ranking import CandidateRules, Ensemble, Member, rank_tasks, task_path

    inputs = [catalogue, *embeddings, folds, *(path for path in (queries, database) if path not in (ALL, FOLD))]
    for path, kind in ((out, RANKING), (task_path(out), TASK)):
        check_out(path, kind, inputs=inputs, force=force)
    rules = CandidateRules(exclude or (), match or (), rules=[RULES.make(part) for part in rule or ()])
    reranker = None if rerank is None else RERANKERS.make(rerank)
    photos = read_photos(catalogue)
    members = [
        Member(str(path), Embeddings.read(path), weight)
        for path, weight in zip(embeddings, weights or [1.0] * len(embeddings), strict=True)
    ]
    for path in embeddings:
        check_photos(path, photos)
    ensemble = Ensemble(members, progress=shows_progress())
    of_fold = None if fold is None else photos_of_fold(photos, folds, fold)
    tasks = _tasks(photos, queries, database, of_fold, ensemble.trained_on, rules)
    if missing is Missing.SKIP:
        tasks = _with_vectors(photos, tasks, members)
    say(_what(tasks))
    _warn_of_flattery(photos, tasks, ensemble.trained_on)
    started = time.perf_counter()
    ranking = rank_tasks(ensemble, photos, tasks, k, rerank=reranker)
    ranking.write(out, tasks, force=force)
    say(_outcome(ranking, time.perf_counter() - started))
    say(f"written: {out} and, for `whalereid evaluate`, {task_path(out)}")
    found = {
        "out": str(out),
        "task": str(task_path(out)),
        "queries": len(ranking),
        "queries_without_candidates": int((ranking.lengths == 0).sum()),
        "photos": len({image for task in tasks for image in task.database_images}),
        "k": k,
        "rules": rules.to_list(),
        "rerank": None if rerank is None else rerank.to_dict(),
    }
    return Answer(found)


def _tasks(
    photos: Catalogue,
    queries: Path | None,
    database: Path | None,
    of_fold: list[str] | None,
    trained_on: TrainedOn | None,
    rules: CandidateRules,
) -> list[Task]:
    """Who is looked for among whom: as named; else as the catalogue's scenarios say; else who wasn't trained on."""
    from whalereid.ranking import Task, read_database, read_queries, tasks_from

    if queries is None and database is None and of_fold is None and photos.scenarios:
        return tasks_from(photos, rules=rules)
    everyone = photos.image_ids.tolist()
    if of_fold is not None:
        query_ids = query_images = of_fold
    elif queries is None:
        query_ids = query_images = _not_trained_on(photos, trained_on)
    else:
        query_ids, query_images = (everyone, everyone) if queries == ALL else read_queries(queries)
    if database is None:
        searched = everyone
    else:
        searched = of_fold if database == FOLD and of_fold is not None else read_database(database)
    names = [path.stem for path in (queries, database) if path is not None] or ["all"]
    return [Task(" in ".join(names), tuple(query_ids), tuple(query_images), tuple(searched), rules)]


def _not_trained_on(photos: Catalogue, trained_on: TrainedOn | None) -> list[str]:
    """The photos that can be asked for without flattering, and a word on the others."""
    ids = photos.image_ids
    if trained_on is None:
        say("what these embeddings' network was trained on isn't known, so every photo is asked for")
        return list(ids)
    known = trained_on.has_photos(photos)
    if known.all():
        raise WhalereidError(
            f"all {len(ids):,} photos were trained on, so a ranking of them would flatter; name photos that weren't "
            "with --queries or --fold, or ask for these all the same with --queries all."
        )
    if known.any():
        say(f"{int(known.sum()):,} photos were trained on and aren't asked for (--queries all asks for them too)")
    return list(ids[~known])


def _warn_of_flattery(photos: Catalogue, tasks: Sequence[Task], trained_on: TrainedOn | None) -> None:
    """Warn where photos are asked for that were trained on."""
    if trained_on:
        asked = photos.subset(dict.fromkeys(image for task in tasks for image in task.query_images))
        learnt = int(trained_on.has_photos(asked).sum())
        if learnt:
            warn(f"{learnt:,} of the {len(asked):,} photos asked for were trained on; scores on these flatter")


def _with_vectors(photos: Catalogue, tasks: Sequence[Task], members: Sequence[Member]) -> list[Task]:
    """The tasks without the photos that a member has no vector of, and a word on these."""
    asked = {image for task in tasks for image in (*task.query_images, *task.database_images)}
    held = set.intersection(*(set(member.embeddings.ids) for member in members))
    lacking = [image for image in photos.image_ids if image in asked and image not in held]
    if not lacking:
        return list(tasks)
    warn(f"{len(lacking):,} photos have no vector, so are neither looked for nor found: {listing(lacking)}")
    left = [task for task in (task.without(lacking) for task in tasks) if task.query_ids]
    if not left:
        raise WhalereidError("no photo that is asked for has a vector; embed this catalogue, or ask for other photos.")
    return left


def _what(tasks: Sequence[Task]) -> str:
    """One line: how many are looked for among how many, and by which rules."""
    n_queries = sum(len(task.query_ids) for task in tasks)
    if len(tasks) == 1:
        what = f"{n_queries:,} queries in {len(tasks[0].database_images):,} photos"
    else:
        what = f"{n_queries:,} queries in {len(tasks)} scenarios"
    rules = tasks[0].rules
    said = ["never the photo itself"]
    said += rules.in_words()
    return f"ranking {what}; candidates: {', '.join(said)}"


def _outcome(ranking: Ranking, seconds: float) -> str:
    empty = int((ranking.lengths == 0).sum())
    said = f"ranked {len(ranking):,} queries in {seconds:.1f} s"
    return f"{said}; {empty:,} of them have no candidate, so an empty list" if empty else said
