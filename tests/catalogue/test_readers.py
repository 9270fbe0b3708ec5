from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from whalereid import catalogue
from whalereid.catalogue import LAYOUTS, Catalogue, Folder, FoundPhotos
from whalereid.errors import WhalereidError, WhalereidWarning
from whalereid.parts import READERS


def refused(match: str, source: object, layout: str | None = None) -> None:
    with pytest.raises(WhalereidError, match=match) as error:
        Catalogue.read(source, layout)
    assert "\n" not in str(error.value)


# ---------------------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_tables_as_spreadsheets_write_them(table: Callable[[str], Path], separator: str, mark: str) -> None:
    text = mark + 'image_id,path,whale_id,notes\na,a.jpg,Nanuq,"x"\nb,b.jpg,,\n'.replace(",", separator)
    photos = Catalogue.read(table(text))
    assert photos.columns == ["image_id", "path", "identity", "notes"]
    assert photos.identities == ("Nanuq",)
    assert photos.known("identity").tolist() == [True, False]


def test_an_animal_may_be_called_none(table: Callable[[str], Path]) -> None:
    assert Catalogue.read(table("image_id,path,identity\na,a,None\nb,b,null\n")).identities == ("None", "null")


def test_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"image_id": [1, 2], "path": ["a", "b"], "identity": ["x", None], "bbox": [[1, 2, 3, 4], None]}
    )
    frame.to_parquet(tmp_path / "photos.parquet")
    photos = Catalogue.read(tmp_path / "photos.parquet")
    assert photos.image_ids.tolist() == ["1", "2"]
    assert photos.column("bbox").iloc[0] == (1.0, 2.0, 3.0, 4.0)
    assert photos.root == tmp_path


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.parquet", "Metadata.CSV"])
def test_a_folder_with_a_table_called_metadata(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"image_id": ["a"], "path": ["images/a.jpg"]})
    frame.to_parquet(tmp_path / name) if name.endswith("parquet") else frame.to_csv(tmp_path / name)
    photos = Catalogue.read(tmp_path)
    assert photos.paths == (tmp_path / "images/a.jpg",)
    assert photos.source == str(tmp_path / name)


def test_tables_that_cannot_be_used(table: Callable[..., Path], tmp_path: Path) -> None:
    refused(r"photos\.csv: the file is empty", table(""))
    refused(r"photos\.csv: the table is empty", table("image_id,path\n"))
    refused(r"photos\.csv: no column path", table("image_id\na\n"))
    refused(r"photos\.csv, rows 1, 3: image_id 'a' is repeated", table("image_id,path\na,a\nb,b\na,c\n"))
    refused(r"photos\.csv, row 2: path is empty", table("image_id,path\na,a\nb,\n"))
    refused(
        r"photos\.csv: is not a CSV table \(Expected 2 fields in line 3, saw 3\)", table("image_id,path\na,a\nb,b,c\n")
    )
    refused(r"photos\.csv: rows have more values than", table("image_id,path\na,a,x\nb,b,c\n"))
    refused(r"photos\.csv: is not a CSV table \(EOF inside string", table('image_id,path\na,"a\n'))
    refused(r"nothing\.csv: no such file or folder", tmp_path / "nothing.csv")
    refused(r"photos\.xlsx: not an Excel workbook that can be read", table("PK", "photos.xlsx"))
    refused(
        r"photos\.ods: not a table that can be read; save it as \.csv, \.parquet or \.xlsx", table("PK", "photos.ods")
    )
    refused(r"photos\.zip: is an archive; unpack it", table("PK", "photos.zip"))
    refused(r"instances\.json: is no file of annotations that can be read", table("{}", "instances.json"))
    refused("can't be read", tmp_path / ("x" * 5000))
    refused(r"photos\.parquet: not a Parquet file", table("image_id,path\n", "photos.parquet"))
    refused(
        "photos.csv: no data set of layout 'coco' here; it needs annotations/", table("image_id,path\na,a\n"), "coco"
    )


