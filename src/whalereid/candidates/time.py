"""Rules on when photos were taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from whalereid.arguments import instance, number
from whalereid.candidates.columns import refuse_empty
from whalereid.candidates.rule import Compared, PhotoTable, check_unknown

__all__ = ["BeyondDays", "WithinDays"]

_A_DAY = np.timedelta64(86_400, "s")


@dataclass(frozen=True)
class WithinDays:
    """A candidate's photo was taken at most so many days before or after the query's.

    Attributes
    ----------
    days : float
        Such as 30, or 0.5 for twelve hours; where dates have no time of day, 0 is the same day.
    column : str, default="date"
        Holds the dates.
    unknown : {"nothing", "anything"}, default="nothing"
        What a missing date is near to: nothing, so that the pair isn't allowed; or anything, so that it is.
    """

    days: float
    column: str = "date"
    unknown: Literal["nothing", "anything"] = "nothing"

    def __post_init__(self) -> None:
        _check(self, "within-days")

    def bind(self, queries: PhotoTable, database: PhotoTable) -> Compared:
        """Read the dates; see `Rule.bind`."""
        query, candidate = _days(self.column, queries, database)
        if self.unknown == "nothing":  # comparisons with NaN are False
            return Compared(query, candidate, lambda query, candidate: abs(query - candidate) <= self.days)
        return Compared(query, candidate, lambda query, candidate: ~(abs(query - candidate) > self.days))

    def in_words(self) -> str:
        """``at most 30 days apart``."""
        return f"at most {_days_in_words(self.days)} apart"


@dataclass(frozen=True)
class BeyondDays:
    """A candidate's photo was taken more than so many days before or after the query's.

    Attributes
    ----------
    days : float
        Such as 1, which leaves out the same day and the days around it.
    column : str, default="date"
        Holds the dates.
    unknown : {"nothing", "anything"}, default="nothing"
        What a missing date is near to: nothing, so that the pair is allowed; or anything, so that it isn't.
    """

    days: float
    column: str = "date"
    unknown: Literal["nothing", "anything"] = "nothing"

    def __post_init__(self) -> None:
        _check(self, "beyond-days")

    def bind(self, queries: PhotoTable, database: PhotoTable) -> Compared:
        """Read the dates; see `Rule.bind`."""
        query, candidate = _days(self.column, queries, database)
        if self.unknown == "nothing":
            return Compared(query, candidate, lambda query, candidate: ~(abs(query - candidate) <= self.days))
        return Compared(query, candidate, lambda query, candidate: abs(query - candidate) > self.days)

    def in_words(self) -> str:
        """``more than 30 days apart``."""
        return f"more than {_days_in_words(self.days)} apart"


def _check(rule: WithinDays | BeyondDays, name: str) -> None:
    object.__setattr__(rule, "days", number(rule.days, f"{name}: days", 0))
    instance(rule.column, f"{name}: column", str, "the name of a column with dates")
    check_unknown(rule.unknown, name)


def _days(column: str, queries: PhotoTable, database: PhotoTable) -> tuple[np.ndarray, np.ndarray]:
    """(Q,) and (D,) float64: days since 1970; NaN where unknown."""
    query, candidate = (_since_1970(photos.dates(column)) for photos in (queries, database))
    refuse_empty(column, np.isnan(query), np.isnan(candidate), queries)
    return query, candidate


def _since_1970(dates: np.ndarray) -> np.ndarray:
    days = (dates - np.datetime64("1970-01-01T00:00:00", "s")) / _A_DAY  # NaT gives NaN
    return np.asarray(days, np.float64)


def _days_in_words(days: float) -> str:
    return "a day" if days == 1 else f"{days:g} days"
