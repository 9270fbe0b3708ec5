"""Heads: margin heads on pytorch-metric-learning's losses, and a miner before any loss."""

from whalereid.heads.elastic import ElasticArcFace, class_size_margins
from whalereid.heads.mined import Mined
from whalereid.heads.sub_center import SubCenterArcFace

__all__ = ["ElasticArcFace", "Mined", "SubCenterArcFace", "class_size_margins"]
