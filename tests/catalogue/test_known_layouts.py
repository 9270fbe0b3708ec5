"""Layouts by their makers' names: Kaggle's Happywhale, Wildbook's spreadsheets, wildlife-datasets' tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue, import_catalogue
from whalereid.errors import WhalereidError


def refused(match: str, source: object, layout: str | None = None) -> None:
    with pytest.raises(WhalereidError, match=match) as error:
        Catalogue.read(source, layout)
    assert "\n" not in str(error.value)


def photos_in(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


# ---------------------------------------------------------------------------------------------------- Happywhale

DOLPHINS = "image,species,individual_id\n0a.jpg,humpback_whale,cadddb1636b9\n0b.jpg,beluga,1a71fbb72250\n"
HUMPBACKS = "Image,Id\n0a.jpg,w_f48451c\n0b.jpg,new_whale\n0c.jpg,w_f48451c\n"


@pytest.fixture
def happywhale(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a competition's folder: `happywhale(text, folder)`."""

    def write(text: str, folder: str) -> Path:
        (tmp_path / "kaggle").mkdir()
        (tmp_path / "kaggle/train.csv").write_text(text)
        (tmp_path / "kaggle/sample_submission.csv").write_text("image,predictions\n0d.jpg,x\n")
        return photos_in(tmp_path / "kaggle", f"{folder}/0a.jpg", f"{folder}/0b.jpg", f"{folder}/0c.jpg", "test/0d.jpg")

    return write


@pytest.mark.parametrize("layout", [None, "happywhale"])
@pytest.mark.parametrize("give", ["", "train.csv"])
def test_whales_and_dolphins(happywhale: Callable[[str, str], Path], layout: str | None, give: str) -> None:
    photos = Catalogue.read(happywhale(DOLPHINS, "train_images") / give, layout)
    assert photos.frame.to_dict("list") == {
        "image_id": ["0a.jpg", "0b.jpg"],
        "path": ["train_images/0a.jpg", "train_images/0b.jpg"],
        "identity": ["cadddb1636b9", "1a71fbb72250"],
        "species": ["humpback_whale", "beluga"],
    }
    assert all(path.is_file() for path in photos.paths)


def test_humpbacks_of_whom_some_are_new(happywhale: Callable[[str, str], Path]) -> None:
    photos = Catalogue.read(happywhale(HUMPBACKS, "train"))
    assert photos.known("identity").tolist() == [True, False, True]
    assert photos.notes == ("1 photos called new_whale were taken as nobody's",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,species,individual_id\n0a.jpg,beluga,x\n,beluga,y\n", "train.csv, row 2: image is empty"),
        ("image,species,individual_id\n0a.jpg,beluga,x\n0a.jpg,beluga,y\n", "rows 1, 2: image_id '0a.jpg' is repeated"),
        ("image,species,individual_id\n", "the table is empty"),
        ('image,species,individual_id\n0a.jpg,beluga,"x\n', "is not a CSV table"),
        ("image,species,individual_id\n0a.jpg,beluga,x\0\n", "NUL|binary"),
    ],
)
def test_competitions_tables_that_cannot_be_used(
    happywhale: Callable[[str, str], Path], text: str, message: str
) -> None:
    refused(message, happywhale(text, "train_images"))


def test_competitions_photos_that_are_elsewhere(happywhale: Callable[[str, str], Path], tmp_path: Path) -> None:
    root = happywhale(DOLPHINS, "train_images")
    (root / "train_images").rename(tmp_path / "disk")
    refused("holds train.csv, but no train_images/; photos=FOLDER says where its photos lie", root)
    photos = Catalogue.read(root, f"happywhale:photos={tmp_path / 'disk'}")
    assert all(path.is_file() for path in photos.paths)
    refused("photos is .*nowhere.*: no such folder", root, "happywhale:photos=nowhere")
    (root / "train.csv").write_text(DOLPHINS.replace("0a.jpg", "../../0a.jpg"))
    with pytest.raises(WhalereidError, match="leaves the table's folder"):
        _ = Catalogue.read(root, f"happywhale:photos={tmp_path / 'disk'}").paths


