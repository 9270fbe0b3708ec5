"""The same rendered belugas in the shapes that people have photos in."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pandas as pd

from whalereid.catalogue import Catalogue

__all__ = ["SHAPES", "camtrap_dp", "coco", "flat", "folder_per_animal", "table"]


def flat(photos: Catalogue, out: Path) -> Path:
    """A folder of photos, without names."""
    out.mkdir(parents=True)
    for path in photos.paths:
        shutil.copyfile(path, out / path.name)
    return out


def folder_per_animal(photos: Catalogue, out: Path) -> Path:
    """A folder for each animal."""
    for path, identity in zip(photos.paths, photos.column("identity"), strict=True):
        (out / identity).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, out / identity / path.name)
    return out


def table(photos: Catalogue, out: Path) -> Path:
    """A CSV beside a folder of photos."""
    flat(photos, out / "images")
    frame = photos.frame[["image_id", "identity", "viewpoint", "encounter", "date"]]
    frame.insert(1, "path", [f"images/{path.name}" for path in photos.paths])
    frame.to_csv(out / "metadata.csv", index=False)
    return out


def coco(photos: Catalogue, out: Path) -> Path:
    """COCO annotations with a box and a name each."""
    flat(photos, out / "images")
    frame = photos.frame.astype({"height": int, "width": int})
    images = [
        {"id": n, "file_name": path.name, "height": row.height, "width": row.width, "date_captured": str(row.date)}
        for n, (path, row) in enumerate(zip(photos.paths, frame.itertuples(), strict=True))
    ]
    annotations = [
        {
            "id": n,
            "image_id": n,
            "category_id": 1,
            "bbox": [2, 2, row.width - 4, row.height - 4],
            "individual_id": row.identity,
            "viewpoint": row.viewpoint,
        }
        for n, row in enumerate(frame.itertuples())
    ]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "beluga"}]}
    (out / "annotations.json").write_text(json.dumps(content))
    return out / "annotations.json"


def camtrap_dp(photos: Catalogue, out: Path) -> Path:
    """A Camtrap DP package: one deployment, an observation of a named animal for each photo."""
    flat(photos, out / "media")
    frame = photos.frame
    times = [f"{pd.Timestamp(date).date()}T12:00:00Z" for date in frame["date"]]
    _write(
        out / "deployments.csv",
        [
            {
                "deploymentID": "river",
                "latitude": 60.5,
                "longitude": -151.25,
                "deploymentStart": min(times),
                "deploymentEnd": max(times),
            }
        ],
    )
    _write(
        out / "media.csv",
        (
            {
                "mediaID": image,
                "deploymentID": "river",
                "timestamp": time,
                "filePath": f"media/{path.name}",
                "filePublic": "false",
                "fileMediatype": "image/jpeg",
            }
            for image, time, path in zip(frame["image_id"], times, photos.paths, strict=True)
        ),
    )
    _write(
        out / "observations.csv",
        (
            {
                "observationID": f"o-{row.image_id}",
                "deploymentID": "river",
                "mediaID": row.image_id,
                "eventID": row.encounter,
                "eventStart": time,
                "eventEnd": time,
                "observationLevel": "media",
                "observationType": "animal",
                "scientificName": "Delphinapterus leucas",
                "individualID": row.identity,
            }
            for row, time in zip(frame.itertuples(), times, strict=True)
        ),
    )
    resources = [
        {"name": name, "path": f"{name}.csv", "profile": "tabular-data-resource"}
        for name in ("deployments", "media", "observations")
    ]
    (out / "datapackage.json").write_text(json.dumps({"name": "belugas", "resources": resources}))
    return out


def _write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


SHAPES: dict[str, Callable[[Catalogue, Path], Path]] = {
    "flat": flat,
    "folder-per-animal": folder_per_animal,
    "csv": table,
    "coco": coco,
    "camtrap-dp": camtrap_dp,
}
"""Each writes a catalogue's photos below a new folder, and gives what a person would name on the command line."""
