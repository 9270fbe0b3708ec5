"""`whalereid split`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whalereid.cli.command import Answer
from whalereid.cli.console import check_out, read_photos, say, show, shows_progress
from whalereid.cli.options import FOLDS, INPUT, OPEN_SHARE, OUTPUT, SEED, SHARE, CatalogueOption, Force
from whalereid.errors import WhalereidError, listing
from whalereid.outputs import FOLDS as FOLDS_FILE

if TYPE_CHECKING:
    from whalereid.splits import FoldLeakage, Splitter

__all__ = ["command"]

HOW = "How to split"


class By(StrEnum):
    """What a split goes by."""

    PHOTO = "photo"
    ENCOUNTER = "encounter"
    IDENTITY = "identity"
    DATE = "date"
    OPEN_SET = "open-set"


# The options that each way understands, and what its splitter calls them.
_OPTIONS = {
    By.PHOTO: {"--folds": "n_splits", "--seed": "seed"},
    By.ENCOUNTER: {"--folds": "n_splits", "--seed": "seed"},
    By.IDENTITY: {"--folds": "n_splits", "--seed": "seed"},
    By.DATE: {"--from": "date", "--test-share": "test_share"},
    By.OPEN_SET: {"--unseen": "unseen", "--test-share": "test_share", "--seed": "seed"},
}


def command(
    *,
    catalogue: CatalogueOption,
    use: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDS", help="Report on the folds of this file instead of making some.", rich_help_panel=INPUT
        ),
    ] = None,
    look: Annotated[
        bool,
        typer.Option(
            "--photos",
            help="Look at the photos for copies, near-duplicates and telling backgrounds.",
            rich_help_panel=INPUT,
        ),
    ] = False,
    by: Annotated[
        By | None,
        typer.Option(
            metavar="WAY",
            help="photo: known animals in photos like those trained on (flatters). encounter: known animals met again. "
            "identity: animals never seen. date: what came later. open-set: known animals and new ones.",
            show_default="encounter",
            rich_help_panel=HOW,
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(metavar="N", help="How many folds.", show_default="5", rich_help_panel=HOW, **FOLDS),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="By date: test the photos from this day on.", rich_help_panel=HOW),
    ] = None,
    test_share: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="By date, open set: test about this share of the photos.",
            show_default="0.2",
            rich_help_panel=HOW,
            **OPEN_SHARE,
        ),
    ] = None,
    unseen: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Open set: the share of test identities that are new.",
            show_default="0.5",
            rich_help_panel=HOW,
            **SHARE,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Of the shuffle.", show_default="0", rich_help_panel=HOW, **SEED),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDS", help="Write the folds here, as CSV; by default only report.", rich_help_panel=OUTPUT
        ),
    ] = None,
    force: Force = False,
) -> Answer:
    """Split photos so that a score will hold, and say what leaks between the parts.

    Prints what each fold holds, and how many of its photos share more with training than the animal.

    In the file, fold -1 is only ever trained on; photos that are left out have no row.

    Example: [bold]whalereid split --catalogue data/metadata.csv --by encounter --folds 5 --out folds.csv[/bold]
    """
    options = {"--folds": folds, "--seed": seed, "--from": since, "--test-share": test_share, "--unseen": unseen}
    given = {option: value for option, value in options.items() if value is not None}
    # What needs no table is refused before the libraries for tables are loaded, let alone the table.
    if use is None:
        _check(by or By.ENCOUNTER, given)
        if out is not None:
            check_out(out, FOLDS_FILE, inputs=[catalogue], force=force)
    else:
        written = {"--by": by, **given, "--out": out, "--force": force}
        _check_use(use, [option for option, value in written.items() if value or option in given])

    from whalereid.splits import PredefinedFolds, fold_table, leakage_over_folds, read_folds, write_folds

    splitter: Splitter
    if use is None:
        splitter = _splitter(by or By.ENCOUNTER, given)
        photos = read_photos(catalogue)
    else:
        photos = read_photos(catalogue)
        splitter = PredefinedFolds(read_folds(use, photos))
    report = leakage_over_folds(photos, splitter, photos=look, progress=look and shows_progress())
    table = fold_table(splitter, photos)
    if out is not None:
        write_folds(table, out, force=force)
    left_out = len(photos) - len(table)
    if left_out:
        say(f"{left_out:,} of {len(photos):,} photos are left out of every fold.")
    unread = max(part.n_unread or 0 for part in report.folds.values())
    if unread:
        say(f"{unread:,} photos can't be read; `whalereid check` names them.")
    say(report.sentence())
    if out is not None:
        say(f"Folds of {len(table):,} photos written to {out}.")
    found: dict[str, Any] = {"split": repr(splitter), "photos": len(photos), "left_out": left_out}
    found |= {"folds": report.counts().to_dict("records"), "leakage": report.to_dict(), "out": out and str(out)}
    return Answer(found, lambda: show(_readable(report)))


def _check_use(use: Path, refused: list[str]) -> None:
    """Refuse a file of folds that isn't there, and options that make folds."""
    if refused:
        raise WhalereidError(f"--use reports on folds that are there; leave out {listing(refused)}.")
    if not use.is_file():
        raise WhalereidError(f"{use}: {'is a folder, not a table' if use.is_dir() else 'no such file'}.")


def _check(by: By, given: dict[str, Any]) -> None:
    """Refuse options that don't go with this way of splitting."""
    strange = sorted(given.keys() - _OPTIONS[by].keys())
    if strange:
        raise WhalereidError(f"{listing(strange)}: means nothing --by {by}; it takes {listing(_OPTIONS[by])}.")
    if "--from" in given and "--test-share" in given:
        raise WhalereidError("--from and --test-share: give either the day, or the share of photos to test.")


def _splitter(by: By, given: dict[str, Any]) -> Splitter:
    from whalereid.splits import DateSplit, EncounterFolds, IdentityFolds, OpenSetSplit, PhotoFolds

    if by is By.DATE and not given:
        given = {"--test-share": 0.2}
    made = {
        By.PHOTO: PhotoFolds,
        By.ENCOUNTER: EncounterFolds,
        By.IDENTITY: IdentityFolds,
        By.DATE: DateSplit,
        By.OPEN_SET: OpenSetSplit,
    }[by]
    return made(**{_OPTIONS[by][option]: value for option, value in given.items()})


def _readable(report: FoldLeakage) -> str:
    counts = report.counts().set_index("fold")
    counts["unseen"] = counts["unseen"].map("{:.0%}".format)
    counts = counts.rename(columns={"train_photos": "training photos", "photos": "test photos"})
    counts = counts.rename(index="fold {}".format).rename_axis(index=None)
    return f"{counts.to_string()}\n\nTest photos that share this with a training photo of the same identity:\n{report}"
