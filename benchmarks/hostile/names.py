"""Names that would drive a terminal, and terminals that can't show names."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.world import EMBED, SMALL

SIGNS = {
    "an escape": "\x1b[2J\x1b[31mred",
    "a bell": "\x07ding",
    "a C1 escape": "\x9b2J",
    "a bidi override": "‮gpj.exe",
    "a carriage return": "a\rb",
    "a zero width space": "a\u200bb",
    "a backspace": "a\b\bb",
    "markup": "[bold red]x[/bold red][/]",
}
LINES = [
    "check --catalogue t.csv",
    "check --catalogue t.csv --json",
    "split --catalogue t.csv --folds 2",
    "split --catalogue t.csv --folds 2 --json",
    "split --catalogue t.csv --folds 2 --photos",
    "evaluate r.csv --catalogue t.csv --resamples 0 --min-queries 1 --by identity --by viewpoint",
    "evaluate r.csv --catalogue t.csv --resamples 0 --min-queries 1 --by identity --json",
    "rank --embeddings e.parquet --catalogue t.csv --queries all --out n.csv",
    "evaluate r.csv --catalogue t.csv --min-queries 1000",
]
OUT = ("n.csv", "n.csv.task.json")


def cases(chosen: random.Random) -> Iterator[Case]:
    for name, sign in SIGNS.items():
        for line in LINES:
            yield Case(
                f"{line}: ids and names with {name}", line.split(), prepare=_table(sign), wanted="either", writes=OUT
            )
        yield Case(
            f"embed: a missing photo with {name}",
            f"{EMBED.replace('data/photos.csv', 't.csv')} --out n.parquet".split(),
            prepare=_table(sign, missing=True),
            wanted="either",
        )
        yield Case(
            f"train: classes with {name}",
            f"train --catalogue t.csv {SMALL} --out new --epochs 1 --fold 0 --folds absent.csv".split(),
            prepare=_table(sign),
        )
        yield Case(f"a command called with {name}", [sign], light=True)
        yield Case(f"an option with {name}", ["check", "--catalogue", "data/photos.csv", f"--{sign}"], light=True)
        yield Case(f"a value with {name}", ["split", "--catalogue", "data/photos.csv", "--by", sign], light=True)
        yield Case(f"a number with {name}", ["split", "--catalogue", "data/photos.csv", "--folds", sign], light=True)
        yield Case(f"a file with {name}", ["check", "--catalogue", f"{sign}.csv"], light=True)
        yield Case(
            f"a column asked for with {name}",
            ["evaluate", "ranking.csv", "--catalogue", "data/photos.csv", "--by", sign, "--resamples", "0"],
        )
        yield Case(
            f"columns with {name}",
            ["check", "--catalogue", "t.csv", "--no-photos"],
            prepare=_columns(sign),
            wanted="either",
            light=True,
        )
        yield Case(
            f"a missing column beside {name}",
            [
                "rank",
                "--embeddings",
                "e.parquet",
                "--catalogue",
                "t.csv",
                "--queries",
                "all",
                "--match",
                "nosuch",
                "--out",
                "n.csv",
            ],
            prepare=_table(sign, column=sign),
        )
    for encoding in ("ascii", "latin-1", "cp1252"):
        for line in LINES[:7]:
            yield Case(
                f"{line} where output is {encoding}",
                line.split(),
                prepare=_table("🐋 שלום é"),
                wanted="done",
                environment={"PYTHONIOENCODING": encoding},
            )
        yield Case(
            f"check an absent 🐋 where output is {encoding}",
            ["check", "--catalogue", "🐋.csv"],
            environment={"PYTHONIOENCODING": encoding},
            light=True,
        )
    yield Case("a path that isn't UTF-8", ["check", "--catalogue", "\udcff\udcfe.csv"], light=True)
    yield Case(
        "a path that isn't UTF-8, there",
        ["check", "--catalogue", "\udcff.csv", "--no-photos"],
        prepare=lambda f: (f / "\udcff.csv").write_text("image_id,path\na,data/images/0_0.png\n"),
        wanted="either",
        light=True,
    )
    yield Case("a NUL in a path", ["check", "--catalogue", "a\0b.csv"], light=True)
    for line in (
        "check --catalogue data/photos.csv",
        "check --catalogue data/photos.csv --json",
        "split --catalogue data/photos.csv --folds 2",
        "split --catalogue data/photos.csv --folds 2 --json",
        "evaluate ranking.csv --catalogue data/photos.csv --resamples 0",
        "evaluate ranking.csv --catalogue data/photos.csv --resamples 0 --json",
        "--help",
        "check --help",
    ):
        yield Case(f"{line} > /dev/full", line.split(), stdout="/dev/full")


def _table(sign: str, *, missing: bool = False, column: str = "") -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        import csv

        import pandas as pd
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = []
        for n in range(8):
            rows.append(
                [f"{sign}{n}", f"data/images/{n % 6}_0.png", f"{sign}{n % 4}", sign if n % 2 else "left", f"{sign}e{n}"]
            )
        if missing:
            rows.append([f"{sign}9", f"data/{sign}.png", sign, sign, sign])
        head = ["image_id", "path", "identity", "viewpoint", "encounter"]
        if column:
            head, rows = [*head, column], [[*row, "x"] for row in rows]
        with (folder / "t.csv").open("w", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([head, *rows])
        pairs = [(a[0], b[0], 1 - abs(i - j) / 10) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j]
        pd.DataFrame(pairs, columns=["query_id", "database_image_id", "score"]).to_csv(
            folder / "r.csv", index=False, quoting=csv.QUOTE_ALL
        )
        vectors = [[float(n % 4), 1.0, float(n)] for n in range(len(rows))]
        pq.write_table(pa.table({"image_id": [row[0] for row in rows], "embedding": vectors}), folder / "e.parquet")

    return prepare


def _columns(sign: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / "t.csv").write_text(f'image_id,"{sign}","{sign}2"\na,b,c\n', newline="")
