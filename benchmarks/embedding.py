"""Photos a second that `embed` turns into vectors, and the same network in a plain PyTorch loop, in one run.

    python benchmarks/embedding.py [--photos 128] [--rounds 3] [--flip] [--b5] [--pretrained]

The plain loop is what one would write: float32, the default memory layout, the same DataLoader. `embed` chooses its
precision and layout by the hardware. The two take turns, and each figure is the best of the rounds. --b5 adds
EfficientNet-B5 at 512 pixels on a few photos.

The networks have random weights, settled so that no layer fades: time doesn't depend on them. What half precision does
to the vectors does: with --pretrained (pip install 'whalereid[lite]') the last column is the least cosine between
a photo's two vectors.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader

from whalereid.catalogue import Catalogue
from whalereid.embeddings import Extraction, embed, native_precision
from whalereid.images import PhotoDataset, collate
from whalereid.models import Embedder


def made_up_photos(folder: Path, n: int) -> Catalogue:
    """`n` JPEGs of 1024×768 with something in them."""
    random = np.random.default_rng(0)
    for number in range(n):
        coarse = random.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number}.jpg"), cv2.resize(coarse, (1024, 768), interpolation=cv2.INTER_CUBIC))
    ids = [str(number) for number in range(n)]
    return Catalogue(pd.DataFrame({"image_id": ids, "path": [f"{i}.jpg" for i in ids]}), folder)


def settle(net: Embedder, photos: Catalogue) -> None:
    """Give BatchNorm the statistics of a few photos."""
    dataset = PhotoDataset(photos, net.preprocessing.transform())
    images = torch.stack([item[0] for row in range(4) if (item := dataset[row])])
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None
            module.reset_running_stats()
    with torch.no_grad():
        net.train()(images)
    net.eval()


def plain_loop(net: Embedder, photos: Catalogue, batch_size: int, workers: int, *, flip: bool) -> np.ndarray:
    dataset = PhotoDataset(photos, net.preprocessing.transform())
    vectors = []
    with torch.no_grad():
        for images, _, _ in DataLoader(dataset, batch_size=batch_size, num_workers=workers, collate_fn=collate):
            made = net(images)
            if flip:
                made = (made + net(images.flip(3))) / 2
            vectors.append(made.numpy())
    return np.concatenate(vectors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flip", action="store_true", help="mirror images too")
    parser.add_argument("--b5", action="store_true", help="EfficientNet-B5 at 512 pixels as well, on 8 photos")
    parser.add_argument("--pretrained", action="store_true", help="lite0 with its ImageNet weights")
    options = parser.parse_args()
    cases = [("resnet18", 128, 16, options.photos), ("lite0", 224, 16, options.photos)]
    if options.b5:
        cases.append(("tf_efficientnet_b5", 512, 4, 8))

    print(f"{torch.get_num_threads()} threads, auto is {native_precision('cpu')}, mirror images: {options.flip}")
    print(f"{'network':<24}{'pixels':>8}{'plain':>12}{'embed':>12}{'ratio':>8}{'cosine':>10}")
    with tempfile.TemporaryDirectory() as folder:
        photos = made_up_photos(Path(folder), max(case[3] for case in cases))
        for backbone, size, batch_size, n in cases:
            torch.manual_seed(0)
            pretrained = options.pretrained and backbone == "lite0"
            weights = "pretrained" if pretrained else "random"
            net = Embedder(backbone, neck="none", image_size=size, weights=weights).eval()
            if not pretrained:
                settle(net, photos)
            some, plain, ours = photos[:n], [], []
            for _ in range(options.rounds):
                begin = time.perf_counter()
                expected = plain_loop(net, some, batch_size, 2, flip=options.flip)
                plain.append(time.perf_counter() - begin)
                begin = time.perf_counter()
                how = Extraction(device="cpu", batch_size=batch_size, workers=2, flip=options.flip)
                made = embed(net, some, extraction=how, progress=False).vectors
                ours.append(time.perf_counter() - begin)
            lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(made, axis=1)
            cosine = f"{((expected * made).sum(1) / lengths).min():10.5f}" if pretrained else ""
            print(
                f"{backbone:<24}{size:>8}{n / min(plain):>10.1f}/s{n / min(ours):>10.1f}/s"
                f"{min(plain) / min(ours):>8.2f}{cosine}",
                flush=True,
            )


if __name__ == "__main__":
    main()
