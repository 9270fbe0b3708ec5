"""The columns of a catalogue: their names, the aliases read in, and how values are cleaned."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd

from whalereid.catalogue.columns import ALIASES, KNOWN, REQUIRED
from whalereid.catalogue.masks import as_text
from whalereid.catalogue.suggestions import did_you_mean
from whalereid.errors import WhalereidError, listing
from whalereid.tables import require_columns, require_filled, require_unique_names
from whalereid.text import MISSING, id_column, name_column, normalise_viewpoint, text_column

__all__ = [
    "ALIASES",
    "KNOWN",
    "REQUIRED",
    "UNKNOWN",
    "known_names",
    "normalise",
    "parse_bbox",
    "refuse_repeats",
]

UNKNOWN = frozenset({"", "unknown", "____"})
_MAY_BE_UNKNOWN = ("identity", "viewpoint", "encounter")
_NAMES = ("identity", "viewpoint", "encounter", "species", "location")
_DATES = ("date", "timestamp")
_NUMBERS = ("height", "width", "fold")
_LARGEST = 2.0**63  # beyond it no column has whole numbers
_NO_MASK = frozenset({"[]", "{}"})  # as COCO has it where only boxes were drawn
_DEGREES = {"latitude": 90, "longitude": 360}  # whole turns east are written, too
_BBOX_PARTS = ("bbox_x", "bbox_y", "bbox_w", "bbox_h")


def parse_bbox(value: Any) -> tuple[float, float, float, float]:
    """Read a box: x, y of its top left corner, width and height, in pixels.

    Parameters
    ----------
    value : str or sequence of 4 numbers
        As text, the numbers stand between commas, semicolons or spaces, in brackets or not.

    Raises
    ------
    ValueError
        Not four finite numbers, or no area.

    Examples
    --------
    >>> parse_bbox("[10, 20, 30.5, 40]")
    (10.0, 20.0, 30.5, 40.0)
    """
    if isinstance(value, str):
        inner = value.strip()
        if inner[:1] + inner[-1:] in ("[]", "()"):
            inner = inner[1:-1]
        value = [part for part in re.split(r"[,;\s]+", inner) if part]
    x, y, width, height = (float(number) for number in value)
    if not all(math.isfinite(number) for number in (x, y, width, height)) or width <= 0 or height <= 0:
        raise ValueError("no area")
    return x, y, width, height


def normalise(frame: pd.DataFrame, *, where: str) -> pd.DataFrame:
    """Rename aliases and clean values: ids and categories text, sizes numbers, boxes tuples, missing values NaN.

    Doing it twice changes nothing. Of names only the empty one is missing, and what `UNKNOWN` holds; of dates and
    numbers, and of other columns that hold nothing but numbers, so is what `MISSING` holds.

    Parameters
    ----------
    frame : DataFrame
        A table of photos with the columns of the catalogue, under their names or aliases, in whatever case.
    where : str
        What to name in errors: the file, or what the table is.

    Returns
    -------
    DataFrame
        A new table with a plain 0..N-1 index. An alias is used only where the proper name is absent. Rows are counted
        from 1 in errors.

    Raises
    ------
    WhalereidError
        A required column is missing, an ``image_id`` or ``path`` is empty, an ``image_id`` is repeated or no text, or a
        size or box can't be read.
    """
    if not frame.index.equals(pd.RangeIndex(len(frame))):
        frame = frame.reset_index(drop=True)
    frame = known_names(frame, where=where)
    missing = [name for name in REQUIRED if name not in frame]
    question = did_you_mean(frame.columns, *missing) if missing else ""
    hint = f"a catalogue needs {' and '.join(REQUIRED)}{'; ' if question else ''}{question}"
    require_columns(frame, *REQUIRED, where=where, hint=hint)
    cleaned = {"image_id": id_column(frame["image_id"], where=where)}
    cleaned["path"] = text_column(frame["path"], where=where)
    cleaned |= {name: name_column(frame[name], where=where) for name in _NAMES if name in frame}
    cleaned |= {name: _given(text_column(frame[name], where=where)) for name in _DATES if name in frame}
    known = {*cleaned, *KNOWN, *_NUMBERS, *_DEGREES, *_BBOX_PARTS}
    for name, column in frame.items():
        if name not in known and isinstance(column.dtype, pd.StringDtype):
            given = _numbers_given(column)
            if given is not column:  # of tables with very many columns, few change
                cleaned[str(name)] = given
    if "date" not in frame and "timestamp" in frame:
        cleaned["date"] = cleaned["timestamp"]
    for name in _MAY_BE_UNKNOWN:
        if name in cleaned:
            cleaned[name] = cleaned[name].mask(cleaned[name].str.lower().isin(UNKNOWN))
    if "viewpoint" in cleaned:
        plain = {view: normalise_viewpoint(view) for view in cleaned["viewpoint"].dropna().unique()}
        cleaned["viewpoint"] = cleaned["viewpoint"].map(plain).astype("str")
    for name in _NUMBERS:
        if name in frame:
            cleaned[name] = _numbers(frame[name], where=where)
    for name, most in _DEGREES.items():
        if name in frame:
            cleaned[name] = _degrees(frame[name], most, where=where)
    if "bbox" in frame:
        cleaned["bbox"] = _boxes(frame["bbox"], where=where)
    elif all(name in frame for name in _BBOX_PARTS):
        parts = [_given(text_column(frame[name], where=where)).fillna("") for name in _BBOX_PARTS]
        joined = [", ".join(box) if any(box) else "" for box in zip(*parts, strict=True)]
        cleaned["bbox"] = _boxes(pd.Series(joined, frame.index, dtype=object, name="bbox"), where=where)
        frame = frame.drop(columns=list(_BBOX_PARTS))
    if "mask" in frame:
        cleaned["mask"] = _masks(frame["mask"], where=where)
    frame = frame.assign(**cleaned)
    for name in REQUIRED:
        require_filled(frame[name], where=where, hint="every photo needs one")
    refuse_repeats(frame["image_id"], where=where)
    return frame


def known_names(frame: pd.DataFrame, *, where: str) -> pd.DataFrame:
    """Rename known columns and aliases in whatever case and with spaces around, then aliases to their proper names."""
    names = [str(name) for name in frame.columns]
    known = {*KNOWN, *ALIASES, *_BBOX_PARTS, "timestamp"}
    taken = set(names)
    for at, name in enumerate(names):
        plain = name.strip().lower()
        if name not in known and plain in known and plain not in taken:
            taken.add(plain)
            names[at] = plain
    for alias, proper in ALIASES.items():
        if alias in names and proper not in names:
            names[names.index(alias)] = proper
    require_unique_names(names, where=where)
    return frame.set_axis(names, axis="columns")


def _given(text: pd.Series) -> pd.Series:
    """Text of dates or numbers; what programs write for a missing one is NaN."""
    if MISSING.isdisjoint(text.tolist()):
        return text
    return text.mask(text.isin(MISSING))


def _numbers_given(column: pd.Series) -> pd.Series:
    """A column of the table's own, as it is; where all the rest are numbers, what programs write for none is NaN."""
    given = _given(column)
    if given is column:
        return column
    rest = given.dropna()
    return given if bool(pd.to_numeric(rest, errors="coerce").notna().all()) else column


