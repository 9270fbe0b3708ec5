"""All parts that have a name, a registry a kind: what can be asked for in a command, a recipe or a file.

To add one to the library is a file in its room, and a line here; docs/extending.md has an example of each.
"""

from __future__ import annotations

from typing import Any

from whalereid.registry import Registry

__all__ = ["HEADS", "METRICS", "NECKS", "POOLINGS", "READERS", "RERANKERS", "RULES"]

HEADS: Registry[Any] = Registry(
    "head",
    "whalereid.heads",
    {"elastic-arcface": "whalereid.heads.elastic:ElasticArcFace"},
    given=("dim", "n_identities", "embedding_size", "num_classes", "generator"),
)
"""Heads and losses: modules with ``(embeddings (B, D), labels (B,)) → scalar``."""

RULES: Registry[Any] = Registry(
    "rule",
    "whalereid.rules",
    {
        "differ": "whalereid.candidates.columns:Differ",
        "same": "whalereid.candidates.columns:Same",
        "within-days": "whalereid.candidates.time:WithinDays",
        "beyond-days": "whalereid.candidates.time:BeyondDays",
        "within-km": "whalereid.candidates.place:WithinDistance",
        "beyond-km": "whalereid.candidates.place:BeyondDistance",
        "viewpoints": "whalereid.candidates.viewpoints:Viewpoints",
        "must-not": "whalereid.candidates.pairs:MustNot",
        "must-not-file": "whalereid.candidates.pairs:read_must_not",
        "alive": "whalereid.candidates.lifetime:Alive",
    },
)
"""Candidate rules: who may be compared with whom."""

RERANKERS: Registry[Any] = Registry(
    "re-ranker", "whalereid.rerankers", {"expand": "whalereid.ranking.expand:Expand"}, given=("by",)
)
"""Re-rankers: new scores for the candidates of a search."""

METRICS: Registry[Any] = Registry(
    "metric",
    "whalereid.metrics",
    {
        "mAP": "whalereid.evaluation.named_metrics:average_precision_of",
        "top": "whalereid.evaluation.named_metrics:top_k_of",
        "CMC": "whalereid.evaluation.named_metrics:top_k_of",
        "precision": "whalereid.evaluation.named_metrics:precision_of",
        "recall": "whalereid.evaluation.named_metrics:recall_of",
        "R-precision": "whalereid.evaluation.named_metrics:r_precision_of",
        "mINP": "whalereid.evaluation.named_metrics:inverse_negative_penalty_of",
    },
    given=("hits", "k"),
)
"""Metrics of a ranking: functions ``(hits, k) → (Q,)``, or ``(hits) → (Q,)`` where they have no cut-off."""

READERS: Registry[Any] = Registry(
    "layout",
    "whalereid.readers",
    {
        "lila-test": "whalereid.catalogue.readers.lila_test:LilaTest",
        "coco": "whalereid.catalogue.readers.coco:Coco",
        "competition": "whalereid.catalogue.readers.competition:Competition",
        "table": "whalereid.catalogue.readers.table:Table",
        "wildlife": "whalereid.catalogue.readers.wildlife:Wildlife",
        "folders": "whalereid.catalogue.readers.folders:Folders",
    },
    given=("by_name",),
)
"""Readers of data sets, one a layout, in the order in which they are asked whether they recognise one."""

POOLINGS: Registry[Any] = Registry(
    "pooling",
    "whalereid.poolings",
    {
        "gem": "whalereid.models.pooling:GeM",
        "avg": "whalereid.models.pooling:AveragePooling",
        "multi-gem": "whalereid.models.pooling:MultiStageGeM",
    },
)
"""Poolings: modules with ``(features (B, C, positions...)) → (B, width)``."""

NECKS: Registry[Any] = Registry(
    "neck",
    "whalereid.necks",
    {
        "none": "whalereid.models.neck:NoNeck",
        "bn": "whalereid.models.neck:BatchNormNeck",
        "bn-linear": "whalereid.models.neck:LinearNeck",
    },
    given=("width",),
)
"""Necks: modules with ``(pooled (B, width)) → (B, dim)``."""
