"""Encounters where the table has none: photos that follow each other in time, at one place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from whalereid.arguments import instance, number
from whalereid.catalogue.dates import DATES
from whalereid.catalogue.found_encounters import FoundEncounters
from whalereid.catalogue.linking import linked, runs
from whalereid.catalogue.table import Catalogue
from whalereid.errors import WhalereidError

__all__ = ["HALF_ROUND", "Encounters"]

HALF_ROUND = 20_015_115
"""Metres; as far as places on Earth can be apart."""

_TIME_OF_DAY = r"[T ]\s*\d{1,2}:\d\d"


@dataclass(frozen=True)
class Encounters:
    """How photos become encounters: each follows another one within a gap, and near it where places are known.

    Parameters
    ----------
    gap : float, default=60
        The most minutes from one photo to the next.
    distance : float, default=500
        The most metres between them, along the surface of a round Earth, where both have a position.
    again : bool, default=False
        Make anew the encounters that the table has. Otherwise they stay; a photo without one that follows photos of one
        of them, or comes before, joins it.

    Notes
    -----
    Photos with a position are linked in time and place, so two boats at the same hour make two encounters. A photo
    without one goes with the photo before it, or else after it, within the gap: one of the same ``location`` if it has
    any, else whatever place. Photos of two locations, and without positions, are never of one encounter.

    A photo without a date, or with one that can't be read, gets no encounter: nobody knows what it is near to. Where
    dates have no time of day, the day is the finest that can be told: the photos of one day and place are one
    encounter, apart from those with a time.

    Time and memory grow little faster than the number of photos.

    Examples
    --------
    >>> photos = Catalogue(pd.DataFrame({"image_id": list("abc"), "path": list("abc"),
    ...                                  "date": ["2019-05-06 10:00", "2019-05-06 10:30", "2019-05-06 18:00"]}))
    >>> Encounters(gap=60).of(photos).catalogue.column("encounter").tolist()
    ['2019-05-06_1000', '2019-05-06_1000', '2019-05-06_1800']
    """

    gap: float = 60
    distance: float = 500
    again: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "gap", number(self.gap, "gap", 0))
        object.__setattr__(self, "distance", number(self.distance, "distance", 0, HALF_ROUND))
        instance(self.again, "again", (bool, np.bool_), "True or False")
        if not self.distance:
            raise WhalereidError("distance is 0; give a number of metres above 0.")

    def of(self, catalogue: Catalogue) -> FoundEncounters:
        """Find the encounters of a catalogue.

        Raises
        ------
        WhalereidError
            It is none, or not one of its photos has a date that can be read.
        """
        instance(catalogue, "catalogue", Catalogue, "a Catalogue (Catalogue.read(path) makes one)")
        dates = catalogue.dates()
        if np.isnat(dates).all():
            said = "no photo has a date that can be read" if catalogue.known("date").any() else "has no dates"
            raise WhalereidError(
                f"{catalogue.source}: {said}, and encounters are made of them; add a column date, or take it from the "
                "photos with --exif (fill_from_exif in Python)."
            )
        by_day = _by_day(catalogue, dates)
        group = self._groups(catalogue, dates, by_day)
        kept = pd.Series(np.nan, range(len(catalogue)), dtype="str")
        if "encounter" in catalogue.columns and not self.again:
            kept = catalogue.column("encounter")
        names = _filled(kept, group, dates)
        fresh = names.isna().to_numpy(bool) & (group >= 0)
        names[fresh] = _named(group[fresh], dates[fresh], by_day[fresh], set(names.dropna()))
        return FoundEncounters(
            self.gap, self.distance, catalogue, dates, names, kept.notna().to_numpy(bool), fresh, by_day
        )

    def _groups(self, catalogue: Catalogue, dates: np.ndarray, by_day: np.ndarray) -> np.ndarray:
        """(N,) int64: the same number for photos of one encounter; -1 for one without a date."""
        group = np.full(len(dates), -1, np.int64)
        for is_of in (~np.isnat(dates) & ~by_day, by_day):
            rows = np.flatnonzero(is_of)
            found = self._groups_of(catalogue[rows], dates[rows].astype("datetime64[s]").astype(np.int64))
            group[rows] = found + group.max(initial=-1) + 1
        return group

    def _groups_of(self, photos: Catalogue, seconds: np.ndarray) -> np.ndarray:
        """(n,) int64: the same number for photos of one encounter, of photos that all have a date of one kind."""
        gap, group = 60 * self.gap, np.full(len(photos), -1, np.int64)
        placed = photos.known("latitude") & photos.known("longitude")
        if placed.any():
            latitude, longitude = (
                photos.column(name).to_numpy(np.float64)[placed] for name in ("latitude", "longitude")
            )
            group[placed] = linked(seconds[placed], latitude, longitude, gap, self.distance)
        if photos.known("location").any():  # those who know their location, among all of that location
            location = pd.factorize(photos.column("location"))[0].astype(np.int64)
            group = _attached(group, seconds, gap, np.flatnonzero(location >= 0), location)
        everyone = np.arange(len(photos))  # and then the others, among all
        return _attached(group, seconds, gap, everyone, np.zeros(len(photos), np.int64))


def _by_day(catalogue: Catalogue, dates: np.ndarray) -> np.ndarray:
    """(N,) bool: dates without a time of day; if all are at midnight, a program wrote it that knew none."""
    dated = ~np.isnat(dates)
    if (dates[dated] == dates[dated].astype("datetime64[D]")).all():
        return dated
    given = [catalogue.column(name) for name in DATES if name in catalogue.columns]  # the first that says anything
    written = given[0] if len(given) == 1 else given[0].fillna(given[1])
    written = written.where(dated)  # what can't be read may be endless
    return dated & ~written.str.contains(_TIME_OF_DAY, regex=True).fillna(False).to_numpy(bool)


def _attached(group: np.ndarray, seconds: np.ndarray, gap: float, among: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Give photos without a group (-1) that of the one before, or else after, in their run of times at one place.

    A run that has none becomes one. Looked at are the photos `among` the n alone.
    """
    number = runs(seconds[among], gap, places[among])
    order = np.lexsort((seconds[among], number))
    own = pd.Series(group[among][order]).astype("float64")
    filled = _carried(own.where(own >= 0), number[order])
    filled = filled.fillna(pd.Series(number[order] + group.max(initial=-1) + 1))
    attached = group.copy()
    attached[among[order]] = filled.to_numpy(np.int64)
    return attached


