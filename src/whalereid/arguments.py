"""Arguments as people give them: checked at the public door, refused by name with what would do instead."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from numbers import Integral, Real
from typing import Any, TypeVar

from whalereid.errors import WhalereidError

__all__ = [
    "HIGHEST_RATE",
    "HIGHEST_SEED",
    "HIGHEST_WEIGHT",
    "choice",
    "column_names",
    "instance",
    "number",
    "seed",
    "sequence",
    "texts",
    "whole_number",
]

HIGHEST_SEED = 2**32 - 1
"""What NumPy, scikit-learn and torch all take."""

HIGHEST_RATE = 1000.0
"""Of learning and of decay: their product, too, is a number that float32 can hold."""

HIGHEST_WEIGHT = 1e9
"""Of an ensemble's member: as a share of the sum, all smaller ones are still numbers."""

_Kind = TypeVar("_Kind")


def instance(value: Any, name: str, kinds: type[_Kind] | tuple[type[_Kind], ...], wanted: str) -> _Kind:
    """Return `value` if it is of one of these kinds.

    Parameters
    ----------
    value : object
        What was given.
    name : str
        The argument, as the caller typed it.
    kinds : type, or tuple of types
        What it may be.
    wanted : str
        The same in words, such as ``"a Catalogue (Catalogue.read(path) makes one)"``.

    Raises
    ------
    WhalereidError
        It is something else.

    Examples
    --------
    >>> instance("nyala", "photos", dict, "a mapping")
    Traceback (most recent call last):
    ...
    whalereid.errors.WhalereidError: photos is 'nyala', a str; give a mapping.
    """
    # An array without dimensions calls itself iterable, and isn't.
    if not isinstance(value, kinds) or (kinds is Iterable and getattr(value, "ndim", 1) == 0):
        raise WhalereidError(f"{name} is {_shown(value)}; give {wanted}.")
    return value


def whole_number(value: Any, name: str, least: int, most: int | None = None) -> int:
    """Return `value` as an int if it is a whole number from `least` to `most`; True and 3.0 are none.

    Raises
    ------
    WhalereidError
        It isn't; the message says what range it has.

    Examples
    --------
    >>> whole_number(0, "epochs", 1)
    Traceback (most recent call last):
    ...
    whalereid.errors.WhalereidError: epochs is 0; give a whole number from 1.
    """
    ends = f"from {least}" if most is None else f"from {least} to {most}"
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):
        raise WhalereidError(f"{name} is {_shown(value)}; give a whole number {ends}.")
    return int(value)


def number(value: Any, name: str, least: float, most: float = math.inf, *, open_ends: bool = False) -> float:
    """Return `value` as a float if it is a finite number from `least` to `most`; with `open_ends` neither of the two.

    Raises
    ------
    WhalereidError
        It isn't; the message says what range it has.

    Examples
    --------
    >>> number(float("nan"), "lr", 0, open_ends=True)
    Traceback (most recent call last):
    ...
    whalereid.errors.WhalereidError: lr is nan; give a number above 0.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool) and _finite(value)
    inside = is_number and (least < value < most if open_ends else least <= value <= most)
    if not inside:
        ends = {True: f"between {least:g} and {most:g}", False: f"from {least:g} to {most:g}"}[open_ends]
        if most == math.inf:
            ends = f"above {least:g}" if open_ends else f"from {least:g}"
        if least == -math.inf:
            ends = "that is finite" if most == math.inf else f"{'below' if open_ends else 'up to'} {most:g}"
        raise WhalereidError(f"{name} is {_shown(value)}; give a number {ends}.")
    return float(value)


def seed(value: Any, name: str = "seed") -> int:
    """Return `value` if it can seed every generator used here: a whole number from 0 to 4294967295."""
    return whole_number(value, name, 0, HIGHEST_SEED)


def choice(value: Any, name: str, known: Collection[str]) -> str:
    """Return `value` if it is one of the known words.

    Raises
    ------
    WhalereidError
        It isn't; the message lists them.

    Examples
    --------
    >>> choice("mpa", "select_by", ["mAP", "loss"])
    Traceback (most recent call last):
    ...
    whalereid.errors.WhalereidError: select_by is 'mpa'; choose from mAP, loss.
    """
    if not isinstance(value, str) or value not in known:
        given = repr(value) if isinstance(value, str) else _shown(value)
        raise WhalereidError(f"{name} is {given:.80}; choose from {', '.join(known)}.")
    return value


def texts(value: Any, name: str, wanted: str) -> tuple[str, ...]:
    """Return a sequence of text as a tuple: a string alone is one text, not its letters.

    Raises
    ------
    WhalereidError
        It is no sequence, or something in it is no text.

    Examples
    --------
    >>> texts("encounter", "exclude", "columns"), texts(["encounter", "viewpoint"], "exclude", "columns")
    (('encounter',), ('encounter', 'viewpoint'))
    """
    if isinstance(value, str):
        return (value,)
    try:
        held = tuple(value) if isinstance(value, Iterable) and not isinstance(value, bytes) else None
    except TypeError:  # an array without dimensions
        held = None
    if held is None or not all(isinstance(text, str) for text in held):
        raise WhalereidError(f"{name} is {_shown(value)}; give {wanted}.")
    return held


def sequence(value: Any, name: str, length: int, wanted: str) -> tuple[Any, ...]:
    """Return `value` as a tuple if it is a sequence, not of text, of this length.

    Raises
    ------
    WhalereidError
        It isn't.

    Examples
    --------
    >>> sequence([0, 1], "clip", 2, "two bounds, such as (0, 1)")
    (0, 1)
    """
    several = isinstance(value, Iterable) and not isinstance(value, str | bytes | dict | set)
    held = tuple(value) if several and getattr(value, "ndim", 1) != 0 else ()
    if len(held) != length:
        raise WhalereidError(f"{name} is {_shown(value)}; give {wanted}.")
    return held


def column_names(value: Any, name: str) -> tuple[str, ...]:
    """Return names of columns as a tuple: one string is one column; None is none."""
    return () if value is None else texts(value, name, "names of columns, such as ['encounter']")


def _finite(value: Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond every float
        return False


def _shown(value: Any) -> str:
    """The value in a few words: what it is where that isn't plain."""
    text = repr(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    if value is None or isinstance(value, bool | int | float):
        return text
    kind = type(value).__name__
    return f"{text}, a {kind}" if isinstance(value, str | bytes | list | tuple | dict) else f"a {kind}"
