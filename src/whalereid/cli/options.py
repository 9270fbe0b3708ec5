"""What several commands' options have in common: the catalogue, parts by name, and the ranges of numbers."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from whalereid.arguments import HIGHEST_RATE, HIGHEST_SEED, HIGHEST_WEIGHT
from whalereid.cli.console import say
from whalereid.errors import WhalereidError, printable
from whalereid.parts import BATCHES, HEADS, METRICS, MINERS, NECKS, POOLINGS, READERS, RERANKERS, RULES, WRITERS
from whalereid.registry import Part, Registry

__all__ = [
    "ANY_COMMAND",
    "CATALOGUE",
    "CatalogueIfAny",
    "CatalogueOption",
    "INPUT",
    "MACHINE",
    "OUTPUT",
    "OnError",
    "Precision",
    "PARTS",
    "WHO",
    "complete",
    "part_option",
    "path_of",
    "BACKGROUND",
    "BATCH_SIZE",
    "Background",
    "CONFIDENCE",
    "DEVICE",
    "DISTANCE",
    "EPOCHS",
    "Exif",
    "FOLD",
    "FOLDS",
    "Force",
    "GAP",
    "IMAGE_SIZE",
    "K",
    "Layout",
    "MAX_PHOTO_MB",
    "OPEN_SHARE",
    "PAD",
    "QUERIES",
    "RATE",
    "RESAMPLES",
    "SEED",
    "SHARE",
    "Sides",
    "TRAINING_BATCH_SIZE",
    "WEIGHT",
    "WORKERS",
]


def _short(text: str) -> str:
    """What was given, as an error repeats it: in a few words that can't drive a terminal."""
    return printable(text if len(text) <= 40 else f"{text[:37]}...") or "nothing"


def _whole(least: int, most: int, *, instead: Callable[[int], int] = lambda number: number) -> dict[str, Any]:
    """Make an option take a whole number in a range."""
    ends = f"from {least}" if most == _ENDLESS else f"from {least} to {most}"

    def parse(given: str | int) -> int:
        text = str(given)  # the parser of the command line gives defaults as they are
        # As a person writes one: Python would also take 1_000, digits of other scripts, and any number of them.
        value = int(text) if re.fullmatch(r"[+-]?[0-9]{1,30}", text) else least - 1
        if not least <= value <= most:
            raise typer.BadParameter(f"{_short(text)}; give a whole number {ends}.")
        return instead(value)

    return {"parser": parse}


class Sides(NamedTuple):
    """Height and width of the photos a network sees, in pixels; written as 224, or as 256x96."""

    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.height}" if self.height == self.width else f"{self.height}x{self.width}"


def _sides(least: int, most: int) -> dict[str, Any]:
    """Make an option take one side of a square, or height and width."""

    def parse(given: str | Sides) -> Sides:
        text = str(given)
        found = re.fullmatch(r"\+?([0-9]{1,30})(?:x([0-9]{1,30}))?", text)
        sides = Sides(int(found[1]), int(found[2] or found[1])) if found else Sides(0, 0)
        if not least <= min(sides) <= max(sides) <= most:
            raise typer.BadParameter(
                f"{_short(text)}; give a whole number from {least} to {most}, or HEIGHTxWIDTH, such as 256x96."
            )
        return sides

    return {"parser": parse, "metavar": "N|HEIGHTxWIDTH"}


def _real(least: float, most: float, *, ends: bool) -> dict[str, Any]:
    """Make an option take a finite number in a range, with its ends or without."""
    words = f"from {least:g} to {most:g}" if ends else f"between {least:g} and {most:g}"

    def parse(given: str | float) -> float:
        text = str(given)
        value = float(text) if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) else math.nan
        if not (least <= value <= most if ends else least < value < most):  # nor is NaN
            raise typer.BadParameter(f"{_short(text)}; give a number {words}.")
        return value

    return {"parser": parse}


def _at_most_the_cores(value: int) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if value <= cores:
        return value
    say(f"--workers {value}: this machine has {cores} {'core' if cores == 1 else 'cores'}; taking {cores}.")
    return cores


def _no_single(value: int) -> int:
    if value == 1:
        raise typer.BadParameter("1 draw is no interval; give 0 for none, or a whole number from 2.")
    return value


def _device(text: str) -> str:
    if not re.fullmatch(r"(cpu|cuda|mps|xpu|hpu|npu)(:[0-9]{1,3})?", text):
        raise typer.BadParameter(f"{_short(text)}; give a device such as cpu, cuda, cuda:1 or mps.")
    return text


def _take_photos_up_to(value: float | None) -> float | None:
    if value is not None:
        os.environ[MAX_PHOTO_MB_VARIABLE] = f"{value:g}"  # where processes that decode find it, too
    return value


def complete(names: Iterable[str], *words: str) -> Callable[[str], list[str]]:
    """Let a shell complete an option's value from names, which are looked up no earlier, and further words."""
    return lambda incomplete: [name for name in (*words, *names) if name.startswith(incomplete)]