def test_tables_in_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "photos.csv"
    path.write_bytes("image_id,path,identity\na,a,x\nb,b,Jürgen\n".encode("latin-1"))
    refused(r"photos\.csv, line 3: is not UTF-8; save it as 'CSV UTF-8'", path)
    path.write_text("image_id,path\na,a\n", encoding="utf-16")
    refused(r"photos\.csv: is UTF-16", path)
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    refused(r"photos\.csv: is not a CSV file", path)


def test_an_unknown_layout_lists_the_known(tmp_path: Path) -> None:
    refused(rf"layout is 'cocoo'; choose from {', '.join(LAYOUTS)}", tmp_path, "cocoo")


# ----------------------------------------------------------------------------------------------------- competition


def test_competition(competition: Path) -> None:
    photos = Catalogue.read(competition)
    assert photos.identities == ("whale001", "whale002")
    assert photos.column("encounter").tolist() == ["whale001-000"] * 2 + ["whale002-000"] * 2
    assert {"date", "timestamp"} <= set(photos.columns)
    first, second = photos.scenarios
    assert first.name == "scenario01"
    assert first.query_ids == ("scenario01-train0001",)
    assert first.query_images == ("train0001",)
    assert first.database_images == ("train0000", "train0001", "train0003")
    assert second.database_images == ()
    assert Catalogue.read(competition, "table").scenarios == ()
    assert Catalogue.read(competition / "metadata.csv").scenarios == ()


@pytest.mark.parametrize("layout", [None, "competition"])
def test_competition_inside_another_folder_and_in_capitals(competition: Path, layout: str | None) -> None:
    for part in ("queries", "databases"):
        (competition / part).rename(competition / part.upper())
    index = competition / "query_scenarios.csv"
    index.write_text(index.read_text().replace("queries/", "QUERIES/").replace("databases/", "DATABASES/"))
    index.rename(competition / "Query_Scenarios.csv")
    assert len(Catalogue.read(competition.parent, layout).scenarios) == 2


QUERIES, DATABASE, INDEX = "queries/scenario01.csv", "databases/scenario01.csv", "query_scenarios.csv"
PAIR, ONE, TRIPLE = "query_id,query_image_id\n", "database_image_id\n", "scenario_id,queries_path,database_path\n"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (QUERIES, PAIR + "q,x\n", r"row 1, column query_image_id: 'x' is not in .*metadata\.csv"),
        (QUERIES, PAIR + "q,train0000\nq,train0001\n", "row 2, column query_id: 'q' stands here a second time"),
        (QUERIES, PAIR + "q,\n", "row 1: query_image_id is empty"),
        (QUERIES, "query_id\nq\n", "no column query_image_id; it has query_id"),
        (DATABASE, ONE + "train0001\nx\n", r"row 2, column database_image_id: 'x' is not .*\(1 of 2 photos are not\)"),
        (DATABASE, ONE + "train0001\ntrain0001\n", "row 2, column database_image_id: .* a second time"),
        (INDEX, TRIPLE + "s,../queries.csv,d.csv\n", r"row 1: the path '\.\./queries\.csv' leaves"),
        (INDEX, TRIPLE + "s,queries/none.csv,d.csv\n", r"none\.csv: no such file"),
        (INDEX, "scenario_id,queries_path\ns,q.csv\n", "no column database_path"),
    ],
)
def test_scenarios_that_do_not_fit_name_file_and_row(competition: Path, file: str, text: str, message: str) -> None:
    (competition / file).write_text(text)
    refused(message, competition)


def test_competition_without_its_table(competition: Path) -> None:
    (competition / "metadata.csv").unlink()
    refused("no metadata.csv; if query_scenarios.csv is the table of photos", competition)
    refused("no data set of layout 'competition' here; it needs metadata.csv", competition, "competition")


@pytest.mark.shared
def test_the_real_tables(shared: Path) -> None:
    photos = Catalogue.read(shared / "data/whaledo")
    assert (len(photos), photos.n_identities) == (5902, 788)
    assert photos.counts("viewpoint").to_dict() == {"top": 5434, "left": 237, "right": 231}
    assert photos.column("encounter").nunique() == 1617
    assert not np.isnat(photos.dates()).any()
    assert [len(scenario.query_ids) for scenario in photos.scenarios] == [5, 5]
    assert len(Catalogue.read(shared / "golden/ranking").scenarios) == 5
    refused("holds several data sets: .*holstein \\(table\\), nyala \\(table\\), whaledo", shared / "data")


