"""Scoring grows with the photos, not with their pairs: 200,000 photos of 200 animals are 200 million pairs."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue
from whalereid.evaluation import Bootstrap, Protocol, evaluate
from whalereid.ranking import CandidateRules, Ranking, Task

SCORED = """
import re, sys, time
import numpy as np, pandas as pd
from whalereid.catalogue import Catalogue
from whalereid.evaluation import Bootstrap, Protocol, evaluate
from whalereid.ranking import Ranking

def most():  # MB; getrusage would count the process that started this one too
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

n = int(sys.argv[1])
rng = np.random.default_rng(0)
photos = Catalogue(pd.DataFrame({
    "image_id": [f"photo{i:07d}" for i in range(n)], "path": "x.jpg", "identity": rng.integers(0, 200, n).astype(str),
    "encounter": rng.integers(0, 400, n).astype(str), "viewpoint": rng.choice(["left", "right"], n)}))
queries = rng.permutation(n)[:n // 20]
codes = rng.integers(0, n - 20, (len(queries), 1)) + np.arange(20)
scores = np.tile(np.arange(20.0)[::-1], (len(queries), 1))
ranking = Ranking.from_codes(photos.image_ids[queries], photos.image_ids, codes, scores)
before, begin = most(), time.process_time()
protocol = Protocol.from_catalogue(photos, exclude=["encounter"], match=["viewpoint"])
report = evaluate(protocol, ranking, bootstrap=Bootstrap(resamples=50))
report.metrics, report.notes, report.by("viewpoint"), report.by("viewpoint-pair")
print(len(protocol.labels), time.process_time() - begin, most() - before, most())
"""


def scored(photos: int) -> tuple[float, ...]:
    """Pairs that are relevant, processor seconds, and MB that scoring added and that the process took in all."""
    done = subprocess.run([sys.executable, "-c", SCORED, str(photos)], capture_output=True, text=True, check=True)
    return tuple(map(float, done.stdout.split()))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads a process's peak memory where Linux tells it")
def test_four_times_the_photos_take_about_four_times_as_much() -> None:
    few_pairs, few_seconds, few_added, _ = scored(50_000)
    many_pairs, many_seconds, many_added, most = scored(200_000)
    assert many_pairs > 15 * few_pairs > 80_000_000  # pairs grow with the square
    assert many_added < 8 * max(few_added, 20)
    assert many_seconds < 10 * few_seconds  # pair by pair it would be 16 times at least
    assert most < 1000


def seconds_of(tasks: int) -> float:
    """Processor seconds for a protocol of so many tasks of one size, its labels implied and given, and a ranking."""
    rng, n = np.random.default_rng(0), 20 * tasks
    frame = pd.DataFrame({"image_id": [f"p{i}" for i in range(n)], "path": "x"})
    photos = Catalogue(frame.assign(identity=rng.integers(0, n // 5, n).astype(str), encounter=rng.permutation(n) // 3))
    asked = []
    for number in range(tasks):
        ids = photos.image_ids[20 * number : 20 * (number + 1)]
        names = [f"{number}-{i}" for i in ids]
        asked.append(Task(str(number), names, tuple(ids), tuple(ids), CandidateRules(exclude=("encounter",))))
    begin = time.process_time()
    protocol = Protocol(asked, photos)
    lists = [task.database_images[:5] for task in asked for _ in task.query_ids]
    ranking = Ranking(lists, [[5, 4, 3, 2, 1]] * n, protocol.query_ids)
    for one in (protocol, Protocol(asked, photos, protocol.labels.to_frame())):
        _ = evaluate(one, ranking, bootstrap=Bootstrap(resamples=0)).metrics
    return time.process_time() - begin


def test_four_times_the_tasks_take_about_four_times_as_much() -> None:
    seconds_of(20)  # imports
    few, many = min(seconds_of(200) for _ in range(2)), seconds_of(800)
    assert many < 10 * few  # looking every query up in every task would be 16 times
