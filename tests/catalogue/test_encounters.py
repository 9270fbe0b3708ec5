"""Encounters from time and place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from camera_files import dng, pillow, with_exif
from catalogue.test_exif import block
from whalereid.catalogue import Catalogue, Encounters
from whalereid.cli.app import run
from whalereid.errors import WhalereidError

Captured = pytest.CaptureFixture[str]
DAY = "2019-05-06 "


def photos(**columns: Any) -> Catalogue:
    ids = [f"p{row}" for row in range(len(next(iter(columns.values()))))]
    return Catalogue(pd.DataFrame({"image_id": ids, "path": ids, **columns}), source="t.csv")


def groups(catalogue: Catalogue, **how: Any) -> list[str]:
    """The photos' encounters as letters, in the order in which they come; a dot is none."""
    names = Encounters(**how).of(catalogue).names
    codes = pd.factorize(names)[0]
    return "".join("." if code < 0 else chr(ord("a") + code) for code in codes)


def at(*times: str) -> list[str | None]:
    return [DAY + time if time else None for time in times]


@pytest.mark.parametrize(
    ("times", "gap", "wanted"),
    [
        (["10:00", "10:59", "11:58", "13:00"], 60, "aaab"),
        (["10:00", "11:00", "12:00:01"], 60, "aab"),
        (["10:00", "10:00:01"], 0, "ab"),
        (["10:00", "10:00"], 0, "aa"),
        (["13:00", "10:00", "12:30", "10:30"], 60, "abab"),
        (["10:00", "", "10:01"], 60, "a.a"),
        (["23:59", "10:00"], 60, "ab"),
    ],
)
def test_time_alone(times: list[str], gap: float, wanted: str) -> None:
    assert groups(photos(date=at(*times)), gap=gap) == wanted


def test_two_places_at_one_time() -> None:
    boats = photos(date=at("10:00", "10:01", "10:02", "10:03"), latitude=[45, 46, 45.001, 46.001], longitude=[0.0] * 4)
    assert groups(boats) == "abab"
    assert groups(boats, distance=20_000_000) == "aaaa"
    assert groups(boats, distance=100) == "abcd"


def test_location_where_there_is_no_position() -> None:
    sites = photos(date=at("10:00", "10:01", "10:02", "10:03"), location=["North", "South", "North", "South"])
    assert groups(sites) == "abab"


def test_a_photo_without_a_place_goes_with_the_one_before_or_else_after() -> None:
    where = {"latitude": [np.nan, 45, np.nan, 46, np.nan], "longitude": [np.nan, 0, np.nan, 0, np.nan]}
    assert groups(photos(date=at("9:50", "10:00", "10:01", "10:02", "13:00"), **where)) == "aaabc"
    mixed = photos(
        date=at("10:00", "10:01", "10:02", "10:03"),
        latitude=[45, 46, np.nan, np.nan],
        longitude=[0, 0, np.nan, np.nan],
        location=["North", "South", "North", None],
    )
    assert groups(mixed) == "abaa"


def test_dates_without_a_time_of_day() -> None:
    days = photos(date=["2019-05-06", "2019-05-06", "2019-05-07"], location=["N", "S", "N"])
    found = Encounters().of(days)
    assert found.names.tolist() == ["2019-05-06", "2019-05-06_2", "2019-05-07"]
    assert found.to_dict()["by_day"] == 3
    assert "3 dates have no time of day" in str(found)
    midnights = photos(date=["2019-05-06 00:00:00", "2019-05-07 00:00:00"])
    assert Encounters().of(midnights).names.tolist() == ["2019-05-06", "2019-05-07"]
    some = photos(date=["2019:05:06", DAY + "00:00:05", DAY + "23:59"])
    assert Encounters().of(some).names.tolist() == ["2019-05-06", "2019-05-06_0000", "2019-05-06_2359"]
    stamped = photos(date=["2019-05-06"] * 2, timestamp=at("10:00", "18:00"))
    assert groups(stamped) == "ab"


