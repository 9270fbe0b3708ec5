"""Outputs named where something else is: nothing of the user's is ever written over."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.world import EMBED, EVALUATE, RANK, SMALL

SPLIT = "split --catalogue data/photos.csv --by encounter --folds 2"
TRAIN = f"train --catalogue data/photos.csv {SMALL} --epochs 1 --folds folds.csv --fold 0"
WRITERS = {"rank": RANK, "split": SPLIT, "embed": EMBED, "train": TRAIN}
THEIRS = [  # what a person has that no command may take for its own
    "data/photos.csv",
    "data/images/0_0.png",
    "data/images/0_1.jpg",
    "notes.txt",
    "mine",
    "data",
    "labels.csv",
    "queries.csv",
    "mine/thesis.txt",
    "run/history.csv",
    "run/run.json",
    "run/model.safetensors",
    "run/checkpoint/last.pt",
    "protocol",
    "calibration.json",
    ".",
]
OF_OTHERS = {  # and what another command wrote
    "rank": ["folds.csv", "emb.parquet", "embdir", "run", "ranking.csv.task.json", "embdir/part-00000.parquet"],
    "split": ["ranking.csv", "emb.parquet", "embdir", "run", "ranking.parquet"],
    "embed": ["ranking.parquet", "ranking.csv", "folds.csv", "run", "half"],
    "train": ["embdir", "emb.parquet", "folds.csv", "run", "half"],
}
FIGURE = [
    "data/images/0_0.png",
    "data/images/0_1.jpg",
    "labels.csv",
    "mine",
    "data/photos.csv",
    "theirs.png",
    "theirs.svg",
    "theirs.pdf",
]


def _theirs(folder: Path) -> None:
    (folder / "theirs.png").write_bytes((folder / "data/images/0_0.png").read_bytes())
    (folder / "theirs.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>\n")
    (folder / "theirs.pdf").write_bytes(b"%PDF-1.4\n% a person's\n")
    (folder / "theirs.csv").write_text("day,animals\n1,2\n")
    (folder / "theirs.parquet").write_bytes((folder / "ranking.parquet").read_bytes()[:-20])
    (folder / "empty.csv").write_text("")


def cases(chosen: random.Random) -> Iterator[Case]:
    for command, line in WRITERS.items():
        for out in [*THEIRS, *OF_OTHERS[command], "theirs.csv", "theirs.parquet", "/dev/full", "/dev/null", "/proc/x"]:
            yield Case(f"{command} --out {out}", [*line.split(), "--out", out], prepare=_theirs)
    for out in FIGURE:
        yield Case(f"evaluate --figure {out}", [*EVALUATE.split(), "--figure", out], prepare=_theirs)
    yield from _same_file()
    yield from _links(chosen)
    yield from _again()
    yield from _library()
    yield from _folders()


def _same_file() -> Iterator[Case]:
    """An input named as the output, by other words."""
    for name, out in (("dotted", "./data/../data/photos.csv"), ("absolute", "@/data/photos.csv")):
        for command in ("rank", "split"):
            yield Case(f"{command} --out over its catalogue, {name}", [], call=_called(WRITERS[command], out))
    own = [
        "rank",
        "--embeddings",
        "emb.parquet",
        "--catalogue",
        "data/photos.csv",
        "--queries",
        "mine.csv",
        "--out",
        "mine.csv",
    ]
    yield Case(
        "rank --out over its own --queries", own, prepare=lambda f: (f / "mine.csv").write_text("image_id\np00\n")
    )
    own = [
        "rank",
        "--embeddings",
        "emb.parquet",
        "--catalogue",
        "data/photos.csv",
        "--queries",
        "ranking.csv",
        "--out",
        "ranking.csv",
    ]
    yield Case("rank --out over a ranking that is its --queries", own)
    own = [
        "rank",
        "--embeddings",
        "emb.parquet",
        "--catalogue",
        "data/photos.csv",
        "--folds",
        "folds.csv",
        "--fold",
        "0",
        "--out",
        "folds.csv",
    ]
    yield Case("rank --out over its --folds", own)
    own = [
        "rank",
        "--embeddings",
        "emb.parquet",
        "--catalogue",
        "data/photos.csv",
        "--queries",
        "all",
        "--out",
        "emb.parquet",
    ]
    yield Case("rank --out over its --embeddings", own)
    yield Case("rank --out over its --embeddings, forced", [*own, "--force"])
    own = [
        "rank",
        "--embeddings",
        "emb.parquet",
        "--catalogue",
        "data/photos.csv",
        "--queries",
        "all",
        "--out",
        "data/photos.csv",
        "--force",
    ]
    yield Case("rank --out over its catalogue, forced", own)
    yield Case("split --out over its catalogue, forced", [*SPLIT.split(), "--out", "data/photos.csv", "--force"])
    yield Case(
        "split --out over a catalogue that has folds",
        ["split", "--catalogue", "with.csv", "--folds", "2", "--out", "with.csv"],
        prepare=_with_folds,
    )


def _with_folds(folder: Path) -> None:
    (folder / "with.csv").write_text(
        "image_id,path,identity,fold\na,data/images/0_0.png,x,0\nb,data/images/1_0.png,y,1\n"
    )


def _called(line: str, out: str) -> Callable[[Path], Any]:
    from hostile.files import status_of

    return lambda folder: status_of(f"{line} --out {out.replace('@', str(folder))}")


def _links(chosen: random.Random) -> Iterator[Case]:
    """Links, pipes and devices where a file is wanted."""

    def hard(folder: Path) -> None:
        (folder / "out.csv").hardlink_to(folder / "data" / "photos.csv")

    def soft(folder: Path) -> None:
        (folder / "out.csv").symlink_to("data/photos.csv")

    def dangling(folder: Path) -> None:
        (folder / "out.csv").symlink_to("nowhere/x.csv")

    def circle(folder: Path) -> None:
        (folder / "out.csv").symlink_to("out.csv")

    def pipe(folder: Path) -> None:
        os.mkfifo(folder / "out.csv")

    def to_theirs(folder: Path) -> None:
        (folder / "out.csv").symlink_to("notes.txt")

    for make in (hard, soft, dangling, circle, pipe, to_theirs):
        for command in ("rank", "split"):
            yield Case(
                f"{command} --out a {make.__name__} link", [*WRITERS[command].split(), "--out", "out.csv"], prepare=make
            )
    for command in ("embed", "train"):
        yield Case(
            f"{command} --out a link to a person's folder",
            [*WRITERS[command].split(), "--out", "out"],
            prepare=lambda f: (f / "out").symlink_to("mine"),
        )
        yield Case(
            f"{command} --out a dangling link",
            [*WRITERS[command].split(), "--out", "out"],
            prepare=lambda f: (f / "out").symlink_to("nowhere/x"),
        )


def _again() -> Iterator[Case]:
    """What must go on working: a command over its own earlier output."""
    yield Case(
        "rank again over its ranking",
        [*RANK.split(), "--out", "ranking.csv"],
        wanted="done",
        writes=("ranking.csv", "ranking.csv.task.json"),
    )
    yield Case(
        "rank again over its Parquet",
        [*RANK.split(), "--out", "ranking.parquet"],
        wanted="done",
        writes=("ranking.parquet", "ranking.parquet.task.json"),
    )
    yield Case(
        "split again over its folds", [*SPLIT.split(), "--out", "folds.csv"], wanted="done", writes=("folds.csv",)
    )
    yield Case("embed again over its Parquet", [*EMBED.split(), "--out", "emb.parquet"], wanted="done")
    yield Case("embed again over its folder", [*EMBED.split(), "--out", "embdir"], wanted="done")
    yield Case(
        "a figure where there was none", [*EVALUATE.split(), "--figure", "f.png"], wanted="done", writes=("f.png",)
    )
    twice = [*EVALUATE.split(), "--figure", "f.png"]
    yield Case("a figure over its own", [], call=lambda f: _twice(twice), wanted="done", writes=("f.png",))
    yield Case(
        "rank over a person's table, forced",
        [*RANK.split(), "--out", "theirs.csv", "--force"],
        prepare=_theirs,
        wanted="done",
        says="force|overwrit|replac",
        writes=("theirs.csv", "theirs.csv.task.json"),
    )
    for name in ("a" * 251 + ".csv", "é" * 125 + ".csv", "🐋" * 62 + ".csv"):
        for command in ("rank", "split"):
            yield Case(
                f"{command} --out a name of {len(name.encode())} bytes, {name[0]}",
                [*WRITERS[command].split(), "--out", name],
                wanted="either" if command == "rank" else "done",
                writes=(name, f"{name[:4]}*"),
            )
    for length in (300, 5000):
        for command in WRITERS:
            yield Case(
                f"{command} --out a name of {length} bytes",
                [
                    *WRITERS[command].split(),
                    "--out",
                    "b" * length + (".csv" if command in ("rank", "split") else ".parquet"),
                ],
            )
    long = "c" * 247 + ".parquet"
    yield Case("embed --out a name of 255 bytes", [*EMBED.split(), "--out", long], wanted="done", writes=(long,))
    yield Case(
        "train --out a name of 255 bytes", [*TRAIN.split(), "--out", "d" * 255], wanted="done", writes=("d" * 255,)
    )
    yield Case(
        "figure of a name of 255 bytes",
        [*EVALUATE.split(), "--figure", "e" * 251 + ".png"],
        wanted="done",
        writes=("e" * 251 + ".png",),
    )


def _twice(line: list[str]) -> None:
    from hostile.case import command

    for _ in range(2):
        if command(line) != 0:
            raise SystemExit("refused its own")


def _library() -> Iterator[Case]:
    """The library's own writers."""

    def made(kind: str, folder: Path) -> Any:
        from whalereid import Catalogue, Embedder, Embeddings, Protocol, Ranking, ScoreCalibration

        return {
            "Catalogue": lambda: Catalogue.read("data/photos.csv"),
            "Ranking": lambda: Ranking.read("ranking.csv"),
            "Embeddings": lambda: Embeddings.read("emb.parquet"),
            "Protocol": lambda: Protocol.from_catalogue(Catalogue.read("data/photos.csv")),
            "ScoreCalibration": lambda: ScoreCalibration.read("calibration.json"),
            "Embedder": lambda: Embedder.load("run"),
        }[kind]()

    places = [
        "data/images/0_1.jpg",
        "data/images/0_0.png",
        "notes.txt",
        "mine",
        "data",
        "run/run.json",
        "run/history.csv",
        "theirs.csv",
        "emb.parquet",
        "ranking.csv.task.json",
    ]
    for kind in ("Catalogue", "Ranking", "Embeddings", "Protocol", "ScoreCalibration", "Embedder"):
        for place in places:
            if (kind, place) == ("Embeddings", "emb.parquet"):
                continue
            verb = "save" if kind == "Embedder" else "write"

            def call(folder: Path, kind: str = kind, place: str = place, verb: str = verb) -> Any:
                return getattr(made(kind, folder), verb)(place)

            yield Case(f"{kind}.{verb}({place!r})", call=call, prepare=_theirs)

    def folds(folder: Path, place: str) -> Any:
        from whalereid import Catalogue, EncounterFolds, fold_table, write_folds

        return write_folds(fold_table(EncounterFolds(2), Catalogue.read("data/photos.csv")), place)

    for place in places:
        yield Case(f"write_folds({place!r})", call=lambda f, place=place: folds(f, place), prepare=_theirs)


