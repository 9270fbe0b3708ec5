"""What all commands have in common: --json, --quiet and --version, how a command line is read, what help adds.

A command is a plain function that returns an `Answer`; `shared` gives it the options, `Command` reads its words.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from whalereid import __version__
from whalereid.cli.console import be_quiet, print_json
from whalereid.cli.options import ANY_COMMAND, CATALOGUE, OUTPUT, PARTS
from whalereid.errors import WhalereidError

__all__ = ["Answer", "Command", "VersionOption", "shared"]

EXIT_STATUS = "Exit status: 0 done, 2 the options or data can't be used, 1 a bug, 130 stopped by Ctrl-C."
_BARE = ("check", "split", "train", "embed")  # their catalogue was once an argument, and may be given so


@dataclass(frozen=True)
class Answer:
    """What a command has done or found.

    Attributes
    ----------
    data : mapping
        As one JSON object, for --json.
    show : callable, optional
        Prints it for people on stdout; without it the words on stderr have said all.
    status : int, default=0
        To exit with.
    """

    data: Mapping[str, Any]
    show: Callable[[], None] | None = None
    status: int = 0


def _print_version(asked: bool) -> None:
    if asked:
        print(f"whalereid {__version__}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option(
        "--version",
        help="Print the version, and exit.",
        is_eager=True,
        callback=_print_version,
        rich_help_panel=ANY_COMMAND,
    ),
]
_Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Say nothing on stderr but warnings and refusals; show no progress.",
        is_eager=True,
        callback=be_quiet,
        rich_help_panel=ANY_COMMAND,
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.", rich_help_panel=OUTPUT)]
_SHARED: dict[str, Any] = {"as_json": _Json, "quiet": _Quiet, "version": VersionOption}


def shared(command: Callable[..., Answer]) -> Callable[..., Answer]:
    """Give a command the options that all have, and print its answer as they say."""

    @functools.wraps(command)
    def run(*, as_json: bool, quiet: bool, version: bool, **options: Any) -> Answer:
        del quiet, version  # heeded while the command line was read
        answer = command(**options)
        if as_json:
            print_json(answer.data)
        elif answer.show is not None:
            answer.show()
        if answer.status:
            raise typer.Exit(answer.status)
        return answer

    own = inspect.signature(command, eval_str=True).parameters
    added = {
        name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in _SHARED.items()
    }
    by_name = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own.values()]
    run.__signature__ = inspect.Signature([*by_name, *added.values()])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in (*by_name, *added.values())}
    return run


@dataclass(frozen=True)
class _Word:
    """A word of the command line that is no option, nor the value of one."""

    place: int
    text: str
    after: tuple[str, str] | None  # the repeatable option, and its value, that it stands behind


class Command(TyperCommand):
    """A command whose options are repeated for several values, and whose help lists the parts that it takes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse a second value behind an option that is to be repeated, and take a bare catalogue for --catalogue."""
        words = list(self._bare_words(args))
        places = sum(param.param_type_name == "argument" for param in self.params) or int(self.name in _BARE)
        for word in words:
            if word.after and (len(words) > places or not os.path.exists(word.text)):  # noqa: PTH110 - never raises
                option, value = word.after
                raise typer.BadParameter(
                    f"{option} takes one value; repeat it for more: {option} {value} {option} {word.text}.", ctx
                )
        if self.name in _BARE and words:
            place, text = words[0].place, words[0].text
            if any(arg.partition("=")[0] == CATALOGUE for arg in args[:place] + args[place + 1 :]):
                raise WhalereidError(f"{self.name}: {text} and {CATALOGUE} both name the catalogue; give {CATALOGUE}.")
            args = [CATALOGUE, text, *args[:place], *args[place + 1 :]]
        left: list[str] = super().parse_args(ctx, args)
        return left

    def _bare_words(self, args: list[str]) -> Iterator[_Word]:
        options = {name: param for param in self.params for name in param.opts}
        after: tuple[str, str] | None = None
        place = 0
        while place < len(args):
            word = args[place]
            if word == "--":
                yield from (_Word(at, args[at], None) for at in range(place + 1, len(args)))
                return
            if not word.startswith("-") or word == "-":
                yield _Word(place, word, after)
            else:
                name, equals, value = word.partition("=")
                option: Any = options.get(name)
                takes_value = option is not None and not option.is_flag
                if takes_value and not equals:
                    place += 1
                    value = args[place] if place < len(args) else ""
                after = (name, value) if takes_value and option.multiple else None
            place += 1

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, with the parts that its options take and the exit status at its end."""
        from rich.markup import escape

        said = []
        for name in (name for param in self.params for name in param.opts if name in PARTS):
            lines = PARTS[name].lines()
            if lines:
                listed = [f"  {escape(part)}{': ' if options else ''}{escape(options)}" for part, options in lines]
                said.append("\n".join([f"[bold]{name}[/bold] takes, with these options and defaults:", *listed]))
        self.epilog = "\n\n".join([*said, EXIT_STATUS])
        self.help = "\n\n".join(" ".join(text.split()) for text in (self.help or "").split("\n\n"))
        super().format_help(ctx, formatter)

    def get_help_option(self, ctx: Any) -> Any:
        """Put --help beside the other options that every command has."""
        option: Any = super().get_help_option(ctx)
        if option is not None:
            option.rich_help_panel = ANY_COMMAND
        return option
