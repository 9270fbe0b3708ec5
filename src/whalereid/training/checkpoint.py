"""What a checkpoint must hold to go on from: every part there, of its kind, and of this training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from whalereid.errors import WhalereidError, listing
from whalereid.models.weights import check_kind, check_tensors
from whalereid.training.run import LATER

__all__ = ["PARTS", "check_checkpoint"]

PARTS = ("net", "head", "optimizer", "scaler", "records", "best", "untrained")
_SCALER = ("scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker")


def check_checkpoint(
    state: Any,
    where: str,
    *,
    net: nn.Module,
    head: nn.Module,
    optimizer: torch.optim.Optimizer,
    columns: Sequence[str],
    epochs: int,
    validated: bool,
) -> None:
    """Refuse a checkpoint with a part that is missing, of another shape or kind, or not finite; loads nothing.

    Parameters
    ----------
    state : object
        What the file holds.
    where : str
        What errors call the file.
    net, head, optimizer : Module, Module, Optimizer
        What it will be loaded into.
    columns : sequence of str
        What each epoch's record holds; `LATER` ones may be missing.
    epochs : int
        Of the whole training.
    validated : bool
        Whether the training has validation photos.

    Raises
    ------
    WhalereidError
        Names the file and the part.
    """
    try:
        if not isinstance(state, dict):
            raise WhalereidError(f"it holds a {type(state).__name__}, not a checkpoint's parts.")
        absent = [part for part in PARTS if part not in state]
        if absent:
            raise WhalereidError(f"it lacks its {listing(absent)}.")
        for part, module in (("net", net), ("head", head)):
            kept = state[part]
            if not isinstance(kept, dict) or not all(isinstance(tensor, Tensor) for tensor in kept.values()):
                raise WhalereidError(f"its {part} is no state dict of names and tensors.")
            check_tensors(module, kept, where=f"its {part}", what=type(module).__name__)
        _check_optimizer(state["optimizer"], optimizer)
        _check_scaler(state["scaler"])
        _check_records(state["records"], columns, epochs)
        _check_best(state["best"], len(state["records"]))
        _check_untrained(state["untrained"], validated=validated)
    except WhalereidError as error:
        raise WhalereidError(
            f"{where}: {str(error).rstrip('.')}; so this training can't be resumed; begin anew in another --out."
        ) from error


def _check_optimizer(kept: Any, optimizer: torch.optim.Optimizer) -> None:
    own = optimizer.state_dict()["param_groups"]
    groups, states = (kept.get("param_groups"), kept.get("state")) if isinstance(kept, dict) else (None, None)
    if not isinstance(groups, list) or not isinstance(states, dict) or len(groups) != len(own):
        raise WhalereidError("its optimizer isn't this training's.")
    for mine, found in zip(own, groups, strict=True):
        if not isinstance(found, dict) or not {"params", "lr", "peak", "weight_decay"} <= found.keys():
            raise WhalereidError("its optimizer lacks a group's settings.")
        if not _is_finite(found["lr"]):
            raise WhalereidError(f"its optimizer has a learning rate that is none ({found['lr']!r:.60}).")
        for name in (mine.keys() & found.keys()) - {"lr"}:  # the rate is the schedule's
            if not _alike(found[name], mine[name]):
                raise WhalereidError(f"its optimizer's {name} is {found[name]!r:.60}, not {mine[name]!r:.60}.")
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if parameters and not states:
        raise WhalereidError("its optimizer lacks the running means of the gradients.")
    for number, each in states.items():
        if type(number) is not int or not 0 <= number < len(parameters) or not isinstance(each, dict):
            raise WhalereidError("its optimizer isn't this training's.")
        shape = parameters[number].shape
        for name, wanted in (("step", torch.Size()), ("exp_avg", shape), ("exp_avg_sq", shape)):
            tensor = each.get(name)
            which = f"its optimizer's {name} of parameter {number}"
            if not isinstance(tensor, Tensor):
                raise WhalereidError(f"{which} is missing.")
            check_kind(tensor, torch.empty(0), which, "optimizer")
            if tensor.shape != wanted or not bool(tensor.isfinite().all()):
                raise WhalereidError(f"{which} has another shape, or isn't finite.")


def _check_scaler(kept: Any) -> None:
    if kept is None or kept == {}:
        return
    if not isinstance(kept, dict) or not all(_is_finite(kept.get(name)) for name in _SCALER) or kept["scale"] <= 0:
        raise WhalereidError("its scaler isn't one of mixed precision.")


def _check_records(kept: Any, columns: Sequence[str], epochs: int) -> None:
    if not isinstance(kept, list) or not 1 <= len(kept) <= epochs:
        raise WhalereidError(f"its records aren't those of 1 to {epochs} epochs.")
    for number, record in enumerate(kept, start=1):
        if not isinstance(record, dict) or record.keys() | LATER != set(columns):
            raise WhalereidError(f"its record of epoch {number} isn't {listing(columns, most=9)}.")
        odd = [name for name, value in record.items() if not _is_number(value)]
        if odd or record["epoch"] != number:
            raise WhalereidError(f"its record of epoch {number} holds a wrong {(odd or ['epoch'])[0]}.")


def _check_best(kept: Any, done: int) -> None:
    epoch, score = kept if isinstance(kept, tuple | list) and len(kept) == 2 else (None, None)
    is_epoch = type(epoch) is int and 1 <= epoch <= done
    if not is_epoch or not isinstance(score, float) or not score < math.inf:  # nor is it NaN
        raise WhalereidError(f"its best is no epoch from 1 to {done} and its score.")


def _check_untrained(kept: Any, *, validated: bool) -> None:
    wanted = {"mAP@20", "top-1"} if validated else set()
    if not isinstance(kept, Mapping) or kept.keys() != wanted or not all(map(_is_number, kept.values())):
        raise WhalereidError("its untrained isn't what the validation photos gave before the first step.")


def _alike(first: Any, second: Any) -> bool:
    if isinstance(first, Tensor | Mapping) or isinstance(second, Tensor | Mapping):
        return False
    plain = [list(value) if isinstance(value, tuple) else value for value in (first, second)]
    return type(plain[0]) is type(plain[1]) and bool(plain[0] == plain[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    return _is_number(value) and -1e300 < value < 1e300