def _folders() -> Iterator[Case]:
    """A person's files in folders that are ours, finished or not."""
    stranger = "theirs.parquet"

    def beside(folder: Path) -> None:
        (folder / "embdir" / stranger).write_bytes((folder / "emb.parquet").read_bytes())
        (folder / "embdir" / "notes.txt").write_text("mine")

    def unfinished(folder: Path) -> None:
        import json

        beside(folder)
        marker = next(path for path in (folder / "embdir").iterdir() if path.suffix == ".json")
        marker.write_text(json.dumps(json.loads(marker.read_text()) | {"complete": False}))

    def like_a_part(folder: Path) -> None:
        unfinished(folder)
        import pandas as pd

        pd.DataFrame({"image_id": ["z"], "embedding": [[1.0, 2.0]]}).to_parquet(
            folder / "embdir" / "part-00007.parquet"
        )

    for make in (beside, unfinished):
        yield Case(
            f"embed into its folder, a person's Parquet {make.__name__}",
            [*EMBED.split(), "--out", "embdir"],
            prepare=make,
            wanted="either",
            writes=("embdir/part-00000.parquet", "embdir/embeddings.json"),
            check=_strangers_stay,
        )
    yield Case(
        "embed into its folder, a person's part",
        [*EMBED.split(), "--out", "embdir"],
        prepare=like_a_part,
        wanted="either",
        writes=("embdir/embeddings.json", "embdir/part-00000.parquet", "embdir/part-00008.parquet"),
    )
    yield Case(
        "train --resume keeps a person's file in the run",
        f"{TRAIN} --out half --resume --epochs 3 --seed 3".split(),
        prepare=lambda f: (f / "half" / "mine.txt").write_text("x"),
        wanted="done",
        writes=(
            "half/history.csv",
            "half/run.json",
            "half/model.safetensors",
            "half/head.safetensors",
            "half/config.json",
            "half/checkpoint",
        ),
    )
    yield Case(
        "check --write over a table",
        ["check", "--catalogue", "data", "--write"],
        prepare=lambda f: (f / "data" / "metadata.csv").write_text("image_id,path\na,images/0_0.png\n"),
    )


def _strangers_stay(folder: Path, given: Any) -> str | None:
    return None if (folder / "embdir" / "theirs.parquet").exists() else "unlinked a person's Parquet"
