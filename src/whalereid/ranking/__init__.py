"""Exact search, Ensemble, re-rankers, view routes, rankings and the tasks that they answer."""

from whalereid.candidates import CandidateMask, CandidateRules, Task
from whalereid.parts import RERANKERS
from whalereid.ranking.ensemble import Ensemble
from whalereid.ranking.expand import Expand
from whalereid.ranking.queries import read_database, read_queries
from whalereid.ranking.result import Ranking
from whalereid.ranking.routes import Route, ViewRoutes, anything, only, without
from whalereid.ranking.search import Reranker, Search
from whalereid.ranking.similarity import Member, Similarity
from whalereid.ranking.task_file import read_tasks, read_trained_on, task_path, write_tasks
from whalereid.ranking.tasks import Ranker, rank_tasks, tasks_from

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
