"""Margin heads, on pytorch-metric-learning's losses."""

from whalereid.heads.elastic import ElasticArcFace

__all__ = ["ElasticArcFace"]
