"""Recipes, schedules, the fit loop (on Accelerate), resume."""

from whalereid.training.loop import Run, fit
from whalereid.training.recipe import RECIPES, Recipe
from whalereid.training.schedules import RampThenDecay, Schedule, WarmupCosine

__all__ = ["RECIPES", "RampThenDecay", "Recipe", "Run", "Schedule", "WarmupCosine", "fit"]
