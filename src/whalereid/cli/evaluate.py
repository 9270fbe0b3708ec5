"""`whalereid evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whalereid.cli.console import print_json, say
from whalereid.errors import WhalereidError, listing

if TYPE_CHECKING:
    import pandas as pd

    from whalereid.catalogue import Catalogue
    from whalereid.evaluation import Protocol, Report
    from whalereid.ranking import Ranking, Task


def command(
    ranking: Annotated[
        Path, typer.Argument(help="CSV or Parquet of query_id, database_image_id, score.", show_default=False)
    ],
    ranking_b: Annotated[
        Path | None,
        typer.Argument(help="Another ranking of the same queries, to compare the first with.", show_default=False),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="CSV or Parquet of query_id, database_image_id: the relevant photos.")
    ] = None,
    catalogue: Annotated[
        Path | None,
        typer.Option(
            help="The photos' table or folder. Relevant is who has the query's identity; beside --labels it only tells "
            "whose photos they are."
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Column in which a candidate must not equal the query, or 'none'; by default as ranked."),
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(help="Column in which a candidate must equal the query, or 'none'; by default as ranked."),
    ] = None,
    k: Annotated[int, typer.Option("--k", "-k", help="Cut-off, in ranks.")] = 20,
    by: Annotated[
        list[str] | None,
        typer.Option(help="Break down by a column, COLUMN-pair, year-gap, photos, seen or scenario; repeat for more."),
    ] = None,
    train: Annotated[
        Path | None, typer.Option(help="Table of the photos trained on, for '--by seen'.", show_default=False)
    ] = None,
    denominator: Annotated[
        str, typer.Option(help="What average precision is divided by: min (relevant, k), relevant, retrieved.")
    ] = "min",
    resamples: Annotated[int, typer.Option(help="Resampled populations of the intervals; 0: no intervals.")] = 1000,
    confidence: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.95,
    seed: Annotated[int, typer.Option(help="Of the resampling.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Score a ranking, with intervals; or compare two.

    Example: whalereid evaluate ranking.csv --catalogue photos.csv --by viewpoint

    Which photos are relevant is said by --labels or follows from --catalogue: those of the query's identity among its
    candidates, by the rules that the ranking was made with (RANKING.task.json). Intervals are of resampled identities.
    """
    from whalereid.catalogue import Catalogue
    from whalereid.evaluation import Protocol, evaluate
    from whalereid.ranking import Ranking

    if labels is None and catalogue is None:
        raise WhalereidError("evaluate: give --labels FILE, or --catalogue CATALOGUE to work them out.")
    if labels is not None and (exclude or match):
        raise WhalereidError("--exclude and --match say who is relevant; so does --labels. Give the one or the others.")
    photos = Catalogue.read(catalogue) if catalogue is not None else None
    paths = [ranking] if ranking_b is None else [ranking, ranking_b]
    rankings = [Ranking.read(path) for path in paths]
    task: Path | Protocol
    if labels is None:
        assert photos is not None
        tasks = _tasks(paths, rankings, photos, exclude, match)
        task = Protocol(tasks, photos)
        say(_rules(task))
    else:
        task = labels
    options: dict[str, Any] = {
        "k": k,
        "denominator": denominator,
        "catalogue": photos,
        "trained_on": Catalogue.read(train) if train is not None else None,
        "resamples": resamples,
        "confidence": confidence,
        "seed": seed,
    }
    reports = [evaluate(task, one, **options) for one in rankings]
    _say_notes(reports)
    if ranking_b is None:
        _print_one(reports[0], by or [], json)
    else:
        _print_two(reports, by or [], json, [str(path) for path in paths])


def _tasks(
    paths: list[Path],
    rankings: list[Ranking],
    photos: Catalogue,
    exclude: list[str] | None,
    match: list[str] | None,
) -> list[Task]:
    """Who was looked for among whom: as ranked, or by the catalogue's scenarios, or every photo."""
    from dataclasses import replace

    from whalereid.ranking import read_tasks, task_path

    found = [read_tasks(path) for path in paths if task_path(path).is_file()]
    tasks = found[0] if found else _usual_tasks(rankings, photos)
    if found:
        say(f"{listing(task_path(path) for path in paths if task_path(path).is_file())}: followed")
    else:
        where = "its scenarios" if len(tasks) > 1 or photos.scenarios else "all its photos but the query itself"
        say(f"no {task_path(paths[0]).name} beside the ranking; candidates are, from {photos.source}: {where}")
    given = {name: _columns(value) for name, value in (("exclude", exclude), ("match", match)) if value}
    if given:
        tasks, *others = [[replace(t, rules=replace(t.rules, **given)) for t in some] for some in (found or [tasks])]
    else:
        others = found[1:]
    if any(other != tasks for other in others):
        raise WhalereidError(
            f"{paths[0]} and {paths[1]} answer different tasks (see their .task.json): rank the same queries among the "
            "same photos, by the same rules, or set the rules for both with --exclude and --match."
        )
    return tasks


