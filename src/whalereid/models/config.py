"""What can be said about a saved network, and about a file of weights, without loading torch."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from whalereid.arguments import instance
from whalereid.errors import WhalereidError

__all__ = [
    "CONFIG",
    "IMAGE_SIDES",
    "RUN",
    "SUFFIXES",
    "WEIGHTS",
    "a_path",
    "look_at",
    "look_for_backbone",
    "look_for_weights",
    "nearest",
    "read_config",
    "weights_file",
]

CONFIG, WEIGHTS, RUN = "config.json", "model.safetensors", "run.json"
IMAGE_SIDES = (8, 4096)
"""The shortest and the longest side of the photos a network is given, in pixels."""

PICKLES = (".pth", ".pt", ".bin")
SUFFIXES = (".safetensors", *PICKLES)

_KEYS = {"backbone", "pooling", "neck", "dim", "copies", "activation", "dropout"}
_KEYS |= {"image_size", "mean", "std", "portrait", "antialias", "weights"}


def read_config(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what the network in a folder was built from.

    Raises
    ------
    WhalereidError
        No such folder, no ``config.json`` in it, or one of another tool.
    """
    path = a_path(folder, "folder", "the folder of a network, which `save` or `fit` wrote") / CONFIG
    if not _is_file(path):
        raise WhalereidError(f"{folder}: no {CONFIG} there; name the folder that `whalereid train` wrote.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise WhalereidError(f"{path}: can't be read as JSON ({error}).") from error
    if not isinstance(config, dict) or set(config) != _KEYS or not isinstance(config["weights"], str):
        raise WhalereidError(f"{path}: not the configuration of an Embedder; its keys are {', '.join(sorted(_KEYS))}.")
    return config


def look_at(folder: str | os.PathLike[str]) -> None:
    """Refuse a folder that can't hold a network, before torch is loaded.

    Raises
    ------
    WhalereidError
        As for `read_config`, or it holds no weights.
    """
    read_config(folder)
    weights_file(Path(folder) / WEIGHTS)


def look_for_backbone(name: str) -> None:
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
    base = name.partition(".")[0]
    if files and not any(re.search(rf"\b{re.escape(base)}\b", text) for text in files):
        known = [network for text in files for network in re.findall(r"^def (\w+)\(pretrained", text, re.MULTILINE)]
        raise WhalereidError(f"Unknown backbone {name!r}; {nearest(name, known)}")


def nearest(name: str, known: Sequence[str]) -> str:
    """Say which networks' names are near to one that isn't known."""
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    return f"near it are {', '.join(near)}." if near else "`timm.list_models()` lists those there are."


def look_for_weights(weights: str, backbone: str) -> None:
    """Refuse the weights to begin with where they surely can't be had, before torch is loaded.

    Raises
    ------
    WhalereidError
        A file that isn't there or of another format; pretrained ones that no cache holds, while the hub is silent.
    """
    if weights == "pretrained":
        from whalereid.models.hub import check_hub

        check_hub(backbone)
    elif weights != "random":
        weights_file(weights)


def weights_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file of weights that is there and has a suffix that can be read.

    Raises
    ------
    WhalereidError
        Nothing there, a folder, or another format.
    """
    path = a_path(path, "path", f"a file of weights ({', '.join(SUFFIXES)})")
    if not _is_file(path):
        what = "is a folder; name the file of weights in it" if path.is_dir() else "no such file of weights"
        raise WhalereidError(f"{path}: {what}.")
    if path.suffix not in SUFFIXES:
        raise WhalereidError(
            f"{path}: weights are read from {', '.join(SUFFIXES)}, not {path.suffix or 'no suffix'!r}."
        )
    return path


def a_path(value: Any, name: str, wanted: str) -> Path:
    """Return a path as a Path; numbers, bytes and the like are none."""
    instance(value, name, (str, os.PathLike), wanted)
    return Path(value)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise WhalereidError(f"{path}: can't be looked at ({error.strerror}).") from error
