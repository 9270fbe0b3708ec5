"""docs/extending.md, done as a stranger would: its files are a package of their own, known by its entry points."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
MOST_LINES = 30


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


FILES = {
    match[1]: block for block in blocks("python") if (match := re.match(r"# (northern/\w+\.py)\n", block)) is not None
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, belugas: Path) -> Path:
    """A folder to work in, and beside it the package as pip would have installed it."""
    folder = tmp_path_factory.mktemp("stranger")
    site = folder / "site"
    (site / "northern").mkdir(parents=True)
    (site / "northern" / "__init__.py").touch()
    for name, source in FILES.items():
        (site / name).write_text(source, encoding="utf-8")
    project = tomllib.loads(blocks("toml")[0])["project"]
    info = site / "northern-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = "\n".join(
        f"[{group}]\n" + "\n".join(f"{name} = {value}" for name, value in offered.items())
        for group, offered in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text(points + "\n")
    (folder / "belugas").symlink_to(belugas)
    notes = folder / "notebook"
    notes.mkdir()
    photos = sorted((belugas / "images").glob("*"))[:4]
    for number, photo in enumerate(photos):
        (notes / f"{number}.jpg").symlink_to(photo)
    (notes / "notes.txt").write_text("0.jpg nanuq\n1.jpg nanuq\n2.jpg old siku\n3.jpg old siku\n")
    return folder


def whalereid(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{place / 'site'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    environment |= {"COLUMNS": "120", "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "whalereid", *words]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)


def test_each_kind_has_a_file_that_is_short_and_offered() -> None:
    offered = tomllib.loads(blocks("toml")[0])["project"]["entry-points"]
    modules = {value.partition(":")[0] for group in offered.values() for value in group.values()}
    assert {name.removesuffix(".py").replace("/", ".") for name in FILES} == modules
    for name, source in FILES.items():
        assert len(source.splitlines()) <= MOST_LINES, name


@pytest.mark.parametrize(
    ("command", "lists"),
    [
        ("rank", ["season: months=1", "column=date", "colours: share=0.2, shortlist=20"]),
        ("train", ["cosine-softmax: scale=16.0", "season"]),
        ("evaluate", ["first-match"]),
        ("check", ["field-notes"]),
        ("export", ["sightings: column=identity"]),
    ],
)
def test_help_lists_them(place: Path, command: str, lists: list[str]) -> None:
    done = whalereid(place, command, "--help")
    assert done.returncode == 0, done.stderr
    told = " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stdout).split())
    for words in lists:
        name, _, options = words.partition(": ")
        assert name in told
        assert options in told


def test_a_ranking_by_a_strangers_rule_and_reranker_is_scored_by_its_metric(place: Path) -> None:
    code = "import whalereid as wr; wr.raw_pixels(wr.Catalogue.read('belugas')).write('pixels.parquet')"
    subprocess.run([sys.executable, "-c", code], cwd=place, check=True)
    asked = ["--rule", "season:months=2", "--rerank", "colours:share=0.3", "--queries", "all", "--k", "5"]
    words = ["rank", "--catalogue", "belugas", "--embeddings", "pixels.parquet", *asked, "--out", "ranking.csv"]
    done = whalereid(place, *words)
    assert done.returncode == 0, done.stderr
    assert "at most 2 months apart in the year" in done.stderr
    rules = json.loads((place / "ranking.csv.task.json").read_text())["tasks"][0]["rules"]
    assert rules == [{"name": "season", "options": {"months": 2}}]
    ranking = pd.read_csv(place / "ranking.csv", dtype=str)
    assert ranking.groupby("query_id").size().max() == 5
    metrics = ["--metric", "first-match@5", "--metric", "mAP@5", "--resamples", "20"]
    done = whalereid(place, "evaluate", "ranking.csv", "--catalogue", "belugas", *metrics, "--json")
    assert done.returncode == 0, done.stderr
    assert 0 <= json.loads(done.stdout)["first-match@5"] <= 1
    wrong = whalereid(place, *words[:-2], "--rule", "season:month=2", "--out", "other.csv")
    assert wrong.returncode == 2
    assert "has no option 'month'; it has months=1" in wrong.stderr
    assert not (place / "other.csv").exists()


def test_a_training_with_a_strangers_head(place: Path) -> None:
    small = {"backbone": "test_resnet", "weights": "random", "image-size": "32", "epochs": "1", "workers": "0"}
    options = [word for name, value in small.items() for word in (f"--{name}", value)]
    words = ["train", "--catalogue", "belugas", "--head", "cosine-softmax:scale=20", *options, "--out", "run"]
    done = whalereid(place, *words)
    assert done.returncode == 0, done.stderr
    noted = json.loads((place / "run" / "run.json").read_text())
    assert noted["recipe"]["head"] == {"name": "cosine-softmax", "options": {"scale": 20.0}}


def test_a_strangers_layout_is_recognised(place: Path) -> None:
    for words in ([], ["--layout", "field-notes"]):
        done = whalereid(place, "check", "--catalogue", "notebook", *words, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["identities"] == 2


def test_a_strangers_format_is_written(place: Path) -> None:
    done = whalereid(place, "export", "--catalogue", "notebook", "--to", "sightings", "--out", "seen.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((place / "seen.json").read_text()) == {"seen": {"nanuq": 2, "old siku": 2}}


def test_a_strangers_network_is_listed(place: Path) -> None:
    done = whalereid(place, "models", "--json")
    assert done.returncode == 0, done.stderr
    found = {one["name"]: one for one in json.loads(done.stdout)["networks"]}
    assert next(iter(found)) == "lite0"
    assert (found["narwhals"]["source"], found["narwhals"]["dim"]) == ("hf-hub:northern/narwhals", 2048)
