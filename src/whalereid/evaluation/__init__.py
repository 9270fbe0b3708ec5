"""Metrics, protocols, confidence intervals, open set."""

from whalereid.calibration import ScoreCalibration, expected_calibration_error, reliability
from whalereid.evaluation.breakdown import query_photos
from whalereid.evaluation.hits import Hits
from whalereid.evaluation.intervals import Bootstrap, Difference, Interval
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
from whalereid.evaluation.named_metrics import Metric, usual_metrics
from whalereid.evaluation.open_set import OpenSetReport, evaluate_open_set
from whalereid.evaluation.outcome import OpenSetOutcome, Threshold
from whalereid.evaluation.protocol import Protocol
from whalereid.evaluation.report import Report
from whalereid.evaluation.resampling import bootstrap, bootstrap_means, bootstrap_statistic, compare
from whalereid.evaluation.scoring import evaluate
from whalereid.evaluation.submission import check_submission

__all__ = [
    "Bootstrap",
    "Difference",
    "Hits",
    "Interval",
    "Labels",
    "Metric",
    "OpenSetOutcome",
    "OpenSetReport",
    "Protocol",
    "Report",
    "ScoreCalibration",
    "Threshold",
    "average_precision",
    "bootstrap",
    "bootstrap_means",
    "bootstrap_statistic",
    "check_submission",
    "cmc",
    "compare",
    "evaluate",
    "evaluate_open_set",
    "expected_calibration_error",
    "inverse_negative_penalty",
    "mean_average_precision",
    "precision_at",
    "query_photos",
    "r_precision",
    "recall_at",
    "reliability",
    "top_k",
    "usual_metrics",
]
