"""The `whalereid` command: gathers the commands, and turns errors into one line and an exit status."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import typer
from typer.core import TyperCommand

from whalereid import stopping
from whalereid.cli import check, embed, evaluate, rank, split, train
from whalereid.errors import WhalereidError

__all__ = ["app", "run"]

DONE, OUR_FAULT, USERS_INPUT = 0, 1, 2

app = typer.Typer(
    name="whalereid",
    help="Tell animals apart in photos: from a table of photos to a ranking and an honest score.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Each file has one function named `command`; in the order in which a person meets them.
for _name, _file in {
    "check": check,
    "split": split,
    "train": train,
    "embed": embed,
    "rank": rank,
    "evaluate": evaluate,
}.items():
    if hasattr(_file, "command"):
        app.command(_name, cls=getattr(_file, "COMMAND_CLASS", TyperCommand))(_file.command)


def run(arguments: Sequence[str] | None = None, commands: typer.Typer = app, name: str = "whalereid") -> int:
    """Run a command line, ours or an example's; returns the exit status.

    0 done, 2 the user's input or options, 1 our fault, 130 Ctrl-C (128 + its number after another signal).
    """
    try:
        status = commands(args=None if arguments is None else list(arguments), standalone_mode=False, prog_name=name)
        if status == stopping.status():  # what the parser makes of Python's own KeyboardInterrupt
            return stopping.say()
        return status if isinstance(status, int) else DONE
    except (stopping.Stopped, KeyboardInterrupt) as stop:
        return stopping.say(str(stop))
    except WhalereidError as error:
        return stopping.say(str(error)) if stopping.asked() else _refuse(str(error))
    except BrokenPipeError:
        return DONE  # the reader of our output went away, as `| head` does
    except Exception as error:
        if hasattr(error, "format_message"):  # the parser's own errors: an unknown option, a missing argument
            context = getattr(error, "ctx", None)
            message = error.format_message().replace("Value error, ", "").rstrip(".")  # a library's word before ours
            return _refuse(f"{message}. Try '{context.command_path if context else name} --help'.")
        if stopping.asked() or isinstance(error.__cause__, KeyboardInterrupt):  # the parser may have wrapped it
            return stopping.say()
        traceback.print_exc()
        print(
            "whalereid: this is a bug in whalereid, not in your data; please report it with the lines above.",
            file=sys.stderr,
        )
        return OUR_FAULT


def _refuse(message: str) -> int:
    print(f"whalereid: {' '.join(message.split())}", file=sys.stderr)
    return USERS_INPUT
