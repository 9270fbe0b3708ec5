"""LILA's two archives of the competition's belugas, as they unpack, after what is publicly said of them.

https://lila.science/datasets/beluga-id-2022 says what they hold. The annotations are written as Wild Me's exporter does
(``export_to_coco`` in https://github.com/WildMeOrg/wildbook-ia, wbia/other/detectcore.py); which fields are there, and
what unknown names and dates are called, is also what https://github.com/WildlifeDatasets/wildlife-datasets reads
(datasets_wildme.py, belugaid.py). docs/competition_data.md says which of these could be checked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

__all__ = ["QUERIES", "BELUGAS", "table_of", "write_test_archive", "write_training_archive"]

QUERIES = (1183, 567, 616, 279, 306, 501, 274, 282, 102, 309)
"""Queries of each of the ten scenarios: 4,419 in all."""

_LONGEST = 1200  # px, to which all photos were brought

BELUGAS = pd.DataFrame(
    [
        ("whale001", "up", "2017-08-07 20:38:36", 463, 150),
        ("____", "left", "NA", 192, 81),
        ("whale001", "right", "NA", 120, 481),
    ],
    columns=["name", "viewpoint", "date", "height", "width"],
)
"""Three photos: from above, of nobody known, and lying; sizes are those in the competition."""


def write_training_archive(folder: Path, belugas: pd.DataFrame = BELUGAS, *, plain: bool = False) -> Path:
    """Write ``beluga.coco`` without its photos; ``plain`` has no fields but those that public code reads."""
    images, annotations = [], []
    for k, one in enumerate(belugas.itertuples(index=False)):
        image, annotation = _exported(k, one)
        if plain:
            image = {field: image[field] for field in ("id", "file_name", "date_captured")}
            fields = ("image_id", "category_id", "name", "viewpoint", "segmentation")
            annotation = {field: annotation[field] for field in fields}
        images.append(image)
        annotations.append(annotation)
    (folder / "annotations").mkdir(parents=True)
    for part in ("train", "val", "test"):  # the last two were left empty
        (folder / f"images/{part}2022").mkdir(parents=True)
        content: dict[str, Any] = {
            "info": {"description": "Wild Me Dataset", "version": "1.0", "year": 2022, "name": "beluga"},
            "licenses": [{"url": "https://cdla.dev/permissive-1-0/", "id": 3, "name": "CDLA"}],
            "categories": [{"id": 0, "name": "beluga_whale", "supercategory": "animal"}],
            "images": images if part == "train" else [],
            "annotations": annotations if part == "train" else [],
            "parts": [],
        }
        (folder / f"annotations/instances_{part}2022.json").write_text(json.dumps(content))
    return folder


def _exported(k: int, one: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Photo k and its one animal, which fills it, rounded as the exporter rounds."""
    if one.width > one.height:
        scale, width, height = _LONGEST / one.width, _LONGEST, int(_LONGEST * (one.height / one.width))
    else:
        scale, width, height = _LONGEST / one.height, int(_LONGEST * (one.width / one.height)), _LONGEST
    right, bottom = round(one.width * scale), round(one.height * scale)
    image = {
        "license": 3,
        "file_name": f"{k + 1:012d}_{k}.jpg",
        "photographer": "",
        "coco_url": None,
        "height": height,
        "width": width,
        "date_captured": one.date,
        "gps_lat_captured": None,
        "gps_lon_captured": None,
        "flickr_url": None,
        "id": k + 1,
        "uuid": str(UUID(int=k)),
    }
    annotation = {
        "bbox": [0.0, 0.0, one.width * scale, one.height * scale],
        "theta": 0.0,
        "viewpoint": one.viewpoint,
        "segmentation": [[0, 0, right, 0, right, bottom, 0, bottom, 0, 0]],  # closed: the first corner again
        "segmentation_bbox": [0, 0, min(right, width - 1), min(bottom, height - 1)],
        "area": right * bottom,
        "iscrowd": 0,
        "id": k + 1,
        "image_id": k + 1,
        "category_id": 0,
        "uuid": str(UUID(int=10_000 + k)),
        "individual_ids": [k + 1],
        "isinterest": 0,
        "name": one.name,
        "review_ids": [[k + 2, "match"]],
    }
    return image, annotation


def table_of(n: int) -> pd.DataFrame:
    """The table of ``n`` test photos, with test0007 in it twice; three photos of each whale."""
    numbers = np.sort(np.append(np.arange(n), 7)) if n > 7 else np.arange(n)
    names = [f"test{number:04d}" for number in numbers]
    return pd.DataFrame(
        {
            "image_id": names,
            "path": [f"images/{name}.jpg" for name in names],
            "height": 463,
            "width": 150,
            "viewpoint": np.where(numbers % 11, "top", "left"),
            "date": "2018-06-01",
            "timestamp": "2018-06-01 10:00:00",
            "original_image_id": numbers + 20_000,
            "original_whale_id": numbers // 3 + 31,
        }
    )


def write_test_archive(folder: Path, photos: pd.DataFrame, queries: Sequence[int], *, known: int = 1) -> Path:
    """Write ``beluga-id-test`` without its photos: in each scenario, so many of them are looked for among all.

    The first ``known`` whales are also in training, under names of their own. A row that the table has twice is twice
    in the scenarios and labels that it is in, too.
    """
    code = folder / "code-execution"
    for part in ("images", "queries", "databases"):
        (code / part).mkdir(parents=True)
    photos.to_csv(folder / "private_test_metadata.csv", index=False)
    whales = photos["original_whale_id"].drop_duplicates()[:known]
    train = pd.DataFrame({"original_whale_id": whales, "whale_id": [f"whale{n:03d}" for n in range(len(whales))]})
    train = train.assign(image_id=[f"train{n:04d}" for n in range(len(train))]).loc[lambda t: t.index.repeat(2)]
    train.to_csv(folder / "private_train_metadata.csv", index=False)
    labels = []
    for number, n in enumerate(queries, start=1):
        name, asked = f"scenario{number:02d}", photos.iloc[:n]
        while asked["image_id"].nunique() < n:
            asked = photos.iloc[: len(asked) + 1]
        pairs = pd.DataFrame({"query_id": name + "-" + asked["image_id"], "query_image_id": asked["image_id"]})
        pairs.to_csv(code / f"queries/{name}.csv", index=False)
        database = photos[["image_id"]].rename(columns={"image_id": "database_image_id"})
        database.to_csv(code / f"databases/{name}.csv", index=False)
        whale = asked.assign(query_id=pairs["query_id"])[["query_id", "image_id", "original_whale_id"]]
        same = whale.merge(photos[["image_id", "original_whale_id"]], on="original_whale_id", suffixes=("", "_other"))
        labels.append(same[same["image_id"] != same["image_id_other"]])
    found = pd.concat(labels).rename(columns={"image_id_other": "database_image_id"})
    found[["query_id", "database_image_id"]].to_csv(folder / "private_test_labels.csv", index=False)
    return folder
