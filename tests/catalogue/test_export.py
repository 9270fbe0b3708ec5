"""Catalogues written for other programs, and read again: nothing is lost on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whalereid import export
from whalereid.catalogue import Catalogue
from whalereid.catalogue.writers.camtrap_tables import DEPLOYMENTS, MEDIA, OBSERVATIONS
from whalereid.errors import WhalereidError
from whalereid.outputs import Kind
from whalereid.parts import WRITERS

Draw = Callable[..., Path]
SUFFIXES = {"csv": ".csv", "parquet": ".parquet", "xlsx": ".xlsx", "coco": ".json", "camtrap-dp": ""}
POLYGON = "[[10.5,10,40,12,30,40]]"


def table() -> pd.DataFrame:
    """Two animals in a photo, one in each of two others; everything that a catalogue knows, and more."""
    return pd.DataFrame(
        {
            "image_id": ["0001", "two", "=3", "unnamed"],
            "path": ["images/a.jpg", "images/a.jpg", "images/b.jpg", "images/c.jpg"],
            "identity": ["Anna", "Berta", "Anna", None],
            "viewpoint": ["left", "top", None, "right"],
            "encounter": ["e1", "e1", None, "e2"],
            "date": ["2020-05-30T04:57:37+02:00", "2020-05-30T04:57:37+02:00", "2020-06-01", None],
            "bbox": [(1.25, 2.0, 30.0, 40.0), (31.0, 2.0, 30.0, 40.0), None, (-4.0, 0.0, 9.0, 9.0)],
            "mask": [POLYGON, '{"size":[48,64],"counts":[0,3072]}', "masks/b.png", None],
            "species": ["nyala", "nyala", None, "animal"],
            "location": ["creek", "creek", "hill", None],
            "latitude": [52.5, 52.5, -4.25, None],
            "longitude": [0.1, 0.1, 7.0, None],
            "height": [48, 48, 48, 48],
            "width": [64, 64, 64, 64],
            "confidence": [0.9, 0.1, None, 1.0],
            "sex": ["female", "male", None, "?"],
            "age": [3, 4, 5, 6],
            "notes": ["-1", "+1", "@x", 'a, "b"\nc'],
        }
    )


@pytest.fixture
def photos(tmp_path: Path, draw: Draw) -> Catalogue:
    for seed, name in enumerate("abc"):
        draw(tmp_path / f"herd/images/{name}.jpg", seed)
    return Catalogue(table(), tmp_path / "herd", source="the herd")


def alike(a: Any, b: Any) -> bool:
    if isinstance(a, tuple) or isinstance(b, tuple):
        return a == b
    if pd.isna(a) or pd.isna(b):
        return bool(pd.isna(a) and pd.isna(b))
    return str(a) == str(b) or (not isinstance(a, str) and float(a) == float(b))


def same(one: Catalogue, other: Catalogue, *, but: tuple[str, ...] = ()) -> None:
    """The same rows in any order of columns; numbers may have become text, and dates may be written otherwise."""
    assert sorted(one.image_ids) == sorted(other.image_ids)
    other = other.subset(one.image_ids)
    assert {*one.columns} - {*but} <= {*other.columns}
    for name in {*one.columns} - {*but}:
        pairs = zip(one.column(name).tolist(), other.column(name).tolist(), strict=True)
        assert all(alike(a, b) for a, b in pairs), name
    assert np.array_equal(one.dates(), other.dates(), equal_nan=True)


@pytest.mark.parametrize("to", SUFFIXES)
def test_what_is_written_is_read_again(photos: Catalogue, to: str) -> None:
    out = photos.root / f"out{SUFFIXES[to]}"
    out = photos.root if to == "camtrap-dp" else out
    notes = export(photos, out, to)
    assert not [note for note in notes if "paths are relative" in note]
    again = Catalogue.read(out)
    same(photos, again)
    assert again.root == photos.root
    assert all(path.is_file() for path in again.paths)
    export(again, out.with_name("more") / out.name, to)
    same(again, Catalogue.read(out.with_name("more") / out.name), but=("path",))


@pytest.mark.parametrize("to", SUFFIXES)
def test_an_earlier_one_is_replaced_and_nothing_else(photos: Catalogue, tmp_path: Path, to: str) -> None:
    out = tmp_path / f"out/x{SUFFIXES[to]}"
    export(photos, out, to)
    export(photos[:2], out, to)
    assert len(Catalogue.read(out)) == 2
    other = out / "media.csv" if to == "camtrap-dp" else out
    other.write_text("my notes")
    before = {path: path.read_bytes() for path in out.parent.rglob("*") if path.is_file()}
    with pytest.raises(WhalereidError, match=r"is there already, and is a \.\w+ file, not .*--force"):
        export(photos, out, to)
    assert before == {path: path.read_bytes() for path in out.parent.rglob("*") if path.is_file()}
    export(photos, out, to, force=True)
    assert len(Catalogue.read(out)) == 4


def test_what_was_read_is_never_overwritten(photos: Catalogue, tmp_path: Path) -> None:
    for to in ("csv", "coco", "camtrap-dp"):
        place = photos.root / {"csv": "metadata.csv", "coco": "herd.json", "camtrap-dp": ""}[to]
        export(photos, place, to)
        again = Catalogue.read(place if to != "csv" else photos.root, {"csv": "table"}.get(to, to))
        with pytest.raises(WhalereidError, match="is read by the same command"):
            export(again, place, to, force=True)
    before = (photos.root / "herd.json").read_bytes()
    Catalogue.read(photos.root / "herd.json")
    assert (photos.root / "herd.json").read_bytes() == before


@pytest.mark.parametrize("to", SUFFIXES)
def test_photos_elsewhere_are_said(photos: Catalogue, tmp_path: Path, to: str) -> None:
    notes = export(photos, tmp_path / f"away/x{SUFFIXES[to]}", to)
    assert any(f"paths are relative to {photos.root}" in note for note in notes)
    if to in ("coco", "camtrap-dp"):
        again = Catalogue.read(tmp_path / f"away/x{SUFFIXES[to]}", f"{to}:photos={photos.root}")
        same(photos, again)


def test_paths_that_leave_the_root_are_not_written(photos: Catalogue, tmp_path: Path) -> None:
    bad = photos.assign(path=["../a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    for to in ("coco", "camtrap-dp"):
        with pytest.raises(WhalereidError, match="leaves the table's folder"):
            export(bad, tmp_path / f"x{SUFFIXES[to]}", to)
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "x.json").exists()


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)
NAME = TEXT.filter(lambda text: bool(text.strip()) and text.strip() not in ("NA", "NaN", "nan"))
SIDE = st.floats(0.5, 64, width=32)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_catalogue_comes_back(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    n = data.draw(st.integers(1, 5))

    def column(kind: st.SearchStrategy[Any]) -> list[Any]:
        return data.draw(st.lists(st.none() | kind, min_size=n, max_size=n))

    ids = data.draw(st.lists(NAME, min_size=n, max_size=n, unique_by=str.strip))
    frame = pd.DataFrame(
        {
            "image_id": ids,
            "path": [f"{data.draw(st.integers(0, 2))}.jpg" for _ in range(n)],
            "identity": column(NAME),
            "encounter": column(NAME),
            "species": column(NAME),
            "viewpoint": column(NAME.map(str.lower)),
            "bbox": pd.Series(column(st.tuples(SIDE, SIDE, SIDE, SIDE)), dtype=object),
            "mask": column(st.sampled_from([POLYGON, "a.png"])),
            "age": column(st.integers(0, 99)),
            "width": [64] * n,
            "height": [48] * n,
        }
    )
    root = tmp_path_factory.mktemp("any")
    photos = Catalogue(frame, root)
    for to in ("coco", "camtrap-dp", "parquet"):
        out = root / f"{to}{SUFFIXES[to]}"
        export(photos, out, to)
        empty = tuple(name for name in photos.columns if photos.column(name).isna().all())
        same(photos, Catalogue.read(out, to if to != "parquet" else None), but=(*empty, "path"))


# ------------------------------------------------------------------------------------------------------------- COCO


def test_annotations_are_plain_coco(photos: Catalogue, tmp_path: Path) -> None:
    notes = export(photos, tmp_path / "x.json", "coco:identity=name")
    held = json.loads((tmp_path / "x.json").read_text())
    assert [*held] == ["info", "images", "annotations", "categories"]
    first = held["annotations"][0]
    assert (first["bbox"], first["area"], first["name"]) == ([1.25, 2.0, 30.0, 40.0], 1200.0, "Anna")
    assert first["segmentation"] == [[10.5, 10, 40, 12, 30, 40]]
    assert held["images"][0]["date_captured"] == "2020-05-30T04:57:37+02:00"
    assert len(held["images"]) == 3
    names = {kind["id"]: kind["name"] for kind in held["categories"]}
    assert [names[one["category_id"]] for one in held["annotations"]] == ["nyala", "nyala", "animal", "animal"]
    assert "annotations without a box: 1; they are of the whole photo" in notes


def test_columns_that_coco_calls_otherwise_are_said(photos: Catalogue, tmp_path: Path) -> None:
    odd = photos.assign(id=[1, 2, 3, 4], area="x", individual_id="y", name="z")
    notes = export(odd, tmp_path / "x.json", "coco")
    assert "left out, as COCO has fields of these names: columns id, area, individual_id" in notes
    assert Catalogue.read(tmp_path / "x.json").identities == ("Anna", "Berta")
    assert set(Catalogue.read(tmp_path / "x.json").column("name")) == {"z"}
    for field in ("", "id", "bbox", " image_id "):
        with pytest.raises(WhalereidError, match=r"identity is .*; give a field"):
            export(odd, tmp_path / "y.json", {"name": "coco", "options": {"identity": field}})


def test_rows_of_a_photo_that_disagree(photos: Catalogue, tmp_path: Path) -> None:
    odd = photos.assign(date=["2020-01-01", "2020-01-02", None, None], location=["a", "b", "c", None])
    for to in ("coco", "camtrap-dp"):
        export(odd, tmp_path / f"x{SUFFIXES[to]}", to)
        same(odd, Catalogue.read(tmp_path / f"x{SUFFIXES[to]}"), but=("path",))


@pytest.mark.parametrize("mask", ["[" * 2000, "[[1,2]]", "[", '{"size":[1,1]}', "[[0,0,0,1,0,2]]"])
def test_masks_that_are_no_outlines_stay_text(photos: Catalogue, tmp_path: Path, mask: str) -> None:
    export(photos.assign(mask=mask), tmp_path / "x.json", "coco")
    assert set(Catalogue.read(tmp_path / "x.json", f"coco:photos={photos.root}").column("mask")) == {mask}


# ------------------------------------------------------------------------------------------------------- Camtrap DP


def package(folder: Path) -> dict[str, Any]:
    held: dict[str, Any] = json.loads((folder / "datapackage.json").read_text())
    tables = {name: pd.read_csv(folder / f"{name}.csv", dtype=str) for name in ("deployments", "media", "observations")}
    return held | tables


def test_a_package_is_as_the_standard_has_it(photos: Catalogue, tmp_path: Path) -> None:
    """What https://camtrap-dp.tdwg.org/data/ and /metadata/ require."""
    notes = export(photos[:3], tmp_path / "x", "camtrap-dp:zone=-03:30,title=Herd of 2020,contributor=Ada")
    held = package(tmp_path / "x")
    required = {"resources", "profile", "created", "contributors", "project", "spatial", "temporal", "taxonomic"}
    assert required <= {*held}
    assert {"title", "samplingDesign", "captureMethod", "individualAnimals", "observationLevel"} == {*held["project"]}
    assert re.fullmatch(r"[-a-z0-9._/]+", held["name"])
    assert held["temporal"] == {"start": "2020-05-30", "end": "2020-06-01"}
    assert held["taxonomic"] == [{"scientificName": "nyala"}]
    for name, fields in {"deployments": DEPLOYMENTS, "media": MEDIA, "observations": OBSERVATIONS}.items():
        assert tuple(held[name].columns) == fields
        (resource,) = [one for one in held["resources"] if one["name"] == name]
        assert resource["schema"].endswith(f"/1.0.2/{name}-table-schema.json")
        assert resource["profile"] == "tabular-data-resource"
    needed = {
        "deployments": ["deploymentID", "latitude", "longitude", "deploymentStart", "deploymentEnd"],
        "media": ["mediaID", "deploymentID", "timestamp", "filePath", "filePublic", "fileMediatype"],
        "observations": [
            "observationID", "deploymentID", "eventStart", "eventEnd", "observationLevel", "observationType",
        ],
    }  # fmt: skip
    for name, fields in needed.items():
        assert held[name][fields].notna().all(axis=None), name
        assert held[name][fields[0]].is_unique
    assert not [note for note in notes if "needs what the catalogue doesn't say" in note]
    times = [*held["media"]["timestamp"], *held["observations"]["eventStart"], *held["deployments"]["deploymentEnd"]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", time) for time in times)
    assert held["media"]["timestamp"].tolist() == ["2020-05-30T04:57:37+02:00", "2020-06-01T00:00:00-03:30"]
    seen = held["observations"]
    assert seen["individualID"].tolist() == ["Anna", "Berta", "Anna"]
    assert seen["mediaID"].nunique() == 2
    assert set(seen["mediaID"]) == set(held["media"]["mediaID"])
    assert set(seen["deploymentID"]) == set(held["deployments"]["deploymentID"])
    assert seen["sex"].fillna("-").tolist() == ["female", "male", "-"]
    box = seen[["bboxX", "bboxY", "bboxWidth", "bboxHeight"]].astype(float).iloc[0]
    assert np.allclose(box, [1.25 / 64, 2 / 48, 30 / 64, 40 / 48])


def test_what_a_package_lacks_is_said(photos: Catalogue, tmp_path: Path) -> None:
    bare = Catalogue(photos.frame[["image_id", "path", "bbox"]], photos.root)
    notes = export(bare, tmp_path / "x", "camtrap-dp")
    (said,) = [note for note in notes if "needs what the catalogue doesn't say" in note]
    for words in ("latitude of 1 deployments", "timestamp of 3 media", "spatial of the package", "contributors"):
        assert words in said
    same(bare, Catalogue.read(tmp_path / "x", f"camtrap-dp:photos={photos.root}"))


def test_boxes_that_no_share_can_tell(photos: Catalogue, tmp_path: Path) -> None:
    gone = Catalogue(photos.frame.drop(columns=["height", "width"]), photos.root)
    outside = gone.assign(bbox=[(99, 99, 5, 5), (0, 0, 5, 5), None, (-2, 0, 5, 99)])
    notes = export(outside, tmp_path / "x", "camtrap-dp")
    assert any(re.search(r"boxes in whalereid\.csv alone, .*: 1$", note) for note in notes)
    shares = package(tmp_path / "x")["observations"][["bboxX", "bboxWidth", "bboxHeight"]].astype(float)
    assert shares.iloc[3].tolist() == [0, 3 / 64, 1]
    same(outside, Catalogue.read(tmp_path / "x", f"camtrap-dp:photos={photos.root}"), but=("width", "height"))


def test_cameras_are_kept_apart(photos: Catalogue, tmp_path: Path) -> None:
    odd = photos.assign(deploymentID=["d1", "d1", "d1", None])
    export(odd, tmp_path / "x", "camtrap-dp")
    assert package(tmp_path / "x")["deployments"]["deploymentID"].tolist() == ["d1", "d1#2", "d3"]


@pytest.mark.parametrize("name", ["NA", "NaN", "nan"])
def test_names_that_read_as_missing_are_refused(photos: Catalogue, tmp_path: Path, name: str) -> None:
    with pytest.raises(WhalereidError, match=f"the herd, row 2, column identity: '{name}' is a missing value"):
        export(photos.assign(identity=["Anna", name, None, None]), tmp_path / "x", "camtrap-dp")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("zone", ["", "CET", "2", "+2", "+25:00", "+02:0", "z", "+02:00\n"])
def test_zones_that_are_none(photos: Catalogue, tmp_path: Path, zone: str) -> None:
    with pytest.raises(WhalereidError, match=r"zone is .*; give Z, or such as \+02:00"):
        export(photos, tmp_path / "x", {"name": "camtrap-dp", "options": {"zone": zone}})


# ------------------------------------------------------------------------------------------------------------ Excel


def test_text_stays_text_in_workbooks(photos: Catalogue, tmp_path: Path) -> None:
    export(photos.assign(notes=["=1+1", "+1", "-1", "@sum"]), tmp_path / "x.xlsx", "xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx")["catalogue"]
    named = {cell.value: cell.column_letter for cell in sheet[1]}
    for value, cell in zip(["=1+1", "+1", "-1", "@sum"], sheet[named["notes"]][1:], strict=True):
        assert (cell.value, cell.data_type, cell.quotePrefix) == (value, "s", True)
    export(photos.assign(notes=["#N/A", "#x", "TRUE", "1"]), tmp_path / "y.xlsx", "xlsx")
    cells = openpyxl.load_workbook(tmp_path / "y.xlsx")["catalogue"][named["notes"]][1:]
    assert [(cell.value, cell.data_type) for cell in cells] == [("#N/A", "s"), ("#x", "s"), ("TRUE", "s"), ("1", "s")]
    assert sheet[named["image_id"]][1].value == "0001"
    assert sheet[named["image_id"]][3].data_type == "s"
    assert [cell.value for cell in sheet[named["age"]][1:]] == [3, 4, 5, 6]
    assert sheet[named["confidence"]][3].value is None


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("notes", "x" * 32_768, "has more than 32,767 characters"),
        ("mask", "[" + "1" * 40_000, "has more than 32,767 characters"),
        ("notes", "a\x07b", r"'a\\x07b' holds a control character"),
        ("notes", "a\rb", "holds a control character"),
        ("notes", "a\x00b", "holds a control character"),
        ("notes", "a\uffff", "holds a control character"),
    ],
)
def test_what_a_cell_cannot_hold_is_named_by_row_and_column(
    photos: Catalogue, tmp_path: Path, column: str, value: str, message: str
) -> None:
    with pytest.raises(WhalereidError, match=rf"x\.xlsx, row 3, column {column}: .*{message}.*write csv") as error:
        export(photos.assign(**{column: ["", "", value, ""]}), tmp_path / "x.xlsx", "xlsx")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "x.xlsx").exists()


