"""Catalogues as Excel workbooks, in which text stays text.

What a cell can hold: https://support.microsoft.com/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from whalereid import stopping
from whalereid.catalogue.table import Catalogue
from whalereid.catalogue.writers.tables import where_photos_are
from whalereid.catalogue.writers.writer import is_given
from whalereid.errors import WhalereidError
from whalereid.outputs import SOFTWARE, WORKBOOK, Kind

__all__ = ["Xlsx"]

_MOST_ROWS, _MOST_COLUMNS, _LONGEST = 1_048_576, 16_384, 32_767
_EXACT = 10**15  # whole numbers have 15 digits in Excel
_FORMULA = ("=", "+", "-", "@")
_TAKEN = (*_FORMULA, "#")  # what openpyxl or Excel take for formulas, or for errors such as #N/A
# What XML can't hold, and the carriage return, which it makes a line's end.
_ILLEGAL = r"[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]"


class Xlsx:
    """An Excel workbook of one sheet, ``catalogue``; needs openpyxl."""

    kinds: ClassVar[Mapping[str, Kind]] = {"": WORKBOOK}

    def __init__(self) -> None:
        if find_spec("openpyxl") is None:
            raise WhalereidError("workbooks need openpyxl; install it by: pip install 'whalereid[excel]'")

    def write(self, catalogue: Catalogue, files: Mapping[str, Path], out: Path) -> Sequence[str]:
        """Write the table: ids, names, dates and boxes as text, never as formulas; numbers as numbers."""
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell

        frame = catalogue.written()
        _check(frame, str(out))
        book = Workbook(write_only=True)
        book.properties.creator = SOFTWARE
        sheet = book.create_sheet("catalogue")

        def cell(value: Any) -> Any:
            if not isinstance(value, str) or not value.startswith(_TAKEN):
                return value
            made = WriteOnlyCell(sheet, value)
            made.data_type = "s"  # not what it looks like
            if value.startswith(_FORMULA):
                made.quotePrefix = True  # nor when somebody edits it
            return made

        sheet.append([cell(str(name)) for name in frame.columns])
        columns = [_values(frame[name]) for name in frame.columns]
        for row in range(len(frame)):
            if row % 1000 == 0:
                stopping.check()
            sheet.append([cell(column[row]) for column in columns])
        book.save(files[""])
        return where_photos_are(catalogue, out)


def _values(column: pd.Series) -> list[Any]:
    """A column's cells: text, numbers that Excel keeps exactly, True and False, None."""
    kind = column.dtype
    if isinstance(kind, np.dtype) and kind.kind in "iuf":
        return [_number(value) for value in column.tolist()]
    if isinstance(kind, np.dtype) and kind.kind == "b":
        return column.tolist()
    return [_cell(value) for value in column.astype(object).tolist()]


def _cell(value: Any) -> Any:
    if not is_given(value):
        return None
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool):
        return value
    return _number(value) if isinstance(value, int | float) else str(value)


def _number(value: Any) -> Any:
    if value != value:
        return None
    return value if math.isfinite(value) and abs(value) < _EXACT else str(value)


def _check(frame: pd.DataFrame, where: str) -> None:
    """Refuse what a sheet can't hold."""
    if len(frame) >= _MOST_ROWS or len(frame.columns) > _MOST_COLUMNS:
        raise WhalereidError(
            f"{where}: {len(frame):,} rows and {len(frame.columns):,} columns are more than Excel has "
            f"({_MOST_ROWS - 1:,} and {_MOST_COLUMNS:,}); write csv or parquet."
        )
    names = pd.Series([str(name) for name in frame.columns], name="names of columns", dtype="str")
    for column in (names, *(frame[name] for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name]))):
        text = column.where(column.map(is_given)).map(str, na_action="ignore").astype("str")
        _refuse(column.name, text, text.str.contains(_ILLEGAL, regex=True), "holds a control character", where)
        long = text.str.len() > _LONGEST
        _refuse(column.name, text, long, f"has more than {_LONGEST:,} characters, which is what a cell takes", where)


def _refuse(name: Any, text: pd.Series, wrong: pd.Series, what: str, where: str) -> None:
    rows = np.flatnonzero(wrong.fillna(False).to_numpy(bool))
    if len(rows):
        more = f"; {len(rows):,} rows are so" if len(rows) > 1 else ""
        raise WhalereidError(
            f"{where}, row {rows[0] + 1}, column {name}: {text.iloc[rows[0]]!r:.60} {what}{more}; write csv or parquet."
        )
