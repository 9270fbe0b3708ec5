"""Plan: what an Embedder is built as, to hold weights from elsewhere; architectures with arguments as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whalereid.errors import WhalereidError
from whalereid.models.preprocessing import Preprocessing
from whalereid.registry import Part

__all__ = ["Plan", "architecture", "arguments_of"]

_MOST, _LONGEST = 8192, 40
# What a network may be built with beyond its architecture; all else is refused, as it might be anything.
_ARGUMENTS: Mapping[str, tuple[type, ...]] = {
    "act_layer": (str,),
    "class_token": (bool,),
    "depth": (int,),
    "dynamic_img_size": (bool,),
    "embed_dim": (int,),
    "global_pool": (str,),
    "init_values": (float, int),
    "mlp_ratio": (float, int),
    "no_embed_class": (bool,),
    "num_heads": (int,),
    "patch_size": (int,),
    "qkv_bias": (bool,),
    "reg_tokens": (int,),
    "window_size": (int,),
}


@dataclass(frozen=True)
class Plan:
    """What an Embedder is built as, to hold weights from elsewhere.

    Attributes
    ----------
    backbone, pooling, neck : str
        As `Embedder` takes them.
    preprocessing : Preprocessing
        What photos look like to these weights, by their makers' own account.
    licence : str
        Of the weights.
    names : {"timm", "in order", "miewid"}
        How the weights are named: as timm does; otherwise, but in timm's order; or as MiewID's whole network.
    """

    backbone: str
    pooling: str
    neck: str
    preprocessing: Preprocessing
    licence: str
    names: str = "timm"


def architecture(name: str, arguments: Mapping[str, Any]) -> str:
    """Write a timm architecture and what it is built with as one text: ``"NAME:key=value,..."``.

    Raises
    ------
    WhalereidError
        An argument that isn't known here, or a value that can't be.

    Examples
    --------
    >>> architecture("swinv2_base_window8_256", {"window_size": 14})
    'swinv2_base_window8_256:window_size=14'
    >>> arguments_of("swinv2_base_window8_256:window_size=14")
    {'window_size': 14}
    """
    return str(Part(name, {key: _checked(name, key, value) for key, value in arguments.items()}))


def arguments_of(backbone: str) -> dict[str, Any]:
    """Read what a backbone is built with off its text.

    Raises
    ------
    WhalereidError
        An argument that isn't known here, or a value that can't be.
    """
    part = Part.parse(backbone)
    return {key: _checked(part.name, key, _read(key, value)) for key, value in part.options.items()}


def _read(key: str, text: str) -> Any:
    for kind in _ARGUMENTS.get(key, ()):
        if kind is bool and text in ("true", "false"):
            return text == "true"
        if kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
    return text


def _checked(name: str, key: str, value: Any) -> Any:
    kinds = _ARGUMENTS.get(key)
    if kinds is None:
        raise WhalereidError(
            f"{name}: is built with {key!r:.60}, which isn't known here; known are {', '.join(_ARGUMENTS)}."
        )
    fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
    if fits and isinstance(value, str):
        fits = 0 < len(value) <= _LONGEST and value.isidentifier()
    elif fits:
        fits = 0 <= value <= _MOST  # nor is NaN
    if not fits:
        words = {str: "a word", bool: "true or false", int: f"a whole number up to {_MOST}", float: "a number"}
        raise WhalereidError(f"{name}: {key} is {value!r:.60}; give {words[kinds[0]]}.")
    return value