# ------------------------------------------------------------------------------------------------------------ LILA


@pytest.mark.parametrize("around", [0, 1, 2])
def test_coco(coco: Path, tmp_path: Path, around: int) -> None:
    source = coco
    if around:
        source = tmp_path / "around" / ("more" if around == 2 else "")
        source.mkdir(parents=True)
        shutil.move(str(coco), source)
        source = tmp_path / "around"
    photos = Catalogue.read(source)
    assert photos.image_ids.tolist() == ["train0000", "train0001", "train0002"]
    assert photos.column("path").iloc[1] == "images/train2022/000000000002_1.jpg"
    assert all(path.is_file() for path in photos.paths)
    assert photos.column("identity").fillna("-").tolist() == ["whale001", "-", "whale001"]
    assert set(photos.column("viewpoint")) == {"top"}
    assert set(photos.column("species")) == {"beluga_whale"}
    assert photos.known("date").tolist() == [True, False, False]
    assert "segmentation" not in photos.columns
    assert "encounter" not in photos.columns


def edited(coco: Path, edit: Callable[[Any], Any]) -> Path:
    path = coco / "annotations/instances_train2022.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(edit(content) or content))
    return coco


def test_coco_of_another_animal(coco: Path) -> None:
    def edit(content: Any) -> None:
        for number, photo in enumerate(content["images"]):
            photo.update(file_name=f"leopard/{number:06d}.jpg", height=48, width=64)
        content["annotations"][1].update(image_id=1, bbox=[1, 2, 30, 40])

    photos = Catalogue.read(edited(coco, edit))
    assert photos.image_ids.tolist() == ["leopard/000000#0", "leopard/000000#1", "leopard/000001", "leopard/000002"]
    assert photos.column("bbox").iloc[1] == (1.0, 2.0, 30.0, 40.0)
    assert photos.known("bbox").tolist() == [False, True, False, False]
    assert photos.known("identity").tolist() == [True, False, False, True]
    assert photos.column("height").tolist() == [48] * 4


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: [1], "isn't COCO annotations"),
        (lambda c: c.pop("annotations") and None, "is not COCO: it has no list of 'annotations'"),
        (
            lambda c: c["images"][0].pop("file_name") and None,
            r"images\[0\] has no 'file_name'; it is a whole number or text",
        ),
        (lambda c: c["annotations"][1].update(image_id=[1]), r"annotations\[1\]\.image_id is \[1\]; it is"),
        (
            lambda c: c["annotations"][1].update(image_id=99),
            r"annotations\[1\]\.image_id is 99; it is the id of one of the images",
        ),
        (lambda c: c["images"][1].update(id=1), r"images\[1\]\.id is 1; it is .*two images have the same"),
        (lambda c: c["images"].clear() or c["annotations"].clear(), "the table is empty"),
    ],
)
def test_coco_that_is_none(coco: Path, edit: Callable[[Any], Any], message: str) -> None:
    (coco / "annotations/instances_test2022.json").unlink()
    refused(message, edited(coco, edit))


def test_coco_that_is_not_json(coco: Path) -> None:
    (coco / "annotations/instances_train2022.json").write_text('{"images": [')
    refused(r"instances_train2022\.json: isn't COCO annotations", coco)
    (coco / "images").rename(coco / "pictures")
    refused("holds annotations but no images/", coco)


def test_coco_cannot_lead_out_of_its_folder(coco: Path) -> None:
    for name in ("../../../x.jpg", "/etc/passwd"):
        photos = Catalogue.read(edited(coco, lambda c, name=name: c["images"][0].update(file_name=name)))
        with pytest.raises(WhalereidError, match="leaves the table's folder"):
            _ = photos.paths


def test_lila_test(lila_test: Path) -> None:
    photos = Catalogue.read(lila_test)
    assert photos.image_ids.tolist() == ["test0000", "test0001", "test0007"]
    assert photos.column("identity").tolist() == ["whale012", "whale012", "99"]
    assert all(path.is_file() for path in photos.paths)
    (scenario,) = photos.scenarios
    assert scenario.query_ids == ("scenario01-test0000", "scenario01-test0007")
    assert scenario.database_images == ("test0000", "test0001", "test0007")
    assert len(Catalogue.read(lila_test.parent)) == 3


