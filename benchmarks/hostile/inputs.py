"""JSON of ours, broken and hostile: a run's, a network's, a task's, embeddings', a protocol's, a calibration's."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.world import EMBED, EVALUATE, TRAIN


def _python(what: str) -> Callable[[Path], Any]:
    def call(folder: Path) -> Any:
        from whalereid import Catalogue, Protocol, ScoreCalibration

        if what == "protocol":
            return Protocol.read("protocol", Catalogue.read("data/photos.csv"))
        return ScoreCalibration.read("calibration.json")

    return call


RESUME = f"{TRAIN} --epochs 3 --out half --resume"
DOCUMENTS: dict[str, tuple[str, list[tuple[str, Any]]]] = {
    "config": ("run/config.json", [("embed", f"{EMBED} --out new.parquet")]),
    "run": ("half/run.json", [("train --resume", RESUME)]),
    "task": ("ranking.csv.task.json", [("evaluate", EVALUATE)]),
    "embeddings": (
        "embdir/embeddings.json",
        [
            ("embed", f"{EMBED} --out embdir"),
            ("rank", "rank --embeddings embdir --catalogue data/photos.csv --queries all --out n.csv"),
        ],
    ),
    "protocol": ("protocol/protocol.json", [("Protocol.read", _python("protocol"))]),
    "calibration": ("calibration.json", [("ScoreCalibration.read", _python("calibration"))]),
}
BROKEN: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"{",
    "nested 200,000 deep, lists": b"[" * 200_000,
    "nested 200,000 deep, objects": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "an empty object": b"{}",
    "text": b'"x"',
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "NUL bytes": bytes(1000),
    "a number of 10,000 digits": b"9" * 10_000,
    "a half surrogate": b'{"format": "\\ud800"}',
}
VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    "",
    "x",
    "\x1b[2J",
    [],
    [[]],
    ["x"],
    [None],
    {},
    {"a": 1},
    float("nan"),
]


def cases(chosen: random.Random) -> Iterator[Case]:
    for kind, (file, uses) in DOCUMENTS.items():
        for verb, use in uses:
            for name, content in BROKEN.items():
                yield _case(
                    f"{verb}: {kind} is {name}", use, lambda f, file=file, c=content: (f / file).write_bytes(c), file
                )
            yield _case(f"{verb}: {kind} nested inside its own", use, lambda f, file=file: nest(f / file), file)
            yield _case(
                f"{verb}: {kind} is a folder",
                use,
                lambda f, file=file: ((f / file).unlink(), (f / file).mkdir()),
                file,
                wanted="either" if kind in ("task", "protocol") else "refused",
            )
            yield _case(f"{verb}: {kind} is 20 GB long", use, lambda f, file=file: lengthen(f / file), file, limit=20)
            for number in range(14):
                change = random.Random(f"{chosen.random()}")
                yield _case(
                    f"{verb}: {kind} with another value, {number}",
                    use,
                    lambda f, file=file, c=change: mutate(f / file, c),
                    file,
                    wanted="either",
                )
            for number in range(3):
                change = random.Random(f"{chosen.random()}")
                yield _case(
                    f"{verb}: {kind} without a key, {number}",
                    use,
                    lambda f, file=file, c=change: drop(f / file, c),
                    file,
                    wanted="either",
                )
    for value in ([], {}, None, 7, "", "no_such_network", ["resnet18"], "\x1b[31m"):
        yield _case(
            f"embed: config's backbone is {value!r}",
            f"{EMBED} --out n.parquet",
            lambda f, v=value: set_key(f / "run/config.json", "backbone", v),
            "run/config.json",
        )
    for key, value in (
        ("mean", [float("nan")] * 3),
        ("std", [0, 0, 0]),
        ("std", [float("nan")] * 3),
        ("image_size", 10**9),
        ("image_size", [1, 1]),
        ("dim", 10**12),
        ("copies", 10**9),
        ("dropout", 7),
        ("image_size", True),
        ("pooling", []),
        ("neck", {}),
        ("weights", "\x1b[2J"),
    ):
        wanted = "either" if key == "weights" else "refused"
        yield _case(
            f"embed: config's {key} is {value!r}",
            f"{EMBED} --out n.parquet",
            lambda f, k=key, v=value: set_key(f / "run/config.json", k, v),
            "run/config.json",
            wanted=wanted,
        )


def _case(
    name: str, use: Any, prepare: Callable[[Path], Any], file: str, wanted: str = "refused", limit: float = 60
) -> Case:
    says = "" if wanted != "refused" else file.rpartition("/")[2].split(".")[0] + "|" + file.split("/")[0]
    if callable(use):
        return Case(name, call=use, prepare=prepare, wanted=wanted, says=says, limit=limit)
    writes = {"half": ("half",), "embdir": ("embdir", "n.csv", "n.csv.task.json")}.get(
        file.split("/")[0], ("new.parquet", "n.parquet")
    )
    return Case(name, use.split(), prepare=prepare, wanted=wanted, says=says, limit=limit, writes=writes)


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content))


def set_key(path: Path, key: str, value: Any) -> None:
    """Put another value into a document."""
    _write(path, _read(path) | {key: value})


def nest(path: Path) -> None:
    """Put endless brackets where the first value of a document stands."""
    content = _read(path)
    key = next(iter(content))
    text = json.dumps(content | {key: "HERE"})
    path.write_text(text.replace('"HERE"', "[" * 200_000 + "]" * 200_000))


def lengthen(path: Path) -> None:
    """Make a file 20 GB long, without a byte of them on disk."""
    with path.open("r+b") as file:
        file.truncate(20 * 10**9)


def _places(content: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _places(value, (*at, key))
    elif isinstance(content, list):
        for number, value in enumerate(content[:3]):
            yield from _places(value, (*at, number))


def mutate(path: Path, change: random.Random, values: Sequence[Any] = VALUES) -> None:
    """Put a wrong value somewhere into a document."""
    content = _read(path)
    *way, last = change.choice(list(_places(content)))
    inside = content
    for step in way:
        inside = inside[step]
    inside[last] = change.choice(values)
    _write(path, content)


def drop(path: Path, change: random.Random) -> None:
    """Take a key out of a document."""
    content = _read(path)
    *way, last = change.choice([place for place in _places(content) if isinstance(place[-1], str)])
    inside = content
    for step in way:
        inside = inside[step]
    del inside[last]
    _write(path, content)
