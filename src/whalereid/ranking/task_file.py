"""RANKING.task.json, beside a ranking: its tasks, so that its score can be computed; what its networks learnt from."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whalereid.arguments import instance
from whalereid.candidates import CandidateRules, Task
from whalereid.candidates.task import refuse_shared_queries
from whalereid.catalogue import TrainedOn
from whalereid.errors import WhalereidError
from whalereid.files import companion, leftovers, replacing
from whalereid.outputs import TASK, check_output
from whalereid.ranking.queries import path_of
from whalereid.reading import is_file, read_json

__all__ = [
    "read_tasks",
    "read_trained_on",
    "refuse_unfinished",
    "task_path",
    "tasks_as_json",
    "write_tasks",
]

_FORMATS = ("whalereid-task/1", "whalereid-task/2")  # the first had columns alone: "exclude" and "match"
_OURS = "a task that `whalereid rank` wrote"


def task_path(ranking: str | os.PathLike[str]) -> Path:
    """Where the tasks of a ranking lie: ``RANKING.task.json``, beside it."""
    return companion(path_of(ranking, "ranking"), "", ".task.json")


def refuse_unfinished(ranking: str | os.PathLike[str]) -> None:
    """Refuse a ranking whose writing was cut off between it and its tasks: other rules than its own would be taken.

    Raises
    ------
    WhalereidError
        Its tasks aren't there, but what a killed `Ranking.write` left of them.
    """
    path = task_path(ranking)
    left = [] if os.path.lexists(path) else leftovers(path)
    if not left:
        return
    # The old tasks were moved aside, or the ranking is new already and they aren't.
    staged = any(".part" in one.name for one in leftovers(Path(ranking)))
    if any(".old" in one.name for one in left) or not staged:
        raise WhalereidError(
            f"{ranking}: its writing was cut off, and its tasks ({path.name}) are lost; rank again, or delete "
            f"{left[0]}."
        )


def write_tasks(
    tasks: Sequence[Task],
    ranking: str | os.PathLike[str],
    *,
    trained_on: TrainedOn | None = None,
    force: bool = False,
) -> Path:
    """Write the tasks of a ranking that is there beside it, whole or not at all; returns where.

    `Ranking.write` writes both at once, which is safer.

    Parameters
    ----------
    tasks : sequence of Task
        Who was looked for among whom.
    ranking : path
        The ranking's own file.
    trained_on : TrainedOn, optional
        What the networks that ranked were trained on; left out, that isn't known.
    force : bool, default=False
        Replace a file that is no ranking's task too.

    Raises
    ------
    WhalereidError
        Two tasks share a query id, something else is there, or the place can't be written.
    """
    path = task_path(ranking)
    text = tasks_as_json(tasks, trained_on)
    check_output(path, TASK, force=instance(force, "force", bool, "True or False"))
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return path


def tasks_as_json(tasks: Sequence[Task], trained_on: TrainedOn | None) -> str:
    """The content of ``RANKING.task.json``."""
    refuse_shared_queries(tasks)
    content = {
        "format": _FORMATS[-1],
        "trained_on": None if trained_on is None else trained_on.to_dict(),
        "tasks": [
            {
                "name": task.name,
                "rules": task.rules.to_list(),
                "query_ids": task.query_ids,
                "query_images": task.query_images,
                "database_images": task.database_images,
            }
            for task in tasks
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1)


def read_tasks(ranking: str | os.PathLike[str]) -> list[Task]:
    """Read the tasks written beside a ranking.

    Raises
    ------
    WhalereidError
        None lies there, or it isn't one of ours.
    """
    path = task_path(ranking)
    if not is_file(path):
        raise WhalereidError(f"{path}: no such file; `whalereid rank` writes it beside the ranking.")
    content = read_json(path, _OURS)
    try:
        if content.get("format") not in _FORMATS:
            raise ValueError(f"its format isn't {_FORMATS[-1]}")
        if not isinstance(content["tasks"], list):
            raise ValueError("its 'tasks' are no list")
        tasks = [
            Task(
                task["name"],
                _texts(task["query_ids"]),
                _texts(task["query_images"]),
                _texts(task["database_images"]),
                _rules(task, content["format"]),
            )
            for task in content["tasks"]
        ]
    except WhalereidError as error:
        raise WhalereidError(f"{path}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise WhalereidError(f"{path}: isn't {_OURS} ({said}).") from error
    try:
        refuse_shared_queries(tasks)
    except WhalereidError as error:
        raise WhalereidError(f"{path}: {error}") from error
    return tasks


def read_trained_on(ranking: str | os.PathLike[str]) -> TrainedOn | None:
    """Read from beside a ranking what its networks were trained on; None where nothing there says so.

    Raises
    ------
    WhalereidError
        The file beside it isn't one of ours.
    """
    path = task_path(ranking)
    if not is_file(path):
        return None
    held = read_json(path, _OURS).get("trained_on")
    try:
        return None if held is None else TrainedOn.from_dict(held)
    except WhalereidError as error:
        raise WhalereidError(f"{path}: isn't {_OURS} ({error}).") from error


def _rules(task: Mapping[str, Any], version: str) -> CandidateRules:
    if version == _FORMATS[0]:
        return CandidateRules(_texts(task["exclude"]), _texts(task["match"]))
    return CandidateRules.from_list(task["rules"])


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("a list of ids is something else")
    return tuple(values)
