"""Tables from outside and to disk: CSV, Parquet, Excel, and the columns that a reader of one relies on."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whalereid.errors import WhalereidError, listing
from whalereid.files import replacing
from whalereid.reading import MOST_TABLE_GB, check_file, check_size, os_errors
from whalereid.text import id_column
from whalereid.workbooks import SUFFIXES as _WORKBOOK_SUFFIXES
from whalereid.workbooks import read_sheet, sheets_of

__all__ = [
    "SUFFIXES",
    "columns_of",
    "id_columns",
    "read_table",
    "require_columns",
    "require_filled",
    "require_unique_names",
    "write_table",
]

_TEXT_SUFFIXES, _PARQUET_SUFFIXES = (".csv", ".tsv", ".txt"), (".parquet", ".pq")
SUFFIXES = frozenset({*_TEXT_SUFFIXES, *_PARQUET_SUFFIXES, *_WORKBOOK_SUFFIXES})
"""What a table's file name ends in, in small letters."""

_HEAD = 1 << 16  # bytes, within which the first line ends
_MOST_COLUMNS = 12  # named in an error


def read_table(path: Path, sheet: str | None = None) -> pd.DataFrame:
    """Read a table, every value of a CSV or Excel file as text, empty ones NaN.

    A CSV is UTF-8, with or without byte-order mark; its columns stand between commas, semicolons or tabs, whichever its
    first line has most of.

    Parameters
    ----------
    path : path
        A CSV, Parquet or Excel file.
    sheet : str, optional
        The sheet of an Excel file, where several hold anything.

    Raises
    ------
    WhalereidError
        No such file, not a table, not UTF-8, two columns of one name, or a line with too many values; the message names
        the line. For Excel, see `whalereid.workbooks.read_sheet`.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if sheet is not None and kind not in _WORKBOOK_SUFFIXES:
        raise WhalereidError(f"{path}: has no sheets, as Excel files have; leave out sheet {sheet!r:.60}.")
    with os_errors(path):
        if path.is_dir():
            raise WhalereidError(f"{path}: is a folder, not a table.")
        check_file(path, MOST_TABLE_GB)
        if kind in _PARQUET_SUFFIXES:
            return _read_parquet(path)
        if kind in _TEXT_SUFFIXES:
            return _read_csv(path)
        if kind in _WORKBOOK_SUFFIXES:
            frame = read_sheet(path, sheet)
            require_unique_names(frame.columns, where=str(path))
            return frame
    raise WhalereidError(f"{path}: not a table that can be read; save it as .csv, .parquet or .xlsx.")


def columns_of(path: Path) -> list[list[str]]:
    """The names of a table's columns, or of each sheet's; nothing where it can't be read as a table.

    Examples
    --------
    >>> columns_of(Path("nowhere.csv"))
    []
    """
    kind = path.suffix.lower()
    try:
        with os_errors(path):
            check_file(path, MOST_TABLE_GB)
            if kind in _WORKBOOK_SUFFIXES:
                return list(sheets_of(path).values())
            if kind in _TEXT_SUFFIXES:
                with path.open("rb") as file:
                    head = file.read(_HEAD)
                return [_names(path, _separator(head))]
    except (WhalereidError, UnicodeDecodeError):
        pass
    return []


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV or Parquet by its suffix, whole or not at all."""
    with replacing(path) as beside:
        if path.suffix.lower() in _PARQUET_SUFFIXES:
            frame.to_parquet(beside, index=False)
        else:
            # A carriage return would end a line: pandas quotes for the others alone.
            text = frame.select_dtypes(["object", "string"])
            returns = any(text[name].astype("str").str.contains("\r", regex=False).any() for name in text)
            frame.to_csv(beside, index=False, quoting=csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL)


def require_columns(frame: pd.DataFrame, *names: str, where: str, hint: str = "") -> None:
    """Refuse a table that lacks one of these columns, or has two columns of one name.

    Parameters
    ----------
    frame : DataFrame
        The table.
    *names : str
        The columns it must have.
    where : str
        What the error calls the table: its file, or what it is.
    hint : str
        What such a table is, or what to do, as the last words of the error.

    Raises
    ------
    WhalereidError
        A column is missing; the message lists those there are. Or a name stands there twice.

    Examples
    --------
    >>> require_columns(pd.DataFrame({"image": ["a"]}), "image_id", where="folds.csv")
    Traceback (most recent call last):
    ...
    whalereid.errors.WhalereidError: folds.csv: no column image_id; it has image.
    """
    missing = [name for name in names if name not in frame]
    if missing:
        there = listing(frame.columns, most=_MOST_COLUMNS) or "no columns"
        last = f"; {hint.removesuffix('.')}" if hint else ""
        raise WhalereidError(f"{where}: no column {listing(missing)}; it has {there}{last}.")
    require_unique_names(frame.columns, where=where)


