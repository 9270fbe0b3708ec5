"""Metrics, protocols, confidence intervals, open set."""
