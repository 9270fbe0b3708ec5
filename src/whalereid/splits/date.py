"""Split by date: train on the past."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from whalereid import arguments
from whalereid.errors import WhalereidError
from whalereid.splits.balance import encounter_groups
from whalereid.splits.base import LEFT_OUT, ONLY_TRAINING, PhotoInfo, SingleSplit, info_of, one_each

__all__ = ["DateSplit"]


@dataclass(frozen=True)
class DateSplit(SingleSplit):
    """Train on the past, test on what came after: by a date, or by a share of the photos.

    How a network trained today does on the next season's photos, of known animals and newcomers alike.

    Parameters
    ----------
    date : str, optional
        Photos from this day (or moment) on are tested, such as ``"2019-06-01"``. Give this or `test_share`.
    test_share : float, optional
        The last days that together hold about this share of the photos are tested.

    Notes
    -----
    With plain rows, ``groups`` holds the dates. An encounter that lasts over the date is tested as a whole, so that
    training stays in the past and no encounter straddles. A photo without a date goes with its encounter; where that
    has no date either, the photo is left out of both parts.

    Examples
    --------
    >>> train, test = next(DateSplit("2018").split(range(3), groups=["2017-08-01", "2018-07-30", None]))
    >>> train.tolist(), test.tolist()
    ([0], [1])
    """

    date: str | None = None
    test_share: float | None = None

    def __post_init__(self) -> None:
        if (self.date is None) == (self.test_share is None):
            raise WhalereidError("DateSplit: give either a date or test_share, the share of photos to test.")
        if self.test_share is not None:
            arguments.number(self.test_share, "test_share", 0, 1, open_ends=True)
        elif np.isnat(self._moment):
            raise WhalereidError(f"DateSplit: {self.date!r:.80} is no date; write it as 2019-06-01.")

    @property
    def _moment(self) -> np.datetime64:
        """The date as a moment, without its time zone as dates of photos are; NaT where it is none."""
        if not isinstance(self.date, str | date | np.datetime64):  # a number could be read as one, too
            return np.datetime64("NaT", "s")
        moment = pd.to_datetime(str(self.date), errors="coerce")
        return np.datetime64("NaT", "s") if pd.isna(moment) else np.datetime64(moment.tz_localize(None))

    def _info(self, X: Any, y: Any, groups: Any) -> PhotoInfo:
        info = info_of(X, y)
        if groups is None:
            return info
        dates = pd.to_datetime(one_each(groups, len(info), "groups").astype(object), errors="coerce", format="mixed")
        return replace(info, dates=dates.to_numpy("datetime64[ns]"))

    def _folds(self, info: PhotoInfo) -> np.ndarray:
        info.refuses_one_identity()
        groups = encounter_groups(info)
        last = _last(groups, info.dates)[groups]
        dated = ~np.isnat(last)
        if not dated.any():
            raise WhalereidError(f"{info.where}: no photo has a date; fill the column 'date', or split another way.")
        cut = self._moment if self.date is not None else self._cut(last[dated], info)
        tested = dated & (last >= cut)
        if not tested.any() or not (dated & ~tested).any():
            days = info.dates[~np.isnat(info.dates)].astype("datetime64[D]")
            nothing = "train on" if tested.any() else "test"
            raise WhalereidError(
                f"{info.where}: no photo is left to {nothing} when splitting at {self.date}; "
                f"the table's dates run from {days.min()} to {days.max()}, and an encounter is never parted."
            )
        return np.where(tested, 0, np.where(dated, ONLY_TRAINING, LEFT_OUT))

    def _cut(self, last: np.ndarray, info: PhotoInfo) -> np.datetime64:
        """Find the day from which on the share of photos is nearest to the wanted one."""
        assert self.test_share is not None
        days, photos = np.unique(last.astype("datetime64[D]"), return_counts=True)
        if len(days) == 1:
            raise WhalereidError(
                f"{info.where}: every encounter ends on {days[0]}; it takes two days to split by date."
            )
        tested = photos[::-1].cumsum()[::-1] / len(last)
        return days[1:][np.argmin(np.abs(tested[1:] - self.test_share))]


def _last(groups: np.ndarray, dates: np.ndarray) -> np.ndarray:
    """(G,) datetime64: the last known date of each group, NaT where none is."""
    last = np.full(int(groups.max()) + 1, np.datetime64("NaT"), dates.dtype)
    np.fmax.at(last, groups, dates)
    return last
