"""Import every module of a wheel with nothing but its plain requirements in sight: check_wheel.py WHEEL.

Distributions that only an extra brings are hidden, so the check means the same in a full development environment.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def plain_closure(name: str) -> set[str]:
    """Names of every distribution that installing `name` without extras brings."""
    seen: set[str] = set()
    todo: list[tuple[str, str]] = [(name, "")]
    done: set[tuple[str, str]] = set()
    while todo:
        current, extra = todo.pop()
        if (current, extra) in done:
            continue
        done.add((current, extra))
        seen.add(current)
        try:
            requirements = importlib.metadata.requires(current) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for text in requirements:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                child = canonicalize_name(requirement.name)
                todo += [(child, ""), *((child, e) for e in requirement.extras)]
    return seen


def extras_alone(allowed: set[str]) -> set[str]:
    """Top-level modules that belong only to distributions outside the closure."""
    owners = importlib.metadata.packages_distributions()
    return {name for name, those in owners.items() if not any(canonicalize_name(d) in allowed for d in those)}


class Hiding:
    """Another finder, but for hidden modules, which it doesn't find."""

    def __init__(self, finder: Any, hidden: set[str]) -> None:
        self.finder, self.hidden = finder, hidden

    def __getattr__(self, name: str) -> Any:
        return getattr(self.finder, name)  # metadata is looked up through finders too

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        """Ask the other finder, unless the module is hidden."""
        if fullname.partition(".")[0] in self.hidden:
            return None
        return self.finder.find_spec(fullname, path, target)


def main(wheel: Path) -> int:
    """Check one wheel; returns the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        sys.path.insert(0, folder)
        hidden = extras_alone(plain_closure("whalereid") | {"pip", "setuptools"})
        sys.meta_path[:] = [Hiding(finder, hidden) for finder in sys.meta_path]
        package = importlib.import_module("whalereid")
        if not Path(str(package.__file__)).is_relative_to(folder):
            print(f"whalereid: imported {package.__file__} instead of the wheel", file=sys.stderr)
            return 1
        if not (Path(folder) / "whalereid" / "py.typed").is_file():
            print("whalereid: the wheel lacks py.typed", file=sys.stderr)
            return 1
        failed = 0
        names = [m.name for m in pkgutil.walk_packages(package.__path__, "whalereid.") if "__main__" not in m.name]
        for name in names:
            try:
                importlib.import_module(name)
            except Exception as error:
                failed += 1
                print(f"whalereid: the plain wheel can't import {name}: {error!r}", file=sys.stderr)
        for name in package.__all__:
            getattr(package, name)
        if not failed:
            print(f"whalereid: {len(names)} modules import from the plain wheel")
        return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
