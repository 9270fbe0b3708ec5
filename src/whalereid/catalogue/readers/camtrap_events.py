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
    by_time = np.argsort(when, kind="stable")
    camera_of, camera_names = pd.factorize(media["deploymentID"].iloc[by_time])
    by_camera = np.argsort(camera_of, kind="stable")
    ends_of = np.cumsum(np.bincount(camera_of, minlength=len(camera_names)))
    cameras = dict(zip(camera_names, np.split(by_time[by_camera], ends_of[:-1]), strict=True))
    pairs: list[tuple[int, np.ndarray]] = []
    total = 0
    for event, camera in enumerate(events["deploymentID"]):
        rows = cameras.get(camera)
        if rows is None or np.isnat(starts[event]) or np.isnat(ends[event]):
            continue
        moments = when[rows]
        first = int(np.searchsorted(moments, starts[event], side="left"))
        last = int(np.searchsorted(moments, ends[event], side="right"))
        pairs.append((event, rows[first:last]))
        total += last - first
        if total > _MOST_PAIRS:
            raise WhalereidError(
                f"{where}: its events take in more than {_MOST_PAIRS:,} photos; are eventStart and eventEnd right?"
            )
    repeats = [len(rows) for _, rows in pairs]
    return pd.DataFrame(
        {
            "event": np.repeat([event for event, _ in pairs], repeats).astype(np.int64),
            "medium": np.concatenate([rows for _, rows in pairs]) if pairs else np.zeros(0, np.int64),
        }
    )


def _moments(text: pd.Series) -> np.ndarray:
    """(N,) datetime64[us] in UTC; NaT where there is none or it can't be read."""
    moments = pd.to_datetime(text.astype("str"), utc=True, format="ISO8601", errors="coerce")
    return moments.dt.tz_localize(None).to_numpy("datetime64[us]")
