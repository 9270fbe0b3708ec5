"""Rendered photos per second, files and tables included, and how far raw pixels get on them.

    python benchmarks/synthetic.py [--identities 60] [--pixels] [--seed 0]

The first figure is by the clock; the second by the time that the processors spent on this process, which other work on
the machine changes little. With --pixels the default data set is rendered, and photos are ranked by the cosine of their
pixels in several sizes and manners; the best of them is what a network has to beat.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from timing import timed

from whalereid import Catalogue, Embeddings, Ensemble, Member, mean_average_precision, read_photo
from whalereid.images.synthetic import render_dataset
from whalereid.ranking import rank_tasks, tasks_from

SIZES = ((16, 6), (32, 12), (64, 24), (128, 48), (16, 16), (32, 32), (64, 64))


def speed(identities: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        render_dataset(Path(folder) / "warm-up", n_identities=2, n_unseen=2, progress=False)
        belugas = Path(folder) / "belugas"
        clock, processor, photos = timed(
            lambda: render_dataset(belugas, n_identities=identities, n_unseen=10, progress=False)
        )
    n, cores = len(photos), os.cpu_count() or 1
    print(f"{n} photos: {n / clock:.0f} photos/s by the clock on {cores} cores, {n / processor:.0f} photos/s and core")


def manners(photos: np.ndarray) -> dict[str, np.ndarray]:
    """(N, h, w, c) pixels, prepared in each of the ways someone might try first."""
    blurred = [cv2.GaussianBlur(photo, (0, 0), max(photo.shape[0] / 12, 1)).reshape(photo.shape) for photo in photos]
    return {
        "as they are": photos,
        "less the mean photo": photos - photos.mean(axis=0),
        "less each photo's mean": photos - photos.mean(axis=(1, 2), keepdims=True),
        "less the photo blurred": photos - np.stack(blurred),
    }


def pixels(seed: int) -> None:
    """Rank the default set's scenarios by pixels alone; print each manner that beats those before it."""
    with tempfile.TemporaryDirectory() as folder:
        photos = render_dataset(Path(folder) / "belugas", seed=seed)
        labels = pd.read_csv(Path(folder) / "belugas" / "labels.csv")
        test = photos.filter(split="test")
        full = [
            cv2.resize(read_photo(path, portrait=True), (48, 128), interpolation=cv2.INTER_AREA) for path in test.paths
        ]
    best = 0.0
    for (height, width), grey in itertools.product(SIZES, (False, True)):
        small = np.stack([cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA) for photo in full])
        small = small.astype(np.float32)
        for name, prepared in manners(small.mean(axis=3, keepdims=True) if grey else small).items():
            for mirrored in (False, True):
                vectors = prepared + prepared[:, :, ::-1] if mirrored else prepared
                score = pooled(photos, test, vectors.reshape(len(test), -1), labels)
                if score > best:
                    best = score
                    look = f"{height}x{width} {'grey' if grey else 'colour'}, {name}{', mirrored too' * mirrored}"
                    print(f"raw pixels, {look}: pooled mAP@20 {score:.3f}", flush=True)


def pooled(photos: Catalogue, test: Catalogue, vectors: np.ndarray, labels: pd.DataFrame) -> float:
    ensemble = Ensemble([Member("pixels", Embeddings.from_numpy(test.image_ids, vectors))])
    return mean_average_precision(rank_tasks(ensemble, photos, tasks_from(photos), k=20), labels, k=20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, default=60)
    parser.add_argument("--pixels", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    speed(options.identities)
    if options.pixels:
        pixels(options.seed)


if __name__ == "__main__":
    main()
