"""Importing: any table becomes a catalogue, which says what it was made of; the source stays as it is."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from whalereid.catalogue import Catalogue, check_import, import_catalogue
from whalereid.errors import WhalereidError

TABLE = "Image,Id,Side,Trip\n1,Nanuq,left,x\n2.jpg,,right,y\nC,Siku,left,\n"


def refused(match: str, *given: Any, **options: Any) -> None:
    with pytest.raises(WhalereidError, match=match) as error:
        import_catalogue(*given, **options)
    assert "\n" not in str(error.value)


def state(folder: Path) -> dict[str, str]:
    """Every file below a folder, by its digest."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    """A table with columns of its own, and its photos in folders."""
    folder = tmp_path / "survey"
    for name in ("photos/north/1.jpg", "photos/south/2.jpg", "photos/c.JPG"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    (folder / "table.csv").write_text(TABLE)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "cat"


COLUMNS = {"image_id": "Image", "identity": "Id", "viewpoint": "Side"}


def test_a_table_becomes_a_catalogue(survey: Path, out: Path) -> None:
    before = state(survey)
    made = import_catalogue(survey / "table.csv", out, columns=COLUMNS)
    assert made.image_ids.tolist() == ["1", "2.jpg", "C"]
    assert made.column("path").tolist() == ["photos/north/1.jpg", "photos/south/2.jpg", "photos/c.JPG"]
    assert made.notes == (f"path was found by image_id, below {survey}",)
    read = Catalogue.read(out)
    assert read.columns == ["image_id", "path", "identity", "viewpoint", "Trip"]
    pd.testing.assert_frame_equal(read.frame, made.frame)
    assert all(path.is_file() for path in read.paths)
    assert read.notes == (f"photos lie in {survey}, as import.json says",)
    assert state(survey) == before
    assert sorted(state(out)) == ["import.json", "metadata.csv"]


def test_what_was_made_of_what_is_kept(survey: Path, out: Path) -> None:
    import_catalogue(survey / "table.csv", out, columns=COLUMNS, options={"photos": str(survey)})
    noted = json.loads((out / "import.json").read_text())
    assert noted == {
        "format": "whalereid-import/1",
        "table": {"file": "metadata.csv", "sha256": state(out)["metadata.csv"]},
        "photos": "../survey",
        "source": {"path": "../survey/table.csv", "sha256": state(survey)["table.csv"]},
        "layout": {"name": "table", "options": {"photos": str(survey)}},
        "columns": COLUMNS,
    }


def test_the_whole_can_be_moved(survey: Path, out: Path, tmp_path: Path) -> None:
    import_catalogue(survey / "table.csv", out, columns=COLUMNS)
    (tmp_path / "moved").mkdir()
    for folder in (survey, out):
        shutil.move(folder, tmp_path / "moved" / folder.name)
    assert all(path.is_file() for path in Catalogue.read(tmp_path / "moved/cat").paths)


def test_a_linked_catalogue_finds_its_photos(survey: Path, out: Path, tmp_path: Path) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "deep/er/real").mkdir()
    out.symlink_to(tmp_path / "deep/er/real")
    import_catalogue(survey / "table.csv", out, columns=COLUMNS)
    assert all(path.is_file() for path in Catalogue.read(out).paths)


def test_beside_the_table_itself(survey: Path) -> None:
    import_catalogue(survey / "table.csv", survey, columns=COLUMNS)
    assert Catalogue.read(survey).notes == ()
    assert (survey / "table.csv").read_text() == TABLE


# ----------------------------------------------------------------------------------------------------- columns


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"identity": "Individual"}, "no column 'Individual' for identity; it has Image, Id, Side, Trip"),
        ({"identity": "id"}, r"no column 'id' for identity; did you mean identity=Id\? It has Image, Id"),
        ({"identity": "Ids"}, r"did you mean identity=Id\?"),
        ({"viewpoint": "flank"}, r"no column 'flank' for viewpoint; did you mean viewpoint=Side\?"),
        ({"identty": "Id"}, r"know no 'identty'; did you mean identity=Id\? There are image_id, path"),
        ({"whale_id": "Id"}, "catalogues call 'whale_id' identity; give identity=Id"),
        ({"Identity": "Id"}, "catalogues call 'Identity' identity; give identity=Id"),
        ({"weight": "Id"}, "know no 'weight'; .* others are kept as they are"),
        ({}, r"no column image_id or path; .*did you mean image_id=Image\? If so, give --columns image_id=Image"),
        ({"": "Id"}, "know no ''"),
        ({"identity": ""}, "no column '' for identity"),
        ({"identity": 7}, "columns is 7"),
        (["identity=Id"], "columns is"),
    ],
)
def test_columns_that_are_none(survey: Path, out: Path, columns: Any, message: str) -> None:
    refused(message, survey / "table.csv", out, columns=columns)
    assert not out.exists()


def test_probable_columns_are_asked_for(survey: Path, out: Path) -> None:
    (survey / "table.csv").write_text("image_id,path,Animal ID,Side\na,photos/c.JPG,x,left\n")
    made = import_catalogue(survey / "table.csv", out)
    assert made.notes == (
        "did you mean identity=Animal ID,viewpoint=Side? If so, give --columns 'identity=Animal ID,viewpoint=Side'",
    )
    assert "Animal ID" in made.columns


def test_a_column_may_mean_two_and_one_may_make_way(survey: Path, out: Path) -> None:
    (survey / "table.csv").write_text("File ,Name,identity\nphotos/c.JPG,Nanuq,old\n")
    columns = {"image_id": "File", "path": "File ", "identity": "Name"}
    made = import_catalogue(survey / "table.csv", out, columns=columns)
    assert made.frame.to_dict("records") == [
        {"image_id": "photos/c.JPG", "path": "photos/c.JPG", "identity": "Nanuq", "original_identity": "old"}
    ]
    assert made.notes == ("the table's own identity is kept as original_identity, since identity=Name was asked for",)


# ------------------------------------------------------------------------------------------------- ids and paths


def test_ids_come_from_paths(survey: Path, out: Path) -> None:
    (survey / "table.csv").write_text("path\nphotos/north/1.jpg\nphotos/c.JPG\nphotos/c.JPG\n")
    made = import_catalogue(survey / "table.csv", out)
    assert made.image_ids.tolist() == ["photos/north/1", "photos/c-1", "photos/c-2"]
    assert made.notes == ("image_id was taken from path",)


def test_photos_are_found_however_ids_name_them(survey: Path, out: Path) -> None:
    names = ["photos/north/1.jpg", r"photos\south\2", "./photos/c"]
    (survey / "table.csv").write_text("image_id\n" + "\n".join(names))
    paths = import_catalogue(survey / "table.csv", out).column("path").tolist()
    assert paths == ["photos/north/1.jpg", "photos/south/2.jpg", "photos/c.JPG"]


def test_photos_that_are_not_there_are_counted(survey: Path, out: Path) -> None:
    (survey / "table.csv").write_text("image_id\n1\n8\n9.png\n")
    made = import_catalogue(survey / "table.csv", out)
    assert made.column("path").tolist() == ["photos/north/1.jpg", "8.jpg", "9.png"]
    assert made.notes[1] == "2 of 3 photos aren't there (row 2: 8.jpg); `whalereid check` lists them"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_id,file\na,c.JPG\n", r"none of the 3 photos below .* such as 'a'; did you mean path=file\?"),
        ("image_id\na\n", "none of the 3 photos .*; the column of their paths is given with --columns path=COLUMN"),
        ("image_id,note\n1,x\n,y\n", "row 2: image_id is empty; every photo needs one"),
        ("image_id,path\n1,photos/c.JPG\n2,\n", "row 2: path is empty"),
        ("image_id,path\n1,a.jpg\n1,b.jpg\n", "rows 1, 2: image_id '1' is repeated"),
        (
            "image_id,path\n1,a.jpg\n2,../b.jpg\n3,/etc/passwd\n",
            r"row 2: the path '\.\./b\.jpg' leaves .*; 2 rows are so",
        ),
        ("image_id,path\n1,C:\\b.jpg\n", "row 1: the path .* leaves the photos' folder, .*--photos FOLDER"),
        ("image_id\n../x\n1\n", r"row 1: the path '\.\./x\.jpg' leaves"),
        ("image_id,path\n", "the table is empty"),
        ("", "the file is empty"),
        ("image_id,path,bbox\n1,a.jpg,7\n", "row 1, column bbox"),
        ("image_id,path,path\n1,a,b\n", "two columns are called path"),
    ],
)
def test_rows_that_cannot_be_used(survey: Path, out: Path, text: str, message: str) -> None:
    (survey / "table.csv").write_text(text)
    refused(message, survey / "table.csv", out)
    assert not out.exists()


def test_an_id_that_several_photos_have(survey: Path, out: Path) -> None:
    (survey / "photos/south/1.jpg").write_bytes(b"y")
    (survey / "table.csv").write_text("image_id\n2\n1\n")
    refused(
        r"row 2: 2 photos below .* are called '1' \(photos/north/1.jpg, photos/south/1.jpg\)", survey / "table.csv", out
    )


def test_whole_paths_below_the_photos_folder_become_relative(survey: Path, out: Path) -> None:
    (survey / "table.csv").write_text(f"path\n{survey}/photos/north/1.jpg\n")
    assert import_catalogue(survey / "table.csv", out).column("path").tolist() == ["photos/north/1.jpg"]


def test_photos_elsewhere(survey: Path, out: Path, tmp_path: Path) -> None:
    shutil.move(survey / "photos", tmp_path / "disk")
    refused("none of the 0 photos below", survey / "table.csv", out, columns=COLUMNS)
    refused(
        "photos is '.*nowhere': no such folder",
        survey / "table.csv",
        out,
        options={"photos": str(tmp_path / "nowhere")},
    )
    made = import_catalogue(survey / "table.csv", out, columns=COLUMNS, options={"photos": str(tmp_path / "disk")})
    assert made.root == tmp_path / "disk"
    assert all(path.is_file() for path in Catalogue.read(out).paths)
    assert Catalogue.read(out, f"table:photos={tmp_path}").root == tmp_path  # what is said now counts


# ------------------------------------------------------------------------------------------------ other sources


def test_any_layout_and_its_options(survey: Path, out: Path, coco: Path) -> None:
    made = import_catalogue(coco, out)
    assert made.image_ids[0] == "train0000"
    assert Catalogue.read(out).root == coco
    assert import_catalogue(survey / "photos", out, layout="photos").n_identities == 0
    assert import_catalogue(survey / "photos", out, layout="folders").identities == ("north", "south")
    assert json.loads((out / "import.json").read_text())["layout"] == {"name": "folders", "options": {}}
    refused("layout 'folders' has no option 'identity'; it has none", survey / "photos", out, options={"identity": "x"})
    refused("layout 'table' has no option 'min_conf'", survey / "table.csv", out, options={"min_conf": 0.2})
    refused("photos is given twice", survey / "table.csv", out, layout="table:photos=a", options={"photos": "b"})
    refused("options is 7", survey / "table.csv", out, options=7)


def test_scenarios_stay_behind(competition: Path, out: Path) -> None:
    made = import_catalogue(competition, out)
    assert "its 2 scenarios stay behind; only the table is imported" in made.notes
    assert Catalogue.read(out).scenarios == ()


def test_an_object_of_wildlife_datasets(survey: Path, out: Path) -> None:
    frame = pd.DataFrame({"image_id": [1], "path": ["photos/c.JPG"], "identity": ["Bob"]})
    import_catalogue(SimpleNamespace(metadata=frame, root=survey), out)
    assert Catalogue.read(out).identities == ("Bob",)
    assert json.loads((out / "import.json").read_text())["source"]["sha256"] is None


# ---------------------------------------------------------------------------------------------- what is replaced


def test_an_import_replaces_an_import_and_nothing_else(survey: Path, out: Path) -> None:
    source = survey / "table.csv"
    import_catalogue(source, out, columns=COLUMNS)
    import_catalogue(source, out, columns={"image_id": "Image"})
    assert Catalogue.read(out).n_identities == 0
    table = out / "metadata.csv"
    table.write_text(table.read_text().replace("Siku", "Sila"))  # by hand
    refused(
        "metadata.csv: is there already, and isn't as an import has written it; .*--force", source, out, columns=COLUMNS
    )
    assert check_import(out, source, force=True) == "metadata.csv, not as an import has written it"
    import_catalogue(source, out, columns=COLUMNS, force=True)
    (out / "import.json").unlink()
    refused("isn't as an import has written it", source, out, columns=COLUMNS)


@pytest.mark.parametrize("name", ["metadata.parquet", "Metadata.CSV", "metadata.tsv"])
def test_another_table_is_not_hidden(survey: Path, out: Path, name: str) -> None:
    out.mkdir()
    (out / name).write_text("image_id,path\na,a\n")
    refused(f"holds {name}, another table of photos", survey / "table.csv", out, columns=COLUMNS, force=True)


def test_the_source_is_never_written(survey: Path, out: Path, tmp_path: Path) -> None:
    for force in (False, True):
        refused("is what is imported", survey / "photos", survey / "photos", force=force)
        refused("is inside what is imported", survey / "photos", survey / "photos/cat", force=force)
    (survey / "table.csv").rename(survey / "metadata.csv")
    before = state(survey)
    for source in (survey, survey / "metadata.csv", tmp_path):
        refused(
            "is what is imported|is read by the same command|inside what", source, survey, columns=COLUMNS, force=True
        )
    out.symlink_to(survey)
    refused("is read by the same command", survey / "metadata.csv", out, columns=COLUMNS, force=True)
    assert state(survey) == before


def test_places_that_are_none(survey: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    refused("file: is a file; a catalogue is written to a folder", survey / "table.csv", tmp_path / "file")
    refused("out is empty", survey / "table.csv", "")
    refused("out is 7", survey / "table.csv", 7)
    refused("force is 'x'", survey / "table.csv", tmp_path / "cat", force="x")
    (tmp_path / "cat/import.json").mkdir(parents=True)
    for force in (False, True):
        refused("import.json", survey / "table.csv", tmp_path / "cat", columns=COLUMNS, force=force)


# ------------------------------------------------------------------------------------------ import.json, as it is read


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda noted: noted.update(photos="../gone"),
            r"import.json: the folder of the photos, '\.\./gone', isn't there",
        ),
        (lambda noted: noted.update(photos="../survey/table.csv"), "isn't there; bring it back, .*--photos FOLDER"),
        (lambda noted: noted.update(photos=7), "its 'photos' is 7, not the folder of the photos; import again"),
        (lambda noted: noted.update(photos=" "), "its 'photos' is ' '"),
        (lambda noted: noted.update(photos="a\0b"), "its 'photos' is"),
        (lambda noted: noted.update(photos="x" * 5000), "can't be read"),
        (lambda noted: noted.pop("photos"), "its 'photos' is None"),
        (lambda noted: noted.update(table=[]), "it names no table"),
        (lambda noted: noted.update(format="whalereid-import/2"), "has the form 'whalereid-import/2'; this version"),
    ],
)
def test_notes_that_are_broken(survey: Path, out: Path, change: Callable[[Any], Any], message: str) -> None:
    import_catalogue(survey / "table.csv", out, columns=COLUMNS)
    noted = json.loads((out / "import.json").read_text())
    change(noted)
    (out / "import.json").write_text(json.dumps(noted))
    with pytest.raises(WhalereidError, match=message) as error:
        Catalogue.read(out)
    assert "\n" not in str(error.value)
    assert Catalogue.read(out, f"table:photos={survey}").root == survey


def test_notes_cut_short_are_refused_and_those_of_others_passed_over(survey: Path, out: Path) -> None:
    import_catalogue(survey / "table.csv", out, columns=COLUMNS)
    notes = out / "import.json"
    notes.write_text(notes.read_text()[:200])
    with pytest.raises(WhalereidError, match=r"import\.json: isn't what `whalereid import` notes"):
        Catalogue.read(out)
    refused("isn't as an import has written it", survey / "table.csv", out, columns=COLUMNS)
    import_catalogue(survey / "table.csv", out, columns=COLUMNS, force=True)
    notes.write_text('{"photos": "/etc"}')
    assert Catalogue.read(out).root == out
    refused("isn't as an import has written it", survey / "table.csv", out, columns=COLUMNS)


def test_notes_are_of_every_table_in_the_folder(survey: Path, out: Path) -> None:
    import_catalogue(survey / "table.csv", out, columns=COLUMNS)
    (out / "other.csv").write_text("image_id,path\na,a\n")
    assert Catalogue.read(out / "other.csv").root == survey
    assert Catalogue.read(out / "metadata.csv").root == survey
