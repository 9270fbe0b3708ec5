"""The fingerprint of a network: one text for all that embed alike, another for any other."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["fingerprint_of"]


def fingerprint_of(config: Mapping[str, Any], state: Mapping[str, Tensor], wrapped: nn.Module | None) -> str:
    """SHA-256 of a configuration, but for where the weights come from, and of every weight.

    Parameters
    ----------
    config : mapping
        What the network was built from, as JSON can hold it.
    state : mapping of str to Tensor
        Its weights.
    wrapped : nn.Module, optional
        A module whose build the configuration doesn't tell: it counts as well.
    """
    built_from = {name: value for name, value in config.items() if name != "weights"}
    if wrapped is not None:
        built_from["module"] = _build_of(wrapped)
    digest = hashlib.sha256(json.dumps(built_from, sort_keys=True).encode())
    for name, tensor in sorted(state.items()):
        if name.endswith("num_batches_tracked"):  # plays no part in an embedding
            continue
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _build_of(module: nn.Module) -> str:
    """How a module is built, in words that are the same in every process.

    They are what it says of itself (``repr``), and its plain attributes where no weights tell it apart.
    """
    said = re.sub(r" at 0x[0-9a-f]+", "", repr(module))
    if module.state_dict():
        return said
    plain = [
        (name, key, value)
        for name, part in module.named_modules()
        for key, value in sorted(vars(part).items())
        if not key.startswith("_") and key != "training" and isinstance(value, str | int | float | bool | tuple | list)
    ]
    return re.sub(r" at 0x[0-9a-f]+", "", f"{said} {plain}")
