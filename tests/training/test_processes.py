"""Two processes that train together on one CPU: a photo that one can't read must not leave the other waiting."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from training.drawing import draw_photos
from whalereid.models import Embedder

SCRIPT = """
import sys
import torch
from training.drawing import make_parts
from whalereid.catalogue import Catalogue
from whalereid.training import FitOptions, Recipe, fit

torch.set_num_threads(1)
photos = Catalogue.read(sys.argv[1])
recipe = Recipe(epochs=2, batch_size=int(sys.argv[3]), transform="plain", shuffle=False, precision="fp32")
valid = Catalogue.read(sys.argv[4]) if len(sys.argv) > 4 else photos
batches = eval(sys.argv[5]) if len(sys.argv) > 5 else None
fit(*make_parts(len(photos.identities)), photos, valid, recipe=recipe, out=sys.argv[2], batches=batches,
    options=FitOptions(on_error="skip", workers=0))
"""


def launch(tmp_path: Path, *options: str | Path) -> tuple[int, str]:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    tests = str(Path(__file__).parents[1])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    environment["PYTHONPATH"] = os.pathsep.join([tests, environment.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(script)]
    process = subprocess.Popen([*command, *map(str, options)], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        said = process.communicate(timeout=400)[1]
    except subprocess.TimeoutExpired:
        process.terminate()  # the launcher stops its two processes; killed, it would leave them waiting
        pytest.fail(f"the two wait for each other: {process.communicate(timeout=60)[1][-2000:]}")
    return process.returncode, said


@pytest.mark.slow
@pytest.mark.parametrize(("n_lost", "said"), [(4, 4), (3, 3)], ids=["no photo left", "one photo left"])
def test_a_batch_that_one_process_cannot_use(tmp_path: Path, n_lost: int, said: int) -> None:
    """In the table's order the second process has the photos 4 to 7 in its first batch."""
    photos = draw_photos(tmp_path / "photos")
    for path in photos.paths[4 : 4 + n_lost]:
        path.write_text("no photo")
    status, told = launch(tmp_path, tmp_path / "photos" / "photos.csv", tmp_path / "run", "4")
    assert status == 0, told
    assert told.count("epoch 2/2: ") == 1
    assert told.count("skipped animal1-") == said  # which the second process alone has met
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert history["train_loss"].notna().all()
    Embedder.load(tmp_path / "run")


@pytest.mark.slow
def test_nothing_left_to_validate_on_ends_both(tmp_path: Path) -> None:
    draw_photos(tmp_path / "photos")
    valid = draw_photos(tmp_path / "valid", n_identities=2)
    for path in valid.filter(encounter=["e0-1", "e1-0"]).paths:
        path.write_text("no photo")
    tables = tmp_path / "photos" / "photos.csv", tmp_path / "run", "4", tmp_path / "valid" / "photos.csv"
    status, told = launch(tmp_path, *tables)
    assert status != 0
    assert "no validation query is left" in told
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("batches", "says"),
    [
        ('"by-identity:per_identity=2"', "epoch 2/2: "),
        (
            "lambda labels, size, seed: [[__import__('os').getpid() % 20, i] for i in range(4)]",
            "each process other batches",
        ),
    ],
)
def test_a_sampler_of_two(tmp_path: Path, batches: str, says: str) -> None:
    draw_photos(tmp_path / "photos")
    table = tmp_path / "photos" / "photos.csv"
    status, told = launch(tmp_path, table, tmp_path / "run", "4", table, batches)
    assert says in told
    assert (status == 0) == ("epoch" in says)
