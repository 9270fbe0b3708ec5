"""The three tables of a Camtrap DP, made of a catalogue's rows, with every field of version 1.0 in its place.

https://camtrap-dp.tdwg.org/data/
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

import numpy as np
import pandas as pd

from whalereid.catalogue.photo_sizes import PhotoSizes
from whalereid.errors import WhalereidError

__all__ = [
    "DEPLOYMENTS",
    "MEDIA",
    "OBSERVATIONS",
    "deployments_of",
    "media_of",
    "observations_of",
    "refuse_missing_words",
    "shares_of",
    "times_of",
]

DEPLOYMENTS = (
    "deploymentID", "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty", "deploymentStart",
    "deploymentEnd", "setupBy", "cameraID", "cameraModel", "cameraDelay", "cameraHeight", "cameraDepth", "cameraTilt",
    "cameraHeading", "detectionDistance", "timestampIssues", "baitUse", "featureType", "habitat", "deploymentGroups",
    "deploymentTags", "deploymentComments",
)  # fmt: skip
MEDIA = (
    "mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic", "fileName", "fileMediatype",
    "exifData", "favorite", "mediaComments",
)  # fmt: skip
OBSERVATIONS = (
    "observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd", "observationLevel",
    "observationType", "cameraSetupType", "scientificName", "count", "lifeStage", "sex", "behavior", "individualID",
    "individualPositionRadius", "individualPositionAngle", "individualSpeed", "bboxX", "bboxY", "bboxWidth",
    "bboxHeight", "classificationMethod", "classifiedBy", "classificationTimestamp", "classificationProbability",
    "observationTags", "observationComments",
)  # fmt: skip
_MEDIATYPES = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jpe": "image/jpeg", ".jfif": "image/jpeg", ".mpo": "image/jpeg",
    ".png": "image/png", ".webp": "image/webp", ".tif": "image/tiff", ".tiff": "image/tiff", ".bmp": "image/bmp",
    ".jp2": "image/jp2", ".avif": "image/avif", ".heic": "image/heic", ".heif": "image/heif",
}  # fmt: skip
_WORDS = {"sex": ("female", "male"), "lifeStage": ("adult", "subadult", "juvenile")}
_LEAST_SIDE = 1e-15  # of a box, as a share


def times_of(frame: pd.DataFrame, dates: np.ndarray, zone: str) -> pd.Series:
    """(N,) text: dates as ISO 8601 with a zone, their own or `zone`; missing where there is none.

    Examples
    --------
    >>> frame = pd.DataFrame({"date": ["2020-05-30T04:57:37+0200", "2020-05-30", None]})
    >>> times_of(frame, np.array(["2020-05-30T04:57:37", "2020-05-30", "NaT"], "datetime64[s]"), "Z").tolist()
    ['2020-05-30T04:57:37+02:00', '2020-05-30T00:00:00Z', nan]
    """
    first, second = _text(frame, "timestamp"), _text(frame, "date")
    text = first.where(first.notna(), second).mask(np.isnat(dates))  # else an endless one would be looked through
    told = text.str.extract(r"\d:\d{2}.*?(?:(Z|UTC|GMT)|([+-]\d{2}):?(\d{2}))$")
    zones = (told[1] + ":" + told[2]).fillna(told[0].mask(told[0].notna(), "Z")).fillna(zone)
    written = pd.Series(np.datetime_as_string(dates, unit="s"), frame.index, dtype="str") + zones
    return written.mask(np.isnat(dates))


def deployments_of(frame: pd.DataFrame, times: pd.Series, dates: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """The table of deployments, and the ``deploymentID`` of each row: a camera, or a place.

    Rows belong together that have the same ``deploymentID``, ``location``, ``latitude`` and ``longitude``; each lasts
    from its first photo to its last.
    """
    keys = pd.DataFrame({name: _text(frame, name) for name in ("deploymentID", "location", "latitude", "longitude")})
    code, groups = pd.factorize(pd.MultiIndex.from_frame(keys.fillna("")))
    named = [group[0] or f"d{at}" for at, group in enumerate(groups, start=1)]
    ids = _distinct(named)
    first, last = _ends(code, dates, len(groups))
    held = {
        "deploymentID": ids,
        "locationName": [group[1] for group in groups],
        "latitude": [group[2] for group in groups],
        "longitude": [group[3] for group in groups],
        "deploymentStart": _at(times, first),
        "deploymentEnd": _at(times, last),
    }
    return _table(held, DEPLOYMENTS), np.array(ids, object)[code]


def media_of(
    frame: pd.DataFrame, paths: Sequence[str], times: pd.Series, deployments: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray]:
    """The table of media, and the ``mediaID`` of each row: its ``image_id`` where it is the photo's only one."""
    code, photos = pd.factorize(np.array(paths, object))
    first = np.unique(code, return_index=True)[1]
    alone = np.bincount(code) == 1
    ids = frame["image_id"].to_numpy(object)[first]
    taken = set(frame["image_id"])
    named = [own if single else _free(photo, taken) for own, single, photo in zip(ids, alone, photos, strict=True)]
    held = {
        "mediaID": named,
        "deploymentID": deployments[first],
        "timestamp": times.to_numpy(object)[first],
        "filePath": photos,
        "filePublic": ["false"] * len(photos),
        "fileName": [posixpath.basename(photo) for photo in photos],
        "fileMediatype": [_mediatype(photo) for photo in photos],
    }
    return _table(held, MEDIA), np.array(named, object)[code]


