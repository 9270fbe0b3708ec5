"""Heads of pytorch-metric-learning, with weights and without: train, keep, resume, validate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_metric_learning import losses
from torch import Tensor, nn

from training.drawing import fit_quietly, make_parts
from whalereid.catalogue import Catalogue
from whalereid.models import Embedder
from whalereid.training import Recipe

QUICK = Recipe(epochs=2, batch_size=8, transform="plain")


class CentresOfBatches(nn.Module):
    """A head of buffers alone: pulls photos to the running mean of their animal."""

    def __init__(self, dim: int, n: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(n, dim))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        if self.training:
            self.centres[labels] = 0.9 * self.centres[labels] + 0.1 * embeddings.detach()
        return (embeddings - self.centres[labels]).pow(2).mean()


class Tied(nn.Module):
    """A head whose two names are one tensor."""

    def __init__(self, dim: int, n: int) -> None:
        super().__init__()
        self.first = nn.Linear(dim, n, bias=False)
        self.second = self.first

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.cross_entropy(self.first(embeddings) + self.second(embeddings), labels)


HEADS: dict[str, Any] = {
    "SupConLoss": lambda dim, n: losses.SupConLoss(),
    "TripletMarginLoss": lambda dim, n: losses.TripletMarginLoss(),
    "buffers alone": CentresOfBatches,
    "tied weights": Tied,
    "SubCenterArcFaceLoss": lambda dim, n: losses.SubCenterArcFaceLoss(num_classes=n, embedding_size=dim),
    "ProxyAnchorLoss": lambda dim, n: losses.ProxyAnchorLoss(n, dim),
}


@pytest.mark.parametrize("name", list(HEADS))
def test_it_trains_validates_and_resumes(drawn: Catalogue, tmp_path: Path, name: str) -> None:
    def run(out: Path, recipe: Recipe = QUICK, **options: Any) -> Any:
        net, _ = make_parts()
        torch.manual_seed(3)
        head = HEADS[name](net.dim, 6)
        return fit_quietly(net, head, drawn, drawn, recipe=recipe, out=out, **options)

    whole = run(tmp_path / "whole")
    assert whole.history.drop(columns="epoch").notna().all(axis=None)
    assert whole.history["valid_loss"].iloc[-1] > 0
    Embedder.load(tmp_path / "whole")

    again = run(tmp_path / "whole", resume=True)  # what is finished comes back
    assert again.best_epoch == whole.best_epoch
    (tmp_path / "whole").rename(tmp_path / "first")

    stops = iter([None, RuntimeError("stop")])  # after the first epoch
    from whalereid.training.loop import TrainingLoop

    original = TrainingLoop._epoch

    def interrupted(self: Any, *given: Any) -> None:
        if (error := next(stops)) is not None:
            raise error
        original(self, *given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TrainingLoop, "_epoch", interrupted)
        with pytest.raises(RuntimeError, match="stop"):
            run(tmp_path / "whole")
    run(tmp_path / "whole", resume=True)
    ours, theirs = (tmp_path / part / "model.safetensors" for part in ("whole", "first"))
    assert ours.read_bytes() == theirs.read_bytes()
