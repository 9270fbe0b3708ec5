"""What can be said about a saved network, and about a file of weights, without loading torch."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from whalereid.arguments import instance
from whalereid.errors import WhalereidError
from whalereid.reading import MOST_NUMBERS_GB, check_file, is_file, read_json

__all__ = [
    "CONFIG",
    "IMAGE_SIDES",
    "RUN",
    "SUFFIXES",
    "WEIGHTS",
    "a_path",
    "as_noted_today",
    "look_at",
    "look_for_architecture",
    "nearest",
    "read_config",
    "refuse_wrapped",
    "weights_file",
]

CONFIG, WEIGHTS, RUN = "config.json", "model.safetensors", "run.json"
IMAGE_SIDES = (8, 4096)
"""The shortest and the longest side of the photos a network is given, in pixels."""

PICKLES = (".pth", ".pt", ".bin")
SUFFIXES = (".safetensors", *PICKLES)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e30  # nor is NaN


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


def _three(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(map(_is_number, value))


def _is_size(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_whole, value))


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


# What each key holds. Whether the names and numbers make a network is for Embedder to say.
_PHOTOS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "dim": (_is_whole, "a whole number from 1"),
    "image_size": (_is_size, "[height, width]"),
    "mean": (_three, "three numbers"),
    "std": (_three, "three numbers"),
    "portrait": (_is_bool, "true or false"),
    "antialias": (_is_bool, "true or false"),
    "weights": (_is_text, "text"),
}
_BUILT = {"backbone": (_is_text, "text"), "pooling": (_is_text, "text"), "neck": (_is_text, "text"), **_PHOTOS}
_WRAPPED = {"wrapped": (_is_text, "text"), **_PHOTOS}
# Of earlier versions, which noted the neck's options each by itself.
_NECK_OPTIONS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "copies": (_is_whole, "a whole number from 1"),
    "activation": (_text_or_none, "text or null"),
    "dropout": (_is_number, "a number"),
}
_EARLIER = _BUILT | _NECK_OPTIONS
# Noted together, and only where photos aren't stretched by bilinear interpolation.
_FRAMING: dict[str, tuple[Callable[[Any], bool], str]] = {
    "interpolation": (_is_text, "text"),
    "crop_pct": (_is_number, "a number"),
    "crop_mode": (_is_text, "text"),
}


def read_config(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what the network in a folder was built from; one that an earlier version wrote as this one notes it.

    Raises
    ------
    WhalereidError
        No such folder, no ``config.json`` in it, or one of another tool.
    """
    path = a_path(folder, "folder", "the folder of a network, which `save` or `fit` wrote") / CONFIG
    if not is_file(path):
        raise WhalereidError(f"{folder}: no {CONFIG} there; name the folder that `whalereid train` wrote.")
    config = read_json(path, "the configuration of an Embedder")
    forms = (_BUILT, _WRAPPED, _EARLIER, _BUILT | _FRAMING, _WRAPPED | _FRAMING)
    kinds = next((kinds for kinds in forms if set(config) == kinds.keys()), None)
    if kinds is None:
        raise WhalereidError(f"{path}: not the configuration of an Embedder; its keys are {', '.join(sorted(_BUILT))}.")
    for key, (fits, wanted) in kinds.items():
        if not fits(config[key]):
            raise WhalereidError(f"{path}: {key!r} is {config[key]!r:.60}; it is {wanted} in what `save` writes.")
    return as_noted_today(config)


def as_noted_today(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration in today's form: that of an earlier version gets its neck with its options; others stay."""
    if set(config) != _EARLIER.keys():
        return config
    earlier = config
    options = {"copies": 1, "activation": None, "dropout": 0}
    if earlier["neck"] == "none":  # dropout after nothing wasn't refused then, and plays no part in an embedding
        del options["dropout"]
    said = [f"{name}={earlier[name]}" for name, usual in options.items() if earlier[name] != usual]
    said = [f"dim={earlier['dim']}", *said] if earlier["neck"] == "bn-linear" else said
    neck = f"{earlier['neck']}:{','.join(said)}" if said else earlier["neck"]
    return {name: neck if name == "neck" else earlier[name] for name in _BUILT}


def refuse_wrapped(config: Mapping[str, Any], where: str) -> None:
    """Refuse the configuration of a wrapped module, which doesn't say how to build it.

    Raises
    ------
    WhalereidError
        It is one; the message says how to load it.
    """
    if "wrapped" in config:
        raise WhalereidError(
            f"{where}: holds the weights of a {config['wrapped']} that was wrapped, which only your code can build; in "
            f"Python, Embedder.load({where!r}, module=MODULE) gives them to a module built as that one was."
        )


def look_at(folder: str | os.PathLike[str]) -> None:
    """Refuse a folder that can't hold a network, before torch is loaded.

    Raises
    ------
    WhalereidError
        As for `read_config`, or it holds no weights, or those of a module that was wrapped.
    """
    refuse_wrapped(read_config(folder), str(folder))
    weights_file(Path(folder) / WEIGHTS)


def look_for_architecture(name: str) -> None:
    """Refuse a backbone that timm surely doesn't have, before timm and torch are loaded.

    Every network's name stands in timm's own files, where it is defined or renamed; what stands nowhere there is none.

    Raises
    ------
    WhalereidError
        No file of timm names it.
    """
    found = find_spec("timm")  # looks for the package without importing it
    if found is None or found.origin is None:
        return
    folder = Path(found.origin).parent / "models"
    files = [file.read_text(encoding="utf-8", errors="replace") for file in folder.glob("*.py")]
    base = re.split("[.:]", name)[0]
    is_there = re.fullmatch(r"\w+", base) and any(re.search(rf"\b{base}\b", text) for text in files)
    if files and not is_there:
        known = [network for text in files for network in re.findall(r"^def (\w+)\(pretrained", text, re.MULTILINE)]
        raise WhalereidError(f"Unknown backbone {name!r}; {nearest(name, known)}")


def nearest(name: str, known: Sequence[str]) -> str:
    """Say which networks' names are near to one that isn't known."""
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    return f"near it are {', '.join(near)}." if near else "`timm.list_models()` lists those there are."


def weights_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file of weights that is there and has a suffix that can be read.

    Raises
    ------
    WhalereidError
        Nothing there, a folder, or another format.
    """
    path = a_path(path, "path", f"a file of weights ({', '.join(SUFFIXES)})")
    if not is_file(path):
        what = "is a folder; name the file of weights in it" if path.is_dir() else "no such file of weights"
        raise WhalereidError(f"{path}: {what}.")
    if path.suffix not in SUFFIXES:
        raise WhalereidError(
            f"{path}: weights are read from {', '.join(SUFFIXES)}, not {path.suffix or 'no suffix'!r}."
        )
    check_file(path, MOST_NUMBERS_GB)
    return path


def a_path(value: Any, name: str, wanted: str) -> Path:
    """Return a path as a Path; numbers, bytes and the like are none."""
    instance(value, name, (str, os.PathLike), wanted)
    return Path(value)
