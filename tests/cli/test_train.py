from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from training.drawing import BACKBONE, SIZE, draw_photos
from whalereid.catalogue import Catalogue
from whalereid.cli.app import run
from whalereid.cli.folds import training_parts
from whalereid.models import Embedder

SMALL = [
    "--backbone",
    BACKBONE,
    "--image-size",
    str(SIZE),
    "--weights",
    "random",
    "--batch-size",
    "8",
    "--workers",
    "0",
]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 photos of 6 animals, with a column of folds; read only."""
    folder = tmp_path_factory.mktemp("photos")
    catalogue = draw_photos(folder)
    table = catalogue.assign(fold=[int(name[-1]) % 2 for name in catalogue.column("identity")])
    table.write(folder / "folded.csv")
    table.frame[["image_id", "fold"]].to_csv(folder / "folds.csv", index=False)
    return folder


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def train(photos: Path, out: Path, *options: str, table: str = "photos.csv") -> int:
    return run(["train", "--catalogue", str(photos / table), "--out", str(out), *SMALL, *options])


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a refusal is."""
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith("whalereid: ")
    assert not any("Traceback" in line for line in lines)
    return lines[-1]


@pytest.mark.parametrize(
    ("table", "options"), [("folded.csv", ["--fold", "1"]), ("photos.csv", ["--fold", "1", "--folds", "folds.csv"])]
)
def test_folds_from_a_column_or_a_file(
    photos: Path, tmp_path: Path, table: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    options = [str(photos / name) if name == "folds.csv" else name for name in options]
    assert train(photos, tmp_path / "run", "--epochs", "1", *options, table=table) == 0
    said = capsys.readouterr().err
    assert "12 validation queries" in said
    assert "Leakage" not in said  # the animals are apart
    assert "next: whalereid embed" in said
    head = load_file(tmp_path / "run" / "head.safetensors")
    assert head["W"].shape[1] == 3
    Embedder.load(tmp_path / "run")


@pytest.mark.parametrize("folds", ["absent.csv", "x" * 5000])
def test_folds_that_are_not_there(folds: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(photos, tmp_path / "run", "--fold", "1", "--folds", folds) == 2
    assert refused(capsys) == f"whalereid: {folds}: no such file."


def test_folds_made_on_the_way(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(photos, tmp_path / "run", "--epochs", "1", "--fold", "0", "--exclude", "none") == 0
    said = capsys.readouterr().err
    assert "EncounterFolds(n_splits=5" in said
    assert "excluding" not in said


def test_a_fold_to_test_on_is_left_out(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(photos, tmp_path / "run", "--epochs", "1", "--test-fold", "1", table="folded.csv") == 0
    assert load_file(tmp_path / "run" / "head.safetensors")["W"].shape[1] == 3
    assert "the last epoch will be kept" in capsys.readouterr().err
    assert train(photos, tmp_path / "x", "--fold", "1", "--test-fold", "1", table="folded.csv") == 2
    assert "--test-fold 1 is --fold 1" in refused(capsys)


def test_a_network_of_other_parts_and_sides(photos: Path, tmp_path: Path) -> None:
    parts = ["--pooling", "multi-gem:p=4", "--neck", "bn-linear:dim=16", "--image-size", "32x64"]
    head = ["--head", "sub-center-arcface:margin=0.5+0.125+0.05,sub_centers=3"]
    assert train(photos, tmp_path / "run", "--epochs", "1", *parts, *head) == 0
    net = Embedder.load(tmp_path / "run")
    assert net.preprocessing.image_size == (32, 64)
    assert (net.config["pooling"], net.config["neck"]) == ("multi-gem:p=4.0", "bn-linear:dim=16")
    assert load_file(tmp_path / "run" / "head.safetensors")["W"].shape == (16, 6 * 3)


def test_each_flank_is_a_class_of_its_own(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_csv(photos / "folded.csv").assign(viewpoint=["left", "right"] * 12)
    table.loc[0, "viewpoint"] = None  # of no class, so left out
    table.to_csv(photos / "flanks.csv", index=False)
    sides = ["--classes", "identity", "--classes", "viewpoint"]
    assert train(photos, tmp_path / "run", "--epochs", "1", "--fold", "1", *sides, table="flanks.csv") == 0
    trained = table[(table["fold"] != 1) & table["viewpoint"].notna()]
    pairs = len(trained[["identity", "viewpoint"]].drop_duplicates())
    assert load_file(tmp_path / "run" / "head.safetensors")["W"].shape[1] == pairs > 3
    assert "1 photos of unknown identity and viewpoint are left out" in capsys.readouterr().err
    assert train(photos, tmp_path / "x", "--epochs", "1", "--classes", "flank", table="flanks.csv") == 2
    assert "no column 'flank'" in refused(capsys)


def test_with_classes_of_its_own_leakage_is_still_found(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The animals and encounters of both parts are the same, whatever is told apart in training."""
    table = pd.read_csv(photos / "photos.csv").assign(
        fold=[0, 1] * 12, viewpoint=["left", "left", "right", "right"] * 6
    )
    table.to_csv(photos / "leaky.csv", index=False)
    sides = ["--classes", "identity", "--classes", "viewpoint", "--exclude", "none"]
    assert train(photos, tmp_path / "run", "--epochs", "1", "--fold", "1", *sides, table="leaky.csv") == 0
    said = capsys.readouterr().err
    assert "Warning: Leakage: " in said
    assert "12 of the 12 encounters with several photos straddle" in said
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert history["valid_loss"].notna().all()  # every flank of the validation photos was trained on
    assert json.loads((tmp_path / "run" / "run.json").read_text())["train"]["labels_from"] == ["identity", "viewpoint"]


@pytest.mark.parametrize(
    ("options", "said", "flip"),
    [
        ([], "Photos are not mirrored in training: left and right are told apart", False),
        (["--flip"], "Half of the photos are mirrored in training, as asked", True),
        (["--no-flip"], "No photos are mirrored in training, as asked", False),
    ],
)
def test_mirroring(
    photos: Path, tmp_path: Path, options: list[str], said: str, flip: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(photos, tmp_path / "run", "--epochs", "1", *options) == 0
    assert said in capsys.readouterr().err
    assert json.loads((tmp_path / "run" / "run.json").read_text())["train"]["flip"] is flip


def test_other_photos_to_validate_on(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = draw_photos(tmp_path / "other", n_identities=3, seed=5)
    options = [
        "--valid",
        str(tmp_path / "other" / "photos.csv"),
        "--match",
        "viewpoint",
        "--epochs",
        "2",
        "--lr",
        "1e-3",
    ]
    assert train(photos, tmp_path / "run", *options) == 0
    said = capsys.readouterr().err
    assert f"{len(other)} validation queries, always of the same viewpoint, never of the same encounter" in said
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert history["lr"].max() <= 1e-3


def test_a_head_and_rules_by_name(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_csv(photos / "folded.csv").assign(date=[f"2020-01-{row + 1:02d}" for row in range(24)])
    table.to_csv(photos / "dated.csv", index=False)
    options = ["--epochs", "1", "--fold", "1", "--exclude", "none", "--head", "elastic-arcface:margin=0.25,scale=16"]
    rules = ["--rule", "within-days:days=5", "--rule", "beyond-days:days=1"]
    assert train(photos, tmp_path / "run", *options, *rules, table="dated.csv") == 0
    assert "at most 5 days apart" in capsys.readouterr().err
    noted = json.loads((tmp_path / "run" / "run.json").read_text())
    assert {0.25, 16.0} <= {value for value in noted["head"].values() if isinstance(value, float)}
    assert noted["valid"]["rules"] == [
        {"name": "within-days", "options": {"days": 5.0}},
        {"name": "beyond-days", "options": {"days": 1.0}},
    ]
    assert train(photos, tmp_path / "run", *options, "--resume", table="dated.csv") == 2
    assert "valid rules" in refused(capsys)
    assert train(photos, tmp_path / "x", *options, *rules, table="folded.csv") == 2
    assert "no column 'date'" in refused(capsys)


def test_a_stopped_training_goes_on(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(photos, tmp_path / "run", "--epochs", "1") == 0
    assert train(photos, tmp_path / "run", "--epochs", "1") == 2
    assert "go on with --resume" in refused(capsys)
    assert train(photos, tmp_path / "run", "--epochs", "2", "--resume") == 2
    assert "recipe epochs was 1, is now 2" in refused(capsys)
    assert train(photos, tmp_path / "run", "--epochs", "1", "--resume") == 0


def test_weights_are_never_random_without_a_word(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    options = [
        "train",
        "--catalogue",
        str(photos / "photos.csv"),
        "--out",
        str(tmp_path / "run"),
        "--backbone",
        "resnet10t.c3_in1k",
    ]
    assert run(options) == 2
    assert "--weights" in refused(capsys)
    assert not (tmp_path / "run").exists()


class Loud:
    """What a pickle of the internet might hold."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ran",)


def bad_weights(kind: str, folder: Path) -> str:
    path = folder / f"{kind}.pth"
    if kind == "another":
        path = path.with_suffix(".safetensors")
        save_file({"fc.weight": torch.zeros(3, 3)}, path)
    elif kind == "pickle":
        path.write_bytes(pickle.dumps({"conv1.weight": Loud()}))
    return str(path)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("another", r"another\.safetensors.*another network"),
        ("pickle", r"pickle\.pth.*refused"),
        ("absent", "no such file"),
    ],
)
def test_bad_weights(
    photos: Path,
    tmp_path: Path,
    kind: str,
    names: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert train(photos, tmp_path / "run", "--weights", bad_weights(kind, tmp_path)) == 2
    assert re.search(names, refused(capsys))
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--backbone", "resnett18"], "Unknown backbone 'resnett18'"),
        (["--recipe", "defualt"], "Unknown recipe 'defualt'"),
        (["--epochs", "0"], "'--epochs': 0; give a whole number from 1"),
        (["--lr", "-1"], "lr"),
        (["--folds", "folds.csv"], "needs --fold K or --test-fold K"),
        (["--fold", "0", "--valid", "photos.csv"], "give one of them"),
        (["--fold", "7", "--folds", "folds.csv"], "no fold 7"),
        (["--match", "season", "--fold", "0"], "no column 'season'"),
    ],
)
def test_options_that_cannot_be(
    photos: Path,
    tmp_path: Path,
    options: list[str],
    names: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(photos)
    assert train(photos, tmp_path / "run", *options) == 2
    assert names in refused(capsys)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--epochs", "0"], "'--epochs': 0; give a whole number from 1"),
        (["--batch-size", "1"], "'--batch-size': 1"),
        (["--lr", "0"], "'--lr': 0; give a number between 0 and 1000"),
        (["--lr", "nan"], "'--lr': nan"),
        (["--patience", "0"], "'--patience': 0"),
        (["--seed", "-1"], "'--seed': -1"),
        (["--recipe", "defualt"], "Unknown recipe 'defualt'"),
        (["--classes", "flank"], "no column 'flank'"),
        (["--weights", "nowhere.pth"], "nowhere.pth: no such file of weights"),
        (["--fold", "9"], "no fold 9"),
        (["--fold", "0", "--match", "season"], "no column 'season'"),
        (["--resume"], "no training there to resume"),
        (["--out", "taken"], "taken: already holds something else (thesis.doc)"),
    ],
)
def test_what_needs_no_network_is_refused_before_torch_is_loaded(
    photos: Path, tmp_path: Path, options: list[str], names: str
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.doc").write_text("draft")
    code = "import sys; from whalereid.cli.app import run; print(run(sys.argv[1:]), 'torch' in sys.modules)"
    command = [sys.executable, "-c", code, "train", str(photos / "photos.csv"), "--out", "run", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "False"]
    assert names in done.stderr
    assert not (tmp_path / "run").exists()


def test_photos_that_are_not_there_are_refused_before_torch_is_loaded(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    (tmp_path / "animal3-1.png").unlink()
    code = "import sys; from whalereid.cli.app import run; print(run(sys.argv[1:]), 'torch' in sys.modules)"
    command = [sys.executable, "-c", code, "train", str(tmp_path / "photos.csv"), "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "False"]
    assert "1 of 24 photos are not there" in done.stderr


def test_folds_of_many_photos_take_no_time_that_grows_with_their_square(tmp_path: Path) -> None:
    """200,000 photos: compared each with each as text, this alone took minutes."""
    n = 200_000
    names = [f"photo{i:06d}" for i in range(n)]
    table = pd.DataFrame({"image_id": names, "path": names, "identity": [f"a{i % 9999}" for i in range(n)]})
    table = table.assign(fold=[i % 5 for i in range(n)])
    parts = {"fold": 1, "test_fold": 0, "folds": None, "valid": None}
    kept, held_out = training_parts(Catalogue(table, tmp_path), **parts)
    assert len(kept) == 120_000
    assert held_out is not None
    assert set(held_out.column("fold")) == {1}
    assert set(kept.column("fold")) == {2, 3, 4}


def test_tables_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_photos(tmp_path, n_identities=1)
    assert train(tmp_path, tmp_path / "run") == 2
    assert "all photos are of one identity (animal0)" in refused(capsys)
    pd.read_csv(tmp_path / "photos.csv").drop(columns="identity").to_csv(tmp_path / "unnamed.csv")
    assert train(tmp_path, tmp_path / "run", table="unnamed.csv") == 2
    assert "no identity is known" in refused(capsys)
    assert not (tmp_path / "run").exists()


def test_photos_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_photos(tmp_path)
    (tmp_path / "animal3-1.png").write_text("dear diary")
    assert train(tmp_path, tmp_path / "run", "--epochs", "1", "--workers", "1") == 2
    assert "animal3-1.png: is not a photo" in refused(capsys)
    assert train(tmp_path, tmp_path / "other", "--epochs", "1", "--on-error", "skip") == 0
    assert "skipped animal3-1" in capsys.readouterr().err


def test_a_folder_of_something_else(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.doc").write_text("draft")
    assert train(photos, tmp_path) == 2
    assert "already holds something else (thesis.doc)" in refused(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def begin(photos: Path, out: Path) -> subprocess.Popen[str]:
    """Start a training of its own process, long enough to be disturbed, and wait until an epoch is done."""
    code = "import sys, torch; torch.set_num_threads(1); from whalereid.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "train", str(photos / "photos.csv"), "--out", str(out), *SMALL[:-1], "1"]
    process = subprocess.Popen([*command, "--epochs", "12"], stderr=subprocess.PIPE, text=True, start_new_session=True)
    limit = time.monotonic() + 120
    while not (out / "checkpoint" / "last.pt").exists():
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < limit
        time.sleep(0.01)
    return process


@pytest.mark.slow
def test_killed_and_resumed_is_as_never_killed(photos: Path, tmp_path: Path) -> None:
    process = begin(photos, tmp_path / "killed")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert json.loads((tmp_path / "killed" / "run.json").read_text())["progress"]["epochs"] < 12
    assert train(photos, tmp_path / "killed", "--epochs", "12", "--resume") == 0
    assert train(photos, tmp_path / "whole", "--epochs", "12") == 0
    for name in ("model.safetensors", "head.safetensors"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.slow
def test_ctrl_c_is_one_line_and_resumable(photos: Path, tmp_path: Path) -> None:
    process = begin(photos, tmp_path / "run")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in said
    assert said.strip().splitlines()[-1].startswith("whalereid: stopped; ")
    assert "--resume" in said.strip().splitlines()[-1]
    assert train(photos, tmp_path / "run", "--epochs", "12", "--resume") == 0


@pytest.mark.slow
def test_two_processes_train_together(photos: Path, tmp_path: Path) -> None:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    script = tmp_path / "script.py"
    script.write_text("import sys; from whalereid.cli import main; main(sys.argv[1:])")
    options = [
        "train",
        "--catalogue",
        str(photos / "photos.csv"),
        "--out",
        str(tmp_path / "run"),
        *SMALL,
        "--batch-size",
        "6",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    command = [*launch, str(script), *options, "--epochs", "2", "--valid", str(photos / "photos.csv")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("epoch 2/2: ") == 1  # the main process alone speaks
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert history.drop(columns="epoch").notna().all(axis=None)
    Embedder.load(tmp_path / "run")


def test_a_miner_and_batches_by_name(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--epochs", "1", "--head", "triplet:margin=0.1", "--batches", "by-identity:per_identity=2"]
    assert train(photos, tmp_path / "run", *options, "--miner", "batch-hard") == 0
    noted = json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]
    assert [noted[part]["name"] for part in ("head", "batches", "miner")] == ["triplet", "by-identity", "batch-hard"]
    capsys.readouterr()
    assert train(photos, tmp_path / "run", *options, "--resume") == 2
    assert "recipe miner was" in refused(capsys)
