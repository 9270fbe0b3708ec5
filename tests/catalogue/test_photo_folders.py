"""Folders of photos: one for each animal, or of nobody's; what their names say, and what is asked about."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from whalereid.catalogue import Catalogue
from whalereid.catalogue.readers.folder_names import Said, what_it_seems
from whalereid.errors import WhalereidError


def refused(match: str, source: object, layout: str | None = None) -> None:
    with pytest.raises(WhalereidError, match=match) as error:
        Catalogue.read(source, layout)
    assert "\n" not in str(error.value)


def folders_of(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


# ----------------------------------------------------------------------------------------------- one for each animal


@pytest.fixture
def identities(tmp_path: Path) -> Path:
    root = tmp_path / "cows"
    for name in (
        "Berta/1.jpg", "Berta/1.png", "Berta/2019/2.JPG", "Anna/1.jpeg", "unknown/9.heic", "loose.jpg",
        "Berta/notes.txt", ".hidden/1.jpg", "Anna/._1.jpeg", "__MACOSX/Anna/1.jpg", "Anna/Thumbs.db",
    ):  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


@pytest.mark.parametrize("layout", [None, "folders"])
def test_one_folder_per_identity(identities: Path, layout: str | None) -> None:
    photos = Catalogue.read(identities, layout)
    found = dict(zip(photos.image_ids, photos.column("identity").fillna("-"), strict=True))
    assert found == {
        "loose": "-",
        "Anna/1": "Anna",
        "Berta/1.jpg": "Berta",
        "Berta/1.png": "Berta",
        "Berta/2019/2": "Berta",
        "unknown/9": "-",
    }
    assert all(path.is_file() for path in photos.paths)


def test_folders_inside_another(identities: Path, tmp_path: Path) -> None:
    (tmp_path / "around/more").mkdir(parents=True)
    shutil.move(str(identities), tmp_path / "around/more")
    photos = Catalogue.read(tmp_path / "around")
    assert photos.identities == ("Anna", "Berta")
    assert photos.root == tmp_path / "around/more/cows"


def test_a_link_back_up_is_not_followed(identities: Path) -> None:
    (identities / "Anna/up").symlink_to(identities)
    assert len(Catalogue.read(identities)) == 6


def test_a_single_identity(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "Anna/1.jpg")
    assert Catalogue.read(tmp_path).identities == ("Anna",)


def test_folders_that_hold_no_data_set(tmp_path: Path, draw: Callable[..., Path]) -> None:
    refused("holds no data set: no metadata.csv", tmp_path)
    refused("holds no photos", tmp_path, "photos")
    refused("1.jpg: is a photo; give the folder of the photos", draw(tmp_path / "1.jpg"))
    refused("holds photos, but no folder per identity; `whalereid check .* --layout photos` takes", tmp_path, "folders")
    draw(tmp_path / "images/1.jpg")
    refused("holds photos, but no metadata.csv", tmp_path)
    (tmp_path / "animals.csv").write_text("image_id,path\n")
    refused("no metadata.csv; if animals.csv is the table of photos, give its path", tmp_path)


def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "Anna").mkdir()
    name = b"caf\xe9.jpg"
    try:
        with open(bytes(tmp_path / "Anna") + b"/" + name, "wb") as file:  # noqa: PTH123
            file.write(b"x")
    except OSError:
        pytest.skip("this disk takes no such name")
    refused("is not UTF-8; rename it", tmp_path)


# ----------------------------------------------------------------------------- what is asked about, and what is said


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["train", "test", "val"], "parts of a split"),
        (["Training", "validation"], "parts of a split"),
        (["queries", "database"], "parts of a split"),
        (["gallery", "probe"], "parts of a split"),
        (["fold_0", "fold_1"], "parts of a split"),
        (["media", "Images"], "heaps of photos"),
        (["IMG_01", "IMG_02"], "heaps of photos"),
        (["DCIM"], "folders of a camera"),
        (["100CANON", "101MSDCF", "102_PANA"], "folders of a camera"),
        (["CAM1", "CAM2"], "folders of a camera"),
        (["camera_A", "Camera 02"], "folders of a camera"),
        (["2018", "2019"], "dates"),
        (["2019-05-01", "20190502"], "dates"),
        (["May 2019", "june_2019"], "dates"),
        (["left", "right", "front-left"], "viewpoints"),
        (["train", "test", "Anna"], "parts of a split"),
    ],
)
def test_folders_that_are_no_animals_are_taken_for_such_only_when_told(
    tmp_path: Path, names: list[str], kind: str
) -> None:
    root = folders_of(tmp_path / "data", *(f"{name}/{number}.jpg" for number, name in enumerate(names)))
    refused(
        rf"folders look like {kind}, not animals .*check --catalogue .*data --layout photos --write`.*"
        r"check --catalogue .*data --layout folders --write",
        root,
    )
    photos = Catalogue.read(root, "folders")
    assert photos.identities == tuple(sorted(names))
    assert kind in " ".join(photos.notes)


def test_a_split_with_animals_inside_names_the_folder_to_give(tmp_path: Path) -> None:
    root = folders_of(tmp_path, "train/Anna/1.jpg", "train/Berta/1.jpg", "test/Anna/2.jpg", "test/Cleo/1.jpg")
    refused(r"if the animals are the folders inside, give one \(.*/test\)", root)
    assert Catalogue.read(root / "train").identities == ("Anna", "Berta")


@pytest.mark.parametrize("names", [["Anna", "Cam", "Valentina", "Tess"], ["001", "0042", "1234"], ["T046B", "J35"]])
def test_folders_of_animals_are_taken_and_counted(tmp_path: Path, names: list[str]) -> None:
    root = folders_of(tmp_path, *(f"{name}/1.jpg" for name in names), "unknown/1.jpg")
    photos = Catalogue.read(root)
    assert photos.notes == (f"each of the {len(names)} folders was taken for an animal: {', '.join(sorted(names))}",)
    assert photos[:1].notes == photos.filter(identity=names[0]).notes == photos.assign(fold=0).notes == photos.notes


def test_one_odd_folder_among_many_is_noted(tmp_path: Path) -> None:
    root = folders_of(tmp_path, *(f"cow{number}/1.jpg" for number in range(50)), "test/1.jpg", "loose.jpg")
    first, odd, loose = Catalogue.read(root).notes
    assert first.startswith("each of the 51 folders was taken for an animal: cow0, cow1")
    assert odd == "taken for animals, too, though they look like parts of a split: test"
    assert loose == "1 photos lie in no folder, so are nobody's"


def test_deeper_folders_are_counted(tmp_path: Path) -> None:
    root = folders_of(tmp_path, "lion/Anna/1.jpg", "lion/Bob/1.jpg", "tiger/Cleo/1.jpg")
    assert "3 folders inside say nothing more: lion/Anna, lion/Bob, tiger/Cleo" in Catalogue.read(root).notes


def test_files_passed_over_are_counted_with_what_to_do(tmp_path: Path) -> None:
    root = folders_of(
        tmp_path,
        "Anna/1.jpg",
        "Anna/1.CR2",
        "Bob/2.cr2",
        "Bob/1.mov",
        "Bob/a.gif",
        "Bob/a.txt",
        "Bob/Thumbs.db",
        "Bob/b",
    )
    assert Catalogue.read(root).image_ids.tolist() == ["Anna/1", "Bob/2"]
    assert Catalogue.read(root).notes[1:] == (
        "1 raw files passed over, each beside a photo of its name",
        "videos passed over: Bob/1.mov; to take a frame a second of one: ffmpeg -i Bob/1.mov -vf fps=1 Bob/1-%05d.jpg",
        "files passed over: 1 .gif (save them as JPEG or PNG), 1 .txt, 1 without a suffix",
    )
    for suffix in ("gif", "zip"):
        refused(rf"files passed over: 1 \.{suffix} \(", folders_of(tmp_path / suffix, f"Anna/1.{suffix}"))
    for suffix in ("mp4", "avi"):
        root = folders_of(tmp_path / suffix, f"Anna/it's 1.{suffix}")
        refused(rf"no photos; videos passed over: Anna/it's 1\.{suffix}; .* ffmpeg -i 'Anna/it'\"'\"'s 1", root)


@pytest.mark.parametrize("suffix", ["jfif", "mpo"])
def test_jpegs_by_another_name_are_read(tmp_path: Path, draw: Callable[..., Path], suffix: str) -> None:
    draw(tmp_path / "Anna/1.jpg").rename(tmp_path / f"Anna/1.{suffix}")
    assert Catalogue.read(tmp_path).image_ids.tolist() == ["Anna/1"]


# -------------------------------------------------------------------------------------------------- what folders say


@pytest.mark.parametrize(
    ("way", "first", "said"),
    [
        ("Anna", 1, Said()),
        ("Anna/left", 1, Said("left")),
        ("Anna/Right_Flank", 1, Said("right")),
        ("Anna/side-left", 1, Said("left")),
        ("Anna/front right view", 1, Said("front-right")),
        ("Anna/UP", 1, Said("top")),
        ("left", 1, Said()),  # an animal's name, where it was said to be one
        ("Anna/flank", 1, Said()),
        ("Anna/Leftover", 1, Said()),
        ("Anna/2021-05-01", 1, Said(None, "Anna/2021-05-01", "2021-05-01")),
        ("Anna/2021_05_01 north", 1, Said(None, "Anna/2021_05_01 north", "2021-05-01")),
        ("Anna/20210501", 1, Said(None, "Anna/20210501", "2021-05-01")),
        ("Anna/7.8.2017", 1, Said(None, "Anna/7.8.2017", "7.8.2017")),
        ("Anna/25_4_2017", 1, Said(None, "Anna/25_4_2017", "25-4-2017")),
        ("Anna/2021", 1, Said()),
        ("Anna/2021-05", 1, Said()),
        ("Anna/2021-02-30", 1, Said()),
        ("Anna/120210501", 1, Said()),
        ("Anna/encounter-3", 1, Said(None, "Anna/encounter-3")),
        ("Anna/Enc3/raw", 1, Said(None, "Anna/Enc3")),
        ("Anna/sighting 2021-05-01/left", 1, Said("left", "Anna/sighting 2021-05-01", "2021-05-01")),
        ("Anna/encounter-3/2021-05-01", 1, Said(None, "Anna/encounter-3", "2021-05-01")),
        ("Anna/2021-05-01/encounter-3", 1, Said(None, "Anna/2021-05-01/encounter-3", "2021-05-01")),
        ("Anna/encounters/17", 1, Said(None, "Anna/encounters/17")),
        ("Anna/encounters", 1, Said()),
        ("Anna/seqoia", 1, Said()),
        ("CAM1/2021-05-01", 0, Said(None, "CAM1/2021-05-01", "2021-05-01")),
    ],
)
def test_what_the_names_of_folders_say(way: str, first: int, said: Said) -> None:
    assert Said.by(way.split("/"), first) == said


def test_viewpoints_encounters_and_dates_below_an_animal(tmp_path: Path) -> None:
    root = folders_of(
        tmp_path,
        "Anna/left flank/1.jpg",
        "Anna/2021-05-01/right/1.jpg",
        "Berta/2021-05-01/1.jpg",
        "Berta/best/1.jpg",
        "unknown/encounter-7/1.jpg",
    )
    photos = Catalogue.read(root)
    assert photos.identities == ("Anna", "Berta")
    table = photos.frame.set_index("image_id")[["viewpoint", "encounter", "date"]].fillna("-")
    assert table.T.to_dict("list") == {
        "Anna/2021-05-01/right/1": ["right", "Anna/2021-05-01", "2021-05-01"],
        "Anna/left flank/1": ["left", "-", "-"],
        "Berta/2021-05-01/1": ["-", "Berta/2021-05-01", "2021-05-01"],  # two animals need not have met
        "Berta/best/1": ["-", "-", "-"],
        "unknown/encounter-7/1": ["-", "unknown/encounter-7", "-"],
    }
    assert photos.dates()[0] == np.datetime64("2021-05-01")
    assert photos.notes[1:] == (
        "viewpoints were read from the names of folders: left, right",
        "encounters were read from the names of 3 folders: Anna/2021-05-01, Berta/2021-05-01, unknown/encounter-7, "
        "dates from 2021-05-01",
        "1 folders inside say nothing more: Berta/best",
    )


def test_days_that_do_not_show_their_month_are_left_unread(tmp_path: Path) -> None:
    photos = Catalogue.read(folders_of(tmp_path, "Anna/3-4-2017/1.jpg", "Bob/5-6-2017/1.jpg"))
    assert photos.column("encounter").nunique() == 2
    assert np.isnat(photos.dates()).all()
    assert "left unread" in photos.notes[-1]


@pytest.mark.parametrize("name", ["Encounter 3", "encounters", "sighting_2021", "left flank", "Visit2"])
def test_what_names_no_animal(name: str) -> None:
    assert what_it_seems(name) in ("encounters", "viewpoints")


# ------------------------------------------------------------------------------------------------------ nobody's


@pytest.mark.parametrize("layout", [None, "photos"])
def test_a_flat_folder_of_photos(tmp_path: Path, layout: str | None) -> None:
    root = folders_of(tmp_path, "DSC_1.JPG", "DSC_2.jpg", "DSC_2.png", "é.jpeg", "film.mp4", "notes/read.txt")
    photos = Catalogue.read(root, layout)
    assert photos.image_ids.tolist() == ["DSC_1", "DSC_2.jpg", "DSC_2.png", "é"]
    assert photos.columns == ["image_id", "path"]
    assert photos.n_identities == 0
    assert all(path.is_file() for path in photos.paths)
    assert photos.notes[0] == "no names: each of the 4 photos was taken as nobody's"
    assert photos.notes[1].startswith("videos passed over: film.mp4")


def test_a_table_beside_the_photos_is_asked_about(tmp_path: Path) -> None:
    root = folders_of(tmp_path / "of mine", "1.jpg", "animals.csv")
    refused("if animals.csv is the table of photos, give its path; .*--catalogue '.*of mine' --layout photos", root)
    assert len(Catalogue.read(root, "photos")) == 1


def test_any_tree_is_nobodys_where_that_is_said(tmp_path: Path) -> None:
    root = folders_of(tmp_path, "CAM1/2021-05-01/1.jpg", "CAM1/2021-05-01/2.jpg", "CAM2/left/1.jpg", "0.jpg")
    refused("folders of a camera", root)
    photos = Catalogue.read(root, "photos")
    assert photos.image_ids.tolist() == ["0", "CAM1/2021-05-01/1", "CAM1/2021-05-01/2", "CAM2/left/1"]
    assert photos.column("encounter").fillna("-").tolist() == ["-", *["CAM1/2021-05-01"] * 2, "-"]
    assert photos.column("viewpoint").fillna("-").tolist() == ["-", "-", "-", "left"]
    assert photos.n_identities == 0


@pytest.mark.parametrize("names", [["creek/DCIM/100CANON", "ridge/DCIM/100CANON"], ["creek/CAM1", "ridge/CAM2", "hut"]])
def test_places_with_cameras_are_no_animals(tmp_path: Path, names: list[str]) -> None:
    root = folders_of(tmp_path / "data", *(f"{name}/1.jpg" for name in names))
    refused(rf"hold those of cameras \({names[0].rpartition('/')[0]}.*, so look like places, .*--layout photos", root)
    assert len(Catalogue.read(root, "folders").identities) == len(names)
    assert Catalogue.read(root, "photos").n_identities == 0


@pytest.mark.parametrize("name", [" 1.jpg", "a\\1.jpg"])
def test_names_that_a_table_would_change(tmp_path: Path, name: str) -> None:
    refused("begins with a space; rename it|holds a backslash", folders_of(tmp_path, name))


def test_links_that_lead_to_each_other_end(tmp_path: Path) -> None:
    root = folders_of(tmp_path, "Anna/1.jpg", "Berta/1.jpg")
    (root / "Anna/other").symlink_to(root / "Berta")
    (root / "Berta/other").symlink_to(root / "Anna")
    assert len(Catalogue.read(root)) == 4
