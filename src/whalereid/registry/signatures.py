"""Signatures as people read them: the options of a class or function.

They can be read off a source file without running it, which is what lets ``--help`` list a head's options without
loading torch.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from whalereid.registry.option import Option

__all__ = ["options_of", "options_of_source"]


def options_of(thing: Callable[..., Any]) -> list[Option]:
    """The options of a class or function that is at hand; of a class, those of ``__init__`` without ``self``.

    Where a class hands further names on to its parents (``**options``), theirs are options too, but for those that it
    sets itself.
    """
    if inspect.isclass(thing) and any("__init__" in vars(kind) for kind in thing.__mro__[:-1]):
        kinds = [kind for kind in thing.__mro__[:-1] if "__init__" in vars(kind)]
        return _handed_on((_written(vars(kind)["__init__"])[1:], _names_set(kind)) for kind in kinds)
    return _written(thing)


def _written(thing: Callable[..., Any]) -> list[Option]:
    parameters = inspect.signature(thing).parameters.values()
    return [_option(parameter) for parameter in parameters if parameter.kind is not parameter.VAR_POSITIONAL]


def _names_set(kind: type) -> set[str]:
    """What a class at hand gives its parents by name; nothing where its source isn't there."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(vars(kind)["__init__"])))
    except (OSError, TypeError, SyntaxError):
        return set()
    return _given_to_parents(tree)


def _given_to_parents(init: ast.AST) -> set[str]:
    """The names in ``super().__init__(name=...)``."""
    calls = [node for node in ast.walk(init) if isinstance(node, ast.Call)]
    return {
        word.arg for call in calls if ast.unparse(call.func) == "super().__init__" for word in call.keywords if word.arg
    }


def _handed_on(inits: Iterable[tuple[list[Option], set[str]]]) -> list[Option]:
    """Of a class and its parents, in the order that ``super()`` calls them: what each takes, and what it sets above."""
    found: dict[str, Option] = {}
    taken: set[str] = set()
    for options, passed in inits:
        further = [option for option in options if option.takes_any]
        found |= {o.name: o for o in options if not o.takes_any and o.name not in {*taken, *found}}
        if not further:
            return [*found.values()]
        taken |= passed
    return [*found.values(), *further]


def _option(parameter: inspect.Parameter) -> Option:
    kind = "" if parameter.annotation is parameter.empty else parameter.annotation
    default = None if parameter.default is parameter.empty else repr(parameter.default)
    named = kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
    return Option(parameter.name, named, default, parameter.kind is parameter.VAR_KEYWORD)


def options_of_source(source: str) -> list[Option]:
    """The options of ``"module:attribute"``, read off its source; what isn't written in Python is imported instead."""
    module, _, attribute = source.partition(":")
    if module not in sys.modules:
        tree = _tree(module)
        found = None if tree is None else _definition(tree, module, attribute)
        if found is not None:
            return found
    from importlib import import_module

    return options_of(getattr(import_module(module), attribute))


def _tree(module: str) -> ast.Module | None:
    """A module's source, parsed; found without importing its packages."""
    origin = _origin(module)
    return None if origin is None else _parsed(origin, Path(origin).stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _parsed(origin: str, written: int) -> ast.Module:
    """A source file as it was written at that time; parents of many classes are asked for again and again."""
    return ast.parse(Path(origin).read_text(encoding="utf-8"))


def _origin(module: str) -> str | None:
    """The path of a module that is written in Python."""
    places: Sequence[str] | None = None
    for name in module.split("."):
        spec = PathFinder.find_spec(name, places)
        if spec is None:
            return None
        places = spec.submodule_search_locations
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return spec.origin


def _is_package(module: str) -> bool:
    return (_origin(module) or "").endswith("__init__.py")


def _definition(tree: ast.Module, module: str, attribute: str) -> list[Option] | None:
    node = _named(tree, attribute)
    if isinstance(node, ast.FunctionDef):
        return _of_function(node)
    if isinstance(node, ast.ClassDef):
        written = any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
        if written and _init(node) is None:
            return _of_fields(node)
        return _of_class(node, module, tree)
    place = _imported_from(tree, module, attribute)
    source = None if place is None else _tree(place[0])
    return None if place is None or source is None else _definition(source, *place)


def _of_class(node: ast.ClassDef, module: str, tree: ast.Module) -> list[Option] | None:
    """The options of a class whose parents are written in Python as far as names are handed on; None elsewhere."""
    chain = []
    met = dict.fromkeys(reversed([*_lineage(node, module, tree)]))  # of a parent met twice, the later place
    for kind in reversed(met):
        if kind is None:
            return None
        init = _init(kind)
        if init is not None:
            chain.append((_of_function(init)[1:], _given_to_parents(init)))  # but self
            if not any(option.takes_any for option in chain[-1][0]):
                return _handed_on(chain)
    return _handed_on(chain) if chain else []


def _lineage(node: ast.ClassDef, module: str, tree: ast.Module) -> Iterator[ast.ClassDef | None]:
    """A class and its parents, in the order that ``super()`` asks them; None for what isn't found in a source."""
    yield node
    for base in node.bases:
        name = base.value if isinstance(base, ast.Subscript) else base  # Generic[...]
        place = _class(tree, module, name.id) if isinstance(name, ast.Name) else None
        if place is None:
            yield None
        else:
            yield from _lineage(*place)


def _class(tree: ast.Module, module: str, name: str) -> tuple[ast.ClassDef, str, ast.Module] | None:
    """Where a class of this name, as a module knows it, is written."""
    node = _named(tree, name)
    if isinstance(node, ast.ClassDef):
        return node, module, tree
    place = _imported_from(tree, module, name)
    source = None if place is None else _tree(place[0])
    return None if place is None or source is None else _class(source, *place)


def _imported_from(tree: ast.Module, module: str, name: str) -> tuple[str, str] | None:
    """The module that ``from module import name`` names, and what it is called there."""
    for node in tree.body:
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if name == (alias.asname or alias.name) and isinstance(node, ast.ImportFrom):
                above = module.split(".")
                package = above if _is_package(module) else above[:-1]
                start = package[: len(package) - node.level + 1] if node.level else []
                return ".".join([*start, *filter(None, [node.module])]), alias.name
    return None


def _named(tree: ast.Module, name: str) -> ast.FunctionDef | ast.ClassDef | None:
    found = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    return next((node for node in found if node.name == name), None)


def _init(node: ast.ClassDef) -> ast.FunctionDef | None:
    return next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"), None)


def _of_function(node: ast.FunctionDef) -> list[Option]:
    arguments = node.args
    places = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(places) - len(arguments.defaults)) + [*arguments.defaults]
    pairs = [*zip(places, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    found = [Option(item.arg, _text(item.annotation) or "", _text(default)) for item, default in pairs]
    if arguments.kwarg is not None:
        found.append(Option(arguments.kwarg.arg, takes_any=True))
    return found


def _of_fields(node: ast.ClassDef) -> list[Option]:
    """The fields of a dataclass that are given to it."""
    found = []
    for item in node.body:
        if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
            continue
        kind, default = ast.unparse(item.annotation), item.value
        if kind.startswith(("ClassVar", "typing.ClassVar")):
            continue
        if isinstance(default, ast.Call) and ast.unparse(default.func).endswith("field"):
            given = {word.arg: word.value for word in default.keywords}
            if "init" in given and _text(given["init"]) == "False":
                continue
            default = given.get("default") or given.get("default_factory")
        found.append(Option(item.target.id, kind, _text(default)))
    return found


def _text(node: ast.expr | None) -> str | None:
    return None if node is None else ast.unparse(node)
