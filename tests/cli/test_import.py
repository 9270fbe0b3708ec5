from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from whalereid.catalogue import Catalogue
from whalereid.cli.app import run

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def survey(belugas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rendered belugas under a table with columns of its own; one works in the folder around."""
    folder = tmp_path / "survey"
    folder.mkdir()
    (folder / "images").symlink_to(belugas / "images")
    frame = Catalogue.read(belugas).frame
    frame = frame[["image_id", "identity", "viewpoint"]].set_axis(["Photo, No", "Animal", "Side"], axis="columns")
    frame.to_csv(folder / "table.csv", index=False)
    book = openpyxl.Workbook()
    for row in [list(frame), *frame.fillna("").itertuples(index=False)]:
        book.active.append([*row])
    book.create_sheet("Notes").append(["by", "Ana"])
    book.save(folder / "table.xlsx")
    monkeypatch.chdir(tmp_path)
    return folder


def answer(*words: str, capsys: Captured) -> tuple[int, str, str]:
    status = run(["import", *words])
    return (status, *capsys.readouterr())


@pytest.mark.parametrize(
    "columns",
    [
        ["--columns", "image_id=Photo, No,identity=Animal,viewpoint=Side"],
        ["--columns", "image_id=Photo, No", "--columns", "identity=Animal , viewpoint = Side"],
    ],
)
def test_a_table_and_what_it_became(survey: Path, capsys: Captured, columns: list[str]) -> None:
    status, out, err = answer("survey/table.csv", *columns, "--out", "cat", capsys=capsys)
    assert status == 0
    photos = Catalogue.read("cat")
    assert out == (
        f"cat/metadata.csv: {len(photos):,} photos, {photos.n_identities:,} identities; columns image_id, path, "
        "identity, viewpoint\n"
    )
    assert err == "path was found by image_id, below survey\n"
    assert all(path.is_file() for path in photos.paths)
    assert run(["check", "--catalogue", "cat", "--no-photos"]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("photos lie in survey, as import.json says\n")
    assert "missing" not in out


def test_endless_and_many_columns_are_told_in_a_line_that_can_be_read(survey: Path, capsys: Captured) -> None:
    lines = (survey / "table.csv").read_text().splitlines()
    more = ["x" * 40_000, *(f"c{n}" for n in range(500))]
    wide = [f"{line},{','.join(more if row == 0 else ['1'] * 501)}" for row, line in enumerate(lines)]
    (survey / "wide.csv").write_text("\n".join(wide))
    status, out, _ = answer("survey/wide.csv", "--columns", "image_id=Photo, No", "--out", "cat", capsys=capsys)
    assert status == 0
    assert len(out) < 1000
    assert "c14 and 485 more" in out
    assert "x" * 40_000 in Catalogue.read("cat").columns


def test_json_is_one_object(survey: Path, capsys: Captured) -> None:
    words = ["survey/table.csv", "--columns", "image_id=Photo, No", "--out", "cat", "--json", "--quiet"]
    status, out, err = answer(*words, capsys=capsys)
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert (told["out"], told["identities"], told["root"]) == ("cat/metadata.csv", 0, "survey")
    assert told["columns"] == ["image_id", "path", "Animal", "Side"]
    assert told["notes"][1].startswith("did you mean identity=Animal,viewpoint=Side?")


def test_a_sheet_and_photos_elsewhere(survey: Path, capsys: Captured) -> None:
    words = ["survey/table.xlsx", "--columns", "image_id=Photo, No,identity=Animal", "--out", "cat"]
    status, out, err = answer(*words, capsys=capsys)
    assert (status, out) == (2, "")
    assert "has several sheets (Sheet, Notes); name one with --sheet NAME" in err
    assert answer(*words, "--sheet", "Sheet", "--photos", "survey/images", capsys=capsys)[0] == 0
    assert all(path.is_file() for path in Catalogue.read("cat").paths)
    assert Catalogue.read("cat").root == Path("survey/images")


def test_what_force_overwrites_is_said(survey: Path, capsys: Captured) -> None:
    words = ["survey/table.csv", "--columns", "image_id=Photo, No", "--out", "cat"]
    assert answer(*words, capsys=capsys)[0] == answer(*words, capsys=capsys)[0] == 0
    with Path("cat/metadata.csv").open("a") as file:
        file.write("\n")
    status, _, err = answer(*words, capsys=capsys)
    assert status == 2
    assert "metadata.csv: is there already, and isn't as an import has written it" in err
    status, _, err = answer(*words, "--force", capsys=capsys)
    assert status == 0
    assert err.startswith(
        "Warning: --force: cat is metadata.csv, not as an import has written it, and is overwritten\n"
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("absent.csv --out cat", "absent.csv: no such file or folder"),
        ("survey/table.csv", "Missing option '--out'"),
        ("--out cat", "Missing argument 'SOURCE'"),
        ("survey/table.csv more --out cat", "unexpected extra argument"),
        (
            "survey/table.csv --out cat --columns identity",
            "'identity': write KNOWN=COLUMN, such as identity=Id",
        ),
        ("survey/table.csv --out cat --columns =Animal", "--columns '=Animal': write KNOWN=COLUMN"),
        ("survey/table.csv --out cat --columns identity=", "--columns 'identity=': write KNOWN=COLUMN"),
        ("survey/table.csv --out cat --columns identity=a --columns identity=b", "identity is given twice"),
        ("survey/table.csv --out cat --columns identity=a identity=b", "takes one value; repeat it for more"),
        ("survey/table.csv --out cat --columns idntity=Animal", "know no 'idntity'; did you mean identity=Animal?"),
        ("survey/table.csv --out cat --columns identity=animal", "did you mean identity=Animal? It has"),
        ("survey/table.csv --out cat --layout tabel", "layout 'tabel' is unknown; did you mean 'table'?"),
        ("survey/table.csv --out cat --layout table:sheets=a", "layout 'table' has no option 'sheets'; it has photos"),
        (
            "survey/table.csv --out cat --layout folders --identity name",
            "no option 'identity'; it has none",
        ),
        ("survey/table.csv --out cat --min-conf 0.2", "layout 'table' has no option 'min_conf'"),
        ("survey/table.csv --out cat --min-conf 2", "'--min-conf': 2; give a number from 0 to 1"),
        ("survey/table.csv --out cat --photos absent", "absent: no such folder"),
        ("survey/table.csv --out cat --photos survey/table.csv", "no such folder; give the one that holds the photos"),
        ("survey/table.csv --out cat --sheet Photos", "has no sheets, as Excel files have"),
        ("survey/table.csv --out survey/table.csv", "is a file; a catalogue is written to a folder"),
        ("survey --out survey", "is what is imported, which an import never changes"),
    ],
)
def test_refusals(survey: Path, words: str, says: str, capsys: Captured) -> None:
    status, out, err = answer(*words.split(), capsys=capsys)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert says in err
    assert not Path("cat").exists()


def test_refusals_load_no_pandas_and_imports_no_torch(survey: Path) -> None:
    def loaded(*words: str) -> set[str]:
        code = f"import sys; from whalereid.cli.app import run; run(['import', *{words!r}]); "
        code += "print(*sys.modules, file=sys.stderr)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return set(done.stderr.split())

    for words in (["absent.csv"], ["survey/table.csv", "--columns", "identity"], ["survey/table.csv", "--layout", "x"]):
        assert "pandas" not in loaded(*words, "--out", "cat")
    assert "torch" not in loaded("survey/table.csv", "--columns", "image_id=Photo, No", "--out", "cat")
    assert Path("cat/metadata.csv").is_file()
