"""Dates and positions from EXIF: of every kind of file, and of broken ones."""

from __future__ import annotations

import io
import json
import os
import struct
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_files import (
    DATE,
    EXACT,
    LONG,
    PLACE,
    RATIONAL,
    SHORT,
    TEXT,
    block,
    dng,
    heic,
    page,
    pillow,
    with_exif,
)
from whalereid.catalogue import Catalogue, fill_from_exif
from whalereid.cli.app import run
from whalereid.decoding import Exif, read_exif
from whalereid.errors import WhalereidError

WHEN, LATITUDE, LONGITUDE = "2019-05-06 10:11:12.34+02:00", -45.5004167, -73.5083333
JPEG = pillow("JPEG")


def cr3(exif: bytes = page(EXACT, 8), gps: bytes = page(PLACE, 8)) -> bytes:
    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + kind + content

    head = b"II*\0\x08\0\0\0"
    parts = b"".join(
        box(name, head + content)
        for name, content in {b"CMT1": page([(271, TEXT, "Canon")], 8), b"CMT2": exif, b"CMT4": gps}.items()
    )
    canon = box(b"uuid", bytes.fromhex("85c0b687820f11e08111f4ce462b6a48") + parts)
    return box(b"ftyp", b"crx \0\0\0\1crx isom") + box(b"moov", canon) + box(b"mdat", bytes(90))


def raf() -> bytes:
    inside = with_exif(JPEG, block())
    return b"FUJIFILMCCD-RAW 0201".ljust(84, b"\0") + struct.pack(">II", 200, len(inside)) + bytes(108) + inside


def bare(kind: str, exif: bytes) -> bytes:
    return pillow(kind, exif=exif)


KINDS = {
    "jpg": lambda: with_exif(JPEG, block()),
    "big-endian.jpg": lambda: with_exif(JPEG, block(order=">")),
    "behind.jpg": lambda: (
        with_exif(with_exif(JPEG, block()), b"")[:2] + b"\xff\xe1\0\x04XY" + with_exif(JPEG, block())[2:]
    ),
    "png": lambda: bare("PNG", block()),
    "webp": lambda: bare("WEBP", b"Exif\0\0" + block()),
    "avif": lambda: bare("AVIF", block()),
    "heic": lambda: heic(exif=b"Exif\0\0" + block()),
    "tiles.heic": lambda: heic(tile_size=64, exif=b"Exif\0\0" + block()),
    "tif": lambda: block(first=[(256, SHORT, 1)]),
    "dng": lambda: dng(exif=EXACT, gps=PLACE),
    "big-endian.dng": lambda: dng(exif=EXACT, gps=PLACE, order=">"),
    "cr3": cr3,
    "raf": raf,
    "orf": lambda: b"IIRO" + block()[4:],
    "rw2": lambda: b"IIU\0" + block()[4:],
}


@cache
def made(kind: str) -> bytes:
    return KINDS[kind]()


def read(data: bytes, folder: Path, name: str = "photo") -> Exif:
    (folder / name).write_bytes(data)
    return read_exif(folder / name)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file(kind: str, tmp_path: Path) -> None:
    found = read(made(kind), tmp_path)
    assert found.date == WHEN
    assert found.latitude == pytest.approx(LATITUDE, abs=1e-6)
    assert found.longitude == pytest.approx(LONGITUDE, abs=1e-6)
    assert not found.broken


def test_it_is_what_pillow_reads(tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.open(io.BytesIO(with_exif(JPEG, block()))).getexif()
    assert exif.get_ifd(0x8769)[36867] == "2019:05:06 10:11:12"
    assert [float(part) for part in exif.get_ifd(0x8825)[2]] == [45, 30, 1.5]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "JPEG2000", "BMP"])
def test_without_any(kind: str, tmp_path: Path) -> None:
    assert read(pillow(kind), tmp_path) == Exif()


