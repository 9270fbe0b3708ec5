"""Exports, reports, encounters, imports and first steps: where they are written, and what is said in them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.sources import then

TABLE = "--catalogue data/photos.csv"
WRITERS = {
    "export csv": (f"export {TABLE} --to csv", ".csv"),
    "export parquet": (f"export {TABLE} --to parquet", ".parquet"),
    "export xlsx": (f"export {TABLE} --to xlsx", ".xlsx"),
    "export coco": (f"export {TABLE} --to coco", ".json"),
    "export camtrap-dp": (f"export {TABLE} --to camtrap-dp", ""),
    "report": (f"report ranking.csv {TABLE} --queries 3", ""),
    "import": ("import data/photos.csv", ""),
    "encounters": (f"encounters {TABLE} --again", ".csv"),
    "start": ("start data/photos.csv --model run --no-open", ""),
}
PLACES = [
    "data/photos.csv",
    "data/images/0_0.png",
    "notes.txt",
    "mine",
    "mine/thesis.txt",
    "run",
    "run/run.json",
    "folds.csv",
    "ranking.csv",
    "emb.parquet",
    "protocol",
    "theirs.csv",
    "theirs.xlsx",
    "theirs.json",
    "shared",
    "/dev/full",
    "/dev/null/new",
    "/proc/new",
    "notes.txt/new",
    "loop/new",
    "",
    "a\0b",
    "\x1b[2J/../notes.txt",
]


def cases(chosen: random.Random) -> Iterator[Case]:
    for name, (line, suffix) in WRITERS.items():
        good = f"new{suffix}"
        for out in PLACES:
            may = (out or ".") if name in ("start", "import") else "nothing"
            free = name in ("import", "start") and out in ("mine", "run", "protocol")  # beside what is theirs
            free |= name == "export camtrap-dp" and out in ("mine", "run", "protocol")
            writes = (
                tuple(f"{may}/{one}" for one in OURS)
                if name != "export camtrap-dp"
                else tuple(f"{out}/{one}" for one in PACKAGE)
            )
            yield Case(
                f"{name} --out {out[:20]!r}",
                [*line.split(), "--out", out],
                prepare=_theirs,
                wanted="either" if free else "refused",
                writes=writes if free else (),
                keeps=(may,) if name == "start" else (),
            )
        yield Case(f"{name} as it should be", [*line.split(), "--out", good], wanted="done", writes=("new*",))
        twice = [*line.split(), "--out", good]
        yield Case(f"{name} twice", call=lambda f, w=twice: _twice(w), wanted="done", writes=("new*",))
        long = "n" * (255 - len(suffix)) + suffix
        yield Case(f"{name} to a name of 255 bytes", [*line.split(), "--out", long], wanted="either", writes=("n*",))
        longer = "n" * 5000 + suffix
        yield Case(f"{name} to a name of 5,000 bytes", [*line.split(), "--out", longer])
        for sign in ("\x1b[2J\x07", "<script>alert(1)</script>", "=1+1", "\u202egpj", "a\nb", "x" * 40_000):
            told = line.replace("data/photos.csv", "data/told.csv").replace("ranking.csv", "told-ranking.csv")
            yield Case(
                f"{name} of names such as {sign[:10]!r}",
                [*told.split(), "--out", good],
                prepare=lambda f, s=sign: _told(f, s),
                wanted="either",
                check=_no_script,
                writes=("new*",),
                keeps=("new",),
            )
    yield from _reports()
    yield from _notes()
    for options in (
        "camtrap-dp:zone=\x1b[2J",
        "camtrap-dp:zone=+99:99",
        "coco:identity=bbox",
        "coco:identity=",
        "xlsx:a=1",
    ):
        yield Case(f"export --to {options!r}", [*f"export {TABLE} --out new --to".split(), options])


OURS = (
    "metadata.csv",
    "import.json",
    "catalogue",
    "embeddings.parquet",
    "ranking.csv",
    "ranking.csv.task.json",
    "report",
)
PACKAGE = ("datapackage.json", "deployments.csv", "media.csv", "observations.csv", "whalereid.csv")


def _theirs(folder: Path) -> None:
    (folder / "theirs.csv").write_text("day,animals\n1,2\n")
    (folder / "theirs.json").write_text('{"info": {"contributor": "somebody"}}')
    (folder / "theirs.xlsx").write_bytes(b"PK\x05\x06" + bytes(18))
    (folder / "loop").symlink_to("loop")
    shared = folder / "shared"  # with files of the names that we write
    (shared / "report").mkdir(parents=True)
    for name in (
        *OURS[:2],
        *OURS[3:6],
        *PACKAGE,
        "index.html",
        "report.json",
        "report/index.html",
        "report/report.json",
    ):
        (shared / name).write_text('{"a": 1}')


def _twice(line: list[str]) -> None:
    from hostile.case import command

    for _ in range(2):
        if command(line) != 0:
            raise SystemExit("refused its own")


def _told(folder: Path, sign: str) -> None:
    """A catalogue, and a ranking of it, whose every word is hostile."""
    import csv

    head = ["image_id", "path", "identity", "viewpoint", "encounter", "date", "location", "species", sign]
    rows = [
        [
            f"{sign}{n}",
            f"images/{n % 6}_0.png",
            f"{sign}{n % 3}",
            sign,
            f"{sign}e",
            f"2020-01-0{n + 1}",
            sign,
            sign,
            sign,
        ]
        for n in range(8)
    ]
    with (folder / "data/told.csv").open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([head, *rows])
    pairs = [[a[0], b[0], str(1 - abs(i - j) / 10)] for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j]
    with (folder / "told-ranking.csv").open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([["query_id", "database_image_id", "score"], *pairs])


def _no_script(folder: Path, status: Any) -> str | None:
    for page in folder.glob("new/**/index.html"):
        text = page.read_text()
        if "<script" in text or "\x1b" in text:
            return "markup or a control character in the page"
    return None


def _reports() -> Iterator[Case]:
    """An earlier report that a person has put things into, and rankings of what isn't there."""
    line = [*f"report ranking.csv {TABLE} --queries 3 --out page".split()]

    def made(folder: Path) -> None:
        from hostile.case import command

        if command(line) != 0:
            raise SystemExit("the report can't be made")

    def theirs(folder: Path) -> None:
        (folder / "page/photos/theirs.jpg").write_bytes((folder / "data/images/0_1.jpg").read_bytes())
        (folder / "page/notes.txt").write_text("mine")

    def linked(folder: Path) -> None:
        import shutil

        shutil.rmtree(folder / "page/photos")
        (folder / "page/photos").symlink_to("../data/images")

    def a_file(folder: Path) -> None:
        import shutil

        shutil.rmtree(folder / "page/photos")
        (folder / "page/photos").write_text("mine")

    def marked(folder: Path) -> None:
        (folder / "mine/report.json").write_text('{"mine": true}')

    ours = ("page/index.html", "page/report.json")
    yield Case("report over one with a person's photos", line, prepare=then(made, theirs), wanted="done", writes=ours)
    more = (*ours, *(f"data/images/{sign}*.jpg" for sign in "0123456789abcdef"))
    yield Case(
        "report over one whose photos are a link",
        line,
        prepare=then(made, linked),
        wanted="either",
        writes=more,
        check=lambda f, status: None if (f / "data/images/0_1.jpg").is_file() else "unlinked a person's photo",
    )
    yield Case("report over one whose photos are a file", line, prepare=then(made, a_file), writes=ours)
    yield Case("report into a person's folder with a report.json", [*line[:-1], "mine"], prepare=marked)
    for name, text in {
        "of nobody": "query_id,database_image_id,score\n",
        "of strangers": "query_id,database_image_id,score\nq1,q2,0.5\n",
        "of NaN": "query_id,database_image_id,score\np00,p10,nan\n",
        "of infinity": "query_id,database_image_id,score\np00,p10,inf\n",
        "that is empty": "",
    }.items():
        words = [*f"report bad.csv {TABLE} --out page".split()]
        yield Case(f"report on a ranking {name}", words, prepare=lambda f, t=text: (f / "bad.csv").write_text(t))


