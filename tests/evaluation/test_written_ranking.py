"""A ranking says the same from memory and from its table, which has no row for a query that lists nothing."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whalereid.catalogue import Catalogue, TrainedOn
from whalereid.embeddings import Embeddings
from whalereid.errors import WhalereidError
from whalereid.evaluation import Bootstrap, Protocol, Report, evaluate, evaluate_open_set
from whalereid.ranking import CandidateRules, Ensemble, Member, Ranking, Task

COLUMNS = ("query_id", "database_image_id", "score")


def herd(rng: np.random.Generator, n: int) -> Catalogue:
    frame = pd.DataFrame(
        {
            "image_id": rng.permutation([f"p{i}" for i in range(n - 2)] + ["007", "é 1"]),
            "path": "x.jpg",
            "identity": rng.choice(["ann", "bob", "cid", "dot", "eve", None], n),
            "viewpoint": rng.choice(["left", "right", "unknown", None], n),
            "encounter": rng.choice(["e1", "e2", "e3", None], n),
            "date": rng.choice(["2017-07-01", "2018-08-01", None], n),
        }
    )
    return Catalogue(frame)


def made(seed: int) -> tuple[Protocol, Ranking]:
    """A small protocol and a ranking of it: lists of any length, ties, photos that are no candidates, none at all."""
    rng = np.random.default_rng(seed)
    photos = herd(rng, int(rng.integers(8, 25)))
    ids = photos.image_ids
    tasks, lists, names = [], [], []
    for name in ("one", "two")[: rng.integers(1, 3)]:
        queries, database = (rng.permutation(ids)[: rng.integers(2, len(ids) + 1)] for _ in range(2))
        rules = CandidateRules(*(rng.permutation(["encounter", "viewpoint"])[: rng.integers(0, 2)] for _ in range(2)))
        tasks.append(Task(name, [f"{name}-{i}" for i in queries], tuple(queries), tuple(database), rules))
        for query in tasks[-1].query_ids:
            names.append(query)
            lists.append(list(rng.permutation(database)[: max(0, rng.integers(-2, 7))]))
    order = rng.permutation(len(names))
    scores = [np.sort(rng.choice(rng.normal(size=4) ** 3, len(one)))[::-1].tolist() for one in lists]
    return Protocol(tasks, photos), Ranking(
        [lists[i] for i in order], [scores[i] for i in order], [names[i] for i in order]
    )


def figures(report: Report) -> dict[str, object]:
    """Everything that a report says."""
    by = [what for what in ("viewpoint", "viewpoint-pair", "year-gap", "photos", "scenario", "identity")]
    said: dict[str, object] = {"per query": report.per_query.to_json(double_precision=15)}
    for what in by:
        try:
            said[what] = report.by(what).to_json(double_precision=15)
        except WhalereidError as error:
            said[what] = str(error)
    said["all"] = json.dumps(report.to_dict())
    said["better"] = report.compare(report).to_json(double_precision=15)
    try:
        found = evaluate_open_set(report, bootstrap=Bootstrap(resamples=20))
    except WhalereidError as error:  # everybody known, or nobody
        said["open set"] = str(error)
    else:
        said["open set"] = json.dumps(found.to_dict(), allow_nan=False)
        said["lines"] = found.lines()
        said["curve"] = found.outcome.curve().to_json()
        said["chances"] = found.calibration.predict(np.linspace(-3, 3, 50)).tolist()
        said["pairs"] = [part.tolist() for part in found.pairs]
    return said


@given(st.integers(0, 100_000), st.sampled_from(["ranking.csv", "ranking.parquet"]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_from_memory_and_from_the_table_every_figure_is_the_same(seed: int, name: str, shuffled: bool) -> None:
    try:
        protocol, ranking = made(seed)
    except WhalereidError:  # no query with a relevant photo, or a rule on a column without values
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        ranking.write(path)
        if shuffled:  # whole lists, so that ties keep their order
            whole = [rows for _, rows in ranking.to_frame().groupby("query_id")]
            Ranking.from_frame(pd.concat([*whole, ranking.to_frame().iloc[:0]])).write(path)
        ours, theirs = (
            figures(evaluate(protocol, one, k=5, bootstrap=Bootstrap(resamples=20))) for one in (ranking, path)
        )
    assert ours == theirs


def made_up_survey() -> tuple[Catalogue, Protocol, Ranking]:
    """Four new animals' photos, three of them alone in their viewpoint: without candidates; and four known ones."""
    frame = pd.DataFrame(
        {
            "image_id": list("abcdefgh"),
            "path": "x",
            "identity": ["ann", "ann", "bob", "bob", "new1", "new2", "new3", "new4"],
            "viewpoint": ["left", "left", "left", "left", "left", "up", "front", "tail"],
        }
    )
    photos = Catalogue(frame)
    protocol = Protocol.from_catalogue(photos, match=["viewpoint"])
    rng = np.random.default_rng(0)
    vectors = Embeddings.from_numpy(photos.image_ids, rng.standard_normal((8, 4)))
    return photos, protocol, Ensemble([Member("x", vectors)]).rank(photos, photos, match=["viewpoint"])


