"""Recipes, schedules, the fit loop (on Accelerate), resume."""
