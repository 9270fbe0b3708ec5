"""A rule on who was alive when a photo was taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.candidates.columns import refuse_empty
from whalereid.candidates.rule import Compared, PhotoTable, check_unknown

__all__ = ["Alive"]


@dataclass(frozen=True)
class Alive:
    """A candidate's animal was alive when the query was taken: born by then, and not known to have died before.

    What is known of an animal holds for all of its photos. An animal without a first date may always have lived, one
    without a last date may still live.

    Attributes
    ----------
    first, last : str
        Columns of the database with the animal's first and last possible dates, such as birth and death; a table may
        lack one of the two.
    column : str, default="date"
        Holds the date of the query.
    unknown : {"anything", "nothing"}, default="anything"
        Who was alive on a query's unknown date: anyone, or no one.
    """

    first: str = "born"
    last: str = "died"
    column: str = "date"
    unknown: Literal["nothing", "anything"] = "anything"

    def __post_init__(self) -> None:
        for name in ("first", "last", "column"):
            instance(getattr(self, name), f"alive: {name}", str, "the name of a column with dates")
        check_unknown(self.unknown, "alive")

    def bind(self, queries: PhotoTable, database: PhotoTable) -> Compared:
        """Read the dates; see `Rule.bind`."""
        taken = _seconds(queries.dates(self.column), np.nan)
        refuse_empty(self.column, np.isnan(taken), np.ones(len(taken), bool), queries)
        columns = set(getattr(database, "columns", (self.first, self.last)))
        if not {self.first, self.last} & columns:
            database.column(self.first)  # refuses it by name
        spans = [
            _of_animals(database, self.first, np.minimum, -np.inf) if self.first in columns else -np.inf,
            _of_animals(database, self.last, np.maximum, np.inf) if self.last in columns else np.inf,
        ]
        lived = np.stack(np.broadcast_arrays(*spans, np.zeros(len(database.image_ids)))[:2], axis=1)
        anyone = self.unknown == "anything"

        def allows(when: np.ndarray, lives: np.ndarray) -> np.ndarray:
            alive = (when >= lives[..., 0]) & (when <= lives[..., 1])
            return np.asarray(alive | np.isnan(when) if anyone else alive)

        return Compared(taken, lived, allows)

    def in_words(self) -> str:
        """``alive at the time``."""
        return "alive at the time"


def _of_animals(photos: PhotoTable, name: str, better: np.ufunc, unknown: float) -> np.ndarray:
    """(D,) float64: the earliest first (or latest last) date of each photo's animal, in seconds."""
    dates = _seconds(photos.dates(name), unknown)
    codes, animals = pd.factorize(photos.column("identity"))
    known = (codes >= 0) & np.isfinite(dates)
    best = np.full(len(animals), -unknown)
    better.at(best, codes[known], dates[known])
    best = np.where(np.isinf(best), unknown, best)
    return np.where(codes >= 0, best[codes] if len(animals) else unknown, dates)


def _seconds(dates: np.ndarray, unknown: float) -> np.ndarray:
    """(n,) float64: seconds since 1970."""
    return np.where(np.isnat(dates), unknown, dates.astype("datetime64[s]").astype(np.int64).astype(np.float64))
