"""Recipes, schedules, the fit loop (on Accelerate), resume.

What needs torch is imported when first used: a recipe can be checked without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from whalereid.training.recipe import RECIPES, Recipe
from whalereid.training.schedules import RampThenDecay, Schedule, WarmupCosine

if TYPE_CHECKING:
    from whalereid.training.loop import Run as Run
    from whalereid.training.loop import fit as fit

_LOOP = ("Run", "fit")

__all__ = ["RECIPES", "RampThenDecay", "Recipe", "Schedule", "WarmupCosine", *_LOOP]


def __getattr__(name: str) -> Any:
    if name not in _LOOP:
        raise AttributeError(f"module 'whalereid.training' has no attribute {name!r}")
    return getattr(import_module("whalereid.training.loop"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
