"""Tables that others wrote of their photos: Camtrap DP, Wildbook's and Happywhale's, and plain ones to be imported."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.inputs import BROKEN, drop, mutate, nest
from hostile.sources import WRONG, source_case, then

PACKAGE = "data/datapackage.json"
TABLES = {
    "deployments": "deploymentID,latitude,longitude,locationName\nd1,60.1,-3.5,bay\n",
    "media": (
        "mediaID,deploymentID,timestamp,filePath,fileMediatype\n"
        "m1,d1,2020-01-01T10:00:00Z,images/0_0.png,image/png\n"
        "m2,d1,2020-01-01T10:00:05Z,images/1_0.png,image/png\n"
    ),
    "observations": (
        "observationID,deploymentID,mediaID,eventID,eventStart,eventEnd,observationLevel,observationType,"
        "scientificName,individualID,count,bboxX,bboxY,bboxWidth,bboxHeight,classificationProbability\n"
        "o1,d1,m1,e1,2020-01-01T10:00:00Z,2020-01-01T10:01:00Z,media,animal,Orca,w1,1,0.1,0.1,0.5,0.5,0.9\n"
        "o2,d1,,e1,2020-01-01T10:00:00Z,2020-01-01T10:01:00Z,event,animal,Orca,w2,1,,,,,0.8\n"
    ),
}
NASTY = [
    "",
    "nan",
    "inf",
    "-1",
    "1e308",
    "1e400",
    "9" * 400,
    "../../../etc/passwd",
    "/etc/passwd",
    "C:\\x.png",
    "https://example.org/x.png",
    "\x1b[2J\x07",
    "<script>alert(1)</script>",
    "=HYPERLINK(A1)",
    "2020-99-99T25:61:00Z",
    "99999-01-01T00:00:00+99:99",
    "0000-00-00",
    "x" * 100_000,
    "1:11" * 20_000,
    "2020-01-01" + " " * 50_000 + "x",
    "\u202egpj",
    "a\nb",
]
WILDBOOK = (
    "Encounter.mediaAsset0,Encounter.mediaAsset1,Encounter.year,Encounter.month,Encounter.day,Encounter.hour,"
    "Encounter.minutes,MarkedIndividual.individualID,Encounter.genus,Encounter.specificEpithet,"
    "Encounter.decimalLatitude,Encounter.decimalLongitude,Name0.value,Annotation0.bbox,Encounter.catalogNumber\n"
    "0_0.png,1_0.png,2020,5,6,10,30,w1,Orcinus,orca,60.1,-3.5,w1,0 0 9 9,c1\n"
    "2_0.png,,2020,5,7,11,31,w2,Orcinus,orca,60.2,-3.6,w2,0 0 9 9,c2\n"
)
HAPPYWHALE = "image,species,individual_id\n0_0.png,orca,w1\n1_0.png,orca,w2\n"
PLAIN = "Image,Id,Side\n0_0.png,w1,left\n1_0.png,w2,right\n"
FORMATS = {"csv": ".csv", "parquet": ".parquet", "xlsx": ".xlsx", "coco": ".json", "camtrap-dp": ""}
NAMED = "--columns image_id=Image,identity=Id"


def cases(chosen: random.Random) -> Iterator[Case]:
    line = f"import {PACKAGE} --out cat"
    yield source_case("a Camtrap DP as it should be", line, _package, "done")
    for name, content in BROKEN.items():
        yield source_case(f"a Camtrap DP whose descriptor is {name}", line, _with(lambda f, c=content: _put(f, c)))
    yield source_case("a Camtrap DP whose descriptor is nested", line, _with(lambda f: nest(f / PACKAGE)))
    for number in range(16):
        change = random.Random(f"{chosen.random()}")
        prepare = _with(lambda f, c=change: mutate(f / PACKAGE, c, WRONG))
        yield source_case(f"a Camtrap DP with another value, {number}", line, prepare, "either")
    for number in range(3):
        change = random.Random(f"{chosen.random()}")
        prepare = _with(lambda f, c=change: drop(f / PACKAGE, c))
        yield source_case(f"a Camtrap DP without a key, {number}", line, prepare, "either")
    for path in ("../photos.csv", "/etc/passwd", "", None, [], ["media.csv", "media.csv"], "https://a.b/c.csv", "mine"):
        prepare = _with(lambda f, p=path: _resource(f, "media", p))
        yield source_case(f"a Camtrap DP whose media are at {path!r}", line, prepare)
    for table, text in TABLES.items():
        without = _with(lambda f, t=table: (f / f"data/{t}.csv").unlink())
        yield source_case(f"a Camtrap DP without {table}.csv", line, without, says=table)
        only = _with(lambda f, t=table, x=text: (f / f"data/{t}.csv").write_text(x.split("\n")[0] + "\n"))
        yield source_case(f"a Camtrap DP without rows in {table}", line, only)
        empty = _with(lambda f, t=table: (f / f"data/{t}.csv").write_text(""))
        yield source_case(f"a Camtrap DP with an empty {table}.csv", line, empty, says=table)
        twice = _with(lambda f, t=table, x=text: (f / f"data/{t}.csv").write_text(x + x.split("\n")[1] + "\n"))
        yield source_case(f"a Camtrap DP with a row of {table} twice", line, twice, says="twice")
        yield from _each_column(chosen, f"a Camtrap DP's {table}", f"data/{table}.csv", text, line, _package)
    yield source_case("a Camtrap DP with 30,000 kinds of observations", line, _with(_many_kinds), "either")
    yield source_case("a Camtrap DP with endless events", line, _with(_endless_events), "either")
    yield from _spreadsheets(chosen)
    yield from _plain(chosen)


def _spreadsheets(chosen: random.Random) -> Iterator[Case]:
    """Wildbook's and Happywhale's."""
    line = "import data/images/wb.csv --out cat"
    yield source_case("Wildbook's as it should be", line, _file("data/images/wb.csv", WILDBOOK), "done")
    yield from _each_column(chosen, "Wildbook's", "data/images/wb.csv", WILDBOOK, line, lambda f: None)
    many = ",".join(f"Encounter.mediaAsset{n}" for n in range(3000)) + "\n" + ",".join(["0_0.png"] * 3000) + "\n"
    for name, text in {
        "with 3,000 photos a row": many,
        "with a number of 5,000 digits": f"Encounter.mediaAsset0,Encounter.mediaAsset{'9' * 5000}\n0_0.png,x\n",
        "with numbers written twice": "Encounter.mediaAsset0,Encounter.mediaAsset00\n0_0.png,1_0.png\n",
        "with a column twice but for case": "Encounter.mediaAsset0,encounter.mediaasset0\n0_0.png,1_0.png\n",
        "with columns that grow in small letters": "Encounter.mediaAsset0,Encounter.mediaAsset0.\u0130\n0_0.png,x\n",
        "without a photo": "Encounter.mediaAsset0,Encounter.year\n,2020\n",
        "with numbers of other scripts": "Encounter.mediaAsset\u0660,Encounter.year\n0_0.png,2020\n",
    }.items():
        yield source_case(f"Wildbook's {name}", line, _file("data/images/wb.csv", text), "either")
    line = "import kaggle/train.csv --out cat"
    yield source_case("Happywhale's as it should be", line, _kaggle(HAPPYWHALE), "done")
    yield from _each_column(
        chosen,
        "Happywhale's",
        "kaggle/train.csv",
        HAPPYWHALE,
        line,
        lambda f: (f / "kaggle/train_images").mkdir(parents=True),
    )
    yield source_case("Happywhale's without photos", line, _file("kaggle/train.csv", HAPPYWHALE), says="train_images")
    yield source_case("Happywhale's with a photo twice", line, _kaggle(HAPPYWHALE + "0_0.png,orca,w3\n"))


def _plain(chosen: random.Random) -> Iterator[Case]:
    """A table with columns of other names."""
    line = f"import data/plain.csv {NAMED} --out cat"
    yield source_case("a plain table as it should be", line, _file("data/plain.csv", PLAIN), "done")
    yield from _each_column(chosen, "a plain table", "data/plain.csv", PLAIN, line, lambda f: None)
    for columns in (
        "",
        "=",
        "identity",
        "identity=",
        "identity=Nosuch",
        "identity=Id,identity=Side",
        "\x1b[2J=Id",
        "identity=\x1b[2J",
        "path=Id,path=Id",
        "image_id=Image," * 5000 + "identity=Id",
        "fold=Id",
        "height=Side",
        "bbox=Side",
        "latitude=Id",
    ):
        words = ["import", "data/plain.csv", "--out", "cat", "--columns", columns]
        yield source_case(f"--columns {columns[:40]!r}", words, _file("data/plain.csv", PLAIN))
    head = "image_id,path,identity,width,height,bbox,latitude,date\n"
    for name, row in {
        "a width of 1e300": "a,images/0_0.png,x,1e300,64,,,",
        "a width of 1e19": "a,images/0_0.png,x,10000000000000000000,64,,,",
        "a box near the end of floats": "a,images/0_0.png,x,64,64,0 0 1e308 1e308,,",
        "a box of 10^400": f"a,images/0_0.png,x,64,64,0 0 {'9' * 400} 9,,",
        "a latitude of inf": "a,images/0_0.png,x,64,64,,inf,",
        "a date of the year 0": "a,images/0_0.png,x,64,64,,,0000-01-01",
        "a date of the year 9999": "a,images/0_0.png,x,64,64,,,9999-12-31 23:59:59",
        "a date of 50,000 blanks": "a,images/0_0.png,x,64,64,,,2020-01-01" + " " * 50_000 + "x",
    }.items():
        prepare = _file("data/wide.csv", f"{head}{row}\nb,images/1_0.png,y,64,64,0 0 9 9,60,2020-01-02\n")
        for use in (
            "import data/wide.csv --out cat",
            "check --catalogue data/wide.csv",
            "encounters --catalogue data/wide.csv",
        ):
            yield source_case(f"{name}, {use}", use, prepare, "either")
        for to, suffix in (
            ("csv", ".csv"),
            ("parquet", ".parquet"),
            ("xlsx", ".xlsx"),
            ("coco", ".json"),
            ("camtrap-dp", ""),
        ):
            yield Case(
                f"export to {to}: {name}",
                f"export --catalogue data/wide.csv --to {to} --out new{suffix}".split(),
                prepare=prepare,
                wanted="either",
                writes=(f"new{suffix}",),
            )
    for number, name in enumerate(("a.csv", "../a.csv", "\x1b[2J", "x" * 5000, "")):
        words = ["import", "data/plain.csv", "--out", "cat", "--sheet", name]
        yield source_case(f"--sheet {name[:12]!r} of a CSV, {number}", words, _file("data/plain.csv", PLAIN))
    for folder in ("absent", "notes.txt", "", "\x1b[2J", "a\0b", "x" * 5000):
        words = [*line.split(), "--photos", folder]
        yield source_case(f"--photos {folder[:12]!r}", words, _file("data/plain.csv", PLAIN))


def _each_column(
    chosen: random.Random, what: str, file: str, text: str, line: str, first: Callable[[Path], Any]
) -> Iterator[Case]:
    """Three nasty values in each column, and the table without it."""
    head, *rows = [row.split(",") for row in text.strip().split("\n")]
    for at, column in enumerate(head):
        for number, value in enumerate(chosen.sample(NASTY, 3)):
            changed = [[*row[:at], value, *row[at + 1 :]] for row in rows]
            prepare = then(first, lambda f, made=(head, *changed): _write_csv(f / file, made))
            yield source_case(f"{what} with {column} of {value[:16]!r}, {number}", line, prepare, "either")
        without = [[*row[:at], *row[at + 1 :]] for row in (head, *rows)]
        prepare = then(first, lambda f, made=without: _write_csv(f / file, made))
        yield source_case(f"{what} without {column}", line, prepare, "either")


def _write_csv(path: Path, rows: Any) -> None:
    import csv

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)


def _file(name: str, text: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")

    return prepare


def _kaggle(text: str) -> Callable[[Path], Any]:
    return then(_file("kaggle/train.csv", text), lambda f: (f / "kaggle/train_images").mkdir())


def _package(folder: Path) -> None:
    resources = [{"name": name, "path": f"{name}.csv", "profile": "tabular-data-resource"} for name in TABLES]
    (folder / PACKAGE).write_text(json.dumps({"profile": "camtrap-dp", "name": "x", "resources": resources}))
    for name, text in TABLES.items():
        (folder / f"data/{name}.csv").write_text(text)


def _with(change: Callable[[Path], Any]) -> Callable[[Path], Any]:
    return then(_package, change)


def _put(folder: Path, content: bytes) -> None:
    (folder / PACKAGE).write_bytes(content)


def _resource(folder: Path, name: str, path: Any) -> None:
    content = json.loads((folder / PACKAGE).read_text())
    next(one for one in content["resources"] if one["name"] == name)["path"] = path
    (folder / PACKAGE).write_text(json.dumps(content))


def _many_kinds(folder: Path) -> None:
    rows = [f"x{n},d1,m1,e1,,,media,kind{n}{'y' * 20},,,,,,,," for n in range(30_000)]
    (folder / "data/observations.csv").write_text("\n".join([TABLES["observations"].strip(), *rows]) + "\n")


def _endless_events(folder: Path) -> None:
    """Events that take in every photo of a camera: 10,000 by 10,000."""
    media = "mediaID,deploymentID,timestamp,filePath\n"
    media += "".join(f"m{n},d1,2020-01-01T10:00:00Z,images/{n}.png\n" for n in range(10_000))
    (folder / "data/media.csv").write_text(media)
    head = "observationID,deploymentID,mediaID,eventStart,eventEnd,observationLevel,observationType\n"
    rows = "".join(f"o{n},d1,,2019-01-01,2021-01-01,event,animal\n" for n in range(10_000))
    (folder / "data/observations.csv").write_text(head + rows)
