"""Modules tried once, to see what they give before they are used."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from whalereid.errors import WhalereidError
from whalereid.models.network import check_embeddings

__all__ = ["embedding_width", "first_line", "output_width"]


def output_width(module: nn.Module, inputs: list[Tensor], what: str) -> int:
    """How wide the vectors are that a module gives of these inputs, each (2, ...).

    Raises
    ------
    WhalereidError
        It can't take them, or gives no vectors; `what` says which module.
    """
    try:
        made = _tried(module, *inputs)
    except Exception as error:
        shapes = ", ".join(str(tuple(given.shape)) for given in inputs)
        raise WhalereidError(f"{what} can't take what it is given, {shapes} ({first_line(error)}).") from error
    return int(check_embeddings(made, 2, None, what).shape[1])


def embedding_width(module: nn.Module, image_size: tuple[int, int]) -> int:
    """How wide a whole network's embeddings are, by two black photos.

    Raises
    ------
    WhalereidError
        It can't take such photos, or gives no vectors.
    """
    name, (height, width) = type(module).__name__, image_size
    try:
        made = _tried(module, torch.zeros(2, 3, height, width))
    except Exception as error:  # whatever the module is made of
        raise WhalereidError(
            f"module: {name} can't take photos (2, 3, {height}, {width}) float32 ({first_line(error):.200}); say with "
            "preprocessing what size it wants, or wrap the part of it that takes photos."
        ) from error
    return int(check_embeddings(made, 2, None, f"module: {name}").shape[1])


def first_line(error: Exception) -> str:
    """What an error says, in a line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@torch.no_grad()
def _tried(module: nn.Module, *inputs: Tensor) -> Any:
    """What a module gives in evaluation mode; it comes back as it was, and so does torch's generator."""
    training = {part: part.training for part in module.modules()}
    place = next((tensor.device for tensor in module.state_dict().values() if isinstance(tensor, Tensor)), None)
    try:
        with torch.random.fork_rng(devices=[]):
            return module.eval()(*(given.to(device=place) for given in inputs))
    finally:
        for part, was in training.items():
            part.training = was
