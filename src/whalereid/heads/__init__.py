"""Margin heads, on pytorch-metric-learning's losses."""
