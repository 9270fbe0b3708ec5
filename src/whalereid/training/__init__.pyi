from .fitting import fit as fit
from .folder import crop_of as crop_of
from .options import FitOptions as FitOptions
from .recipe import RECIPES as RECIPES
from .recipe import Recipe as Recipe
from .run import Run as Run
from .schedules import RampThenDecay as RampThenDecay
from .schedules import Schedule as Schedule
from .schedules import WarmupCosine as WarmupCosine

__all__ = [
    "FitOptions",
    "RECIPES",
    "RampThenDecay",
    "Recipe",
    "Run",
    "Schedule",
    "WarmupCosine",
    "crop_of",
    "fit",
]
