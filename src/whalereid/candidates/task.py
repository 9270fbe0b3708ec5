"""Task: who is looked for among whom, and by which rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from whalereid.arguments import instance
from whalereid.candidates.rules import CandidateRules
from whalereid.errors import WhalereidError
from whalereid.text import id_array

__all__ = ["Task", "refuse_shared_queries", "tasks_of"]


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


def tasks_of(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """Return tasks as a tuple, or refuse by name."""
    wanted = "a list of Tasks"
    if not isinstance(tasks, Sequence) or isinstance(tasks, str | bytes):
        instance(tasks, "tasks", (), wanted)
    return tuple(instance(task, "one of tasks", Task, wanted) for task in tasks)


def refuse_shared_queries(tasks: Sequence[Task]) -> None:
    """Refuse tasks of which two call a query by one name.

    Raises
    ------
    WhalereidError
        Names both, and the query.
    """
    seen: dict[str, str] = {}
    for task in tasks_of(tasks):
        for query_id in task.query_ids:
            if query_id in seen:
                raise WhalereidError(f"tasks {seen[query_id]!r} and {task.name!r} share the query id {query_id!r}.")
            seen[query_id] = task.name