def test_lila_both_archives_side_by_side(lila_test: Path, coco: Path) -> None:
    there = lila_test.parent
    refused(r"holds several data sets: beluga-id-test \(lila-test\), beluga\.coco \(coco\)", there)
    assert Catalogue.read(there, "coco").image_ids[0] == "train0000"
    assert Catalogue.read(there, "lila-test").image_ids[0] == "test0000"


def test_lila_test_without_training_names(lila_test: Path) -> None:
    (lila_test / "private_train_metadata.csv").unlink()
    assert Catalogue.read(lila_test).identities == ("31", "99")


def test_lila_test_keeps_animals_apart(lila_test: Path) -> None:
    train = lila_test / "private_train_metadata.csv"
    train.write_text("original_whale_id,whale_id\n31,99\n")  # the test set's 99 is another animal
    assert Catalogue.read(lila_test).identities == ("99", "original_99")
    train.write_text("original_whale_id,whale_id\n31,a\n31,b\n")
    refused("original_whale_id '31' goes by two names", lila_test)


def test_lila_test_rows_that_differ_are_no_repeats(lila_test: Path) -> None:
    path = lila_test / "private_test_metadata.csv"
    path.write_text(path.read_text() + "test0007,images/test0007.jpg,48,64,left,2018-06-01,2018-06-01 10:00:00,7,99\n")
    refused(r"private_test_metadata\.csv, rows 3, 4: image_id 'test0007' is repeated", lila_test)


def test_lila_test_that_is_incomplete(lila_test: Path) -> None:
    (lila_test / "code-execution/queries/scenario01.csv").unlink()
    refused(r"scenario01\.csv is in one of queries/ and databases/ only", lila_test)
    shutil.rmtree(lila_test / "code-execution")
    refused("it needs private_test_metadata.csv and code-execution/", lila_test)


# -------------------------------------------------------------------------------------------------------- wildlife


@dataclass
class Macaques:
    metadata: Any
    root: Any


@pytest.mark.parametrize("layout", [None, "wildlife"])
def test_wildlife_datasets(tmp_path: Path, layout: str | None) -> None:
    metadata = pd.DataFrame(
        {
            "image_id": [10, 11],
            "identity": ["unknown", "Bob"],
            "path": ["a/1.jpg", "a/2.jpg"],
            "orientation": ["up", np.nan],
            "bbox": [[1.0, 2.0, 3.0, 4.0], np.nan],
            "date": ["2017-08-07", np.nan],
            "video": [1, 2],
        },
        index=[5, 9],
    )
    photos = Catalogue.read(Macaques(metadata, str(tmp_path)), layout)
    assert photos.image_ids.tolist() == ["10", "11"]
    assert photos.identities == ("Bob",)
    assert photos.column("viewpoint").iloc[0] == "top"
    assert photos.column("bbox").iloc[0] == (1.0, 2.0, 3.0, 4.0)
    assert photos.column("video").tolist() == [1, 2]
    assert photos.paths[0] == tmp_path / "a/1.jpg"
    assert metadata.columns[3] == "orientation"


def test_objects_that_are_no_catalogue(tmp_path: Path) -> None:
    refused("source is 5; give a path, or an object with", 5)
    refused("the Macaques's metadata is {.*; give a DataFrame", Macaques({"year": 2015}, tmp_path))
    refused(
        "the Macaques: no data set of layout 'coco' here; it needs annotations/",
        Macaques(pd.DataFrame(), tmp_path),
        "coco",
    )
    refused(
        "no data set of layout 'wildlife' here; it needs an object with .metadata and .root, not a path",
        tmp_path,
        "wildlife",
    )
    refused("Macaques at .*: the table is empty", Macaques(pd.DataFrame({"image_id": [], "path": []}), tmp_path))


# ----------------------------------------------------------------------------------------- what was taken for what


