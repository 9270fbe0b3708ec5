"""Ids and names as text: trimmed, the same wherever they come from, and refused by name where they are none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.errors import WhalereidError

__all__ = [
    "MISSING",
    "id_array",
    "id_column",
    "is_viewpoint",
    "name_column",
    "normalise_viewpoint",
    "reads_as_missing",
    "text_column",
]

MISSING = frozenset({"", "NA", "N/A", "#N/A", "NaN", "nan", "<NA>"})
"""As R, Excel and pandas write a missing number or date. Of names only the empty one is missing."""

_LIKE_MISSING = frozenset(
    {"na", "n/a", "n.a.", "#n/a", "nan", "<na>", "nat", "none", "null", "nil", "missing", "-", "?"}
)
_VIEWPOINT = re.compile(r"(?:(?:top|up|bottom|down|left|right|front|back)[-_ ]?)+")
_VIEWPOINT_SYNONYMS = {"up": "top"}
_EXACT = 2.0**53  # whole numbers up to here are themselves as floats


def reads_as_missing(name: str) -> bool:
    """Whether a name is what programs write for a value that isn't there.

    Examples
    --------
    >>> [reads_as_missing(name) for name in ("NA", "None", "Nan", "Nanuq")]
    [True, True, True, False]
    """
    return name.strip().lower() in _LIKE_MISSING


def normalise_viewpoint(name: Any) -> str:
    """Write a viewpoint as catalogues do: in lower case, without spaces around, ``top`` for ``up``.

    Raises
    ------
    WhalereidError
        It is no text.

    Examples
    --------
    >>> [normalise_viewpoint(name) for name in ("up", " Left ", "Front-Right")]
    ['top', 'left', 'front-right']
    """
    plain = instance(name, "viewpoint", str, "text, such as 'left'").strip().lower()
    return _VIEWPOINT_SYNONYMS.get(plain, plain)


def is_viewpoint(name: str) -> bool:
    """Whether a viewpoint is one we know: a side of the animal, or sides combined.

    Examples
    --------
    >>> [is_viewpoint(name) for name in ("left", "front-right", "backleft", "lft")]
    [True, True, True, False]
    """
    return _VIEWPOINT.fullmatch(name.lower()) is not None


def text_column(column: pd.Series, *, where: str) -> pd.Series:
    """A column as trimmed text, missing or empty values NaN; a whole number is its digits.

    Parameters
    ----------
    column : Series of N values
        Text, numbers or dates.
    where : str
        What errors call the table.

    Raises
    ------
    WhalereidError
        A value is something else, or text that no file can hold; names row and column.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.StringDtype):
        text = column.str.strip()
        if str(column.dtype) != "str":
            column, text = column.astype("str"), text.astype("str")
        changed = (text != column) | (text == "")  # of most columns nothing, and then no second one is kept
        kept = text.mask(text == "") if changed.fillna(False).any() else column
    else:
        kept = _as_text(column, where=where)
    return kept


def name_column(column: pd.Series, *, where: str) -> pd.Series:
    """A column of names as `text_column` gives it; one that no file could keep is refused."""
    text = text_column(column, where=where)
    has_nul = text.str.contains("\0", regex=False).fillna(False).to_numpy(bool)
    _refuse(text, has_nul, "holds a NUL, which no table can keep; rename it", where=where)
    return text


def _as_text(column: pd.Series, *, where: str) -> pd.Series:
    if column.dtype == object:
        odd = [not (isinstance(value, str) or _is_scalar(value)) for value in column]
        _refuse(column, np.array(odd, bool), "is no text", where=where)
    elif pd.api.types.is_float_dtype(column):
        there = column.dropna()
        if bool((there % 1 == 0).all()) and bool((there.abs() <= _EXACT).all()):
            column = column.astype("Int64")  # whole numbers that gaps made floats: 12, not 12.0
    try:
        text = column.astype("str").str.strip()
    except UnicodeEncodeError:
        broken = np.array([isinstance(value, str) and not _encodes(value) for value in column], bool)
        _refuse(column, broken, "holds what is no Unicode text; rename it", where=where)
        raise
    return text.where(column.notna() & (text != ""))


def id_column(column: pd.Series, *, where: str) -> pd.Series:
    """A column of ids as trimmed text, missing or empty ones NaN; whole numbers are taken for their digits.

    Parameters
    ----------
    column : Series of N values
        Text, or whole numbers.
    where : str
        What errors call the table.

    Raises
    ------
    WhalereidError
        An id is something else, such as 7.0 or a date; names row and column.
    """
    if column.dtype == object:
        odd = np.array([not (_is_id(value) or _is_missing(value)) for value in column], bool)
    elif isinstance(column.dtype, pd.CategoricalDtype):
        return id_column(column.astype(column.cat.categories.dtype), where=where)
    else:
        fine = isinstance(column.dtype, pd.StringDtype) or pd.api.types.is_integer_dtype(column)
        odd = np.zeros(len(column), bool) if fine else column.notna().to_numpy(bool)
        if odd.any() and not odd.all() and pd.api.types.is_float_dtype(column):
            odd &= (column % 1 != 0).to_numpy(bool)  # whole numbers that gaps made floats: the gap is what is wrong
    _refuse(column, odd, "is no id: ids are text, or whole numbers", where=where)
    return name_column(column, where=where)


def id_array(ids: Any, name: str) -> np.ndarray:
    """(N,) str objects, trimmed; whole numbers are taken for their digits, nothing else than text is.

    Raises
    ------
    WhalereidError
        That is no list, or an id is neither, or empty, or holds what no file can; names the argument and the entry.
    """
    texts: list[Any] = list(instance(ids, name, Iterable, "a list of ids, which are text"))
    for row, image_id in enumerate(texts):
        if type(image_id) is not str:
            if not _is_id(image_id):
                raise WhalereidError(f"{name}: entry {row + 1} is {image_id!r:.60}; an id is text.")
            image_id = str(image_id)
        texts[row] = plain = image_id.strip()
        if not plain:
            raise WhalereidError(f"{name}: entry {row + 1} is empty; an id is text.")
        if "\0" in plain or not _encodes(plain):
            raise WhalereidError(f"{name}: entry {row + 1} is {plain!r:.60}, which no table can keep; rename it.")
    array = np.empty(len(texts), object)
    array[:] = texts
    return array


def _is_id(value: Any) -> bool:
    return isinstance(value, str | Integral) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return bool(pd.api.types.is_scalar(value)) and not isinstance(value, bytes | complex)


def _is_missing(value: Any) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _encodes(text: str) -> bool:
    """Whether a file can hold it: half of a surrogate pair is no character."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(column: pd.Series, wrong: np.ndarray, what: str, *, where: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        value = f"{column.iloc[rows[0]]!r:.80}"
        more = f"; {len(rows)} rows are so" if len(rows) > 1 else ""
        raise WhalereidError(f"{where}, row {rows[0] + 1}, column {column.name}: {value} {what}{more}.")
