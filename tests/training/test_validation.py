"""Validation: what it makes of a network that tells no photos apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from whalereid import Catalogue, Embeddings
from whalereid.images import PhotoDataset, evaluation_transform
from whalereid.training.validation import Validation


def test_a_network_that_tells_no_photos_apart_scores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """All ties: in database order, animals that lie side by side in the table would be found."""
    ids = list("abcdef")
    photos = Catalogue(pd.DataFrame({"image_id": ids, "path": ids, "identity": ["nanuq"] * 3 + ["siku"] * 3}))
    validation = Validation(photos, PhotoDataset(photos, evaluation_transform(32)))
    alike = Embeddings.from_numpy(ids, np.ones((6, 4)))
    monkeypatch.setattr("whalereid.training.validation.embed_as_is", lambda *_, **__: alike)

    class Head(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            return embeddings.sum() * 0

    figures = validation.measure(torch.nn.Identity(), Head())
    assert (figures.mean_average_precision, figures.top_1) == (0.0, 0.0)
