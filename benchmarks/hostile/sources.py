"""What cases of data sets from elsewhere share: wrong values, documents changed, a look at what was imported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.inputs import VALUES

WRONG: list[Any] = [
    *VALUES,
    "../../etc/passwd",
    "/etc/passwd",
    "C:\\photos\\a.jpg",
    "<script>alert(1)</script>",
    "\ud800",
    "a\nb",
    "a\0b",
    "x" * 100_000,
    10**400,
    -(2**63) - 1,
    1e-320,
    {"size": [64, 64], "counts": [4096]},
    [[0, 0, 9, 0, 9, 9]],
    "2020-13-45",
]


def sound(folder: Path, status: Any, out: str = "cat") -> str | None:
    """What is wrong with the catalogue that an import has written, or nothing."""
    if status != 0:
        return f"{out} is there, though it was refused" if (folder / out).exists() else None
    import math

    from whalereid import Catalogue

    photos = Catalogue.read(folder / out)
    root = photos.root.resolve()
    if any(not path.absolute().is_relative_to(photos.root.absolute()) for path in photos.paths):
        return f"a path leaves {root}"
    boxes = [box for box in photos.column("bbox") if isinstance(box, tuple)] if "bbox" in photos.columns else []
    if any(not all(map(math.isfinite, box)) for box in boxes):
        return "a box that isn't finite"
    sides = [side for name in ("width", "height") if name in photos.columns for side in photos.column(name).dropna()]
    if any(not 0 < side < math.inf for side in sides):
        return "a side of no pixel"
    return None


def source_case(
    name: str,
    line: str | list[str],
    prepare: Callable[[Path], Any],
    wanted: str = "refused",
    says: str = "",
    limit: float = 60,
) -> Case:
    """A case that imports, or checks, what `prepare` writes; an import must leave a sound catalogue, or nothing."""
    words = line.split() if isinstance(line, str) else line
    writes = ("cat",) if words[0] == "import" else ()
    check = sound if words[0] == "import" else None
    return Case(f"{words[0]}: {name}", words, None, wanted, says, prepare, check, writes, limit=limit)


def then(first: Callable[[Path], Any], second: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """Do the one thing, then the other."""

    def both(folder: Path) -> None:
        first(folder)
        second(folder)

    return both


def changed(file: str, write: Callable[[Path], Any], change: Callable[[Any], Any]) -> Callable[[Path], Any]:
    """Write a document, changed in place."""

    def prepare(folder: Path) -> None:
        write(folder)
        content = json.loads((folder / file).read_text())
        change(content)
        (folder / file).write_text(json.dumps(content))

    return prepare
