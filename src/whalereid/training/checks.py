"""What must fit together before the first step: the photos' preparation and the network, the network and the head."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from whalereid.errors import WhalereidError, listing
from whalereid.heads import Mined
from whalereid.images.reading import read_transform
from whalereid.models import Embedder
from whalereid.training.items import PhotosAsItems, PlainItems, TrainingItems
from whalereid.training.recipe import Recipe

__all__ = ["check_head", "check_preprocessing"]

_AS_THE_NETWORK = (
    "build it from net.preprocessing (image_size, mean, std, antialias, framing; portrait is the data set's)"
)


def check_preprocessing(items: TrainingItems, net: Embedder, recipe: Recipe) -> tuple[bool | None, list[str]]:
    """Compare how photos are prepared with what the network says of it.

    Returns
    -------
    tuple
        Whether photos are mirrored (None where the data set doesn't show it), and what there is to say of what isn't
        shown.

    Raises
    ------
    WhalereidError
        They differ; the message names in what, with both values.
    """
    if isinstance(items, PlainItems) and items.image_size != tuple(net.preprocessing.image_size):
        raise WhalereidError(
            f"the data set's images are {items.image_size}, the network's image_size is "
            f"{tuple(net.preprocessing.image_size)} (height, width); let them agree."
        )
    if not isinstance(items, PhotosAsItems):
        return None, []
    wanted, reading = net.preprocessing, read_transform(items.transform)
    found: dict[str, Any] = {name: getattr(reading, name) for name in ("image_size", "mean", "std", "antialias")}
    found |= {"portrait": items.portrait, "crop_mode": getattr(reading.framing, "crop_mode", None)}
    found |= {"crop_pct": reading.framing.crop_pct} if reading.framing else {}
    differing = [
        f"{name} is {_short(value)}, the network's {_short(getattr(wanted, name))}"
        for name, value in found.items()
        if value is not None and not _alike(value, getattr(wanted, name))
    ]
    if differing:
        raise WhalereidError(
            f"the data set prepares photos unlike the network it trains: {'; '.join(differing)}; {_AS_THE_NETWORK}, or "
            "make the network with those values."
        )
    if recipe.flip is not None and recipe.flip != reading.mirrors:
        does, asked = ("mirrors", "doesn't want that") if reading.mirrors else ("doesn't mirror", "wants it to")
        raise WhalereidError(
            f"the data set's transform {does} photos, the recipe's flip={recipe.flip} {asked}; build the transform "
            f"with flip={recipe.flip}, or leave the recipe's at None."
        )
    unread = [name for name, value in found.items() if value is None]
    note = (
        f"Not shown by the data set's transform, so not compared with the network's: {listing(unread)}."
        if unread
        else ""
    )
    return reading.mirrors, [note] if note else []


def _alike(value: Any, wanted: Any) -> bool:
    return value == wanted if isinstance(value, str) else np.allclose(value, wanted, rtol=0, atol=1e-6)


def check_head(head: nn.Module, dim: int, n_classes: int) -> None:
    """Give a head a few embeddings as the network's will be, two of a class, with the first and the last classes.

    Raises
    ------
    WhalereidError
        It is made for another width, or for fewer classes; or what it gives is no loss.
    """
    loss_itself = head.loss if isinstance(head, Mined) else head
    classes = getattr(loss_itself, "num_classes", None)
    if isinstance(classes, int) and classes < n_classes:
        raise WhalereidError(
            f"the head tells {classes} identities apart, the training photos are of {n_classes}; make it for those "
            "(train.n_identities)."
        )
    if not all(isinstance(value, Tensor) for value in head.state_dict().values()):
        raise WhalereidError("the head's state_dict holds more than tensors, which a checkpoint can't keep.")
    try:
        loss = _loss_of_trial(head, dim, 1)
    except Exception as error:
        widths = sorted({side for value in head.state_dict().values() for side in value.shape} - {dim})
        width = next((width for width in widths if _takes(head, width)), None)
        if width is None:
            raise WhalereidError(
                f"the head can't take the network's embeddings of width {dim} ({_first_line(error)}); it is called as "
                "head(embeddings (B, D) float32, labels (B,) int64)."
            ) from error
        raise WhalereidError(
            f"the head takes embeddings of width {width}, the network's are {dim} wide; make it for those (net.dim)."
        ) from error
    if not isinstance(loss, Tensor) or loss.shape != ():
        what = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
        raise WhalereidError(f"the head gives {what}; fit wants the mean loss, a tensor of shape ().")
    if isinstance(head, Mined):
        _check_miner(head, dim)
    if classes is None and _device(head).type == "cpu":  # a label too many would break an accelerator's whole process
        try:
            _loss_of_trial(head, dim, n_classes - 1)
        except Exception as error:
            raise WhalereidError(
                f"the head can't take the last of the {n_classes} classes of the training photos "
                f"({_first_line(error)}); make it for those (train.n_identities)."
            ) from error


def _check_miner(head: Mined, dim: int) -> None:
    """Let the miner pick from a few embeddings, and the loss look at what it picked."""
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            picked = head.miner(*_trial(dim, 1, _device(head)))
        _loss_of_trial(head.loss, dim, 1, picked)
    except Exception as error:
        raise WhalereidError(
            f"the miner {type(head.miner).__name__} and the head {type(head.loss).__name__} don't go together "
            f"({_first_line(error)}); a miner is called as miner(embeddings, labels), and gives indices that the head "
            "takes as its third argument."
        ) from error


@torch.no_grad()
def _loss_of_trial(head: nn.Module, dim: int, label: int, *indices: Any) -> Any:
    """What a head gives for class 0 and another, in evaluation mode; it and the random state stay as they were."""
    device = _device(head)
    training = {module: module.training for module in head.modules()}
    buffers = {name: buffer.clone() for name, buffer in head.named_buffers()}
    try:
        with torch.random.fork_rng(devices=[]):
            return head.eval()(*_trial(dim, label, device), *indices)
    finally:
        for name, buffer in head.named_buffers():
            if name in buffers and buffer.shape == buffers[name].shape:
                buffer.copy_(buffers[name])
        for module, was in training.items():
            module.training = was


def _trial(dim: int, label: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Embeddings (4, dim) of class 0 and another by turns, with their labels."""
    embeddings = torch.randn(4, dim, generator=torch.Generator().manual_seed(0))
    return embeddings.to(device), torch.tensor([0, label, 0, label], device=device)


def _takes(head: nn.Module, width: int) -> bool:
    try:
        _loss_of_trial(head, width, 1)
    except Exception:
        return False
    return True


def _device(head: nn.Module) -> torch.device:
    return next((value.device for value in head.state_dict().values()), torch.device("cpu"))


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(f"{number:g}" for number in value) + ")"
    return str(value)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
