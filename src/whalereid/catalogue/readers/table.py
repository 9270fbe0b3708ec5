"""Tables: CSV and Parquet files, and a folder that holds one called metadata."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from whalereid.catalogue.readers.listing import Listing
from whalereid.catalogue.table import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.files import replacing
from whalereid.reading import MOST_TABLE_GB, check_file, check_size, os_errors

__all__ = ["NAMES", "WANTED", "read", "read_file", "read_table", "recognises", "write_table"]

NAMES = ("metadata.csv", "metadata.parquet", "metadata.tsv")
WANTED = "it needs metadata.csv or metadata.parquet"
_TEXT_SUFFIXES, _PARQUET_SUFFIXES = (".csv", ".tsv", ".txt"), (".parquet", ".pq")
_HEAD = 1 << 16


def recognises(folder: Listing) -> bool:
    """Whether a folder holds a table called metadata."""
    return folder.file(*NAMES) is not None


def read(folder: Listing) -> Catalogue:
    """Read the table called metadata in a folder."""
    path = folder.file(*NAMES)
    if path is None:
        raise WhalereidError(f"{folder.path}: {WANTED}.")
    return read_file(path)


def read_file(path: Path) -> Catalogue:
    """Read a table; its paths are relative to its folder."""
    return Catalogue(read_table(path), path.parent, source=str(path))


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or Parquet table, every value of a CSV as text, empty ones NaN.

    A CSV is UTF-8, with or without byte-order mark; its columns stand between commas, semicolons or tabs, whichever its
    first line has most of.

    Raises
    ------
    WhalereidError
        No such file, not a table, not UTF-8, two columns of one name, or a line with too many values; the message names
        the line.
    """
    path = Path(path)
    with os_errors(path):
        if path.is_dir():
            raise WhalereidError(f"{path}: is a folder, not a table.")
        check_file(path, MOST_TABLE_GB)
        if path.suffix.lower() in _PARQUET_SUFFIXES:
            return _read_parquet(path)
        if path.suffix.lower() in _TEXT_SUFFIXES:
            return _read_csv(path)
    raise WhalereidError(f"{path}: not a table that can be read; save it as .csv or .parquet.")


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


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow.parquet as pq

    try:
        # pandas' own way takes memory by the square of the columns, and so does reading ahead.
        with pq.ParquetFile(path, pre_buffer=False) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pandas to pyarrow
            cells = file.metadata.num_rows * file.metadata.num_columns  # a small file can hold endless repeats
            check_size(path, 8 * cells, MOST_TABLE_GB)
            _refuse_repeated(path, pd.Index(file.schema_arrow.names))
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
    header = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").splitlines()[0]
    separator = max((",", ";", "\t"), key=lambda mark: header.count(mark.encode()))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # values beyond the last column, dropped
            how: dict[str, Any] = {"sep": separator, "dtype": str, "keep_default_na": False, "index_col": False}
            how["low_memory"] = False  # whose pieces are joined in a time that is quadratic in the columns
            names = pd.read_csv(path, header=None, nrows=1, **how).iloc[0]  # where pandas numbers repeated ones
            _refuse_repeated(path, names[names != ""])
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


def _refuse_repeated(path: Path, names: pd.Index | pd.Series) -> None:
    twice = names[names.duplicated()]
    if len(twice):
        raise WhalereidError(f"{path}: two columns are called {listing(dict.fromkeys(twice))}; rename or remove one.")


def _undecodable_line(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1
