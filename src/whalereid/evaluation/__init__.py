"""Metrics, protocols, confidence intervals, open set."""

from whalereid.evaluation.hits import Hits
from whalereid.evaluation.labels import Labels
from whalereid.evaluation.metrics import (
    average_precision,
    cmc,
    inverse_negative_penalty,
    mean_average_precision,
    precision_at,
    r_precision,
    recall_at,
    top_k,
)

__all__ = [
    "Hits",
    "Labels",
    "average_precision",
    "cmc",
    "inverse_negative_penalty",
    "mean_average_precision",
    "precision_at",
    "r_precision",
    "recall_at",
    "top_k",
]
