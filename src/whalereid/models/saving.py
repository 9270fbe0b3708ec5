"""A network's two files, ``config.json`` and ``model.safetensors``: written both, or neither; and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from safetensors.torch import save
from torch import Tensor, nn

from whalereid.catalogue import TrainedOn
from whalereid.errors import WhalereidError
from whalereid.files import check_folder, disk_errors, replacing_all
from whalereid.models.config import CONFIG, RUN, WEIGHTS, read_config, refuse_wrapped, weights_file
from whalereid.models.preprocessing import Preprocessing
from whalereid.models.weights import load_weights, notes_of
from whalereid.models.weights_card import WeightsCard

__all__ = ["read_network", "refuse_other_files", "write_network"]


class _Saved(Protocol):
    """What is written of a network."""

    trained_on: TrainedOn | None
    card: WeightsCard | None

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
        besides[0].write_bytes(save(_apart(net.state_dict()), metadata=notes_of(net.trained_on, net.card)))
        for beside in besides[1:]:
            beside.write_bytes(config.encode())


def refuse_other_files(folder: Path, *, force: bool) -> None:
    """Refuse a folder where saving a network would lose something else, unless by `force`.

    Raises
    ------
    WhalereidError
        It is a file; or, without `force`, it holds a training, another tool's files, or something else.
    """
    with disk_errors(folder):
        if folder.exists() and not folder.is_dir():
            raise WhalereidError(f"{folder}: is a file; a network is saved as a folder.")
        if force:
            return
        if (folder / RUN).exists():
            raise WhalereidError(f"{folder}: holds a training, whose network would be lost; choose another folder.")
        if (folder / CONFIG).exists():
            read_config(folder)
        elif (folder / WEIGHTS).exists():
            lost = f"{folder / WEIGHTS}: weights without our {CONFIG} would be lost"
            raise WhalereidError(f"{lost}; choose another folder.")
        check_folder(folder, marker=CONFIG, option="a network")


def read_network(kind: Any, folder: Path, module: nn.Module | None) -> Any:
    """Read the network in a folder, in evaluation mode; `kind` is the class that makes it, an Embedder's.

    Raises
    ------
    WhalereidError
        A file is missing, damaged, or the weights are of another architecture; or the network was wrapped and there is
        no `module`, or the other way round.
    """
    config = read_config(folder)
    weights_file(folder / WEIGHTS)
    if module is None:
        refuse_wrapped(config, str(folder))
    elif "wrapped" not in config:
        raise WhalereidError(f"{folder}: a {config['backbone']} that Embedder builds itself; leave module out.")
    try:
        if module is None:
            net = kind.from_config(config | {"weights": "random"})
        else:
            net = kind.wrap(module, config["dim"], Preprocessing.from_dict(config))
    except WhalereidError as error:
        raise WhalereidError(f"{folder / CONFIG}: {error}") from error
    except (TypeError, ValueError, RuntimeError) as error:
        raise WhalereidError(f"{folder / CONFIG}: doesn't describe a network ({error}).") from error
    load_weights(net, folder / WEIGHTS)
    net.come_from(config["weights"], trained=(folder / RUN).exists())
    return net.eval()


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
