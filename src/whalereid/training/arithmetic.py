"""The numbers that training computes with: their precision, and what CPUs do slowly in half of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from whalereid.embeddings import native_precision
from whalereid.errors import WhalereidError

__all__ = ["autocast_dtype", "depthwise_in_float32", "mixed_seed", "repeatable"]


def autocast_dtype(precision: str, device: torch.device) -> torch.dtype | None:
    """Return the half precision that a recipe asks for on this device; None is full precision.

    Raises
    ------
    WhalereidError
        The device can't.
    """
    if precision == "auto":
        precision = native_precision(device)
    if precision == "fp16" and device.type == "cpu":
        raise WhalereidError("precision 'fp16' is for accelerators; on the CPU use 'auto', 'bf16' or 'fp32'.")
    return {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def mixed_seed(*numbers: int) -> int:
    """One seed from several numbers, unlike for unlike ones."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Let two runs on one machine come out equal; the caller's random state and settings are as before afterwards."""
    memory: Any = torch.utils.deterministic
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        memory.fill_uninitialized_memory,
        torch.backends.cudnn.benchmark,
    )
    with torch.random.fork_rng():
        torch.use_deterministic_algorithms(True, warn_only=True)
        memory.fill_uninitialized_memory = False  # costs time, and nothing here reads such memory
        torch.backends.cudnn.benchmark = False
        torch.manual_seed(seed)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])
            memory.fill_uninitialized_memory = before[2]
            torch.backends.cudnn.benchmark = before[3]


@contextmanager
def depthwise_in_float32(net: nn.Module) -> Iterator[None]:
    """Within it, compute strided and large depthwise convolutions in float32 under autocast.

    On CPUs the backward pass of these few falls back to a slow path in bfloat16 (several times slower than in
    float32, measured by `benchmarks/training_step.py`), and takes most of an EfficientNet's step.
    """
    slow = [module for module in net.modules() if isinstance(module, nn.Conv2d) and _is_slow(module)]
    for module in slow:
        module.forward = _in_float32(module)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for module in slow:
            del module.forward


def _is_slow(conv: nn.Conv2d) -> bool:
    depthwise = conv.groups == conv.in_channels > 1
    return depthwise and (max(conv.stride) > 1 or max(conv.kernel_size) > 3)


def _in_float32(conv: nn.Conv2d) -> Any:
    original = type(conv).forward

    def forward(images: Tensor) -> Tensor:
        with torch.autocast(images.device.type, enabled=False):
            return original(conv, images.float())

    return forward
