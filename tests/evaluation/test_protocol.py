"""Protocols: labels implied by rules, built from splits, kept as scenario files, rankings held to their candidates."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import relevance
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.evaluation import Labels, Protocol
from whalereid.ranking import CandidateRules, Ranking, Task
from whalereid.splits import EncounterFolds, ViewpointSplit


def herd(n: int = 40, seed: int = 0, **more: object) -> Catalogue:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "image_id": [f"p{i}" for i in range(n)],
            "path": [f"p{i}.jpg" for i in range(n)],
            "identity": rng.choice(["ann", "bob", "cid", "dot", None], n, p=[0.3, 0.3, 0.2, 0.1, 0.1]),
            "viewpoint": rng.choice(["left", "right", None], n),
            "encounter": rng.choice(["e1", "e2", "e3", "e4", "e5", None], n),
        }
    )
    return Catalogue(frame.assign(**more), "herd", source="herd.csv")  # type: ignore[arg-type]


def by_query(labels: Labels) -> dict[str, set[str]]:
    return {query: set(photos) for query, photos in labels.to_frame().groupby("query_id")["database_image_id"]}


@given(
    st.integers(0, 10_000),
    st.lists(st.sampled_from(["encounter", "viewpoint"]), unique=True),
    st.lists(st.sampled_from(["viewpoint", "identity"]), unique=True),
)
@settings(max_examples=40, deadline=None)
def test_implied_labels_are_the_oracles(seed: int, exclude: list[str], match: list[str]) -> None:
    photos = herd(25, seed)
    rng = np.random.default_rng(seed)
    tasks = []
    for name in ("one", "two"):
        queries = rng.permutation(25)[: rng.integers(0, 20)]
        database = rng.permutation(25)[: rng.integers(0, 25)]
        ids = photos.image_ids
        rules = CandidateRules(exclude, match) if len(queries) and len(database) else CandidateRules()
        tasks.append(
            Task(name, [f"{name}-{i}" for i in ids[queries]], tuple(ids[queries]), tuple(ids[database]), rules)
        )
    frame = photos.frame.set_index("image_id", drop=False)
    expected = {q: r for task in tasks for q, r in relevance.relevant(frame, task).items()}
    try:
        assert by_query(Labels.implied(photos, tasks)) == expected
    except WhalereidError as error:  # a column of the rules may hold nothing at all among these photos
        assert "has no values" in str(error)  # noqa: PT017


def test_implied_labels_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    photos = herd()
    whole = by_query(Protocol.from_catalogue(photos).labels)
    monkeypatch.setattr("whalereid.candidates.mask._BLOCK", 7)
    assert by_query(Protocol.from_catalogue(photos).labels) == whole


def test_distractors_are_listed() -> None:
    photos = herd()
    protocol = Protocol.from_catalogue(photos, exclude=["encounter"], match=["viewpoint"])
    answered = set(protocol.labels.query_ids)
    assert answered.isdisjoint(protocol.distractors)
    assert answered | set(protocol.distractors) == set(photos.image_ids)
    unknown = photos.image_ids[~photos.known("identity")]
    assert set(unknown) <= set(protocol.distractors)


def test_scenarios_of_a_catalogue_are_its_tasks() -> None:
    photos = herd()
    scenarios = [Task("s1", ("s1-p0", "s1-p1"), ("p0", "p1"), tuple(photos.image_ids[2:]))]
    protocol = Protocol.from_catalogue(Catalogue(photos.frame, "herd", scenarios=scenarios))
    assert [task.name for task in protocol.tasks] == ["s1"]
    assert protocol.query_ids == ("s1-p0", "s1-p1")


def test_from_splits() -> None:
    photos = herd(60)
    photos = photos[photos.known("encounter") & photos.known("identity")]
    train, test = next(EncounterFolds(3, seed=0).split(photos))
    among_test = Protocol.from_split(photos, EncounterFolds(3, seed=0))
    assert among_test.query_images == tuple(photos.image_ids[test])
    assert among_test.tasks[0].database_images == tuple(photos.image_ids[test])
    among_train = Protocol.from_split(photos, (train, test), database="train")
    assert among_train.tasks[0].database_images == tuple(photos.image_ids[train])
    among_all = Protocol.from_split(photos, (train, test), database="all", exclude=["encounter"])
    assert set(among_all.tasks[0].database_images) == set(photos.image_ids)
    assert among_all.tasks[0].rules == CandidateRules(exclude=("encounter",))
    tests = [test for _, test in EncounterFolds(3, seed=0).split(photos)]
    second = Protocol.from_split(photos, EncounterFolds(3, seed=0), fold=1)
    assert second.query_images == tuple(photos.image_ids[tests[1]])


def test_several_splits_are_several_scenarios() -> None:
    photos = herd(60)
    protocol = Protocol.from_split(
        photos,
        {"left-right": ViewpointSplit("left", "right"), "right-left": ViewpointSplit("right", "left")},
        database="train",
        exclude=["encounter"],
    )
    assert [task.name for task in protocol.tasks] == ["left-right", "right-left"]
    lefts = set(photos.filter(viewpoint="left").image_ids)
    assert set(protocol.tasks[0].query_images) == lefts == set(protocol.tasks[1].database_images)
    assert protocol.query_ids[0] == f"left-right-{protocol.query_images[0]}"
    assert set(protocol.scenarios) == {"left-right", "right-left"}


def test_written_and_read_as_scenario_files(tmp_path: Path) -> None:
    photos = herd(60)
    made = Protocol.from_split(
        photos,
        {"left/right": ViewpointSplit("left", "right"), "right": ViewpointSplit("right", "left")},
        database="train",
        exclude=["encounter"],
    )
    folder = tmp_path / "new" / "protocol"
    made.write(folder)
    made.write(folder)  # again, over its own
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.*")) == [
        "databases/scenario01.csv",
        "databases/scenario02.csv",
        "labels.csv",
        "protocol.json",
        "queries/scenario01.csv",
        "queries/scenario02.csv",
        "query_scenarios.csv",
    ]
    for catalogue in (photos, None):
        back = Protocol.read(folder, catalogue)
        assert back.tasks == made.tasks
        assert by_query(back.labels) == by_query(made.labels)
        assert back.distractors == made.distractors
    assert json.loads((folder / "protocol.json").read_text())["distractors"] == list(made.distractors)
    assert pd.read_csv(folder / "queries/scenario01.csv").columns.tolist() == ["query_id", "query_image_id"]


@pytest.mark.shared
def test_the_competitions_own_folder_is_a_protocol(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "whaledo"
    given = Protocol.read(folder)
    assert [len(task.query_ids) for task in given.tasks] == [5, 5]
    assert given.distractors == ()
    implied = Protocol(given.tasks, given.catalogue)  # its labels are those of the identities
    assert by_query(implied.labels) == by_query(Labels.read(folder / "labels.csv")) == by_query(given.labels)
    given.write(tmp_path / "copy")
    assert by_query(Protocol.read(tmp_path / "copy", given.catalogue).labels) == by_query(given.labels)


def test_a_ranking_keeps_its_candidates_only() -> None:
    photos = herd(30, encounter=None)
    rules = CandidateRules(match=("viewpoint",))
    ids = photos.image_ids
    task = Task("t", tuple(ids[:10]), tuple(ids[:10]), tuple(ids[5:25]), rules)
    protocol = Protocol([task], photos)
    rng = np.random.default_rng(0)
    lists = [list(rng.permutation(ids[5:25])[: rng.integers(0, 20)]) for _ in range(10)]
    ranking = Ranking(lists, [list(np.linspace(1, 0, len(one))) for one in lists], list(ids[:10]))
    admitted, taken = protocol.admitted(ranking)
    frame = photos.frame.set_index("image_id", drop=False)
    expected = [
        [p for p in one if relevance.is_candidate(frame, q, p, task)] for q, one in zip(ids, lists, strict=False)
    ]
    assert [list(one) for one in admitted.ids] == expected
    assert taken == sum(map(len, lists)) - sum(map(len, expected)) > 0
    assert protocol.admitted(admitted) == (admitted, 0)


def test_errors_say_what_and_where(tmp_path: Path) -> None:
    photos = herd()
    ids = tuple(photos.image_ids)
    task = Task("t", ids[:3], ids[:3], ids)

    def refused(match: str) -> object:
        return pytest.raises(WhalereidError, match=match)

    with refused("no task"):
        Protocol([], photos)
    with refused("neither labels nor a catalogue"):
        Protocol([task])
    with refused("two tasks share the query id 'p0'"):
        Protocol([task, Task("u", ids[:1], ids[:1], ids)], photos)
    with refused("herd.csv: 1 photos are not in the table: nobody"):
        Protocol([Task("u", ["q"], ["nobody"], ids)], photos)
    with refused("1 of their queries are in no task: x"):
        Protocol([task], labels={"x": {"p5"}})
    with refused("'far', relevant to 'p1', isn't in the database of 't'"):
        Protocol([task], labels={"p1": {"far"}})
    with refused("no photo has a known identity"):
        Protocol.from_catalogue(Catalogue(photos.frame.drop(columns="identity"), "herd"))
    with refused("none of the 1 queries has a relevant photo"):
        Protocol([Task("t", ids[:1], ids[:1], ids[:1])], photos)
    with refused("database is 'everything'; choose from test, train, all"):
        Protocol.from_split(photos, ([0], [1]), database="everything")  # type: ignore[arg-type]
    with refused("no row 40"):
        Protocol.from_split(photos, ([0], [40]))
    with refused("fold 2 is out of range"):
        Protocol.from_split(photos, EncounterFolds(2, seed=0), fold=2)
    protocol = Protocol([task], photos)
    with refused("1 of its queries are in no task: p9"):
        protocol.admitted(Ranking([["p1"]], [[1.0]], ["p9"]))
    with refused("1 of its photos are in no database: stranger"):
        protocol.admitted(Ranking([["stranger"]], [[1.0]], ["p0"]))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with refused("already holds something else"):
        protocol.write(tmp_path / "full")
    protocol.write(tmp_path / "ours")
    (tmp_path / "ours" / "thesis.txt").write_text("mine")
    with refused("thesis.txt: isn't ours, and would be lost"):
        protocol.write(tmp_path / "ours")
    assert (tmp_path / "ours" / "thesis.txt").read_text() == "mine"


def test_scenario_files_are_not_trusted(tmp_path: Path) -> None:
    Protocol.from_catalogue(herd()).write(tmp_path / "p")

    def spoilt(file: str, text: str) -> Path:
        shutil.rmtree(tmp_path / "q", ignore_errors=True)
        shutil.copytree(tmp_path / "p", tmp_path / "q")
        (tmp_path / "q" / file).write_text(text)
        return tmp_path / "q"

    cases = {
        ("query_scenarios.csv", "scenario_id,queries_path,database_path\ns,../../x.csv,d.csv\n"): "row 1: .*leaves",
        ("query_scenarios.csv", "scenario_id\ns\n"): "query_scenarios.csv: no column queries_path, database_path",
        ("queries/scenario01.csv", "query_id,query_image_id\np0,\n"): "scenario01.csv, row 1: query_image_id is empty",
        ("protocol.json", "{}"): "protocol.json: isn't a protocol's rules",
        ("protocol.json", "not json"): "protocol.json: isn't a protocol's rules",
        ("labels.csv", "query_id,database_image_id\np0,\n"): "labels.csv, row 1: database_image_id is empty",
    }
    for (file, text), message in cases.items():
        with pytest.raises(WhalereidError, match=message):
            Protocol.read(spoilt(file, text), herd())
    with pytest.raises(WhalereidError, match=r"query_scenarios.csv: no such file"):
        Protocol.read(tmp_path / "nowhere")