def _numbers(column: pd.Series, *, where: str) -> pd.Series:
    """As numbers, integers where all are there and whole."""
    given = column if pd.api.types.is_numeric_dtype(column) else _given(text_column(column, where=where))
    if pd.api.types.is_complex_dtype(given):
        _refuse(column, given.notna().to_numpy(bool), "is not a real number", where=where)
    number = pd.to_numeric(given, errors="coerce").astype("float64")
    _refuse(column, given.notna().to_numpy(bool) & ~np.isfinite(number.to_numpy()), "is not a number", where=where)
    whole = bool(((number % 1 == 0) & (number.abs() < _LARGEST)).all())
    return number.astype("int64") if whole else number


def _degrees(column: pd.Series, most: int, *, where: str) -> pd.Series:
    """As numbers of degrees, or NaN."""
    degrees = _numbers(column, where=where).astype("float64")
    _refuse(column, (degrees.abs() > most).to_numpy(bool), f"is beyond {most} degrees", where=where)
    return degrees


def _boxes(column: pd.Series, *, where: str) -> pd.Series:
    """As tuples of four floats, or NaN."""
    boxes: list[object] = [math.nan] * len(column)
    odd = np.zeros(len(column), bool)
    for row, value in enumerate(column):
        is_sequence = isinstance(value, tuple | list | np.ndarray)
        if not is_sequence and (pd.isna(value) or str(value).strip() in MISSING):
            continue
        try:
            boxes[row] = parse_bbox(value)
        except (ValueError, TypeError):
            odd[row] = True
    _refuse(column, odd, "is not x, y, width, height in pixels, with an area", where=where)
    return pd.Series(boxes, column.index, dtype=object)


def _masks(column: pd.Series, *, where: str) -> pd.Series:
    """As text, JSON where they are lists or mappings; or NaN. Whether they can be drawn is for the photo to show."""
    if column.dtype == object:
        texts: list[Any] = [None] * len(column)
        odd = np.zeros(len(column), bool)
        for row, value in enumerate(column):
            try:
                texts[row] = as_text(value)
            except (TypeError, ValueError, RecursionError):
                odd[row] = True
        _refuse(column, odd, "is no mask: polygons, run lengths, or the path of a picture", where=where)
        column = pd.Series(texts, column.index, dtype=object, name=column.name)
    text = text_column(column, where=where)
    return text.mask(text.isin(MISSING | _NO_MASK))


def _refuse(column: pd.Series, wrong: np.ndarray, what: str, *, where: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        value = f"{column.iloc[rows[0]]!r:.80}"
        more = f"; {len(rows)} rows are so" if len(rows) > 1 else ""
        raise WhalereidError(f"{where}, row {rows[0] + 1}, column {column.name}: {value} {what}{more}.")


def refuse_repeats(image_ids: pd.Series, *, where: str) -> None:
    """Refuse a column of ids with one that stands twice, naming it and its rows."""
    repeated = image_ids[image_ids.duplicated()].unique()
    if len(repeated):
        rows = image_ids.index[image_ids == repeated[0]] + 1
        raise WhalereidError(
            f"{where}, rows {listing(rows)}: image_id {repeated[0]!r} is repeated; ids must be unique "
            f"({len(repeated)} {'id is' if len(repeated) == 1 else 'ids are'} not: {listing(map(repr, repeated))})."
        )
