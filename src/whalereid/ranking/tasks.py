"""Tasks ranked one after the other, and those that a catalogue asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from whalereid.arguments import instance, whole_number
from whalereid.candidates import CandidateRules, Task
from whalereid.candidates.rules import AnyRule
from whalereid.candidates.task import refuse_shared_queries
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.ranking.result import Ranking

__all__ = ["Ranker", "rank_tasks", "tasks_from"]

NO_RULES = CandidateRules()
_A_CATALOGUE = "a Catalogue (Catalogue.read(path) makes one)"


class Ranker(Protocol):
    """Whatever ranks a database for queries: an `Ensemble`, the `ViewRoutes`."""

    def rank(
        self,
        queries: Catalogue,
        database: Catalogue,
        k: int = 20,
        *,
        rules: CandidateRules = NO_RULES,
        query_ids: Sequence[str] | None = None,
    ) -> Ranking:
        """Rank `database` for each query."""


def tasks_from(
    catalogue: Catalogue,
    *,
    exclude: Sequence[str] = (),
    match: Sequence[str] = (),
    rules: CandidateRules | Iterable[AnyRule] = (),
) -> list[Task]:
    """Read off what a catalogue asks for: its scenarios or, where it has none, every photo against all the others.

    Parameters
    ----------
    catalogue : Catalogue
        Its order is the order of queries and database.
    exclude, match : sequence of str
        Columns of the candidate rules; see `CandidateRules`.
    rules : CandidateRules or sequence of Rule
        Further rules.
    """
    instance(catalogue, "catalogue", Catalogue, _A_CATALOGUE)
    rules = CandidateRules.of(rules, exclude=exclude, match=match)
    if not catalogue.scenarios:
        ids = tuple(catalogue.image_ids)
        return [Task("all", ids, ids, ids, rules)]
    return [replace(task, rules=rules) for task in catalogue.scenarios]


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
    refuse_shared_queries(tasks)
    rankings = []
    for task in tasks:
        try:
            queries, database = catalogue.subset(task.query_images), catalogue.subset(task.database_images)
        except WhalereidError as error:
            raise WhalereidError(f"task {task.name!r}: {error}") from error
        rankings.append(ranker.rank(queries, database, k, query_ids=task.query_ids, rules=task.rules, **options))
    return Ranking.concat(rankings)
