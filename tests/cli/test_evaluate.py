"""`whalereid evaluate`: whose rules are followed, what is printed where, and every refusal."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from oracles import relevance
from whalereid.catalogue import Catalogue
from whalereid.cli.app import run
from whalereid.embeddings import Embeddings
from whalereid.evaluation import Protocol, evaluate, mean_average_precision
from whalereid.ranking import (
    CandidateRules,
    Ensemble,
    Member,
    Ranking,
    Task,
    rank_tasks,
    read_tasks,
    tasks_from,
    write_tasks,
)

N = 40


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """photos.csv; a.csv and b.csv ranked with rules, their tasks beside; plain.csv without rules or task."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "image_id": [f"p{i:02d}" for i in range(N)],
            "path": [f"p{i:02d}.jpg" for i in range(N)],
            "identity": rng.choice(["ann", "bob", "cid", "dot", "eve"], N),
            "encounter": rng.choice([f"e{i}" for i in range(9)], N),
            "viewpoint": rng.choice(["left", "right"], N),
            "date": rng.choice(["2017-07-01", "2019-07-01"], N),
        }
    )
    frame.to_csv(tmp_path / "photos.csv", index=False)
    monkeypatch.chdir(tmp_path)
    photos = Catalogue.read("photos.csv")
    tasks = tasks_from(photos, exclude=["encounter"], match=["viewpoint"])
    for name, noise in (("a", 0.6), ("b", 3.0)):
        vectors = rng.standard_normal((5, 6))[photos.labels()] + noise * rng.standard_normal((N, 6))
        ensemble = Ensemble([Member(name, Embeddings.from_numpy(photos.image_ids, vectors))])
        rank_tasks(ensemble, photos, tasks).write(f"{name}.csv")
        write_tasks(tasks, f"{name}.csv")
        if name == "a":
            rank_tasks(ensemble, photos, tasks_from(photos), N).write("plain.csv")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert run(["evaluate", *words]) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def numbers(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    out, _ = said(capsys, *words, "--json")
    assert out.count("\n") == 1
    return dict(json.loads(out))


def by_hand(ranking: str, exclude: list[str], match: list[str], k: int = 20) -> float:
    photos = Catalogue.read("photos.csv")
    [task] = tasks_from(photos, exclude=exclude, match=match)
    frame = photos.frame.set_index("image_id", drop=False)
    labels = relevance.relevant(frame, task)
    given = Ranking.read(ranking)
    kept = [
        [(i, s) for i, s in zip(ids, scores, strict=False) if relevance.is_candidate(frame, query, i, task)]
        for query, ids, scores in zip(given.query_ids, given.ids, given.scores, strict=True)
    ]
    lists = Ranking([[i for i, _ in one] for one in kept], [[s for _, s in one] for one in kept], list(given.query_ids))
    return mean_average_precision(lists, labels, k=k)


def test_the_rankings_own_rules_are_followed_and_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = said(capsys, "a.csv", "--catalogue", "photos.csv", "--json")
    assert "following a.csv.task.json\n" in err
    assert "never of the same encounter, always of the same viewpoint" in err
    got = json.loads(out)
    assert got["mAP@20"] == pytest.approx(by_hand("a.csv", ["encounter"], ["viewpoint"]))
    assert {"top-1", "top-5", "top-20", "precision@20", "recall@20", "R-precision", "mINP", "queries"} <= set(got)
    low, high = got["intervals"]["mAP@20"]
    assert low < got["mAP@20"] < high
    report = evaluate(Protocol(read_tasks("a.csv"), Catalogue.read("photos.csv")), "a.csv")
    assert got == report.to_dict()


@pytest.mark.parametrize(
    ("words", "exclude", "match"),
    [
        (["--exclude", "encounter"], ["encounter"], []),
        (["--exclude", "encounter", "--exclude", "date"], ["encounter", "date"], []),
        (["--match", "viewpoint"], [], ["viewpoint"]),
        ([], [], []),
    ],
)
def test_without_a_task_every_photo_is_a_candidate_but_for_the_rules(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], exclude: list[str], match: list[str]
) -> None:
    out, err = said(capsys, "plain.csv", "--catalogue", "photos.csv", "--k", "7", "--json", *words)
    assert "no plain.csv.task.json beside the ranking: taking all photos of photos.csv" in err
    assert json.loads(out)["mAP@7"] == pytest.approx(by_hand("plain.csv", exclude, match, k=7))


