"""MegaDetector's results as its tools write them, and broken ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError

Draw = Callable[..., Path]


def results() -> dict[str, Any]:
    """As format 1.6 has it: three photos with animals, one with a person, an empty one, one that failed, a video."""
    animal, unsure = {"category": "1", "conf": 0.9, "bbox": [0, 0.25, 0.5, 0.5]}, {"category": "1", "conf": 0.1}
    return {
        "info": {"format_version": "1.6", "detector": "MDV5A"},
        "detection_categories": {"1": "animal", "2": "person", "3": "vehicle"},
        "classification_categories": {"0": "fox", "3": "bear"},
        "images": [
            {"file": "cam/a.jpg", "detections": [{**animal, "classifications": [["3", 0.9], ["0", 0.07]]}]},
            {"file": "cam\\b.jpg", "detections": [unsure | {"bbox": [0, 0, 1, 1]}, animal, animal | {"conf": 0.2}]},
            {
                "file": "cam/c.jpg",
                "width": 640,
                "height": 480,
                "detections": [animal],
                "datetime": "2021:05:01 10:00:00",
            },
            {"file": "cam/d.jpg", "detections": [animal | {"category": "2"}]},
            {"file": "cam/e.jpg", "detections": []},
            {"file": "cam/f.jpg", "failure": "Failure image access", "detections": None},
            {
                "file": "cam/g.mp4",
                "frame_rate": 20,
                "frames_processed": [0],
                "detections": [animal | {"frame_number": 0}],
            },
        ],
    }


@pytest.fixture
def card(tmp_path: Path, draw: Draw) -> Path:
    """The photos that have animals, 64 × 48 px; b.jpg is stored lying on its side."""
    for seed, name in enumerate("abc"):
        draw(tmp_path / f"card/cam/{name}.jpg", seed)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(tmp_path / "card/cam/b.jpg").save(tmp_path / "card/cam/b.jpg", exif=exif)
    saved(tmp_path / "card", results())
    return tmp_path / "card"


def saved(folder: Path, held: Any, name: str = "md.json") -> Path:
    (folder / name).write_text(held if isinstance(held, str) else json.dumps(held))
    return folder / name


def edited(card: Path, at: int = 0, **fields: Any) -> Path:
    """The results with fields of the first detection of a photo changed."""
    held = results()
    held["images"][at]["detections"][0].update(fields)
    return saved(card, held)


def refused(match: str, source: Path, layout: str | None = None) -> None:
    with pytest.raises(WhalereidError, match=match) as error:
        Catalogue.read(source, layout)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("by_path", [True, False])
def test_one_row_a_sure_animal(card: Path, by_path: bool) -> None:
    photos = Catalogue.read(card / "md.json" if by_path else card)
    assert photos.image_ids.tolist() == ["cam/a", "cam/b#2", "cam/b#3", "cam/c"]
    assert photos.column("path").tolist() == ["cam/a.jpg", "cam/b.jpg", "cam/b.jpg", "cam/c.jpg"]
    assert photos.column("bbox").tolist() == [
        (0, 12, 32, 24), (0, 16, 24, 32), (0, 16, 24, 32), (0, 120, 320, 240),
    ]  # fmt: skip
    assert photos.column("confidence").tolist() == [0.9, 0.9, 0.2, 0.9]
    assert photos.column("species").fillna("-").tolist() == ["bear", "-", "-", "-"]
    assert photos.column("width").tolist() == [64, 48, 48, 640]
    assert str(photos.dates()[3]) == "2021-05-01T10:00:00"
    assert photos.n_identities == 0
    assert all(path.is_file() for path in photos.paths)
    assert photos.notes == (
        "detections of animal from a confidence of 0.2 (min_conf) up",
        "left out: 2 photos without such a detection, 1 less sure detections, 1 detections of person, "
        "1 photos that failed, 1 videos (save frames of them as JPEG, and run MegaDetector on those)",
    )


def test_how_sure_and_of_what(card: Path) -> None:
    assert len(Catalogue.read(card, "megadetector:min_conf=0.05")) == 5
    assert Catalogue.read(card, "megadetector:min_conf=0.5").image_ids.tolist() == ["cam/a", "cam/b", "cam/c"]
    shutil.copy(card / "cam/a.jpg", card / "cam/d.jpg")
    assert len(Catalogue.read(card, "megadetector:categories=animal+person")) == 5
    refused(r"no detection is left to make a row of: .*; min_conf=1 may be too high", card, "megadetector:min_conf=1")
    for wrong in ("2", "-0.1", "nan"):
        refused("min_conf is .*; give a number from 0 to 1", card, f"megadetector:min_conf={wrong}")


def test_photos_elsewhere(card: Path, tmp_path: Path) -> None:
    path = Path(shutil.move(card / "md.json", tmp_path / "md.json"))
    assert Catalogue.read(path).root == tmp_path
    assert Catalogue.read(path).column("path")[0] == "card/cam/a.jpg"
    (tmp_path / "more").mkdir()
    path = Path(shutil.move(path, tmp_path / "more/md.json"))
    photos = Catalogue.read(path, f"megadetector:photos={card}")
    assert photos.root == card
    assert len(photos) == 4
    held = results()
    del held["images"][2]
    refused(
        r"no detection is left .*whose size can't be told \(.*a\.jpg: no such file\).*photos=FOLDER",
        saved(path.parent, held),
    )


def test_a_photo_that_is_not_there_is_left_out(card: Path) -> None:
    (card / "cam/a.jpg").unlink()
    (card / "cam/b.jpg").write_bytes(b"x")
    photos = Catalogue.read(card)
    assert photos.image_ids.tolist() == ["cam/c"]
    assert "2 photos whose size can't be told" in photos.notes[1]


def test_absolute_names(card: Path) -> None:
    held = results()
    held["images"][0]["file"] = str(card / "cam/a.jpg")
    assert Catalogue.read(saved(card, held)).column("path")[0] == "cam/a.jpg"
    held["images"][0]["file"] = "/etc/passwd"
    refused("the path '/etc/passwd' leaves", saved(card, held))
    held["images"][0]["file"] = "../card/cam/a.jpg"
    refused("leaves the table's folder", saved(card, held))


def test_the_list_of_photos_with_corners_in_pixels(card: Path) -> None:
    """https://microsoft.github.io/MegaDetector/output_format/."""
    held = [
        {"file": "cam/a.jpg", "detections": [{"category": "animal", "confidence": 0.93, "bbox": [10.5, 8, 40, 48]}]},
        {"file": "cam/b.jpg", "detections": [{"category": "person", "confidence": 0.8, "bbox": [1, 2, 3, 4]}]},
        {"file": "cam/c.jpg", "detections": []},
    ]
    photos = Catalogue.read(saved(card, held))
    assert photos.image_ids.tolist() == ["cam/a"]
    assert photos.column("bbox")[0] == (10.5, 8, 29.5, 40)
    held[0]["detections"][0]["bbox"] = [10, 8, 9, 48]  # type: ignore[index]
    refused(r"images\[0\]\.detections\[0\]\.bbox is .*two corners in pixels", saved(card, held))


