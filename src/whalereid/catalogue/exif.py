"""What cameras noted of when and where, taken into the table where it says nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from whalereid.catalogue.fingerprints import check_arguments
from whalereid.catalogue.progress import in_order, with_bar
from whalereid.catalogue.table import Catalogue
from whalereid.decoding import Exif, read_exif
from whalereid.errors import WhalereidError, listing
from whalereid.files import inside
from whalereid.stopping import check

__all__ = ["fill_from_exif"]

# What a clock says whose battery was empty.
_NEVER_SET = ("1970-01-01", "1980-01-01", "2000-01-01")


def fill_from_exif(catalogue: Catalogue, *, workers: int | None = None, progress: bool = False) -> Catalogue:
    """Fill dates and positions that a table lacks from the EXIF of its photos.

    Filled are ``date`` where a photo has neither ``date`` nor ``timestamp``, and ``latitude`` with ``longitude`` where
    it has neither of them; whatever the table says stays. Only the heads of the files are read. What was taken, and
    what couldn't be, is said in the notes of the catalogue that is returned.

    Parameters
    ----------
    catalogue : Catalogue of N photos
        The table; files that are missing or can't be read are counted.
    workers : int, optional
        Threads to read with; by default one for each core.
    progress : bool, default=False
        Show a bar on stderr.

    Returns
    -------
    Catalogue of the same photos
        A column that nothing is known for isn't added.

    Raises
    ------
    WhalereidError
        An argument is none of these.

    Notes
    -----
    A date is that of the shutter (``DateTimeOriginal``) by the clock of the camera, with parts of a second and the
    offset from UTC if they are there. Not taken are the time of a file's last change, dates of zeros, and a position of
    exactly 0, 0.
    """
    check_arguments(catalogue, workers, progress)
    undated = ~(catalogue.known("date") | catalogue.known("timestamp"))
    nowhere = ~(catalogue.known("latitude") | catalogue.known("longitude"))
    rows = np.flatnonzero(undated | nowhere)
    # Several animals of a photo share its file.
    numbers, paths = pd.factorize(catalogue.column("path").to_numpy(object)[rows])
    found = list(_read(catalogue, list(paths), workers, progress))
    exif = _Column(len(catalogue), rows.tolist(), [found[number] for number in numbers])
    dates = exif.each(undated, lambda one: one.date)
    latitudes, longitudes = (exif.each(nowhere, get) for get in (lambda one: one.latitude, lambda one: one.longitude))
    columns: dict[str, pd.Series] = {}
    if any(date is not None for date in dates):
        columns["date"] = pd.Series(dates, dtype="str")
    if any(degrees is not None for degrees in latitudes):
        columns |= {
            "latitude": pd.Series(latitudes, dtype="float64"),
            "longitude": pd.Series(longitudes, dtype="float64"),
        }
    filled = catalogue.fill(**columns) if columns else catalogue
    return filled.with_notes(list(_said(catalogue, exif, dates, latitudes, undated)))


class _Column:
    """The EXIF of some rows of a table; None of a file that can't be read."""

    def __init__(self, length: int, rows: list[int], found: list[Exif | None]) -> None:
        self._length, self._rows, self._found = length, rows, found

    def each(self, wanted: np.ndarray, get: Callable[[Exif], Any]) -> list[Any]:
        """What each row's says, in the order of the table; None where it isn't wanted, or nothing is said."""
        values: list[Any] = [None] * self._length
        for row, one in zip(self._rows, self._found, strict=True):
            if one is not None and wanted[row]:
                values[row] = get(one)
        return values

    def rows_where(self, is_so: Callable[[Exif | None], bool]) -> list[int]:
        """The rows whose EXIF is so."""
        return [row for row, one in zip(self._rows, self._found, strict=True) if is_so(one)]


def _said(
    catalogue: Catalogue, exif: _Column, dates: list[str | None], latitudes: list[float | None], undated: np.ndarray
) -> Iterator[str]:
    """What was taken and what wasn't, a sentence each."""
    ids = catalogue.image_ids
    dated = [row for row, date in enumerate(dates) if date is not None]
    placed = sum(degrees is not None for degrees in latitudes)
    yield f"EXIF gave {len(dated):,} photos their date and {placed:,} their position"

    def some(rows: list[int]) -> str:
        return f"{len(rows):,} photos ({listing(ids[rows])})"

    late = (datetime.now() + timedelta(days=2)).strftime("%Y-%m-%d")  # whatever the zone of the clock
    odd = [row for row in dated if str(dates[row])[:10] in _NEVER_SET or str(dates[row])[:10] > late]
    if odd:
        example = dates[odd[0]]
        yield f"the clock seems not to have been set for {some(odd)}, such as {example}; mend or empty these dates"
    changed = exif.rows_where(lambda one: one is not None and one.changed)
    changed = [row for row in changed if undated[row]]
    if changed:
        yield f"EXIF says only when the file was last changed, which was not taken for the date, of {some(changed)}"
    broken = exif.rows_where(lambda one: one is not None and one.broken)
    if broken:
        yield f"EXIF holds dates or positions that can't be read in {some(broken)}"
    unread = exif.rows_where(lambda one: one is None)
    if unread:
        yield f"EXIF can't be read, as the file is missing or no photo, of {some(unread)}"


def _read(catalogue: Catalogue, paths: list[str], workers: int | None, progress: bool) -> Iterator[Exif | None]:
    """The EXIF of each file; None of one that can't be read."""
    workers = workers or os.cpu_count() or 1

    def look(path: str) -> Exif | None:
        try:
            file = inside(catalogue.root, path, where=catalogue.source)
            return read_exif(file) if file.is_file() else None  # a pipe would never end
        except (OSError, WhalereidError):
            return None

    with ThreadPoolExecutor(workers) as pool:
        done = in_order(pool, look, paths, ahead=4 * workers)
        for exif in with_bar(done, "reading EXIF", len(paths), progress):
            check()
            yield exif
