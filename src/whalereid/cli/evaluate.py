"""`whalereid evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whalereid.arguments import choice
from whalereid.cli.command import Answer
from whalereid.cli.console import check_out, read_photos, say
from whalereid.cli.options import (
    CONFIDENCE,
    INPUT,
    OUTPUT,
    QUERIES,
    RESAMPLES,
    SEED,
    SHARE,
    WHO,
    CatalogueIfAny,
    Force,
    K,
    complete,
    part_option,
)
from whalereid.cli.ranked import ChangedRules, rules_in_words, tasks_of
from whalereid.errors import WhalereidError, listing
from whalereid.outputs import FIGURE
from whalereid.parts import METRICS, RULES
from whalereid.registry import Part

if TYPE_CHECKING:
    from whalereid.evaluation import OpenSetReport, Protocol, Report
    from whalereid.ranking import Ranking


__all__ = ["command"]

RANKINGS, SCORES, INTERVALS, NEW_ANIMALS = "What to score", "Which scores", "Intervals", "New animals"
LEAST_QUERIES = 10  # with a match, for a score to be printed unasked


def command(
    *,
    ranking: Annotated[
        Path,
        typer.Argument(
            metavar="RANKING",
            help="CSV or Parquet of query_id, database_image_id, score.",
            show_default=False,
            rich_help_panel=RANKINGS,
        ),
    ],
    ranking_b: Annotated[
        Path | None,
        typer.Argument(
            metavar="RANKING_B",
            help="Another ranking of the same queries, to compare with.",
            show_default=False,
            rich_help_panel=RANKINGS,
        ),
    ] = None,
    catalogue: CatalogueIfAny = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV or Parquet of query_id, database_image_id: the relevant photos. Without it, who has the query's "
            "identity in --catalogue.",
            rich_help_panel=INPUT,
        ),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            metavar="CATALOGUE",
            help="The photos trained on, to tell animals seen from unseen ones.",
            show_default="as the ranking says",
            rich_help_panel=INPUT,
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Never a photo of the query's value here, like encounter; repeatable, or 'none'.",
            show_default="as ranked",
            rich_help_panel=WHO,
        ),
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Only photos of the query's value here, like viewpoint; repeatable, or 'none'.",
            show_default="as ranked",
            rich_help_panel=WHO,
        ),
    ] = None,
    rule: Annotated[
        list[Part] | None,
        typer.Option(
            help="A further rule for candidates, like within-days:days=30; repeatable, or 'none'. "
            "An unknown value matches nothing, and with unknown=anything all.",
            show_default="as ranked",
            rich_help_panel=WHO,
            **part_option(RULES, or_none=True),
        ),
    ] = None,
    k: Annotated[
        int, typer.Option("--k", "-k", metavar="N", help="Cut-off, in ranks.", rich_help_panel=SCORES, **K)
    ] = 20,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help="Break down by a column of the query's photo, like viewpoint; by COLUMN-pair, the query's and the "
            "relevant photo's; year-gap, between the two; photos, how many are relevant; seen; scenario. Repeatable.",
            rich_help_panel=SCORES,
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME@K:key=value,...",
            help="Measure this, such as top-5 or mINP; repeatable, and the first leads.",
            show_default="mAP, precision and recall at --k, top-1, -5, -20 and -k, R-precision, mINP",
            autocompletion=complete(METRICS),
            rich_help_panel=SCORES,
        ),
    ] = None,
    denominator: Annotated[
        str,
        typer.Option(
            metavar="min|relevant|retrieved",
            help="What average precision is divided by; min is min(relevant, k).",
            autocompletion=complete(("min", "relevant", "retrieved")),
            rich_help_panel=SCORES,
        ),
    ] = "min",
    min_queries: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Print no score that stands on fewer queries with a match.",
            show_default="10, or half the queries where that is less; none with --open-set",
            rich_help_panel=SCORES,
            **QUERIES,
        ),
    ] = None,
    resamples: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Resampled populations of the intervals; 0: no intervals.",
            rich_help_panel=INTERVALS,
            **RESAMPLES,
        ),
    ] = 1000,
    interval: Annotated[
        str,
        typer.Option(
            metavar="bca|percentile",
            help="Quantiles of the resampled means, corrected or as they are.",
            autocompletion=complete(("bca", "percentile")),
            rich_help_panel=INTERVALS,
        ),
    ] = "bca",
    confidence: Annotated[
        float,
        typer.Option(
            metavar="LEVEL",
            help="Level of the intervals, between 0 and 1.",
            rich_help_panel=INTERVALS,
            **CONFIDENCE,
        ),
    ] = 0.95,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the resampling.", rich_help_panel=INTERVALS, **SEED)] = 0,
    open_set: Annotated[
        bool,
        typer.Option(
            "--open-set",
            help="Also ask whether new animals are called new; needs --catalogue. See docs/open_set.md.",
            rich_help_panel=NEW_ANIMALS,
        ),
    ] = False,
    false_accept: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="With --open-set: how many new animals may be taken for known ones.",
            rich_help_panel=NEW_ANIMALS,
            **SHARE,
        ),
    ] = 0.05,
    validation: Annotated[
        Path | None,
        typer.Option(
            metavar="RANKING",
            help="With --open-set: a ranking of other animals, to choose the threshold on.",
            rich_help_panel=NEW_ANIMALS,
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw CMC and mAP by viewpoint or, with --open-set, its curves; .png, .svg, .pdf.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    force: Force = False,
) -> Answer:
    """Score a ranking, with intervals; or compare two rankings of the same queries.

    Which photos are relevant is said by --labels, or follows from --catalogue: those of the query's identity among its
    candidates, by the rules in RANKING.task.json, which `whalereid rank` wrote; --exclude, --match and --rule override
    them. Intervals are of resampled identities.

    Example: [bold]whalereid evaluate ranking.csv --catalogue data/metadata.csv --by viewpoint --by year-gap[/bold]

    Example: [bold]whalereid evaluate test.csv --catalogue data/ --open-set --validation valid.csv[/bold]
    """
    if figure is not None:
        inputs = [ranking, ranking_b, labels, catalogue, train, validation]
        check_out(figure, FIGURE, inputs=inputs, force=force)
    elif force:
        raise WhalereidError("--force: overwrites what --figure names; give both, or neither.")
    from whalereid.evaluation import Bootstrap, Metric, Protocol, evaluate, usual_metrics

    if labels is None and catalogue is None:
        raise WhalereidError("evaluate: give --labels FILE, or --catalogue CATALOGUE to work them out.")
    if metric and denominator != "min":
        raise WhalereidError(f"--denominator: goes with --metric as --metric mAP@{k}:denominator={denominator}.")
    metrics = [Metric.parse(name) for name in metric] if metric else usual_metrics(k, denominator)  # type: ignore[arg-type]
    change = ChangedRules.from_options(exclude, match, rule)
    if labels is not None and change.options:
        raise WhalereidError(
            f"{listing(change.options)}: says who is relevant; so does --labels. Give the one or the other."
        )
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
        tasks = tasks_of(paths, rankings, photos, change)
        task = Protocol(tasks, photos)
        say(rules_in_words(task))
    else:
        task = labels
    choice(interval, "--interval", ("bca", "percentile"))  # elsewhere it is called method
    bootstrap = Bootstrap(resamples, confidence, interval, seed)  # type: ignore[arg-type]
    options: dict[str, Any] = {
        "k": k,
        "metrics": metrics,
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
            held = evaluate(Protocol(tasks_of([validation], [other], photos, change), photos), other, **options)
        found = evaluate_open_set(reports[0], held, false_accept_rate=false_accept, bootstrap=bootstrap)
        for note in found.notes:
            say(note)
    if figure is not None:
        from whalereid.reporting import draw_open_set, draw_report, write_figure

        write_figure(draw_report(reports[0]) if found is None else draw_open_set(found), figure, force=force)
    drawn = {} if figure is None else {"figure": str(figure)}
    return _answer(reports, [str(path) for path in paths], by or [], found, drawn)


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
            "Loosen the rules (--exclude, --match, --rule), or look at the identities (`whalereid check`)."
        )


def _say_notes(reports: list[Report]) -> None:
    for number, report in enumerate(reports):
        which = "" if len(reports) == 1 else f"{'AB'[number]}: "
        for note in report.notes:
            say(f"{which}{note}")


def _answer(
    reports: list[Report], names: list[str], by: list[str], open_set: OpenSetReport | None, drawn: dict[str, str]
) -> Answer:
    """One ranking's scores, or two rankings' side by side."""
    from whalereid.cli.scores import print_comparison, print_report

    data = [report.to_dict(by=by) for report in reports]  # before a word is printed: it may be refused
    if len(reports) == 1:
        more = {} if open_set is None else {"open set": open_set.to_dict()}
        return Answer(data[0] | more | drawn, lambda: print_report(reports[0], by, open_set))
    rows = reports[0].compare(reports[1]).to_dict(orient="index")
    found = {"A": data[0], "B": data[1], "difference": rows}
    return Answer(found | drawn, lambda: print_comparison(reports, by, names))
