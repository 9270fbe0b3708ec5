"""`whalereid evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whalereid.arguments import choice
from whalereid.cli.console import check_out, print_json, read_photos, say, show
from whalereid.cli.options import CONFIDENCE, QUERIES, RESAMPLES, SEED, SHARE, Force, K, ManyValues
from whalereid.errors import WhalereidError, listing, printable
from whalereid.outputs import FIGURE

if TYPE_CHECKING:
    import pandas as pd

    from whalereid.catalogue import Catalogue
    from whalereid.evaluation import OpenSetReport, Protocol, Report
    from whalereid.ranking import Ranking, Task


class Rankings(ManyValues):
    """A command whose arguments are files: a file's name is no further value of a list option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the files first, then parse as usual."""
        flags = {name for p in self.params if getattr(p, "is_flag", False) for name in p.opts}
        files: list[str] = []
        rest: list[str] = []
        for before, word in zip(["", *args], args, strict=False):
            is_value = before.startswith("-") and "=" not in before and before not in flags
            free = not word.startswith("-") and not is_value and Path(word).is_file()
            (files if free else rest).append(word)
        return super().parse_args(ctx, files + rest)


COMMAND_CLASS = Rankings
LEAST_QUERIES = 10  # with a match, for a score to be printed unasked


def command(
    ranking: Annotated[
        Path,
        typer.Argument(
            metavar="RANKING", help="CSV or Parquet of query_id, database_image_id, score.", show_default=False
        ),
    ],
    ranking_b: Annotated[
        Path | None,
        typer.Argument(
            metavar="RANKING_B", help="Another ranking of the same queries, to compare with.", show_default=False
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV or Parquet of query_id, database_image_id: the relevant photos."),
    ] = None,
    catalogue: Annotated[
        Path | None,
        typer.Option(
            metavar="CATALOGUE",
            help="The table of photos, or its folder. Relevant is who has the query's identity; beside --labels it "
            "only tells whose photos they are.",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN [COLUMN...]",
            help="Never a photo of the query's value here, like encounter; 'none' lifts it.",
            show_default="as ranked",
        ),
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN [COLUMN...]",
            help="Only photos of the query's value here, like viewpoint; 'none' lifts it.",
            show_default="as ranked",
        ),
    ] = None,
    k: Annotated[int, typer.Option("--k", "-k", metavar="N", help="Cut-off, in ranks.", **K)] = 20,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT [WHAT...]",
            help="Break down by a column of the query's photo, like viewpoint; by COLUMN-pair, the query's and the "
            "relevant photo's; year-gap, between the two; photos, how many are relevant; seen; scenario.",
        ),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            metavar="CATALOGUE",
            help="The photos trained on, to tell animals seen from unseen ones.",
            show_default="as the ranking says",
        ),
    ] = None,
    min_queries: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Print no score that stands on fewer queries with a match.",
            show_default="10, or half the queries where that is less; none with --open-set",
            **QUERIES,
        ),
    ] = None,
    denominator: Annotated[
        str,
        typer.Option(
            metavar="min|relevant|retrieved", help="What average precision is divided by; min is min(relevant, k)."
        ),
    ] = "min",
    resamples: Annotated[
        int, typer.Option(metavar="N", help="Resampled populations of the intervals; 0: no intervals.", **RESAMPLES)
    ] = 1000,
    interval: Annotated[
        str, typer.Option(metavar="bca|percentile", help="Quantiles of the resampled means, corrected or as they are.")
    ] = "bca",
    confidence: Annotated[
        float, typer.Option(metavar="LEVEL", help="Level of the intervals, between 0 and 1.", **CONFIDENCE)
    ] = 0.95,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the resampling.", **SEED)] = 0,
    open_set: Annotated[
        bool,
        typer.Option(
            "--open-set", help="Also ask whether new animals are called new; needs --catalogue. See docs/open_set.md."
        ),
    ] = False,
    false_accept: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="With --open-set: how many new animals may be taken for known ones.", **SHARE
        ),
    ] = 0.05,
    validation: Annotated[
        Path | None,
        typer.Option(
            metavar="RANKING", help="With --open-set: a ranking of other animals, to choose the threshold on."
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw CMC and mAP by viewpoint or, with --open-set, its curves; .png, .svg, .pdf."
        ),
    ] = None,
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Score a ranking, with intervals; or compare two rankings of the same queries.

    Which photos are relevant is said by --labels, or follows from --catalogue: those of the query's identity among its
    candidates, by the rules in RANKING.task.json, which `whalereid rank` wrote; --exclude and --match override them.
    Intervals are of resampled identities.

    Example: whalereid evaluate ranking.csv --catalogue data/metadata.csv --by viewpoint year-gap

    Example: whalereid evaluate test.csv --catalogue data/ --open-set --validation valid.csv
    """
    if figure is not None:
        inputs = [ranking, ranking_b, labels, catalogue, train, validation]
        check_out(figure, FIGURE, inputs=inputs, force=force)
    elif force:
        raise WhalereidError("--force: overwrites what --figure names; give both, or neither.")
    from whalereid.evaluation import Bootstrap, Protocol, evaluate, usual_metrics

    if labels is None and catalogue is None:
        raise WhalereidError("evaluate: give --labels FILE, or --catalogue CATALOGUE to work them out.")
    if labels is not None and (exclude or match):
        raise WhalereidError("--exclude and --match say who is relevant; so does --labels. Give the one or the others.")
    if open_set and (catalogue is None or ranking_b is not None):
        raise WhalereidError("--open-set: takes one ranking, and --catalogue, which tells who is new.")
    if validation is not None and not open_set:
        raise WhalereidError("--validation: chooses the threshold of --open-set; give both, or neither.")
    if figure is not None and ranking_b is not None:
        raise WhalereidError("--figure: draws one ranking; give one.")
    photos = read_photos(catalogue) if catalogue is not None else None
    paths = [ranking] if ranking_b is None else [ranking, ranking_b]
    rankings = [_read(path, by_labels=labels is not None) for path in paths]
    task: Path | Protocol
    if labels is None:
        assert photos is not None
        tasks = _tasks(paths, rankings, photos, exclude, match)
        task = Protocol(tasks, photos)
        say(_rules(task))
    else:
        task = labels
    choice(interval, "--interval", ("bca", "percentile"))  # elsewhere it is called method
    bootstrap = Bootstrap(resamples, confidence, interval, seed)  # type: ignore[arg-type]
    options: dict[str, Any] = {
        "k": k,
        "metrics": usual_metrics(k, denominator),  # type: ignore[arg-type]
        "catalogue": photos,
        "trained_on": read_photos(train) if train is not None else None,
        "bootstrap": bootstrap,
    }
    reports = [evaluate(task, one, **options) for one in rankings]
    for report in reports:
        _refuse_thin_base(report, min_queries if min_queries or not open_set else 1)
    _say_notes(reports)
    found = None
    if open_set:
        from whalereid.evaluation import evaluate_open_set

        held = None
        if validation is not None:
            other = _read(validation, by_labels=False)
            assert photos is not None
            held = evaluate(Protocol(_tasks([validation], [other], photos, exclude, match), photos), other, **options)
        found = evaluate_open_set(reports[0], held, false_accept_rate=false_accept, bootstrap=bootstrap)
        for note in found.notes:
            say(note)
    if figure is not None:
        from whalereid.reporting import draw_open_set, draw_report, write_figure

        write_figure(draw_report(reports[0]) if found is None else draw_open_set(found), figure, force=force)
    if ranking_b is None:
        _print_one(reports[0], by or [], found, json)
    else:
        _print_two(reports, by or [], json, [str(path) for path in paths])


def _read(path: Path, *, by_labels: bool) -> Ranking:
    """Read a ranking; one without a row is refused where nothing else says who was looked for."""
    from whalereid.ranking import Ranking, task_path

    ranking = Ranking.read(path)
    if not len(ranking) and (by_labels or not task_path(path).is_file()):
        raise WhalereidError(f"{path}: holds no row, so there is nothing to score; rank again, or name another file.")
    return ranking


def _refuse_thin_base(report: Report, least: int | None) -> None:
    """Refuse a headline that stands on next to nothing, unless that was asked for."""
    asked = len(report.hits)
    least = min(LEAST_QUERIES, -(-asked // 2)) if least is None else least
    if report.counts["queries"] < least:
        raise WhalereidError(
            f"{report.headline}: that is no score; at least {least} are wanted (--min-queries N takes fewer). "
            "Loosen --exclude and --match, or look at the identities (`whalereid check`)."
        )


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

    beside = [path for path in paths if task_path(path).is_file()]
    found = [read_tasks(path) for path in beside] or [_usual_tasks(rankings, photos)]
    given = {name: _columns(value) for name, value in (("exclude", exclude), ("match", match)) if value}
    tasks, *others = [[replace(t, rules=t.rules.but(**given)) for t in some] for some in found]
    if beside:
        over = f", but for {listing('--' + name for name in given)}" if given else ""
        say(f"following {listing(task_path(path) for path in beside)}{over}")
    else:
        among = "the scenarios" if photos.scenarios and len(tasks) == len(photos.scenarios) else "all photos"
        say(f"no {task_path(paths[0]).name} beside the ranking: taking {among} of {photos.source}")
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
        said.append(", ".join(["never the photo itself", *rules.in_words()]))
    photos = len({image for task in protocol.tasks for image in task.database_images})
    return f"{len(protocol.query_ids):,} queries in {photos:,} photos; candidates: {'; or '.join(said)}"


def _say_notes(reports: list[Report]) -> None:
    for number, report in enumerate(reports):
        which = "" if len(reports) == 1 else f"{'AB'[number]}: "
        for note in report.notes:
            say(f"{which}{note}")


def _print_one(report: Report, by: list[str], open_set: OpenSetReport | None, json: bool) -> None:
    if json:
        print_json(report.to_dict(by=by) | ({} if open_set is None else {"open set": open_set.to_dict()}))
        return
    groups = _groups(report, by)  # before a word is printed: it may be refused
    _print_table(
        f"{report.headline}; {report.counts['identities']:,} identities",
        ["metric", "value", _level(report)],
        [[name, _number(value), _span(low, high)] for name, value, low, high in report.metrics.itertuples()],
    )
    for title, table in groups:
        _print_groups(title, table, report)
    if open_set is not None:
        _print_table("open set", ["", "value"], [[name, text] for name, text in open_set.lines()])


def _print_two(reports: list[Report], by: list[str], json: bool, names: list[str]) -> None:
    first, second = reports
    difference = first.compare(second)
    if json:
        rows = difference.to_dict(orient="index")
        print_json({"A": first.to_dict(by=by), "B": second.to_dict(by=by), "difference": rows})
        return
    both = list(zip("AB", reports, strict=True))
    groups = [(f"{which} {title}", table, report) for which, report in both for title, table in _groups(report, by)]
    base = f"{first.counts['queries']:,} of {len(first.hits):,} queries of {first.counts['identities']:,} identities"
    _print_table(
        f"A: {names[0]}, B: {names[1]}; over {base}",
        ["metric", "A", "B", "A - B", _level(first), "better", "probability"],
        [
            [name, _number(a), _number(b), f"{d:+.4f}", _span(low, high), _better(d), "–" if p != p else f"{p:.3f}"]
            for name, a, b, d, low, high, p in difference.itertuples()
        ],
    )
    for group in groups:
        _print_groups(*group)


def _groups(report: Report, by: list[str]) -> list[tuple[str, pd.DataFrame]]:
    """The breakdowns asked for, and always the one by what was trained on, where that is known."""
    always = {} if report.seen is None else {"seen": report.seen}
    return [(f"by {what}", table) for what, table in (always | {what: report.by(what) for what in by}).items()]


def _print_groups(title: str, table: pd.DataFrame, report: Report) -> None:
    what = str(table.index.name)
    first, *others = report.names_by_group
    if report.measures_the_usual:
        others = [name for name in others if name in ("top-1", f"top-{report.k}")]  # a terminal is only so wide
    rows = [
        [
            str(row[what]),
            f"{row['queries']:,}",
            f"{row['identities']:,}",
            _number(row[first]),
            _span(row["low"], row["high"]),
            *(_number(row[name]) for name in others),
        ]
        for row in table.reset_index().to_dict("records")
    ]
    _print_table(title, [what, "queries", "identities", first, _level(report), *others], rows)


def _print_table(title: str, header: list[str], rows: list[list[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for number, name in enumerate(header):
        table.add_column(printable(name), justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*map(printable, row))
    show(title)
    Console(markup=False, highlight=False).print(table)


def _level(report: Report) -> str:
    return f"{100 * report.bootstrap.confidence:g}% interval"


def _number(value: float) -> str:
    return f"{value:.4f}"


def _span(low: float, high: float) -> str:
    return "–" if low != low else f"{low:.4f} to {high:.4f}"


def _better(difference: float) -> str:
    return "A" if difference > 0 else "B" if difference < 0 else "–"