def _usual_tasks(rankings: list[Ranking], photos: Catalogue) -> list[Task]:
    from whalereid.evaluation import query_photos
    from whalereid.ranking import Task, tasks_from

    ranked = rankings[0].query_ids
    known = {query_id for scenario in photos.scenarios for query_id in scenario.query_ids}
    if photos.scenarios and known.issuperset(ranked):
        return tasks_from(photos)
    images, _ = query_photos(ranked, photos)
    names = [str(query_id) for query_id in ranked]
    return [Task("all", tuple(names), tuple(images), tuple(photos.image_ids))]


def _columns(given: list[str]) -> tuple[str, ...]:
    return () if given == ["none"] else tuple(given)


def _rules(protocol: Protocol) -> str:
    """Say in words who is compared with whom."""
    said = []
    for rules in dict.fromkeys(task.rules for task in protocol.tasks):
        parts = [f"another {name}" for name in rules.exclude] + [f"the same {name}" for name in rules.match]
        said.append(" and ".join(parts) or "any photo but the query itself")
    return f"{protocol!r}; candidates: {'; '.join(said)}"


def _say_notes(reports: list[Report]) -> None:
    for number, report in enumerate(reports):
        which = "" if len(reports) == 1 else f"{'AB'[number]}: "
        for note in report.notes:
            say(f"{which}{note}")


def _print_one(report: Report, by: list[str], json: bool) -> None:
    if json:
        print_json(report.to_dict(by=by))
        return
    counts = report.counts
    _print_table(
        f"{counts['queries']} queries of {counts['identities']} identities",
        ["metric", "value", _level(report)],
        [[name, _number(value), _span(low, high)] for name, value, low, high in report.metrics.itertuples()],
    )
    for what in by:
        table = report.by(what)
        _print_table(f"by {what}", *_group_rows(table, report))


def _print_two(reports: list[Report], by: list[str], json: bool, names: list[str]) -> None:
    first, second = reports
    difference = first.compare(second)
    if json:
        rows = difference.to_dict(orient="index")
        print_json({"A": first.to_dict(by=by), "B": second.to_dict(by=by), "difference": rows})
        return
    _print_table(
        f"A: {names[0]}   B: {names[1]}",
        ["metric", "A", "B", "A - B", f"{_level(first)} of A - B", "better", "probability"],
        [
            [name, _number(a), _number(b), f"{d:+.4f}", _span(low, high), _better(d), f"{p:.3f}"]
            for name, a, b, d, low, high, p in difference.itertuples()
        ],
    )
    for what in by:
        for which, report in zip("AB", reports, strict=True):
            _print_table(f"{which} by {what}", *_group_rows(report.by(what), report))


def _group_rows(table: pd.DataFrame, report: Report) -> tuple[list[str], list[list[str]]]:
    shown = [str(name) for name in table if str(name).startswith(("mAP", "top-"))]
    header = [str(table.index.name), "queries", "identities", *shown, f"{_level(report)} of {shown[0]}"]
    rows = []
    for row in table.reset_index().to_dict("records"):
        counts = [str(row[table.index.name]), str(row["queries"]), str(row["identities"])]
        rows.append([*counts, *(_number(row[name]) for name in shown), _span(row["low"], row["high"])])
    return header, rows


def _print_table(title: str, header: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number == 0 else "right", no_wrap=number == 0)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _level(report: Report) -> str:
    return f"{100 * report.confidence:g}% interval"


def _number(value: float) -> str:
    return f"{value:.4f}"


def _span(low: float, high: float) -> str:
    return "–" if low != low else f"{low:.4f} to {high:.4f}"


def _better(difference: float) -> str:
    return "A" if difference > 0 else "B" if difference < 0 else "–"
