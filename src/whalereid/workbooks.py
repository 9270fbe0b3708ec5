"""Excel workbooks as tables of text, whatever a file claims about itself."""

from __future__ import annotations

import datetime
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from whalereid.errors import WhalereidError, WhalereidWarning, listing
from whalereid.reading import MOST_TABLE_GB, MOST_WORKBOOK_GB, check_file, check_size, os_errors
from whalereid.stopping import check

__all__ = ["SUFFIXES", "read_sheet", "sheets_of"]

SUFFIXES = (".xlsx", ".xlsm")
_MOST_ROWS = 1 << 20  # of a sheet, as Excel has them
_HEAD = 100  # rows among which the line of column names is looked for
_BYTES_OF_A_CELL = 64  # in memory, while it is read
_OFTEN = 1000  # rows between two looks whether to stop
_NO_VALUE = "#N/A"  # an error that means: not there


def read_sheet(path: Path, sheet: str | None = None) -> pd.DataFrame:
    """Read a sheet of a workbook, every value as text, empty ones None.

    Its first row that holds anything has the names of the columns; a column without one is left out. Dates are
    ``YYYY-MM-DD``, with the time where there is one; a whole number is its digits; of formulas the stored value counts.

    Parameters
    ----------
    path : path
        Ends in ``.xlsx`` or ``.xlsm``.
    sheet : str, optional
        By default the only one that holds anything.

    Returns
    -------
    DataFrame
        A row for each of the sheet's that holds anything.

    Raises
    ------
    WhalereidError
        It is no workbook, or takes too much unpacked; openpyxl isn't there; there is no such sheet, or there are
        several; a formula has no stored value, or a cell holds an error: the cell is named.
    """
    with _opened(path, data_only=False) as book:
        heads = _heads(book)
        name = _chosen(path, heads, sheet)
        where = f"{path}, sheet {name!r:.60}"
        start, names = heads[name]
        columns: list[list[Any]] = [[] for _ in names]
        formulas: list[tuple[int, int]] = []
        for row, cells in enumerate(_rows(book[name], where, start + 1, len(names))):
            if row % _OFTEN == 0:
                check()
                check_size(path, _BYTES_OF_A_CELL * row * len(names), MOST_TABLE_GB)
            for at, cell in enumerate(cells):
                is_formula = cell.data_type == "f"
                if is_formula:
                    formulas.append((row, at))
                columns[at].append(None if is_formula else _value(cell, where))
    if formulas:
        _fill_in(path, where, (name, start + 1), columns, formulas)
    _point_at_dates(columns, names, where, start)
    held = [row for row, values in enumerate(zip(*columns, strict=True)) if any(value is not None for value in values)]
    frame = {at: [_text(column[row]) for row in held] for at, column in enumerate(columns) if names[at]}
    return pd.DataFrame(frame, dtype="str").set_axis([name for name in names if name], axis="columns")


def sheets_of(path: Path) -> dict[str, list[str]]:
    """The sheets of a workbook that hold anything, each with the names of its columns.

    Raises
    ------
    WhalereidError
        It is no workbook, takes too much unpacked, or openpyxl isn't there.
    """
    with _opened(path, data_only=False) as book:
        return {name: [one for one in names if one] for name, (_, names) in _heads(book).items()}


