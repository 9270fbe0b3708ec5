"""Candidate rules, exact top-k, Ensemble, re-rankers, view routes."""

from whalereid.ranking.ensemble import Ensemble, Member, Reranker, Search, Similarity
from whalereid.ranking.expand import Expand
from whalereid.ranking.result import Ranking
from whalereid.ranking.routes import Route, ViewRoutes, anything, only, without
from whalereid.ranking.rules import CandidateMask, CandidateRules
from whalereid.ranking.task import (
    Ranker,
    Task,
    rank_tasks,
    read_database,
    read_queries,
    read_tasks,
    read_trained_on,
    task_path,
    tasks_from,
    write_tasks,
)

RERANKERS: dict[str, type[Reranker]] = {"expand": Expand}
"""Re-rankers by the name that `whalereid rank --rerank` takes; each can be made without arguments."""

__all__ = [
    "CandidateMask",
    "CandidateRules",
    "Ensemble",
    "Expand",
    "Member",
    "RERANKERS",
    "Ranker",
    "Ranking",
    "Reranker",
    "Route",
    "Search",
    "Similarity",
    "Task",
    "ViewRoutes",
    "anything",
    "only",
    "rank_tasks",
    "read_database",
    "read_queries",
    "read_tasks",
    "read_trained_on",
    "task_path",
    "tasks_from",
    "without",
    "write_tasks",
]