def observations_of(
    frame: pd.DataFrame, deployments: np.ndarray, media: np.ndarray, times: pd.Series, dates: np.ndarray
) -> pd.DataFrame:
    """The table of observations, one a row, without boxes: ``observationID`` is the ``image_id``."""
    encounter = _text(frame, "encounter")
    own = pd.Series(np.arange(len(frame)).astype(str), frame.index, dtype=object)
    code, _ = pd.factorize(("e" + encounter).fillna("r" + own))
    first, last = _ends(code, dates, int(code.max(initial=-1)) + 1)
    confidence = pd.to_numeric(frame.get("confidence", pd.Series(np.nan, frame.index)), errors="coerce")
    count = _text(frame, "count")
    held = {
        "observationID": frame["image_id"].to_numpy(object),
        "deploymentID": deployments,
        "mediaID": media,
        "eventID": encounter.to_numpy(object),
        "eventStart": _at(times, first)[code],
        "eventEnd": _at(times, last)[code],
        "observationLevel": ["media"] * len(frame),
        "observationType": ["animal"] * len(frame),
        "scientificName": _text(frame, "species").to_numpy(object),
        "count": count.where(count.str.fullmatch(r"[1-9][0-9]{0,8}").fillna(False), "1").to_numpy(object),
        "individualID": _text(frame, "identity").to_numpy(object),
        "classificationProbability": confidence.where(confidence.between(0, 1)).to_numpy(np.float64),
        **{
            name: _text(frame, name).where(_text(frame, name).isin(words)).to_numpy(object)
            for name, words in _WORDS.items()
        },
        "behavior": _text(frame, "behavior").to_numpy(object),
    }
    return _table(held, OBSERVATIONS)


def shares_of(frame: pd.DataFrame, paths: Sequence[str], sizes: PhotoSizes) -> np.ndarray:
    """(N, 4) boxes as shares of their photos: x, y, width, height; NaN where there is none, or none within the photo.

    A photo's size is that of its columns, else that of the file.
    """
    shares = np.full((len(frame), 4), np.nan)
    boxes = frame["bbox"].tolist() if "bbox" in frame else []
    widths, heights = (
        pd.to_numeric(frame.get(name, pd.Series(np.nan, frame.index)), errors="coerce").to_numpy(np.float64)
        for name in ("width", "height")
    )
    for row, box in enumerate(boxes):
        if not isinstance(box, tuple):
            continue
        known = widths[row] > 0 and heights[row] > 0
        size = (widths[row], heights[row]) if known else sizes.of(paths[row])
        if size is None:
            continue
        x, y, w, h = box
        left, top = max(x / size[0], 0.0), max(y / size[1], 0.0)
        right, bottom = min((x + w) / size[0], 1.0), min((y + h) / size[1], 1.0)
        if right - left > _LEAST_SIDE and bottom - top > _LEAST_SIDE:
            shares[row] = left, top, right - left, bottom - top
    return shares


def refuse_missing_words(frame: pd.DataFrame, *, where: str) -> None:
    """Refuse names that a Camtrap DP takes for missing values."""
    for name in ("image_id", "identity", "encounter", "species", "location", "deploymentID"):
        rows = np.flatnonzero(_text(frame, name).isin(["NA", "NaN", "nan"]).to_numpy(bool))
        if len(rows):
            raise WhalereidError(
                f"{where}, row {rows[0] + 1}, column {name}: {frame[name].iloc[rows[0]]!r} is a missing value in "
                "Camtrap DP; rename it, or write another format."
            )


def _mediatype(photo: str) -> str:
    suffix = posixpath.splitext(photo)[1].lower()
    return _MEDIATYPES.get(suffix, f"image/{suffix[1:] or 'unknown'}")


def _text(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column as text, NaN where it or a value is missing."""
    if name not in frame:
        return pd.Series(np.nan, frame.index, dtype="str")
    return frame[name].astype("str").where(frame[name].notna())


def _table(held: dict[str, object], fields: Sequence[str]) -> pd.DataFrame:
    """A table with all of these fields, empty where nothing is known."""
    table = pd.DataFrame(held)
    return table.reindex(columns=[*fields])


def _ends(code: np.ndarray, dates: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the rows of each group's first and last date; -1 where it has none."""
    first, last = np.full(n, -1), np.full(n, -1)
    there = np.flatnonzero(~np.isnat(dates))
    order = there[np.argsort(dates[there], kind="stable")]
    last[code[order]] = order  # of repeated indices the last counts
    first[code[order[::-1]]] = order[::-1]
    return first, last


def _at(times: pd.Series, rows: np.ndarray) -> np.ndarray:
    """The times of some rows, None where there is no row."""
    held = np.append(times.to_numpy(object), [None])
    return held[rows]  # -1 takes the last


def _distinct(names: list[str]) -> list[str]:
    """The names, a number behind those that stand there already."""
    taken: set[str] = set()
    return [_free(name, taken) for name in names]


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}#{number}"
    taken.add(free)
    return free
