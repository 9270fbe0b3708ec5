"""Entries of a JSON's lists, checked: what is refused is named by its place, such as ``annotations[12].bbox``."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from whalereid.errors import WhalereidError

__all__ = ["Entry", "column_of", "entries", "finite"]

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
        value = self.get(name)
        if value is None or value == []:
            return None
        fits = isinstance(value, list) and len(value) == 4 and all(map(finite, value))
        if not fits or value[2] <= 0 or value[3] <= 0:
            self.refuse(name, wanted)
        x, y, width, height = map(float, value)
        return x, y, width, height


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