def test_queries_without_candidates_count_in_the_open_set(tmp_path: Path) -> None:
    _, protocol, ranking = made_up_survey()
    ranking.write(tmp_path / "ranking.csv")
    assert len(Ranking.read(tmp_path / "ranking.csv")) == 5  # three queries have no row
    found = [evaluate_open_set(evaluate(protocol, one)) for one in (ranking, tmp_path / "ranking.csv")]
    rates = [one.outcome.false_alarm_rate(-1) for one in found]
    assert rates == [0.25, 0.25]
    assert [len(one.outcome) for one in found] == [8, 8]
    report = evaluate(protocol, tmp_path / "ranking.csv")
    assert report.counts["missing"] == 0  # nothing could be listed
    assert report.counts["without_relevant"] == 4
    assert not any("though they have candidates" in note for note in report.notes)


def test_a_table_without_rows_is_a_ranking_of_nothing(tmp_path: Path) -> None:
    photos, protocol, _ = made_up_survey()
    (tmp_path / "none.csv").write_text(",".join(COLUMNS) + "\n")
    report = evaluate(protocol, tmp_path / "none.csv")
    assert report["mAP@20"] == 0
    assert report.counts["missing"] == 4
    assert report.per_query["query_id"].tolist() == photos.image_ids.tolist()
    assert figures(report) == figures(evaluate(protocol, Ranking([[]] * 8, [[]] * 8, list("abcdefgh"))))
    pd.DataFrame(columns=list(COLUMNS)).to_parquet(tmp_path / "none.parquet")
    assert figures(evaluate(protocol, tmp_path / "none.parquet")) == figures(report)


def test_a_ranking_of_some_queries_says_so() -> None:
    _, protocol, ranking = made_up_survey()
    part = Ranking.from_codes(["a"], ranking.database_ids, ranking.codes[:1], ranking.scores[:1])
    report = evaluate(protocol, part)
    assert report.counts["missing"] == 3
    assert any("but no ranking: 3 queries (b, c, d)" in note for note in report.notes)
    said = "listing nothing though they have candidates, none of them relevant: 1 query (e); an open set takes"
    assert any(said in note for note in report.notes)
    assert report["top-1"] <= 0.25
    with pytest.raises(WhalereidError, match="3 queries are not in the second ranking: b, c, d"):
        evaluate(protocol, ranking).compare(report)


def test_completed_keeps_the_protocols_order() -> None:
    _, protocol, ranking = made_up_survey()
    part = Ranking.from_codes(["d", "a"], ranking.database_ids, ranking.codes[[3, 0]], ranking.scores[[3, 0]])
    whole = protocol.completed(part)
    assert whole.query_ids.tolist() == list("abcdefgh")
    assert whole.lengths.tolist() == [4, 0, 0, 4, 0, 0, 0, 0]
    assert whole.ids[3].tolist() == part.ids[0].tolist()
    assert protocol.completed(whole) is whole
    learnt = TrainedOn.of_identities(["ann"])
    kept = Ranking.from_codes(part.query_ids, part.database_ids, part.codes, part.scores, trained_on=learnt)
    assert protocol.completed(kept).trained_on is learnt
    assert protocol.admitted(kept)[0].trained_on is learnt
    with pytest.raises(WhalereidError, match="1 of its queries are in no task: z"):
        protocol.completed(Ranking([["a"]], [[1.0]], ["z"]))


def test_candidates_are_counted() -> None:
    _, protocol, ranking = made_up_survey()
    assert protocol.candidates.tolist() == ranking.lengths.tolist() == [4, 4, 4, 4, 4, 0, 0, 0]
