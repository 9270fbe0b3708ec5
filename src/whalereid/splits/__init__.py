"""Fold splitters (scikit-learn's splitter protocol) and the leakage report."""

from whalereid.splits.base import Splitter
from whalereid.splits.compare import BorderHint
from whalereid.splits.date import DateSplit
from whalereid.splits.folds import EncounterFolds, IdentityFolds, PhotoFolds
from whalereid.splits.leakage_counts import leakage, leakage_over_folds
from whalereid.splits.leakage_report import FoldLeakage, Leakage
from whalereid.splits.open_set import OpenSetSplit
from whalereid.splits.predefined import PredefinedFolds, fold_table, read_folds, write_folds
from whalereid.splits.viewpoint import ViewpointSplit

__all__ = [
    "BorderHint",
    "DateSplit",
    "EncounterFolds",
    "FoldLeakage",
    "IdentityFolds",
    "Leakage",
    "OpenSetSplit",
    "PhotoFolds",
    "PredefinedFolds",
    "Splitter",
    "ViewpointSplit",
    "fold_table",
    "leakage",
    "leakage_over_folds",
    "read_folds",
    "write_folds",
]
