"""Camtrap DP 1.0 as camera traps' platforms export it, and broken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError

Draw = Callable[..., Path]

DEPLOYMENTS = """deploymentID,locationID,locationName,latitude,longitude,deploymentStart,deploymentEnd
d1,l1,creek,52.5,-4.25,2020-05-01T00:00:00Z,2020-06-01T00:00:00Z
d2,l2,,,,2020-05-01T00:00:00Z,2020-06-01T00:00:00Z
"""
MEDIA = """mediaID,deploymentID,timestamp,filePath,filePublic,fileName,fileMediatype
m1,d1,2020-05-30T04:57:37+02:00,media/a.jpg,true,a.jpg,image/jpeg
m2,d1,2020-05-30T04:57:40+02:00,media/b.jpg,true,b.jpg,image/jpeg
m3,d1,2020-05-30T04:57:44+02:00,media/c.jpg,true,c.jpg,image/jpeg
m4,d2,2020-05-30T02:57:40Z,media/d.jpg,true,d.jpg,image/jpeg
m5,d1,2020-05-30T02:57:41Z,media/e.mp4,true,e.mp4,video/mp4
"""
HEAD = (
    "observationID,deploymentID,mediaID,eventID,eventStart,eventEnd,observationLevel,observationType,scientificName,"
    "count,sex,individualID,bboxX,bboxY,bboxWidth,bboxHeight,classificationProbability\n"
)
OF_PHOTOS = (
    HEAD
    + """o1,d1,m1,e1,2020-05-30T02:57:37Z,2020-05-30,media,animal,Vulpes vulpes,1,female,Anna,0.5,0.25,0.5,0.5,0.9
o2,d1,m2,e1,2020-05-30T02:57:37Z,2020-05-30T02:57:37Z,media,animal,Vulpes vulpes,,,Anna,,,,,NA
o3,d1,m2,e1,2020-05-30T02:57:37Z,2020-05-30T02:57:37Z,media,animal,Vulpes vulpes,3,,NaN,0,0,1,1,0.3
o4,d1,m3,e1,2020-05-30T02:57:37Z,2020-05-30T02:57:37Z,media,blank,,,,,,,,,
o5,d2,m4,,2020-05-30T02:57:37Z,2020-05-30T02:57:37Z,media,human,,,,,,,,,
"""
)


@pytest.fixture
def package(tmp_path: Path, draw: Draw) -> Path:
    """A package of photos of two cameras, a folder of its own."""
    folder = tmp_path / "package"
    for seed, name in enumerate("abcd"):
        draw(folder / f"media/{name}.jpg", seed)
    return written(folder)


def written(folder: Path, **tables: str | None) -> Path:
    """The package's tables and descriptor; without a table that is None."""
    held = {"deployments": DEPLOYMENTS, "media": MEDIA, "observations": OF_PHOTOS} | tables
    for name, text in held.items():
        (folder / f"{name}.csv").write_text(text) if text is not None else (folder / f"{name}.csv").unlink()
    resources = [{"name": name, "path": f"{name}.csv", "profile": "tabular-data-resource"} for name in held]
    (folder / "datapackage.json").write_text(json.dumps({"resources": resources, "name": "foxes"}))
    return folder


def refused(match: str, source: Path, layout: str | None = None) -> None:
    with pytest.raises(WhalereidError, match=match) as error:
        Catalogue.read(source, layout)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("how", ["folder", "descriptor", "tables", "around", "parquet"])