def test_names_of_columns_are_cells_too(photos: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(WhalereidError, match=r"row \d+, column names of columns: 'a\\x07' holds a control character"):
        export(photos.assign(**{"a\x07": 1}), tmp_path / "x.xlsx", "xlsx")


def test_numbers_that_excel_would_round_are_text(photos: Catalogue, tmp_path: Path) -> None:
    odd = photos.assign(
        tag=[2**60, 2**60 + 1, 3, 4], level=[0.5, float("inf"), float("nan"), -1], seen=[True, False] * 2
    )
    export(odd, tmp_path / "x.xlsx", "xlsx")
    rows = [*openpyxl.load_workbook(tmp_path / "x.xlsx")["catalogue"].values]
    held = pd.DataFrame(rows[1:], columns=rows[0])
    assert held["tag"].tolist() == [str(2**60), str(2**60 + 1), 3, 4]
    assert held["level"].tolist()[:2] == [0.5, "inf"]
    assert held["seen"].tolist() == [True, False, True, False]


def test_more_rows_than_a_sheet_has(photos: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whalereid.catalogue.writers.workbook._MOST_ROWS", 4)
    with pytest.raises(WhalereidError, match=r"x\.xlsx: 4 rows .* are more than Excel has .*; write csv or parquet"):
        export(photos, tmp_path / "x.xlsx", "xlsx")


def test_without_openpyxl(photos: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whalereid.catalogue.writers.workbook.find_spec", lambda name: None)
    with pytest.raises(WhalereidError, match=r"pip install 'whalereid\[excel\]'"):
        export(photos, tmp_path / "x.xlsx", "xlsx")


# ------------------------------------------------------------------------------------------------------- any format


@pytest.mark.parametrize(
    ("out", "to", "message"),
    [
        ("x.txt", "csv", r"x\.txt: a catalogue is written with a name that ends in \.csv"),
        ("x.csv", "parquet", r"ends in \.parquet"),
        ("x.csv", "coco", r"ends in \.json"),
        ("x", "xlsx", r"ends in \.xlsx"),
        ("x.csv", "excel", "format 'excel' is unknown; .*camtrap-dp, coco, csv, parquet, xlsx"),
        ("x.csv", "csv:zone=Z", "format 'csv' has no option 'zone'; it has none"),
        ("x", "camtrap-dp:zone=CET", "format 'camtrap-dp': zone is 'CET'"),
        ("", "csv", "path is '', which is no path"),
        ("a\0b.csv", "csv", "which is no path"),
    ],
)
def test_places_and_formats_that_are_none(
    photos: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, to: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WhalereidError, match=message):
        export(photos, out, to)
    assert [path.name for path in tmp_path.iterdir()] == ["herd"]


def test_a_folder_that_is_a_file(photos: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(WhalereidError, match="Not a directory"):
        export(photos, tmp_path / "x", "camtrap-dp")


def test_writers_of_a_script(photos: Catalogue, tmp_path: Path) -> None:
    class Names:
        kinds: Mapping[str, Kind] = {"": Kind("a list of names", (".txt",), lambda path: True)}

        def write(self, catalogue: Catalogue, files: Mapping[str, Path], out: Path) -> list[str]:
            files[""].write_text("\n".join(catalogue.identities))
            if len(catalogue) > 3:
                raise WhalereidError("too many.")
            return [f"names of {out.name}"]

    WRITERS.add("names")(Names)
    try:
        assert export(photos[:2], tmp_path / "x.txt", "names") == ("names of x.txt",)
        assert (tmp_path / "x.txt").read_text() == "Anna\nBerta"
        with pytest.raises(WhalereidError, match="too many"):
            export(photos, tmp_path / "y.txt", "names")
        assert not (tmp_path / "y.txt").exists()
    finally:
        WRITERS._added.pop("names")
