"""Photos a second of a training step on one core, in float32, in plain bfloat16, and as `fit` does it.

    python benchmarks/training_step.py [backbone ...]

Rests on it: that `fit` computes strided and large depthwise convolutions in float32 under bfloat16 autocast. Their
backward pass in bfloat16 takes a slow path on the CPU. Every step is forward, backward and AdamW on 32 photos of
224 × 224, channels last, on one thread, in time that the processor spent on this process; the best of three.
"""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from whalereid.heads import ElasticArcFace
from whalereid.models import Embedder
from whalereid.training.arithmetic import depthwise_in_float32

BATCH, SIZE, TIMES = 32, 224, 3
WAYS = ("float32", "bfloat16", "bfloat16, as fit")


def rate(backbone: str, way: str) -> float:
    """Photos a second."""
    torch.manual_seed(0)
    net = Embedder(backbone, image_size=SIZE, weights="random").to(memory_format=torch.channels_last)
    head = ElasticArcFace(net.dim, 100)
    optimizer = torch.optim.AdamW([*net.parameters(), *head.parameters()])
    images = torch.randn(BATCH, 3, SIZE, SIZE).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 100, (BATCH,))
    around: AbstractContextManager[Any] = depthwise_in_float32(net) if way == WAYS[2] else nullcontext()
    seconds = []
    with around:
        for _ in range(1 + TIMES):
            began = time.process_time()
            with torch.autocast("cpu", torch.bfloat16, enabled=way != WAYS[0]):
                embeddings = net(images)
            loss = head(embeddings.float(), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seconds.append(time.process_time() - began)
    return BATCH / min(seconds[1:])


def main() -> None:
    backbones = sys.argv[1:] or ["tf_efficientnet_lite0", "efficientnetv2_rw_t", "mobilenetv3_large_100", "resnet18"]
    torch.set_num_threads(1)
    print(f"one thread, torch {torch.__version__}")
    for backbone in backbones:
        rates = [rate(backbone, way) for way in WAYS]
        figures = ", ".join(f"{way} {value:.1f}" for way, value in zip(WAYS, rates, strict=True))
        print(f"{backbone}: {figures} photos/s ({rates[2] / rates[1]:.1f} times plain bfloat16)", flush=True)


if __name__ == "__main__":
    main()