@contextmanager
def _opened(path: Path, *, data_only: bool) -> Iterator[Any]:
    """A workbook to be read row by row; what is wrong with it in our words."""
    if find_spec("openpyxl") is None:
        raise WhalereidError(
            f"{path}: Excel workbooks are read with openpyxl, which isn't here; pip install 'whalereid[excel]', or "
            "save the sheet as CSV."
        )
    import openpyxl

    check_file(path, MOST_TABLE_GB)
    book = None
    try:
        with os_errors(path), zipfile.ZipFile(path) as packed:
            check_size(path, sum(part.file_size for part in packed.infolist()), MOST_WORKBOOK_GB)
        with os_errors(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what openpyxl leaves out, such as rules for input
            book = openpyxl.load_workbook(path, read_only=True, data_only=data_only, keep_links=False)
            yield book
    except (WhalereidError, MemoryError):
        raise
    except Exception as error:  # openpyxl fails in many ways on a damaged file
        raise WhalereidError(
            f"{path}: not an Excel workbook that can be read (damaged, or with a password); save it again as .xlsx, or "
            "the sheet as CSV."
        ) from error
    finally:
        if book is not None:
            book.close()


def _heads(book: Any) -> dict[str, tuple[int, list[str]]]:
    """The sheets that hold anything: the row of the names of columns, and the names, empty where there is none."""
    heads = {}
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # those noted may be anything
        for row, cells in enumerate(sheet.iter_rows(), start=1):
            names = [_text(cell.value) or "" for cell in cells]
            while names and not names[-1]:
                names.pop()
            if names:
                heads[sheet.title] = (row, names)
            if names or row == _HEAD:
                break
    return heads


def _chosen(path: Path, heads: Mapping[str, Any], sheet: str | None) -> str:
    """The sheet that was asked for, or the only one."""
    if sheet is None:
        if len(heads) == 1:
            return next(iter(heads))
        if not heads:
            raise WhalereidError(f"{path}: no sheet holds anything in its first {_HEAD} rows.")
        raise WhalereidError(f"{path}: has several sheets ({listing(heads)}); name one with --sheet NAME (sheet=NAME).")
    if sheet in heads:
        return sheet
    near = get_close_matches(str(sheet).lower(), {name.lower() for name in heads}, 1)
    meant = f"did you mean {next(name for name in heads if name.lower() == near[0])!r}? It has" if near else "it has"
    raise WhalereidError(f"{path}: no sheet {sheet!r:.60} holds anything; {meant} {listing(heads) or 'none'}.")


def _rows(sheet: Any, where: str, first: int, width: int) -> Iterator[tuple[Any, ...]]:
    """The rows from one on, each as wide as there are names, or empty."""
    sheet.reset_dimensions()
    for row, cells in enumerate(sheet.iter_rows(min_row=first, max_col=width), start=first):
        if row > _MOST_ROWS:
            raise WhalereidError(f"{where}: names a row beyond the {_MOST_ROWS:,} that a sheet has; save it again.")
        yield cells


def _fill_in(
    path: Path, where: str, place: tuple[str, int], columns: list[list[Any]], formulas: list[tuple[int, int]]
) -> None:
    """Put the stored values of formulas into their columns."""
    name, first = place
    sought = iter(formulas)
    row_sought, column_sought = next(sought)
    with _opened(path, data_only=True) as book:
        for row, cells in enumerate(_rows(book[name], where, first, len(columns))):
            while row == row_sought:
                cell = cells[column_sought]
                if cell.value is None and cell.data_type != "str":  # which is an empty text
                    raise WhalereidError(
                        f"{where}, cell {cell.coordinate}: a formula without a stored value; open the workbook in "
                        "Excel or LibreOffice, and save it."
                    )
                columns[column_sought][row] = _value(cell, where)
                row_sought, column_sought = next(sought, (-1, -1))


def _value(cell: Any, where: str) -> Any:
    """What a cell holds; None where it is empty."""
    if cell.data_type == "e" and cell.value != _NO_VALUE:
        raise WhalereidError(f"{where}, cell {cell.coordinate}: holds the error {cell.value!s:.20}; mend or empty it.")
    return None if cell.value == "" or cell.data_type == "e" else cell.value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value.strip() or None if value else None
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime):
        return str(value.replace(microsecond=0)).removesuffix(" 00:00:00")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _point_at_dates(columns: list[list[Any]], names: list[str], where: str, start: int) -> None:
    """Warn of few dates among other values: Excel makes dates of names such as 3-4."""
    for at, column in enumerate(columns):
        dates = [row for row, value in enumerate(column) if isinstance(value, datetime.date)]
        others = sum(value is not None for value in column) - len(dates)
        if dates and len(dates) < others:
            warnings.warn(
                f"{where}, column {names[at] or at + 1}: {len(dates):,} cells are dates where {others:,} are not "
                f"(row {start + 1 + dates[0]}: {_text(column[dates[0]])}); Excel makes dates of names such as 3-4",
                WhalereidWarning,
                stacklevel=3,
            )
