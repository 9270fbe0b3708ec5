"""Photos per second on one core, from file to tensor: ours, and the same done with Pillow and torchvision.

    python benchmarks/photos.py PHOTOS [--photos 400] [--rounds 3]

PHOTOS is a folder of photos. Both read the files from memory's cache, decode, resize with antialiasing and normalise;
each figure is the best of the rounds, the two taking turns, in time that the processor spent on this process: other
work on the machine counts little. Training transforms, photos cut to a box with their background kept, blurred or grey
beside the same photos read whole, and the cost of drawing anew for every item follow.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from PIL import Image
from timing import quickest, timed
from torchvision.transforms import v2

from whalereid.catalogue import Catalogue
from whalereid.decoding import PHOTO_SUFFIXES
from whalereid.images import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    TRAINING_TRANSFORMS,
    Crop,
    PhotoDataset,
    evaluation_transform,
    read_photo,
)
from whalereid.images.cropping import BACKGROUNDS


def pillow(path: Path, transform: v2.Compose) -> torch.Tensor:
    with Image.open(path) as photo:
        return transform(photo.convert("RGB"))


def place(height: int, width: int) -> tuple[tuple[float, float, float, float], str]:
    """A box of four fifths of a photo, and an outline of 200 corners in it, as the table has one."""
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    corners = np.stack([width * (0.5 + 0.4 * np.cos(angle)), height * (0.5 + 0.4 * np.sin(angle))], axis=1)
    return (0.1 * width, 0.1 * height, 0.8 * width, 0.8 * height), json.dumps([corners.round(1).ravel().tolist()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="PHOTOS")
    parser.add_argument("--photos", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    paths = sorted(p for p in options.folder.rglob("*") if p.suffix.lower() in PHOTO_SUFFIXES)[: options.photos]
    if not paths:
        sys.exit(f"{options.folder}: no photos there.")
    names = [path.relative_to(options.folder).as_posix() for path in paths]
    catalogue = Catalogue(pd.DataFrame({"image_id": names, "path": names}), options.folder)
    torch.set_num_threads(1)
    cv2.setNumThreads(0)

    sizes = pd.DataFrame([read_photo(path).shape[:2] for path in paths], columns=["height", "width"])
    print(f"{len(paths)} photos, median {sizes['width'].median():.0f}×{sizes['height'].median():.0f} px; one core")
    print(f"{'':24}{'whalereid':>12}{'Pillow + torchvision':>24}{'ratio':>8}")

    def line(what: str, works: Sequence[Callable[[], object]]) -> None:
        ours, *theirs = [len(paths) / taken.processor for taken in quickest(works, options.rounds)]
        digits = 0 if ours >= 10 else 2
        compared = f"{theirs[0]:>20.{digits}f} /s {ours / theirs[0]:>7.2f}" if theirs else ""
        print(f"{what:24}{ours:>8.{digits}f} /s {compared}", flush=True)

    line(
        "decode",
        [lambda: [read_photo(p) for p in paths], lambda: [pillow(p, v2.Compose([v2.ToImage()])) for p in paths]],
    )
    for size in (224, 512):
        steps = [v2.Resize((size, size), antialias=True), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
        theirs = v2.Compose([*steps, v2.Normalize(IMAGENET_MEAN, IMAGENET_STD)])
        items = PhotoDataset(catalogue, evaluation_transform(size))
        line(
            f"evaluation, {size} px",
            [lambda items=items: [items[i] for i in range(len(items))], lambda t=theirs: [pillow(p, t) for p in paths]],
        )
        for name, make in TRAINING_TRANSFORMS.items():
            drawn = PhotoDataset(catalogue, make(size))
            line(f"{name}, {size} px", [lambda drawn=drawn: [drawn[i] for i in range(len(drawn))]])

    print(f"{'':24}{'cut':>12}{'read whole':>24}{'ratio':>8}")
    places = [place(*size) for size in sizes.itertuples(index=False)]

    def cut(crop: Crop) -> None:
        for path, (box, mask) in zip(paths, places, strict=True):
            read_photo(path, box, mask=mask, crop=crop)

    for background in BACKGROUNDS:
        crop = Crop(0.1, background)
        line(f"--background {background}", [lambda crop=crop: cut(crop), lambda: [read_photo(path) for path in paths]])
    drawn = PhotoDataset(catalogue, TRAINING_TRANSFORMS["strong"](224))
    taken = timed(lambda: [drawn.seed_transform(i) for i in range(len(drawn))], options.rounds).processor
    print(f"drawing anew, 'strong': {1e3 * taken / len(paths):.3f} ms an item")


if __name__ == "__main__":
    main()
