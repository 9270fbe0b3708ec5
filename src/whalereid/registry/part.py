"""Part: what is asked for by its name, and what is set on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from whalereid.errors import WhalereidError

__all__ = ["Part"]

_Plain = str | int | float | bool | None


@dataclass(frozen=True)
class Part:
    """A part as it is asked for and noted: its name, and what is set on it.

    Attributes
    ----------
    name : str
        As its registry knows it.
    options : mapping of str to number, text, bool, None, or lists of them
        By parameter; what is left out has its default.

    Raises
    ------
    WhalereidError
        The name is no text, or an option is nothing that JSON can hold.

    Examples
    --------
    >>> Part("expand", {"neighbours": 3})
    Part('expand:neighbours=3')
    >>> Part.from_dict(Part("expand").to_dict())
    Part('expand')
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise WhalereidError(f"a part's name is {self.name!r:.60}; give a text, such as 'expand'.")
        if not isinstance(self.options, Mapping) or not all(isinstance(key, str) for key in self.options):
            raise WhalereidError(f"{self.name}: its options are {self.options!r:.60}; give a mapping of their names.")
        held = {key: _plain(value, f"{self.name}: {key}") for key, value in self.options.items()}
        object.__setattr__(self, "options", MappingProxyType(held))

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read ``name`` or ``name:key=value,...``; every value is still text, as the part's signature isn't asked.

        Raises
        ------
        WhalereidError
            It has no name, or something after the colon is no ``key=value``; or a key stands there twice.

        Examples
        --------
        >>> Part.parse("within:days=30,unknown=anything").options["days"]
        '30'
        """
        name, colon, rest = text.partition(":")
        options: dict[str, str] = {}
        for item in rest.split(",") if colon else ():
            key, equals, value = (side.strip() for side in item.partition("="))
            if not equals or not key:
                raise WhalereidError(f"{text!r:.80}: {item.strip()!r:.40} is no key=value; write NAME:key=value,...")
            if key in options:
                raise WhalereidError(f"{text!r:.80}: {key!r} is given twice; give it once.")
            options[key] = value
        return cls(name.strip(), options)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"name": ..., "options": {...}}``, as JSON can hold it."""
        options = {key: _as_list(value) for key, value in self.options.items()}
        return {"name": self.name, "options": options}

    @classmethod
    def from_dict(cls, noted: Any) -> Part:
        """Return the part that `to_dict` noted.

        Raises
        ------
        WhalereidError
            It is something else.
        """
        if not isinstance(noted, Mapping) or set(noted) - {"name", "options"} or "name" not in noted:
            raise WhalereidError(f"{noted!r:.80} is no part; it is noted as {{'name': ..., 'options': {{...}}}}.")
        return cls(noted["name"], noted.get("options", {}))

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        said = ",".join(f"{key}={_said(value)}" for key, value in self.options.items())
        return f"{self.name}:{said}" if said else self.name

    def __repr__(self) -> str:
        return f"Part({str(self)!r})"


def _plain(value: Any, where: str) -> Any:
    """A value that JSON can hold; sequences become tuples."""
    if isinstance(value, list | tuple):
        return tuple(_plain(item, where) for item in value)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a NumPy number
        value = value.item()
    if not isinstance(value, _Plain):
        raise WhalereidError(
            f"{where} is a {type(value).__name__}; give a number, a text, True, False, None or a list."
        )
    return value


def _as_list(value: Any) -> Any:
    return [_as_list(item) for item in value] if isinstance(value, tuple) else value


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(map(_said, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
