"""`whalereid evaluate --open-set`: numbers against the library's parts, notes, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue
from whalereid.cli.app import run
from whalereid.embeddings import Embeddings
from whalereid.evaluation import OpenSetOutcome, Protocol, evaluate
from whalereid.ranking import Ensemble, Member, Task, rank_tasks, write_tasks


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Animals 0-39: a database of three photos each; 40-59 are new. Two halves of the queries, of other animals."""
    folder = tmp_path_factory.mktemp("survey")
    rng = np.random.default_rng(0)
    animal = np.repeat(np.arange(60), 6)
    ids = np.array([f"p{i:03d}" for i in range(len(animal))])
    frame = pd.DataFrame(
        {"image_id": ids, "path": [f"{i}.jpg" for i in ids], "identity": [f"a{a:02d}" for a in animal]}
    )
    frame.to_csv(folder / "metadata.csv", index=False)
    photos = Catalogue.read(folder / "metadata.csv")
    vectors = rng.normal(size=(60, 16))[animal] + 0.9 * rng.normal(size=(len(animal), 16))
    finder = Ensemble([Member("drawn", Embeddings.from_numpy(ids, vectors))])
    known_photo = (animal < 40) & (np.arange(len(animal)) % 6 < 3)
    for name, half in (("test", 0), ("valid", 1)):
        queries = ids[~known_photo & (animal % 2 == half)]
        task = [Task("survey", queries, queries, ids[known_photo])]
        rank_tasks(finder, photos, task).write(folder / f"{name}.csv")
        write_tasks(task, folder / f"{name}.csv")
    return folder


def test_numbers_are_the_librarys(survey: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", str(survey / "test.csv"), "--catalogue", str(survey / "metadata.csv"), "--open-set"]
    assert run([*words, "--validation", str(survey / "valid.csv"), "--json", "--false-accept", "0.1"]) == 0
    shown, said = capsys.readouterr()
    found = json.loads(shown)["open set"]
    photos = Catalogue.read(survey / "metadata.csv")
    outcomes = {}
    for name in ("test", "valid"):
        from whalereid.ranking import Ranking, read_tasks

        protocol = Protocol(read_tasks(survey / f"{name}.csv"), photos)
        outcomes[name] = OpenSetOutcome.from_report(evaluate(protocol, Ranking.read(survey / f"{name}.csv")))
    threshold = outcomes["valid"].threshold(0.1)
    assert found["threshold"]["value"] == pytest.approx(threshold.value)
    assert found["threshold"]["low"] <= threshold.value <= found["threshold"]["high"]
    assert found["false-alarm rate"] == pytest.approx(outcomes["test"].false_alarm_rate(threshold.value))
    assert found["identification rate"] == pytest.approx(outcomes["test"].identification_rate(threshold.value))
    assert found["BAKS"] == pytest.approx(outcomes["test"].baks(threshold.value))
    assert (found["known queries"], found["new queries"]) == (60, 60)
    assert found["AUROC"] > 0.7
    assert 0 <= found["calibration error"] < 0.2
    assert found["chosen on other queries"] is True
    assert "flatters" not in said


def test_without_validation_it_says_that_this_flatters(survey: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", str(survey / "test.csv"), "--catalogue", str(survey / "metadata.csv"), "--open-set"]
    assert run(words) == 0
    shown, said = capsys.readouterr()
    assert "which flatters" in said
    assert {"AUROC", "BAKS", "BAUS"} <= set(shown.split())


def test_figure(survey: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    words = ["evaluate", str(survey / "test.csv"), "--catalogue", str(survey / "metadata.csv")]
    assert run([*words, "--open-set", "--figure", str(tmp_path / "open.png")]) == 0
    assert run([*words, "--figure", str(tmp_path / "report.svg")]) == 0
    assert (tmp_path / "open.png").read_bytes()[:4] == b"\x89PNG"
    assert "<svg" in (tmp_path / "report.svg").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--labels", "x.csv", "--open-set"], "--open-set: takes one ranking, and --catalogue"),
        (["--catalogue", "CATALOGUE", "--validation", "v.csv"], "--validation: chooses the threshold of --open-set"),
        (
            ["--catalogue", "CATALOGUE", "--open-set", "--false-accept", "2"],
            "'--false-accept': 2; give a number from 0 to 1",
        ),
        (["--catalogue", "CATALOGUE", "--open-set", "--validation", "absent.csv"], "absent.csv: no such file"),
    ],
)
def test_bad_options(survey: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = [str(survey / "metadata.csv") if word == "CATALOGUE" else word for word in options]
    assert run(["evaluate", str(survey / "test.csv"), *given]) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_closed_set_is_refused(survey: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = Catalogue.read(survey / "metadata.csv")
    vectors = np.random.default_rng(1).normal(size=(len(photos), 4))
    finder = Ensemble([Member("drawn", Embeddings.from_numpy(photos.image_ids, vectors))])
    finder.rank(photos, photos).write(tmp_path / "closed.csv")
    words = ["evaluate", str(tmp_path / "closed.csv"), "--catalogue", str(survey / "metadata.csv"), "--open-set"]
    assert run(words) == 2
    assert "no query is of a new animal" in capsys.readouterr().err.splitlines()[-1]