def test_one_row_an_animal(package: Path, how: str) -> None:
    source = {"descriptor": package / "datapackage.json", "around": package.parent}.get(how, package)
    if how in ("tables", "parquet"):
        (package / "datapackage.json").unlink()
    if how == "parquet":
        for name in ("deployments", "media", "observations"):
            pd.read_csv(package / f"{name}.csv").to_parquet(package / f"{name}.parquet")
            (package / f"{name}.csv").unlink()
    photos = Catalogue.read(source)
    assert photos.image_ids.tolist() == ["m1", "o2", "o3"]
    assert photos.column("path").tolist() == ["media/a.jpg", "media/b.jpg", "media/b.jpg"]
    assert photos.column("identity").fillna("-").tolist() == ["Anna", "Anna", "-"]
    assert photos.column("bbox").iloc[0] == (32, 12, 32, 24)
    assert photos.known("bbox").tolist() == [True, False, True]
    assert photos.column("encounter").tolist() == ["e1"] * 3
    assert str(photos.dates()[0]) == "2020-05-30T04:57:37"
    assert photos.column("location").tolist() == ["creek"] * 3
    assert photos.column("latitude").tolist() == [52.5] * 3
    assert photos.column("longitude").tolist() == [-4.25] * 3
    assert photos.column("species").tolist() == ["Vulpes vulpes"] * 3
    assert photos.column("confidence").fillna(-1).tolist() == [0.9, -1, 0.3]
    assert photos.column("sex").fillna("-").tolist() == ["female", "-", "-"]
    assert all(path.is_file() for path in photos.paths)
    assert photos.notes == (
        "observations left out: 1 blank, 1 human",
        "observations of several animals at once (count), a row each all the same: 1",
        "videos passed over: 1 (save frames of them as JPEG)",
    )


def test_how_sure(package: Path) -> None:
    photos = Catalogue.read(package, "camtrap-dp:min_conf=0.5")
    assert photos.image_ids.tolist() == ["m1", "m2"]
    assert "1 less sure than 0.5 (min_conf)" in photos.notes[0]


def event(camera: str, start: str, end: str, animal: str = "Anna", count: str = "1", own: str = "v1") -> str:
    return f"{own},{camera},,e1,{start},{end},event,animal,Vulpes vulpes,{count},,{animal},,,,,\n"


def test_observations_of_events_hold_for_their_photos(package: Path) -> None:
    """The photos of the camera from start to end; their clocks are two hours ahead of the event's zone."""
    text = HEAD + event("d1", "2020-05-30T02:57:38Z", "2020-05-30T02:57:44Z")
    photos = Catalogue.read(written(package, observations=text))
    assert photos.image_ids.tolist() == ["m2", "m3"]
    assert photos.identities == ("Anna",)
    assert photos.notes[0].startswith("3 rows are of observations of events")
    both = text + event("d1", "2020-05-30T02:57:40Z", "2020-05-30T02:57:40Z", "Berta", own="v2")
    photos = Catalogue.read(written(package, observations=both))
    assert photos.image_ids.tolist() == ["m2#v1", "v2", "m3"]
    assert photos.column("identity").tolist() == ["Anna", "Berta", "Anna"]


def test_photos_with_observations_of_their_own_have_none_of_events(package: Path) -> None:
    blank = "o4,d1,m3,e1,2020-05-30T02:57:37Z,2020-05-30T02:57:37Z,media,blank,,,,,,,,,\n"
    text = HEAD + event("d1", "2020-05-30T02:57:38Z", "2020-05-30T02:57:44Z") + blank
    assert Catalogue.read(written(package, observations=text)).image_ids.tolist() == ["m2"]


@pytest.mark.parametrize(
    ("count", "more", "names"),
    [
        ("1", "", ["Anna"]),
        ("", "", ["Anna"]),
        ("2", "", []),
        ("1", event("d1", "2020-05-30T02:57:30Z", "2020-05-30T03:00:00Z", "Berta", own="v2"), []),
    ],
)
def test_the_one_animal_of_an_event_names_the_one_in_the_photo(
    package: Path, count: str, more: str, names: list[str]
) -> None:
    box = "o1,d1,m1,,2020-05-30T02:57:37Z,2020-05-30T02:57:37Z,media,animal,,,,,0.5,0.25,0.5,0.5,0.9\n"
    held = HEAD + event("d1", "2020-05-30T02:57:30Z", "2020-05-30T02:57:38Z", count=count) + more + box
    photos = Catalogue.read(written(package, observations=held))
    assert photos.filter(path="media/a.jpg").column("bbox").tolist() == [(32, 12, 32, 24)]
    assert [*photos.filter(path="media/a.jpg").identities] == names
    told = "1 observations of photos were given the name of the one animal of their event" in photos.notes
    assert told is bool(names)