def _filled(kept: pd.Series, group: np.ndarray, dates: np.ndarray) -> pd.Series:
    """Encounters that were there, also for the photos of their groups that have none: from the one before, or after."""
    rows = np.flatnonzero(group >= 0)
    order = rows[np.lexsort((dates[rows], group[rows]))]
    names = kept.copy()
    names.iloc[order] = _carried(kept.iloc[order].reset_index(drop=True), group[order]).to_numpy(object)
    return names


def _carried(values: pd.Series, group: np.ndarray) -> pd.Series:
    """Values, with missing ones taken from the one before in the same group, or else the one after."""
    return values.groupby(group).ffill().groupby(group).bfill() if len(values) else values


def _named(group: np.ndarray, dates: np.ndarray, by_day: np.ndarray, taken: set[str]) -> list[str]:
    """A name for each photo's encounter: its first minute, or its day, with a number where that is taken."""
    numbers, first, codes = np.unique(group, return_index=True, return_inverse=True)
    start = np.full(len(numbers), np.datetime64("9999-12-31", "s"))
    np.minimum.at(start, codes, dates)
    shape = {True: "%Y-%m-%d", False: "%Y-%m-%d_%H%M"}
    written = pd.DatetimeIndex(start)
    plain = [written.strftime(shape[alone]) for alone in (False, True)]
    names = [""] * len(numbers)
    for place in np.argsort(start, kind="stable").tolist():
        base = name = str(plain[int(by_day[first[place]])][place])
        again = 1
        while name in taken:
            again += 1
            name = f"{base}_{again}"
        taken.add(name)
        names[place] = name
    return [names[code] for code in codes.tolist()]
