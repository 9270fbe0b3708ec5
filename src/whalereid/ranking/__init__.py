"""Candidate rules, exact top-k, Ensemble, re-rankers, view routes."""

from whalereid.ranking.result import Ranking
from whalereid.ranking.rules import CandidateMask, CandidateRules
from whalereid.ranking.task import Task, rank_tasks, read_tasks, task_path, tasks_from, write_tasks

__all__ = [
    "CandidateMask",
    "CandidateRules",
    "Ranking",
    "Task",
    "rank_tasks",
    "read_tasks",
    "task_path",
    "tasks_from",
    "write_tasks",
]