def require_unique_names(names: Iterable[Any], *, where: str) -> None:
    """Refuse a table that has two columns of one name."""
    columns = pd.Series(list(names), dtype=object)
    twice = columns[columns.duplicated()]
    if len(twice):
        raise WhalereidError(f"{where}: two columns are called {listing(dict.fromkeys(twice))}; rename or remove one.")


def require_filled(column: pd.Series, *, where: str, hint: str = "") -> None:
    """Refuse a column with a missing value; the message names its row, counted from 1.

    Examples
    --------
    >>> require_filled(pd.Series(["a", None], name="image_id"), where="folds.csv", hint="every photo needs one")
    Traceback (most recent call last):
    ...
    whalereid.errors.WhalereidError: folds.csv, row 2: image_id is empty; every photo needs one.
    """
    empty = np.flatnonzero(column.isna())
    if len(empty):
        more = f"; {len(empty)} rows are so" if len(empty) > 1 else ""
        last = f"; {hint.removesuffix('.')}" if hint else ""
        raise WhalereidError(f"{where}, row {empty[0] + 1}: {column.name} is empty{more}{last}.")


def id_columns(frame: pd.DataFrame, *names: str, where: str, hint: str = "") -> pd.DataFrame:
    """Take columns of ids out of a table, all of them there, filled in, and as trimmed text.

    Parameters
    ----------
    frame : DataFrame
        The table.
    *names : str
        The columns to take.
    where : str
        What errors call the table.
    hint : str
        What to do about an empty id, as the last words of that error.

    Returns
    -------
    DataFrame
        These columns, with the table's index.

    Raises
    ------
    WhalereidError
        A column is missing, an id is empty or no id (see `whalereid.text.id_column`); the message names row and column.
    """
    require_columns(frame, *names, where=where)
    ids = pd.DataFrame({name: id_column(frame[name], where=where) for name in names}, index=frame.index)
    for name in names:
        require_filled(ids[name], where=where, hint=hint)
    return ids


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow.parquet as pq

    try:
        # pandas' own way takes memory by the square of the columns, and so does reading ahead.
        with pq.ParquetFile(path, pre_buffer=False) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pandas to pyarrow
            cells = file.metadata.num_rows * file.metadata.num_columns  # a small file can hold endless repeats
            check_size(path, 8 * cells, MOST_TABLE_GB)
            require_unique_names(file.schema_arrow.names, where=str(path))
            frame: pd.DataFrame = file.read().to_pandas()
            return frame
    except WhalereidError:
        raise
    except Exception as error:  # pyarrow fails in many ways on a damaged file
        raise _no_parquet(path, error) from error


def _no_parquet(path: Path, error: Exception) -> Exception:
    """The error to raise; what the operating system said, and a lack of memory, as they are."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno is not None):
        return error
    return WhalereidError(f"{path}: not a Parquet file, or a damaged one; write it again.")


def _read_csv(path: Path) -> pd.DataFrame:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise WhalereidError(f"{path}: the file is empty; it needs a line of column names and a row for each entry.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise WhalereidError(f"{path}: is UTF-16, not UTF-8; save it as 'CSV UTF-8'.")
    if b"\0" in head:
        raise WhalereidError(f"{path}: is not a CSV file (it holds binary data); save the table as .csv.")
    separator = _separator(head)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # values beyond the last column, dropped
            how: dict[str, Any] = {"sep": separator, "dtype": str, "keep_default_na": False, "index_col": False}
            how["low_memory"] = False  # else pieces are joined, in a time that is quadratic in the columns
            require_unique_names(_names(path, separator), where=str(path))  # where pandas numbers repeated ones
            return pd.read_csv(path, na_values=[""], **how)
    except UnicodeDecodeError as error:
        raise WhalereidError(
            f"{path}, line {_undecodable_line(path)}: is not UTF-8; save it as 'CSV UTF-8'."
        ) from error
    except pd.errors.ParserWarning as error:
        raise WhalereidError(f"{path}: rows have more values than there are column names; check its commas.") from error
    except pd.errors.ParserError as error:
        said = str(error).split("C error: ")[-1].strip().rstrip(".")
        raise WhalereidError(f"{path}: is not a CSV table ({said}).") from error


def _separator(head: bytes) -> str:
    """What stands between columns: the mark that the first line has most of."""
    line = next(iter(head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").splitlines()), b"")
    return max((",", ";", "\t"), key=lambda mark: line.count(mark.encode()))


def _names(path: Path, separator: str) -> list[str]:
    """The names in the first line; none where it is broken, which pandas then says."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            lines = (row for row in csv.reader(file, delimiter=separator) if len(row) > 1 or "".join(row).strip())
            return [name for name in next(lines, []) if name]
        except csv.Error:  # such as a quote that never ends
            return []


def _undecodable_line(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1
