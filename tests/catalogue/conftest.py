"""Small catalogues on disk, one maker for each layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Draw = Callable[..., Path]


def drawn(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    """(height, width, 3) uint8: smooth blobs, different for each seed, like photos unlike noise."""
    grid = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.float32)
    return np.clip(cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


@pytest.fixture
def draw() -> Draw:
    """Write a photo: `draw(path, seed)`."""

    def write(path: Path, seed: int = 0, **size: int) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), drawn(seed, **size))
        return path

    return write


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Path]:
    """Write a CSV table: `table(text)`."""

    def write(text: str, name: str = "photos.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def competition(tmp_path: Path, draw: Draw) -> Path:
    """The competition's folder: four photos of two whales, two scenarios."""
    folder = tmp_path / "whaledo"
    rows = ["image_id,path,height,width,viewpoint,date,timestamp,whale_id,encounter_id"]
    for number, whale in enumerate((1, 1, 2, 2)):
        draw(folder / f"images/train{number:04d}.jpg", number)
        rows.append(
            f"train{number:04d},images/train{number:04d}.jpg,48,64,{'top' if number % 2 else 'left'},"
            f"2017-08-0{number + 1},2017-08-0{number + 1} 20:38:36,whale00{whale},whale00{whale}-000"
        )
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    for part in ("queries", "databases"):
        (folder / part).mkdir()
    (folder / "query_scenarios.csv").write_text(
        "scenario_id,queries_path,database_path\n"
        "scenario01,queries/scenario01.csv,databases/scenario01.csv\n"
        "scenario02,queries/scenario02.csv,databases/scenario02.csv\n"
    )
    (folder / "queries/scenario01.csv").write_text("query_id,query_image_id\nscenario01-train0001,train0001\n")
    (folder / "queries/scenario02.csv").write_text("query_id,query_image_id\nscenario02-train0000,train0000\n")
    (folder / "databases/scenario01.csv").write_text("database_image_id\ntrain0000\ntrain0001\ntrain0003\n")
    (folder / "databases/scenario02.csv").write_text("database_image_id\n")
    return folder


@pytest.fixture
def coco(tmp_path: Path, draw: Draw) -> Path:
    """LILA's COCO export, in the folder that it unpacks to."""
    folder = tmp_path / "beluga.coco"
    content: dict[str, list[dict[str, object]]] = {
        "categories": [{"id": 0, "name": "beluga_whale", "supercategory": "animal"}],
        "images": [],
        "annotations": [],
    }
    for k, (name, date) in enumerate([("whale001", "2017-08-07 20:38:36"), ("____", "NA"), ("whale001", "NA")]):
        draw(folder / f"images/train2022/{k + 1:012d}_{k}.jpg", k)
        content["images"].append({"id": k + 1, "file_name": f"{k + 1:012d}_{k}.jpg", "date_captured": date})
        corners = [[0, 0, 64, 0, 64, 48, 0, 48]]
        content["annotations"].append(
            {"id": k, "image_id": k + 1, "category_id": 0, "name": name, "viewpoint": "up", "segmentation": corners}
        )
    (folder / "annotations").mkdir()
    (folder / "annotations/instances_train2022.json").write_text(json.dumps(content))
    (folder / "annotations/instances_test2022.json").write_text(
        json.dumps({**content, "images": [], "annotations": []})
    )
    return folder


@pytest.fixture
def lila_test(tmp_path: Path, draw: Draw) -> Path:
    """LILA's test archive as it unpacks: repeated rows, no list of scenarios."""
    folder = tmp_path / "beluga-id-test"
    code = folder / "code-execution"
    rows = ["image_id,path,height,width,viewpoint,date,timestamp,original_image_id,original_whale_id"]
    for number, whale in ((0, 31), (1, 31), (7, 99), (7, 99)):
        draw(code / f"images/test{number:04d}.jpg", number)
        rows.append(
            f"test{number:04d},images/test{number:04d}.jpg,48,64,top,2018-06-01,2018-06-01 10:00:00,{number},{whale}"
        )
    (folder / "private_test_metadata.csv").write_text("\n".join(rows) + "\n")
    (folder / "private_train_metadata.csv").write_text(
        "image_id,path,whale_id,encounter_id,original_whale_id\n"
        "train0000,images/train0000.jpg,whale012,whale012-000,31\n"
        "train0001,images/train0001.jpg,whale012,whale012-000,31\n"
    )
    (folder / "private_test_labels.csv").write_text("query_id,database_image_id\nscenario01-test0000,test0001\n")
    for part in ("queries", "databases"):
        (code / part).mkdir()
    (code / "queries/scenario01.csv").write_text(
        "query_id,query_image_id\nscenario01-test0000,test0000\nscenario01-test0007,test0007\n"
        "scenario01-test0007,test0007\n"
    )
    (code / "databases/scenario01.csv").write_text("database_image_id\ntest0000\ntest0001\ntest0007\ntest0007\n")
    return folder
