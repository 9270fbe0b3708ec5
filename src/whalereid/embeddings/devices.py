"""Where and in what precision a network computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

from whalereid.errors import WhalereidError

__all__ = ["PRECISIONS", "autocast", "borrowed", "native_precision", "usable_device"]

PRECISIONS: dict[str, torch.dtype | None] = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def native_precision(device: str | torch.device) -> str:
    """What ``precision="auto"`` means on a device: the fastest precision that its hardware computes in natively.

    bfloat16 on GPUs since Ampere and on CPUs with its instructions (AVX-512 BF16, AMX), float16 on GPUs with tensor
    cores before that, float32 elsewhere.

    Examples
    --------
    >>> native_precision("cpu") in ("bf16", "fp32")
    True
    """
    device = torch.device(device)
    if device.type == "cuda":
        generation = torch.cuda.get_device_capability(device)
        return "bf16" if generation >= (8, 0) else "fp16" if generation >= (7, 0) else "fp32"
    # Names that torch may yet change; without them we don't know, and take float32.
    instructions = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    if device.type == "cpu" and any(getattr(torch.cpu, name, bool)() for name in instructions):
        return "bf16"
    return "fp32"


@contextmanager
def borrowed(network: Any, device: torch.device) -> Iterator[None]:
    """Bring a network into evaluation mode on a device, and afterwards back to how it was; one of no module stays."""
    if not isinstance(network, nn.Module):
        yield
        return
    training = {module: module.training for module in network.modules()}
    home = next((tensor.device for tensor in (*network.parameters(), *network.buffers())), torch.device("cpu"))
    network.eval().to(device).to(memory_format=torch.channels_last)
    try:
        yield
    finally:
        network.to(home).to(memory_format=torch.contiguous_format)
        for module, was in training.items():
            module.training = was


def autocast(device: torch.device, dtype: torch.dtype | None) -> AbstractContextManager[Any]:
    """A context that computes in this precision; None is float32."""
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype=dtype)


def usable_device(device: str | torch.device | None) -> torch.device:
    """Return the device of this name, tried once; None is the accelerator if there is one, else the CPU.

    Raises
    ------
    WhalereidError
        Nothing can be computed there.
    """
    if device is None:
        return torch.device(
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    try:
        place = torch.device(device)
        torch.zeros(1, device=place).item()  # also of places that hold no numbers, such as "meta"
    except (RuntimeError, AssertionError, NotImplementedError, ValueError) as error:  # without CUDA torch asserts
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WhalereidError(
            f"device {str(device)!r} can't be used here ({reason}); leave it out, or give 'cpu'."
        ) from error
    return place
