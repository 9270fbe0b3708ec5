"""Camtrap DP: deployments, media and observations of camera traps, as Agouti, Trapper and others export them.

Version 1.0 (https://camtrap-dp.tdwg.org/data/).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whalereid import stopping
from whalereid.arguments import number
from whalereid.catalogue.photo_sizes import ROUNDED, PhotoSizes, box_in_pixels
from whalereid.catalogue.readers.beside import PhotoPlace, place_of_photos
from whalereid.catalogue.readers.camtrap_rows import BOX, numbers_of, rows_of
from whalereid.catalogue.readers.data_package import DESCRIPTOR, DataPackage, is_url
from whalereid.catalogue.readers.folder import Folder
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.errors import WhalereidError
from whalereid.reading import read_text

__all__ = ["FURTHER", "CamtrapDP"]

FURTHER = "whalereid"
"""The table of a package that `whalereid export` wrote with what the standard has no field for, by observationID."""

_WHAT = "a Camtrap DP"
_STANDARD = (
    "image_id", "path", "identity", "encounter", "species", "location", "latitude", "longitude", "observationID",
)  # fmt: skip
_TABLES = ("deployments", "media", "observations")
_LARGEST_GB = 0.1  # of a descriptor
_VIDEOS = (".mp4", ".mov", ".avi", ".mkv", ".m4v", ".mpg", ".mpeg", ".wmv", ".webm", ".wav", ".mp3")


class CamtrapDP:
    """A Camtrap DP: its folder, or its datapackage.json.

    Parameters
    ----------
    min_conf : float, default=0
        Observations whose ``classificationProbability`` is less are left out; those that have none are kept.
    photos : path, optional
        The folder that ``filePath`` starts from, or in which photos lie by their ``fileName``. By default it is found.
    """

    wanted = "it needs datapackage.json, or deployments.csv, media.csv and observations.csv"

    def __init__(self, min_conf: float = 0.0, photos: str | None = None) -> None:
        self.min_conf = number(min_conf, "min_conf", 0, 1)
        self.photos = photos

    def recognises(self, source: Any) -> bool:
        """Whether it is such a package's descriptor, or a folder that holds that or the three tables."""
        if isinstance(source, Folder):
            descriptor = source.file(DESCRIPTOR)
            tables = [source.file(f"{name}.csv", f"{name}.parquet") for name in _TABLES]
            return all(tables) if descriptor is None else _describes(descriptor)
        return isinstance(source, Path) and source.name.lower() == DESCRIPTOR and _describes(source)

    def read(self, source: Folder | Path) -> FoundPhotos:
        """Read one row for each animal in a photo that was observed."""
        package = DataPackage(source.path if isinstance(source, Folder) else source.parent, _WHAT)
        observations = package.table("observations", "observationID", "deploymentID", "observationType")
        media = package.table("media", "mediaID", "deploymentID", "filePath", further=["timestamp"])
        deployments = _places(package)
        _check_cameras(media, deployments, package.place("media"))
        notes: list[str] = []
        where = package.place("observations")
        rows = rows_of(observations, media, min_conf=self.min_conf, where=where, notes=notes)
        further = package.table(FURTHER, "observationID").set_index("observationID") if package.has(FURTHER) else None
        if further is not None and "bbox" in further:  # in pixels: the photo need not be looked at
            boxed = rows["observationID"].isin(further.index[further["bbox"].notna()])
            rows[list(BOX)] = rows[list(BOX)].mask(boxed)
        place, paths = self._paths(media, package.folder, notes)
        frame = _frame(
            rows, media.assign(path=pd.Series(paths, dtype=object)), deployments, PhotoSizes(place.root), where, notes
        )
        frame = frame if further is None else _with_further(frame, further)
        if not len(frame):
            raise WhalereidError(f"{where}: no animal is in a photo that is here; {'; '.join(notes) or self.wanted}.")
        frame = frame.drop(columns="observationID").dropna(axis="columns", how="all")
        return FoundPhotos(frame, place.root, source=str(package.descriptor or where), notes=tuple(notes))

    def _paths(self, media: pd.DataFrame, folder: Path, notes: list[str]) -> tuple[PhotoPlace, list[str | None]]:
        """Where the photos lie, and the path of each from there; None for videos, and for photos that aren't here."""
        videos = _videos(media)
        elsewhere = np.array([is_url(path) for path in media["filePath"]], bool) & ~videos
        names: list[str] = media["filePath"].astype(object).tolist()
        place = place_of_photos([names[at] for at in np.flatnonzero(~elsewhere & ~videos)], folder, self.photos)
        paths: list[str | None] = [
            None if away or video else place.path(name)
            for name, away, video in zip(names, elsewhere, videos, strict=True)
        ]
        called = media["fileName"] if "fileName" in media else pd.Series(np.nan, media.index, dtype=object)
        called = called.mask(called.duplicated(keep=False) | ~elsewhere)
        rows = np.flatnonzero(called.notna())
        downloaded: list[str] = called.iloc[rows].astype(object).tolist()
        downloads = place_of_photos(downloaded, folder, self.photos)
        for number_, (at, name) in enumerate(zip(rows, downloaded, strict=True)):
            if number_ % 1000 == 0:
                stopping.check()
            paths[at] = downloads.path(name) if downloads.holds(name) else None
        lost = sum(path is None for path in paths) - int(videos.sum())
        if videos.any():
            notes.append(f"videos passed over: {videos.sum():,} (save frames of them as JPEG)")
        if lost:
            notes.append(
                f"photos at web addresses that aren't here, left out: {lost:,}; download them under their fileName, "
                "and give photos=FOLDER"
            )
        if note := place.note():
            notes.append(note)
        return place, paths


