"""Excel workbooks: what is read of them, and what of hostile ones is refused."""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import openpyxl
import pytest

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, WhalereidWarning
from whalereid.reading import MAX_FILE_GB
from whalereid.tables import columns_of, read_table
from whalereid.workbooks import read_sheet, sheets_of

Rows = Iterable[Iterable[Any]]
HEAD = ("image_id", "path", "identity")


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """Write a workbook: `workbook(rows, Other=rows)`."""

    def write(rows: Rows, name: str = "photos.xlsx", **others: Rows) -> Path:
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = "Photos"
        for row in rows:
            sheet.append([*row])
        for title, rows_there in others.items():
            other = book.create_sheet(title)
            for row in rows_there:
                other.append([*row])
        book.save(tmp_path / name)
        return tmp_path / name

    return write


def edit(path: Path, change: Callable[[str], str], part: str = "xl/worksheets/sheet1.xml") -> Path:
    """Change the XML of one part, as no program for tables would."""
    with zipfile.ZipFile(path) as packed:
        held = {name: packed.read(name) for name in packed.namelist()}
    held[part] = change(held[part].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in held.items():
            packed.writestr(name, content)
    return path


def refused(match: str, path: Path, sheet: str | None = None) -> None:
    with pytest.raises(WhalereidError, match=match) as error:
        read_table(path, sheet)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.filterwarnings("ignore:.*cells are dates")
def test_every_kind_of_value_as_text(workbook: Callable[..., Path]) -> None:
    values = [
        7, 7.0, 7.25, 1e-7, 10**15, True, " Nanuq ", "", "07", "None", datetime.date(2021, 5, 1),
        datetime.datetime(2021, 5, 1, 10, 30, 5), datetime.time(10, 30),
    ]  # fmt: skip
    frame = read_sheet(workbook([["x", "n"], *([value, "."] for value in values)]))
    assert frame["x"].fillna("-").tolist() == [
        "7", "7", "7.25", "1e-07", "1000000000000000", "TRUE", "Nanuq", "-", "07", "None", "2021-05-01",
        "2021-05-01 10:30:05", "10:30:00",
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["xlsx", "xlsm", "XLSX"])
def test_a_catalogue(workbook: Callable[..., Path], suffix: str) -> None:
    path = workbook([HEAD, ["007", "a.jpg", "Nanuq"], [], [8, "b.jpg"]], f"photos.{suffix}")
    photos = Catalogue.read(path)
    assert photos.image_ids.tolist() == ["007", "8"]
    assert photos.identities == ("Nanuq",)
    assert photos.source == str(path)


def test_names_stand_below_empty_rows_and_beside_empty_columns(workbook: Callable[..., Path]) -> None:
    path = workbook([[], ["", ""], [None, "image_id", None, "path", "  "], ["x", 1, "y", "a.jpg", "note"]])
    assert read_table(path).to_dict("list") == {"image_id": ["1"], "path": ["a.jpg"]}


def test_one_sheet_of_several(workbook: Callable[..., Path]) -> None:
    path = workbook([HEAD, [1, "a.jpg", "x"]], Fish=[HEAD, [2, "b.jpg", "y"]], Empty=[])
    refused(r"has several sheets \(Photos, Fish\); name one with --sheet NAME", path)
    refused(r"no sheet 'fish' holds anything; did you mean 'Fish'\? It has Photos, Fish", path, "fish")
    refused("no sheet 'Empty' holds anything; it has Photos, Fish", path, "Empty")
    assert read_table(path, "Fish")["image_id"].tolist() == ["2"]
    assert Catalogue.read(path, "table:sheet=Fish").image_ids.tolist() == ["2"]
    assert sheets_of(path) == {"Photos": [*HEAD], "Fish": [*HEAD]}
    assert columns_of(path) == [[*HEAD], [*HEAD]]


def test_the_only_sheet_that_holds_anything(workbook: Callable[..., Path]) -> None:
    assert len(read_table(workbook([], Fish=[HEAD, [2, "b.jpg", "y"]]))) == 1
    refused("no sheet holds anything", workbook([], "empty.xlsx"))


def test_a_csv_has_no_sheets(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image_id,path\na,a\n")
    refused("has no sheets, as Excel files have; leave out sheet 'Photos'", tmp_path / "a.csv", "Photos")


def with_stored(formula: str, stored: str) -> Callable[[str], str]:
    """Store a formula's value, as Excel does, and openpyxl doesn't."""
    return lambda xml: re.sub(rf"<c r=\"C2\"[^>]*><f>{re.escape(formula)}</f><v ?/?>(</v>)?</c>", stored, xml)


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ('<c r="C2" t="str"><f>A2</f><v>Nanuq</v></c>', "Nanuq"),
        ('<c r="C2"><f>A2</f><v>7</v></c>', "7"),
        ('<c r="C2" t="str"><f>A2</f><v></v></c>', None),  # ="" is an empty text
        ('<c r="C2" t="e"><f>A2</f><v>#N/A</v></c>', None),
    ],
)
def test_of_a_formula_the_stored_value_counts(workbook: Callable[..., Path], stored: str, value: str | None) -> None:
    path = edit(workbook([HEAD, [1, "a.jpg", "=A2"], [2, "b.jpg", "Siku"]]), with_stored("A2", stored))
    assert read_table(path)["identity"].fillna("").tolist() == [value or "", "Siku"]


