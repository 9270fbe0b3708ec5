from __future__ import annotations

from collections import Counter
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
from whalereid.ranking import CandidateRules, Ranking, Task, tasks_from


def pairs(labels: Labels) -> set[tuple[str, str]]:
    return set(labels.to_frame().itertuples(index=False, name=None))


PAIRS = {("q", "a"), ("r", "a"), ("r", "b")}


def test_every_form_is_the_same_set_of_pairs(tmp_path: Path) -> None:
    frame = pd.DataFrame([*sorted(PAIRS), ("q", "a")], columns=["query_id", "database_image_id"])  # one row repeated
    frame.to_csv(tmp_path / "labels.csv", index=False)
    frame.to_parquet(tmp_path / "labels.parquet", index=False)
    forms = [
        {"q": {"a"}, "r": ["a", "b"], "s": ()},
        frame,
        tmp_path / "labels.csv",
        str(tmp_path / "labels.parquet"),
        Labels(["r", "q", "r"], ["b", "a", "a"]),
        Labels.from_codes(["x", "q", "r"], ["c", "b", "a"], np.array([1, 2, 2]), np.array([2, 2, 1])),
    ]
    for form in forms:
        labels = Labels.of(form)
        assert pairs(labels) == PAIRS
        assert dict(zip(labels.query_ids, labels.counts, strict=True)) == {"q": 1, "r": 2}
        assert sorted(labels.image_ids) == ["a", "b"]
    assert pairs(Labels.of([{"a"}, {"a", "b"}, set()], ["q", "r", "s"])) == PAIRS


def test_numbers_in_a_table_are_text() -> None:
    assert pairs(Labels.of(pd.DataFrame({"query_id": [1], "database_image_id": [7]}))) == {("1", "7")}


def test_a_crowd_is_scored_but_not_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("whalereid.evaluation.implied._MOST", 20)
    frame = pd.DataFrame({"image_id": list("abcdefg"), "path": "x", "identity": ["nn"] * 5 + ["ann"] * 2})
    labels = Labels.implied(Catalogue(frame), tasks_from(Catalogue(frame)))
    assert labels.counts.tolist() == [4] * 5 + [1] * 2  # scoring needs no pairs
    assert len(labels) == 22
    with pytest.raises(WhalereidError, match="5 queries of identity 'nn' and its 5 photos are too many to list"):
        labels.to_frame()
    with pytest.raises(WhalereidError, match=r"labels.csv: .*identity 'nn'"):
        Protocol.from_catalogue(Catalogue(frame)).write(tmp_path / "protocol")
    assert not (tmp_path / "protocol").exists()


RULES = st.lists(st.sampled_from(["encounter", "viewpoint", "water", "identity"]), unique=True, max_size=3)


@given(st.integers(0, 10_000), RULES, RULES)
@settings(max_examples=80, deadline=None)
def test_implied_labels_judge_count_and_list_as_the_oracle(seed: int, exclude: list[str], match: list[str]) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 25))
    frame = pd.DataFrame({"image_id": rng.permutation([f"p{i}" for i in range(n)]), "path": "x"})
    for name in ("identity", "encounter", "viewpoint", "water"):
        frame[name] = rng.choice(["one", "two", "three", None], n)
    frame.loc[0, ["identity", "encounter", "viewpoint", "water"]] = "one"
    photos = Catalogue(frame)
    ids, tasks = photos.image_ids, []
    for name in ("first", "second"):  # photo 0 in each, so that no column is empty
        queries, database = ({ids[0], *rng.permutation(ids)[: rng.integers(0, n)]} for _ in range(2))
        names = [f"{name}-{i}" for i in queries]
        tasks.append(Task(name, names, tuple(queries), tuple(database), CandidateRules(exclude, match)))
    by_id = photos.frame.set_index("image_id", drop=False)
    expected = {q: found for task in tasks for q, found in relevance.relevant(by_id, task).items()}

    labels = Labels.implied(photos, tasks)
    assert dict(zip(labels.query_ids, labels.counts, strict=True)) == {q: len(r) for q, r in expected.items()}
    assert len(labels) == sum(map(len, expected.values()))

    lists = {q: list(rng.permutation([*ids, "stranger"])) for task in tasks for q in task.query_ids}
    some = [q for q in lists if rng.random() < 0.8] or list(lists)
    ranking = Ranking([lists[q] for q in some], [list(range(n + 1, 0, -1))] * len(some), some)
    explicit = Labels.of(expected)
    for one in (labels, explicit):
        hit = one.hits(ranking)
        assert hit.tolist() == [[photo in expected.get(q, ()) for photo in lists[q]] for q in some]

    water = {
        i: ["one", "two", "three"].index(w) if isinstance(w, str) else 3 for i, w in zip(ids, frame.water, strict=True)
    }
    counted = Counter((q, water[photo]) for q, found in expected.items() for photo in found)
    for one in (labels, explicit):
        query, code, count = one.tally(lambda image_ids: np.array([water[i] for i in image_ids], np.int64))
        assert dict(zip(zip(one.query_ids[query], code, strict=True), count, strict=True)) == counted

    assert pairs(labels) == pairs(explicit)
    assert set(labels.image_ids) == set(explicit.image_ids)
    made_again = Labels.from_codes(labels.query_ids, labels.image_ids, labels.query, labels.image)
    assert pairs(made_again) == pairs(labels)


def test_tallies_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"image_id": [f"p{i}" for i in range(40)], "path": "x", "identity": list("abcd") * 10})
    labels = Labels.implied(Catalogue(frame), tasks_from(Catalogue(frame)))

    def tens(image_ids: np.ndarray) -> np.ndarray:
        return np.array([int(i[1:]) // 10 for i in image_ids], np.int64)

    whole = labels.tally(tens)
    monkeypatch.setattr("whalereid.candidates.mask._BLOCK", 7)
    for ours, theirs in zip(whole, labels.tally(tens), strict=True):
        assert ours.tolist() == theirs.tolist()
    monkeypatch.setattr("whalereid.evaluation.implied._MOST", 20)
    with pytest.raises(WhalereidError, match="photos in as many groups are too many to break down by"):
        labels.tally(tens)


def test_tasks_that_share_a_query_id_are_refused() -> None:
    photos = Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": "x", "identity": "ann"}))
    with pytest.raises(WhalereidError, match="two share the query id 'a'"):
        Labels.implied(photos, tasks_from(photos) * 2)


def test_no_pairs_at_all() -> None:
    labels = Labels.of({"q": set()})
    assert len(labels) == 0
    assert labels.counts.tolist() == []
    assert labels.to_frame().shape == (0, 2)


def test_errors_name_file_and_row(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("query_id,database_image_id\nq,a\nr,\n")
    with pytest.raises(WhalereidError, match=r"labels.csv, row 2: database_image_id is empty"):
        Labels.read(tmp_path / "labels.csv")
    (tmp_path / "other.csv").write_text("query,image\nq,a\n")
    with pytest.raises(WhalereidError, match=r"other.csv: no column query_id, database_image_id; it has query, image"):
        Labels.read(tmp_path / "other.csv")
    with pytest.raises(WhalereidError, match="give a mapping"):
        Labels.of([{"a"}])
    with pytest.raises(WhalereidError, match="2 query ids but 1 photos"):
        Labels(["q", "r"], ["a"])
