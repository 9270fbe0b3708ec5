"""Heads: margin heads on pytorch-metric-learning's losses, and a miner before any loss."""

from whalereid.heads.elastic import ElasticArcFace
from whalereid.heads.mined import Mined

__all__ = ["ElasticArcFace", "Mined"]
