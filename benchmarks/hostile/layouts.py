"""JSON that others wrote of their photos: COCO annotations and MegaDetector's results, broken and hostile."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile import detections
from hostile.case import Case
from hostile.detections import CORNERS, RESULTS, corners, results
from hostile.inputs import BROKEN, drop, lengthen, mutate, nest
from hostile.sources import WRONG, changed, source_case, then

COCO = "data/coco.json"
CHANGES, DROPS = 30, 8


def cases(chosen: random.Random) -> Iterator[Case]:
    for file, write in ((COCO, coco), (RESULTS, results), (CORNERS, corners)):
        kind = Path(file).stem
        line = f"import {file} --out cat"
        yield source_case(f"{kind} as it should be", line, write, wanted="done")
        for name, content in BROKEN.items():
            yield source_case(f"{kind} is {name}", line, lambda f, file=file, c=content: (f / file).write_bytes(c))
        yield source_case(f"{kind} nested inside its own", line, then(write, lambda f, file=file: _nest(f / file)))
        yield source_case(f"{kind} is 20 GB long", line, then(write, lambda f, file=file: lengthen(f / file)), limit=20)
        for number in range(CHANGES):
            change = random.Random(f"{chosen.random()}")
            yield source_case(
                f"{kind} with another value, {number}",
                line,
                then(write, lambda f, file=file, c=change: mutate(f / file, c, WRONG)),
                wanted="either",
            )
        for number in range(DROPS):
            change = random.Random(f"{chosen.random()}")
            yield source_case(
                f"{kind} without a key, {number}",
                line,
                then(write, lambda f, file=file, c=change: drop(f / file, c)),
                wanted="either",
            )
        yield source_case(
            f"{kind} with every key twice", line, then(write, lambda f, file=file: _twice(f / file)), "either"
        )
        yield source_case(f"check {kind}", f"check --catalogue {file}", write, wanted="done")
    yield from _of_coco()
    yield from detections.cases()


def coco(folder: Path) -> None:
    """Annotations of the world's photos, in the ways that exports have them."""
    images = [
        {"id": n, "file_name": f"images/{n}_0.png", "width": 64, "height": 64, "datetime": f"2020-01-0{n + 1} 10:00"}
        for n in range(4)
    ]
    animals: list[dict[str, Any]] = [
        {"id": n, "image_id": n, "category_id": 1 + n % 2, "bbox": [4.0, 4.0, 40.0, 40.0], "name": f"whale{n % 2}"}
        for n in range(4)
    ]
    animals[0] |= {"segmentation": [[4, 4, 40, 4, 40, 40]], "iscrowd": 0, "viewpoint": "left"}
    animals[1] |= {"segmentation": {"size": [64, 64], "counts": [0, 4096]}, "attributes": {"sex": "f", "age": 3}}
    kinds = [{"id": 1, "name": "beluga"}, {"id": 2, "name": "orca"}]
    (folder / COCO).write_text(json.dumps({"images": images, "annotations": animals, "categories": kinds}))


def _nest(path: Path) -> None:
    content = json.loads(path.read_text())
    if isinstance(content, dict):
        nest(path)
    else:
        path.write_text("[" * 200_000 + "]" * 200_000)


def _twice(path: Path) -> None:
    """Every object with all its keys twice, the first time with nonsense."""

    def written(value: Any) -> str:
        if isinstance(value, dict):
            pairs = [f"{json.dumps(key)}: {{}}" for key in value]
            return "{" + ", ".join([*pairs, *(f"{json.dumps(k)}: {written(v)}" for k, v in value.items())]) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(written, value)) + "]"
        return json.dumps(value)

    path.write_text(written(json.loads(path.read_text())))