def test_encounters_that_are_there_stay_and_are_joined() -> None:
    table = photos(
        date=at("9:00", "9:10", "10:00", "10:10", "15:00", "15:05", "20:00", ""),
        encounter=[None, "x", None, "y", "z", None, None, "w"],
    )
    found = Encounters().of(table)
    assert found.names.fillna("-").tolist() == ["x", "x", "x", "y", "z", "z", "2019-05-06_2000", "w"]
    told = found.to_dict()
    assert told["kept"] == {"encounters": 4, "photos": 4}
    assert (told["joined"], told["encounters"], told["without_date"]) == (3, 1, 0)
    assert found.catalogue.column("encounter").tolist() == found.names.tolist()
    again = Encounters(again=True).of(table)
    assert groups(table, again=True) == "aaaabbc."
    assert again.to_dict()["without_date"] == 1


def test_names_are_never_those_of_others() -> None:
    table = photos(
        date=at("10:00", "10:00", "18:00"), location=["N", "S", "N"], encounter=[None, None, "2019-05-06_1000"]
    )
    assert Encounters().of(table).names.tolist() == ["2019-05-06_1000_2", "2019-05-06_1000_3", "2019-05-06_1000"]


def test_what_is_said() -> None:
    table = photos(
        date=at("10:00", "10:30", "18:00", ""), identity=["a", "b", "a", "c"], latitude=[1, 1, 1, np.nan],
        longitude=[1, 1, 1, np.nan], location=["N", None, None, "S"],
    )  # fmt: skip
    found = Encounters(gap=30).of(table)
    told = found.to_dict()
    assert (told["encounters"], told["photos_in_them"], told["longest_minutes"]) == (2, 3, 30)
    assert told["sizes"] == {"median": 1.5, "largest": 2, "of_one_photo": 1}
    assert (told["with_identities"], told["with_several_identities"], told["without_date"]) == (2, 1, 1)
    assert (told["with_position"], told["with_location_alone"]) == (3, 1)
    assert json.loads(json.dumps(told)) == told
    said = str(found)
    for words in (
        "2 new ones of 3 photos, by a gap of 30 minutes and a distance of 500 m",
        "median 1.5 photos, at most 2, 1 of one photo; the longest lasts 30 min",
        "3 photos have a position, 1 a location alone, 0 neither",
        "1 photos without a date that can be read get no encounter",
        "1 of 2 new encounters with a name hold several",
        "2019-05-06_1000: 2 photos, 2019-05-06 10:00:00 to 2019-05-06 10:30:00, 2 identities",
    ):
        assert words in said
    assert "identities" not in str(Encounters().of(photos(date=at("10:00"))))


def test_order_and_other_columns_do_not_matter() -> None:
    random = np.random.default_rng(1)
    n = 200
    times = pd.Series(pd.Timestamp("2019-05-06") + pd.to_timedelta(random.integers(0, 10**6, n), unit="s")).astype(str)
    table = photos(date=times.tolist(), latitude=random.normal(45, 0.02, n), longitude=random.normal(0, 0.02, n))
    whole = Encounters().of(table).catalogue
    order = random.permutation(n)
    mixed = Encounters().of(table[order]).catalogue
    both = pd.DataFrame({"one": whole.column("encounter")[order].to_numpy(), "other": mixed.column("encounter")})
    assert (both.groupby("one")["other"].nunique() == 1).all()
    assert (both.groupby("other")["one"].nunique() == 1).all()


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"identity": ["a", "b"]}, r"t\.csv: has no dates, and encounters are made of them; .*--exif"),
        ({"date": ["in May", "later"]}, "no photo has a date that can be read"),
    ],
)
def test_a_table_that_can_have_none_is_refused(columns: dict[str, Any], says: str) -> None:
    with pytest.raises(WhalereidError, match=says):
        Encounters().of(photos(**columns))


@pytest.mark.shared
def test_the_competitions_own_encounters(shared: Path) -> None:
    belugas = Catalogue.read(shared / "data/beluga")
    rows = pd.DataFrame({"who": belugas.column("identity"), "theirs": belugas.column("encounter")})
    rows = rows.assign(ours=Encounters(gap=60, again=True).of(belugas).names).dropna()
    pairs = rows.merge(rows, on="who")
    theirs, ours = pairs["theirs_x"] == pairs["theirs_y"], pairs["ours_x"] == pairs["ours_y"]
    assert (theirs == ours).mean() > 0.97
    assert not (theirs & ~ours).any()


