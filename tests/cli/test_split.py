"""`whalereid split`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from whalereid.catalogue import Catalogue
from whalereid.cli.app import run
from whalereid.splits import EncounterFolds, fold_table, read_folds


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A table of 6 animals, 3 encounters each on days of their own, 2 photos each."""
    shots = [(a, e, p) for a in range(6) for e in range(3) for p in range(2)]
    rows = {
        "image_id": [f"{a}{e}{p}" for a, e, p in shots],
        "path": [f"{a}{e}{p}.jpg" for a, e, p in shots],
        "identity": [f"w{a}" for a, _, _ in shots],
        "encounter": [f"{a}-{e}" for a, e, _ in shots],
        "date": [f"2020-0{e + 1}-1{a}" for a, e, _ in shots],
    }
    pd.DataFrame(rows).to_csv(tmp_path / "photos.csv", index=False)
    return tmp_path / "photos.csv"


def test_writes_folds_and_says_what_leaks(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "folds.csv"
    assert (
        run(
            ["split", "--catalogue", str(photos), "--by", "encounter", "--folds", "3", "--seed", "1", "--out", str(out)]
        )
        == 0
    )
    catalogue = Catalogue.read(photos)
    assert read_folds(out, catalogue).equals(
        fold_table(EncounterFolds(3, seed=1), catalogue).astype({"image_id": "str"})
    )
    said = capsys.readouterr()
    assert ["fold", "2", "24", "12", "6", "0%", "6"] in [line.split() for line in said.out.splitlines()]
    assert "same encounter" in said.out
    lines = said.err.splitlines()
    assert lines[0].startswith("No leakage found")
    assert lines[1] == f"Folds of 36 photos written to {out}."


def test_encounter_is_the_default_and_nothing_need_be_written(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(photos.parent.iterdir())
    assert run(["split", "--catalogue", str(photos)]) == 0
    assert "fold 4" in capsys.readouterr().out
    assert sorted(photos.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "split", "tested"),
    [
        (["--by", "photo", "--folds", "3"], "PhotoFolds(n_splits=3, seed=0)", 36),
        (["--by", "identity", "--folds", "2", "--seed", "4"], "IdentityFolds(n_splits=2, seed=4)", 36),
        (["--by", "date"], "DateSplit(date=None, test_share=0.2)", 8),
        (["--by", "date", "--from", "2020-02-15"], "DateSplit(date='2020-02-15', test_share=None)", 14),
        (["--by", "open-set", "--unseen", "0.5", "--test-share", "0.4"], None, 14),
    ],
)
def test_every_way_in_json(
    photos: Path, options: list[str], split: str | None, tested: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["split", "--catalogue", str(photos), *options, "--json"]) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert split is None or told["split"] == split
    assert sum(fold["photos"] for fold in told["folds"]) == tested
    assert said.err.strip().splitlines()[-1] == told["leakage"]["sentence"]
    assert told["leakage"]["sentence"].startswith("Leakage: " if "photo" in options else "No ")


def test_reports_on_a_table_of_folds(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folds = tmp_path / "folds.csv"
    ids = Catalogue.read(photos).image_ids[:-4]
    pd.DataFrame({"image_id": ids, "fold": [row % 2 for row in range(len(ids))]}).to_csv(folds, index=False)
    assert run(["split", "--catalogue", str(photos), "--use", str(folds)]) == 0
    said = capsys.readouterr()
    assert "4 of 36 photos are left out of every fold." in said.err
    assert "Leakage: 16 of the 16 encounters with several photos straddle folds, and all of each" in said.err


def test_looks_at_photos_when_asked(belugas: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["split", "--catalogue", str(belugas), "--by", "photo", "--photos", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    part = told["leakage"]["folds"]["0"]
    assert part["border"]["identity"] > part["border"]["identity_by_chance"]
    assert part["cues"]["bytes"]["photos"] == 0
    assert part["unread_photos"] == 0


@pytest.mark.shared
def test_speaks_of_the_published_folds(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folds = shared / "golden/model/top_folds.csv"
    assert run(["split", "--catalogue", str(shared / "data/whaledo/metadata.csv"), "--use", str(folds)]) == 0
    said = capsys.readouterr().err
    assert "468 of 5,902 photos are left out" in said
    assert "824 of the 840 encounters with several photos straddle folds, and 91–92% of each validation fold" in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--folds", "1"], "'--folds': 1; give a whole number from 2"),
        (["--folds", "99"], "99 folds by encounter need as many encounters, it has 18"),
        (["--by", "identity", "--folds", "7"], "7 folds by identity need as many identities, it has 6"),
        (["--by", "species"], "--by"),
        (["--by", "date", "--folds", "3"], "--folds: means nothing --by date; it takes --from, --test-share"),
        (["--by", "date", "--from", "2031-01-01"], "no photo is left to test"),
        (["--by", "date", "--from", "soon"], "'soon' is no date"),
        (["--by", "open-set", "--unseen", "2"], "'--unseen': 2; give a number from 0 to 1"),
        (["--seed", "-1"], "'--seed': -1; give a whole number from 0 to 4294967295"),
        (["--use", "photos.csv"], "photos.csv: no column fold"),
        (
            ["--use", "folds.csv", "--by", "date", "--seed", "1"],
            "leave out --by, --seed",
        ),
        (["--out", "photos.csv"], "photos.csv: is read by the same command"),
    ],
)
def test_refusals_are_one_line_and_leave_nothing(
    photos: Path, options: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    before = {path: path.read_bytes() for path in photos.parent.iterdir()}
    assert run(["split", "--catalogue", "photos.csv", *options]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert says in said.err
    assert not said.out
    assert {path: path.read_bytes() for path in photos.parent.iterdir()} == before


@pytest.mark.parametrize("rows", ["", "a,a,w\nb,b,w\n"])
def test_tables_with_nobody_to_tell_apart_are_refused(
    tmp_path: Path, rows: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "few.csv").write_text(f"image_id,path,identity\n{rows}")
    assert run(["split", "--catalogue", str(tmp_path / "few.csv"), "--by", "photo"]) == 2
    assert re.search("empty|one identity", capsys.readouterr().err)


def loaded_by(*arguments: str) -> tuple[str, set[str]]:
    """What the command says on stderr, and which modules it loads, in a process of its own."""
    code = "import sys; from whalereid.cli.app import run; run(sys.argv[1:]); print(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return done.stderr, set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--folds", "1"], "'--folds': 1"),
        (["--seed", "-1"], "'--seed': -1"),
        (["--by", "open-set", "--unseen", "2"], "'--unseen': 2"),
        (["--by", "open-set", "--test-share", "nan"], "'--test-share': nan"),
        (["--by", "date", "--folds", "3"], "--folds: means nothing --by date"),
        (["--by", "date", "--from", "2020-01-01", "--test-share", "0.2"], "--from and --test-share"),
        (["--use", "folds.csv", "--seed", "1"], "leave out --seed"),
        (["--use", "nowhere.csv"], "nowhere.csv: no such file"),
    ],
)
def test_what_needs_no_table_is_refused_before_one_is_looked_for(options: list[str], says: str) -> None:
    said, modules = loaded_by("split", "--catalogue", "no-such-table.csv", *options)
    assert says in said
    assert not {"pandas", "sklearn", "torch", "cv2"} & modules


def test_a_place_that_is_taken_is_refused_before_the_table_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.csv").write_text("a,b\n1,2\n")
    assert run(["split", "--catalogue", "no-such-table.csv", "--out", str(tmp_path / "mine.csv")]) == 2
    assert "mine.csv: is there already, and is a table of a, b" in capsys.readouterr().err


def test_torch_is_not_loaded(photos: Path) -> None:
    said, modules = loaded_by("split", "--catalogue", str(photos), "--folds", "3")
    assert said.startswith("No leakage found")
    assert "torch" not in modules


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["split", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "whalereid split --catalogue data/metadata.csv --by encounter --folds 5 --out folds.csv" in said
