from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from whalereid.cli.app import run

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def photos(belugas: Path, tmp_path: Path) -> Path:
    """A copy of the rendered belugas, to spoil."""
    return Path(shutil.copytree(belugas, tmp_path / "belugas"))


def test_what_a_clean_catalogue_prints(belugas: Path, capsys: Captured) -> None:
    assert run(["check", "--catalogue", str(belugas)]) == 0
    out, err = capsys.readouterr()
    for line in ("photos ", "identities ", "viewpoints ", "encounters ", "dates ", "scenarios ", "nothing wrong found"):
        assert line in out
    assert "reading photos" in err
    assert "reading photos" not in out


def test_findings_are_no_failure(photos: Path, capsys: Captured) -> None:
    first, second, third, *_ = sorted((photos / "images").iterdir())
    first.unlink()
    second.write_bytes(third.read_bytes())
    third.write_bytes(third.read_bytes()[:500])
    assert run(["check", "--catalogue", str(photos)]) == 0
    out = capsys.readouterr().out
    assert "photos that are missing: 1" in out
    assert f"{first.name}: no such file" in out
    assert "files that can't be read as photos: 1" in out
    assert f"{third.name}: the photo is cut short" in out


def test_json_is_one_object_and_nothing_else(photos: Path, capsys: Captured) -> None:
    next((photos / "images").iterdir()).unlink()
    assert run(["check", "--catalogue", str(photos), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["photos"] > 0
    assert result["photos_read"] is True
    assert {finding["kind"]: finding["count"] for finding in result["findings"]}["missing-photos"] == 1


def test_the_table_alone(photos: Path, capsys: Captured) -> None:
    shutil.rmtree(photos / "images")
    assert run(["check", "--catalogue", str(photos), "--no-photos"]) == 0
    out, err = capsys.readouterr()
    assert "the photos themselves were not looked at" in out
    assert "missing" not in out
    assert err == ""


def test_a_forced_layout(photos: Path, capsys: Captured) -> None:
    assert run(["check", "--catalogue", str(photos), "--layout", "table", "--no-photos", "--json"]) == 0
    assert "scenarios" not in json.loads(capsys.readouterr().out)
    assert run(["check", "--catalogue", str(photos), "--layout", "tabel"]) == 2
    assert "layout is 'tabel'; choose from lila-test, coco, " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("image_id,path\n", "the table is empty"),
        ("image_id,file\na,a.jpg\n", "no column path"),
        ("image_id,path\na,a.jpg\na,b.jpg\n", "rows 1, 2: image_id 'a' is repeated"),
        ('image_id,path,bbox\na,a.jpg,"1,2"\n', "row 1, column bbox"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path: Path, capsys: Captured, text: str, message: str) -> None:
    (tmp_path / "photos.csv").write_text(text)
    assert run(["check", "--catalogue", str(tmp_path / "photos.csv")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("whalereid: ")
    assert "photos.csv" in err
    assert message in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos.csv"]


def test_nothing_there(tmp_path: Path, capsys: Captured) -> None:
    assert run(["check", "--catalogue", str(tmp_path / "nothing")]) == 2
    assert "nothing: no such file or folder" in capsys.readouterr().err
    for name in ("", "x" * 5000, "a\0b"):
        assert run(["check", "--catalogue", name]) == 2
        assert "no such file or folder" in capsys.readouterr().err
    assert run(["check", "--catalogue", str(tmp_path)]) == 2
    assert "holds no data set" in capsys.readouterr().err


def test_hostile_text_does_not_reach_the_terminal(tmp_path: Path, capsys: Captured) -> None:
    table = tmp_path / "photos.csv"
    table.write_text("image_id,path,identity\n\x1b[2Ja,a.jpg,\x1b]0;x\x07\n[red]b,b.jpg,[/red]\n")
    assert run(["check", "--catalogue", str(table)]) == 0
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "[/red]" in out
    table.write_text("image_id,path\x1b[2J\na,a\n")
    assert run(["check", "--catalogue", str(table)]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_the_help_shows_an_example(capsys: Captured) -> None:
    assert run(["check", "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example: whalereid check" in out
    for option in ("--layout", "--no-photos", "--json"):
        assert option in out


@pytest.mark.shared
def test_real_photos(shared: Path, capsys: Captured) -> None:
    assert run(["check", "--catalogue", str(shared / "data/nyala")]) == 0
    out = capsys.readouterr().out
    assert "photos      1,205" in out
    assert "identities with a single photo: 1" in out
    assert "repeat" not in out


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_strict_fails_after_the_report(photos: Path, capsys: Captured, form: list[str]) -> None:
    assert run(["check", "--catalogue", str(photos), "--strict", *form]) == 0
    capsys.readouterr()
    next((photos / "images").iterdir()).unlink()
    assert run(["check", "--catalogue", str(photos), *form]) == 0
    capsys.readouterr()
    assert run(["check", "--catalogue", str(photos), "--strict", *form]) == 2
    out = capsys.readouterr().out
    assert "photos that are missing" in out
    if form:
        assert json.loads(out)["rules"]


def test_what_folders_were_taken_for_is_said(tmp_path: Path, capsys: Captured) -> None:
    for number, name in enumerate(("2018", "2019")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{number}.jpg").write_bytes(b"x")
    assert run(["check", "--catalogue", str(tmp_path), "--no-photos"]) == 2
    assert "look like dates, not animals" in capsys.readouterr().err
    assert run(["check", "--catalogue", str(tmp_path), "--no-photos", "--layout", "folders", "--write"]) == 0
    out, err = capsys.readouterr()
    assert "each of the 2 folders was taken for an animal: 2018, 2019" in err
    assert "taken for an animal" not in out
    assert run(["check", "--catalogue", str(tmp_path), "--no-photos"]) == 0  # as would every other command
    assert "identities  2" in capsys.readouterr().out
    assert run(["check", "--catalogue", str(tmp_path), "--no-photos", "--layout", "folders", "--write"]) == 2
    assert "metadata.csv: is there already" in capsys.readouterr().err


def test_checking_a_table_loads_no_torch_and_a_bad_name_no_pandas(belugas: Path, tmp_path: Path) -> None:
    def loaded(path: Path) -> set[str]:
        code = f"import sys; from whalereid.cli.app import run; run(['check', {str(path)!r}, '--no-photos']); "
        code += "print(*sys.modules, file=sys.stderr)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return set(done.stderr.split())

    assert "torch" not in loaded(belugas)
    assert "pandas" not in loaded(tmp_path / "nothing")