# -------------------------------------------------------------------------------------------------------- the command


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "photos.csv"
    path.parent.mkdir()
    path.write_text(
        f"image_id,path,date,identity\na,a.jpg,{DAY}10:00,x\nb,b.jpg,{DAY}10:30,y\nc,c.jpg,{DAY}18:00,x\nd,d.jpg,,x\n"
    )
    return path


def test_it_is_shown_and_written_only_if_asked(table: Path, capsys: Captured) -> None:
    before = table.read_bytes()
    assert run(["encounters", "--catalogue", str(table)]) == 0
    out, err = capsys.readouterr()
    assert "2 new ones of 3 photos" in out
    assert "nothing is written" in err
    assert [path.name for path in table.parent.iterdir()] == ["photos.csv"]
    assert run(["encounters", "--catalogue", str(table), "--gap", "10", "--out", str(table.parent / "met.csv")]) == 0
    assert f"written: {table.parent / 'met.csv'}" in capsys.readouterr().err
    written = Catalogue.read(table.parent / "met.csv")
    assert written.column("encounter").nunique() == 3
    assert table.read_bytes() == before


def test_json(table: Path, capsys: Captured) -> None:
    assert run(["encounters", "--catalogue", str(table), "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    told = json.loads(out)
    assert (told["encounters"], told["gap"], told["distance"], told["out"]) == (2, 60, 500, None)


def test_a_table_in_a_folder_around_the_photos(table: Path, capsys: Captured) -> None:
    around = table.parents[1] / "met.parquet"
    assert run(["encounters", "--catalogue", str(table), "--out", str(around)]) == 0
    assert Catalogue.read(around).column("path").tolist() == [f"data/{name}.jpg" for name in "abcd"]
    elsewhere = table.parent / "inner"
    elsewhere.mkdir()
    assert run(["encounters", "--catalogue", str(table), "--out", str(elsewhere / "met.csv")]) == 2
    assert "the photos lie in" in capsys.readouterr().err
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--gap", "-1"], "give a number from 0 to"),
        (["--gap", "nan"], "give a number from 0 to"),
        (["--distance", "0"], "give a number between 0 and"),
        (["--distance", "1e9"], "give a number between 0 and"),
        (["--out", "met.txt"], "is written with a name that ends in"),
        (["--catalogue", "nowhere"], "no such file or folder"),
    ],
)
def test_options_that_cannot_be(table: Path, options: list[str], says: str, capsys: Captured) -> None:
    given = options if "--catalogue" in options else ["--catalogue", str(table), *options]
    assert run(["encounters", *given]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_the_table_that_is_read_is_never_written_over(table: Path, force: list[str], capsys: Captured) -> None:
    before = table.read_bytes()
    table.rename(table.parent / "metadata.csv")
    for catalogue in (table.parent, table.parent / "metadata.csv"):
        command = ["encounters", "--catalogue", str(catalogue), "--out", str(table.parent / "metadata.csv"), *force]
        assert run(command) == 2
        assert "is read by the same command" in capsys.readouterr().err
    assert (table.parent / "metadata.csv").read_bytes() == before


def test_dates_and_places_from_the_photos(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "1.jpg").write_bytes(with_exif(pillow("JPEG"), block()))
    (tmp_path / "2.dng").write_bytes(dng(exif=[(36867, 2, "2019:05:06 10:40:00")]))
    (tmp_path / "t.csv").write_text("image_id,path\na,1.jpg\nb,2.dng\n")
    assert run(["encounters", "--catalogue", str(tmp_path / "t.csv")]) == 2
    assert "take it from the photos with --exif" in capsys.readouterr().err
    command = ["encounters", "--catalogue", str(tmp_path / "t.csv"), "--exif", "--out", str(tmp_path / "met.csv")]
    assert run(command) == 0
    assert "EXIF gave 2 photos their date and 1 their position" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "met.csv")["encounter"].tolist() == ["2019-05-06_1011"] * 2


def test_hostile_names_do_not_reach_the_terminal(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "t.csv").write_text(
        f"image_id,path,date,encounter\n\x1b[2Ja,a,{DAY}10:00,\x1b]0;x\x07\nb,b,{DAY}10:01,\n"
    )
    assert run(["encounters", "--catalogue", str(tmp_path / "t.csv")]) == 0
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