# The groups that options stand in, in --help, where several commands have them.
INPUT, WHO, MACHINE, OUTPUT, ANY_COMMAND = "What to read", "Who may match", "The machine", "Output", "Any command"

_ENDLESS = 10**18
MAX_PHOTO_MB_VARIABLE = "WHALEREID_MAX_PHOTO_MB"  # as whalereid.decoding has it, which loads OpenCV

# What an option's value may be, by what it counts; a command adds its own words: `typer.Option(help="...", **K)`. They
# are looked at while the command line is read, before anything heavy is loaded.
SEED = _whole(0, HIGHEST_SEED)
K = QUERIES = _whole(1, 1_000_000_000)
EPOCHS = _whole(1, 1_000_000)
BATCH_SIZE = _whole(1, 65_536)
TRAINING_BATCH_SIZE = _whole(2, 65_536)
IMAGE_SIZE = _sides(8, 4096)
FOLD = _whole(0, _ENDLESS)
FOLDS = _whole(2, _ENDLESS)
WORKERS = _whole(0, _ENDLESS, instead=_at_most_the_cores)
RESAMPLES = _whole(0, 1_000_000, instead=_no_single)
CONFIDENCE = _real(0, 1, ends=False)
OPEN_SHARE = _real(0, 1, ends=False)
SHARE = _real(0, 1, ends=True)
RATE = _real(0, HIGHEST_RATE, ends=False)
WEIGHT = _real(0, HIGHEST_WEIGHT, ends=False)
GAP = _real(0, 60 * 24 * 366, ends=True)
DISTANCE = _real(0, 20_015_115, ends=False)  # half around the Earth, as whalereid.catalogue.encounters has it
DEVICE: dict[str, Any] = {"parser": _device}
MAX_PHOTO_MB: dict[str, Any] = _real(0, 1e9, ends=False) | {
    "callback": _take_photos_up_to,
    "metavar": "MB",
    "help": "The most megabytes that a photo may take, as a file or decoded.",
    "show_default": "1000",
    "rich_help_panel": INPUT,
}

CATALOGUE = "--catalogue"


def path_of(what: str) -> dict[str, Any]:
    """Make an option or argument take a path, but not an empty one, which would be the folder one is in."""

    def parse(text: str | Path) -> Path:
        if not str(text):
            raise typer.BadParameter(f"nothing: no such file or folder; give {what}.")
        return Path(text)

    return {"parser": parse}


_catalogue: Any = typer.Option(
    CATALOGUE,
    metavar="CATALOGUE",
    help="The table of photos, or its folder.",
    rich_help_panel=INPUT,
    **path_of("a table of photos, or its folder"),
)
CatalogueOption = Annotated[Path, _catalogue]
CatalogueIfAny = Annotated[Path | None, _catalogue]
Force = Annotated[
    bool,
    typer.Option("--force", help="Overwrite what lies there already, of whatever kind it is.", rich_help_panel=OUTPUT),
]


Layout = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Take it for this layout, such as folders (one an animal) or photos (nobody's).",
        show_default="found out",
        autocompletion=complete(READERS),
        rich_help_panel=INPUT,
    ),
]
Exif = Annotated[
    bool,
    typer.Option(
        "--exif",
        help="Take dates and positions that the table lacks from the photos' EXIF.",
        rich_help_panel=INPUT,
    ),
]


class Precision(StrEnum):
    """Of a network's arithmetic."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


class Background(StrEnum):
    """What becomes of what lies outside the animal's mask."""

    KEEP = "keep"
    BLUR = "blur"
    GREY = "grey"


PAD: dict[str, Any] = _real(0, 1, ends=True) | {
    "metavar": "SHARE",
    "help": "Show more around each box: this share of its longer side at each of its sides.",
    "rich_help_panel": INPUT,
}
BACKGROUND: dict[str, Any] = {"help": "What becomes of what lies outside the masks.", "rich_help_panel": INPUT}


class OnError(StrEnum):
    """What becomes of a photo that can't be read."""

    RAISE = "raise"
    SKIP = "skip"


def part_option(registry: Registry[Any], *, or_none: bool = False) -> dict[str, Any]:
    """Make an option take a part as ``NAME:key=value,...``, checked against its signature; nothing is imported for it.

    Parameters
    ----------
    registry : Registry
        Of the parts that it takes.
    or_none : bool, default=False
        Whether the word ``none`` asks for no part.
    """

    def parse(given: str | Part) -> Part | None:
        if or_none and given == "none":
            return None
        try:
            return registry.part(given)
        except WhalereidError as error:
            raise typer.BadParameter(str(error)) from error

    words = ("none",) if or_none else ()
    return {"parser": parse, "metavar": "NAME:key=value,...", "autocompletion": complete(registry, *words)}


PARTS: dict[str, Registry[Any]] = {
    "--layout": READERS,
    "--to": WRITERS,
    "--rule": RULES,
    "--head": HEADS,
    "--miner": MINERS,
    "--batches": BATCHES,
    "--pooling": POOLINGS,
    "--neck": NECKS,
    "--rerank": RERANKERS,
    "--metric": METRICS,
}
"""The options that take parts, whose --help lists them."""
