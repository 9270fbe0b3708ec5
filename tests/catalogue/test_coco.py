"""COCO annotations as tools export them: any file, any field, boxes and masks; and files that are broken."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError

Draw = Callable[..., Path]
POLYGON = [[10, 10, 40, 12, 30, 40]]


def content(**fields: Any) -> dict[str, Any]:
    """Two photos, three animals: Anna and Berta in a.jpg, Anna in b.jpg."""
    images = [
        {"id": 7, "file_name": "a.jpg", "width": 64, "height": 48, "date_captured": "2021-05-01 10:00:00"},
        {"id": "x", "file_name": "b.jpg", "width": 64, "height": 48, "location": "creek", "latitude": 58.5},
    ]
    annotations: list[dict[str, Any]] = [
        {"id": 11, "image_id": 7, "category_id": 1, "individual_id": "Anna", "bbox": [1, 2, 30, 40], "sex": "female"},
        {"id": 12, "image_id": 7, "category_id": 2, "individual_id": "Berta", "bbox": [31, 2, 30, 40], "iscrowd": 0},
        {"id": 13, "image_id": "x", "category_id": 1, "individual_id": "Anna", "bbox": [0, 0, 20, 20]},
    ]
    categories = [{"id": 1, "name": "nyala"}, {"id": 2, "name": "animal"}]
    return {"info": {}, "images": images, "annotations": annotations, "categories": categories, **fields}


def saved(folder: Path, held: Any = None, name: str = "labels.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(held if isinstance(held, str) else json.dumps(content() if held is None else held))
    return folder / name


def with_photos(folder: Path, draw: Draw, within: str = "") -> Path:
    for seed, name in enumerate(("a.jpg", "b.jpg")):
        draw(folder / within / name, seed)
    return folder


def edited(folder: Path, **changes: dict[str, Any]) -> Path:
    """The file with fields of its annotations changed, by their place: `a1={"bbox": ...}`."""
    held = content()
    for place, fields in changes.items():
        held["annotations" if place[0] == "a" else "images"][int(place[1:])].update(fields)
    return saved(folder, held)


def refused(match: str, source: Path, layout: str | None = None) -> None:
    with pytest.raises(WhalereidError, match=match) as error:
        Catalogue.read(source, layout)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("by_path", [True, False])
@pytest.mark.parametrize("within", ["", "images", "photos", "images/summer"])
def test_one_row_an_animal_wherever_the_photos_lie(tmp_path: Path, draw: Draw, within: str, by_path: bool) -> None:
    path = saved(with_photos(tmp_path / "herd", draw, within))
    photos = Catalogue.read(path if by_path else path.parent)
    assert photos.image_ids.tolist() == ["a#11", "a#12", "b"]
    assert photos.identities == ("Anna", "Berta")
    assert photos.root == tmp_path / "herd"
    assert all(photo.is_file() for photo in photos.paths)
    assert photos.column("bbox").iloc[1] == (31.0, 2.0, 30.0, 40.0)
    assert photos.column("species").fillna("-").tolist() == ["nyala", "-", "nyala"]
    assert photos.column("date").iloc[0] == "2021-05-01 10:00:00"
    assert photos.column("location").tolist()[2:] == ["creek"]
    assert photos.column("sex").fillna("-").tolist() == ["female", "-", "-"]
    assert photos.column("latitude").tolist()[2:] == [58.5]
    assert photos.notes == ("identities were taken from the annotations' 'individual_id'",)
    assert not {"id", "area", "iscrowd", "category_id", "license"} & set(photos.columns)


def test_photos_elsewhere(tmp_path: Path, draw: Draw) -> None:
    path = saved(tmp_path / "labels")
    with_photos(tmp_path / "card", draw)
    found = Catalogue.read(path)
    assert f"none of the photos is in {path.parent}; photos=FOLDER says where they lie" in found.notes
    photos = Catalogue.read(path, f"coco:photos={tmp_path / 'card'}")
    assert photos.root == tmp_path / "card"
    assert all(photo.is_file() for photo in photos.paths)
    refused("photos is '.*nowhere': no such folder", path, f"coco:photos={tmp_path / 'nowhere'}")


def test_absolute_names_inside_the_folder_are_made_relative(tmp_path: Path, draw: Draw) -> None:
    with_photos(tmp_path, draw)
    path = edited(tmp_path, i0={"file_name": str(tmp_path / "a.jpg")}, i1={"file_name": "..\\b.jpg"})
    photos = Catalogue.read(path)
    assert photos.column("path").tolist() == ["a.jpg", "a.jpg", "../b.jpg"]
    with pytest.raises(WhalereidError, match="leaves the table's folder"):
        _ = photos.paths


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("individual_id", ("Anna", "Berta")),
        ("sex", ("female",)),
        ("category_id", ("animal", "nyala")),
        ("location", ("creek",)),
        ("tag", ("7", "8")),
    ],
)
def test_the_field_that_names_the_animal(tmp_path: Path, field: str, names: tuple[str, ...]) -> None:
    path = edited(tmp_path, a0={"attributes": {"tag": 7}}, a2={"attributes": {"tag": 8.0, "occluded": False}})
    photos = Catalogue.read(path, f"coco:identity={field}")
    assert photos.identities == names
    assert ("species" in photos.columns) is (field != "category_id")


def test_a_field_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    refused(
        "no annotation and no image has a field 'name'.*category_id, individual_id",
        saved(tmp_path),
        "coco:identity=name",
    )


def test_nobody_named(tmp_path: Path) -> None:
    held = content()
    for animal in held["annotations"]:
        del animal["individual_id"]
    photos = Catalogue.read(saved(tmp_path, held))
    assert photos.n_identities == 0
    assert photos.notes[0] == (
        "nobody is named; identity=FIELD says which field of category_id, sex, date_captured, location does"
    )


def test_masks(tmp_path: Path) -> None:
    lengths = {"size": [48, 64], "counts": [0, 64 * 48]}
    box = [[31, 2, 61, 2, 61, 42, 31, 42]]
    path = edited(tmp_path, a0={"segmentation": POLYGON}, a1={"segmentation": box}, a2={"segmentation": lengths})
    masks = Catalogue.read(path).column("mask")
    assert json.loads(masks[0]) == POLYGON
    assert masks.isna().tolist() == [False, True, False]
    assert json.loads(masks[2]) == lengths


def test_boxes_of_outlines(tmp_path: Path) -> None:
    whole = [[0, 0, 64, 0, 64, 48, 0, 48, 0, 0]]
    part = [[0, 0, 0, 48, 9, 48, 9, 0]]
    path = edited(
        tmp_path,
        a0={"bbox": None, "segmentation": POLYGON},
        a1={"bbox": [], "segmentation": whole},
        a2={"bbox": None, "segmentation": part},
    )
    photos = Catalogue.read(path)
    assert photos.column("bbox").tolist()[0] == (10.0, 10.0, 30.0, 30.0)
    assert photos.known("bbox").tolist() == [True, False, True]
    assert photos.known("mask").tolist() == [True, False, False]


def test_a_bow_tie_is_no_rectangle(tmp_path: Path) -> None:
    photos = Catalogue.read(edited(tmp_path, a0={"segmentation": [[0, 0, 9, 9, 9, 0, 0, 9]]}))
    assert photos.known("mask").tolist() == [True, False, False]


def test_crowds_that_name_nobody_are_left_out(tmp_path: Path) -> None:
    nobody = {"individual_id": None, "iscrowd": 1}
    photos = Catalogue.read(edited(tmp_path, a0=nobody, a1={"iscrowd": 1}, a2=nobody))
    assert photos.image_ids.tolist() == ["a"]
    assert photos.identities == ("Berta",)
    assert "annotations of crowds (iscrowd) that name nobody, left out: 2" in photos.notes


def test_photos_without_annotations_are_said(tmp_path: Path) -> None:
    held = content()
    del held["annotations"][2]
    photos = Catalogue.read(saved(tmp_path, held))
    assert photos.image_ids.tolist() == ["a#11", "a#12", "b"]
    assert photos.known("identity").tolist() == [True, True, False]
    assert "photos without annotations, kept as nobody's: 1" in photos.notes


@pytest.mark.parametrize("ids", [[5, 5, 6], [None, 1, 2], [1.5, 2, 3], [[], 2, 3], ["", 2, 3], [True, 2, 3]])
def test_annotations_without_ids_of_their_own_are_counted(tmp_path: Path, ids: list[Any]) -> None:
    path = edited(tmp_path, **{f"a{at}": {"id": own} for at, own in enumerate(ids)})
    assert Catalogue.read(path).image_ids.tolist() == ["a#1", "a#2", "b"]


def test_names_that_differ_in_their_suffix_alone(tmp_path: Path) -> None:
    assert Catalogue.read(edited(tmp_path, i1={"file_name": "a.png"})).image_ids.tolist() == [
        "a.jpg#11", "a.jpg#12", "a.png",
    ]  # fmt: skip


def test_sequences_of_camera_traps_are_encounters(tmp_path: Path) -> None:
    path = edited(tmp_path, i0={"seq_id": "s1", "datetime": "x"}, i1={"seq_id": 2, "datetime": "2020-01-02 03:04:05"})
    photos = Catalogue.read(path)
    assert photos.column("encounter").tolist() == ["s1", "s1", "2"]
    assert photos.column("date").tolist()[1:] == ["2021-05-01 10:00:00", "2020-01-02 03:04:05"]
    assert "encounters were taken from the images' 'seq_id'" in photos.notes


def test_fields_never_stand_in_for_what_they_are_not(tmp_path: Path) -> None:
    path = edited(
        tmp_path, a0={"path": "/etc/passwd", "label": "nyala", "height": 3, "viewpoint": "up"}, i0={"path": "x"}
    )
    photos = Catalogue.read(path, "coco:identity=sex")
    assert photos.column("path").tolist() == ["a.jpg", "a.jpg", "b.jpg"]
    assert photos.column("height").tolist() == [48] * 3
    assert "label" not in photos.columns
    assert photos.column("viewpoint").tolist()[0] == "top"


def test_fields_that_are_data_make_no_columns(tmp_path: Path) -> None:
    photos = Catalogue.read(edited(tmp_path, a0={f"f{n}": n for n in range(300)}))
    assert len(photos.columns) < 120
    assert "of the records' further fields, the first 100 became columns" in photos.notes


def test_columns_of_mixed_kinds_can_be_written(tmp_path: Path) -> None:
    path = edited(tmp_path, a0={"age": 3, "n": 10**30, "ok": True}, a1={"age": "old", "n": 1, "ok": 1}, a2={"n": [1]})
    photos = Catalogue.read(path)
    photos.write(tmp_path / "table.parquet")
    assert Catalogue.read(tmp_path / "table.parquet").column("age").tolist()[:2] == ["3", "old"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"a1": {"bbox": [1, 2, 3]}},
            r"annotations\[1\]\.bbox is \[1, 2, 3\]; it is \[x, y, width, height\] in pixels",
        ),
        ({"a1": {"bbox": [1, 2, 0, 3]}}, r"annotations\[1\]\.bbox"),
        ({"a1": {"bbox": [1, 2, -5, 3]}}, r"annotations\[1\]\.bbox"),
        ({"a1": {"bbox": [1, 2, float("nan"), 3]}}, r"annotations\[1\]\.bbox"),
        ({"a1": {"bbox": [1, 2, float("inf"), 3]}}, r"annotations\[1\]\.bbox"),
        ({"a1": {"bbox": [1, 2, 10**400, 3]}}, r"annotations\[1\]\.bbox"),
        ({"a1": {"bbox": "1,2,3,4"}}, r"annotations\[1\]\.bbox"),
        ({"a1": {"bbox": {"x": 1}}}, r"annotations\[1\]\.bbox"),
        ({"a1": {"bbox": [True, 1, 2, 3]}}, r"annotations\[1\]\.bbox"),
        ({"a2": {"segmentation": [[1, 2, 3, 4]]}}, r"annotations\[2\]\.segmentation is .*; it is a list of polygons"),
        ({"a2": {"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}}, r"annotations\[2\]\.segmentation"),
        ({"a2": {"segmentation": [[1, 2, 3, 4, 5, None]]}}, r"annotations\[2\]\.segmentation"),
        ({"a2": {"segmentation": [[1, 2, 3, 4, 5, float("inf")]]}}, r"annotations\[2\]\.segmentation"),
        ({"a2": {"segmentation": [[1, 2, 3, 4, 5, 10**400]]}}, r"annotations\[2\]\.segmentation"),
        ({"a2": {"segmentation": [[1, 2, 1, 4, 1, 6]]}}, r"annotations\[2\]\.segmentation .*with an area"),
        ({"a2": {"segmentation": [1, 2, 3, 4, 5, 6]}}, r"annotations\[2\]\.segmentation"),
        ({"a2": {"segmentation": {"size": [48, 64], "counts": [1, 2]}}}, r"annotations\[2\]\.segmentation"),
        ({"a2": {"segmentation": {"size": [48, -64], "counts": "ab"}}}, r"annotations\[2\]\.segmentation"),
        ({"a2": {"segmentation": {"counts": "ab"}}}, r"annotations\[2\]\.segmentation"),
        ({"a2": {"segmentation": "ab"}}, r"annotations\[2\]\.segmentation"),
        ({"a0": {"individual_id": ["Anna"]}}, r"annotations\[0\]\.individual_id is \['Anna'\]; it is text or a whole"),
        ({"a0": {"individual_id": 1.5}}, r"annotations\[0\]\.individual_id is 1\.5"),
        ({"a0": {"image_id": None}}, r"annotations\[0\]\.image_id is None"),
        ({"a0": {"viewpoint": 1.5}}, r"annotations\[0\]\.viewpoint"),
        ({"i1": {"file_name": " "}}, r"images\[1\]\.file_name"),
        (
            {"i1": {"file_name": "a.jpg"}},
            r"images\[1\]\.file_name is 'a.jpg'; it is the name of another photo than images",
        ),
        ({"i1": {"id": "7"}, "a2": {"image_id": "y"}}, r"annotations\[2\]\.image_id is 'y'"),
        ({"i1": {"id": True}}, r"images\[1\]\.id is True"),
        ({"i1": {"height": "tall"}}, r"images\[1\]\.height is 'tall'; it is a finite number from 1"),
        ({"i1": {"width": -4}}, r"images\[1\]\.width"),
        ({"i0": {"date_captured": {"year": 2021}}}, r"images\[0\]\.date_captured"),
    ],
)
def test_what_is_broken_is_named_by_its_place(tmp_path: Path, changes: Any, message: str) -> None:
    refused(rf"labels\.json: {message}", edited(tmp_path, **changes))


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (json.dumps(content())[:-40], "isn't COCO annotations .it can't be read as JSON"),
        ('{"images": [], "annotations": ' + "[" * 100_000, "isn't COCO annotations .it is nested too deep"),
        ('{"images": {}, "annotations": []}', "is not COCO: it has no list of 'images'"),
        ('{"images": [], "annotations": [[]]}', r"is not COCO: annotations\[0\] is \[\], not an object"),
        ('{"images": [], "annotations": [], "categories": 7}', "is not COCO: it has no list of 'categories'"),
        ('{"images": [], "annotations": []}', "the table is empty"),
        ('[{"images": 1, "annotations": 2}]', "isn't COCO annotations .it holds no JSON object"),
        ('{"images": [{"a": "\\ud800"}], "annotations": []}', "isn't COCO annotations .its text isn't UTF-8"),
        ("not JSON", "is no file of annotations that can be read"),
        ("", "is no file of annotations that can be read"),
    ],
)
def test_files_that_are_no_coco(tmp_path: Path, held: str, message: str) -> None:
    refused(rf"labels\.json: {message}", saved(tmp_path, held))


def test_names_of_control_characters_are_shown_escaped(tmp_path: Path) -> None:
    refused(r"'a\\x1b\[2J'", edited(tmp_path, a0={"image_id": "a\x1b[2J"}))


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path)
    monkeypatch.setenv("WHALEREID_MAX_FILE_GB", "0.0000001")
    refused("takes 0.0 GB; such files are read up to 1e-07 GB", path, "coco")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labels.json")
    refused("is no file of annotations that can be read", tmp_path / "labels.json")
    refused("holds no data set", tmp_path)


def test_a_table_comes_before_annotations_beside_it(tmp_path: Path, draw: Draw) -> None:
    saved(with_photos(tmp_path, draw))
    (tmp_path / "metadata.csv").write_text("image_id,path\nz,a.jpg\n")
    assert Catalogue.read(tmp_path).image_ids.tolist() == ["z"]
    assert Catalogue.read(tmp_path / "labels.json").image_ids.tolist() == ["a#11", "a#12", "b"]


def test_several_files_of_annotations(tmp_path: Path, draw: Draw) -> None:
    path = saved(with_photos(tmp_path, draw))
    saved(tmp_path, {"config": 1}, "other.json")
    assert len(Catalogue.read(tmp_path)) == 3
    shutil.copy(path, tmp_path / "more.json")
    refused(r"holds several files of annotations: labels\.json, more\.json; give one by its path", tmp_path)


def test_parts_in_annotations(tmp_path: Path, draw: Draw) -> None:
    for part in ("train", "val"):
        held = content()
        held["images"][0]["file_name"] = f"{part}.jpg"
        held["images"][1]["file_name"] = "b.jpg"
        saved(tmp_path / "annotations", held, f"{part}.json")
        draw(tmp_path / f"images/{part}/{part}.jpg")
        draw(tmp_path / f"images/{part}/b.jpg")
    photos = Catalogue.read(tmp_path)
    assert photos.image_ids.tolist() == [
        "train#11", "train#12", "images/train/b.jpg", "val#11", "val#12", "images/val/b.jpg",
    ]  # fmt: skip
    assert all(path.is_file() for path in photos.paths)
    one = Catalogue.read(tmp_path / "annotations/val.json")
    assert one.image_ids.tolist() == ["val#11", "val#12", "b"]
    assert one.paths == photos[3:].paths


def test_sidecars_of_photos_are_no_annotations(tmp_path: Path, draw: Draw) -> None:
    for name in ("a", "b"):
        draw(tmp_path / f"Anna/{name}.jpg")
        (tmp_path / f"Anna/{name}.jpg.json").write_text('{"title": "a"}')
    assert Catalogue.read(tmp_path).identities == ("Anna",)


def test_large_files_take_linear_time(tmp_path: Path) -> None:
    n = 20_000
    images = [{"id": at, "file_name": f"{at:06d}.jpg", "width": 640, "height": 480} for at in range(n)]
    annotations = [
        {
            "id": at,
            "image_id": at % n,
            "name": f"w{at % 99}",
            "bbox": [0, 0, 9, 9],
            "segmentation": POLYGON,
            "category_id": 1,
        }
        for at in range(2 * n)
    ]
    path = saved(tmp_path, {"images": images, "annotations": annotations})
    began = time.process_time()
    assert len(Catalogue.read(path)) == 2 * n
    assert time.process_time() - began < 15