def test_cells_that_cannot_be_used_are_named(workbook: Callable[..., Path]) -> None:
    refused("sheet 'Photos', cell C3: a formula without a stored", workbook([HEAD, [1, "a", "x"], [2, "b", "=A2"]]))
    path = edit(workbook([HEAD, [1, "a", "x"]]), lambda xml: xml.replace('r="A2" t="n"><v>1', 'r="A2" t="e"><v>#REF!'))
    refused("cell A2: holds the error #REF!", path)


def test_dates_among_names_are_pointed_at(workbook: Callable[..., Path]) -> None:
    rows = [HEAD, ["3-5", "a", "x"], [datetime.date(2021, 4, 3), "b", "x"], ["5-6", "c", "x"]]
    with pytest.warns(
        WhalereidWarning, match=r"column image_id: 1 cells are dates where 2 are not \(row 3: 2021-04-03"
    ):
        assert read_table(workbook(rows))["image_id"].tolist() == ["3-5", "2021-04-03", "5-6"]


# ------------------------------------------------------------------------------------------------------- hostile


@pytest.mark.parametrize("size", ["A1", "A1:XFD1048576", "A1:C9999999"])
def test_what_a_sheet_says_of_its_size_is_not_believed(workbook: Callable[..., Path], size: str) -> None:
    path = edit(workbook([HEAD, [1, "a", "x"]]), lambda xml: re.sub('(<dimension ref)="[^"]*"', rf'\1="{size}"', xml))
    assert f'"{size}"' in zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode()
    assert read_table(path).shape == (1, 3)


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.replace('<row r="2"', '<row r="999999999999"'),
        lambda xml: xml.replace('<row r="2"', '<row r="1048578"'),
    ],
)
def test_rows_that_no_sheet_has(workbook: Callable[..., Path], change: Callable[[str], str]) -> None:
    path = edit(workbook([HEAD, [1, "a", "x"]]), lambda xml: re.sub(r'r="[A-C]2"', "", change(xml)))
    refused("names a row beyond the 1,048,576 that a sheet has", path)


def test_columns_beyond_the_names_are_cut(workbook: Callable[..., Path]) -> None:
    path = edit(workbook([HEAD, [1, "a", "x"]]), lambda xml: xml.replace('r="C2"', 'r="XFD2"'))
    frame = read_table(path)
    assert frame.shape == (1, 3)
    assert frame["identity"].isna().all()


def test_a_bomb_is_refused_unpacked(workbook: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = edit(
        workbook([HEAD, [1, "a", "x"]]), lambda xml: xml.replace("</sheetData>", " " * 30_000_000 + "</sheetData>")
    )
    assert path.stat().st_size < 100_000
    monkeypatch.setenv(MAX_FILE_GB, "0.01")
    refused("takes 0.0 GB; such files are read up to 0.01 GB", path)


def test_entities_do_not_multiply(workbook: Callable[..., Path]) -> None:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 100}">' for n in range(9))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "{"x" * 100}">{entities}]>'

    def change(xml: str) -> str:
        return f"{bomb}{re.sub('<v>1</v>', '<v>&e9;</v>', xml, count=1)}"

    refused("not an Excel workbook that can be read", edit(workbook([HEAD, [1, "a", "x"]]), change))


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml[: len(xml) // 2],
        lambda xml: xml.replace("<v>1</v>", "<v>one</v>"),
        lambda xml: xml.replace('r="A2"', 'r="AAAAAA2"'),
        lambda xml: xml.replace('r="A2"', 'r="2"'),
        lambda xml: xml.replace('t="n"><v>1</v>', 't="s"><v>99</v>'),
        lambda xml: "",
        lambda xml: "<html/>\0",
    ],
)
def test_broken_sheets_are_refused(workbook: Callable[..., Path], change: Callable[[str], str]) -> None:
    refused("not an Excel workbook that can be read", edit(workbook([HEAD, [1, "a", "x"]]), change))


@pytest.mark.parametrize(
    "content", [b"", b"PK\3\4", b"image_id,path\na,a\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600]
)
def test_what_is_no_workbook(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photos.xlsx"
    path.write_bytes(content)
    refused(r"not an Excel workbook that can be read \(damaged, or with a password\)", path)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.txt", "hello")
    refused("not an Excel workbook", path)
    assert columns_of(path) == []


def test_two_columns_of_one_name(workbook: Callable[..., Path]) -> None:
    refused("two columns are called path", workbook([["image_id", "path", "path"], [1, "a", "b"]]))


def test_without_openpyxl(workbook: Callable[..., Path]) -> None:
    path = workbook([HEAD, [1, "a", "x"]])
    with mock.patch("whalereid.workbooks.find_spec", return_value=None):
        refused(r"pip install 'whalereid\[excel\]', or save the sheet as CSV", path)


def test_control_characters_are_shown_not_obeyed(workbook: Callable[..., Path]) -> None:
    path = edit(workbook([HEAD, [1, "a", "x"]]), lambda xml: xml, "xl/workbook.xml")
    edit(path, lambda xml: xml.replace("Photos", "Pho&#13;tos"), "xl/workbook.xml")
    refused(r"no sheet 'a' holds anything", path, "a")
