"""The first place's ranking: the known answers, and the plain loop on scenarios of every mix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from oracles.whaledo_loop import WhaledoLoop
from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings
from whalereid.ranking import Ranking, Task, rank_tasks


def assert_same(got: pd.DataFrame, expected: pd.DataFrame, tolerance: float = 1e-5) -> None:
    """The same photos for each query, scores within the tolerance; photos whose scores tie at the end may differ."""
    assert got["query_id"].drop_duplicates().tolist() == expected["query_id"].drop_duplicates().tolist()
    got_by, expected_by = dict(iter(got.groupby("query_id"))), dict(iter(expected.groupby("query_id")))
    for query_id, want in expected_by.items():
        have = got_by[query_id]
        np.testing.assert_allclose(have["score"].to_numpy(), want["score"].to_numpy(), rtol=0, atol=tolerance)
        floor = want["score"].iloc[-1] + 2 * tolerance
        have_ids, want_ids = set(have["database_image_id"]), set(want["database_image_id"])
        assert set(have["database_image_id"][have["score"] > floor]) <= want_ids, query_id
        assert set(want["database_image_id"][want["score"] > floor]) <= have_ids, query_id


@pytest.mark.shared
@pytest.mark.parametrize(("file", "as_submitted"), [("expected.csv", False), ("expected_strict.csv", True)])
def test_golden(shared, first_place, file, as_submitted):
    folder = shared / "golden" / "ranking"
    arrays = np.load(folder / "embeddings.npz")
    embeddings = [
        Embeddings.from_numpy(arrays["image_id"], arrays[name]) for name in ("b5_top", "v2_top", "b5_lateral")
    ]
    catalogue = Catalogue(pd.read_csv(folder / "metadata.csv"))
    tasks = []
    for row in pd.read_csv(folder / "query_scenarios.csv").itertuples():
        queries, database = pd.read_csv(folder / row.queries_path), pd.read_csv(folder / row.database_path)
        tasks.append(
            Task(row.scenario_id, queries["query_id"], queries["query_image_id"], database["database_image_id"])
        )
    ranking = rank_tasks(first_place(*embeddings, as_submitted=as_submitted), catalogue, tasks)
    assert len(ranking) == sum(len(task.query_ids) for task in tasks)
    expected = Ranking.read(folder / file)
    assert_same(ranking.to_frame(), expected.to_frame())
    assert ranking.ids[0].tolist() == expected.ids[0].tolist()


def scenarios(rng: np.random.Generator, views: pd.Series, n: int) -> list[Task]:
    """Tasks of every mix of viewpoints, in any order, with databases down to none."""
    by_view = {
        "top": views.index[views == "top"].tolist(),
        "lateral": views.index[(views != "top").to_numpy()].tolist(),
        "mixed": views.index.tolist(),
    }
    tasks = []
    for i in range(n):
        sides = [by_view[str(kind)] for kind in rng.choice(list(by_view), 2)]
        sizes = rng.integers(1, 7), rng.choice([0, 1, 2, 3, 4, 25, 60])
        queries, database = (list(rng.permutation(side)[:size]) for side, size in zip(sides, sizes, strict=True))
        name = f"scenario{i:02d}"
        tasks.append(Task(name, [f"{name}-{q}" for q in queries], queries, database))
    return tasks


@pytest.mark.parametrize("as_submitted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_as_the_plain_loop(first_place, as_submitted, seed):
    rng = np.random.default_rng(seed)
    n = 120
    ids = [f"train{i:04d}" for i in range(n)]
    views = pd.Series(rng.choice(["top", "top", "left", "right"], n), index=ids)
    copies = np.arange(n)
    copies[rng.integers(0, n, 25)] = rng.integers(0, n, 25)  # photos with the same embeddings
    tables = []
    for width in (40, 24, 32):
        who = rng.normal(size=(12, width))[np.arange(n) % 12]
        tables.append((who + rng.normal(size=(n, width)))[copies].astype(np.float32))
    frames = [pd.DataFrame(table, index=ids) for table in tables]
    catalogue = Catalogue(pd.DataFrame({"image_id": ids, "path": ids, "viewpoint": views.to_numpy()}))
    tasks = scenarios(rng, views, 24)
    ranker = first_place(*(Embeddings.from_numpy(ids, table) for table in tables), as_submitted=as_submitted)
    loop = WhaledoLoop(*frames, viewpoints=views, as_submitted=as_submitted)
    expected = pd.concat([loop.scenario(t.query_ids, t.query_images, t.database_images) for t in tasks])
    ranking = rank_tasks(ranker, catalogue, tasks)
    assert len(ranking) == sum(len(task.query_ids) for task in tasks)  # those with an empty list too
    assert (ranking.lengths == 0).any()
    assert_same(ranking.to_frame(), expected)
