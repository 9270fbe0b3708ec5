"""Tables of photos and of folds that are broken, ambiguous or enormous."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.world import RANK, SMALL

HEAD = "image_id,path,identity,viewpoint,encounter,date\n"
A, B = "a,data/images/0_0.png,x,left,e1,2020-01-01\n", "b,data/images/1_0.png,y,left,e2,2020-01-02\n"
BROKEN: dict[str, str | bytes] = {
    "empty": "",
    "only a newline": "\n",
    "only a header": HEAD,
    "a column twice": "image_id,path,identity,identity\na,data/images/0_0.png,x,y\n",
    "a column twice but for case": "image_id,path,identity,Identity\na,data/images/0_0.png,x,y\n",
    "no image_id": "path,identity\ndata/images/0_0.png,x\n",
    "no path": "image_id,identity\na,x\n",
    "an id twice": HEAD + A + A,
    "an id twice but for a space": HEAD + A + A.replace("a,", "a ,", 1),
    "an empty id": HEAD + A.replace("a,", ",", 1),
    "an id of spaces": HEAD + A.replace("a,", "  ,", 1),
    "an empty path": HEAD + "a,,x,left,e1,2020-01-01\n",
    "a row too long": HEAD + A + B.strip() + ",more,still more\n",
    "not UTF-8": (HEAD + A).encode() + b"c,\xff\xfe.png,\xe9,left,e1,\n",
    "NUL bytes": (HEAD + A).encode() + b"c\x00d,data/images/0_0.png,x,left,e1,\n",
    "UTF-16": (HEAD + A + B).encode("utf-16"),
    "a photo under a .csv name": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "gzip under a .csv name": b"\x1f\x8b\x08\x00" + bytes(200),
    "an open quote": HEAD + 'a,"data/images/0_0.png,x,left,e1,\n' + B,
    "a path that climbs out": HEAD + "a,../secret.png,x,left,e1,\n",
    "an absolute path": HEAD + "a,/etc/passwd,x,left,e1,\n",
    "a Windows path": HEAD + "a,C:\\photos\\a.png,x,left,e1,\n",
    "a box of three": "image_id,path,bbox\na,data/images/0_0.png,1 2 3\n",
    "a box without an area": "image_id,path,bbox\na,data/images/0_0.png,1 2 0 0\n",
    "a box that isn't finite": "image_id,path,bbox\na,data/images/0_0.png,0 0 nan inf\n",
    "a size of text": "image_id,path,width,height\na,data/images/0_0.png,wide,64\n",
    "HTML": "<html><body>404</body></html>\n",
    "JSON": '{"image_id": ["a"]}',
    "semicolons": (HEAD + A + B).replace(",", ";"),
}
MAY_BE = ("a column twice but for case", "semicolons")
FOLDS: dict[str, str] = {
    "empty": "",
    "only a header": "image_id,fold\n",
    "a photo twice": "image_id,fold\np00,0\np00,1\np10,1\n",
    "photos of another table": "image_id,fold\nq1,0\nq2,1\n",
    "a fold of text": "image_id,fold\np00,first\np10,1\n",
    "a fold of 0.5": "image_id,fold\np00,0.5\np10,1\n",
    "a fold of -2": "image_id,fold\np00,-2\np10,1\n",
    "an empty fold": "image_id,fold\np00,\np10,1\n",
    "a fold beyond 64 bits": "image_id,fold\np00,99999999999999999999\np10,1\n",
    "an infinite fold": "image_id,fold\np00,inf\np10,1\n",
    "no column fold": "image_id,part\np00,0\np10,1\n",
    "fold twice": "image_id,fold,fold\np00,0,1\np10,1,0\n",
    "ids with a suffix": "image_id,fold\np00.jpg,0\np10.jpg,1\n",
}
NASTY = [
    "NA",
    "nan",
    "None",
    "null",
    "007",
    "1e5",
    "inf",
    "=1+1",
    "a,b",
    'say "x"',
    "two\nlines",
    "a\rb",
    "🐋",
    "שלום",
    "True",
    "-",
    "N/A",
    "#N/A",
]


def cases(chosen: random.Random) -> Iterator[Case]:
    for name, content in BROKEN.items():
        for command in ("check --catalogue bad.csv --strict", "split --catalogue bad.csv --folds 2 --out new.csv"):
            yield Case(
                f"{command.split()[0]} a table: {name}",
                command.split(),
                prepare=_put("bad.csv", content),
                wanted="either" if name in MAY_BE else "refused",
                writes=("new.csv",),
                light=True,
            )
    for name in ("empty", "a column twice", "not UTF-8", "an id twice", "a path that climbs out"):
        for line in (
            f"train --catalogue bad.csv {SMALL} --out new",
            "embed --catalogue bad.csv --model run --out new.parquet",
            "rank --embeddings emb.parquet --catalogue bad.csv --out new.csv",
            "evaluate ranking.csv --catalogue bad.csv",
        ):
            yield Case(f"{line.split()[0]} with a table: {name}", line.split(), prepare=_put("bad.csv", BROKEN[name]))
    for name, text in FOLDS.items():
        for line in (
            "split --catalogue data/photos.csv --use bad.csv",
            f"train --catalogue data/photos.csv {SMALL} --folds bad.csv --fold 0 --out new",
            f"{RANK.replace(' --queries all', '')} --folds bad.csv --fold 0 --out new.csv",
        ):
            yield Case(
                f"{line.split()[0]} with folds: {name}",
                line.split(),
                prepare=_put("bad.csv", text),
                light=line.startswith("split"),
            )
    yield Case(
        "train says which photos the folds lack",
        f"train --catalogue data/photos.csv {SMALL} --folds few.csv --fold 0 --epochs 1 --out new".split(),
        prepare=_few_folds,
        wanted="either",
        says="lack|left out|not in",
        writes=("new",),
    )
    for name in NASTY:
        for suffix in ("csv", "parquet"):
            yield Case(
                f"identities and ids called {name!r} survive {suffix}",
                call=_round_trip(name, suffix),
                wanted="done",
                check=lambda f, why: why,
                writes=("new.csv", "new.parquet", "again.csv", "folds-new.csv", "ranked.csv", "ranked.parquet"),
            )
    for name in ("NA", "nan", "None", "null"):
        yield Case(
            f"check points at an identity called {name}",
            ["check", "--catalogue", "t.csv", "--no-photos"],
            prepare=_put("t.csv", HEAD + A.replace(",x,", f",{name},") + B),
            wanted="done",
            says=f"look.*{name}|{name}.*look|missing",
            light=True,
        )
    for number in (2_000, 200_000):
        for command in (
            "check wide.csv --no-photos",
            "split wide.csv --folds 2",
            "rank --embeddings emb.parquet --catalogue wide.csv --out n.csv",
        ):
            yield Case(
                f"{command.split()[0]} a table of {number:,} columns",
                command.split(),
                prepare=_wide(number),
                wanted="either",
                limit=90,
                writes=("n.csv", "n.csv.task.json"),
            )
    yield Case(
        "check a table of one endless line",
        ["check", "--catalogue", "bad.csv", "--no-photos"],
        prepare=lambda f: (f / "bad.csv").write_text("image_id,path\n" + "a" * 20_000_000),
        limit=30,
        light=True,
    )
    yield Case("check a folder as a table", ["check", "--catalogue", "mine/"], wanted="either", light=True)
    yield Case(
        "check a pipe", ["check", "--catalogue", "pipe.csv"], prepare=_pipe, wanted="refused", limit=10, light=True
    )
    yield Case("check a device", ["check", "--catalogue", "/dev/zero"], limit=10, light=True)
    yield Case(
        "check a table that is a link to itself",
        ["check", "--catalogue", "loop.csv"],
        prepare=lambda f: (f / "loop.csv").symlink_to("loop.csv"),
        light=True,
    )
    yield Case("check a name of 5,000 bytes", ["check", "--catalogue", "x" * 5000], light=True)
    yield from _dates()
    yield from _python()


def _put(name: str, content: str | bytes) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def _few_folds(folder: Path) -> None:
    rows = (folder / "folds.csv").read_text().splitlines()
    (folder / "few.csv").write_text("\n".join(rows[:-5]) + "\n")


def _wide(number: int) -> Callable[[Path], Any]:
    def put(folder: Path) -> None:
        names, values = [f"c{i}" for i in range(number)], ["1"] * number
        rows = [["image_id", "path", "identity", *names], ["a", "data/images/0_0.png", "x", *values]]
        (folder / "wide.csv").write_text("".join(",".join(row) + "\n" for row in rows))

    return put


def _pipe(folder: Path) -> None:
    import os

    os.mkfifo(folder / "pipe.csv")


def _round_trip(name: str, suffix: str) -> Callable[[Path], Any]:
    """Write what has this name, read it, and say where it came back as another."""

    def call(folder: Path) -> str:
        import pandas as pd

        from whalereid import Catalogue, Ranking, fold_table, read_folds, write_folds
        from whalereid.splits import PhotoFolds

        table = pd.DataFrame(
            {
                "image_id": [name, "b", "c", "d"],
                "path": [f"data/images/{number}_0.png" for number in range(4)],
                "identity": [name, name, "y", "y"],
                "encounter": [name, "e", "f", "g"],
            }
        )
        photos = Catalogue(table, folder)
        meant = photos.frame[["image_id", "identity", "encounter"]].to_numpy().tolist()
        photos.write(f"new.{suffix}")
        got = Catalogue.read(f"new.{suffix}").frame[["image_id", "identity", "encounter"]].to_numpy().tolist()
        if got != meant or meant[0][0] != name:
            return f"Catalogue: {got[0]} for {name!r}"
        ranking = Ranking(ids=[[name]], scores=[[0.5]], query_ids=["b"])
        ranking.write(f"ranked.{suffix}")
        if Ranking.read(f"ranked.{suffix}").ids[0].tolist() != [name]:
            return f"Ranking: {Ranking.read(f'ranked.{suffix}').ids[0].tolist()} for {name!r}"
        folds = fold_table(PhotoFolds(2), photos)
        write_folds(folds, "folds-new.csv")
        if sorted(read_folds("folds-new.csv", photos)["image_id"]) != sorted(folds["image_id"]):
            return "folds: another id"
        return ""

    return call


def _dates() -> Iterator[Case]:
    """The order of day and month is decided for the whole table, or the dates are left unread, and that is said."""

    def table(*days: str) -> Callable[[Path], Any]:
        rows = "".join(f"i{n},data/images/{n % 6}_0.png,w{n % 3},left,e{n},{day}\n" for n, day in enumerate(days))
        return _put("t.csv", HEAD + rows)

    clear, vague = ("25/01/2020", "26/02/2020"), ("01/02/2020", "03/04/2020", "05/06/2020", "07/08/2020")

    def same(folder: Path) -> str:
        from whalereid import Catalogue

        photos = Catalogue.read("t.csv")
        whole = photos.dates()
        parts = photos.filter(identity="w2").dates()
        meant = [day for day, who in zip(whole, photos.column("identity"), strict=True) if who == "w2"]
        return (
            "" if [str(d) for d in parts] == [str(d) for d in meant] else f"{parts} in a subset, {meant} in the whole"
        )

    yield Case(
        "dates of a subset are those of the table",
        call=same,
        prepare=table(*clear, *vague),
        wanted="done",
        check=lambda f, why: why,
    )
    yield Case(
        "dates of a vague subset after clear ones",
        call=same,
        prepare=table("25/01/2020", "26/01/2020", "01/02/2020", *clear, "03/04/2020"),
        wanted="done",
        check=lambda f, why: why,
    )
    disagreeing = table("25/01/2020", "01/25/2020", "26/02/2020", "02/26/2020")
    yield Case(
        "rows that disagree on the order of dates",
        ["check", "--catalogue", "t.csv", "--no-photos"],
        prepare=disagreeing,
        wanted="either",
        says="disagree|unread|can't be read|order",
        light=True,
    )
    yield Case(
        "a split by dates that disagree",
        ["split", "--catalogue", "t.csv", "--by", "date"],
        prepare=disagreeing,
        wanted="either",
        says="disagree|unread|can't be read|order|no date",
    )
    for day in ("0000-00-00", "9999-99-99", "1e300", "-1", "12", "2020-02-30", "99999999999999", "now", "today", "\t"):
        yield Case(
            f"a date of {day!r}",
            ["check", "--catalogue", "t.csv", "--no-photos"],
            prepare=table(day, "2020-01-01"),
            wanted="either",
            light=True,
        )


def _python() -> Iterator[Case]:
    def of(what: Callable[[Any], Any]) -> Callable[[Path], Any]:
        def call(folder: Path) -> Any:
            from whalereid import Catalogue

            return what(Catalogue.read("data/photos.csv"))

        return call

    wrong: dict[str, Callable[[Any], Any]] = {
        "filter(identity=7)": lambda c: c.filter(identity=7),
        "filter(identity=None)": lambda c: c.filter(identity=None),
        "filter(identity=[7])": lambda c: c.filter(identity=[7]),
        "filter(nosuch='x')": lambda c: c.filter(nosuch="x"),
        "C[[0.5]]": lambda c: c[[0.5]],
        "C[[True]]": lambda c: c[[True]],
        "C[[99]]": lambda c: c[[99]],
        "C['x']": lambda c: c["x"],
        "C[None]": lambda c: c[None],
        "C[[0, 0]]": lambda c: c[[0, 0]],
        "C[nan]": lambda c: c[[float("nan")]],
        "subset([None])": lambda c: c.subset([None]),
        "subset([7])": lambda c: c.subset([7]),
        "subset('p00')": lambda c: c.subset("q"),
        "rows([None])": lambda c: c.rows([None]),
        "assign(image_id=None)": lambda c: c.assign(image_id=None),
        "assign(x=[1])": lambda c: c.assign(x=[1]),
        "assign(image_id=all alike)": lambda c: c.assign(image_id=["a"] * len(c)),
        "column(7)": lambda c: c.column(7),
        "column(['identity'])": lambda c: c.column(["identity"]),
        "join(7)": lambda c: c.join(7),
        "join of a table without ids": lambda c: c.join(c.frame[["identity"]]),
        "join of an id twice": lambda c: c.join(__import__("pandas").concat([c.frame[["image_id", "note"]]] * 2)),
    }
    for name, what in wrong.items():
        yield Case(f"Catalogue {name}", call=of(what))
    ids: dict[str, Any] = {
        "None": None,
        "nan": float("nan"),
        "7.5": 7.5,
        "1e300": 1e300,
        "bytes": b"a",
        "a list": ["a"],
        "True": True,
        "imaginary": 1j,
    }
    for name, value in ids.items():

        def made(folder: Path, value: Any = value) -> Any:
            import pandas as pd

            from whalereid import Catalogue

            return Catalogue(
                pd.DataFrame({"image_id": pd.Series([value, "b"], dtype=object), "path": ["a.png", "b.png"]})
            )

        yield Case(f"Catalogue of an id that is {name}", call=made)