def test_another_train_csv_is_none_of_kaggles(happywhale: Callable[[str, str], Path]) -> None:
    root = happywhale("image_id,path,identity\na,train/0a.jpg,x\n", "train")
    assert Catalogue.read(root / "train.csv").image_ids.tolist() == ["a"]
    refused("no data set of layout 'happywhale' here; it needs train.csv of image, species", root, "happywhale")
    for broken in (b"", b"\xff\xfeI", b"\0" * 99, b'"' * 99):
        (root / "train.csv").write_bytes(broken)
        refused(r"train\.csv: ", root / "train.csv")


# ------------------------------------------------------------------------------------------------------ Wildbook

# As EncounterAnnotationExportFile writes it: two encounters of Lion045, one of a lion that nobody has named.
EXPORT: list[dict[str, Any]] = [
    {
        "Occurrence.occurrenceID": "sighting-1", "Encounter.sourceUrl": "https://lions.example/1",
        "Encounter.mediaAsset0": "one.jpg", "Encounter.mediaAsset1": "two.jpg",
        "Annotation0.ViewPoint": "left", "Annotation1.ViewPoint": "frontright",
        "Name0.label": "Default", "Name0.value": "Lion045", "Name1.label": "CRC", "Name1.value": "77",
        "Encounter.genus": "Panthera", "Encounter.specificEpithet": "leo", "Encounter.decimalLatitude": "-35.46",
        "Encounter.decimalLongitude": "54.678", "Encounter.locationID": "Zone 5", "Encounter.year": "2020",
        "Encounter.month": "8", "Encounter.day": "24", "Encounter.hour": "9", "Encounter.minutes": "5",
        "Encounter.sex": "male", "Encounter.mediaAsset0.imageUrl": "https://lions.example/one.jpg",
        "Annotation0.bbox": "[10, 20, 300, 200]", "Annotation1.bbox": "null",
    },
    {
        "Occurrence.occurrenceID": "", "Encounter.sourceUrl": "https://lions.example/2",
        "Encounter.mediaAsset0": "three.jpg", "Name0.label": "CRC", "Name0.value": "78", "Name1.label": "Default",
        "Name1.value": "Lion046", "Encounter.year": "2020", "Encounter.month": "8", "Encounter.day": "0",
    },
    {"Encounter.mediaAsset0": "one.jpg", "Name0.value": "Unassigned", "Encounter.genus": "Panthera"},
    {"Occurrence.occurrenceID": "sighting-9", "Name0.value": "Lion045"},
]  # fmt: skip


@pytest.fixture
def wildbook(tmp_path: Path) -> Callable[..., Path]:
    """Write an export and its photos: `wildbook(rows, name)`."""

    def write(rows: list[dict[str, Any]] | None = None, name: str = "AnnotnExp_2024-05-01.xlsx") -> Path:
        frame = pd.DataFrame(EXPORT if rows is None else rows)
        photos_in(tmp_path, "photos/one.jpg", "photos/two.jpg", "photos/three.jpg")
        if name.endswith(".csv"):
            frame.to_csv(tmp_path / name, index=False)
            return tmp_path / name
        book = openpyxl.Workbook()
        book.active.title = "Search Results"
        for row in [list(frame), *frame.astype(object).where(frame.notna(), None).itertuples(index=False)]:
            book.active.append([*row])
        book.create_sheet("Hidden Data Report").append(["Number of encounters hidden", "3"])
        book.save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.mark.parametrize("layout", [None, "wildbook"])
