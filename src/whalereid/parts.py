"""All parts that have a name, a registry a kind: what can be asked for in a command, a recipe or a file.

To add one to the library is a file in its room, and a line here; docs/extending.md has an example of each.
"""

from __future__ import annotations

from typing import Any

from whalereid.registry import Registry

__all__ = [
    "BATCHES",
    "HEADS",
    "METRICS",
    "MINERS",
    "MODELS",
    "NECKS",
    "POOLINGS",
    "READERS",
    "RERANKERS",
    "RULES",
    "SCHEDULES",
    "WRITERS",
]

_OBJECTS = (  # of pytorch-metric-learning's parts: no text can name them
    "distance", "reducer", "collect_stats", "embedding_regularizer", "embedding_reg_weight",
)  # fmt: skip

HEADS: Registry[Any] = Registry(
    "head",
    "whalereid.heads",
    {
        "elastic-arcface": "whalereid.heads.elastic:ElasticArcFace",
        "sub-center-arcface": "whalereid.heads.sub_center:SubCenterArcFace",
        "contrastive": "pytorch_metric_learning.losses:ContrastiveLoss",
        "multi-similarity": "pytorch_metric_learning.losses:MultiSimilarityLoss",
        "supervised-contrastive": "pytorch_metric_learning.losses:SupConLoss",
        "triplet": "pytorch_metric_learning.losses:TripletMarginLoss",
    },
    given=("dim", "n_identities", "embedding_size", "num_classes", "class_sizes", "generator", *_OBJECTS),
)
"""Heads and losses: modules with ``(embeddings (B, D), labels (B,)) → scalar``."""

MINERS: Registry[Any] = Registry(
    "miner",
    "whalereid.miners",
    {
        "batch-hard": "pytorch_metric_learning.miners:BatchHardMiner",
        "multi-similarity": "pytorch_metric_learning.miners:MultiSimilarityMiner",
        "pair-margin": "pytorch_metric_learning.miners:PairMarginMiner",
        "triplet-margin": "pytorch_metric_learning.miners:TripletMarginMiner",
    },
    given=_OBJECTS,
)
"""Miners: which pairs or triplets of a batch a loss looks at, ``(embeddings (B, D), labels (B,)) → indices``."""

BATCHES: Registry[Any] = Registry(
    "kind of batches",
    "whalereid.batches",
    {
        "by-identity": "whalereid.training.samplers:by_identity",
        "shuffled": "whalereid.training.samplers:shuffled",
    },
    given=("labels", "batch_size", "seed"),
)
"""Which photos make a batch: ``(labels (N,), batch_size, seed) → sampler`` of items' numbers, or of lists of them."""

SCHEDULES: Registry[Any] = Registry(
    "schedule",
    "whalereid.schedules",
    {
        "ramp-then-decay": "whalereid.training.schedules:RampThenDecay",
        "warmup-cosine": "whalereid.training.schedules:WarmupCosine",
    },
)
"""Courses of the learning rate: frozen dataclasses with ``factor(epoch, epochs)``."""

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
        "camtrap-dp": "whalereid.catalogue.readers.camtrap_dp:CamtrapDP",
        "competition": "whalereid.catalogue.readers.competition:Competition",
        "happywhale": "whalereid.catalogue.readers.happywhale:Happywhale",
        "wildbook": "whalereid.catalogue.readers.wildbook:Wildbook",
        "table": "whalereid.catalogue.readers.table:Table",
        "megadetector": "whalereid.catalogue.readers.megadetector:MegaDetector",
        "wildlife": "whalereid.catalogue.readers.wildlife:Wildlife",
        "photos": "whalereid.catalogue.readers.photos:Photos",
        "folders": "whalereid.catalogue.readers.folders:Folders",
    },
    given=("by_name",),
)
"""Readers of data sets, one a layout, in the order in which they are asked whether they recognise one."""

WRITERS: Registry[Any] = Registry(
    "format",
    "whalereid.writers",
    {
        "csv": "whalereid.catalogue.writers.tables:Csv",
        "parquet": "whalereid.catalogue.writers.tables:Parquet",
        "xlsx": "whalereid.catalogue.writers.workbook:Xlsx",
        "camtrap-dp": "whalereid.catalogue.writers.camtrap_dp:CamtrapDP",
        "coco": "whalereid.catalogue.writers.coco:Coco",
    },
)
"""Writers of catalogues, one a format."""

POOLINGS: Registry[Any] = Registry(
    "pooling",
    "whalereid.poolings",
    {
        "gem": "whalereid.models.pooling:GeM",
        "avg": "whalereid.models.pooling:AveragePooling",
        "multi-gem": "whalereid.models.pooling:MultiStageGeM",
        "native": "whalereid.models.pooling:NativePooling",
        "cls": "whalereid.models.pooling:ClassToken",
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

MODELS: Registry[Any] = Registry(
    "network",
    "whalereid.models",
    {
        "lite0": "whalereid.models.cards:lite0",
        "megadescriptor-t": "whalereid.models.cards:megadescriptor_t",
        "megadescriptor-s": "whalereid.models.cards:megadescriptor_s",
        "megadescriptor-b": "whalereid.models.cards:megadescriptor_b",
        "megadescriptor-l": "whalereid.models.cards:megadescriptor_l",
        "miewid": "whalereid.models.cards:miewid",
        "dinov2-s": "whalereid.models.cards:dinov2_s",
        "dinov2-b": "whalereid.models.cards:dinov2_b",
        "dinov3-s": "whalereid.models.cards:dinov3_s",
        "dinov3-b": "whalereid.models.cards:dinov3_b",
        "clip-b32": "whalereid.models.cards:clip_b32",
        "clip-b16": "whalereid.models.cards:clip_b16",
    },
)
"""Networks with weights, by a short name: functions that give a `KnownNetwork`, what is known of one."""
