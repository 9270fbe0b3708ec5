"""`whalereid rank`: from files to a ranking and its task, and every refusal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue
from whalereid.cli.app import run
from whalereid.embeddings import Embeddings
from whalereid.ranking import Ensemble, Expand, Member, Ranking, rank_tasks, read_tasks, tasks_from

N = 12


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """photos.csv, a.parquet, b.parquet."""
    rng = np.random.default_rng(0)
    names = [f"p{i:02d}" for i in range(N)]
    pd.DataFrame(
        {
            "image_id": names,
            "path": [f"{name}.jpg" for name in names],
            "encounter": [f"e{i // 3}" for i in range(N)],
            "viewpoint": ["left", "right"] * (N // 2),
            "location": ["here", "there", "there"] * (N // 3),
        }
    ).to_csv(tmp_path / "photos.csv", index=False)
    for name, width in (("a", 5), ("b", 3)):
        Embeddings.from_numpy(names, rng.normal(size=(N, width))).write(tmp_path / f"{name}.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ensemble(**weights: float) -> Ensemble:
    return Ensemble([Member(name, Embeddings.read(f"{name}.parquet"), w) for name, w in weights.items()])


def rank(*words: str) -> int:
    return run(["rank", "--catalogue", "photos.csv", "--out", "ranking.csv", *words])


def assert_written(want: Ranking) -> None:
    got = pd.read_csv("ranking.csv")
    assert list(got.columns) == ["query_id", "database_image_id", "score"]
    pd.testing.assert_frame_equal(got, want.to_frame(), check_dtype=False, rtol=0, atol=1e-9)


def test_all_against_all_and_the_task_beside(folder, capsys):
    assert rank("--embeddings", "a.parquet", "--k", "4") == 0
    photos = Catalogue.read("photos.csv")
    tasks = tasks_from(photos)
    assert_written(rank_tasks(ensemble(a=1), photos, tasks, 4))
    assert read_tasks("ranking.csv") == tasks
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 4  # no bar where there is no terminal
    assert "12 queries in 12 photos" in said.err
    assert "ranking.csv.task.json" in said.err
    assert sorted(p.name for p in folder.iterdir()) == [
        "a.parquet", "b.parquet", "photos.csv", "ranking.csv", "ranking.csv.task.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        "--embeddings a.parquet --embeddings b.parquet --weights 3 --weights 1 --exclude encounter --exclude location",
        "--weights=3 --embeddings=a.parquet --exclude=encounter --embeddings=b.parquet --weights=1 --exclude=location",
    ],
)
def test_options_are_repeated_for_several_values(folder, words):
    assert rank(*words.split(), "--match", "viewpoint", "-k", "3") == 0
    photos = Catalogue.read("photos.csv")
    tasks = tasks_from(photos, exclude=["encounter", "location"], match=["viewpoint"])
    assert_written(rank_tasks(ensemble(a=0.75, b=0.25), photos, tasks, 3))
    assert read_tasks("ranking.csv") == tasks


def test_members_weigh_the_same_unless_told(folder):
    assert rank("--embeddings", "a.parquet", "--embeddings", "b.parquet") == 0
    photos = Catalogue.read("photos.csv")
    assert_written(rank_tasks(ensemble(a=0.5, b=0.5), photos, tasks_from(photos)))


def test_rerank(folder):
    assert rank("--embeddings", "a.parquet", "--rerank", "expand") == 0
    photos = Catalogue.read("photos.csv")
    assert_written(rank_tasks(ensemble(a=1), photos, tasks_from(photos), rerank=Expand()))


def test_rerank_with_options(folder):
    assert rank("--embeddings", "a.parquet", "--rerank", "expand:weights=0.5+0.5,power=3,anchors=chain") == 0
    photos = Catalogue.read("photos.csv")
    reranker = Expand(weights=(0.5, 0.5), power=3, anchors="chain")
    assert_written(rank_tasks(ensemble(a=1), photos, tasks_from(photos), rerank=reranker))
    assert rank("--embeddings", "a.parquet", "--rerank", "none", "--force") == 0
    assert_written(rank_tasks(ensemble(a=1), photos, tasks_from(photos)))


def test_rules_by_name(folder, capsys):
    pd.read_csv("photos.csv").assign(date=[f"2020-01-{i + 1:02d}" for i in range(N)]).to_csv("photos.csv", index=False)
    given = ["--rule", "within-days:days=4", "--rule", "beyond-days:days=1", "--exclude", "encounter"]
    assert rank("--embeddings", "a.parquet", *given, "--json") == 0
    photos = Catalogue.read("photos.csv")
    tasks = tasks_from(photos, exclude=["encounter"], rules=["within-days:days=4", "beyond-days:days=1"])
    assert_written(rank_tasks(ensemble(a=1), photos, tasks))
    assert read_tasks("ranking.csv") == tasks
    said = capsys.readouterr()
    assert json.loads(said.out)["rules"] == tasks[0].rules.to_list()
    assert ", ".join(tasks[0].rules.in_words()) in said.err
    for rule, says in (("within-days", "needs days"), ("within-days:days=x", "days is 'x'"), ("near", "is unknown")):
        assert rank("--embeddings", "a.parquet", "--rule", rule, "--force") == 2
        assert f"'--rule': rule '{rule.partition(':')[0]}'" in (said := capsys.readouterr().err)
        assert says in said
    assert rank("--embeddings", "a.parquet", "--rule", "within-days:days=-1", "--force") == 2
    assert "whalereid: rule 'within-days': " in capsys.readouterr().err


def test_parquet(folder):
    assert run(["rank", "--embeddings", "a.parquet", "--catalogue", "photos.csv", "--out", "sub/r.parquet"]) == 0
    assert len(Ranking.read("sub/r.parquet")) == N
    assert Path("sub/r.parquet.task.json").is_file()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.txt", "p03\n\n p05 \n"),
        ("q.csv", "image_id\np03\np05\n"),
        ("q.csv", "query_image_id,other\np03,1\np05,2\n"),
    ],
)
def test_queries_and_database_from_files(folder, name, content):
    Path(name).write_text(content)
    Path("d.csv").write_text("database_image_id\np07\np05\np01\n")
    assert rank("--embeddings", "a.parquet", "--queries", name, "--database", "d.csv") == 0
    assert_written(ensemble(a=1).rank(["p03", "p05"], ["p07", "p05", "p01"]))


def test_query_ids_of_their_own(folder):
    Path("q.csv").write_text("query_id,query_image_id\ns-1,p03\n")
    assert rank("--embeddings", "a.parquet", "--queries", "q.csv") == 0
    names = Catalogue.read("photos.csv").image_ids
    assert_written(ensemble(a=1).rank(["p03"], names, query_ids=["s-1"]))
    (task,) = read_tasks("ranking.csv")
    assert (task.query_ids, task.query_images, len(task.database_images)) == (("s-1",), ("p03",), N)


def test_scenarios_of_a_competitions_folder(folder, capsys):
    for name in ("queries", "databases"):
        Path("comp", name).mkdir(parents=True)
    pd.read_csv("photos.csv").to_csv("comp/metadata.csv", index=False)
    Path("comp/query_scenarios.csv").write_text(
        "scenario_id,queries_path,database_path\n"
        "scenario01,queries/scenario01.csv,databases/scenario01.csv\n"
        "scenario02,queries/scenario02.csv,databases/scenario02.csv\n"
    )
    Path("comp/queries/scenario01.csv").write_text("query_id,query_image_id\nscenario01-p01,p01\nscenario01-p02,p02\n")
    Path("comp/queries/scenario02.csv").write_text("query_id,query_image_id\nscenario02-p01,p01\n")
    Path("comp/databases/scenario01.csv").write_text("database_image_id\np05\np01\n")
    Path("comp/databases/scenario02.csv").write_text("database_image_id\np01\n")
    assert run(["rank", "--embeddings", "a.parquet", "--catalogue", "comp", "--out", "ranking.csv"]) == 0
    got = pd.read_csv("ranking.csv")
    assert got["query_id"].tolist() == ["scenario01-p01", "scenario01-p02", "scenario01-p02"]
    assert [len(task.query_ids) for task in read_tasks("ranking.csv")] == [2, 1]
    said = capsys.readouterr().err
    assert "3 queries in 2 scenarios" in said
    assert "1 of them have no candidate" in said


def test_evaluate_finds_the_task(folder, capsys):
    table = pd.read_csv("photos.csv").assign(identity=[f"i{i % 4}" for i in range(N)])
    table.to_csv("photos.csv", index=False)
    assert rank("--embeddings", "a.parquet", "--exclude", "encounter") == 0
    assert run(["evaluate", "ranking.csv", "--catalogue", "photos.csv", "--json", "--resamples", "0"]) == 0
    assert '"mAP@20"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--embeddings", "none.parquet"], "none.parquet"),
        (["--embeddings", "photos.csv"], "photos.csv"),
        (["--embeddings", "few.parquet"], "few.parquet.*p05"),
        (["--embeddings", "a.parquet", "--weights", "1", "--weights", "2"], "--weights has 2 for 1"),
        (["--embeddings", "a.parquet", "--weights", "-1"], "weight"),
        (["--embeddings", "a.parquet", "--weights", "x"], "--weights"),
        (
            ["--embeddings", "a.parquet", "--rerank", "best"],
            "'--rerank': re-ranker 'best' is unknown; choose from expand",
        ),
        (["--embeddings", "a.parquet", "--exclude", "sea"], "'sea'"),
        (["--embeddings", "a.parquet", "--match", "encounter", "--match", "sea"], "'sea'"),
        (["--embeddings", "a.parquet", "--k", "0"], "'-k': 0; give a whole number from 1"),
        (["--embeddings", "a.parquet", "--queries", "no.csv"], "no.csv"),
        (["--embeddings", "a.parquet", "--queries", "bad.csv"], "bad.csv.*query_image_id or image_id"),
        (["--embeddings", "a.parquet", "--queries", "gap.csv"], "gap.csv, row 2"),
        (["--embeddings", "a.parquet", "--queries", "twice.txt"], "p01"),
        (["--embeddings", "a.parquet", "--database", "twice.txt"], "p01"),
        (["--embeddings", "a.parquet", "--queries", "absent.txt"], "z99"),
        (["--embeddings", "a.parquet", "--queries", "bytes.txt"], "UTF-8"),
        (["--embeddings"], "embeddings"),
        ([], "embeddings"),
    ],
)
def test_refusals(folder, capsys, words, message):
    Embeddings.from_numpy([f"p{i:02d}" for i in range(5)], np.eye(5)).write("few.parquet")
    Path("bad.csv").write_text("photo\np01\n")
    Path("gap.csv").write_text("image_id,x\np01,1\n,2\n")
    Path("twice.txt").write_text("p01\np01\n")
    Path("absent.txt").write_text("p01\nz99\n")
    Path("bytes.txt").write_bytes(b"\xff\xfe\xfa")
    assert rank(*words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    last = said.err.strip().splitlines()[-1]
    assert last.startswith("whalereid: ")
    assert re.search(message, last), last
    assert not list(folder.glob("ranking*"))


def test_out_wants_a_known_kind(folder, capsys):
    assert run(["rank", "--embeddings", "a.parquet", "--catalogue", "photos.csv", "--out", "ranking.xlsx"]) == 2
    assert "a ranking is written with a name that ends in" in capsys.readouterr().err


def test_help_shows_an_example(capsys):
    assert run(["rank", "--help"]) == 0
    assert "Example: whalereid rank --embeddings" in " ".join(capsys.readouterr().out.split())
