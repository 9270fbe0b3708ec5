"""Entries of a JSON's lists, checked: what is refused is named by its place, such as ``annotations[12].bbox``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from whalereid.errors import WhalereidError

__all__ = ["Entry", "column_of", "distinct_names", "entries", "finite", "json_files"]

_MOST_FILES = 20
_LARGEST = 2**63  # beyond it no table has whole numbers


class Entry:
    """One entry of a list in a JSON file.

    Parameters
    ----------
    fields : dict
        What it holds.
    place : str
        Where it stands: ``"instances.json: annotations[12]"``.
    """

    __slots__ = ("fields", "place")

    def __init__(self, fields: dict[str, Any], place: str) -> None:
        self.fields, self.place = fields, place

    def get(self, name: str) -> Any:
        """What a field holds; None where it is absent, null or NaN."""
        value = self.fields.get(name)
        return None if value is None or value != value else value

    def refuse(self, name: str, wanted: str) -> NoReturn:
        """Refuse a field, saying what it should hold."""
        if name not in self.fields:
            raise WhalereidError(f"{self.place} has no {name!r}; it is {wanted}.")
        raise WhalereidError(f"{self.place}.{name} is {self.fields[name]!r:.80}; it is {wanted}.")

    def key(self, name: str) -> int | str:
        """A number or text that something is known by; it must be there."""
        value = _whole(self.get(name))
        if isinstance(value, bool) or not isinstance(value, int | str):
            self.refuse(name, "a whole number or text")
        return value

    def text(self, name: str) -> str | None:
        """Text, or a whole number as its digits; None where there is none."""
        value = self.fields.get(name)
        if value is None or type(value) is str:  # nearly always
            return value and (value.strip() or None)
        value = _whole(self.get(name))
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | str)):
            self.refuse(name, "text or a whole number")
        return None if value is None else str(value).strip() or None

    def number(self, name: str, least: float = -math.inf, most: float = math.inf) -> float | None:
        """A finite number of a range; None where there is none."""
        value = self.get(name)
        if value is None:
            return None
        if not finite(value) or not least <= value <= most:
            ends = "" if least == -math.inf else f" from {least:g}" + ("" if most == math.inf else f" to {most:g}")
            self.refuse(name, f"a finite number{ends}")
        return float(value)

    def box(self, name: str, wanted: str) -> tuple[float, float, float, float] | None:
        """Four finite numbers, of which the last two are above 0; None where there are none."""
        if self.get(name) in (None, []):
            return None
        x, y, width, height = self.numbers(name, 4, wanted)
        if width <= 0 or height <= 0:
            self.refuse(name, wanted)
        return x, y, width, height

    def numbers(self, name: str, n: int, wanted: str) -> tuple[float, ...]:
        """A list of so many finite numbers; it must be there."""
        value = self.get(name)
        if not isinstance(value, list) or len(value) != n or not all(map(finite, value)):
            self.refuse(name, wanted)
        return tuple(map(float, value))

    def entries(self, name: str) -> list[Entry]:
        """The entries of a list in it; none where there is no list."""
        held = self.get(name)
        if held is None:
            return []
        if not isinstance(held, list):
            self.refuse(name, "a list of objects")
        for at, fields in enumerate(held):
            if not isinstance(fields, dict):
                raise WhalereidError(f"{self.place}.{name}[{at}] is {fields!r:.60}; it is an object.")
        return [Entry(fields, f"{self.place}.{name}[{at}]") for at, fields in enumerate(held)]


def entries(content: dict[str, Any], key: str, where: str, kind: str) -> list[Entry]:
    """The entries of a list.

    Raises
    ------
    WhalereidError
        There is no such list, or something in it is no object.
    """
    held = content.get(key)
    if not isinstance(held, list):
        raise WhalereidError(f"{where}: is not {kind}: it has no list of {key!r}.")
    for at, fields in enumerate(held):
        if not isinstance(fields, dict):
            raise WhalereidError(f"{where}: is not {kind}: {key}[{at}] is {fields!r:.60}, not an object.")
    return [Entry(fields, f"{where}: {key}[{at}]") for at, fields in enumerate(held)]


def _whole(value: Any) -> Any:
    """A whole number as an int, also where it is written as tables with gaps write it: 7.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def distinct_names(images: list[Entry], field: str) -> list[str]:
    """The photos' names, each once.

    Raises
    ------
    WhalereidError
        One is missing, or stands there twice; the message names both.
    """
    names = [str(image.key(field)).strip() or image.refuse(field, "the name of a photo") for image in images]
    first: dict[str, int] = {}
    for at, name in enumerate(names):
        if first.setdefault(name, at) != at:
            images[at].refuse(field, f"the name of another photo than {images[first[name]].place.rpartition(': ')[2]}")
    return names


def json_files(files: list[Path]) -> list[Path]:
    """The JSON files among those of a folder; none where there are so many that each is a photo's own."""
    found = [path for path in files if path.suffix.lower() == ".json"]
    return found if len(found) <= _MOST_FILES else []


def finite(value: Any) -> bool:
    """Whether a value is a finite number; True and False are none."""
    try:
        return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def column_of(values: list[Any]) -> pd.Series:
    """Values of a field as one column that every table can hold: all of one kind, or all text; none is NaN."""
    there = [value for value in values if value is not None and value == value]
    kinds = {type(value) for value in there}
    fits = kinds <= {int, float} and all(abs(value) < _LARGEST for value in there)
    if fits or kinds in ({str}, {bool}):
        return pd.Series([np.nan if value is None else value for value in values], dtype=None if there else object)
    return pd.Series([np.nan if value is None or value != value else str(value) for value in values], dtype=object)