def test_events_without_times_or_cameras(package: Path) -> None:
    text = OF_PHOTOS + event("d1", "", "", own="v1") + event("d9", "2020-01-01", "2021-01-01", own="v2")
    assert len(Catalogue.read(written(package, observations=text))) == 3


def test_events_that_take_in_everything_are_refused(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whalereid.catalogue.readers.camtrap_events._MOST_PAIRS", 5)
    text = HEAD + "".join(event("d1", "2000-01-01", "2030-01-01", own=f"v{at}") for at in range(9))
    refused("observations.csv: its events take in more than 5 photos", written(package, observations=text))


def test_photos_at_web_addresses(package: Path, tmp_path: Path) -> None:
    media = MEDIA.replace("media/a.jpg", "https://example.org/1/file").replace("media/b.jpg", "http://example.org/2")
    photos = Catalogue.read(written(package, media=media))
    assert len(photos) == 3  # they lie in media/ under their fileName
    (package / "media/a.jpg").rename(tmp_path / "a.jpg")
    photos = Catalogue.read(package)
    assert photos.image_ids.tolist() == ["o2", "o3"]
    assert (
        "photos at web addresses that aren't here, left out: 1; download them under their fileName" in photos.notes[-1]
    )
    shutil.rmtree(package / "media")
    refused("no animal is in a photo that is here; .*photos=FOLDER", package)
    assert Catalogue.read(package, f"camtrap-dp:photos={tmp_path}").image_ids.tolist() == ["m1"]


def test_photos_elsewhere(package: Path, tmp_path: Path) -> None:
    shutil.move(package / "media", tmp_path / "card/media")
    photos = Catalogue.read(package, f"camtrap-dp:photos={tmp_path / 'card'}")
    assert photos.root == tmp_path / "card"
    assert len(photos) == 3
    photos = Catalogue.read(package)
    assert photos.image_ids.tolist() == ["o2"]  # the boxes of the others can't be told
    assert any("none of the photos is in" in note for note in photos.notes)
    assert any("observations with a box left out" in note for note in photos.notes)


def test_tables_of_other_names_and_in_parts(package: Path) -> None:
    (package / "tables").mkdir()
    (package / "observations.csv").rename(package / "tables/obs1.csv")
    more = HEAD + "o9,d1,m3,,,,media,animal,,,,Berta,,,,,\n"
    (package / "tables/obs2.csv").write_text(more)
    held = json.loads((package / "datapackage.json").read_text())
    held["resources"][2]["path"] = ["tables/obs1.csv", "tables/obs2.csv"]
    held["resources"].append({"name": "individuals", "path": "https://example.org/individuals.csv"})
    (package / "datapackage.json").write_text(json.dumps(held))
    assert Catalogue.read(package).identities == ("Anna", "Berta")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("https://example.org/o.csv", r"resources\[2\]\.path is 'https://example.org/o.csv', which isn't here"),
        ("../observations.csv", r"resources\[2\]\.path: the path '../observations.csv' leaves"),
        ("/etc/passwd", r"resources\[2\]\.path: the path '/etc/passwd' leaves"),
        ("a\0b.csv", "leaves the table's folder"),
        ("none.csv", "none.csv: no such file"),
        ("media", "media: is a folder, not a table"),
        (None, r"resources\[2\]\.path is None; it is the path of a table"),
        ([], r"resources\[2\]\.path is \[\]"),
        ([7], r"resources\[2\]\.path is \[7\]"),
        ({}, r"resources\[2\]\.path is \{\}"),
    ],
)
def test_paths_of_tables_that_cannot_be_read(package: Path, path: Any, message: str) -> None:
    held = json.loads((package / "datapackage.json").read_text())
    held["resources"][2]["path"] = path
    (package / "datapackage.json").write_text(json.dumps(held))
    refused(message, package)


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        ("observations", "o2,", "o1,", "row 2: observationID 'o1' stands there twice"),
        ("observations", "o2,", ",", "row 2: observationID is empty"),
        ("observations", "d1,m2", ",m2", "row 2: deploymentID is empty"),
        ("observations", "o2,d1,m2", "o2,d1,m9", "row 2: mediaID 'm9' is no photo of media"),
        ("observations", "o2,d1,m2", "o2,d1,", "row 2: mediaID is empty; an observation of a photo names it"),
        ("observations", "0.5,0.25", "1.5,0.25", "row 1: bboxX '1.5' is no number from -0.01 to 1.01"),
        ("observations", "0.5,0.25", "x,0.25", "row 1: bboxX 'x' is no number"),
        (
            "observations",
            "0.5,0.25",
            ",0.25",
            "row 1: bboxX, bboxY, bboxWidth, bboxHeight nan, 0.25, .* is no box within",
        ),
        ("observations", "0.5,0.25", "0.9,0.25", "row 1: .* is no box within the photo"),
        ("observations", "0.5,0.5,0.9", "0.5,0,0.9", "row 1: .* is no box within the photo"),
        ("observations", "0.5,0.5,0.9", "0.5,inf,0.9", "row 1: bboxHeight 'inf' is no number"),
        ("observations", "1,1,0.3", "1,1,7", "row 3: classificationProbability '7' is no number from 0 to 1"),
        ("observations", "vulpes,3", "vulpes,many", "row 3: count 'many' is no number from 0"),
        ("observations", "observationType", "type", "no column observationType"),
        ("observations", "observationID", "id", "no column observationID; .*a Camtrap DP's table of observations"),
        ("media", "m2,d1", "m1,d1", "row 2: mediaID 'm1' stands there twice"),
        ("media", "m2,d1", "m2,d9", "row 2: deploymentID 'd9' is none of deployments"),
        ("media", "media/b.jpg", "", "row 2: filePath is empty"),
        ("media", "filePath", "path", "no column filePath"),
        ("deployments", "d2,", "d1,", "row 2: deploymentID 'd1' stands there twice"),
        ("deployments", "52.5", "95", "row 1: latitude '95' is no number from -90 to 90"),
        ("deployments", "-4.25", "west", "row 1: longitude 'west' is no number from -180 to 180"),
        ("deployments", "52.5", "nan", None),
    ],
)
def test_what_is_broken_is_named_by_file_and_row(
    package: Path, table: str, old: str, new: str, message: str | None
) -> None:
    path = package / f"{table}.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    if message is None:
        assert not Catalogue.read(package).known("latitude").any()
    else:
        refused(rf"{table}\.csv(, |: ){message}", package)


