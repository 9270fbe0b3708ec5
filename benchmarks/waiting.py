"""The share of a training's time in which the network waits for photos, by the number of workers.

    python benchmarks/waiting.py CATALOGUE [--photos 640] [--image-size 160] [--backbone tf_efficientnet_lite0]
                                           [--workers 0 2] [--epochs 2]

Trains on some photos of CATALOGUE with the usual recipe, once for each number of workers, and prints what `history.csv`
keeps of each epoch: by the clock, so other work on the machine counts. The networks begin with the same random weights
and must end with the same, whatever the number of workers.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from whalereid.catalogue import Catalogue
from whalereid.heads import ElasticArcFace
from whalereid.models import Embedder
from whalereid.training import FitOptions, Recipe, Run, fit
from whalereid.training.optimizer import default_workers


def trained(photos: Catalogue, options: argparse.Namespace, workers: int, out: Path) -> tuple[Run, str]:
    """A training, and the fingerprint of the network that it made."""
    torch.manual_seed(0)
    net = Embedder(options.backbone, image_size=options.image_size, weights="random")
    head = ElasticArcFace(net.dim, photos.n_identities)
    settings = FitOptions(workers=workers, progress=False)
    return fit(net, head, photos, recipe=Recipe(epochs=options.epochs), out=out, options=settings), net.fingerprint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalogue", type=Path, metavar="CATALOGUE")
    parser.add_argument("--photos", type=int, default=640)
    parser.add_argument("--image-size", type=int, default=160)
    parser.add_argument("--backbone", default="tf_efficientnet_lite0")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, default_workers()])
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    photos = Catalogue.read(options.catalogue)
    photos = photos[photos.known("identity")]
    photos = photos[np.random.default_rng(0).permutation(len(photos))[: options.photos]]

    cores, busy = default_workers(), os.getloadavg()[0]
    print(f"{len(photos)} photos, {options.backbone} at {options.image_size} px; {cores} cores, load {busy:.1f}")
    fingerprints = set()
    with tempfile.TemporaryDirectory() as folder:
        for workers in options.workers:
            run, fingerprint = trained(photos, options, workers, Path(folder) / str(workers))
            fingerprints.add(fingerprint)
            for epoch, seconds, waiting in run.history[["epoch", "seconds", "waiting"]].itertuples(index=False):
                rate = len(photos) / seconds
                said = f"{workers} workers, epoch {epoch:.0f}: {rate:.1f} photos/s, {waiting:.1%} of the time waiting"
                print(said, flush=True)
    if len(fingerprints) > 1:
        sys.exit("the weights depend on the number of workers, which they must not.")


if __name__ == "__main__":
    main()
