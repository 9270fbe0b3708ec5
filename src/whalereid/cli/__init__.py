"""The command line: one file per command, thin: parse, call the library, print."""

from whalereid.cli.app import app, main

__all__ = ["app", "main"]