@pytest.mark.parametrize(
    "field", ["identity", "individual", "individual_id", "animal_id", "individualID", "Individual ID"]
)
def test_coco_identities_by_any_name(coco: Path, field: str) -> None:
    def edit(content: Any) -> None:
        for number, animal in enumerate(content["annotations"]):
            del animal["name"]
            animal[field] = 7 + number

    (coco / "annotations/instances_test2022.json").unlink()
    photos = Catalogue.read(edited(coco, edit))
    assert photos.n_identities == len({*photos.column("identity").dropna()}) > 0
    assert photos.notes == (f"identities were taken from the annotations' {field!r}",)


def test_coco_names_the_fields_left_aside(coco: Path) -> None:
    photos = Catalogue.read(edited(coco, lambda c: [a.update(animal_id=3) for a in c["annotations"]] and None))
    assert photos.identities == ("whale001",)
    assert photos.notes[1] == "left aside, though they may name animals, too: the annotations' 'animal_id'"


# ------------------------------------------------------------------------------------------- readers of other people


class Sightings:
    """What a stranger writes: photos named in sightings.txt, one a line."""

    wanted = "it needs sightings.txt"

    def __init__(self, suffix: str = ".jpg") -> None:
        self.suffix = suffix

    def recognises(self, source: Any) -> bool:
        return isinstance(source, Folder) and source.file("sightings.txt") is not None

    def read(self, source: Folder) -> FoundPhotos:
        names = (source.path / "sightings.txt").read_text().split()
        frame = pd.DataFrame({"image_id": names, "path": [name + self.suffix for name in names]})
        return FoundPhotos(frame, source.path, str(source), notes=("read from sightings",))


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that a script adds; gone afterwards."""
    monkeypatch.setattr(READERS, "_added", {})
    READERS.add("sightings")(Sightings)


@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize("layout", [None, "sightings", "sightings:suffix=.png"])
@pytest.mark.parametrize("inside", [".", "unpacked"])
def test_a_strangers_reader_is_found_by_name_and_by_itself(tmp_path: Path, layout: str | None, inside: str) -> None:
    (tmp_path / inside).mkdir(exist_ok=True)
    (tmp_path / inside / "sightings.txt").write_text("a b")
    (tmp_path / inside / "metadata.csv").write_text("image_id,path\nz,z\n")  # the stranger's is asked first
    photos = Catalogue.read(tmp_path, layout)
    assert photos.image_ids.tolist() == ["a", "b"]
    assert photos.paths[0].suffix == (".png" if layout and ":" in layout else ".jpg")
    assert photos.notes == ("read from sightings",)
    assert "sightings" in catalogue.LAYOUTS


@pytest.mark.usefixtures("strangers")
def test_a_strangers_reader_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused("no data set of layout 'sightings' here; it needs sightings.txt", tmp_path, "sightings")
    refused("layout 'sightings' has no option 'sufix'; it has suffix", tmp_path, "sightings:sufix=.png")
    (tmp_path / "sightings.txt").write_text("")
    refused("the table is empty", tmp_path)
    monkeypatch.setattr(Sightings, "read", lambda self, source: pd.DataFrame())
    refused("what layout 'sightings' read is a DataFrame; give a FoundPhotos", tmp_path)
    monkeypatch.setattr(Sightings, "recognises", lambda self, source: source.no_such_thing)
    refused("the reader of layout 'sightings', which isn't the library's own, failed here .AttributeError", tmp_path)


def test_a_package_that_cannot_be_imported_is_passed_over(table: Callable[..., Path]) -> None:
    broken = EntryPoint("broken", "no_such_package_at_all:Reader", "whalereid.readers")
    path = table("image_id,path\na,a\n")
    with mock.patch("importlib.metadata.entry_points", lambda group: [broken] if group == broken.group else []):
        with pytest.warns(WhalereidWarning, match="layout 'broken' comes from no_such_package_at_all:Reader"):
            assert Catalogue.read(path).image_ids.tolist() == ["a"]
        refused("layout 'broken' comes from", path, "broken")


def test_the_order_of_recognition_is_that_of_the_one_table() -> None:
    asked = (
        "lila-test",
        "coco",
        "camtrap-dp",
        "competition",
        "happywhale",
        "wildbook",
        "table",
        "megadetector",
        "wildlife",
        "photos",
        "folders",
    )
    assert tuple(READERS.own) == catalogue.LAYOUTS[-len(asked) :] == asked