def _describes(path: Path) -> bool:
    """Whether a data package's descriptor names the three tables; it is looked through, not parsed."""
    try:
        text = read_text(path, most_gb=_LARGEST_GB)
    except WhalereidError:
        return False
    return all(f'"{name}"' in text for name in ("resources", *_TABLES))


def _videos(media: pd.DataFrame) -> np.ndarray:
    """(M,) bool: what is no photo, by its kind or its suffix."""
    suffix = media["filePath"].str.lower().str.endswith(_VIDEOS).to_numpy(bool)
    if "fileMediatype" not in media:
        return suffix
    kind = media["fileMediatype"].str.lower()
    return suffix | kind.str.startswith(("video", "audio")).fillna(False).to_numpy(bool)


def _places(package: DataPackage) -> pd.DataFrame:
    """The deployments by their ids: ``location``, and ``latitude`` and ``longitude`` in degrees."""
    table, where = package.table("deployments", "deploymentID"), package.place("deployments")
    table = table.assign(row=np.arange(1, len(table) + 1))
    columns = {}
    for name, most in (("latitude", 90.0), ("longitude", 180.0)):
        columns[name] = numbers_of(table, name, -most, most, where=where) if name in table else np.nan
    names = [table[name] for name in ("locationName", "locationID") if name in table]
    location = names[0].fillna(names[-1]) if names else np.nan
    return pd.DataFrame({"location": location, **columns}, index=table.index).set_index(table["deploymentID"])


def _check_cameras(media: pd.DataFrame, deployments: pd.DataFrame, where: str) -> None:
    unknown = ~media["deploymentID"].isin(deployments.index).to_numpy(bool)
    if unknown.any():
        row = int(unknown.argmax())
        raise WhalereidError(
            f"{where}, row {row + 1}: deploymentID {media['deploymentID'][row]!r:.80} is none of deployments."
        )


