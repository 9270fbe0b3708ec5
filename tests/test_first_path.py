"""README's first path, word by word, on the same photos in five shapes; and the command that walks it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shapes import SHAPES
from whalereid.catalogue import Catalogue
from whalereid.cli.app import run

README = Path(__file__).resolve().parents[1] / "README.md"
PHOTOS = "photos/"  # what README calls them
QUICK = ["--epochs", "1", "--image-size", "32", "--batch-size", "16"]  # for `train`, whose defaults take minutes
NAMED = [shape for shape in SHAPES if shape != "flat"]


def commands(block: int) -> list[list[str]]:
    """The command lines of one of README's console blocks, without their comments."""
    blocks = re.findall(r"^```console\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ") for line in blocks[block].splitlines() if line.startswith("$ whalereid ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


@pytest.fixture(scope="module")
def some(belugas: Path) -> Catalogue:
    """The first and the last photo, from above and often from a side, of two encounters of fourteen animals."""
    photos = Catalogue.read(belugas)
    ends = photos.frame.groupby("encounter").nth([0, -1])
    early = ends.groupby("identity").head(4)
    return photos.subset(early["image_id"])


@pytest.fixture(scope="module", params=list(SHAPES))
def shape(
    request: pytest.FixtureRequest, some: Catalogue, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """The name of a shape, and its photos."""
    name = request.param
    return name, SHAPES[name](some, tmp_path_factory.mktemp(name) / "photos")


def test_readme_first_looks_then_trains(
    shape: tuple[str, Path],
    some: Catalogue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, photos = shape
    monkeypatch.chdir(tmp_path)
    look, train = commands(0), commands(1)
    assert [words[0] for words in look] == ["check", "embed", "rank", "report"]
    assert [words[0] for words in train] == ["split", "train", "embed", "rank", "evaluate"]
    for words in look:
        assert run([str(photos) if word == PHOTOS else word for word in words]) == 0, capsys.readouterr().err
    ranking = pd.read_csv("ranking.csv", dtype=str)
    assert ranking["query_id"].nunique() == len(some)
    assert Path("report/index.html").read_text(encoding="utf-8").count('class="query"') == min(50, len(some))
    if name not in NAMED:
        capsys.readouterr()
        words = [str(photos) if word == PHOTOS else word for word in train[0]]
        assert run(words) == 2
        assert "identity" in capsys.readouterr().err
        return
    for words in train:
        words = [str(photos) if word == PHOTOS else word for word in words]
        assert run(words + (QUICK if words[0] == "train" else [])) == 0, capsys.readouterr().err
    assert "mAP@20" in capsys.readouterr().out


def test_start_walks_the_path_and_says_how_to_repeat_it(
    shape: tuple[str, Path], some: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, photos = shape
    before = {path: path.stat().st_mtime_ns for path in photos.parent.rglob("*")}
    assert run(["start", str(photos), "--out", str(tmp_path / "out"), "--no-open", "--json"]) == 0, capsys.readouterr()
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert before == {path: path.stat().st_mtime_ns for path in photos.parent.rglob("*")}  # nothing of theirs changed
    assert answer["photos"] == len(some)
    page = Path(answer["page"])
    assert page.is_file()
    walked = [shlex.split(line)[1] for line in answer["commands"]]
    scored = ["evaluate"] if name in NAMED else []
    assert walked == ["import", "check", "embed", "rank", *scored, "report"]
    rules = {"csv": ["--exclude", "encounter", "--match", "viewpoint"], "coco": ["--match", "viewpoint"]}
    rules["camtrap-dp"] = ["--exclude", "encounter"]
    assert answer["rules"] == rules.get(name, [])
    ranking = (tmp_path / "out" / "ranking.csv").read_bytes()
    for line in answer["commands"]:
        assert run(shlex.split(line)[1:]) == 0, f"{line}: {capsys.readouterr().err}"
    assert (tmp_path / "out" / "ranking.csv").read_bytes() == ranking
    same = pd.read_csv(tmp_path / "out" / "catalogue" / "metadata.csv", dtype=str)
    if name in NAMED:
        assert sorted(same["identity"]) == sorted(some.column("identity"))
    else:
        assert np.all(same.get("identity", pd.Series(dtype=str)).isna())
