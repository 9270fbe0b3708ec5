"""Options out of their range: found among the commands' own parameters, so that a new one is tried too."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

from typer.models import OptionInfo

from hostile.case import Case
from hostile.world import EMBED, EVALUATE, RANK, SMALL
from whalereid.registry import Part

LINES = {
    "start": "start data/photos.csv --model run --no-open --out begun",
    "import": "import data/photos.csv --out imported",
    "encounters": "encounters --catalogue data/photos.csv",
    "models": "models",
    "report": "report ranking.csv --catalogue data/photos.csv --out page",
    "export": "export --catalogue data/photos.csv --to csv --out new.csv",
    "check": "check --catalogue data/photos.csv",
    "split": "split --catalogue data/photos.csv",
    "train": f"train --catalogue data/photos.csv {SMALL} --out new-run --folds folds.csv --fold 0 --epochs 1",
    "embed": f"{EMBED} --out new.parquet",
    "rank": f"{RANK} --out new.csv",
    "evaluate": EVALUATE,
}
NO_NUMBER = ["", "nan", "inf", "-inf", "x", "1e999", "0x10", "1,5", "--seed", "\x1b[2J", "9" * 5000, "１２x"]
NO_WHOLE = ["-1", "1.5", "1_000", "99999999999999999999", str(2**64), str(-(2**63))]

WORDS = ["", "nonsense", "\x1b[31mred", "é" * 300, "../..", "auto\n"]
PARTS = [*WORDS, ":", "nonsense:x=1", ":x=1", "a" * 5000, "x:" + "k=1," * 2000, "x:a=[[[[", "x:a=\x1b[2J"]


@dataclass(frozen=True)
class Option:
    """An option of a command, read off the command's own signature."""

    command: str
    name: str
    kinds: frozenset[type]
    metavar: str


def every_option() -> Iterator[Option]:
    """Every option of every command."""
    from whalereid.cli.app import app

    for registered in app.registered_commands:
        assert registered.callback is not None
        assert registered.name is not None
        for name, hint in get_type_hints(registered.callback, include_extras=True).items():
            given = getattr(hint, "__metadata__", (None,))[0]
            if not isinstance(given, OptionInfo):
                continue
            long = [part.split("/")[0] for part in given.param_decls or () if part.startswith("--")]
            kinds = frozenset(_kinds(get_args(hint)[0]))
            yield Option(registered.name, (long or [f"--{name.replace('_', '-')}"])[0], kinds, given.metavar or "")


def _kinds(hint: Any) -> Iterator[type]:
    """The types that an annotation is made of: of `list[float] | None`, float."""
    if get_args(hint):
        for part in get_args(hint):
            yield from _kinds(part)
    elif hint is not type(None):
        yield hint


def cases(chosen: random.Random) -> Iterator[Case]:
    for one in every_option():
        command, option = one.command, one.name
        line = _without(LINES[command].split(), option)
        kind = next(iter(one.kinds))
        if kind in (int, float):
            values = chosen.sample(NO_NUMBER, 4) + (NO_WHOLE if kind is int else ["-1", "-1e300"])
            for value in values:
                if option == "--workers" and value.isdigit() and len(value) < 30:
                    continue  # capped
                yield Case(f"{command} {option} {value[:24]!r}", [*line, f"{option}={value}"], light=True)
        elif kind is bool:
            yield Case(f"{command} {option}=x", [*line, f"{option}=x"], light=True)
        elif kind is Part or issubclass(kind, Enum):
            for value in chosen.sample(PARTS if kind is Part else WORDS, 2):
                yield Case(f"{command} {option} {value[:12]!r}", [*line, f"{option}={value}"], light=True)
    yield from _by_hand()


