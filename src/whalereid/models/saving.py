"""A network's two files, ``config.json`` and ``model.safetensors``: written both, or neither."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from safetensors.torch import save
from torch import Tensor

from whalereid.catalogue import TrainedOn
from whalereid.errors import WhalereidError
from whalereid.files import check_folder, disk_errors, replacing_all
from whalereid.models.config import CONFIG, RUN, WEIGHTS, read_config
from whalereid.models.weights import notes_of

__all__ = ["refuse_other_files", "write_network"]


class _Saved(Protocol):
    """What is written of a network."""

    trained_on: TrainedOn | None

    @property
    def config(self) -> dict[str, Any]: ...
    @property
    def weights(self) -> str: ...
    def state_dict(self) -> dict[str, Any]: ...


def write_network(net: _Saved, folder: Path) -> None:
    """Write a network's two files into a folder that is known to be a network's, whatever network lies there."""
    config = json.dumps(net.config | {"weights": net.weights}, indent=2) + "\n"
    with disk_errors(folder):
        as_before = (folder / CONFIG).is_file() and (folder / CONFIG).read_bytes() == config.encode()
    # A training's next epoch: its folder can be loaded at any moment.
    paths = [folder / WEIGHTS] if as_before else [folder / WEIGHTS, folder / CONFIG]
    with replacing_all(paths) as besides:
        besides[0].write_bytes(save(_apart(net.state_dict()), metadata=notes_of(net.trained_on)))
        for beside in besides[1:]:
            beside.write_bytes(config.encode())


def refuse_other_files(folder: Path) -> None:
    """Refuse a folder where saving a network would lose something else.

    Raises
    ------
    WhalereidError
        It holds a training, another tool's files, or something else.
    """
    if (folder / RUN).exists():
        raise WhalereidError(f"{folder}: holds a training, whose network would be lost; choose another folder.")
    if (folder / CONFIG).exists():
        read_config(folder)
    elif (folder / WEIGHTS).exists():
        raise WhalereidError(f"{folder / WEIGHTS}: weights without our {CONFIG} would be lost; choose another folder.")
    check_folder(folder, marker=CONFIG, option="a network")


def _apart(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU; those that share their memory, as tied weights do, each with its own."""
    tensors: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in state.items():
        here = tensor.detach().cpu().contiguous()
        place = here.untyped_storage().data_ptr()
        tensors[name] = here.clone() if place in seen else here
        seen.add(place)
    return tensors
