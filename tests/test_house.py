"""The house as it is built: no file imports itself by a detour, and none is longer than can be read at a sitting."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
FILES = {path: ".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in SOURCE.rglob("*.py")}
MODULES = {name.removesuffix(".__init__"): path for path, name in FILES.items()}
MOST_LINES = 350
MOST_PARAMETERS = 8
COMMANDS = "cli"  # whose options are parameters, as typer has them


def imports(path: Path, modules: Mapping[str, Path]) -> set[str]:
    """The modules of the project that a file imports, on top, inside a function, or for types alone.

    ``from package import name`` is an import of the module where it is one, else of where the package has it from: a
    package's own ``__init__`` hands on names, and isn't what is meant.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in modules}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                found |= origin(node.module or "", alias.name, modules)
    return found


def origin(module: str, name: str, modules: Mapping[str, Path]) -> set[str]:
    """The module that a name comes from, through packages that hand it on."""
    if f"{module}.{name}" in modules:
        return {f"{module}.{name}"}
    if module not in modules:
        return set()
    if modules[module].name == "__init__.py":
        for node in ast.walk(ast.parse(modules[module].read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module != module:
                for alias in node.names:
                    if name == (alias.asname or alias.name):
                        return origin(node.module or "", alias.name, modules)
    return {module}


def circles(arrows: Mapping[str, Iterable[str]]) -> set[frozenset[str]]:
    """The groups of modules each of which leads to every other: strongly connected components (Tarjan, 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: set[frozenset[str]] = set()

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for other in arrows[module]:
            if other not in number:
                visit(other)
            if other in stack:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == number[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1 or module in arrows[module]:
                found.add(frozenset(group))

    for module in arrows:
        if module not in number:
            visit(module)
    return found


def short(name: str) -> str:
    return name.removeprefix("whalereid.")


def test_no_file_imports_itself_by_a_detour() -> None:
    arrows = {name: imports(path, MODULES) for name, path in MODULES.items()}
    found = [sorted(map(short, group)) for group in circles(arrows)]
    assert not found, f"these files import each other: {found}"


def test_no_file_is_too_long() -> None:
    lengths = {short(name): len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}
    long = {name: lines for name, lines in lengths.items() if lines > MOST_LINES}
    assert not long, f"part these by what they do, {MOST_LINES} lines at most: {long}"


def test_no_public_function_takes_more_than_can_be_kept_in_mind() -> None:
    """Eight parameters at most, without ``self`` and ``cls``."""
    many = []
    for name, path in MODULES.items():
        if short(name).split(".")[0] == COMMANDS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (node.name == "__init__" or not node.name.startswith("_")):
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                if len([each for each in given if each.arg not in ("self", "cls")]) > MOST_PARAMETERS:
                    many.append(f"{short(name)}.{node.name}")
    assert not many, f"gather some of their parameters in an object: {many}"


@pytest.mark.parametrize(
    "second",
    [
        "from whalereid.one import a",
        "def f():\n    from whalereid import one",
        "import typing\nif typing.TYPE_CHECKING:\n    import whalereid.one",
    ],
)
def test_circles_of_every_kind_are_found(tmp_path: Path, second: str) -> None:
    texts = {
        "whalereid": "from whalereid.two import b as c",
        "whalereid.one": "from whalereid import c",
        "whalereid.two": second,
    }
    modules = {}
    for name, text in texts.items():
        modules[name] = tmp_path / ("__init__.py" if name == "whalereid" else f"{name}.py")
        modules[name].write_text(text)
    found = circles({name: imports(path, modules) for name, path in modules.items()})
    assert any({"whalereid.one", "whalereid.two"} <= group for group in found)
