"""Wildbook's spreadsheets: what its searches export, and what its bulk import takes.

The fields are described at https://wildbook.docs.wildme.org/data/bulk-import-beta.html#fields-available, the exports at
https://wildbook.docs.wildme.org/data/data-exports.html; their columns are those of EncounterSearchExportMetadataExcel
and EncounterAnnotationExportFile in https://github.com/WildMeOrg/Wildbook.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whalereid.catalogue.readers.folder import given_folder
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.catalogue.readers.trees import PhotosBelow, ids_of_rows, name_of
from whalereid.errors import WhalereidError, listing
from whalereid.tables import columns_of, read_table, require_unique_names
from whalereid.text import MISSING, name_column
from whalereid.workbooks import SUFFIXES as WORKBOOKS
from whalereid.workbooks import sheets_of

__all__ = ["Wildbook"]

_SUFFIXES = (*WORKBOOKS, ".csv", ".tsv")
_RESULTS = "Search Results"  # as exports call their sheet; a second one lists what was hidden
# A column of one photo of a row: its file, what else is said of it, or of the animal's annotation in it.
_OF_A_PHOTO = re.compile(r"(encounter\.mediaasset|annotation)\.?(\d{1,4})(?:\.(.+))?")
_NAMES = ("markedindividual.individualid", "encounter.individualid")
_MEETINGS = (
    "occurrence.occurrenceid", "encounter.occurrenceid", "sighting.sightingid", "encounter.sightingid",
    "encounter.catalognumber", "encounter.sourceurl",
)  # fmt: skip
_SAME = {
    "latitude": ("encounter.decimallatitude",),
    "longitude": ("encounter.decimallongitude",),
    "location": ("encounter.locationid", "encounter.verbatimlocality"),
}
_NAME = re.compile(r"name(\d{1,4})\.value")
_UNASSIGNED = frozenset({"unassigned", "unknown", "null", "none"})


class Wildbook:
    """A spreadsheet whose rows are Wildbook's encounters: of one animal, at one time, in one photo or several.

    Parameters
    ----------
    photos : path, optional
        The folder to look for the photos in; by default that of the spreadsheet.
    sheet : str, optional
        Of a workbook; by default ``Search Results``, or the only one.
    """

    wanted = "it needs a spreadsheet with a column Encounter.mediaAsset0"

    def __init__(self, photos: str | None = None, sheet: str | None = None) -> None:
        self.photos, self.sheet = photos, sheet

    def recognises(self, source: Any) -> bool:
        """Whether it is a spreadsheet with columns of media assets."""
        if not isinstance(source, Path) or source.suffix.lower() not in _SUFFIXES:
            return False
        return any(_has_photos(names) for names in columns_of(source))

    def read(self, source: Path) -> FoundPhotos:
        """Read the spreadsheet: a row for each photo of each encounter."""
        root = source.parent if self.photos is None else given_folder(self.photos)
        table = _Table(read_table(source, self._sheet(source)), str(source))
        rows, numbers = table.photos()
        if not len(rows):
            raise WhalereidError(f"{source}: no encounter names a photo in Encounter.mediaAsset0.")
        paths, notes = _found(table, rows, numbers, root)
        identity, said = table.identity()
        frame = {
            "image_id": ids_of_rows(paths),
            "path": paths,
            "identity": identity.iloc[rows],
            "encounter": table.encounter().iloc[rows],
            "date": table.date().iloc[rows],
            "species": table.species().iloc[rows],
            **{name: table.first(*names).iloc[rows] for name, names in _SAME.items()},
            "viewpoint": table.of_photos("annotation", "viewpoint", rows, numbers),
            "bbox": table.of_photos("annotation", "bbox", rows, numbers),
        }
        made = pd.DataFrame({name: np.asarray(values, dtype=object) for name, values in frame.items()})
        made = made.dropna(axis="columns", how="all").join(table.rest(rows, numbers, frame))
        without = table.n_rows - len(np.unique(rows))
        left = [f"{without:,} encounters without a photo were left out"] if without else []
        return FoundPhotos(made, root, source=str(source), notes=(*said, *left, *notes))

    def _sheet(self, source: Path) -> str | None:
        if self.sheet is not None or source.suffix.lower() not in WORKBOOKS:
            return self.sheet
        there = [name for name, columns in sheets_of(source).items() if _has_photos(columns)]
        return _RESULTS if _RESULTS in there else there[0] if len(there) == 1 else None


def _has_photos(names: Iterable[str]) -> bool:
    found = (_OF_A_PHOTO.fullmatch(name.strip().lower()) for name in names)
    return any(match is not None and match[1] != "annotation" for match in found)


class _Table:
    """The spreadsheet's columns in small letters, as text, empty values None."""

    def __init__(self, frame: pd.DataFrame, where: str) -> None:
        names = [str(name).strip() for name in frame.columns]
        plain = [name.lower() for name in names]
        require_unique_names(plain, where=where)
        self.where = where
        self.written = dict(zip(plain, names, strict=True))
        self.frame = frame.set_axis(plain, axis="columns").reset_index(drop=True)
        self.n_rows = len(frame)
        self.used: set[str] = set()
        found = [(match, name) for name in plain if (match := _OF_A_PHOTO.fullmatch(name)) is not None]
        self._of_photos = {(match[1], match[3] or "", int(match[2])): name for match, name in found}

    def column(self, name: str) -> pd.Series:
        """A column as trimmed text; all empty where there is none."""
        if name not in self.frame:
            return pd.Series([None] * self.n_rows, dtype="str")
        self.used.add(name)
        text = name_column(self.frame[name].rename(self.written[name]), where=self.where)
        return text.mask(text.isin(MISSING) | (text.str.lower() == "null"))

    def first(self, *names: str) -> pd.Series:
        """The first of several columns that says anything, row by row."""
        found = self.column(names[0])
        for name in names[1:]:
            found = found.fillna(self.column(name))
        return found

    def photos(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) rows and (n,) numbers within them of the photos, in the order of rows."""
        named = {number: self.file(number).notna().to_numpy(bool) for number in self._numbers("encounter.mediaasset")}
        pairs = [(np.flatnonzero(there), number) for number, there in named.items()]
        rows = np.concatenate([rows for rows, _ in pairs] or [np.zeros(0, np.int64)])
        numbers = np.concatenate([np.full(len(rows), number) for rows, number in pairs] or [np.zeros(0, np.int64)])
        order = np.lexsort((numbers, rows))
        return rows[order], numbers[order]

    def _numbers(self, kind: str) -> list[int]:
        return sorted({number for one, _, number in self._of_photos if one == kind})

    def file(self, number: int) -> pd.Series:
        """The file of a row's photo, as it is called there, or else on Wildbook's server."""
        name = self.column(self._of_photos.get(("encounter.mediaasset", "", number), ""))
        server = self.server_path(number)
        return name.fillna(server.str.replace(r".*[/\\]", "", regex=True))

    def server_path(self, number: int) -> pd.Series:
        """Where a row's photo lies on Wildbook's server."""
        return self.column(self._of_photos.get(("encounter.mediaasset", "filepath", number), ""))

    def of_photos(self, kind: str, what: str, rows: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """(n,) object: what is said of each photo, or of the annotation in it."""
        found = np.full(len(rows), None, dtype=object)
        for number in self._numbers(kind):
            name = self._of_photos.get((kind, what, number))
            if name is not None:
                there = numbers == number
                found[there] = self.column(name).to_numpy(object)[rows[there]]
        return found

    def identity(self) -> tuple[pd.Series, list[str]]:
        """Who it is, by the column that says anything, and notes on what was taken."""
        for name in _NAMES:
            found = self.column(name)
            if found.notna().any():
                return _assigned(found), [f"identities were taken from {self.written[name]}"]
        numbers = sorted(int(match[1]) for name in self.written if (match := _NAME.fullmatch(name)) is not None)
        found = pd.Series([None] * self.n_rows, dtype="str")
        for number in numbers:  # of several names that an animal has, the one that needs no label
            is_default = self.column(f"name{number}.label").str.lower() == "default"
            found = found.fillna(self.column(f"name{number}.value").where(is_default.fillna(False)))
        for number in numbers:
            found = found.fillna(self.column(f"name{number}.value"))
        said = ["identities were taken from Name0.value and its like"] if found.notna().any() else []
        return _assigned(found), said

    def encounter(self) -> pd.Series:
        """The sighting, else Wildbook's encounter, else the row."""
        found = self.first(*_MEETINGS)
        return found.fillna(pd.Series([f"row-{row + 1}" for row in range(self.n_rows)], dtype="str"))

    def date(self) -> pd.Series:
        """``YYYY-MM-DD``, with hours and minutes where they are there; None where year, month or day is lacking."""
        before = set(self.used)
        year, month, day, hour, minute = (
            pd.to_numeric(self.column(f"encounter.{name}"), errors="coerce")
            for name in ("year", "month", "day", "hour", "minutes")
        )
        year = year.where(year.between(1000, 9999))
        days = pd.to_datetime(pd.DataFrame({"year": year, "month": month, "day": day}), errors="coerce")
        if days.isna().any():
            self.used = before  # what they say all the same is kept as it is
        timed = hour.between(0, 23) & minute.between(0, 59)
        clock = pd.to_timedelta((hour * 60 + minute).where(timed).fillna(0), unit="min")
        text = days.dt.strftime("%Y-%m-%d").where(~timed, (days + clock).dt.strftime("%Y-%m-%d %H:%M"))
        return text.astype("str").where(days.notna())

    def species(self) -> pd.Series:
        """Genus and epithet."""
        genus, epithet = self.column("encounter.genus"), self.column("encounter.specificepithet")
        return genus.str.cat(epithet, sep=" ").fillna(genus)

    def rest(self, rows: np.ndarray, numbers: np.ndarray, taken: Iterable[str]) -> pd.DataFrame:
        """The other columns that say anything, those of a photo under one name for all its numbers."""
        kept: dict[str, Any] = {}
        for (kind, what, _), name in self._of_photos.items():
            if what and name not in self.used:
                written = self.written[name]
                asset = written[: -len(what) - 1].rstrip("0123456789").rstrip(".")
                kept.setdefault(f"{asset}.{written[-len(what) :]}", self.of_photos(kind, what, rows, numbers))
        for name, written in self.written.items():
            if name not in self.used and _OF_A_PHOTO.fullmatch(name) is None:
                kept[f"original_{written}" if name in taken else written] = self.column(name).to_numpy(object)[rows]
        return pd.DataFrame(kept, dtype="str").dropna(axis="columns", how="all")


