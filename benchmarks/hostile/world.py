"""A tiny world to try hostile things in: photos, a trained network, embeddings, folds and rankings."""

from __future__ import annotations

import json
from pathlib import Path

SMALL = "--backbone test_resnet --image-size 32 --weights random --batch-size 8 --workers 0 --precision fp32"
TRAIN = f"train --catalogue data/photos.csv {SMALL} --folds folds.csv --fold 0 --seed 3"
EMBED = "embed --catalogue data/photos.csv --model run --workers 0 --precision fp32 --device cpu"
RANK = "rank --embeddings emb.parquet --catalogue data/photos.csv --queries all"
EVALUATE = "evaluate ranking.csv --catalogue data/photos.csv --resamples 20"
ANIMALS, PHOTOS_EACH = 6, 4


def draw(folder: Path) -> None:
    """Draw animals with a pattern each, half of them JPEG, and write their table."""
    import cv2
    import numpy as np

    (folder / "data" / "images").mkdir(parents=True)
    rows = ["image_id,path,identity,viewpoint,encounter,date,note"]
    for animal in range(ANIMALS):
        skin = np.random.default_rng((0, animal)).integers(0, 256, (6, 6, 3)).astype(np.float32)
        for photo in range(PHOTOS_EACH):
            rng = np.random.default_rng((0, animal, photo))
            pixels = cv2.resize(skin, (64, 64), interpolation=cv2.INTER_CUBIC) * rng.uniform(0.7, 1.1)
            pixels = np.clip(pixels + rng.normal(0, 12, pixels.shape), 0, 255).astype(np.uint8)
            name = f"{animal}_{photo}.{'jpg' if photo % 2 else 'png'}"
            cv2.imwrite(str(folder / "data" / "images" / name), pixels)
            day = f"2020-0{1 + animal}-1{photo}"
            side = ("left", "right")[photo % 2]
            rows.append(f"p{animal}{photo},images/{name},whale{animal},{side},e{animal}{photo // 2},{day},seen")
    (folder / "data" / "photos.csv").write_text("\n".join(rows) + "\n")
    (folder / "queries.csv").write_text("image_id\np00\np10\np20\n")
    (folder / "labels.csv").write_text(
        "query_id,database_image_id\n" + "".join(f"p{a}0,p{a}{p}\n" for a in range(ANIMALS) for p in range(1, 4))
    )
    (folder / "notes.txt").write_text("a person's own words\n")
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.txt").write_text("years of work\n")


def build(folder: Path) -> None:
    """Make the world: the photos drawn, all else by the commands and the library."""
    from whalereid.cli.app import run

    draw(folder)
    for line in (
        "split --catalogue data/photos.csv --by identity --folds 2 --out folds.csv",
        f"{TRAIN} --epochs 2 --out run",
        f"{EMBED} --out emb.parquet",
        f"{EMBED} --out embdir",
        f"{RANK} --out ranking.csv",
        f"{RANK} --out ranking.parquet",
    ):
        if run(line.split()) != 0:
            raise SystemExit(f"the world can't be built: {line}")
    _stopped_after_an_epoch(folder)
    from whalereid import Catalogue, Protocol, ScoreCalibration

    ScoreCalibration("logistic").fit([0.1, 0.2, 0.8, 0.9, 0.5, 0.4], [0, 0, 1, 1, 1, 0]).write("calibration.json")
    Protocol.from_catalogue(Catalogue.read("data/photos.csv")).write("protocol")
    config = json.loads((folder / "run" / "config.json").read_text())
    assert config["weights"] != "pretrained"


def _stopped_after_an_epoch(folder: Path) -> None:
    """Leave `half`, a training of 3 epochs that was stopped after the first."""
    from whalereid.cli.app import run
    from whalereid.training.folder import RunFolder

    whole = RunFolder.write_checkpoint

    def write_and_stop(self: RunFolder, state: object) -> None:
        whole(self, state)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    RunFolder.write_checkpoint = write_and_stop  # type: ignore[method-assign,assignment]
    try:
        run(f"{TRAIN} --epochs 3 --out half".split())
    finally:
        RunFolder.write_checkpoint = whole  # type: ignore[method-assign]
    assert (folder / "half" / "checkpoint" / "last.pt").is_file()