@pytest.mark.parametrize(
    ("exif", "wanted"),
    [
        ([(36867, TEXT, "2019-05-06T10:11:12")], Exif("2019-05-06 10:11:12")),
        ([(36867, TEXT, "0000:00:00 00:00:00")], Exif()),
        ([(36867, TEXT, "    :  :     :  :  ")], Exif()),
        ([(36867, TEXT, "")], Exif()),
        ([(36867, TEXT, "2019:13:40 10:11:12")], Exif(broken=True)),
        ([(36867, TEXT, "2019:05:06 25:61:61")], Exif(broken=True)),
        ([(36867, TEXT, "last Tuesday")], Exif(broken=True)),
        ([(36867, TEXT, "2019:05:06 10:11:12\0\0\0garbage")], Exif("2019-05-06 10:11:12")),
        ([(36867, TEXT, b"\xff\xfe2019:05:06")], Exif(broken=True)),
        ([DATE, (37521, TEXT, "xy"), (36881, TEXT, "+2")], Exif("2019-05-06 10:11:12")),
        ([(36867, LONG, 2019)], Exif()),
    ],
)
def test_dates(exif: Any, wanted: Exif, tmp_path: Path) -> None:
    assert read(block(exif, ()), tmp_path) == wanted


def test_the_time_of_the_last_change_is_no_date(tmp_path: Path) -> None:
    assert read(block((), (), [(306, TEXT, "2020:01:01 00:00:00")]), tmp_path) == Exif(changed=True)


@pytest.mark.parametrize(
    ("gps", "latitude"),
    [
        ([(1, TEXT, "N"), (2, RATIONAL, [45, 30, 0]), (3, TEXT, "E"), (4, RATIONAL, [1, 0, 0])], 45.5),
        ([(1, TEXT, "n"), (2, RATIONAL, [Fraction(91, 2), 0, 0]), (3, TEXT, "e"), (4, RATIONAL, [1, 0, 0])], 45.5),
        ([(1, TEXT, "N"), (2, RATIONAL, [45, 30]), (3, TEXT, "E"), (4, RATIONAL, [1, 0])], 45.5),
        ([(1, TEXT, "N"), (2, RATIONAL, [0, 0, 0]), (3, TEXT, "E"), (4, RATIONAL, [0, 0, 0])], None),
        ([(5, TEXT, "N")], None),
    ],
)
def test_positions(gps: Any, latitude: float | None, tmp_path: Path) -> None:
    found = read(block((), gps), tmp_path)
    assert found.latitude == latitude
    assert not found.broken


@pytest.mark.parametrize(
    "latitude",
    [
        [(1, TEXT, "N"), (2, RATIONAL, [91, 0, 0])],
        [(1, TEXT, "N"), (2, RATIONAL, [45, 99, 0])],
        [(1, TEXT, "N"), (2, RATIONAL, [(45, 0), (0, 0), (0, 0)])],
        [(1, TEXT, "N"), (2, RATIONAL, [45])],
        [(1, TEXT, "N"), (2, TEXT, "45")],
        [(1, TEXT, "X"), (2, RATIONAL, [45, 0, 0])],
        [(2, RATIONAL, [45, 0, 0])],
        [],
    ],
)
def test_broken_positions_are_said(latitude: Any, tmp_path: Path) -> None:
    east = [(3, TEXT, "E"), (4, RATIONAL, [1, 0, 0])]
    assert read(block([DATE], [*latitude, *east]), tmp_path) == Exif("2019-05-06 10:11:12", broken=True)


