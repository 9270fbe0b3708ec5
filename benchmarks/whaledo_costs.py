"""What the first place's commands cost on a CPU: seconds a photo at 512 × 512, and the hours they come to.

    python benchmarks/whaledo_costs.py [--photos 2]

One thread, in time that the processor spent on this process, so that other work on the machine counts little; the hours
are extrapolated to as many cores as are named, as if they shared the work evenly.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
from timing import timed

from whalereid import ElasticArcFace, Embedder

NETWORKS = {  # backbone, options, how many are embedded with, (training photos an epoch, networks) that train
    "b5-top": ("tf_efficientnet_b5.ns_jft_in1k", {"neck": "bn-linear:copies=3"}, 5, (4347, 5)),
    "v2m-top": ("efficientnetv2_rw_m", {"neck": "bn"}, 3, (4347, 3)),
    "b5-lateral": ("tf_efficientnet_b5.ns_jft_in1k", {"neck": "bn-linear:copies=3"}, 4, (2 * 1991, 4)),
}
EPOCHS, CORES, TEST_PHOTOS = 20, 2, 2000


def seconds(work: Callable[[], object], photos: int) -> float:
    """Processor seconds a photo, after one go to warm up."""
    work()
    return timed(work).processor / photos


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=int, default=2)
    n = parser.parse_args().photos
    torch.set_num_threads(1)
    images = torch.randn(n, 3, 512, 512).to(memory_format=torch.channels_last)
    measured: dict[str, tuple[float, float, float]] = {}
    for backbone, options, *_ in NETWORKS.values():
        if backbone in measured:
            continue
        net = Embedder(backbone, image_size=512, weights="random", **options).to(memory_format=torch.channels_last)  # type: ignore[arg-type,call-overload]
        head = ElasticArcFace(net.dim, 788)

        def forward(half: bool, net: Embedder = net) -> None:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
                net(images)

        def step(net: Embedder = net, head: ElasticArcFace = head) -> None:
            head(net(images), torch.zeros(n, dtype=torch.int64)).backward()

        net.eval()
        plain, half = seconds(lambda: forward(False), n), seconds(lambda: forward(True), n)
        net.train()
        measured[backbone] = plain, half, seconds(step, n)
        print(f"{backbone}: forward {plain:.2f} s fp32, {half:.2f} s bf16; training step {measured[backbone][2]:.2f} s")
    embed = {name: sum(2 * measured[b][column] * k for b, _, k, _ in NETWORKS.values())
             for column, name in enumerate(("fp32", "bf16"))}  # fmt: skip
    for name, each in embed.items():
        hours = each * TEST_PHOTOS / 3600 / CORES
        print(f"embed, all twelve networks, {name}: {each:.1f} s a photo and mirror image; "
              f"{hours:.1f} h for {TEST_PHOTOS:,} photos on {CORES} cores, extrapolated")  # fmt: skip
    for kind, (backbone, _, _, (photos, runs)) in NETWORKS.items():
        hours = measured[backbone][2] * photos * EPOCHS / 3600 / CORES
        print(f"train {kind}: {hours:.0f} h a network on {CORES} cores, {runs} networks; extrapolated")


if __name__ == "__main__":
    main()
