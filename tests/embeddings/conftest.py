"""Twelve small photos of many shapes, and a network that embeds them in no time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from tests.models.reference import draw_and_settle

import whalereid.embeddings as room
from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings, Extraction
from whalereid.models import Embedder


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Networks this small only wait for each other's threads, most of all where the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def photos(tmp_path: Path) -> Catalogue:
    """p00 ... p11, every other one wider than high."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(12):
        coarse = random.integers(0, 255, (6, 5, 3) if number % 2 else (5, 6, 3), dtype=np.uint8)
        size = (50 + number, 60 + number) if number % 2 else (70 + number, 40 + number)
        name = f"p{number:02d}"
        cv2.imwrite(str(tmp_path / f"{name}.png"), cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC))
        rows.append({"image_id": name, "path": f"{name}.png"})
    return Catalogue(pd.DataFrame(rows), tmp_path)


class Counting(Embedder):
    """Knows how many images went through it."""

    images = 0
    stop_at = -1

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if 0 <= self.stop_at <= self.images:
            raise KeyboardInterrupt
        self.images += len(images)
        return super().forward(images)


def network(seed: int = 0, **options: object) -> Counting:
    torch.manual_seed(seed)
    net = Counting("lcnet_050", **({"image_size": 32, "neck": "none", "weights": "random"} | options))
    draw_and_settle(net, (32, 32), seed)
    net.mark_trained()  # so that nothing warns of random weights
    net.images = 0
    return net


@pytest.fixture
def net() -> Counting:
    return network()


def embed(network: Any, photos: Any, **options: Any) -> Embeddings:
    """`whalereid.embed`, the fields of its `Extraction` given by name."""
    return room.embed(network, photos, **gathered(options))


def embed_many(networks: Any, photos: Any, **options: Any) -> dict[str, Embeddings]:
    """`whalereid.embed_many`, likewise."""
    return room.embed_many(networks, photos, **gathered(options))


def gathered(options: dict[str, Any]) -> dict[str, Any]:
    own = ("out", "force", "progress")
    how = Extraction(**{name: value for name, value in options.items() if name not in own})
    return {"extraction": how} | {name: value for name, value in options.items() if name in own}
