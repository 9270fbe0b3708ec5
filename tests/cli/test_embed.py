from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from whalereid.cli.app import run
from whalereid.embeddings import Embeddings
from whalereid.models import Embedder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("run")
    net = Embedder("lcnet_050", "avg", image_size=32, weights="random")  # with GeM its vectors would all be alike
    net.save(folder)
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for number in range(5):
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), random.integers(0, 255, (40, 50, 3), dtype=np.uint8))
    frame = pd.DataFrame({"image_id": [f"p{n}" for n in range(5)], "path": [f"{n}.jpg" for n in range(5)]})
    frame.to_csv(tmp_path / "photos.csv", index=False)
    return tmp_path / "photos.csv"


def embed(*arguments: object) -> int:
    return run(["embed", "--catalogue", *map(str, arguments)])


@pytest.mark.parametrize("name", ["emb.parquet", "emb"])
def test_embeddings_are_written(
    table: Path, model: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / name
    options = ["--flip", "--precision", "fp32", "--batch-size", "2", "--workers", "0", "--device", "cpu"]
    assert embed(table, "--model", model, "--out", out, *options) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "Warning: lcnet_050: these vectors come from random weights: they rank noise." in told.err
    assert "embeddings of 5 photos, 1,280 wide, computed in fp32." in told.err
    read = Embeddings.read(out)
    assert read.vectors.shape == (5, 1280)
    assert read.provenance["flip"] is True
    assert read.provenance["network"]["weights"] == "random"
    assert (out.is_dir(), out.is_file()) == (name == "emb", name != "emb")


def test_skipped_photos_are_listed(
    table: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "3.jpg").write_text("text")
    out = tmp_path / "emb.parquet"
    assert embed(table, "--model", model, "--out", out, "--workers", 0) == 2
    assert "3.jpg" in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()
    assert embed(table, "--model", model, "--out", out, "--workers", 0, "--on-error", "skip") == 0
    assert "1 photos were left out:\n" in capsys.readouterr().err
    assert len(Embeddings.read(out)) == 4


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("whalereid: ")
    assert told.err.count("\n") == 1
    return told.err


def test_bad_input(table: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out" / "emb.parquet"
    assert embed(tmp_path / "absent.csv", "--model", model, "--out", out) == 2
    assert "absent.csv" in one_line(capsys)
    assert embed(table, "--model", tmp_path / "absent", "--out", out) == 2
    assert "no config.json there; name the folder that `whalereid train` wrote" in one_line(capsys)
    assert embed(table, "--model", model, "--out", out, "--device", "toaster") == 2
    assert "'--device': toaster; give a device such as cpu" in one_line(capsys)
    assert embed(table, "--model", model, "--out", out, "--precision", "fp8") == 2
    assert "fp8" in one_line(capsys)
    assert embed(table, "--model", model) == 2
    assert "--out" in one_line(capsys)
    assert not out.parent.exists()
    assert embed(table, "--model", model, "--out", tmp_path) == 2
    assert "already holds something else" in one_line(capsys)


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["embed", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert (
        "Example: whalereid embed --catalogue data/metadata.csv --model runs/beluga --out beluga.parquet --flip" in told
    )
    for option in ("--model", "--out", "--flip", "--precision", "--batch-size", "--workers", "--device", "--on-error"):
        assert option in told
