"""Recipes, schedules, the fit loop (on Accelerate), resume.

Names are imported when first used: a recipe can be checked without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
