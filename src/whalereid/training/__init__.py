"""Recipes, schedules, the fit loop (on Accelerate), resume.

What needs torch is imported when first used: a recipe can be checked without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from whalereid.training.recipe import RECIPES, Recipe
from whalereid.training.schedules import RampThenDecay, Schedule, WarmupCosine

if TYPE_CHECKING:
    from whalereid.training.fitting import fit as fit
    from whalereid.training.options import FitOptions as FitOptions
    from whalereid.training.run import Run as Run

_WHEN_USED = {"FitOptions": "options", "Run": "run", "fit": "fitting"}

__all__ = ["RECIPES", "RampThenDecay", "Recipe", "Schedule", "WarmupCosine", *_WHEN_USED]


def __getattr__(name: str) -> Any:
    if name not in _WHEN_USED:
        raise AttributeError(f"module 'whalereid.training' has no attribute {name!r}")
    return getattr(import_module(f"whalereid.training.{_WHEN_USED[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
