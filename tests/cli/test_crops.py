"""--pad and --background of `train` and `embed`, and what `check` says of boxes and masks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from training.drawing import BACKBONE, SIZE, draw_photos
from whalereid.cli.app import run
from whalereid.embeddings import Embeddings
from whalereid.images import Crop
from whalereid.training import crop_of

Captured = pytest.CaptureFixture[str]
MASK = "[[4, 4, 28, 4, 28, 28, 4, 28]]"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 photos of 6 animals: masked.csv has masks of all but two, bare.csv none; read only."""
    folder = tmp_path_factory.mktemp("photos")
    table = draw_photos(folder)
    table.assign(mask=[None, None] + [MASK] * 22).write(folder / "masked.csv")
    table.write(folder / "bare.csv")
    return folder


def train(photos: Path, out: Path, *options: str, table: str = "masked.csv") -> int:
    small = ["--backbone", BACKBONE, "--image-size", str(SIZE), "--weights", "random", "--epochs", "1"]
    words = ["--catalogue", str(photos / table), "--out", str(out), *small, "--batch-size", "8", "--workers", "0"]
    return run(["train", *words, *options])


@pytest.fixture(scope="module")
def trained(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training with --pad 0.1 --background grey."""
    out = tmp_path_factory.mktemp("runs") / "grey"
    assert train(photos, out, "--pad", "0.1", "--background", "grey") == 0
    return out


def embed(photos: Path, model: Path, out: Path, *options: str, table: str = "masked.csv") -> int:
    words = ["--catalogue", str(photos / table), "--model", str(model), "--out", str(out), "--workers", "0"]
    return run(["embed", *words, *options])


def crop_in(path: Path) -> Crop:
    return Crop.from_dict(Embeddings.read_header(path).provenance.get("crop"))


def test_embed_cuts_as_the_run_was_trained(photos: Path, trained: Path, tmp_path: Path, capsys: Captured) -> None:
    assert crop_of(trained) == Crop(0.1, "grey")
    out = tmp_path / "e.parquet"
    assert embed(photos, trained, out, "--json") == 0
    told = capsys.readouterr()
    assert f"photos are cut with --pad 0.1 --background grey, as {trained} was trained." in told.err
    assert "2 of 24 photos have no mask; they keep their background." in told.err
    assert json.loads(told.out)["crop"] == {"pad": 0.1, "background": "grey"}
    assert crop_in(out) == Crop(0.1, "grey")
    for options, crop in (
        (["--pad", "0.3"], Crop(0.3, "grey")),
        (["--background", "keep"], Crop(0.1)),
        (["--pad", "0", "--background", "blur"], Crop(0, "blur")),
    ):
        assert embed(photos, trained, out, *options, "--force") == 0
        says = f"Warning: photos are cut with {crop.in_words()}; {trained} was trained with --pad 0.1 --background grey"
        assert says in capsys.readouterr().err
        assert crop_in(out) == crop


def test_the_usual_crop_is_not_talked_of(photos: Path, tmp_path: Path, capsys: Captured) -> None:
    assert train(photos, tmp_path / "run") == 0
    assert "no mask" not in capsys.readouterr().err
    for options in ([], ["--pad", "0"], ["--background", "keep"]):
        assert embed(photos, tmp_path / "run", tmp_path / "e.parquet", *options) == 0
        assert "are cut" not in capsys.readouterr().err
    assert embed(photos, tmp_path / "run", tmp_path / "e.parquet", "--pad", "0.1") == 2
    assert "crop pad is 0.0 there, 0.1 now" in capsys.readouterr().err


def refused(capsys: Captured) -> str:
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.strip().splitlines()[-1].startswith("whalereid: ")
    return told.err.strip().splitlines()[-1]


def test_a_background_to_hide_needs_masks(photos: Path, trained: Path, tmp_path: Path, capsys: Captured) -> None:
    assert embed(photos, trained, tmp_path / "e.parquet", table="bare.csv") == 2  # as it was trained
    assert "no photo has one; add a column 'mask'" in refused(capsys)
    assert embed(photos, trained, tmp_path / "e.parquet", "--background", "keep", table="bare.csv") == 0
    capsys.readouterr()
    assert train(photos, tmp_path / "run", "--background", "blur", table="bare.csv") == 2
    assert "bare.csv: background=blur (--background) hides what is outside the masks" in refused(capsys)
    assert not (tmp_path / "run").exists()
    assert train(photos, tmp_path / "run", "--background", "blur", "--valid", str(photos / "bare.csv")) == 2
    assert "bare.csv: background=blur" in refused(capsys)


@pytest.mark.parametrize("command", ["train", "embed"])
@pytest.mark.parametrize(
    "options",
    [
        ["--pad", "-0.1"], ["--pad", "1.5"], ["--pad", "nan"], ["--pad", "inf"], ["--pad", "1e999"], ["--pad", ""],
        ["--pad", "10%"], ["--pad", "٠.١"], ["--background", "black"], ["--background", ""], ["--background", "BLUR "],
    ],
)  # fmt: skip
def test_options_that_can_not_be(
    photos: Path, trained: Path, tmp_path: Path, capsys: Captured, command: str, options: list[str]
) -> None:
    done = (
        train(photos, tmp_path / "out", *options)
        if command == "train"
        else embed(photos, trained, tmp_path / "out", *options)
    )
    assert done == 2
    assert options[0] in refused(capsys)
    assert not (tmp_path / "out").exists()


def test_resume_needs_the_same_crop(photos: Path, trained: Path, capsys: Captured) -> None:
    assert train(photos, trained, "--resume", "--pad", "0.1", "--background", "grey") == 0
    for options in ([], ["--pad", "0.1"], ["--pad", "0.2", "--background", "grey"]):
        assert train(photos, trained, "--resume", *options) == 2
        assert "was begun otherwise: train crop" in refused(capsys)


def test_rank_knows_masks_that_changed(photos: Path, trained: Path, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "e.parquet"
    assert embed(photos, trained, out) == 0
    words = ["rank", "--embeddings", str(out), "--out", str(tmp_path / "r.csv"), "--queries", "all", "--catalogue"]
    assert run([*words, str(photos / "masked.csv")]) == 0
    frame = pd.read_csv(photos / "masked.csv")
    frame.loc[7, "mask"] = "[[4, 4, 20, 4, 20, 28, 4, 28]]"
    frame.to_csv(photos / "other.csv", index=False)
    capsys.readouterr()
    assert run([*words, str(photos / "other.csv"), "--force"]) == 2
    assert "their path, bbox or mask has changed (animal1-3)" in refused(capsys)


@pytest.mark.parametrize("photos_too", [True, False])
def test_check_counts_boxes_and_masks(photos: Path, tmp_path: Path, capsys: Captured, photos_too: bool) -> None:
    draw_photos(tmp_path)
    frame = pd.read_csv(tmp_path / "photos.csv")
    frame["mask"] = ["[[1, 2]]", '{"size": [9, 9], "counts": [81]}', "../m.png"] + [MASK] * 21
    frame["bbox"] = ["0 0 30 30"] * 22 + ["20 20 30 30", "99 99 9 9"]
    frame["height"] = frame["width"] = SIZE
    frame.to_csv(tmp_path / "photos.csv", index=False)
    words = ["check", "--catalogue", str(tmp_path / "photos.csv"), *([] if photos_too else ["--no-photos"])]
    assert run([*words, "--json"]) == 0
    found = {one["kind"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert found["unreadable-masks"]["offenders"] == ["animal0-0", "animal0-2"]
    assert found["masks-of-another-size"]["offenders"] == ["animal0-1"]
    assert found["boxes-beyond"]["offenders"] == ["animal5-2"]
    assert found["boxes-outside"]["offenders"] == ["animal5-3"]
    assert run([*words, "--strict"]) == 2
    shown = capsys.readouterr().out
    assert "masks that can't be read, or have no pixel on their photo: 2" in shown
    assert "masks of another size than their photo: 1" in shown
    assert "boxes that reach beyond their photo: 1" in shown
    assert "boxes that miss their photo: 1" in shown


@pytest.mark.parametrize("command", ["train", "embed"])
def test_the_help_has_them(command: str, capsys: Captured) -> None:
    assert run([command, "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    usual = {"train": ("0", "keep"), "embed": (r"\(as RUN was trained\)",) * 2}[command]
    assert re.search(rf"--pad SHARE .*\[default: {usual[0]}\].*--background .keep\|blur\|grey. .*{usual[1]}\]", told)
