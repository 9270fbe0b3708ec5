from __future__ import annotations

import json
from pathlib import Path

import pytest

from whalereid.catalogue import Catalogue
from whalereid.cli.app import run

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("to", "name"),
    [("csv", "x.csv"), ("parquet", "x.parquet"), ("xlsx", "x.xlsx"), ("coco", "x.json"), ("camtrap-dp", "x")],
)
def test_every_format(belugas: Path, tmp_path: Path, capsys: Captured, to: str, name: str) -> None:
    out = tmp_path / "new" / name
    line = ["export", "--catalogue", str(belugas), "--to", to, "--out", str(out)]
    assert run([*line, "--json"]) == 0
    told, said = capsys.readouterr()
    photos = Catalogue.read(belugas)
    result = json.loads(told)
    assert (result["out"], result["photos"]) == (str(out), len(photos))
    assert result["to"] == {"name": to, "options": {}}
    assert said.splitlines() == [*result["notes"], f"written: {out}"]
    assert run(line) == 0  # an earlier one of ours is replaced


def test_predictions_are_identities(belugas: Path, tmp_path: Path, capsys: Captured) -> None:
    photos = Catalogue.read(belugas)
    photos.assign(identity="nanuq", path=[str(path.relative_to(belugas)) for path in photos.paths]).write(
        tmp_path / "predicted.csv"
    )
    line = [
        "export",
        "--catalogue",
        str(tmp_path / "predicted.csv"),
        "--to",
        "camtrap-dp",
        "--out",
        str(tmp_path / "x"),
    ]
    assert run(line) == 0
    assert "Camtrap DP needs what the catalogue doesn't say" in capsys.readouterr().err
    assert Catalogue.read(tmp_path / "x", f"camtrap-dp:photos={belugas}").identities == ("nanuq",)


def test_force_says_what_it_overwrites(belugas: Path, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "x.json"
    out.write_text("[]")
    line = ["export", "--catalogue", str(belugas), "--to", "coco", "--out", str(out)]
    assert run(line) == 2
    assert "is there already, and is a .json file" in capsys.readouterr().err
    assert out.read_text() == "[]"
    assert run([*line, "--force", "--quiet"]) == 0
    assert capsys.readouterr().err == f"Warning: --force: {out} is a .json file, and is overwritten\n"


def test_what_is_read_is_never_overwritten(belugas: Path, tmp_path: Path, capsys: Captured) -> None:
    table = tmp_path / "photos.csv"
    Catalogue.read(belugas).write(table)
    before = table.read_bytes()
    assert run(["export", "--catalogue", str(table), "--to", "csv", "--out", str(table), "--force"]) == 2
    assert "is read by the same command" in capsys.readouterr().err
    assert table.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--catalogue", "none.csv", "--to", "csv", "--out", "x.csv"], "none.csv: no such file or folder"),
        (["--catalogue", "{}", "--to", "csv"], "Missing option '--out'"),
        (["--catalogue", "{}", "--out", "x.csv"], "Missing option '--to'"),
        (["--catalogue", "{}", "--to", "cvs", "--out", "x.csv"], "did you mean 'csv'"),
        (["--catalogue", "{}", "--to", "csv", "--out", "x.txt"], "ends in .csv"),
    ],
)
def test_refusals(
    belugas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, words: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["export", *(word.format(belugas) for word in words)]) == 2
    out, err = capsys.readouterr()
    assert says in err
    assert (out, err.count("\n")) == ("", 1)
    assert not [*tmp_path.iterdir()]
