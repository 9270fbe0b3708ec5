"""Rules on where photos were taken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from whalereid.arguments import instance, number
from whalereid.candidates.columns import refuse_empty
from whalereid.candidates.rule import Compared, PhotoTable, check_unknown
from whalereid.errors import WhalereidError

__all__ = ["BeyondDistance", "WithinDistance"]

EARTH_KM = 6371.0088
"""The Earth's mean radius (https://doi.org/10.1007/s001900050278)."""


@dataclass(frozen=True)
class WithinDistance:
    """A candidate's photo was taken at most so many kilometres from the query's, as the crow flies.

    Attributes
    ----------
    km : float
        Along the surface of a round Earth, which is right to half a percent.
    latitude, longitude : str
        Columns of positions in degrees, north and east positive.
    unknown : {"nothing", "anything"}, default="nothing"
        What a missing position is near to: nothing, so that the pair isn't allowed; or anything, so that it is.
    """

    km: float
    latitude: str = "latitude"
    longitude: str = "longitude"
    unknown: Literal["nothing", "anything"] = "nothing"

    def __post_init__(self) -> None:
        _check(self, "within-km")

    def bind(self, queries: PhotoTable, database: PhotoTable) -> Compared:
        """Read the positions; see `Rule.bind`."""
        query, candidate = _positions(self, queries, database)
        chord = _chord(self.km)
        if self.unknown == "nothing":  # comparisons with NaN are False
            return Compared(query, candidate, lambda query, candidate: _squared(query, candidate) <= chord)
        return Compared(query, candidate, lambda query, candidate: ~(_squared(query, candidate) > chord))

    def in_words(self) -> str:
        """``at most 5 km away``."""
        return f"at most {self.km:g} km away"


@dataclass(frozen=True)
class BeyondDistance:
    """A candidate's photo was taken more than so many kilometres from the query's, as the crow flies.

    Attributes
    ----------
    km : float
        Along the surface of a round Earth, which is right to half a percent.
    latitude, longitude : str
        Columns of positions in degrees, north and east positive.
    unknown : {"nothing", "anything"}, default="nothing"
        What a missing position is near to: nothing, so that the pair is allowed; or anything, so that it isn't.
    """

    km: float
    latitude: str = "latitude"
    longitude: str = "longitude"
    unknown: Literal["nothing", "anything"] = "nothing"

    def __post_init__(self) -> None:
        _check(self, "beyond-km")

    def bind(self, queries: PhotoTable, database: PhotoTable) -> Compared:
        """Read the positions; see `Rule.bind`."""
        query, candidate = _positions(self, queries, database)
        chord = _chord(self.km)
        if self.unknown == "nothing":
            return Compared(query, candidate, lambda query, candidate: ~(_squared(query, candidate) <= chord))
        return Compared(query, candidate, lambda query, candidate: _squared(query, candidate) > chord)

    def in_words(self) -> str:
        """``more than 5 km away``."""
        return f"more than {self.km:g} km away"


def _check(rule: WithinDistance | BeyondDistance, name: str) -> None:
    object.__setattr__(rule, "km", number(rule.km, f"{name}: km", 0))
    for column in (rule.latitude, rule.longitude):
        instance(column, f"{name}: latitude or longitude", str, "the name of a column with degrees")
    check_unknown(rule.unknown, name)


def _positions(
    rule: WithinDistance | BeyondDistance, queries: PhotoTable, database: PhotoTable
) -> tuple[np.ndarray, np.ndarray]:
    """(Q, 3) and (D, 3) float64: points on a sphere of radius 1; NaN where unknown."""
    points = []
    for photos in (queries, database):
        latitude = np.radians(_degrees(photos, rule.latitude, 90))
        longitude = np.radians(_degrees(photos, rule.longitude, 360))
        across = np.cos(latitude)
        points.append(np.stack([across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)], axis=1))
    query, candidate = points
    refuse_empty(rule.latitude, np.isnan(query).any(axis=1), np.isnan(candidate).any(axis=1), queries)
    return query, candidate


def _degrees(photos: PhotoTable, name: str, most: float) -> np.ndarray:
    """(N,) float64: a column of degrees; NaN where missing.

    Raises
    ------
    WhalereidError
        A value is no number of degrees.
    """
    column = photos.column(name)
    degrees = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(column.notna().to_numpy(bool) & ~(np.abs(degrees) <= most))
    if len(wrong):
        raise WhalereidError(
            f"{photos.source}: photo {photos.image_ids[wrong[0]]!r}, column {name}: {column.iloc[wrong[0]]!r:.40} is "
            f"no number of degrees from -{most:g} to {most:g}."
        )
    return degrees


def _chord(km: float) -> float:
    """The square of the straight line through a sphere of radius 1 that joins two points so far apart."""
    return (2 * math.sin(min(km / EARTH_KM, math.pi) / 2)) ** 2


def _squared(query: np.ndarray, candidate: np.ndarray) -> np.ndarray:
    # One axis at a time, so that a block's numbers are those of its pairs to the last bit.
    across, along, up = (query[..., axis] - candidate[..., axis] for axis in range(3))
    return np.asarray(across * across + along * along + up * up)
