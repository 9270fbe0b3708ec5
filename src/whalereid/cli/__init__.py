"""The command line: one file per command, thin: parse, call the library, print."""

from __future__ import annotations

from whalereid import stopping

TYPE_CHECKING = False  # the first thing a command does is to heed Ctrl-C: until then, next to nothing is imported
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    import typer

__all__ = ["main"]


def main(
    arguments: Sequence[str] | None = None, commands: typer.Typer | None = None, name: str = "whalereid"
) -> NoReturn:
    """Run a command line, ours or an example's, and exit.

    0 done, 2 the user's input or options, 1 our fault, 128 + its number where a signal ended it (Ctrl-C: 130).
    """
    stopping.heed()
    from whalereid.cli import app

    stopping.leave(app.run(arguments, commands or app.app, name))
