"""Data sets of others: any that yields (image, label, row) trains; what it doesn't tell is said or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset, Subset, TensorDataset

from training.drawing import GREY, fit_quietly, make_parts
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.images import PhotoDataset, evaluation_transform
from whalereid.models import Embedder
from whalereid.training import Recipe

QUICK = Recipe(epochs=2, batch_size=8, transform="plain")


class Plain(Dataset[Any]):
    """24 images of 6 classes, and nothing else."""

    def __init__(self, **told: Any) -> None:
        generator = torch.Generator().manual_seed(0)
        self.images = torch.randn(24, 3, 32, 32, generator=generator)
        vars(self).update(told)

    def __len__(self) -> int:
        return 24

    def __getitem__(self, index: int) -> tuple[Tensor, int, int]:
        return self.images[index], index % 6, index


class Noisy(Plain):
    """Draws on torch's global generator, as many transforms do."""

    def __getitem__(self, index: int) -> tuple[Tensor, int, int]:
        image, label, row = super().__getitem__(index)
        return image + torch.randn(image.shape), label, row


def run(items: Any, out: Path, valid: Any = None, **options: Any) -> Any:
    return fit_quietly(*make_parts(), items, valid, out=out, **{"recipe": QUICK} | options)


def test_a_plain_data_set_trains(drawn: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = run(Plain(), tmp_path / "run", drawn, progress=True)
    said = capsys.readouterr().err
    assert "The data set shows no catalogue: what it trains on isn't noted" in said
    assert "Its labels are read off its items one by one" in said
    assert "no validation loss" in said
    assert made.history["train_loss"].notna().all()
    assert made.history["valid_mAP@20"].notna().all()
    assert made.history["valid_loss"].isna().all()
    assert Embedder.load(tmp_path / "run").trained_on is None
    noted = json.loads((tmp_path / "run" / "run.json").read_text())
    assert noted["train"]["items"] == 24
    assert noted["classes"] == list(range(6))
    run(Plain(), tmp_path / "run", drawn, resume=True)
    with pytest.raises(WhalereidError, match="train digest was"):
        run(Plain(labels=[0, *range(1, 6)] * 3 + [0, 1, 2, 3, 4, 0]), tmp_path / "run", drawn, resume=True)


def test_what_it_tells_is_used(drawn: Catalogue, tmp_path: Path) -> None:
    items = Plain(labels=np.arange(24) % 6, classes=drawn.identities)
    assert run(items, tmp_path / "run", drawn).history["valid_loss"].notna().all()
    run(Plain(targets=torch.arange(24) % 6), tmp_path / "two", recipe=QUICK.but(batches="by-identity"))


@pytest.mark.parametrize("workers", [0, 2])
def test_its_chance_is_resumed(tmp_path: Path, workers: int) -> None:
    from whalereid.training.loop import TrainingLoop

    run(Noisy(), tmp_path / "whole", workers=workers)
    original = TrainingLoop._epoch

    def stops(self: TrainingLoop, epoch: int, *given: Any) -> None:
        if epoch == 1:
            raise RuntimeError("stop")
        original(self, epoch, *given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TrainingLoop, "_epoch", stops)
        with pytest.raises(RuntimeError, match="stop"):
            run(Noisy(), tmp_path / "run", workers=workers)
    run(Noisy(), tmp_path / "run", workers=workers, resume=True)
    ours, theirs = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "whole"))
    assert ours == theirs


def test_part_of_a_photo_data_set_trains(drawn: Catalogue, tmp_path: Path) -> None:
    photos = PhotoDataset(drawn, evaluation_transform(32, GREY, GREY))
    assert len(run(Subset(photos, range(0, 24, 2)), tmp_path / "run", drawn).history) == 2


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Any:
        yield from ()


@pytest.mark.parametrize(
    ("items", "says"),
    [
        (Stream(), "train is .*Stream.* has no items"),
        (TensorDataset(torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 0, 1])), r"train is a TensorDataset, .* item 0"),
        (Plain(images=torch.randn(24, 1, 32, 32)), r"item 0 is \(1, 32, 32\)"),
        (Plain(images=torch.zeros(24, 3, 32, 32, dtype=torch.uint8)), "item 0 is .*float tensor"),
        (Plain(images=torch.randn(24, 3, 48, 48)), r"images are \(48, 48\), the network's image_size is \(32, 32\)"),
        (Plain(labels=[3] * 24), "labels begin with"),
        (Plain(labels=[0, 1]), "2 labels begin"),
        (Plain(labels=[-1] * 24), "the label of item 0 is -1"),
        (Plain(classes=["a", "b"]), "label 5 is none of its 2 classes"),
        (Subset(Plain(), [0, 6, 12]), "are of one identity"),
        (Subset(Plain(), []), "has no items"),
        ([1, 2], "its item 0 is 1"),
    ],
)
def test_what_is_no_such_data_set(tmp_path: Path, items: Any, says: str) -> None:
    with pytest.raises(WhalereidError, match=says) as refused:
        run(items, tmp_path / "run")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_validation_wants_a_catalogue(drawn: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(WhalereidError, match="valid is a Plain; give a Catalogue"):
        run(drawn, tmp_path / "run", Plain())
    with pytest.raises(WhalereidError, match="labels_from is for catalogues"):
        run(Plain(), tmp_path / "run", labels_from="identity")