@pytest.mark.parametrize("name", ["export.xlsx", "export.csv"])
def test_wildbooks_export(wildbook: Callable[..., Path], layout: str | None, name: str) -> None:
    photos = Catalogue.read(wildbook(name=name), layout)
    table = photos.frame.set_index("image_id")
    known = ["path", "identity", "encounter", "viewpoint", "date", "species", "location", "latitude", "longitude"]
    assert table[known].astype(object).where(table[known].notna(), "-").T.to_dict("list") == {
        "photos/one-1": [
            "photos/one.jpg", "Lion045", "sighting-1", "left", "2020-08-24 09:05", "Panthera leo", "Zone 5", -35.46,
            54.678,
        ],
        "photos/two": [
            "photos/two.jpg", "Lion045", "sighting-1", "frontright", "2020-08-24 09:05", "Panthera leo", "Zone 5",
            -35.46, 54.678,
        ],
        "photos/three": ["photos/three.jpg", "Lion046", "https://lions.example/2", *"------"],
        "photos/one-2": ["photos/one.jpg", "-", "row-3", "-", "-", "Panthera", "-", "-", "-"],
    }  # fmt: skip
    assert table["bbox"].iloc[0] == (10.0, 20.0, 300.0, 200.0)
    assert photos.known("bbox").tolist() == [True, False, False, False]
    assert table["Encounter.mediaAsset.imageUrl"].fillna("-").tolist() == ["https://lions.example/one.jpg", *"---"]
    assert table["Encounter.sex"].fillna("-").tolist() == ["male", "male", "-", "-"]
    assert table["Encounter.month"].fillna("-").tolist() == ["8", "8", "8", "-"]
    assert all(path.is_file() for path in photos.paths)
    assert photos.notes == (
        "identities were taken from Name0.value and its like",
        "1 encounters without a photo were left out",
    )


def test_wildbooks_bulk_import(wildbook: Callable[..., Path]) -> None:
    """As its documentation has the columns, in whatever case."""
    rows = [
        {"Encounter.MediaAsset0": "photos/one.jpg", "ENCOUNTER.INDIVIDUALID": "old", "Encounter.year": "2020",
         "MarkedIndividual.individualID": "Barry", "Encounter.sightingID": "s1"},
        {"Encounter.MediaAsset0": "photos/two.jpg", "ENCOUNTER.INDIVIDUALID": "old", "Encounter.year": "2020"},
    ]  # fmt: skip
    photos = Catalogue.read(wildbook(rows))
    assert photos.column("identity").fillna("-").tolist() == ["Barry", "-"]
    assert photos.column("encounter").tolist() == ["s1", "row-2"]
    assert photos.column("ENCOUNTER.INDIVIDUALID").tolist() == ["old", "old"]
    assert "date" not in photos.columns
    assert photos.notes == ("identities were taken from MarkedIndividual.individualID",)


def test_wildbooks_photos_by_the_servers_path(wildbook: Callable[..., Path], tmp_path: Path) -> None:
    photos_in(tmp_path, "a/IMG_1.jpg", "b/IMG_1.jpg")
    server = "/data/wildbook_data_dir/b/IMG_1.jpg"
    path = wildbook([{"Encounter.mediaAsset0": "IMG_1.jpg", "Encounter.mediaAsset0.filePath": server}])
    assert Catalogue.read(path).column("path").tolist() == ["b/IMG_1.jpg"]
    path = wildbook([{"Encounter.mediaAsset0.filePath": server}, {"Encounter.mediaAsset0.filePath": r"C:\w\one.jpg"}])
    assert Catalogue.read(path).column("path").tolist() == ["b/IMG_1.jpg", "photos/one.jpg"]
    refused("row 1: 2 photos below .* are called 'IMG_1.jpg'", wildbook([{"Encounter.mediaAsset0": "IMG_1.jpg"}]))


def test_wildbooks_photos_elsewhere_or_gone(wildbook: Callable[..., Path], tmp_path: Path) -> None:
    path = wildbook([{"Encounter.mediaAsset0": "photos/one.jpg"}, {"Encounter.mediaAsset.1": "gone.jpg"}])
    photos = Catalogue.read(path)
    assert photos.column("path").tolist() == ["photos/one.jpg", "gone.jpg"]
    assert photos.notes == (f"photos not found by their names below {tmp_path}: gone.jpg",)
    made = import_catalogue(path, tmp_path / "cat", options={"photos": str(tmp_path / "photos")})
    assert made.column("path").iloc[0] == "one.jpg"
    assert Catalogue.read(tmp_path / "cat").root == tmp_path / "photos"
    path = wildbook([{"Encounter.mediaAsset0": "../../etc/passwd"}])
    with pytest.raises(WhalereidError, match=r"row 1: the path '\.\./\.\./etc/passwd' leaves"):
        import_catalogue(path, tmp_path / "other")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"Encounter.mediaAsset0": "", "Name0.value": "x"}], "no encounter names a photo in Encounter.mediaAsset0"),
        ([{"Encounter.mediaAsset0": "a.jpg", "encounter.MEDIAASSET0": "b.jpg"}], "two columns are called encounter"),
        (
            [{"Encounter.mediaAsset0": "a.jpg", "Annotation0.bbox": "[1, 2]"}],
            "row 1, column bbox: .* is not x, y",
        ),
        ([{"Encounter.mediaAsset0": "a.jpg", "Annotation0.bbox": "[1, 2, 1e999, 4]"}], "row 1, column bbox"),
    ],
)
def test_wildbooks_rows_that_cannot_be_used(
    wildbook: Callable[..., Path], rows: list[dict[str, Any]], message: str
) -> None:
    refused(message, wildbook(rows, "export.csv"))


