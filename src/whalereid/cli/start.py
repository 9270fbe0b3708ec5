"""`whalereid start`: the first ten minutes, by itself."""

from __future__ import annotations

import shlex
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from whalereid.cli.command import Answer
from whalereid.cli.console import refuse_absent, say, show, shows_progress
from whalereid.cli.options import OUTPUT, Layout, path_of
from whalereid.errors import WhalereidError
from whalereid.parts import READERS

__all__ = ["command"]

HOW = "How to compare"
LEAST_WITH_MATCH = 10  # photos that must have a match under a rule for it to be asked for
LEAST_ANIMALS = 10  # below which training is no use


def command(
    context: typer.Context,
    *,
    photos: Annotated[
        Path,
        typer.Argument(
            metavar="PHOTOS",
            help="A folder of photos, or a table of them, of any layout.",
            show_default=False,
            rich_help_panel="Your photos",
            **path_of("a folder of photos, or a table of them"),
        ),
    ],
    layout: Layout = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="The network to compare photos with: any that `whalereid models` lists, or one of your own.",
            rich_help_panel=HOW,
        ),
    ] = "lite0",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for what is made.",
            show_default="PHOTOS-whalereid, here",
            rich_help_panel=OUTPUT,
            **path_of("a folder to write to"),
        ),
    ] = None,
    opens: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in the browser at the end.", rich_help_panel=OUTPUT)
    ] = True,
) -> Answer:
    """Walk through the first steps with your photos: read, check, compare, look.

    Each step is a command of its own, run before your eyes: change it, and run it again. Nothing of yours is changed,
    nothing is trained. Stopped, it goes on where it was when run again.

    Example: [bold]whalereid start photos/[/bold]
    """
    refuse_absent(photos)
    if layout is not None:
        READERS.part(layout)  # refused before the first step
    from whalereid.models import read_source

    read_source(model).look()
    steps = Steps(context)
    asked = ["--layout", layout] if layout is not None else []
    folder = _folder(photos) if out is None else out
    table = folder / "catalogue"
    steps.run("Read", "import", photos, *asked, "--exif", "--out", table)
    found = steps.run("Check", "check", "--catalogue", table)
    embeddings, ranking = folder / "embeddings.parquet", folder / "ranking.csv"
    steps.run("Compare", "embed", "--catalogue", table, "--model", model, "--out", embeddings)
    rules, with_match = _usable(found["rules"], found.get("views", {}))
    steps.run("Rank", "rank", "--catalogue", table, "--embeddings", embeddings, *rules, "--out", ranking)
    if with_match:
        steps.try_to("Score", "evaluate", ranking, "--catalogue", table)
    page = steps.run("Look", "report", ranking, "--catalogue", table, "--out", folder / "report")["page"]
    further = _further(table, folder, rules, found)

    def print_all() -> None:
        show("\nThe commands of these steps:\n" + "\n".join(f"  {line}" for line in steps.lines))
        show("\n".join(["", *further, "", f"Look: {page}"]))

    if opens and shows_progress() and sys.stdout.isatty():
        webbrowser.open(Path(page).resolve().as_uri())
    return Answer({"page": page, "commands": steps.lines, "rules": rules} | {"photos": found["photos"]}, print_all)


@dataclass
class Steps:
    """Runs commands of ours as a person would, one by one, and keeps what was typed.

    Attributes
    ----------
    context : typer.Context
        Of the command that walks.
    lines : list of str
        What a person would type for the same.
    """

    context: typer.Context
    lines: list[str] = field(default_factory=list)

    def run(self, title: str, *words: str | Path) -> dict[str, Any]:
        """Run one command, its results on stderr; returns what it has found."""
        plain = [_typed(word) for word in words]
        line = shlex.join(["whalereid", *plain])
        say("")
        say(f"{title}: {line}")
        self.lines.append(line)
        quiet = [] if shows_progress() else ["--quiet"]
        root: Any = self.context.find_root().command
        with redirect_stdout(sys.stderr):
            answer = root.main([*plain, *quiet], prog_name="whalereid", standalone_mode=False)
        if not isinstance(answer, Answer):
            raise WhalereidError(f"{line}: ended with status {answer}; see above.")
        return dict(answer.data)

    def try_to(self, title: str, *words: str | Path) -> dict[str, Any]:
        """Run a command that the photos may be too few for; what it refuses is said, and the walk goes on."""
        try:
            return self.run(title, *words)
        except WhalereidError as error:
            say(f"{title}: nothing yet: {error}")
            self.lines.pop()
            return {}


def _typed(word: object) -> str:
    """A word as it is typed; a path never looks like an option."""
    return f"./{word}" if isinstance(word, Path) and str(word).startswith("-") else str(word)


def _folder(photos: Path) -> Path:
    """Where to write, if nobody says: here, but never among the photos, which would then be read as theirs."""
    name = f"{photos.resolve().stem if photos.is_file() else photos.resolve().name}-whalereid"
    around = photos.resolve() if photos.is_dir() else photos.resolve().parent
    here = Path.cwd()
    if around == here or around in here.parents:
        return around.parent / name
    return Path(name)


def _usable(rules: list[dict[str, Any]], views: dict[str, Any]) -> tuple[list[str], int]:
    """The strictest of the usual rules that the table can bear, as options; how many photos have a match under it."""
    alone = len(views.get("counts", {})) < 2  # the one view that all photos have tells nobody apart
    for exclude, match in ((["encounter"], ["viewpoint"]), (["encounter"], []), ([], ["viewpoint"]), ([], [])):
        for use in rules:
            if (list(use["exclude"]), list(use["match"])) != (exclude, match) or use["problem"] or (match and alone):
                continue
            enough = not use["photos"] or use["with_match"] >= min(LEAST_WITH_MATCH, use["photos"] // 2)
            if enough or not (exclude or match):
                options = [word for name in exclude for word in ("--exclude", name)]
                options += [word for name in match for word in ("--match", name)]
                return options, use["with_match"]
    return [], 0


def _further(table: Path, folder: Path, rules: list[str], found: dict[str, Any]) -> Iterator[str]:
    """What to do next, as commands where the animals are known."""
    if found.get("identities", 0) < LEAST_ANIMALS:
        yield "To train for your animals, write who they are into the column identity of"
        yield f"{table / 'metadata.csv'} (a few dozen animals with several photos each); to see who may be one animal,"
        yield "go through the page's best matches."
        return
    folds, run = folder / "folds.csv", folder / "run"
    yield "Next, train for your animals, and see whether it helps on animals that the network never saw:"
    vectors, ranking = folder / "trained.parquet", folder / "trained.csv"
    for words in (
        ["split", "--catalogue", table, "--by", "identity", "--out", folds],
        ["train", "--catalogue", table, "--folds", folds, "--fold", "0", "--backbone", "lite0", "--out", run],
        ["embed", "--catalogue", table, "--model", run, "--out", vectors],
        ["rank", "--catalogue", table, "--embeddings", vectors, *rules, "--out", ranking],
        ["evaluate", ranking, "--catalogue", table],
    ):
        yield "  " + shlex.join(["whalereid", *map(_typed, words)])