def test_rules_given_override_the_rankings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("a.csv.task.json", "plain.csv.task.json")
    out, err = said(
        capsys,
        "plain.csv",
        "--catalogue",
        "photos.csv",
        "--exclude",
        "none",
        "--match",
        "viewpoint",
        "--match",
        "date",
        "--json",
    )
    assert "following plain.csv.task.json, but for --exclude, --match" in err
    assert json.loads(out)["mAP@20"] == pytest.approx(by_hand("plain.csv", [], ["viewpoint", "date"]))
    one = numbers(capsys, "plain.csv", "--catalogue", "photos.csv", "--match", "none")
    assert one["mAP@20"] == pytest.approx(by_hand("plain.csv", ["encounter"], []))


def test_a_rule_by_name_is_followed_replaced_and_lifted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plain.csv", "--catalogue", "photos.csv"]
    photos = Catalogue.read("photos.csv")
    rules = CandidateRules(["encounter"], rules=["beyond-days:days=30"])
    write_tasks(tasks_from(photos, rules=rules), "plain.csv")

    def scored(rules: CandidateRules) -> float:
        return float(evaluate(Protocol(tasks_from(photos, rules=rules), photos), "plain.csv")["mAP@20"])

    out, err = said(capsys, *words, "--json")
    assert json.loads(out)["mAP@20"] == scored(rules)
    assert ", ".join(rules.in_words()) in err
    given = ["--rule", "within-days:days=30", "--rule", "same:column=viewpoint"]
    out, err = said(capsys, *words, "--json", *given)
    assert "but for --rule\n" in err
    changed = CandidateRules(["encounter"], rules=["within-days:days=30", "same:column=viewpoint"])
    assert json.loads(out)["mAP@20"] == scored(changed)
    assert numbers(capsys, *words, "--rule", "none")["mAP@20"] == scored(CandidateRules(["encounter"]))
    lifted = numbers(capsys, *words, "--rule", "none", "--exclude", "none")
    assert lifted["mAP@20"] == scored(CandidateRules())


def test_labels_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = Protocol(read_tasks("a.csv"), Catalogue.read("photos.csv")).labels
    labels.to_frame().to_csv("labels.csv", index=False)
    got = numbers(capsys, "a.csv", "--labels", "labels.csv")
    assert got["mAP@20"] == pytest.approx(by_hand("a.csv", ["encounter"], ["viewpoint"]))
    assert any("share a relevant photo" in note for note in got["notes"])
    both = numbers(capsys, "a.csv", "--labels", "labels.csv", "--catalogue", "photos.csv", "--by", "viewpoint")
    assert both["mAP@20"] == got["mAP@20"]
    assert set(both["by"]["viewpoint"]) == {"left", "right"}