def test_wildbooks_odd_numbers_are_no_dates(wildbook: Callable[..., Path]) -> None:
    odd = [
        ("2020", "13", "1"),
        ("2020", "2", "30"),
        ("x", "1", "1"),
        ("1e99", "1", "1"),
        ("nan", "1", "1"),
        ("-5", "1", "1"),
    ]
    rows = [
        {"Encounter.mediaAsset0": "one.jpg", "Encounter.year": y, "Encounter.month": m, "Encounter.day": d,
         "Encounter.hour": "99", "path": "own"}
        for y, m, d in odd
    ]  # fmt: skip
    photos = Catalogue.read(wildbook([*rows, rows[0] | {"Encounter.month": "12"}], "export.csv"))
    assert photos.column("date").fillna("-").tolist() == [*"------", "2020-12-01"]
    assert photos.column("original_path").tolist() == ["own"] * 7


def test_a_sheet_of_a_workbook_of_several(wildbook: Callable[..., Path]) -> None:
    path = wildbook(EXPORT)
    refused("no data set of layout 'wildbook' here; it needs a spreadsheet with", path.parent, "wildbook")
    refused(
        "no sheet 'Serch Results' holds anything; did you mean 'Search Results'", path, "wildbook:sheet=Serch Results"
    )
    book = openpyxl.load_workbook(path)
    book["Search Results"].title = "one"
    book.copy_worksheet(book["one"]).title = "two"
    book.save(path)
    refused(r"has several sheets \(one, Hidden Data Report, two\); name one with --sheet", path)
    assert len(Catalogue.read(path, "wildbook:sheet=two")) == 4


# ---------------------------------------------------------------------------------------------- wildlife-datasets


def test_a_bare_table_of_wildlife_datasets(tmp_path: Path) -> None:
    """Its columns as they come: https://wildlifedatasets.github.io/wildlife-datasets/dataframe/."""
    polygon = [[0.0, 0.0, 4.0, 0.0, 4.0, 4.0]]
    frame = pd.DataFrame(
        {
            "image_id": [3, 4],
            "identity": ["unknown", "Bob"],
            "path": ["a/1.jpg", "a/2.jpg"],
            "bbox": [[1.0, 2.0, 3.0, 4.0], None],
            "date": ["2017-08-07", None],
            "position": ["left", "right"],
            "orientation": ["up", "normal"],
            "segmentation": [polygon, {"size": [4, 4], "counts": "abc"}],
            "keypoints": [[1.0, 2.0], None],
            "original_split": ["train", "test"],
        },
        index=[7, 9],
    )
    photos = Catalogue(frame, tmp_path)
    assert photos.identities == ("Bob",)
    assert photos.column("viewpoint").tolist() == ["top", "normal"]
    assert photos.column("position").tolist() == ["left", "right"]
    assert photos.column("bbox").iloc[0] == (1.0, 2.0, 3.0, 4.0)
    assert json.loads(photos.column("mask").iloc[0]) == polygon
    assert Catalogue(frame.drop(columns="orientation"), tmp_path).column("viewpoint").tolist() == ["left", "right"]
    photos.write(tmp_path / "table.csv")
    assert Catalogue.read(tmp_path / "table.csv").column("bbox").iloc[0] == (1.0, 2.0, 3.0, 4.0)
