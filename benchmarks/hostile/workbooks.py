"""Excel files: cut short, swollen, with formulas and errors, and with contents that drive whoever opens them."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.inputs import lengthen
from hostile.sources import source_case, then

BOOK = "data/photos.xlsx"
SHEET = "xl/worksheets/sheet1.xml"
HEAD = ["image_id", "path", "identity", "date"]
ROWS = [["a", "images/0_0.png", "x", "2020-01-01"], ["b", "images/1_0.png", "y", "2020-01-02"]]
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def cases(chosen: random.Random) -> Iterator[Case]:
    line = f"import {BOOK} --out cat"

    def case(
        name: str, prepare: Callable[[Path], Any], wanted: str = "refused", says: str = "xlsx", **more: Any
    ) -> Case:
        return source_case(f"a workbook {name}", line, prepare, wanted, says, **more)

    yield case("as it should be", _book(), "done", "")
    yield source_case("a workbook as a catalogue", f"check --catalogue {BOOK}", _book(), "done")
    for name, content in {
        "that is empty": b"",
        "that is text": b"image_id,path\na,b\n",
        "that is zeros": bytes(5000),
        "that is an empty zip": b"PK\x05\x06" + bytes(18),
        "of the old kind": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000),
        "that is a web page": b"<html>404</html>",
    }.items():
        yield case(name, lambda f, c=content: (f / BOOK).write_bytes(c))
    for share in (0.1, 0.5, 0.9, 0.99):
        yield case(f"cut short at {share:g}", then(_book(), lambda f, s=share: _cut(f / BOOK, s)))
    for number in range(8):
        where = random.Random(chosen.random())
        yield case(
            f"with 40 bytes of noise, {number}", then(_book(), lambda f, r=where: _noise(f / BOOK, r)), "either", ""
        )
    yield case("that is 20 GB long", then(_book(), lambda f: lengthen(f / BOOK)), limit=20)
    for part in ("[Content_Types].xml", "xl/workbook.xml", SHEET, "xl/styles.xml", "xl/_rels/workbook.xml.rels"):
        for name, text in (
            ("nothing", ""),
            ("text", "x"),
            ("other XML", "<a><b/></a>"),
            ("endless entities", _laughs()),
        ):
            prepare = then(_book(), lambda f, p=part, t=text: _replace(f / BOOK, p, t))
            yield case(f"whose {part} is {name}", prepare, "either", "", limit=30)
    for name, rows in {
        "that declares itself endless": f'<dimension ref="A1:XFD1048576"/><sheetData>{_xml(HEAD, 1)}</sheetData>',
        "with a row beyond all": f"<sheetData>{_xml(HEAD, 1)}{_xml(ROWS[0], 999_999_999)}</sheetData>",
        "with the same row twice": f"<sheetData>{_xml(HEAD, 1)}{_xml(ROWS[0], 2)}{_xml(ROWS[1], 2)}</sheetData>",
        "with rows from below": f"<sheetData>{_xml(ROWS[0], 3)}{_xml(ROWS[1], 2)}{_xml(HEAD, 1)}</sheetData>",
        "with a cell beyond all columns": f"<sheetData>{_xml(HEAD, 1)}{_cell('ZZZZZ2', '1')}</sheetData>",
        "with a cell at its last column": f"<sheetData>{_xml(HEAD, 1)}{_cell('XFD2', '1')}</sheetData>",
        "with a head at its last column": '<sheetData><row r="1"><c r="XFD1"><v>1</v></c></row></sheetData>',
        "with a text that isn't there": '<sheetData><row r="1"><c r="A1" t="s"><v>999</v></c></row></sheetData>',
        "with a number of 5,000 digits": f"<sheetData>{_xml(HEAD, 1)}{_cell('A2', '9' * 5000)}</sheetData>",
        "with a date of 10^300": f"<sheetData>{_xml(HEAD, 1)}{_cell('A2', '9' * 300, 'd')}</sheetData>",
        "without rows": "<sheetData/>",
    }.items():
        text = f"<worksheet {MAIN}>{rows}</worksheet>"
        yield case(name, then(_book(), lambda f, t=text: _replace(f / BOOK, SHEET, t)), "either", "", limit=30)
    yield case("with a head below a million rows", then(_book(), _low_head), "either", "")
    yield case("that swells to 30 GB", then(_book(), lambda f: _swollen(f / BOOK, 30 * 10**9)), limit=20)
    yield case("that says it swells less than it does", then(_book(), lambda f: _lying(f / BOOK)), limit=30)
    yield case("whose texts swell to a gigabyte", then(_book(), _endless_texts), "either", "", limit=60)
    yield case("whose sheet swells to 400 MB", then(_book(), _endless_sheet), says="row beyond", limit=150)
    for name, value in {
        "a formula without a value": "=A1",
        "a formula of a command": "=cmd|' /C calc'!A0",
        "an endless formula": "=" + "+".join(["1"] * 4000),
        "an error": "#DIV/0!",
        "a long text": "x" * 32_767,
        "true": True,
        "1e300": 1e300,
        "NUL in words": "a_x0000_b",
        "an escape in words": "_x001B_[2J",
        "markup": "<script>alert(1)</script>",
        "a path that climbs out": "../../etc/passwd",
    }.items():
        for at, column in ((0, "image_id"), (2, "identity"), (1, "path")):
            rows_ = [[*ROWS[0][:at], value, *ROWS[0][at + 1 :]], ROWS[1]]
            yield case(f"with {name} as {column}", _book(rows_), "either", "")
    yield case("with a column twice", _book([[*row, "z"] for row in ROWS], [*HEAD, "identity"]))
    yield case("with columns of numbers", _book(ROWS, [1, 2.5, True, "identity"]), "refused", "")
    yield case("with several sheets", _book(sheets=3), says="--sheet")
    for number, sheet in enumerate(("nosuch", "", "\x1b[2J", "x" * 5000, "Sheet")):
        words = [*line.split(), "--sheet", sheet]
        yield source_case(f"a workbook's sheet {sheet[:12]!r}, {number}", words, _book(sheets=2), "either")
    yield case("of hidden sheets", then(_book(), _hidden), "either", "")
    yield case("called .XLSM", then(_book(), lambda f: (f / BOOK).rename(f / "data/photos.xlsm")), says="no such")


def _book(rows: Any = ROWS, head: Any = HEAD, sheets: int = 1) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        import openpyxl

        book = openpyxl.Workbook()
        for number in range(sheets):
            sheet = book.active if not number else book.create_sheet(f"more{number}")
            for row in (head, *rows):
                sheet.append(list(row))
        book.save(folder / BOOK)

    return prepare


def _xml(values: list[str], row: int) -> str:
    cells = "".join(
        f'<c r="{"ABCDEFG"[at]}{row}" t="inlineStr"><is><t>{value}</t></is></c>' for at, value in enumerate(values)
    )
    return f'<row r="{row}">{cells}</row>'


def _cell(place: str, value: str, kind: str = "n") -> str:
    return f'<row r="2"><c r="{place}" t="{kind}"><v>{value}</v></c></row>'


def _laughs() -> str:
    """Entities that name each other ten times each, ten deep."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 11))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><x>&l10;</x>'


