"""Task: from a catalogue, ranked, written beside a ranking and read again; every refusal."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from whalereid.candidates import MustNot
from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings
from whalereid.errors import WhalereidError
from whalereid.ranking import (
    CandidateRules,
    Ensemble,
    Member,
    Task,
    rank_tasks,
    read_database,
    read_queries,
    read_tasks,
    task_path,
    tasks_from,
    write_tasks,
)

FRAME = pd.DataFrame({"image_id": list("abcd"), "path": list("abcd"), "encounter": ["e", "e", "f", "f"]})
SCENARIOS = (
    Task("scenario01", ("scenario01-a", "scenario01-b"), ("a", "b"), ("c", "d")),
    Task("scenario02", ("scenario02-a",), ("a",), ()),
)
ENSEMBLE = Ensemble([Member("m", Embeddings.from_numpy("abcd", np.random.default_rng(0).normal(size=(4, 3))))])


def test_every_photo_against_the_others():
    (task,) = tasks_from(Catalogue(FRAME), exclude=["encounter"])
    assert task == Task("all", tuple("abcd"), tuple("abcd"), tuple("abcd"), CandidateRules(("encounter",)))


def test_scenarios_become_tasks_with_the_rules():
    tasks = tasks_from(Catalogue(FRAME, scenarios=SCENARIOS), match=["encounter"])
    assert [task.name for task in tasks] == ["scenario01", "scenario02"]
    assert [task.query_ids for task in tasks] == [s.query_ids for s in SCENARIOS]
    assert all(task.rules == CandidateRules((), ("encounter",)) for task in tasks)


def test_written_beside_the_ranking_and_read_again(tmp_path):
    tasks = tasks_from(Catalogue(FRAME, scenarios=SCENARIOS), exclude=["encounter"])
    assert write_tasks(tasks, tmp_path / "r.csv") == tmp_path / "r.csv.task.json" == task_path(tmp_path / "r.csv")
    assert read_tasks(tmp_path / "r.csv") == tasks
    assert [p.name for p in tmp_path.iterdir()] == ["r.csv.task.json"]


def test_ranked_in_turn_into_one_ranking():
    catalogue = Catalogue(FRAME, scenarios=SCENARIOS)
    ranking = rank_tasks(ENSEMBLE, catalogue, tasks_from(catalogue), k=1)
    assert ranking.query_ids.tolist() == ["scenario01-a", "scenario01-b", "scenario02-a"]
    assert ranking.lengths.tolist() == [1, 1, 0]
    alone = ENSEMBLE.rank(["a", "b"], ["c", "d"], 1)
    assert [ids.tolist() for ids in ranking.ids[:2]] == [ids.tolist() for ids in alone.ids]
    np.testing.assert_array_equal(ranking.scores[:2], alone.scores)
    assert len(rank_tasks(ENSEMBLE, catalogue, [])) == 0


def test_rules_of_each_task_are_followed():
    tasks = [Task("t", ["1"], ["a"], list("abcd"), CandidateRules(match=("encounter",)))]
    assert rank_tasks(ENSEMBLE, Catalogue(FRAME), tasks).ids[0].tolist() == ["b"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Task("t", ["1", "1"], ["a", "b"], ["c"]), "query_ids holds '1' twice"),
        (lambda: Task("t", ["1", "2"], ["a", "a"], ["c"]), "query_images holds 'a' twice"),
        (lambda: Task("t", ["1"], ["a"], ["c", "c"]), "database_images holds 'c' twice"),
        (lambda: Task("t", ["1"], ["a", "b"], ["c"]), "1 query ids but 2 query photos"),
        (lambda: rank_tasks(ENSEMBLE, Catalogue(FRAME), [Task("t", ["1"], ["z"], ["a"])]), "task 't'.*z"),
        (lambda: rank_tasks(ENSEMBLE, Catalogue(FRAME), [Task("t", ["1"], ["a"], ["z"])]), "task 't'.*z"),
        (
            lambda: rank_tasks(ENSEMBLE, Catalogue(FRAME), [Task(n, ["1"], ["a"], ["b"]) for n in "tu"]),
            "'t' and 'u' share the query id '1'",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(WhalereidError, match=message):
        make()


READS_A_FILE = {"name": "must-not-file", "options": {"file": "/etc/passwd"}}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: "not json",
        lambda c: json.dumps([]),
        lambda c: json.dumps({**c, "format": "another/1"}),
        lambda c: json.dumps({**c, "tasks": 3}),
        lambda c: json.dumps({**c, "tasks": [{**c["tasks"][0], "query_ids": "ab"}]}),
        lambda c: json.dumps({**c, "tasks": [{**c["tasks"][0], "query_ids": [1, 2]}]}),
        lambda c: json.dumps({**c, "tasks": [{**c["tasks"][0], "query_ids": ["a"]}]}),
        lambda c: json.dumps({**c, "tasks": [{k: v for k, v in c["tasks"][0].items() if k != "rules"}]}),
        lambda c: json.dumps({**c, "tasks": [{**c["tasks"][0], "rules": "same"}]}),
        lambda c: json.dumps({**c, "tasks": [{**c["tasks"][0], "rules": [{"name": "stranger"}]}]}),
        lambda c: json.dumps({**c, "tasks": [{**c["tasks"][0], "rules": [READS_A_FILE]}]}),
        lambda c: json.dumps({**c, "tasks": [c["tasks"][0], c["tasks"][0]]}),
    ],
)
def test_a_spoilt_file_is_refused_by_name(tmp_path, spoil):
    path = write_tasks(tasks_from(Catalogue(FRAME, scenarios=SCENARIOS)), tmp_path / "r.csv")
    path.write_text(spoil(json.loads(path.read_text())))
    with pytest.raises(WhalereidError, match=r"r\.csv\.task\.json|share the query id"):
        read_tasks(tmp_path / "r.csv")


def test_earlier_versions_are_read(tmp_path):
    task = {"name": "mine", "query_ids": ["q"], "query_images": ["a"], "database_images": ["b"]}
    first = {"format": "whalereid-task/1", "tasks": [task | {"exclude": ["encounter"], "match": ["viewpoint"]}]}
    (tmp_path / "r.csv.task.json").write_text(json.dumps(first))
    assert read_tasks(tmp_path / "r.csv")[0].rules == CandidateRules(["encounter"], ["viewpoint"])


def test_any_rules_are_noted(tmp_path):
    rules = CandidateRules("encounter", rules=["within-days:days=30,unknown=anything", "viewpoints:pairs=a/b+b/b"])
    rules = CandidateRules(rules=[*rules.rules, MustNot([("a", "b")])])
    write_tasks([Task("mine", ["q"], ["a"], ["b"], rules)], tmp_path / "r.csv")
    assert read_tasks(tmp_path / "r.csv")[0].rules == rules


def test_none_there(tmp_path):
    with pytest.raises(WhalereidError, match=r"r\.csv\.task\.json: no such file"):
        read_tasks(tmp_path / "r.csv")


def test_ids_from_tables_and_lists(tmp_path):
    frame = pd.DataFrame({"query_id": ["1", "2"], "query_image_id": ["a", "b"], "database_image_id": ["c", "d"]})
    for name in ("t.csv", "t.parquet"):
        frame.to_csv(tmp_path / name, index=False) if name == "t.csv" else frame.to_parquet(tmp_path / name)
        assert read_queries(tmp_path / name) == (["1", "2"], ["a", "b"])
        assert read_database(tmp_path / name) == ["c", "d"]
    (tmp_path / "l.txt").write_bytes("\ufeffa\r\n\r\nb\r\n".encode())
    assert read_queries(tmp_path / "l.txt") == (["a", "b"], ["a", "b"])
    assert read_database(tmp_path / "l.txt") == ["a", "b"]
    (tmp_path / "none.txt").write_text("")
    with pytest.raises(WhalereidError, match=r"none\.txt: names no photo"):
        read_database(tmp_path / "none.txt")