def _assigned(names: pd.Series) -> pd.Series:
    return names.mask(names.str.lower().isin(_UNASSIGNED))


def _found(table: _Table, rows: np.ndarray, numbers: np.ndarray, root: Path) -> tuple[list[str], list[str]]:
    """The paths of photos from the root, by their names; of several, the one that the server's path ends in."""
    below = PhotosBelow(root)
    names = {number: table.file(int(number)).to_numpy(object) for number in np.unique(numbers)}
    served = {number: table.server_path(int(number)).fillna("").to_numpy(object) for number in np.unique(numbers)}
    paths, lost = [], []
    for row, number in zip(rows, numbers, strict=True):
        name = str(names[number][row])
        there = below.called(name) or below.called(name_of(name.replace("\\", "/")))
        if len(there) > 1:
            there = [path for path in there if str(served[number][row]).endswith(f"/{path}")] or there
        if len(there) > 1:
            raise WhalereidError(
                f"{table.where}, row {row + 1}: {len(there)} photos below {root} are called {name!r:.80} "
                f"({listing(there)}); keep one, or give the folder of the right ones with photos=FOLDER."
            )
        lost += [] if there else [name]
        paths.append(there[0] if there else name)
    notes = [f"photos not found by their names below {root}: {listing(lost)}"] if lost else []
    return paths, notes
