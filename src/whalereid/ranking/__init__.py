"""Candidate rules, exact top-k, Ensemble, re-rankers, view routes."""

from whalereid.ranking.result import Ranking
from whalereid.ranking.rules import CandidateMask, CandidateRules

__all__ = ["CandidateMask", "CandidateRules", "Ranking"]
