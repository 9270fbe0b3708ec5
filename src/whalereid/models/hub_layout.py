"""What a network in the hub's layout is: its ``config.json``, by timm or by MiewID, and the licence on its page.

Files from outside, read without torch; only what is named here is taken from them. The layouts are timm's
(https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/_hub.py) and MiewID's
(https://huggingface.co/conservationxlabs/miewid-msv2/blob/main/config.json).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from whalereid.errors import WhalereidError
from whalereid.models.config import look_for_architecture
from whalereid.models.plan import Plan, architecture
from whalereid.models.preprocessing import Preprocessing
from whalereid.models.weights_card import NOT_STATED
from whalereid.reading import check_file, is_file, read_json, read_text

__all__ = ["PAGE", "SMALL_GB", "WEIGHT_FILES", "is_of_a_hub", "read_plan"]

WEIGHT_FILES, PAGE = ("model.safetensors", "pytorch_model.bin"), "README.md"
SMALL_GB = 0.01
"""The size up to which a ``config.json`` or a page is read, in gigabytes."""

# https://huggingface.co/conservationxlabs/miewid-msv3: Resize((440, 440)), ToTensor, Normalize by ImageNet's means.
MIEWID_LOOK = Preprocessing((440, 440))

_LICENCE = re.compile(r"^(license|license_name)[ \t]*+:[ \t]*+\n?[ \t-]*+([^\s#].*)$", re.MULTILINE)


def is_of_a_hub(config: Mapping[str, Any]) -> bool:
    """Whether a ``config.json`` is one of a hub's layouts, timm's or transformers', and not ours."""
    return any(key in config for key in ("architecture", "architectures", "model_type", "model_cfg"))


def read_plan(config: Path, page: Path | None) -> Plan:
    """Say what a network is built as, by its ``config.json`` and, for its licence, by its page if it has one.

    Raises
    ------
    WhalereidError
        It can't be read, is of another layout, or asks for something that can't be; the message names the file.
    """
    check_file(config, SMALL_GB)
    held = read_json(config, "the configuration of a network")
    licence = "" if page is None or not is_file(page) else _licence(page)
    where = str(config)
    try:
        if held.get("model_type") == "miewid" or held.get("architectures") == ["MiewIdNet"]:
            return _miewid(held, licence)
        if "architecture" in held:
            return _timm(held, licence)
    except WhalereidError as error:
        raise WhalereidError(f"{where}: {error}") from error
    kind = held.get("model_type")
    what = f"a {kind} of transformers" if isinstance(kind, str) else "no layout that is known here"
    raise WhalereidError(
        f"{where}: {what:.80}; networks are read in timm's layout, which has 'architecture', and MiewID's. Look for "
        "timm's edition of it, as in dinov2-s."
    )


def _miewid(held: Mapping[str, Any], licence: str) -> Plan:
    name = _get(held, "model_name", _is_name, "the name of a timm network")
    if _get(held, "use_fc", lambda value: isinstance(value, bool), "true or false", False):
        raise WhalereidError("'use_fc' is true; only a MiewID without that layer is known here.")
    look_for_architecture(name)
    return Plan(name, "gem", "bn", MIEWID_LOOK, licence or NOT_STATED, "miewid")


def _timm(held: Mapping[str, Any], licence: str) -> Plan:
    name = _get(held, "architecture", _is_name, "the name of a timm network")
    look_for_architecture(name)
    noted = _get(held, "pretrained_cfg", lambda value: isinstance(value, dict), "an object", held)
    given = _get(held, "model_args", lambda value: isinstance(value, dict), "an object", {})
    arguments = {key: value for key, value in given.items() if value is not None}
    side = _size(noted.get("input_size", [3, 224, 224]), "input_size")
    if "img_size" in arguments:
        built = arguments.pop("img_size")
        side = _size([3, *(built if isinstance(built, list) else [built, built])], "img_size")
    if arguments.pop("in_chans", 3) != 3:
        raise WhalereidError(f"'in_chans' is {given['in_chans']!r:.60}; photos have 3 channels.")
    arguments.pop("num_classes", None)
    look = Preprocessing(
        side,  # type: ignore[arg-type]  # checked there
        mean=noted.get("mean") or Preprocessing.mean,
        std=noted.get("std") or Preprocessing.std,
        interpolation=noted.get("interpolation") or "bicubic",  # timm's own defaults
        crop_pct=noted.get("crop_pct") or 0.875,
        crop_mode=noted.get("crop_mode") or "center",
    )
    said = noted.get("license")
    licence = licence or (_printable(said) if isinstance(said, str) else "") or NOT_STATED
    return Plan(architecture(name, arguments), "native", "none", look, licence)


def _licence(page: Path) -> str:
    """What a page says at its head: ``license: NAME``, or the name it gives to a licence of its own."""
    check_file(page, SMALL_GB)
    text = read_text(page)
    head = text.split("\n---", 1)[0] if text.startswith("---") else ""
    said = {key: _printable(value.strip("'\"[] \t")) for key, value in _LICENCE.findall(head)}
    return said.get("license_name", "") if said.get("license") == "other" else said.get("license", "")


def _printable(text: str) -> str:
    return text[:100] if text.isprintable() else ""


def _size(value: Any, key: str) -> list[Any]:
    if not isinstance(value, list) or len(value) != 3 or value[0] != 3:
        raise WhalereidError(f"{key!r} is {value!r:.60}; it is [3, height, width] for photos.")
    return value[1:]


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.]{1,100}", value) is not None


_ABSENT = object()


def _get(held: Mapping[str, Any], key: str, fits: Callable[[Any], bool], wanted: str, usual: Any = _ABSENT) -> Any:
    value = held.get(key, usual)
    if value is usual and usual is not _ABSENT:
        return value
    if value is _ABSENT or not fits(value):
        said = "isn't there" if value is _ABSENT else f"is {value!r:.60}"
        raise WhalereidError(f"{key!r} {said}; it is {wanted}.")
    return value
