"""Batches by samplers: deterministic, resumable at epochs' ends, shared among processes; or refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_metric_learning.samplers import MPerClassSampler
from torch.utils.data import BatchSampler, RandomSampler, WeightedRandomSampler

from training.drawing import fit_quietly, make_parts
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.parts import BATCHES
from whalereid.training import Recipe
from whalereid.training.batches import SampledBatches

QUICK = Recipe(epochs=3, batch_size=8, transform="plain")
LABELS = np.repeat(np.arange(6), 4)


class WithState:
    """A sampler that remembers how often it was gone through, and shuffles itself in place."""

    def __init__(self) -> None:
        self.order, self.times = list(range(24)), 0

    def __iter__(self) -> Iterator[int]:
        self.times += 1
        np.random.shuffle(self.order)  # noqa: NPY002
        yield from self.order[self.times :]


SAMPLERS: dict[str, Any] = {
    "MPerClassSampler": lambda: MPerClassSampler(LABELS, 4, 8, 24),
    "RandomSampler": lambda: RandomSampler(range(24)),
    "with a generator": lambda: RandomSampler(range(24), generator=torch.Generator().manual_seed(5)),
    "weighted": lambda: WeightedRandomSampler([1.0] * 12 + [5.0] * 12, 24),
    "lists": lambda: BatchSampler(RandomSampler(range(24)), 6, drop_last=False),
    "with a state": WithState,
    "a function": lambda: lambda labels, size, seed: np.random.default_rng(seed).permutation(len(labels)).tolist(),
    "a function of lists": lambda: lambda labels, size, seed: [[0, 1, 2], [seed % 20, 3, 5, 7]],
    "by name": lambda: (
        lambda labels, size, seed: BATCHES.make("by-identity", labels=labels, batch_size=size, seed=seed)
    ),
}


def drawn_in(batches: SampledBatches, epoch: int) -> list[list[int]]:
    batches.set_epoch(epoch)
    return list(batches)


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_an_epoch_depends_on_seed_and_number_alone(name: str) -> None:
    sampler = SAMPLERS[name]()
    first = SampledBatches(sampler, LABELS, 8, seed=3)
    whole = [drawn_in(first, epoch) for epoch in range(4)]
    np.random.seed(77)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    later = drawn_in(SampledBatches(SAMPLERS[name](), LABELS, 8, seed=3), 2)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]  # noqa: NPY002
    assert later == whole[2]
    assert len({str(epoch) for epoch in whole}) == 4
    if name != "with a generator":  # which can't be copied everywhere
        again = SampledBatches(sampler, LABELS, 8, seed=3)  # the same object, as in a notebook
        assert drawn_in(again, 2) == whole[2]


def test_processes_share_the_batches() -> None:
    whole = drawn_in(SampledBatches(WithState(), LABELS, 5, seed=1), 1)
    parts = [drawn_in(SampledBatches(WithState(), LABELS, 5, seed=1, process=i, processes=2), 1) for i in (0, 1)]
    assert [len(part) for part in parts] == [2, 2]
    assert [batch for pair in zip(*parts, strict=True) for batch in pair] == whole[:4]


def test_by_identity_has_several_photos_of_each() -> None:
    for batch in SampledBatches(SAMPLERS["by name"](), LABELS, 9):
        assert np.unique(LABELS[batch], return_counts=True)[1].tolist() == [4, 4]
    many = BATCHES.make("by-identity:per_identity=4", labels=np.array([0, 0, 1]), batch_size=64, seed=0)
    assert len(list(many)) == 8  # no more than the identities have
    with pytest.raises(WhalereidError, match="per_identity is 4, a batch has 2 photos"):
        BATCHES.make("by-identity", labels=LABELS, batch_size=2, seed=0)


@pytest.mark.parametrize(
    ("sampler", "says"),
    [
        (MPerClassSampler, "give a sampler, such as MPerClassSampler"),
        ([0, 99], "item 99; the items are 0 to 23"),
        ([[0, -1]], "item -1"),
        ([[0]], r"gives \[0\]; a batch is a list of two"),
        ([[0, 1], 2], "both items and lists"),
        ([[0.5, 1.0]], "a batch is a list of two"),
        (["ab"], "a batch is a list of two"),
        ([], "gives 0 batches .* in epoch 1"),
        (iter([0, 1, 2]), r"gives 0 batches .* in epoch 2.*gone through once an epoch"),
        (lambda labels, size, seed: 3, "int gives no items .*not iterable"),
        (lambda labels: labels, "lambda> gives no items .*takes 1 positional"),
        (torch.nn.Linear(2, 2), "Linear gives no items"),
        (lambda labels, size, seed: iter(int, 1), "epoch 1 has no end"),
    ],
)
def test_what_gives_no_batches(sampler: Any, says: str) -> None:
    with pytest.raises(WhalereidError, match=says) as refused:
        drawn_in(SampledBatches(sampler, LABELS, 8), 1)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["MPerClassSampler", "with a state", "lists"])
def test_a_training_goes_on_as_if_not_stopped(drawn: Catalogue, tmp_path: Path, name: str) -> None:
    from whalereid.training.loop import TrainingLoop

    def run(out: Path, **options: Any) -> bytes:
        fit_quietly(*make_parts(), drawn, recipe=QUICK, out=out, batches=SAMPLERS[name](), **options)
        return (out / "model.safetensors").read_bytes()

    whole = run(tmp_path / "whole")
    original = TrainingLoop._epoch

    def stops(self: TrainingLoop, epoch: int, *given: Any) -> None:
        if epoch == 2:
            raise RuntimeError("stop")
        original(self, epoch, *given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TrainingLoop, "_epoch", stops)
        with pytest.raises(RuntimeError, match="stop"):
            run(tmp_path / "run")
    assert run(tmp_path / "run", resume=True) == whole
    with pytest.raises(WhalereidError, match="batches"):
        fit_quietly(*make_parts(), drawn, recipe=QUICK, out=tmp_path / "run", resume=True)


def test_batches_by_name_are_noted(drawn: Catalogue, tmp_path: Path) -> None:
    recipe = QUICK.but(epochs=1)
    fit_quietly(*make_parts(), drawn, recipe=recipe, out=tmp_path / "run", batches="by-identity:per_identity=2")
    named = recipe.but(batches="by-identity:per_identity=2")
    fit_quietly(*make_parts(), drawn, recipe=named, out=tmp_path / "run", resume=True)
    with pytest.raises(WhalereidError, match="batches options per_identity was 2, is now 4"):
        fit_quietly(*make_parts(), drawn, recipe=recipe.but(batches="by-identity:per_identity=4"), out=tmp_path / "run",
                    resume=True)  # fmt: skip