def test_paths_of_photos_that_leave_the_package(package: Path) -> None:
    written(package, media=MEDIA.replace("media/a.jpg", "../a.jpg"))
    refused("the path '../a.jpg' leaves", package)
    written(
        package, media=MEDIA.replace("media/b.jpg", "/etc/passwd"), observations=HEAD + OF_PHOTOS.split("\n")[2] + "\n"
    )
    with pytest.raises(WhalereidError, match="the path '/etc/passwd' leaves"):
        _ = Catalogue.read(package).paths


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"resources": ["deployments", "media", "observations"]}',
            "is not a data package: it has no list of 'resources'",
        ),
        ('{"resources": 7, "of": ["deployments", "media", "observations"]}', "is not a data package"),
        (
            '{"resources": [], "of": ["deployments", "media", "observations"]}',
            "is not a Camtrap DP: it has no table of obs",
        ),
        ('{"resources": [{"name": "deployments"}, {"name": "media"}, {"name": "observations"}', "isn't a data package"),
        ('{"resources": "deployments" "media" "observations"' + "[" * 99_999, "isn't a data package"),
    ],
)
def test_descriptors_that_are_broken(package: Path, text: str, message: str) -> None:
    (package / "datapackage.json").write_text(text)
    refused(message, package)
    refused(message, package / "datapackage.json")


def test_packages_of_something_else(package: Path) -> None:
    (package / "datapackage.json").write_text('{"resources": [{"name": "rain", "path": "rain.csv"}]}')
    refused("is no file of annotations that can be read", package / "datapackage.json")
    refused("no data set of layout 'camtrap-dp' here; it needs datapackage.json", package, "camtrap-dp")


def test_names_of_control_characters_are_shown_escaped(package: Path) -> None:
    path = package / "observations.csv"
    path.write_text(path.read_text().replace("o2,d1,m2", "o2,d1,m\x1b[2J", 1))
    refused(r"mediaID 'm\\x1b\[2J' is no photo", package)