def _by_hand() -> Iterator[Case]:
    def train(name: str, options: str, **more: Any) -> Case:
        line = f"train --catalogue data/photos.csv --out new-run --weights random --backbone test_resnet {options}"
        return Case(f"train {name or options}", line.split(), light=True, **more)

    for options in (
        "--image-size 1",
        "--image-size 1000000",
        "--epochs 0",
        "--batch-size 1",
        "--lr 1e300",
        "--folds folds.csv --fold 7",
        "--folds folds.csv --fold 0 --test-fold 0",
        "--fold 0 --valid data/photos.csv",
        "--folds folds.csv",
        "--valid absent.csv",
        "--recipe other",
        "--exclude nosuch --folds folds.csv --fold 0",
        "--match nosuch --folds folds.csv --fold 0",
        "--classes nosuch",
        "--weights other",
        "--weights data",
        "--device meta",
        "--resume",
    ):
        yield train("", options)
    yield Case(
        "train into a file",
        ["train", "--catalogue", "data/photos.csv", "--weights", "random", "--out", "notes.txt"],
        light=True,
    )
    yield Case(
        "train into a person's folder",
        ["train", "--catalogue", "data/photos.csv", "--weights", "random", "--out", "mine"],
        light=True,
    )
    for name in ("", "nosuch", "RESNET", "a" * 5000, "../run", "\x1b[2J", "timm/../x", "hf-hub:a/b", "resnet50.", "\0"):
        line = [
            "train",
            "--catalogue",
            "data/photos.csv",
            "--out",
            "new-run",
            "--image-size",
            "32",
            "--epochs",
            "1",
            "--weights",
            "random",
        ]
        line.append(f"--backbone={name}")
        yield Case(f"train --backbone {name[:20]!r}", line)
    for device in ("meta", "cuda:99", "toaster", "cpu:x", "", "cuda:-1", "lazy", "cpu,cuda", "CPU"):
        yield Case(
            f"embed --device {device!r}",
            [*EMBED.split()[:-2], f"--device={device}", "--out=n"],
            light=device not in ("cuda:99",),
        )
    for command, line in LINES.items():
        if command in ("train", "embed"):
            for workers in ("5000", "100000"):
                words = [*_without(line.split(), "--workers"), f"--workers={workers}"]
                yield Case(
                    f"{command} --workers {workers} is capped and said",
                    words,
                    wanted="done",
                    says=r"--workers.*core",
                    writes=("new-run", "new.parquet"),
                )
        yield Case(f"{command} with an option twice removed", [*line.split(), "--no-such-option"], light=True)
        yield Case(f"{command} with an argument too many", [*line.split(), "x", "y", "z", "w"], light=True)
        yield Case(f"{command} with an empty argument", [*line.split(), ""], light=True)
        if "data/photos.csv" in line:
            yield Case(f"{command} of an absent catalogue", _other_catalogue(line.split()), light=True)
    for figure in ("new", "new.txt", "new.jpeg2", "new.PNGX", ".png/", "new.", "new.csv", "nowhere/\0.png"):
        yield Case(f"evaluate --figure {figure!r}", [*EVALUATE.split(), f"--figure={figure}"], light=True)
    for name in ("new", "new.txt", "new.csv.gz", "", ".", "data", "new.json", ".csv"):
        yield Case(f"rank --out {name!r}", [*RANK.split(), f"--out={name}"], light=True)
    for day in ("2020-13-01", "yesterday", "", "2020", "01/02/2020", "9999999-01-01", "-1", "nan"):
        yield Case(
            f"split --from {day!r}",
            f"split --catalogue data/photos.csv --by date --from={day}".split(),
            wanted="either",
        )
    for options in (
        "--by date --folds 3",
        "--by open-set --folds 2",
        "--by identity --from 2020-01-01",
        "--use folds.csv --out x.csv",
        "--use folds.csv --seed 1",
        "--folds 1000000000000",
        "--by identity --folds 7",
        "--by open-set --unseen 0.5 --test-share 1",
    ):
        yield Case(f"split {options}", f"split --catalogue data/photos.csv {options}".split(), light=True)
    yield Case("evaluate --resamples 1", [*EVALUATE.split()[:-1], "1"], light=True)
    yield Case("rank -k of 20 digits", [*RANK.split(), "--out", "n.csv", "-k", "9" * 20], light=True)
    yield Case(
        "rank --weights beyond a float together",
        [*RANK.split(), "--embeddings", "embdir", "--out", "n.csv", "--weights", "1e308", "--weights", "1e308"],
        wanted="refused",
    )
    yield Case(
        "rank --weights below every float",
        [*RANK.split(), "--out", "n.csv", "--weights", "1e-320"],
        wanted="either",
        writes=("n.csv", "n.csv.task.json"),
    )
    yield Case("rank --rerank magic", [*RANK.split(), "--out", "n.csv", "--rerank", "magic"], light=True)
    for options in (
        "--by nosuch",
        "--by nosuch-pair",
        "--denominator x",
        "--interval x",
        "--exclude nosuch",
        "--validation ranking.csv",
        "--train absent.csv",
        "--labels labels.csv --match identity",
        "--by ''",
    ):
        yield Case(f"evaluate {options}", [*EVALUATE.split(), *[w.strip("'") for w in options.split()]])
    yield Case(
        "an empty training part is called that",
        [
            "train",
            "--catalogue",
            "data/photos.csv",
            "--weights",
            "random",
            "--backbone",
            "test_resnet",
            "--folds",
            "one.csv",
            "--fold",
            "0",
            "--out",
            "n",
        ],
        prepare=_one_fold,
        light=True,
        says="training part is empty|no photo to train on|empty training part",
    )


def _one_fold(folder: Path) -> None:
    ids = [row.split(",")[0] for row in (folder / "data" / "photos.csv").read_text().splitlines()[1:]]
    (folder / "one.csv").write_text("image_id,fold\n" + "".join(f"{i},0\n" for i in ids))


def _without(line: list[str], option: str) -> list[str]:
    if option in line:
        at = line.index(option)
        return [*line[:at], *line[at + 2 :]]
    return line


def _other_catalogue(line: list[str]) -> list[str]:
    return [word.replace("data/photos.csv", "data/absent.csv") for word in line]