def _of_coco() -> Iterator[Case]:
    def case(name: str, change: Callable[[Any], Any], wanted: str = "refused", says: str = "", more: str = "") -> Case:
        return source_case(f"coco {name}", f"import {COCO} --out cat {more}", changed(COCO, coco, change), wanted, says)

    def each(field: str, value: Any, of: str = "annotations") -> Callable[[Any], Any]:
        return lambda c: [one.update({field: value}) for one in c[of]]

    def first(field: str, value: Any, of: str = "annotations") -> Callable[[Any], Any]:
        return lambda c: c[of][0].update({field: value})

    for name, box in (
        ("NaN", [float("nan")] * 4),
        ("infinity", [0, 0, float("inf"), 5]),
        ("no area", [0, 0, 0, 5]),
        ("three numbers", [0, 0, 5]),
        ("10^400", [0, 0, 10**400, 5]),
        ("text", ["0", "0", "5", "5"]),
        ("true", [True, True, True, True]),
    ):
        yield case(f"with a box of {name}", first("bbox", box), says=r"annotations\[0\]")
    yield case("with boxes near the end of floats", each("bbox", [0, 0, 1e308, 1e308]), "either")
    runs = {
        "absurd run lengths": [0, 2**62, 2**62],
        "negative run lengths": [-1, 4097],
        "run lengths of 10^30": [10**30],
        "ten million run lengths": [0, 1] * 5_000_000,
        "no run lengths": [],
        "text for run lengths": "~~~~",
        "endless compressed run lengths": "o" * 1_000_000,
        "run lengths in lists": [[0], [4096]],
    }
    for name, counts in runs.items():
        shape = {"size": [64, 64], "counts": counts}
        yield case(f"with {name}", first("segmentation", shape), "either")
        yield source_case(
            f"coco with {name}",
            f"check --catalogue {COCO}",
            changed(COCO, coco, first("segmentation", shape)),
            "either",
        )
    for name, size in (
        ("a photo of 10^9 pixels a side", [10**9, 10**9]),
        ("three sides", [64, 64, 3]),
        ("no side", []),
        ("sides of 0", [0, 0]),
        ("NaN", [float("nan"), 64]),
        ("sides of text", ["64", "64"]),
    ):
        shape = {"size": size, "counts": [10**18 if len(size) == 2 and size[0] == 10**9 else 4096]}
        yield case(f"with a mask of {name}", first("segmentation", shape), "either")
    for name, polygons in (
        ("NaN", [[float("nan")] * 6]),
        ("one point", [[1, 2]]),
        ("an odd number", [[1, 2, 3, 4, 5, 6, 7]]),
        ("10^400", [[0, 0, 10**400, 0, 5, 5]]),
        ("floats that add up to none", [[1e308, 1e308, 1e308, 1e308, -1e308, 5]]),
        ("half a million corners", [[0, 0, 64, 64, 0, 64] * 80_000]),
        ("nothing", [[]]),
    ):
        yield case(f"with polygons of {name}", first("segmentation", polygons), "either")
    for name in ("../../../etc/passwd", "/etc/passwd", "images/../../../x.png", "C:\\x.png", "\\\\host\\x.png"):
        yield case(f"with a photo at {name!r}", first("file_name", name, "images"), says="leaves|absolute|folder")
    for name in ("a\0b.png", "", "  ", 7, None, ["x"], "n" * 100_000, "9" * 5000 + "_" + "9" * 5000 + ".jpg"):
        yield case(f"with a photo called {str(name)[:12]!r}", first("file_name", name, "images"), "either")
    yield case(
        "with only names of digits",
        lambda c: ([one.update(file_name="9" * 5000 + f"_{'9' * 5000}{n}.jpg") for n, one in enumerate(c["images"])]),
        "either",
    )
    for name in ("\x1b[2J\x07", "<script>alert(1)</script>", "\ud800", "a\nb", "x" * 100_000, "\u202egpj"):
        yield case(f"with an animal called {name[:12]!r}", each("name", name), "either")
        yield case(f"with a field called {name[:12]!r}", each(name, "x"), "either")
        yield case(f"with a photo called {name[:12]!r}, too", first("file_name", f"{name}.png", "images"), "either")
    yield case("with an image twice", lambda c: c["images"].append(c["images"][0]), says="images")
    yield case("with a category twice", lambda c: c["categories"].append(c["categories"][0] | {"name": "z"}), "either")
    yield case("with an annotation twice", lambda c: c["annotations"].append(c["annotations"][0]), "either")
    yield case(
        "with a category of itself", lambda c: c["categories"][0].update(id=[1], supercategory=c["categories"][1])
    )
    yield case("with categories in a circle", _circle, "done", "", "--identity category_id")
    yield case("with a category that isn't listed", each("category_id", 99), "either", "", "--identity category_id")
    yield case("with a list for a category", each("category_id", [1]), "either", "", "--identity category_id")
    yield case("with an annotation of no photo", first("image_id", 99), says=r"annotations\[0\]")
    yield case("with ids of true", each("id", True, "images"), says="images")
    yield case("with ids of 1.5", first("id", 1.5, "images"), says="images")
    yield case("with ids of 1 and '1'", lambda c: [c["images"][1].update(id="0")], "either")
    yield case("with dates of nonsense", each("date", "2020-99-99T99:99"), "either")
    yield case("with dates of numbers", each("datetime", 1e300, "images"), "either")
    yield case("with photos 10^300 pixels wide", each("width", 1e300, "images"), "either")
    yield case("with photos of -1 pixel", each("width", -1, "images"), says="images")
    yield case("with photos of NaN pixels", each("height", float("nan"), "images"), "either")
    yield case(
        "with 2,000 fields",
        lambda c: [one.update({f"f{n}": n for n in range(2000)}) for one in c["annotations"]],
        "done",
    )
    yield case("with fields called as ours", each("path", "/etc/passwd"), "either")
    yield case(
        "with a field called as ours, in attributes", each("attributes", {"image_id": 99, "bbox": "x"}), "either"
    )
    yield case("with values of many kinds in a field", lambda c: _kinds(c, [1, "a", True, 1.5]), "done")
    yield case("with numbers beyond 64 bits in a field", lambda c: _kinds(c, [10**30, -(10**30), 1e308, 0]), "done")
    yield case("with no image", lambda c: c.update(images=[]), "refused")
    yield case("with no annotation", lambda c: c.update(annotations=[]), "either")
    yield case("by a field that isn't there", lambda c: None, "refused", "nosuch", "--identity nosuch")
    yield case("by a field that holds lists", each("who", [1]), "refused", "who", "--identity who")
    yield case("by a field with an escape", lambda c: None, "refused", "", "--identity \x1b[2J")
    told = {"contributor": "whalereid", "identity": "name"}
    yield case("that says it is ours", lambda c: c.update(info=told), "either")
    yield case(
        "that says it is ours, wrongly", lambda c: c.update(info=told | {"identity": "\x1b[2J" * 1000}), "either"
    )
    yield case(
        "that says it is ours, with our ids",
        lambda c: [c.update(info=told), [a.update(whalereid_id="../x") for a in c["annotations"]]],
        "either",
    )


def _circle(content: Any) -> None:
    for number, kind in enumerate(content["categories"]):
        kind["supercategory"] = content["categories"][number - 1]["name"]


def _kinds(content: Any, values: list[Any]) -> None:
    for one, value in zip(content["annotations"], values, strict=True):
        one["further"] = value