def _cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def _noise(path: Path, where: random.Random) -> None:
    content = bytearray(path.read_bytes())
    at = where.randrange(len(content) - 40)
    content[at : at + 40] = where.randbytes(40)
    path.write_bytes(content)


def _replace(path: Path, part: str, text: str | bytes) -> None:
    """Put another text in place of a part of a workbook."""
    with zipfile.ZipFile(path) as held:
        parts = {name: held.read(name) for name in held.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in (parts | {part: text}).items():
            made.writestr(name, content)


def _low_head(folder: Path) -> None:
    text = f"<worksheet {MAIN}><sheetData>{_xml(HEAD, 1_048_575)}{_xml(ROWS[0], 1_048_576)}</sheetData></worksheet>"
    _replace(folder / BOOK, SHEET, text)


def _swollen(path: Path, size: int) -> None:
    """A workbook whose directory says that a part takes so much."""
    content = path.read_bytes()
    at = content.rindex(SHEET.encode()) - 46
    path.write_bytes(content[: at + 24] + min(size, 2**32 - 2).to_bytes(4, "little") + content[at + 28 :])


def _lying(path: Path) -> None:
    """A part of 300 MB that is said to take 100 bytes."""
    _replace(path, SHEET, b" " * 300_000_000)
    content = path.read_bytes()
    at = content.rindex(SHEET.encode()) - 46
    path.write_bytes(content[: at + 24] + (100).to_bytes(4, "little") + content[at + 28 :])


def _endless_texts(folder: Path) -> None:
    text = f'<sst {MAIN} count="1" uniqueCount="1">'.encode() + b"<si><t>a</t></si>" * 60_000_000 + b"</sst>"
    _replace(folder / BOOK, "xl/sharedStrings.xml", text)


def _endless_sheet(folder: Path) -> None:
    head = f"<worksheet {MAIN}><sheetData>{_xml(HEAD, 1)}".encode()
    _replace(folder / BOOK, SHEET, head + b"<row><c><v>1</v></c></row>" * 15_000_000 + b"</sheetData></worksheet>")


def _hidden(folder: Path) -> None:
    import openpyxl

    book = openpyxl.load_workbook(folder / BOOK)
    book.create_sheet("shown")
    book.worksheets[0].sheet_state = "veryHidden"
    book.active = 1
    book.save(folder / BOOK)