class TestHostile:
    @pytest.mark.parametrize("kind", KINDS)
    def test_cut_anywhere(self, kind: str, tmp_path: Path) -> None:
        whole = made(kind)
        for kept in np.unique(np.geomspace(1, len(whole), 60).astype(int)):
            read(whole[:kept], tmp_path)

    @pytest.mark.parametrize("kind", KINDS)
    def test_other_bytes_anywhere(self, kind: str, tmp_path: Path) -> None:
        whole, random = made(kind), np.random.default_rng(0)
        for _ in range(60):
            data = np.frombuffer(whole, np.uint8).copy()
            data[random.integers(0, min(len(data), random.choice([60, 700, 10**9])), 5)] = random.integers(0, 256, 5)
            found = read(data.tobytes(), tmp_path)
            assert found.latitude is None or abs(found.latitude) <= 90

    @given(st.binary(max_size=400))
    @settings(max_examples=150, deadline=None)
    def test_any_bytes(self, tmp_path_factory, data: bytes) -> None:
        folder = tmp_path_factory.mktemp("any")
        for head in (
            b"II*\0",
            b"MM\0*",
            b"\xff\xd8\xff\xe1\0\x90Exif\0\0II*\0",
            b"RIFF1234WEBP",
            b"\0\0\0\x10ftypheic",
        ):
            read(head + data, folder)

    @pytest.mark.parametrize(
        "data",
        [
            b"II*\0" + struct.pack("<IH", 8, 65535) + struct.pack("<HHII", 36867, 2, 2**32 - 1, 8) * 3000,
            b"II*\0" + struct.pack("<IHHHIII", 8, 1, 34665, 4, 1, 8, 0),  # a page that points to itself
            b"\xff\xd8" + b"\xff\xe0\0\x02" * 200_000,  # endless segments
            b"RIFF\0\0\0\0WEBP" + b"JUNK\0\0\0\0" * 300_000,
            b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0junk\0\0\0\0" * 200_000,
        ],
    )
    def test_what_would_keep_a_reader_busy(self, data: bytes, tmp_path: Path) -> None:
        read(data, tmp_path)

    def test_a_photo_of_many_megabytes_is_not_read(self, tmp_path: Path) -> None:
        (tmp_path / "huge.jpg").write_bytes(with_exif(JPEG, block()))
        os.truncate(tmp_path / "huge.jpg", 20 * 10**9)
        assert read_exif(tmp_path / "huge.jpg").date == WHEN


# --------------------------------------------------------------------------------------------------------- the table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "whole.jpg": with_exif(JPEG, block()),
        "dated.dng": dng(exif=[DATE]),
        "placed.heic": heic(exif=b"Exif\0\0" + block(())),
        "bare.png": pillow("PNG"),
        "unset.jpg": with_exif(JPEG, block([(36867, TEXT, "2000:01:01 00:00:12")], ())),
        "future.jpg": with_exif(JPEG, block([(36867, TEXT, "2199:01:01 00:00:12")], ())),
        "changed.jpg": with_exif(JPEG, block((), (), [(306, TEXT, "2020:01:01 00:00:00")])),
        "broken.jpg": with_exif(JPEG, block([(36867, TEXT, "whenever")], ())),
        "text.jpg": b"no photo",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def catalogue(folder: Path, names: list[str], **columns: Any) -> Catalogue:
    return Catalogue(pd.DataFrame({"image_id": names, "path": names, **columns}), folder)


def test_what_is_missing_is_filled_and_counted(folder: Path) -> None:
    names = [*sorted(path.name for path in folder.iterdir()), "none.jpg", "../out.jpg"]
    photos = fill_from_exif(catalogue(folder, names))
    found = photos.frame.set_index("image_id")
    assert found.loc["whole.jpg", "date"] == WHEN
    assert found.loc["dated.dng", "date"] == "2019-05-06 10:11:12"
    assert found.loc["placed.heic", "latitude"] == pytest.approx(LATITUDE, abs=1e-6)
    assert found["date"].notna().sum() == 4
    assert found["latitude"].notna().sum() == found["longitude"].notna().sum() == 2
    assert str(photos.dates()[names.index("whole.jpg")]) == "2019-05-06T10:11:12"
    assert photos.notes == (
        "EXIF gave 4 photos their date and 2 their position",
        "the clock seems not to have been set for 2 photos (future.jpg, unset.jpg), such as 2199-01-01 00:00:12; "
        "mend or empty these dates",
        "EXIF says only when the file was last changed, which was not taken for the date, of 1 photos (changed.jpg)",
        "EXIF holds dates or positions that can't be read in 1 photos (broken.jpg)",
        "EXIF can't be read, as the file is missing or no photo, of 2 photos (none.jpg, ../out.jpg)",
    )