def _notes() -> Iterator[Case]:
    """import.json beside a table: what it says of the photos' folder."""

    def with_notes(change: Callable[[Any], Any]) -> Callable[[Path], Any]:
        def prepare(folder: Path) -> None:
            from hostile.case import command

            command(["import", "data/photos.csv", "--out", "cat"])
            notes = folder / "cat/import.json"
            content = json.loads(notes.read_text())
            made = change(content)
            notes.write_text(json.dumps(content) if made is None else made)

        return prepare

    for key, values in {
        "photos": (None, 7, "", "  ", "nosuch", "\x1b[2J", "a\0b", "x" * 5000, "/dev/null", [], "../data/photos.csv"),
        "format": (None, 1, "whalereid-import/99", "x", []),
        "table": (None, [], "x"),
    }.items():
        for value in values:
            for line in ("check --catalogue cat --no-photos", "import data/photos.csv --out cat"):
                yield Case(
                    f"{line.split()[0]}: import.json whose {key} is {str(value)[:12]!r}",
                    line.split(),
                    prepare=with_notes(lambda c, k=key, v=value: c.update({k: v})),
                    wanted="either",
                    writes=("cat",) if line.startswith("import") else (),
                )
    for name, text in {
        "cut short": '{"format": "whalereid-import/1", "table"',
        "nested": '{"format": "whalereid-import/1", "a": ' + "[" * 200_000,
        "with a key twice": '{"format": "whalereid-import/1", "photos": "..", "photos": "/", "table": {}}',
        "a person's": '{"mine": 1}',
    }.items():
        for line in ("check --catalogue cat --no-photos", "import data/photos.csv --out cat"):
            prepare = with_notes(lambda c, t=text: t)
            yield Case(
                f"{line.split()[0]}: import.json {name}",
                line.split(),
                prepare=prepare,
                wanted="either",
                writes=("cat",),
            )