def _frame(
    rows: pd.DataFrame, media: pd.DataFrame, deployments: pd.DataFrame, sizes: PhotoSizes, where: str, notes: list[str]
) -> pd.DataFrame:
    """The catalogue's columns, and ``observationID``."""
    rows = rows[media["path"].notna().to_numpy(bool)[rows["medium"]]]
    photo = media.iloc[rows["medium"]]
    boxes, sides = _boxes(rows, photo["path"].tolist(), sizes, where)
    unknown = np.array([box is None and side is None for box, side in zip(boxes, sides, strict=True)], bool)
    if unknown.any():
        notes.append(
            f"observations with a box left out, as their photo's size can't be told: {unknown.sum():,} "
            f"({sizes.problems[0].removesuffix('.')})"
        )
    camera = deployments.loc[photo["deploymentID"]]
    columns = {
        "image_id": _image_ids(rows, photo, media),
        "path": photo["path"].to_numpy(object),
        "identity": rows["individualID"].to_numpy(object),
        "encounter": rows["eventID"].to_numpy(object),
        "date": photo["timestamp"].to_numpy(object),
        "species": rows["scientificName"].to_numpy(object),
        "location": camera["location"].to_numpy(object),
        "latitude": camera["latitude"].to_numpy(np.float64),
        "longitude": camera["longitude"].to_numpy(np.float64),
        "bbox": pd.Series([box or np.nan for box in boxes], dtype=object).to_numpy(object),
        "height": np.array([side[1] if side else np.nan for side in sides], np.float64),
        "width": np.array([side[0] if side else np.nan for side in sides], np.float64),
        "confidence": numbers_of(rows, "classificationProbability", 0, 1, where=where).to_numpy(np.float64),
        **{name: rows[name].to_numpy(object) for name in ("sex", "lifeStage", "behavior", "count")},
        "deploymentID": photo["deploymentID"].to_numpy(object),
        "observationID": rows["observationID"].to_numpy(object),
    }
    return pd.DataFrame(columns)[~unknown].reset_index(drop=True)


def _image_ids(rows: pd.DataFrame, photo: pd.DataFrame, media: pd.DataFrame) -> np.ndarray:
    """The photo's id where it has one row; else the observation's, where that is the only row's and no photo's."""
    photo_id, own = photo["mediaID"].to_numpy(object), rows["observationID"].to_numpy(object)
    alone = ~pd.Series(photo_id).duplicated(keep=False).to_numpy()
    photos = set(media["mediaID"])
    unclear = pd.Series(own).duplicated(keep=False).to_numpy() | np.array([name in photos for name in own], bool)
    return np.where(alone, photo_id, np.where(unclear, photo_id + "#" + own, own))


def _boxes(
    rows: pd.DataFrame, paths: list[str], sizes: PhotoSizes, where: str
) -> tuple[list[tuple[float, float, float, float] | None], list[tuple[int, int] | None]]:
    """The boxes in pixels and the photos' sizes; of rows without a box None and (), of unknown sizes None twice."""
    least, most = -ROUNDED, 1 + ROUNDED
    x, y, w, h = (numbers_of(rows, name, least, most, where=where).to_numpy(np.float64) for name in BOX)
    given = ~(np.isnan(x) & np.isnan(y) & np.isnan(w) & np.isnan(h))
    fits = (w > 0) & (h > 0) & (x + w <= most) & (y + h <= most)
    wrong = np.flatnonzero(given & ~fits)
    if len(wrong):
        row = rows["row"].iloc[wrong[0]]
        held = ", ".join(str(rows[name].iloc[wrong[0]]) for name in BOX)
        raise WhalereidError(
            f"{where}, row {row}: {', '.join(BOX)} {held} is no box within the photo, as shares of its sides."
        )
    boxes: list[Any] = [None] * len(rows)
    sides: list[Any] = [()] * len(rows)
    for at in np.flatnonzero(given):
        sides[at] = sizes.of(paths[at])
        if sides[at] is not None:
            boxes[at] = box_in_pixels((float(x[at]), float(y[at]), float(w[at]), float(h[at])), sides[at])
    return boxes, sides


def _with_further(frame: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """What `whalereid export` wrote beside the standard's tables takes the place of what was made of these."""
    is_one = not frame["observationID"].duplicated().any()
    for name in table.columns.difference(["path"] if is_one else ["path", "image_id"], sort=False):
        told = table[name].reindex(frame["observationID"]).to_numpy(object)
        before = frame[name].to_numpy(object) if name in frame else np.full(len(frame), np.nan, object)
        frame[name] = np.where(pd.isna(told), before, told)
    return frame[[name for name in frame if name in (*_STANDARD, *table.columns)]]
