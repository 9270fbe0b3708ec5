"""Task: who was looked for among whom, by which rules; kept beside a ranking so that its score can be computed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from whalereid.arguments import instance, whole_number
from whalereid.catalogue import Catalogue, TrainedOn
from whalereid.errors import WhalereidError, listing
from whalereid.files import companion, leftovers, replacing
from whalereid.outputs import TASK, check_output
from whalereid.ranking.result import Ranking
from whalereid.ranking.rules import CandidateRules
from whalereid.reading import MOST_TABLE_GB, is_file, read_json, read_text
from whalereid.tables import id_columns, read_table
from whalereid.text import id_array

__all__ = [
    "Ranker",
    "Task",
    "rank_tasks",
    "read_database",
    "read_queries",
    "read_tasks",
    "read_trained_on",
    "task_path",
    "tasks_from",
    "write_tasks",
]

_FORMAT = "whalereid-task/1"
_OURS = "a task that `whalereid rank` wrote"
_A_CATALOGUE = "a Catalogue (Catalogue.read(path) makes one)"


@dataclass(frozen=True)
class Task:
    """Q queries looked for among D database photos.

    Attributes
    ----------
    name : str
        Such as ``scenario01``.
    query_ids : tuple of str, length Q
        What a ranking calls each query; unique.
    query_images : tuple of str, length Q
        The query photo's ``image_id``; unique.
    database_images : tuple of str, length D
        The ``image_id`` of every database photo; unique. A query among them is no candidate of itself.
    rules : CandidateRules
        Which of them each query may be compared with.

    Raises
    ------
    WhalereidError
        An id is no text or repeated, the queries' ids and photos differ in number, or the rules are none.

    Examples
    --------
    >>> Task("mine", query_ids=["q1"], query_images=["a"], database_images=["a", "b"]).rules
    CandidateRules(exclude=(), match=())
    """

    name: str
    query_ids: tuple[str, ...]
    query_images: tuple[str, ...]
    database_images: tuple[str, ...]
    rules: CandidateRules = field(default_factory=CandidateRules)

    def __post_init__(self) -> None:
        instance(self.name, "name", str, "what the task is called, a text")
        instance(self.rules, "rules", CandidateRules, "CandidateRules")
        for attribute in ("query_ids", "query_images", "database_images"):
            given = getattr(self, attribute)
            ids = tuple(id_array([given] if isinstance(given, str) else given, attribute).tolist())
            object.__setattr__(self, attribute, ids)
            if len(set(ids)) < len(ids):
                index = pd.Index(ids, dtype=object)
                twice = index[index.duplicated()][0]
                raise WhalereidError(f"task {self.name!r}: {attribute} holds {twice!r} twice; ids must be unique.")
        if len(self.query_ids) != len(self.query_images):
            raise WhalereidError(
                f"task {self.name!r}: {len(self.query_ids)} query ids but {len(self.query_images)} query photos."
            )

    def without(self, image_ids: Iterable[str]) -> Task:
        """Return the task without these photos, among the queries and in the database.

        Examples
        --------
        >>> task = Task("mine", ["q1", "q2"], ["a", "b"], ["a", "b", "c"]).without(["b"])
        >>> task.query_ids, task.database_images
        (('q1',), ('a', 'c'))
        """
        gone = set(image_ids)
        asked = [pair for pair in zip(self.query_ids, self.query_images, strict=True) if pair[1] not in gone]
        database = tuple(image for image in self.database_images if image not in gone)
        queries, images = tuple(query for query, _ in asked), tuple(image for _, image in asked)
        return replace(self, query_ids=queries, query_images=images, database_images=database)


class Ranker(Protocol):
    """Whatever ranks a database for queries: an `Ensemble`, the `ViewRoutes`."""

    def rank(
        self,
        queries: Catalogue,
        database: Catalogue,
        k: int = 20,
        *,
        exclude: Sequence[str] = (),
        match: Sequence[str] = (),
        query_ids: Sequence[str] | None = None,
    ) -> Ranking:
        """Rank `database` for each query."""


def tasks_from(catalogue: Catalogue, *, exclude: Sequence[str] = (), match: Sequence[str] = ()) -> list[Task]:
    """Read off what a catalogue asks for: its scenarios or, where it has none, every photo against all the others.

    Parameters
    ----------
    catalogue : Catalogue
        Its order is the order of queries and database.
    exclude, match : sequence of str
        Columns of the candidate rules.
    """
    instance(catalogue, "catalogue", Catalogue, _A_CATALOGUE)
    rules = CandidateRules(exclude, match)
    if not catalogue.scenarios:
        ids = tuple(catalogue.image_ids)
        return [Task("all", ids, ids, ids, rules)]
    return [Task(s.id, s.query_ids, s.query_images, s.database_images, rules) for s in catalogue.scenarios]


def rank_tasks(ranker: Ranker, catalogue: Catalogue, tasks: Sequence[Task], k: int = 20, **options: Any) -> Ranking:
    """Rank every task in turn, into one ranking.

    Parameters
    ----------
    ranker : Ensemble, ViewRoutes or anything else with their `rank`
    catalogue : Catalogue
        Has every photo of the tasks.
    tasks : sequence of Task
        Their query ids all differ.
    k : int, default=20
        Photos a query.
    **options
        Further arguments of the ranker's `rank`, such as ``rerank``.

    Raises
    ------
    WhalereidError
        A photo is absent from the catalogue or has no embedding, or two tasks share a query id.
    """
    if isinstance(ranker, type) or not callable(getattr(ranker, "rank", None)):
        raise WhalereidError(f"ranker is {ranker!r:.60}; give an Ensemble, ViewRoutes, or something with their rank.")
    instance(catalogue, "catalogue", Catalogue, _A_CATALOGUE)
    k = whole_number(k, "k", 1)
    _check_query_ids(tasks)
    rankings = []
    for task in tasks:
        try:
            queries, database = catalogue.subset(task.query_images), catalogue.subset(task.database_images)
        except WhalereidError as error:
            raise WhalereidError(f"task {task.name!r}: {error}") from error
        rules = {"exclude": task.rules.exclude, "match": task.rules.match}
        rankings.append(ranker.rank(queries, database, k, query_ids=task.query_ids, **rules, **options))
    return Ranking.concat(rankings)


def task_path(ranking: str | os.PathLike[str]) -> Path:
    """Where the tasks of a ranking lie: ``RANKING.task.json``, beside it."""
    path = _path(ranking, "ranking")
    return companion(path, "", ".task.json")


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
    _check_query_ids(tasks)
    content = {
        "format": _FORMAT,
        "trained_on": None if trained_on is None else trained_on.to_dict(),
        "tasks": [
            {
                "name": task.name,
                "exclude": task.rules.exclude,
                "match": task.rules.match,
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
        if content.get("format") != _FORMAT:
            raise ValueError(f"its format isn't {_FORMAT}")
        if not isinstance(content["tasks"], list):
            raise ValueError("its 'tasks' are no list")
        tasks = [
            Task(
                task["name"],
                _texts(task["query_ids"]),
                _texts(task["query_images"]),
                _texts(task["database_images"]),
                CandidateRules(_texts(task["exclude"]), _texts(task["match"])),
            )
            for task in content["tasks"]
        ]
    except WhalereidError as error:
        raise WhalereidError(f"{path}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise WhalereidError(f"{path}: isn't {_OURS} ({said}).") from error
    try:
        _check_query_ids(tasks)
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


def read_queries(path: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """Read which photos are looked for: a list (``.txt``), or a table (CSV, Parquet).

    Returns
    -------
    query_ids, query_images : list of str, length Q
        Columns ``query_id`` and ``query_image_id``, or ``image_id`` for both.

    Raises
    ------
    WhalereidError
        Nothing there, no such column, or an id is empty; the message names the row.
    """
    table = _read_ids(_path(path, "path"), ("query_image_id", "image_id"))
    images = table["id"].tolist()
    return (table["query_id"].tolist() if "query_id" in table else images), images


def read_database(path: str | os.PathLike[str]) -> list[str]:
    """Read which photos are searched: a list (``.txt``), or a table with ``database_image_id`` or ``image_id``."""
    ids: list[str] = _read_ids(_path(path, "path"), ("database_image_id", "image_id"))["id"].tolist()
    return ids


def _read_ids(path: Path, names: tuple[str, ...]) -> pd.DataFrame:
    """One row an id: column `id`, and `query_id` where the table has it."""
    if path.suffix == ".txt":
        named = [line.strip() for line in read_text(path, most_gb=MOST_TABLE_GB).splitlines() if line.strip()]
        if not named:
            raise WhalereidError(f"{path}: names no photo; give an image_id in each line.")
        return pd.DataFrame({"id": named}, dtype=object)
    table = read_table(path)
    name = next((n for n in names if n in table), None)
    if name is None:
        raise WhalereidError(
            f"{path}: no column {' or '.join(names)}; it has {listing(table.columns)}. A bare list of ids is a .txt."
        )
    if not len(table):
        raise WhalereidError(f"{path}: names no photo; give a row for each.")
    wanted = [name, "query_id"] if name == "query_image_id" and "query_id" in table else [name]
    return id_columns(table, *wanted, where=str(path)).astype(object).rename(columns={name: "id"})


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("a list of ids is something else")
    return tuple(values)


def _path(path: str | os.PathLike[str], name: str) -> Path:
    instance(path, name, (str, os.PathLike), "the path of a file")
    return Path(path)


def _check_query_ids(tasks: Sequence[Task]) -> None:
    for task in instance(tasks, "tasks", Iterable, "a list of Task"):
        instance(task, "one of tasks", Task, "a list of Task")
    seen: dict[str, str] = {}
    for task in tasks:
        for query_id in task.query_ids:
            if query_id in seen:
                raise WhalereidError(f"tasks {seen[query_id]!r} and {task.name!r} share the query id {query_id!r}.")
            seen[query_id] = task.name