def test_what_the_table_says_stays(folder: Path) -> None:
    names = ["whole.jpg", "dated.dng", "placed.heic"]
    given = {"date": ["in May", "", None], "lat": [1.5, np.nan, np.nan], "lon": [2.5, np.nan, np.nan]}
    photos = fill_from_exif(catalogue(folder, names, **given))
    assert photos.column("date").fillna("-").tolist() == ["in May", "2019-05-06 10:11:12", "-"]
    assert photos.column("latitude").round(3).fillna(0).tolist() == [1.5, 0, -45.5]
    stamped = fill_from_exif(catalogue(folder, names, timestamp=["2001-01-01"] * 3))
    assert stamped.column("date").tolist() == ["2001-01-01"] * 3
    nothing = catalogue(folder, ["bare.png"])
    assert fill_from_exif(nothing).columns == ["image_id", "path"]


def test_a_part_of_a_table_keeps_the_order_of_its_dates(folder: Path) -> None:
    names = ["a.jpg", "whole.jpg", "b.jpg"]
    whole = catalogue(folder, names, date=["3/4/2017", None, "4/25/2017"])
    photos = fill_from_exif(whole[[0, 1]])  # the month is first, which only the third row showed
    assert [str(date)[:10] for date in photos.dates()] == ["2017-03-04", "2019-05-06"]


def test_several_animals_of_one_photo(folder: Path) -> None:
    frame = pd.DataFrame({"image_id": ["a", "b"], "path": ["whole.jpg"] * 2, "bbox": ["0,0,9,9", "9,9,9,9"]})
    assert fill_from_exif(Catalogue(frame, folder)).column("date").tolist() == [WHEN] * 2


def test_positions_are_numbers_of_degrees() -> None:
    for name, value, says in [
        ("lat", "45,5", "row 2, column latitude: '45,5' is not a number"),
        ("latitude", "91", "column latitude: '91' is beyond 90 degrees"),
        ("Lon", "-400", "column longitude: '-400' is beyond 360 degrees"),
        ("decimalLongitude", "inf", "column longitude: 'inf' is not a number"),
        ("gps_lat", "45°30'N", "is not a number"),
    ]:
        with pytest.raises(WhalereidError, match=says.replace("°", ".")):
            Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], name: ["1", value]}), source="t.csv")
    photos = Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], "LAT": ["NA", "7"], "long": [200, 3]}))
    assert photos.column("latitude").fillna(0).tolist() == [0, 7]
    assert photos.column("longitude").tolist() == [200, 3]
    assert photos.column("longitude").dtype == np.float64


class TestCheck:
    def test_exif_and_write(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        root = folder / "animals"
        for name in ("Anna", "Bo"):
            (root / name).mkdir(parents=True)
            (root / name / "1.jpg").write_bytes((folder / "whole.jpg").read_bytes())
        assert run(["check", "--catalogue", str(root), "--exif", "--write", "--json"]) == 0
        out, err = capsys.readouterr()
        assert "EXIF gave 2 photos their date and 2 their position" in err
        assert json.loads(out)["dates"] == {"first": "2019-05-06", "last": "2019-05-06", "photos": 2}
        written = pd.read_csv(root / "metadata.csv")
        assert written["date"].tolist() == [WHEN] * 2
        assert written["latitude"].round(4).tolist() == [-45.5004] * 2
        assert run(["check", "--catalogue", str(root), "--exif", "--no-photos", "--quiet"]) == 0
        assert capsys.readouterr().err == ""

    def test_without_it_nothing_is_filled(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / "t.csv").write_text("image_id,path\na,whole.jpg\n")
        assert run(["check", "--catalogue", str(folder / "t.csv"), "--json"]) == 0
        assert "dates" not in json.loads(capsys.readouterr().out)