def test_shares_that_leave_the_photo_by_rounding(card: Path) -> None:
    photos = Catalogue.read(edited(card, bbox=[-0.001, 0.5, 1.004, 0.5]))
    assert photos.column("bbox")[0] == (0, 24, 64, 24)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"bbox": [10, 20, 30, 40]},
            r"bbox is \[10, 20, 30, 40\]; it is \[x, y, width, height\] as shares of the photo",
        ),
        ({"bbox": [0, 0, 0, 1]}, "bbox"),
        ({"bbox": [0.5, 0.5, 1e-300, 1e-300]}, "bbox is"),
        ({"bbox": [0.6, 0, 0.5, 1]}, "bbox"),
        ({"bbox": [0, 0, 1]}, "bbox"),
        ({"bbox": [0, 0, 1, float("nan")]}, "bbox"),
        ({"bbox": [0, 0, 1, 10**400]}, "bbox"),
        ({"bbox": None}, "bbox is None"),
        ({"bbox": "0,0,1,1"}, "bbox"),
        ({"conf": 1.5}, r"conf is 1\.5; it is a finite number from 0 to 1"),
        ({"conf": "sure"}, "conf is 'sure'"),
        ({"conf": None}, "conf is None"),
        ({"conf": float("nan")}, "conf is nan"),
        ({"category": [1]}, "category is"),
        ({"classifications": [["3"], 7]}, None),
        ({"classifications": [7]}, r"classifications is \[7\]; it is a list of"),
        ({"classifications": "3"}, "classifications"),
        ({"classifications": [[]]}, "classifications"),
    ],
)
def test_what_is_broken_is_named_by_its_place(card: Path, fields: dict[str, Any], message: str | None) -> None:
    path = edited(card, **fields)
    if message is None:
        assert len(Catalogue.read(path)) == 4
    else:
        refused(rf"md\.json: images\[0\]\.detections\[0\]\.{message}", path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h["images"].append(7), r"is not MegaDetector's results: images\[7\] is 7, not an object"),
        (lambda h: h["images"][1].update(file=None), r"images\[1\]\.file is None"),
        (lambda h: h["images"][1].update(file="cam/a.jpg"), r"images\[1\]\.file is .*another photo than images\[0\]"),
        (lambda h: h["images"][1].update(detections=7), r"images\[1\]\.detections is 7; it is a list of objects"),
        (lambda h: h["images"][1].update(detections=[None]), r"images\[1\]\.detections\[0\] is None; it is an object"),
        (lambda h: h["images"][2].update(width="wide"), r"images\[2\]\.width is 'wide'"),
        (lambda h: h.update(images={"file": 1, "detections": 2}), "it has no list of 'images'"),
        (lambda h: h.update(detection_categories=[1]), r"detection_categories is \[1\]; it is an object"),
        (lambda h: h.update(classification_categories={"3": 3}), "classification_categories is"),
        (lambda h: h["images"].clear() or h.update(file=1, detections=2), "no detection is left to make a row of"),
    ],
)
def test_files_that_are_broken(card: Path, change: Callable[[Any], Any], message: str) -> None:
    held = results()
    change(held)
    refused(message, saved(card, held))


@pytest.mark.parametrize("text", ['[{"file": 1, "detections": ', '{"file":' * 9 + '{"detections":' + "[" * 99_999])
def test_files_that_are_cut_short(card: Path, text: str) -> None:
    refused("md.json: isn't MegaDetector's results", saved(card, text))


def test_a_table_and_annotations_come_before_results(card: Path) -> None:
    saved(card, {"images": [{"id": 1, "file_name": "cam/a.jpg"}], "annotations": []}, "labels.json")
    assert Catalogue.read(card).image_ids.tolist() == ["cam/a"]
    (card / "metadata.csv").write_text("image_id,path\nz,cam/a.jpg\n")
    assert Catalogue.read(card).image_ids.tolist() == ["z"]
    saved(card, results(), "other.json")
    refused(r"holds several files of results: md\.json, other\.json; give one by its path", card, "megadetector")
