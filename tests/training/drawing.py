"""Animals drawn in a moment: a small network learns them in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch

from whalereid.catalogue import Catalogue
from whalereid.heads import ElasticArcFace
from whalereid.models import Embedder
from whalereid.training import FitOptions, Run, fit

SIZE = 32
BACKBONE = "test_resnet"
GREY = (0.5, 0.5, 0.5)  # its mean and std


def draw_photos(folder: Path, n_identities: int = 6, n_photos: int = 4, seed: int = 0) -> Catalogue:
    """Each animal has a pattern of its own under changing light; two photos an encounter, top and left by turns."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for animal in range(n_identities):
        skin = np.random.default_rng((seed, animal)).integers(0, 256, (6, 6, 3)).astype(np.float32)
        for photo in range(n_photos):
            rng = np.random.default_rng((seed, animal, photo, 1))
            pixels = cv2.resize(skin, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) * rng.uniform(0.7, 1.1)
            pixels = np.clip(pixels + rng.normal(0, 12, pixels.shape), 0, 255).astype(np.uint8)
            name = f"animal{animal}-{photo}"
            cv2.imwrite(str(folder / f"{name}.png"), pixels)
            rows.append((name, f"{name}.png", f"animal{animal}", ["top", "left"][photo % 2], f"e{animal}-{photo // 2}"))
    table = pd.DataFrame(rows, columns=["image_id", "path", "identity", "viewpoint", "encounter"])
    table.to_csv(folder / "photos.csv", index=False)
    return Catalogue(table, folder, source="drawn")


def make_parts(n_identities: int = 6, **options: Any) -> tuple[Embedder, ElasticArcFace]:
    """Make a small network and its head, the same each time."""
    torch.manual_seed(7)
    size = {} if "preprocessing" in options else {"image_size": options.pop("size", SIZE)}
    net = Embedder(BACKBONE, weights="random", **size, **options)
    return net, ElasticArcFace(net.dim, n_identities)


def fit_quietly(net: Any, head: Any, train: Any, valid: Any = None, **given: Any) -> Run:
    """`fit` with its options beside its arguments; without workers and words unless they are asked for."""
    own = {name: given.pop(name) for name in ("recipe", "out", "batches") if name in given}
    return fit(net, head, train, valid, **own, options=FitOptions(**{"workers": 0, "progress": False} | given))
