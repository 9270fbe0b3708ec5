"""Every public name of the room, given what it can't take: one line that names the argument, no raw Python error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from whalereid import ranking
from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings
from whalereid.errors import WhalereidError
from whalereid.ranking import (
    CandidateMask,
    CandidateRules,
    Ensemble,
    Expand,
    Member,
    Ranking,
    Route,
    Search,
    Task,
    ViewRoutes,
    only,
    rank_tasks,
    read_database,
    read_queries,
    read_tasks,
    read_trained_on,
    task_path,
    tasks_from,
    without,
    write_tasks,
)

EMBEDDINGS = Embeddings.from_numpy(["a", "b", "c"], np.eye(3))
PHOTOS = Catalogue(pd.DataFrame({"image_id": ["a", "b", "c"], "path": ["a", "b", "c"], "viewpoint": ["top"] * 3}))
ENSEMBLE = Ensemble([Member("m", EMBEDDINGS)])
ROUTES = ViewRoutes([Route("any", ENSEMBLE)])
TASK = Task("t", ["a"], ["a"], ["b"])
RANKING = Ranking(ids=[["a"]], scores=[[1.0]])


def rank(**given: Any) -> Callable[[], Any]:
    return lambda: ENSEMBLE.rank(**{"queries": ["a"], "database": ["b", "c"]} | given)


def codes(**given: Any) -> Callable[[], Any]:
    usual = {"query_ids": ["q"], "database_ids": ["a"], "codes": [[0]], "scores": [[0.5]]}
    return lambda: Ranking.from_codes(**usual | given)


# what is called : what its message must name
CASES: dict[str, list[tuple[Callable[[], Any], str]]] = {
    "Member": [
        (lambda: Member(7, "x", "y"), "name is 7"),
        (lambda: Member("m", "x"), "embeddings is 'x'"),
        (lambda: Member("m", None), "embeddings is None"),
        (lambda: Member("m", EMBEDDINGS, "y"), "member 'm': weight 'y'"),
        (lambda: Member("m", EMBEDDINGS, None), "weight None"),
        (lambda: Member("m", EMBEDDINGS, True), "weight True"),
    ],
    "Ensemble": [
        (lambda: Ensemble(None), "members is None; give a list of Member"),
        (lambda: Ensemble(7), "members is 7"),
        (lambda: Ensemble(EMBEDDINGS), r"members is a Embeddings; .*\[Member\('b5', embeddings\)\]"),
        (lambda: Ensemble(Member("m", EMBEDDINGS)), "members is a Member; give a list"),
        (lambda: Ensemble([EMBEDDINGS]), r"members is a Embeddings; .*\[Member\('b5', embeddings\)\]"),
        (lambda: Ensemble(["b5.parquet"]), "members is 'b5.parquet'"),
        (lambda: Ensemble([Member("m", EMBEDDINGS)], clip=None), "clip is None"),
        (lambda: Ensemble([Member("m", EMBEDDINGS)], clip=(1,)), "clip is"),
        (lambda: Ensemble([Member("m", EMBEDDINGS)], clip=(0, "1")), "clip is '1'"),
        (lambda: Ensemble([Member("m", EMBEDDINGS)], clip=(0, float("nan"))), "clip is nan"),
        (rank(queries=None), "queries is None; give a Catalogue, or a list of image ids"),
        (rank(queries=7), "queries is 7"),
        (rank(queries=[None]), "queries: entry 1 is None"),
        (rank(queries=["a", 1.5]), "queries: entry 2 is 1.5"),
        (rank(database=7), "database is 7"),
        (rank(database=[["b"]]), "database: entry 1"),
        (rank(k="x"), "k is 'x'"),
        (rank(k=1.5), "k is 1.5"),
        (rank(k=None), "k is None"),
        (rank(rerank="expnd"), "re-ranker 'expnd' is unknown; did you mean 'expand'"),
        (rank(rerank="expand:pwer=3"), "no option 'pwer'"),
        (rank(rerank=Expand), "rerank is "),
        (rank(rerank=7), "rerank is 7"),
        (rank(exclude=7), "exclude is 7"),
        (rank(match=[None]), "match is"),
        (rank(query_ids=7), "query_ids is 7"),
        (rank(query_ids=[None]), "query_ids: entry 1 is None"),
        (lambda: Ensemble(ENSEMBLE.members, block=7), "block is 7"),
        (lambda: Ensemble(ENSEMBLE.members, block="ab"), "block is 'ab'"),
        (lambda: Ensemble(ENSEMBLE.members, block=(1.5, 2)), "block is 1.5"),
        (lambda: Ensemble(ENSEMBLE.members, progress="yes"), "progress is 'yes'"),
        (lambda: Ensemble({"mine": 7}), "members: mine is 7"),
        (lambda: ENSEMBLE.similarity(7, ["a"]), "queries is 7"),
        (lambda: ENSEMBLE.similarity(["a"], None), "database is None"),
    ],
    "Search": [
        (lambda: Search(None, ["a"], ["b"], CandidateRules().mask(["a"], ["b"])), "ensemble is None"),
        (lambda: Search(ENSEMBLE, ["a"], ["b"], None), "mask is None"),
    ],
    "Expand": [
        (lambda: Expand(weights=None), "weights is None"),
        (lambda: Expand(weights=7), "weights is 7"),
        (lambda: Expand(weights="abc"), "weights is 'a'"),
        (lambda: Expand(weights=(0.5, None)), "weights is None"),
        (lambda: Expand(power="7"), "power is '7'"),
        (lambda: Expand(power=None), "power is None"),
        (lambda: Expand(by=EMBEDDINGS), "by is a Embeddings"),
        (lambda: Expand(by=[ENSEMBLE]), "by is"),
        (lambda: Expand(anchors=None), "anchors is None"),
        (lambda: Expand(shortlist="all"), "shortlist is 'all'"),
        (lambda: Expand(shortlist=True), "shortlist is True"),
        (lambda: Expand().rerank(None, 3), "search is None"),
    ],
    "CandidateRules": [
        (lambda: CandidateRules(exclude=7), "exclude is 7"),
        (lambda: CandidateRules().mask(7, ["a"]), "queries is 7"),
        (lambda: CandidateRules().mask(["a"], None), "database is None"),
    ],
    "CandidateMask": [(lambda: CandidateMask("encounter", ["a"], ["b"]), "rules is 'encounter'")],
    "Similarity": [(lambda: ENSEMBLE.similarity(7, ["b"]), "queries is 7")],
    "Route": [
        (lambda: Route("x", None), "ensemble is None"),
        (lambda: Route(7, ENSEMBLE), "name is 7"),
        (lambda: Route("x", ENSEMBLE, "expnd"), "re-ranker 'expnd' is unknown"),
        (lambda: Route("x", ENSEMBLE, queries="top"), r"queries is 'top'; .*only\('top'\)"),
        (lambda: Route("x", ENSEMBLE, database=7), "database is 7"),
        (lambda: Route("x", ENSEMBLE).fits(["a"], PHOTOS), "queries is .*give a Catalogue"),
    ],
    "ViewRoutes": [
        (lambda: ViewRoutes(None), "routes is None"),
        (lambda: ViewRoutes([7]), "routes is 7"),
        (lambda: ViewRoutes(Route("x", ENSEMBLE)), "routes is a Route"),
        (lambda: ViewRoutes([ENSEMBLE]), "routes is a Ensemble"),
        (lambda: ROUTES.pick(7, PHOTOS), "queries is 7"),
        (lambda: ROUTES.rank(PHOTOS, ["a"]), "database is "),
        (lambda: ROUTES.rank(PHOTOS, PHOTOS, "x"), "k is 'x'"),
    ],
    "only": [(lambda: only(7), "viewpoints is"), (lambda: only(["top"]), "viewpoints is")],
    "without": [(lambda: without(None), "viewpoints is")],
    "Task": [
        (lambda: Task(7, ["a"], ["a"], ["b"]), "name is 7"),
        (lambda: Task("t", 7, ["a"], ["b"]), "query_ids is 7"),
        (lambda: Task("t", ["a"], None, ["b"]), "query_images is None"),
        (lambda: Task("t", ["a"], ["a"], [None]), "database_images: entry 1 is None"),
        (lambda: Task("t", ["a"], ["a"], ["b"], "encounter"), "rules is 'encounter'"),
        (lambda: Task("t", ["a"], ["a"], ["b"], None), "rules is None"),
    ],
    "tasks_from": [
        (lambda: tasks_from("photos.csv"), "catalogue is 'photos.csv'"),
        (lambda: tasks_from(PHOTOS, exclude=7), "exclude is 7"),
    ],
    "rank_tasks": [
        (lambda: rank_tasks(None, PHOTOS, [TASK]), "ranker is None"),
        (lambda: rank_tasks(Ensemble, PHOTOS, [TASK]), "ranker is"),
        (lambda: rank_tasks(ENSEMBLE, ["a"], [TASK]), "catalogue is"),
        (lambda: rank_tasks(ENSEMBLE, PHOTOS, TASK), "tasks is a Task"),
        (lambda: rank_tasks(ENSEMBLE, PHOTOS, [7]), "tasks is 7"),
        (lambda: rank_tasks(ENSEMBLE, PHOTOS, [TASK], "x"), "k is 'x'"),
    ],
    "write_tasks": [
        (lambda: write_tasks([TASK], 7), "ranking is 7"),
        (lambda: write_tasks(None, "r.csv"), "tasks is None"),
        (lambda: write_tasks([None], "r.csv"), "tasks is None"),
    ],
    "read_tasks": [(lambda: read_tasks(7), "ranking is 7"), (lambda: read_tasks(None), "ranking is None")],
    "read_trained_on": [(lambda: read_trained_on(7), "ranking is 7")],
    "task_path": [(lambda: task_path(None), "ranking is None")],
    "read_queries": [(lambda: read_queries(7), "path is 7"), (lambda: read_queries(None), "path is None")],
    "read_database": [(lambda: read_database(["a"]), "path is ")],
    "Ranking": [
        (lambda: Ranking(None, None), "ids is None"),
        (lambda: Ranking(7, [[1]]), "ids is 7"),
        (lambda: Ranking(["ab"], [[1, 2]]), "ids: one query's is 'ab'"),
        (lambda: Ranking([["a"]], [1]), "scores: one query's is 1"),
        (lambda: Ranking([["a"]], [["high"]]), "scores"),
        (lambda: Ranking([["a"]], [[1j]]), "scores"),
        (lambda: Ranking([["a"]], [[None]]), "scores"),
        (lambda: Ranking([[None]], [[1]]), "ids: entry 1 is None"),
        (lambda: Ranking([["a"]], [[1]], query_ids=7), "query_ids is 7"),
        (lambda: Ranking([["a"]], [[1]], query_ids=[None]), "query_ids: entry 1 is None"),
        (codes(codes=None), "codes: hold object"),
        (codes(codes="x"), "codes: hold"),
        (codes(codes=[[0.5]]), "codes: hold float64, not whole numbers"),
        (codes(codes=[[0], [1, 2]]), "codes: can't be made one array"),
        (codes(scores=[["x"]]), "scores: hold"),
        (codes(scores=None), "scores: hold object"),
        (codes(query_ids=None), "query_ids is None"),
        (codes(database_ids=[None]), "database_ids: entry 1 is None"),
        (lambda: Ranking.from_frame("r.csv"), "frame is 'r.csv'"),
        (lambda: Ranking.from_frame(None), "frame is None"),
        (lambda: Ranking.read(7), "path is 7"),
        (lambda: Ranking.read(None), "path is None"),
        (lambda: RANKING.write(7), "path is 7"),
        (lambda: RANKING.cut("x"), "k is 'x'"),
        (lambda: RANKING.cut(True), "k is True"),
        (lambda: Ranking.concat(None), "rankings is None"),
        (lambda: Ranking.concat([7]), "rankings is 7"),
        (lambda: Ranking.concat(RANKING), "rankings is a Ranking"),
    ],
}
# a table of classes, two protocols, and a condition that takes anything
NOTHING_TO_REFUSE = {"RERANKERS", "Ranker", "Reranker", "anything"}


def test_every_public_name_has_its_cases() -> None:
    assert set(CASES) | NOTHING_TO_REFUSE == set(ranking.__all__)


@pytest.mark.parametrize(
    ("call", "named"), [pytest.param(*case, id=f"{name}-{i}") for name in CASES for i, case in enumerate(CASES[name])]
)
def test_refused_in_one_line_by_the_arguments_name(call: Callable[[], Any], named: str) -> None:
    with pytest.raises(WhalereidError, match=named) as refusal:
        call()
    assert "\n" not in str(refusal.value)
