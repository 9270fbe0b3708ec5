"""From training to score: what was trained on is not asked for unasked, and never scored without a word."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue, TrainedOn
from whalereid.cli.app import run
from whalereid.embeddings import Embeddings
from whalereid.ranking import Ranking, read_tasks, read_trained_on

N = 48


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """48 photos of 6 animals, 4 of them trained on; folds by identity; vectors that know the trained animals well."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    identity = np.repeat(["ann", "bob", "cid", "dot", "eve", "fay"], N // 6)
    ids = [f"p{i:02d}" for i in range(N)]
    frame = pd.DataFrame({"image_id": ids, "path": [f"{i}.jpg" for i in ids], "identity": identity})
    frame.to_csv("photos.csv", index=False)
    fold = np.where(identity == "eve", 0, np.where(identity == "fay", 1, 2))
    pd.DataFrame({"image_id": ids, "fold": fold}).to_csv("folds.csv", index=False)
    photos = Catalogue.read("photos.csv")
    noise = np.where(fold < 2, 3.0, 0.1)[:, None]
    vectors = rng.standard_normal((6, 8))[photos.labels()] + noise * rng.standard_normal((N, 8))
    learnt = TrainedOn.of(photos[fold == 2], chosen_by=photos[fold == 1])
    Embeddings(photos.image_ids, vectors, {"trained_on": learnt.to_dict()}).write("known.parquet")
    Embeddings(photos.image_ids, vectors).write("untold.parquet")
    return tmp_path


def rank(*words: str, emb: str = "known.parquet") -> int:
    return run(["rank", "--embeddings", emb, "--catalogue", "photos.csv", "--out", "ranking.csv", *words])


def evaluated(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    capsys.readouterr()
    assert run(["evaluate", "ranking.csv", "--catalogue", "photos.csv", "--json", *words]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_by_default_only_what_was_not_trained_on_is_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rank() == 0
    assert "32 photos were trained on and aren't asked for (--queries all asks for them too)" in capsys.readouterr().err
    [task] = read_tasks("ranking.csv")
    assert list(task.query_images) == [f"p{i:02d}" for i in range(32, N)]
    assert len(task.database_images) == N
    told = evaluated(capsys)
    assert told["queries"] == 16
    assert list(told["seen"]) == ["unseen"]  # type: ignore[call-overload]
    assert "no query is of an animal that was trained on" in told["notes"]  # type: ignore[operator]
    assert any("chosen by 8 of these photos" in note for note in told["notes"])  # type: ignore[attr-defined]


def test_asked_for_all_the_same_seen_and_unseen_are_told_apart(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rank("--queries", "all") == 0
    assert "Warning: 32 of the 48 photos asked for were trained on" in capsys.readouterr().err
    told = evaluated(capsys)
    seen = told["seen"]
    assert isinstance(seen, dict)
    assert (seen["seen"]["queries"], seen["unseen"]["queries"]) == (32, 16)
    assert seen["seen"]["mAP@20"] > 0.9 > seen["unseen"]["mAP@20"]
    assert run(["evaluate", "ranking.csv", "--catalogue", "photos.csv"]) == 0
    out, err = capsys.readouterr()
    assert "by seen" in out
    assert "Warning: 32 of 48 queries are of animals that were trained on, 32 of them the very photos" in err
    assert f"{seen['unseen']['mAP@20']:.4f} on animals never seen" in err


def test_a_fold_can_be_asked_for_among_all_or_within(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rank("--folds", "folds.csv", "--fold", "0") == 0
    [task] = read_tasks("ranking.csv")
    assert list(task.query_images) == [f"p{i:02d}" for i in range(32, 40)]
    assert len(task.database_images) == N
    assert rank("--folds", "folds.csv", "--fold", "0", "--database", "fold") == 0
    [task] = read_tasks("ranking.csv")
    assert task.query_images == task.database_images
    assert rank("--folds", "folds.csv", "--fold", "2") == 0
    assert "Warning: 32 of the 32 photos asked for were trained on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--folds", "folds.csv"), "--folds folds.csv needs --fold K"),
        (("--fold", "0"), "--fold 0 needs --folds FILE"),
        (("--fold", "7", "--folds", "folds.csv"), "no fold 7"),
        (("--fold", "0", "--folds", "folds.csv", "--queries", "all"), "give one of them"),
        (("--database", "fold"), "--database fold needs --fold K"),
    ],
)
def test_folds_half_named_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert rank(*words) == 2
    assert said in capsys.readouterr().err
    assert not Path("ranking.csv").exists()


def test_nothing_left_to_ask_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = Catalogue.read("photos.csv")
    vectors = Embeddings.read("known.parquet")
    everything = {"trained_on": TrainedOn.of(photos).to_dict()}
    Embeddings(vectors.ids, vectors.vectors, everything).write("all.parquet")
    assert rank(emb="all.parquet") == 2
    assert "all 48 photos were trained on" in capsys.readouterr().err


def test_where_it_is_not_known_that_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rank(emb="untold.parquet") == 0
    assert "isn't known, so every photo is asked for" in capsys.readouterr().err
    assert read_trained_on("ranking.csv") is None
    assert Ranking.read("ranking.csv").trained_on is None
    told = evaluated(capsys)
    assert told["seen"] is None
    assert any("what was trained on isn't known here" in note for note in told["notes"])  # type: ignore[attr-defined]
    Catalogue.read("photos.csv").filter(identity=["ann"]).write("train.csv")
    told = evaluated(capsys, "--train", "train.csv")
    assert told["seen"]["seen"]["queries"] == 8  # type: ignore[index]


def test_an_ensemble_was_trained_on_what_any_member_was(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vectors = Embeddings.read("known.parquet")
    other = TrainedOn.of(Catalogue.read("photos.csv").filter(identity="eve"))
    Embeddings(vectors.ids, vectors.vectors, {"trained_on": other.to_dict()}).write("other.parquet")
    assert rank("--embeddings", "other.parquet") == 0
    [task] = read_tasks("ranking.csv")
    assert list(task.query_images) == [f"p{i:02d}" for i in range(40, N)]


def test_no_headline_without_its_base(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.read_csv("photos.csv").assign(identity=[*(f"x{i}" for i in range(N - 2)), "ann", "ann"])
    frame.to_csv("photos.csv", index=False)
    assert rank("--queries", "all") == 0
    capsys.readouterr()
    words = ["evaluate", "ranking.csv", "--catalogue", "photos.csv"]
    assert run(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "over 2 of 48 queries (46 have no match among their candidates under these rules)" in err
    assert "at least 10 are wanted (--min-queries N takes fewer)" in err
    assert run([*words, "--min-queries", "2"]) == 0
    assert "over 2 of 48 queries (46 have no match" in capsys.readouterr().out
