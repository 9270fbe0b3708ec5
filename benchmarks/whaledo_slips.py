"""What each of the first place's slips changes, on rendered belugas.

    python benchmarks/whaledo_slips.py [--out FOLDER]

Takes the demo's data and networks (made first if FOLDER, by default demo/, lacks them), repeats ranking, embedding and
training with one slip at a time, and prints mAP@20 of every scenario beside the demo's. Ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))

import whaledo_first_place as example

import whalereid as wr


def tables(folder: Path) -> dict[str, wr.Embeddings]:
    return {k.table: wr.Embeddings.read(folder / f"{k.table}.parquet") for k in example.KINDS.values()}


def trained(photos: wr.Catalogue, out: Path, runs: Path, *, as_submitted: bool = False, **changes: Any) -> Path:
    """Train the networks that a slip changes, and link to the demo's others; returns the folder of all three."""
    for kind, (backbone, epochs, neck) in example.DEMO.items():
        name = f"{kind}-fold0"
        untouched = as_submitted and not example.KINDS[kind].paired
        if untouched or ("select_by" in changes and same_epoch(runs / name)):
            out.mkdir(parents=True, exist_ok=True)
            if not (out / name).exists():
                (out / name).symlink_to((runs / name).resolve())
            continue
        torch.manual_seed(0)
        net = example.network(kind, backbone, weights="random", image_size=example.DEMO_SIZE, **neck)
        how = example.recipe(kind, epochs=epochs, **example.DEMO_RECIPE).but(**changes)
        example.train_network(photos, kind, 0, out, net, how, as_submitted=as_submitted, **example.DEMO_HEAD)
    return out


def same_epoch(run: Path) -> bool:
    """Whether the run's epoch of lowest validation loss is the one of highest mAP: either choice is then the same."""
    history = pd.read_csv(run / "history.csv")
    return bool(history["valid_loss"].idxmin() == history["valid_mAP@20"].idxmax())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    demo = parser.parse_args().out
    torch.set_num_threads(1)
    if not (demo / "submission.csv").exists():
        example.run(["--out", str(demo)], commands=example.app, name="whaledo_first_place")
    photos = wr.Catalogue.read(demo / "belugas")
    known, unseen = photos.filter(split="train"), photos.filter(split="test")
    slips = demo / "slips"
    rankings = {
        "demo": wr.Ranking.read(demo / "submission.csv"),
        "L for T after others": example.rank_scenarios(photos, tables(demo / "embeddings"), as_submitted=True),
    }
    example.embed_photos(unseen, demo / "runs", slips / "no-hardtanh", as_submitted=True)
    rankings["without Hardtanh"] = example.rank_scenarios(photos, tables(slips / "no-hardtanh"))
    trainings: dict[str, dict[str, Any]] = {
        "no shuffling": {"shuffle": False},
        "epoch of lowest loss": {"select_by": "loss"},
        "pairs as submitted": {"as_submitted": True},
    }
    for name, changes in trainings.items():
        folder = slips / name.replace(" ", "-")
        example.embed_photos(unseen, trained(known, folder / "runs", demo / "runs", **changes), folder / "embeddings")
        rankings[name] = example.rank_scenarios(photos, tables(folder / "embeddings"))
    labels = demo / "belugas" / "labels.csv"
    print()
    example.show_scores(rankings, labels, photos)
    rows = {}
    protocol = wr.Protocol.from_catalogue(photos)
    first = wr.evaluate(protocol, rankings["demo"])
    for name, ranking in list(rankings.items())[1:]:
        row = wr.evaluate(protocol, ranking).compare(first).loc["mAP@20"]
        rows[name] = {"change of mAP@20": row["difference"], "low": row["low"], "high": row["high"]}
    print("\nPaired differences to the demo, 95% intervals over whales:")
    print(pd.DataFrame(rows).T.to_string(float_format="{:+.4f}".format))


if __name__ == "__main__":
    main()
