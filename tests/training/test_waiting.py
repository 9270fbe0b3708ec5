"""How much of the training steps' time the network waits for photos: measured, printed, kept, and answered."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor
from torch.utils.data import Dataset

from training.drawing import fit_quietly, make_parts
from whalereid.catalogue import Catalogue
from whalereid.training import Recipe, waiting
from whalereid.training.waiting import WatchedBatches, in_all

QUICK = Recipe(epochs=3, batch_size=8, transform="plain")
CPU = torch.device("cpu")


def slowly(n: int, seconds: float) -> Iterator[int]:
    for number in range(n):
        time.sleep(seconds)
        yield number


class Slow(Dataset[Any]):
    """Eight images of two classes, each of which takes its time."""

    labels = [0, 1] * 4
    classes = ("a", "b")

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> tuple[Tensor, int, int]:
        time.sleep(0.1)
        return torch.randn(3, 32, 32), index % 2, index


def a_history(*shares: float) -> pd.DataFrame:
    return pd.DataFrame({"waiting": shares, "seconds": 10.0})


def test_waiting_is_the_time_until_a_batch_is_there() -> None:
    watched = WatchedBatches(slowly(3, 0.1), CPU)
    assert list(watched) == [0, 1, 2]
    assert watched.waited / watched.taken > 0.9
    assert watched.taken >= 0.3


def test_computing_is_no_waiting() -> None:
    watched = WatchedBatches(range(3), CPU)
    for _ in watched:
        time.sleep(0.05)
    assert watched.waited / watched.taken < 0.1


def test_a_gpu_that_still_computes_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own clock counts: the program asks for the next batch long before a step is done."""

    class Mark:
        """Each step ends 50 ms before the next one's photos are there."""

        def elapsed_time(self, _: Mark) -> float:
            return 50.0

    monkeypatch.setattr(waiting, "_mark", Mark)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    watched = WatchedBatches(slowly(3, 0.2), torch.device("cuda"))
    assert list(watched) == [0, 1, 2]
    np.testing.assert_allclose(watched.waited, 0.2 + 2 * 0.05, atol=0.05)


@pytest.mark.gpu
def test_the_clock_of_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    device = torch.device("cuda")
    matrix = torch.randn(4096, 4096, device=device)
    shares = []
    for seconds in (0.0, 0.2):
        watched = WatchedBatches(slowly(5, seconds), device)
        for _ in watched:
            for _ in range(5):
                matrix @ matrix
        shares.append(watched.waited / watched.taken)
    assert shares[0] < 0.5 < shares[1]


@pytest.mark.parametrize(
    ("shares", "workers", "says"),
    [
        ((0.02, 0.04), 2, "In all, 3% of the time waiting for photos."),
        ((0.15,), 0, "In all, 15% of the time waiting for photos."),
        ((0.3, 0.5), 0, "In all, 40% of the time waiting for photos: --workers 2 .* may shorten it; none prepares"),
        ((0.4,), 1, "--workers 2 .in Python workers=2. may shorten it; 1 prepares them now"),
        ((0.4,), 2, "2 processes prepare them, and more are of use only where cores are idle"),
        ((float("nan"), 0.5), 2, "In all, 50% of the time"),
    ],
)
def test_what_is_said_at_the_end(
    monkeypatch: pytest.MonkeyPatch, shares: tuple[float, ...], workers: int, says: str
) -> None:
    monkeypatch.setattr(waiting, "default_workers", lambda: 2)
    said = in_all(a_history(*shares), workers)
    assert said is not None
    assert re.search(says, said)


def test_nothing_is_said_of_what_was_not_measured() -> None:
    assert in_all(a_history(float("nan")), 2) is None


def test_a_slow_data_set_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = QUICK.but(epochs=1, batch_size=4)
    run = fit_quietly(*make_parts(2), Slow(), recipe=recipe, out=tmp_path / "run", progress=True)
    share = run.history["waiting"].item()
    assert 0.5 < share <= 1
    assert pd.read_csv(tmp_path / "run" / "history.csv")["waiting"].tolist() == [share]
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("epoch 1/1: ") and f", {share:.0%} of the time waiting" in line for line in lines)
    assert lines[-1].startswith(f"In all, {share:.0%} of the time waiting for photos: --workers ")


def test_a_training_begun_before_it_was_measured_is_resumed(drawn: Catalogue, tmp_path: Path) -> None:
    out = tmp_path / "run"
    fit_quietly(*make_parts(), drawn, drawn, recipe=QUICK, out=out)
    path = out / "checkpoint" / "last.pt"
    state = torch.load(path, weights_only=True)
    state["records"] = [{name: value for name, value in state["records"][0].items() if name != "waiting"}]
    state["best"] = (1, state["best"][1])
    torch.save(state, path)
    run = fit_quietly(*make_parts(), drawn, drawn, recipe=QUICK, out=out, resume=True)
    for history in (run.history, pd.read_csv(out / "history.csv")):
        assert history["waiting"].isna().tolist() == [True, False, False]
        assert history["seconds"].notna().all()
    best = json.loads((out / "run.json").read_text())["progress"]["best"]
    assert best["waiting"] is None or best["epoch"] > 1
