"""The `whalereid` command: gathers the commands, and turns errors into one line and an exit status."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import typer

from whalereid import stopping
from whalereid.cli import (
    check,
    embed,
    encounters,
    evaluate,
    export,
    importing,
    models,
    rank,
    report,
    split,
    start,
    train,
)
from whalereid.cli.command import EXIT_STATUS, Command, VersionOption, shared
from whalereid.cli.console import tell, warn
from whalereid.errors import WhalereidError, WhalereidWarning

__all__ = ["app", "run"]

DONE, OUR_FAULT, USERS_INPUT = 0, 1, 2

app = typer.Typer(
    name="whalereid",
    help="Tell animals apart in photos: from a table of photos to a ranking and an honest score.",
    epilog=EXIT_STATUS,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _whole(version: VersionOption = False) -> None:
    """Hold the options that stand before a command's name; its help is the app's."""


# Each file has one function named `command`; in the order in which a person meets them.
for _name, _file in {
    "start": start,
    "import": importing,
    "check": check,
    "encounters": encounters,
    "split": split,
    "models": models,
    "train": train,
    "embed": embed,
    "rank": rank,
    "evaluate": evaluate,
    "report": report,
    "export": export,
}.items():
    app.command(_name, cls=Command)(shared(_file.command))


def run(arguments: Sequence[str] | None = None, commands: typer.Typer = app, name: str = "whalereid") -> int:
    """Run a command line, ours or an example's; returns the exit status.

    0 done, 2 the user's input or options, 1 our fault, 130 Ctrl-C (128 + its number after another signal).
    """
    _prepare_streams()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a library's words to programmers are none to people
        warnings.simplefilter("always", WhalereidWarning)
        warnings.showwarning = lambda message, *_, **__: warn(str(message))
        return _run(arguments, commands, name)


def _run(arguments: Sequence[str] | None, commands: typer.Typer, name: str) -> int:
    completing = f"_{name.upper()}_COMPLETE" in os.environ
    try:
        status = commands(args=None if arguments is None else list(arguments), standalone_mode=False, prog_name=name)
        sys.stdout.flush()  # what can't be written is found out here, not after the end
        if status == stopping.status():  # what the parser makes of Python's own KeyboardInterrupt
            return stopping.say()
        if status == 1:  # the parser's word for a shell that it has no completion for, which it has said
            return USERS_INPUT
        return status if isinstance(status, int) else DONE
    except (stopping.Stopped, KeyboardInterrupt) as stop:
        return stopping.say(str(stop))
    except WhalereidError as error:
        return stopping.say(str(error)) if stopping.asked() else _refuse(str(error))
    except (BrokenPipeError, SystemExit) as end:  # the latter is what the parser makes of the former
        if isinstance(end, SystemExit) and (completing or not end.code):  # or of completion, whose status shells read
            return end.code if isinstance(end.code, int) else DONE
        _give_up_stdout()
        return DONE  # the reader of our output went away, as `| head` does
    except OSError as error:  # where no one closer to the file has said more
        said = error.strerror or str(error) or type(error).__name__
        if error.filename is not None:
            return _refuse(f"{os.fsdecode(error.filename)}: can't be read or written ({said}).")
        _give_up_stdout()
        return _refuse(f"the output can't be written, or a file can't be read ({said}).")
    except MemoryError:
        return _refuse("the memory of this machine is too small for this; take fewer or smaller files at a time.")
    except UnicodeError as error:
        return _refuse(f"a name or value isn't text that UTF-8 can hold ({error}); rename it.")
    except Exception as error:
        if hasattr(error, "format_message"):  # the parser's own errors: an unknown option, a missing argument
            context = getattr(error, "ctx", None)
            message = error.format_message().replace("Value error, ", "").rstrip(".")  # a library's word before ours
            return _refuse(f"{message}. Try '{context.command_path if context else name} --help'.")
        if stopping.asked() or isinstance(error.__cause__, KeyboardInterrupt):  # the parser may have wrapped it
            return stopping.say()
        for line in traceback.format_exc().rstrip().split("\n"):
            tell(line)
        tell("whalereid: this is a bug in whalereid, not in your data; please report it with the lines above.")
        return OUR_FAULT


def _refuse(message: str) -> int:
    tell(f"whalereid: {' '.join(message.split())}")
    return USERS_INPUT


def _prepare_streams() -> None:
    """Let every character be printed, escaped where the terminal's encoding lacks it, even where no one listens."""
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:  # closed, as `>&-` does
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - lives as long as we
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _give_up_stdout() -> None:
    """Let what still waits to be written go, so that Python's own end doesn't stumble over it."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
