"""Hostile cases by kind, for ../hostile.py: one file a kind, each with a function `cases`."""
