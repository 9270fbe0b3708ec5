"""Data sets, photos and networks from elsewhere that are made to hurt: answered or refused, soon and in one line."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue, Encounters, export
from whalereid.catalogue.readers.trees import walk
from whalereid.cli.app import run
from whalereid.decoding import upright_size
from whalereid.decoding.exif import read_exif
from whalereid.errors import WhalereidError
from whalereid.models.hub_layout import read_plan
from whalereid.ranking import Ranking
from whalereid.reporting import write_matches

LONG = 100_000
SOON = 10  # seconds on a machine with much else to do; each took minutes


@contextmanager
def soon() -> Iterator[None]:
    began = time.perf_counter()
    yield
    assert time.perf_counter() - began < SOON


def photos(folder: Path, **columns: Any) -> Catalogue:
    folder.mkdir(exist_ok=True)
    for name in ("a", "b"):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((16, 16, 3), ord(name), np.uint8))
    frame = pd.DataFrame({"image_id": ["a", "b"], "path": ["a.png", "b.png"], "identity": "x", **columns})
    return Catalogue(frame, folder)


def coco(folder: Path, **fields: Any) -> Path:
    photos(folder)
    images = [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}]
    animals = [{"id": n, "image_id": n, "name": "x"} for n in (1, 2)]
    path = folder / "coco.json"
    path.write_text(json.dumps({"images": images, "annotations": animals, "categories": [], **fields}))
    return path


def test_names_of_absurdly_many_digits_are_no_numbers(tmp_path: Path) -> None:
    digits = "9" * 5000
    images = [{"id": n, "file_name": f"{digits}_{digits}{n}.jpg"} for n in (1, 2)]
    assert len(Catalogue.read(coco(tmp_path / "x", images=images))) == 2


def test_boxes_whose_area_is_beyond_floats_are_exported(tmp_path: Path) -> None:
    made = photos(tmp_path / "x", bbox=["0 0 1e200 1e200", "0 0 9 9"])
    export(made, tmp_path / "x" / "new.json", "coco")
    assert Catalogue.read(tmp_path / "x" / "new.json").column("bbox")[0] == (0, 0, 1e200, 1e200)


def test_whole_numbers_beyond_64_bits_stay_what_they_are() -> None:
    made = Catalogue(pd.DataFrame({"image_id": ["a"], "path": ["a"], "width": ["1e300"], "height": ["64"]}))
    assert made.column("width").tolist() == [1e300]
    assert made.column("height").dtype == np.int64


def test_many_kinds_of_detections_are_counted_not_listed(tmp_path: Path) -> None:
    photos(tmp_path / "x")
    wanted = {"category": "animal", "conf": 0.9, "bbox": [0, 0, 1, 1]}
    others = [wanted | {"category": f"kind {n}"} for n in range(5000)]
    path = tmp_path / "x" / "results.json"
    path.write_text(json.dumps({"images": [{"file": "a.png", "detections": [wanted, *others]}]}))
    assert "and 4992 more" in " ".join(Catalogue.read(path).notes)


def test_many_kinds_of_observations_are_counted_not_listed(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    photos(folder)
    (folder / "deployments.csv").write_text("deploymentID\nd\n")
    (folder / "media.csv").write_text("mediaID,deploymentID,filePath\nm,d,a.png\n")
    rows = "".join(f"o{n},d,m,kind{n}\n" for n in range(5000))
    head = "observationID,deploymentID,mediaID,observationType\no,d,m,animal\n"
    (folder / "observations.csv").write_text(head + rows)
    assert max(map(len, Catalogue.read(folder).notes)) < 1000


def test_endless_dates_are_looked_through_once(tmp_path: Path) -> None:
    dates = ["2020-01-01" + " " * LONG + "x", "2020-01-01 10:00"]
    with soon():
        assert Encounters().of(photos(tmp_path / "x", date=dates)).names.notna().tolist() == [False, True]
    with soon():
        export(photos(tmp_path / "x", date=["1:11" * LONG, "2020-01-01"]), tmp_path / "x" / "new", "camtrap-dp")


@pytest.mark.parametrize("page", ["license:" + " " * LONG + "#", "license: mit" + " " * LONG + "x#"])
def test_endless_licences_are_looked_through_once(tmp_path: Path, page: str) -> None:
    (tmp_path / "config.json").write_text('{"architecture": "resnet18"}')
    (tmp_path / "README.md").write_text(f"---\n{page}\n---\n")
    with soon():
        read_plan(tmp_path / "config.json", tmp_path / "README.md")


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"\x89PNG\r\n\x1a\n", bytes(1 << 20)),
        (b"RIFF\xff\xff\xff\xffWEBP", bytes(1 << 20)),
        (b"\0\0\0\x10ftypheic\0\0\0\0", b"\0\0\0\x08free" * (1 << 17)),
        (b"\xff\xd8", b"\xff" * (1 << 20)),
    ],
    ids=["png", "webp", "heic", "jpeg"],
)
def test_endless_heads_of_photos_are_given_up(tmp_path: Path, head: bytes, piece: bytes) -> None:
    path = tmp_path / "a.jpg"
    with path.open("wb") as file:
        file.write(head)
        for _ in range(200):
            file.write(piece)
    with soon():
        assert read_exif(path).date is None
    with soon(), pytest.raises(WhalereidError, match=r"a\.jpg"):
        upright_size(path)


def test_size_of_a_jpeg_whose_header_is_long(tmp_path: Path) -> None:
    plain = cv2.imencode(".jpg", np.zeros((20, 30, 3), np.uint8))[1].tobytes()
    comments = (b"\xff\xfe\xff\xff" + bytes(65_533)) * 5
    (tmp_path / "a.jpg").write_bytes(plain[:2] + comments + plain[2:])
    assert upright_size(tmp_path / "a.jpg") == (30, 20)


def test_links_that_lead_to_each_other_are_not_followed_for_ever(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"f{number}").mkdir()
        for other in range(12):
            (tmp_path / f"f{number}" / f"to{other}").symlink_to(f"../f{other}")
    with soon(), pytest.raises(WhalereidError, match="ways"):
        list(walk(tmp_path))


def test_a_link_to_itself_is_passed_over(tmp_path: Path) -> None:
    photos(tmp_path / "x")
    (tmp_path / "x" / "loop").symlink_to("loop")
    assert len(Catalogue.read(tmp_path / "x")) == 2


def test_a_report_takes_no_folder_for_its_own_by_a_name_alone(tmp_path: Path) -> None:
    ranking = Ranking([["b"]], [[0.5]], ["a"])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "report.json").write_text('{"mine": true}')
    with pytest.raises(WhalereidError, match=r"report\.json"):
        write_matches(ranking, photos(tmp_path / "x"), tmp_path / "mine")
    assert (tmp_path / "mine" / "report.json").read_text() == '{"mine": true}'


def test_a_report_deletes_no_photo_that_is_not_its_own(tmp_path: Path) -> None:
    ranking = Ranking([["b"]], [[0.5]], ["a"])
    write_matches(ranking, photos(tmp_path / "x"), tmp_path / "page")
    theirs = tmp_path / "page" / "photos" / "theirs.jpg"
    theirs.write_bytes(cv2.imencode(".jpg", np.zeros((20, 30, 3), np.uint8))[1].tobytes())
    stale = tmp_path / "page" / "photos" / "0123456789abcdef.jpg"
    ours = next((tmp_path / "page" / "photos").glob("*.jpg"))
    stale.write_bytes(next(path for path in ours.parent.glob("*.jpg") if path != theirs).read_bytes())
    write_matches(ranking, photos(tmp_path / "x"), tmp_path / "page")
    assert theirs.exists()
    assert not stale.exists()


@pytest.mark.parametrize(
    "line",
    [
        ["import", "", "--out", "cat"],
        ["import", "x/t.csv", "--out", ""],
        ["import", "x/t.csv", "--out", "cat", "--photos", ""],
        ["export", "--catalogue", "x/t.csv", "--to", "camtrap-dp", "--out", ""],
        ["start", ""],
        ["start", "x/t.csv", "--out", ""],
    ],
    ids=" ".join,
)
def test_an_empty_path_is_not_the_folder_one_is_in(
    line: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "x").write(tmp_path / "x" / "t.csv")
    before = sorted(tmp_path.rglob("*"))
    assert run(line) == 2
    assert "nothing" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_first_steps_with_photos_called_as_an_option_are_typed_as_a_path() -> None:
    from whalereid.cli.start import _typed

    assert [_typed(word) for word in (Path("--json"), "--json", Path("x"))] == ["./--json", "--json", "x"]


@pytest.mark.parametrize(
    "line",
    ["start x --layout scrolls", "report absent.csv --catalogue x --out page", "report x --catalogue no --out page"],
)
def test_what_can_not_be_is_one_line_before_the_first_step(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "x")
    assert run(line.split()) == 2
    assert capsys.readouterr().err.count("\n") == 1
