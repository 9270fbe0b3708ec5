"""What fine-tuning gains on real photos: each command of docs/nyala.md in turn, and a table at the end.

    python benchmarks/nyala.py ../shared/data/nyala [--match viewpoint --exclude encounter] [--out nyala-runs]

Animals of fold 0 are tested on; no network sees them and no epoch is chosen by them. The peers are the same backbone
before training: with ImageNet weights, and at random. Run on an idle machine for its times.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

BACKBONE = "lite0"


def run(*words: str | Path) -> str:
    """Run a command, shown as it is typed; returns what it printed."""
    command = [str(word) for word in words]
    print("$", " ".join(command), file=sys.stderr, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def untrained(folder: Path, weights: str) -> Path:
    """The backbone as training would begin with it, as a folder that `whalereid embed` takes."""
    import torch

    from whalereid import Embedder

    torch.manual_seed(0)
    Embedder(BACKBONE, weights=weights).save(folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("--out", type=Path, default=Path("nyala-runs"))
    parser.add_argument("--exclude", nargs="*", default=[])
    parser.add_argument("--match", nargs="*", default=[])
    parser.add_argument("--train", nargs=argparse.REMAINDER, default=[], help="further options of whalereid train")
    given = parser.parse_args()
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    rules = [word for name in ("exclude", "match") for value in getattr(given, name) for word in (f"--{name}", value)]

    folds = out / "folds.csv"
    run("whalereid", "split", "--catalogue", given.catalogue, "--by", "identity", "--folds", "5", "--out", folds)

    began = time.monotonic()
    parts = ["--folds", folds, "--fold", "1", "--test-fold", "0"]
    backbone = ["--backbone", BACKBONE]
    run(
        "whalereid",
        "train",
        "--catalogue",
        given.catalogue,
        *parts,
        *backbone,
        *rules,
        "--out",
        out / "trained",
        *given.train,
    )
    minutes = (time.monotonic() - began) / 60

    networks = {
        "random": untrained(out / "random", "random"),
        "ImageNet": untrained(out / "imagenet", "pretrained"),
        "fine-tuned": out / "trained",
    }
    print(f"\ntrained in {minutes:.1f} min\n\n| network | mAP@20 | top-1 | top-5 | queries |\n|---|---|---|---|---|")
    for name, network in networks.items():
        embeddings, ranking = network.with_suffix(".parquet"), network.with_suffix(".csv")
        run("whalereid", "embed", "--catalogue", given.catalogue, "--model", network, "--out", embeddings)
        fold = ["--folds", folds, "--fold", "0", "--database", "fold"]
        run("whalereid", "rank", "--embeddings", embeddings, "--catalogue", given.catalogue, *fold, *rules,
            "--out", ranking)  # fmt: skip
        score = json.loads(run("whalereid", "evaluate", ranking, "--catalogue", given.catalogue, "--json"))
        figures = " | ".join(f"{score[figure]:.3f}" for figure in ("mAP@20", "top-1", "top-5"))
        print(f"| {name} | {figures} | {score['queries']} |", flush=True)


if __name__ == "__main__":
    main()
