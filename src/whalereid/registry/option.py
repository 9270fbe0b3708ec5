"""Option: one parameter that can be set by name, and its value as a person writes it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from whalereid.errors import WhalereidError

__all__ = ["Option"]

_TRUE, _FALSE, _NONE = ("true", "yes", "on"), ("false", "no", "off"), ("none", "null")
_QUOTES = "'\""
_SEVERAL = ("Sequence", "tuple", "list", "Iterable", "Collection", "set", "frozenset")


@dataclass(frozen=True)
class Option:
    """One parameter that can be set by name.

    Attributes
    ----------
    name : str
    kind : str
        Its annotation as written, ``"float | None"``; empty where there is none.
    default : str or None
        Its default as written; None where it must be given.
    takes_any : bool
        It stands for any further name (``**options``).
    """

    name: str
    kind: str = ""
    default: str | None = None
    takes_any: bool = False

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is None and not self.takes_any

    def __str__(self) -> str:
        if self.takes_any:
            return "others"
        if self.default is None:
            return self.name
        default = _as_typed(self.default)
        others = [word for word in _choices(self.kind) if word != default]
        return f"{self.name}={'|'.join([default, *others])}"

    def read(self, text: str, where: str) -> Any:
        """Turn text into what the annotation says; values of a sequence are joined by ``+``.

        Raises
        ------
        WhalereidError
            It is no such thing.

        Examples
        --------
        >>> Option("margin", "float").read("0.3", "margin"), Option("pairs", "Sequence[str]").read("a+b", "pairs")
        (0.3, ('a', 'b'))
        """
        kinds = [kind.strip() for kind in _split(self.kind, "|")] if self.kind else _kinds_of(self.default)
        for kind in sorted(kinds, key=lambda kind: kind in ("str", "Any")):  # text last, as everything is text
            done, value = _as(kind, text)
            if done:
                return value
        raise WhalereidError(f"{where} is {text!r:.60}; give {_in_words(kinds)}.")


def _kinds_of(default: str | None) -> list[str]:
    """What a parameter without annotation takes, by its default: for a number a number, for a truth value one."""
    if default in ("True", "False"):
        return ["bool"]
    try:
        float(default or "")
    except ValueError:
        return ["int", "float", "bool", "str"]
    return ["int", "float"]


def _as(kind: str, text: str) -> tuple[bool, Any]:
    """Whether a text is of this kind, and what it is then."""
    word = text.lower()
    outer, _, inner = kind.partition("[")
    outer = outer.rpartition(".")[2]
    if outer in ("None", "NoneType"):
        return word in _NONE, None
    if outer == "bool":
        return word in (*_TRUE, *_FALSE), word in _TRUE
    if outer in ("int", "float"):
        try:
            return True, int(text) if outer == "int" else float(text)
        except ValueError:
            return False, None
    if outer == "Literal":
        return text in _choices(kind), text
    if outer in _SEVERAL:
        of = _split(inner.removesuffix("]"), ",")[0].strip() or "str"
        read = [_first(of, item) for item in text.split("+")]
        return all(done for done, _ in read), tuple(value for _, value in read)
    return True, text  # text, or what the part itself knows to read


def _as_typed(default: str) -> str:
    """A default as it would be typed in a command: without quotes, several joined by ``+``."""
    if default.startswith("("):
        return "+".join(str(value) for value in ast.literal_eval(default)) or "nothing"
    return default.strip("'\"") or "nothing"


def _choices(kind: str) -> tuple[str, ...]:
    """The words that a Literal allows; none of another kind."""
    outer, _, inner = kind.partition("[")
    if outer.rpartition(".")[2] != "Literal":
        return ()
    return tuple(map(str, ast.literal_eval(f"({inner.rstrip(']')},)")))


def _first(kinds: str, text: str) -> tuple[bool, Any]:
    for kind in sorted(_split(kinds, "|"), key=lambda kind: kind.strip() == "str"):
        done, value = _as(kind.strip(), text)
        if done:
            return True, value
    return False, None


def _in_words(kinds: Sequence[str]) -> str:
    words = {"int": "a whole number", "float": "a number", "bool": "true or false", "None": "none", "str": "a text"}
    said = []
    for kind in kinds:
        outer, _, inner = kind.partition("[")
        if outer.rpartition(".")[2] == "Literal":
            said.append(f"one of {inner.rstrip(']')}".replace('"', "").replace("'", ""))
        else:
            said.append(words.get(outer, "values joined by '+'" if outer.rpartition(".")[2] in _SEVERAL else outer))
    return " or ".join(said)


def _split(text: str, sign: str) -> list[str]:
    """Split an annotation, but not within brackets."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if letter == sign and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]
