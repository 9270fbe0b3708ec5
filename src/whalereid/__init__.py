"""Metric learning for telling animals apart in photos.

The public names are imported when first used, so that ``import whalereid`` loads neither torch nor pandas.
"""

from __future__ import annotations

TYPE_CHECKING = False  # a command heeds Ctrl-C only after this file: it imports nothing at all
if TYPE_CHECKING:
    from typing import Any

    from whalereid.calibration import ScoreCalibration as ScoreCalibration
    from whalereid.candidates import CandidateRules as CandidateRules
    from whalereid.catalogue import Catalogue as Catalogue
    from whalereid.catalogue import TrainedOn as TrainedOn
    from whalereid.catalogue.audit import audit as audit
    from whalereid.catalogue.export import export as export
    from whalereid.embeddings import Embeddings as Embeddings
    from whalereid.embeddings import Extraction as Extraction
    from whalereid.embeddings import embed as embed
    from whalereid.embeddings import embed_many as embed_many
    from whalereid.embeddings import raw_pixels as raw_pixels
    from whalereid.errors import WhalereidError as WhalereidError
    from whalereid.evaluation import Bootstrap as Bootstrap
    from whalereid.evaluation import OpenSetOutcome as OpenSetOutcome
    from whalereid.evaluation import Protocol as Protocol
    from whalereid.evaluation import Report as Report
    from whalereid.evaluation import evaluate as evaluate
    from whalereid.evaluation import mean_average_precision as mean_average_precision
    from whalereid.heads import ElasticArcFace as ElasticArcFace
    from whalereid.heads import SubCenterArcFace as SubCenterArcFace
    from whalereid.heads import class_size_margins as class_size_margins
    from whalereid.images import TRAINING_TRANSFORMS as TRAINING_TRANSFORMS
    from whalereid.images import Crop as Crop
    from whalereid.images import CrossViewPairs as CrossViewPairs
    from whalereid.images import PhotoDataset as PhotoDataset
    from whalereid.images import evaluation_transform as evaluation_transform
    from whalereid.images import read_photo as read_photo
    from whalereid.models import Embedder as Embedder
    from whalereid.models import Preprocessing as Preprocessing
    from whalereid.models import load_weights as load_weights
    from whalereid.ranking import Ensemble as Ensemble
    from whalereid.ranking import Expand as Expand
    from whalereid.ranking import Member as Member
    from whalereid.ranking import Ranking as Ranking
    from whalereid.ranking import Route as Route
    from whalereid.ranking import Task as Task
    from whalereid.ranking import ViewRoutes as ViewRoutes
    from whalereid.splits import DateSplit as DateSplit
    from whalereid.splits import EncounterFolds as EncounterFolds
    from whalereid.splits import IdentityFolds as IdentityFolds
    from whalereid.splits import OpenSetSplit as OpenSetSplit
    from whalereid.splits import PhotoFolds as PhotoFolds
    from whalereid.splits import PredefinedFolds as PredefinedFolds
    from whalereid.splits import ViewpointSplit as ViewpointSplit
    from whalereid.splits import fold_table as fold_table
    from whalereid.splits import leakage_over_folds as leakage_over_folds
    from whalereid.splits import read_folds as read_folds
    from whalereid.splits import write_folds as write_folds
    from whalereid.splits.leakage_counts import leakage as leakage
    from whalereid.training import FitOptions as FitOptions
    from whalereid.training import RampThenDecay as RampThenDecay
    from whalereid.training import Recipe as Recipe
    from whalereid.training import WarmupCosine as WarmupCosine
    from whalereid.training import fit as fit

    __version__: str

# Room -> the public names that live there, left to right along the way of the data.
_ROOMS = {
    "errors": ["WhalereidError"],
    "candidates": ["CandidateRules"],
    "catalogue": ["Catalogue", "TrainedOn", "audit", "export"],
    "splits": [
        "PhotoFolds", "EncounterFolds", "IdentityFolds", "DateSplit", "OpenSetSplit", "ViewpointSplit",
        "PredefinedFolds", "leakage", "leakage_over_folds", "fold_table", "read_folds", "write_folds",
    ],
    "images": [
        "read_photo", "Crop", "PhotoDataset", "CrossViewPairs", "evaluation_transform", "TRAINING_TRANSFORMS",
    ],
    "models": ["Embedder", "Preprocessing", "load_weights"],
    "heads": ["ElasticArcFace", "SubCenterArcFace", "class_size_margins"],
    "training": ["Recipe", "WarmupCosine", "RampThenDecay", "FitOptions", "fit"],
    "embeddings": ["Embeddings", "Extraction", "embed", "embed_many", "raw_pixels"],
    "ranking": ["Ensemble", "Member", "Expand", "Route", "ViewRoutes", "Task", "Ranking"],
    "calibration": ["ScoreCalibration"],
    "evaluation": ["mean_average_precision", "Protocol", "Report", "evaluate", "Bootstrap", "OpenSetOutcome"],
}  # fmt: skip
_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    value: Any
    if name == "__version__":
        from importlib.metadata import version

        value = version("whalereid")
    elif name in _HOME:
        from importlib import import_module

        value = getattr(import_module(f"whalereid.{_HOME[name]}"), name)
    else:
        raise AttributeError(f"module 'whalereid' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
