"""What takes a second on 20,000 photos takes no more than n log n says on 200,000: split, leakage, rank, evaluate.

Ratios of processor time, so that a slow or busy machine changes nothing; benchmarks/scale.py goes on to a million.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pytest

import whalereid as wr
from whalereid.ranking import CandidateRules, Ranking, Task, rank_tasks, read_tasks, tasks_from, write_tasks
from whalereid.splits import PredefinedFolds, fold_table, leakage_over_folds

SMALL, LARGE, QUERIES = 20_000, 200_000, 200
# Quadratic work would take 100 times as long, n log n 12 times.
MOST = 2.5 * LARGE * math.log(LARGE) / (SMALL * math.log(SMALL))


@dataclass(frozen=True)
class Table:
    """Photos that don't exist, with all that a day's work makes of them; each thing is made when first asked for."""

    n: int

    @cached_property
    def photos(self) -> wr.Catalogue:
        rng = np.random.default_rng(0)
        animal = rng.integers(0, self.n // 5, self.n)
        ids = [f"photo{i:06d}" for i in range(self.n)]
        return wr.Catalogue(
            pd.DataFrame(
                {
                    "image_id": ids,
                    "path": ids,
                    "identity": [f"animal{a}" for a in animal],
                    "encounter": [f"day{a}-{d}" for a, d in zip(animal, rng.integers(0, 2, self.n), strict=True)],
                    "viewpoint": rng.choice(["left", "right"], self.n),
                }
            )
        )

    @cached_property
    def embeddings(self) -> wr.Embeddings:
        rng = np.random.default_rng(1)
        who = self.photos.labels()
        vectors = rng.standard_normal((who.max() + 1, 64), dtype=np.float32)[who]
        return wr.Embeddings(self.photos.image_ids, vectors + rng.standard_normal((self.n, 64), dtype=np.float32))

    @cached_property
    def folds(self) -> pd.DataFrame:
        return fold_table(wr.EncounterFolds(5, seed=0), self.photos)

    @cached_property
    def task(self) -> Task:
        ids = self.photos.image_ids
        queries = ids[:: self.n // QUERIES]
        return Task("all", queries, queries, ids, CandidateRules("encounter", "viewpoint"))

    @cached_property
    def ranking(self) -> Ranking:
        return self.rank()

    def rank(self, **options: Any) -> Ranking:
        ensemble = wr.Ensemble([wr.Member("made up", self.embeddings)])
        return rank_tasks(ensemble, self.photos, [self.task], **options)

    def evaluate(self) -> wr.Report:
        return wr.evaluate(wr.Protocol([self.task], self.photos), self.ranking, bootstrap=wr.Bootstrap(resamples=100))


# a stage: what it works on, made beforehand; the work
STAGES: dict[str, tuple[tuple[str, ...], Callable[[Table, Any], Any]]] = {
    "split": (("photos",), lambda t, _: fold_table(wr.EncounterFolds(5, seed=0), t.photos)),
    "leakage": (("photos", "folds"), lambda t, _: leakage_over_folds(t.photos, PredefinedFolds(t.folds))),
    "rank": (("task", "embeddings"), lambda t, _: t.rank()),
    "expand": (("task", "embeddings"), lambda t, _: t.rank(rerank=wr.Expand())),
    "evaluate": (("ranking",), lambda t, _: t.evaluate()),
    "all against all, as a task": (("photos",), lambda t, _: tasks_from(t.photos, exclude="encounter")),
    "a task written and read": (
        ("task",),
        lambda t, folder: (write_tasks([t.task], folder / "r.csv"), read_tasks(folder / "r.csv")),
    ),
    "embeddings written and read": (
        ("embeddings",),
        lambda t, folder: (t.embeddings.write(folder / "e.parquet"), wr.Embeddings.read(folder / "e.parquet")),
    ),
}


@pytest.fixture(scope="module")
def tables() -> tuple[Table, Table]:
    return Table(SMALL), Table(LARGE)


@pytest.mark.parametrize("stage", STAGES)
def test_ten_times_the_photos_take_as_n_log_n_says(tables: tuple[Table, Table], stage: str, tmp_path: Any) -> None:
    made, work = STAGES[stage]

    def seconds(table: Table) -> float:
        for name in made:
            getattr(table, name)
        begin = time.process_time()
        work(table, tmp_path)
        return time.process_time() - begin

    small, large = (min(seconds(table) for _ in range(2)) for table in tables)
    assert large < MOST * (small + 0.01), f"{stage}: {small:.3f} s for {SMALL:,} photos, {large:.3f} s for {LARGE:,}"
