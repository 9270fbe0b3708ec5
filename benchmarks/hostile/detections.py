"""MegaDetector's results, broken and hostile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.inputs import lengthen
from hostile.sources import changed, source_case, then

RESULTS, CORNERS = "data/results.json", "data/corners.json"


def cases() -> Iterator[Case]:
    """Results whose values can't be."""

    def case(name: str, change: Callable[[Any], Any], wanted: str = "refused", says: str = "", more: str = "") -> Case:
        prepare = changed(RESULTS, results, change)
        return source_case(f"results {name}", f"import {RESULTS} --out cat {more}", prepare, wanted, says)

    def first(**fields: Any) -> Callable[[Any], Any]:
        return lambda c: c["images"][0]["detections"][0].update(fields)

    for name, box in (
        ("NaN", [float("nan")] * 4),
        ("infinity", [0, 0, float("inf"), 0.5]),
        ("pixels", [10, 10, 300, 200]),
        ("no area", [0.1, 0.1, 0, 0.5]),
        ("a negative area", [0.5, 0.5, -0.2, -0.2]),
        ("three numbers", [0, 0, 0.5]),
        ("10^400", [0, 0, 10**400, 0.5]),
        ("a pixel's millionth", [0.5, 0.5, 1e-300, 1e-300]),
    ):
        yield case(f"with a box of {name}", first(bbox=box), says="detections")
    for name, conf in (
        ("NaN", float("nan")),
        ("2", 2),
        ("-1", -1),
        ("text", "0.9"),
        ("10^400", 10**400),
        ("true", True),
    ):
        yield case(f"with a confidence of {name}", first(conf=conf), says="conf")
    for name in ("../../../etc/passwd", "/etc/passwd", "C:\\x.png"):
        yield case(f"with a photo at {name!r}", lambda c, n=name: c["images"][0].update(file=n), "either")
    for kind in (["1"], {}, None, 1, 10**30, "\x1b[2J", "<script>"):
        yield case(f"with a category of {kind!r}", first(category=kind), "either")
    yield case("with 20,000 categories", _many_categories, "either")
    yield case("with categories that name each other", lambda c: c.update(detection_categories={"1": "2", "2": "1"}))
    yield case(
        "with categories of lists", lambda c: c.update(detection_categories={"1": ["animal"]}), says="categories"
    )
    for found in ("x", [[]], [["0"]], [[0, 1]], [[["0"], 1]], {"0": 1}, [[None, 0.5]], [["\x1b[2J", 0.5]]):
        yield case(f"with classifications of {found!r}", first(classifications=found), "either")
    yield case("of photos that all failed", lambda c: [one.update(failure="\x1b[2J") for one in c["images"]])
    yield case("of videos alone", lambda c: [one.update(frame_rate=30) for one in c["images"]], says="video")
    yield case("with a photo twice", lambda c: c["images"].append(c["images"][0]), says="images")
    yield case("with detections of a number", lambda c: c["images"][0].update(detections=7), says="detections")
    yield case("with widths of text", lambda c: c["images"][3].update(width="64"), says="width")
    yield case(
        "of photos that aren't there",
        lambda c: [one.update(file=f"{n}.jpg") for n, one in enumerate(c["images"])],
        "either",  # one of them has its size in the file
    )
    yield case("with one sure detection less", lambda c: None, "refused", "min_conf|confiden", "--min-conf 1")
    yield source_case(
        "two files of results in a folder", "import data --out cat", then(results, corners), says="results"
    )
    spoils: tuple[tuple[str, Callable[[Path], None]], ...] = (("20 GB long", lengthen), ("a pipe", _pipe))
    for name, spoil in spoils:
        yield source_case(
            f"results of a photo that is {name}",
            f"import {RESULTS} --out cat",
            then(results, lambda f, s=spoil: s(f / "data/images/0_0.png")),
            "either",
            limit=20,
        )


def _many_categories(content: Any) -> None:
    """Detections, each of a category of its own."""
    found = [{"category": f"kind{n}" * 5, "conf": 0.9, "bbox": [0, 0, 1, 1]} for n in range(20_000)]
    content["images"][0]["detections"] += found


def _pipe(path: Path) -> None:
    import os

    path.unlink()
    os.mkfifo(path)


def results(folder: Path) -> None:
    """MegaDetector's results with boxes as shares."""
    images: list[dict[str, Any]] = [
        {
            "file": f"images/{n}_0.png",
            "detections": [
                {"category": "1", "conf": 0.9, "bbox": [0.1, 0.1, 0.5, 0.5], "classifications": [["0", 0.9]]}
            ],
        }
        for n in range(4)
    ]
    images[1]["failure"] = "image access failure"
    images[2]["detections"].append({"category": "2", "conf": 0.8, "bbox": [0, 0, 1, 1]})
    images[3] |= {"width": 64, "height": 64, "datetime": "2020:01:02 10:00:00"}
    held = {"images": images, "detection_categories": {"1": "animal", "2": "person"}}
    held |= {"classification_categories": {"0": "orca"}, "info": {"format_version": "1.5"}}
    (folder / RESULTS).write_text(json.dumps(held))


def corners(folder: Path) -> None:
    """MegaDetector's results as a list, with boxes as corners in pixels."""
    detections = [{"category": "animal", "confidence": 0.9, "bbox": [4, 4, 40, 40]}]
    (folder / CORNERS).write_text(
        json.dumps([{"file": f"images/{n}_0.png", "detections": detections} for n in range(4)])
    )
