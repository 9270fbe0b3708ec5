"""Observations of a Camtrap DP that are of an event, and the photos that they are of.

https://camtrap-dp.tdwg.org/data/#observations
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from whalereid.errors import WhalereidError

__all__ = ["photos_of_events"]

_MOST_PAIRS = 10_000_000


def photos_of_events(events: pd.DataFrame, media: pd.DataFrame, *, where: str) -> pd.DataFrame:
    """Pair observations of events with the photos taken by the same camera from the event's start to its end.

    Parameters
    ----------
    events : DataFrame
        Columns ``deploymentID``, ``eventStart`` and ``eventEnd``.
    media : DataFrame
        Columns ``deploymentID`` and ``timestamp``.
    where : str
        What errors call the table of events.

    Returns
    -------
    DataFrame
        ``event`` and ``medium``, positions in the two tables; by event, then by time. Times are compared with their
        zones; those without are taken for UTC. What has no time is in no pair.

    Raises
    ------
    WhalereidError
        They take in absurdly many.
    """
    when = _moments(media["timestamp"])
    starts, ends = _moments(events["eventStart"]), _moments(events["eventEnd"])
    cameras, events_of = _rows_by(media["deploymentID"], when), _rows_by(events["deploymentID"], starts)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    total = 0
    for camera, asked in events_of.items():
        rows = cameras.get(camera, asked[:0])
        asked = asked[~np.isnat(starts[asked]) & ~np.isnat(ends[asked])]
        first = np.searchsorted(when[rows], starts[asked], side="left")
        many = np.maximum(np.searchsorted(when[rows], ends[asked], side="right") - first, 0)
        total += int(many.sum())
        if total > _MOST_PAIRS:
            raise WhalereidError(
                f"{where}: its events take in more than {_MOST_PAIRS:,} photos; are eventStart and eventEnd right?"
            )
        place = np.repeat(first - np.cumsum(many) + many, many) + np.arange(many.sum())
        found.append((np.repeat(asked, many), rows[place]))
    event, medium = (np.concatenate([pair[side] for pair in found] or [np.zeros(0, np.int64)]) for side in (0, 1))
    pairs = pd.DataFrame({"event": event.astype(np.int64), "medium": medium.astype(np.int64)})
    return pairs.sort_values("event", kind="stable", ignore_index=True)


def _rows_by(names: pd.Series, when: np.ndarray) -> dict[str, np.ndarray]:
    """The rows of each name, by time."""
    by_time = np.argsort(when, kind="stable")
    code, distinct = pd.factorize(names.iloc[by_time])
    ends = np.cumsum(np.bincount(code, minlength=len(distinct)))
    return dict(zip(distinct, np.split(by_time[np.argsort(code, kind="stable")], ends)[:-1], strict=True))


def _moments(text: pd.Series) -> np.ndarray:
    """(N,) datetime64[us] in UTC; NaT where there is none or it can't be read."""
    moments = pd.to_datetime(text.astype("str"), utc=True, format="ISO8601", errors="coerce")
    return moments.dt.tz_localize(None).to_numpy("datetime64[us]")
