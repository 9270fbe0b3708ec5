"""The optimizer of a recipe, and the devices that it runs on."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import parse_flag_from_env
from timm.optim import param_groups_weight_decay
from torch import nn

from whalereid.training.recipe import Recipe

__all__ = ["default_workers", "make_accelerator", "make_optimizer"]


def make_optimizer(net: nn.Module, head: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """One group for each learning rate and decay; each group's `peak` is its learning rate at the schedule's 1."""
    head_lr = recipe.lr if recipe.head_lr is None else recipe.head_lr
    groups: list[dict[str, Any]] = []
    for module, peak in ((net, recipe.lr), (head, head_lr)):
        # Those that decay first, as checkpoints number parameters.
        for group in reversed(param_groups_weight_decay(module, recipe.weight_decay)):
            groups.append({**group, "lr": peak, "peak": peak})
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
    return kind(groups)


def make_accelerator() -> Accelerator:
    """Make Accelerate's object for this machine; the loop itself computes in half precision, as each recipe says."""
    # The other processes wait while the main one validates, which may take longer than the default allows.
    PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU"), timeout=timedelta(hours=12))
    return Accelerator(mixed_precision="no")


def default_workers() -> int:
    """Processes that prepare photos, by the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, 8)