@pytest.mark.shared
def test_the_competitions_scores(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden = shared / "golden" / "scorer"
    for case, expected in json.loads((golden / "expected.json").read_text()).items():
        files = [str(golden / f"{case}_{part}.csv") for part in ("submission", "labels")]
        got = numbers(capsys, files[0], "--labels", files[1], "--by", "scenario")
        assert got["mAP@20"] == pytest.approx(expected, abs=1e-9)
        assert sum(group["queries"] for group in got["by"]["scenario"].values()) == got["queries"]


def test_scenarios_of_a_catalogue_are_scored_without_a_task(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("photos.csv", "metadata.csv")
    photos = Catalogue.read("photos.csv")
    ids = photos.image_ids
    tasks = [
        Task("scenario01", [f"scenario01-{i}" for i in ids[:10]], tuple(ids[:10]), tuple(ids[10:])),
        Task("scenario02", [f"scenario02-{i}" for i in ids[:5]], tuple(ids[:5]), tuple(ids)),
    ]
    Protocol(tasks, photos).write("scenarios")
    Path("scenarios/protocol.json").unlink()
    shutil.copy("photos.csv", "scenarios/metadata.csv")
    vectors = np.random.default_rng(0).standard_normal((N, 3))
    ranking = rank_tasks(Ensemble([Member("x", Embeddings.from_numpy(ids, vectors))]), photos, tasks)
    ranking.write("submission.csv")
    out, err = said(capsys, "submission.csv", "--catalogue", "scenarios", "--json", "--by", "scenario")
    assert "taking the scenarios of" in err
    got = json.loads(out)
    assert got["mAP@20"] == pytest.approx(mean_average_precision(ranking, "scenarios/labels.csv"))
    assert set(got["by"]["scenario"]) == {"scenario01", "scenario02"}


def test_tables_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["a.csv", "--catalogue", "photos.csv"]
    words += [word for what in ("viewpoint", "year-gap", "viewpoint-pair", "photos") for word in ("--by", what)]
    out, _ = said(capsys, *words)
    got = numbers(capsys, *words)
    low, high = got["intervals"]["mAP@20"]
    assert re.search(rf"mAP@20 +{got['mAP@20']:.4f} +{low:.4f} to {high:.4f}", out)
    for what in ("viewpoint", "year-gap", "viewpoint-pair", "photos"):
        assert f"by {what}\n" in out
        for name, group in got["by"][what].items():
            assert re.search(
                rf"{re.escape(name)} +{group['queries']} +{group['identities']} +{group['mAP@20']:.4f}", out
            )
    assert "–" in said(capsys, "a.csv", "--catalogue", "photos.csv", "--resamples", "0")[0]
    assert "–" in said(capsys, "a.csv", "b.csv", "--catalogue", "photos.csv", "--resamples", "0")[0]
    plain = numbers(capsys, *words, "--interval", "percentile", "--confidence", "0.8")["intervals"]
    assert (plain["method"], plain["confidence"]) == ("percentile", 0.8)
    assert low < plain["mAP@20"][0] < plain["mAP@20"][1] < high


def test_two_rankings_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    got = numbers(capsys, "a.csv", "b.csv", "--catalogue", "photos.csv", "--seed", "5")
    alone = [numbers(capsys, name, "--catalogue", "photos.csv")["mAP@20"] for name in ("a.csv", "b.csv")]
    assert [got["A"]["mAP@20"], got["B"]["mAP@20"]] == pytest.approx(alone)
    row = got["difference"]["mAP@20"]
    assert row["difference"] == pytest.approx(alone[0] - alone[1])
    assert row["low"] < row["difference"] < row["high"]
    assert row["probability"] > 0.9
    out, err = said(capsys, "a.csv", "b.csv", "--catalogue", "photos.csv", "--by", "viewpoint")
    assert re.search(rf"mAP@20 +{alone[0]:.4f} +{alone[1]:.4f} +\+{alone[0] - alone[1]:.4f}", out)
    assert "A by viewpoint" in out
    assert "following a.csv.task.json, b.csv.task.json" in err
    # files may stand anywhere, also after the value of an option
    turned = numbers(capsys, "--catalogue", "photos.csv", "--exclude", "encounter", "b.csv", "--match", "none", "a.csv")
    assert turned["difference"]["mAP@20"]["difference"] < 0


def test_seen_animals(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Catalogue.read("photos.csv").filter(identity=["ann", "bob"]).write("train.csv")
    words = ["a.csv", "--catalogue", "photos.csv", "--by", "seen"]
    got = numbers(capsys, *words, "--train", "train.csv")
    assert got["by"]["seen"]["seen"]["identities"] == 2
    assert "give the training catalogue" in said(capsys, *words, code=2)[1]


def test_metrics_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plain.csv", "--catalogue", "photos.csv", "--resamples", "0"]
    usual = numbers(capsys, *words)
    asked = ["--metric", "top-5", "--metric", "mAP@3", "--metric", "mAP@3:denominator=relevant", "--metric", "mINP"]
    got = numbers(capsys, *words, *asked)
    assert {name: got[name] for name in ("top-5", "mINP")} == {name: usual[name] for name in ("top-5", "mINP")}
    assert "recall@20" not in got
    assert got["mAP@3:denominator=relevant"] < got["mAP@3"]
    out, _ = said(capsys, *words, *asked, "--by", "viewpoint")
    assert out.startswith("top-5 ")
    for name, says in (("mPA@20", "'mPA"), ("mAP", "needs a cut-off"), ("mAP@20:denominator=all", "denominator")):
        assert says in said(capsys, *words, "--metric", name, code=2)[1].splitlines()[-1]
    refusal = said(capsys, *words, "--metric", "mINP", "--denominator", "relevant", code=2)[1]
    assert "--metric mAP@20:denominator=relevant" in refusal


def test_denominators(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plain.csv", "--catalogue", "photos.csv", "--k", "3"]
    values = [numbers(capsys, *words, "--denominator", d)["mAP@3"] for d in ("relevant", "min", "retrieved")]
    assert values[0] < values[1] < values[2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.csv"], "give --labels FILE, or --catalogue CATALOGUE"),
        (["nowhere.csv", "--catalogue", "photos.csv"], "nowhere.csv: no such file"),
        (["a.csv", "--catalogue", "nowhere"], "nowhere"),
        (["a.csv", "--labels", "nowhere.csv"], "nowhere.csv: no such file"),
        (["a.csv", "--labels", "photos.csv"], "photos.csv: no column query_id, database_image_id"),
        (
            ["a.csv", "--labels", "photos.csv", "--exclude", "encounter"],
            "--exclude: says who is relevant; so does --labels. Give the one or the other",
        ),
        (["a.csv", "--catalogue", "photos.csv", "--exclude", "colour"], "no column 'colour'"),
        (["a.csv", "--catalogue", "photos.csv", "--by", "colour"], "no column 'colour' to break down by"),
        (["a.csv", "--catalogue", "photos.csv", "--k", "0"], "'-k': 0; give a whole number from 1"),
        (["a.csv", "--catalogue", "photos.csv", "--denominator", "all"], "choose from min, relevant, retrieved"),
        (
            ["a.csv", "--catalogue", "photos.csv", "--confidence", "95"],
            "'--confidence': 95; give a number between 0 and 1",
        ),
        (["a.csv", "--catalogue", "photos.csv", "--resamples", "-1"], "'--resamples': -1; give a whole number from 0"),
        (["a.csv", "--catalogue", "photos.csv", "--interval", "normal"], "choose from bca, percentile"),
        (["a.csv", "plain.csv", "b.csv", "--catalogue", "photos.csv"], "unexpected extra argument"),
        (["photos.csv", "--catalogue", "photos.csv"], "photos.csv: no column query_id, database_image_id, score"),
        (["strange.csv", "--catalogue", "photos.csv"], "queries are no photo of it: someone"),
        (["nan.csv", "--catalogue", "photos.csv"], "nan.csv, row 2: score"),
        (["a.csv", "other.csv", "--catalogue", "photos.csv"], "a.csv and other.csv answer different tasks"),
        (["a.csv", "part.csv", "--catalogue", "photos.csv"], "1 queries are not in the second ranking: p00"),
    ],
)
def test_refusals(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    frame = pd.read_csv("a.csv")
    frame.assign(query_id="someone").drop_duplicates("database_image_id").to_csv("strange.csv", index=False)
    frame.assign(score=[1.0, np.nan, *frame["score"][2:]]).to_csv("nan.csv", index=False)
    frame[frame["query_id"] != "p00"].to_csv("part.csv", index=False)
    frame.to_csv("other.csv", index=False)
    write_tasks(tasks_from(Catalogue.read("photos.csv")), "other.csv")
    out, err = said(capsys, *words, code=2)
    assert out == ""
    assert message in err.splitlines()[-1]
    assert "Traceback" not in err


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, "--help")
    assert "Example: whalereid evaluate ranking.csv --catalogue" in out
