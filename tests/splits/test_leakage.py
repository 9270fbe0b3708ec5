"""The leakage report: by hand, against brute force, on published folds, and with photos."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.splits import (
    DateSplit,
    EncounterFolds,
    IdentityFolds,
    PhotoFolds,
    PredefinedFolds,
    leakage,
    leakage_over_folds,
    read_folds,
)
from whalereid.splits.compare import Appearance

from .tables import table

TIMES = [
    "2020-06-01 09:00:00",  # training
    "2020-06-01 23:59:55",  # training
    "2020-06-01 09:00:10",  # within 10 s of the first
    "2020-06-01 10:00:00",  # within an hour
    "2020-06-01 10:00:01",  # the same date only
    "2020-06-02 00:00:05",  # within 10 s, though it's the next date
    "2020-06-03 09:00:00",  # nothing
]
PHOTOS = table(identity=["a"] * 7, encounter=["1", "2", "1", "1", "3", "2", "3"], timestamp=TIMES)
OTHERS = ["b", *"aaaaaa"]  # the first photo is of another whale


def test_each_cue_by_hand() -> None:
    photos = leakage(PHOTOS[[0, 1]], PHOTOS[2:]).photos
    found = {cue: photos[cue].tolist() for cue in ("photo", "encounter", "day", "hour", "burst")}
    assert found == {
        "photo": [False, False, False, False, False],
        "encounter": [True, True, False, True, False],
        "day": [True, True, True, False, False],
        "hour": [True, True, False, True, False],
        "burst": [True, False, False, True, False],
    }


def test_only_photos_of_the_same_identity_count() -> None:
    photos = PHOTOS.assign(identity=OTHERS)
    report = leakage(photos[[0, 1]], photos[2:])
    assert [report.count(cue) for cue in ("encounter", "day", "hour", "burst")] == [1, 3, 1, 1]
    assert report.n_queries == 5
    stranger = photos.assign(identity=["b"] * 2 + ["a"] * 5)
    report = leakage(stranger[[0, 1]], stranger[2:])
    assert [report.count(cue) for cue in ("encounter", "day", "hour", "burst")] == [0, 0, 0, 0]
    assert (report.n_queries, report.n_identities, report.n_unseen) == (0, 1, 1)
    assert report.n_straddling == 2  # encounters 1 and 2 are on both sides all the same
    assert report.sentence() == (
        "No test identity is in training, yet 2 of the 3 encounters with several photos straddle training and test."
    )


def test_shares_are_of_the_test_part_and_of_the_queries() -> None:
    photos = table(identity=["a", "b", "a", "a", "c", None], encounter=["1", "2", "1", "3", "2", "1"])
    frame = leakage(photos[:2], photos[2:]).to_frame().set_index("cue")
    row = frame.loc["encounter"]
    assert (row["photos"], row["of_test"], row["of_queries"]) == (1, 1 / 4, 1 / 2)
    assert frame.loc["any", "photos"] == 1
    assert frame.loc[["day", "hour", "burst", "bytes", "look", "border"], "photos"].isna().all()


@st.composite
def moments(draw: st.DrawFn) -> Catalogue:
    n = draw(st.integers(2, 16))
    identity = [draw(st.sampled_from(["a", "b", None])) for _ in range(n)]
    encounter = [draw(st.sampled_from(["1", "2", "3", None])) for _ in range(n)]
    seconds = [draw(st.sampled_from([None, 0, 5, 10, 11, 3600, 3605, 3616, 7000, 86000, 86399])) for _ in range(n)]
    when = [
        None if s is None else str(np.datetime64("2020-06-01T00:00:00") + 86400 * draw(st.integers(0, 2)) + s)
        for s in seconds
    ]
    return table(
        identity=["a", "a", *identity],
        encounter=["1", "2", *encounter],
        timestamp=["2020-06-01 00:00:07", None, *when],
    )


def cues_of(one: tuple[Any, ...], two: tuple[Any, ...]) -> set[str]:
    """What two photos share, each given as identity, encounter and moment; the obvious way."""
    if not isinstance(one[0], str) or one[0] != two[0]:
        return set()
    cues = {"encounter"} if isinstance(one[1], str) and one[1] == two[1] else set()
    if np.isnat(one[2]) or np.isnat(two[2]):
        return cues
    days = [moment.astype("datetime64[D]") for moment in (one[2], two[2])]
    if days[0] == days[1]:
        cues.add("day")
    if one[2] != days[0] and two[2] != days[1]:  # midnight is no time of day
        apart = abs((one[2] - two[2]).astype(int))
        cues |= {cue for cue, most in (("hour", 3600), ("burst", 10)) if apart <= most}
    return cues


@given(photos=moments(), side=st.lists(st.booleans(), min_size=16, max_size=16))
@settings(max_examples=50, deadline=None)
def test_cues_against_brute_force(photos: Catalogue, side: list[bool]) -> None:
    tested = np.array([False, True, *side[: len(photos) - 2]])
    train, test = np.flatnonzero(~tested), np.flatnonzero(tested)
    rows = list(zip(photos.column("identity"), photos.column("encounter"), photos.dates(), strict=True))
    shared = [set().union(*(cues_of(rows[ours], rows[theirs]) for theirs in train)) for ours in test]
    report = leakage(photos[train], photos[test])
    for cue in ("encounter", "day", "hour", "burst"):
        if report.count(cue) is not None:
            assert report.photos[cue].tolist() == [cue in cues for cues in shared], cue


def test_dates_without_a_time_of_day_tell_nothing_of_hours() -> None:
    photos = table(identity=["a", "a", "b"], date=["2020-06-01"] * 3)
    report = leakage(photos[[0, 2]], photos[[1]])
    assert (report.count("day"), report.count("hour"), report.count("burst")) == (1, None, None)
    assert "the table has no" not in report.sentence()


def test_a_photo_in_both_parts_is_found_by_its_file() -> None:
    photos = table(identity=["a", "a", "b"])
    elsewhere = Catalogue(photos.frame.assign(image_id=["x", "y", "z"]), source="valid.csv")
    report = leakage(photos, elsewhere[[0]])
    assert report.count("photo") == 1
    assert report.sentence().startswith("Leakage: all of the test photos have a photo of the same identity that is the")
    other_root = Catalogue(photos.frame, "somewhere/else")
    assert leakage(photos, other_root).count("photo") == 0


@pytest.mark.shared
def test_what_the_published_folds_leak(shared: Path) -> None:
    photos = Catalogue.read(shared / "data/whaledo/metadata.csv")
    folds = read_folds(shared / "golden/model/top_folds.csv", photos)
    report = leakage_over_folds(photos, PredefinedFolds(folds))
    assert (report.n_straddling, report.n_repeated) == (824, 840)
    for part in report.folds.values():
        row = part.to_frame().set_index("cue").loc["encounter"]
        assert 0.91 < row["of_test"] < 0.925
        assert row["of_queries"] > 0.95
    assert report.sentence().startswith(
        "Leakage: 824 of the 840 encounters with several photos straddle folds, and 91–92% of each validation fold has "
        "a photo of the same identity from the same encounter in training (same date 92–93%,"
    )
    single = report.folds[0]
    assert (single.n_training, len(single.photos), single.n_queries, single.count("encounter")) == (
        4347,
        1087,
        1040,
        991,
    )


@pytest.mark.shared
def test_honest_splits_of_real_tables_are_clear(shared: Path) -> None:
    nyala = Catalogue.read(shared / "data/nyala")
    assert leakage_over_folds(nyala, EncounterFolds()).sentence() == (
        "No leakage found: no test photo has one of the same identity from the same encounter in training; "
        "the table has no dates or times of day to check."
    )
    assert leakage_over_folds(nyala, IdentityFolds()).sentence().startswith("No test identity is in training;")
    belugas = Catalogue.read(shared / "data/whaledo/metadata.csv")
    by_date = leakage_over_folds(belugas, DateSplit(test_share=0.2))
    assert by_date.sentence().startswith("No leakage found")
    assert by_date.n_straddling == 0
    # In that table an encounter is of one viewpoint, so the same whale from its side moments later is another one.
    assert "same identity of the same date" in leakage_over_folds(belugas, EncounterFolds()).sentence()
    cows = Catalogue.read(shared / "data/holstein")
    assert leakage_over_folds(cows, PhotoFolds()).sentence() == (
        "Leakage can't be told: the table has no encounters, dates or times of day."
    )


def test_sentences_fit_what_leaks() -> None:
    def said(share: int, **columns: list[str]) -> str:
        photos = table(identity=["a"] * 201, **columns)
        return leakage(photos[:1], photos[1:]).sentence()

    assert said(1, encounter=["e"] * 2 + [f"e{row}" for row in range(199)]).startswith("Slight leakage: 1 of the 1 enc")
    assert " under 1% of the test photos have " in said(1, encounter=["e"] * 2 + [f"e{row}" for row in range(199)])
    assert " over 99% of " in said(1, encounter=["e"] * 200 + ["f"])
    assert said(1, date=["2020-06-01"] * 201) == (
        "Leakage: all of the test photos have a photo of the same identity of the same date in training, which "
        "flatters scores; split by date or identity."
    )


def test_reports_print_and_fit_json() -> None:
    photos = table(identity=list("aabb"), encounter=list("1123"), date=["2020-06-01"] * 4)
    report = leakage_over_folds(photos, PhotoFolds(2))
    told = json.loads(json.dumps(report.to_dict()))
    assert told["encounters_straddling"] == 1
    assert told["folds"]["0"]["cues"]["encounter"] == {"photos": 1, "of_test": 0.5, "of_queries": 0.5}
    assert told["folds"]["0"]["cues"]["hour"] == {"photos": None, "of_test": None, "of_queries": None}
    assert told["sentence"] == report.sentence()
    lines = str(report).splitlines()
    assert lines[0].split() == ["fold", "0", "fold", "1"]
    words = [line.split() for line in lines]
    assert ["same", "encounter", "50.0%", "50.0%"] in words
    assert ["within", "an", "hour", "–", "–"] in words
    assert ["same", "encounter", "1", "50.0%", "50.0%"] in [line.split() for line in str(report.folds[0]).splitlines()]
    assert report.to_frame().columns.tolist() == ["fold", "cue", "meaning", "photos", "of_test", "of_queries"]
    assert report.counts().to_dict("list")["unseen"] == [0.0, 0.0]


def test_single_splits_speak_of_training_and_test() -> None:
    photos = table(identity=["a", "a", "b"], encounter=["1", "2", "2"], date=["2020-06-01", "2020-06-02", "2020-06-02"])
    report = leakage_over_folds(photos, DateSplit("2020-06-02"))
    assert report.sentence() == report.folds[0].sentence()


@pytest.mark.parametrize(
    ("train", "test", "says"),
    [
        ([], ["a"], "the training part has no photos"),
        (["a"], [], "the test part has no photos"),
        ([None], ["a"], "no photo of the training part has a known identity"),
        (["a"], [None], "no photo of the test part has a known identity"),
    ],
)
def test_parts_without_animals_are_refused(train: list[str | None], test: list[str | None], says: str) -> None:
    photos = table(identity=[*train, *test])
    with pytest.raises(WhalereidError, match=says):
        leakage(photos[: len(train)], photos[len(train) :])


# With photos: a coloured square on a background that belongs to the encounter.


def draw(folder: Path, name: str, animal: int, water: tuple[int, int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = np.full((96, 96, 3), water, np.float32) + rng.normal(0, 6, (96, 96, 3))
    marks = np.random.default_rng(animal).uniform(0, 255, (8, 8, 3))
    y, x = rng.integers(20, 44, 2)
    image[y : y + 32, x : x + 32] = cv2.resize(marks, (32, 32), interpolation=cv2.INTER_NEAREST)
    cv2.imwrite(str(folder / name), image.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 95])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """12 animals × 3 encounters, each in a water of its own, × 3 photos."""
    folder = tmp_path_factory.mktemp("drawn")
    rows = []
    for number, (animal, met, shot) in enumerate(np.ndindex(12, 3, 3)):
        water = np.random.default_rng([animal, met]).integers(30, 220, 3)
        name = f"{animal:02d}-{met}-{shot}.jpg"
        draw(folder, name, animal, tuple(water.tolist()), seed=number)
        rows.append({"image_id": name, "path": name, "identity": f"w{animal}", "encounter": f"w{animal}-{met}"})
    return Catalogue(pd.DataFrame(rows), folder)


def test_backgrounds_give_encounters_away(drawn: Catalogue) -> None:
    mixed = leakage_over_folds(drawn, PhotoFolds(3), photos=True)
    for part in mixed.folds.values():
        assert part.border is not None
        assert part.border.identity > 0.8
        assert part.border.encounter > 0.8
        # Each query has 6 training photos of its identity among 72.
        assert part.border.identity_by_chance == pytest.approx(6 / 72, abs=0.02)
        assert part.count("border") == round(part.border.identity * part.n_queries)
    assert "By the photo's border alone, " in mixed.sentence()
    apart = leakage_over_folds(drawn, EncounterFolds(3), photos=True)
    for part in apart.folds.values():
        assert part.border is not None
        assert part.border.encounter == part.border.encounter_by_chance == 0
        assert part.border.identity < 0.3


def test_copies_and_near_duplicates_are_found(drawn: Catalogue, tmp_path: Path) -> None:
    train = drawn[::3]
    second, third = (cv2.imread(str(path)) for path in train.paths[1:3])
    (tmp_path / "copy.jpg").write_bytes(train.paths[0].read_bytes())
    cv2.imwrite(str(tmp_path / "smaller.jpg"), cv2.resize(second, (72, 72), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(tmp_path / "brighter.jpg"), cv2.convertScaleAbs(third, alpha=0.9, beta=20))
    draw(tmp_path, "fresh.jpg", 0, (90, 60, 30), seed=1)
    names = ["copy.jpg", "smaller.jpg", "brighter.jpg", "fresh.jpg"]
    identity = [*train.column("identity")[:2], "w7", "w0"]  # the brightened one under another name
    test = Catalogue(pd.DataFrame({"image_id": names, "path": names, "identity": identity}), tmp_path)
    report = leakage(train, test, photos=True)
    assert report.photos["bytes"].tolist() == [True, False, False, False]
    assert report.photos["look"].tolist() == [True, True, False, False]
    pairs = report.near_duplicates
    assert pairs is not None
    assert pairs["similarity"].is_monotonic_decreasing
    found = pairs.set_index("test_id")
    assert found["train_id"].to_dict() == dict(zip(names[:3], train.image_ids[:3], strict=True))
    assert found["same_bytes"].to_dict() == {"copy.jpg": True, "smaller.jpg": False, "brighter.jpg": False}
    assert found["same_identity"].to_dict() == {"copy.jpg": True, "smaller.jpg": True, "brighter.jpg": False}
    assert "Nearly identical to a training photo of another identity: 1 test photos." in report.sentence()
    json.dumps(report.to_dict())


def test_where_copies_are_all_that_leaks_it_asks_to_drop_them(drawn: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "copy.jpg").write_bytes(drawn.paths[0].read_bytes())
    copy = pd.DataFrame({"image_id": ["copy"], "path": ["copy.jpg"], "identity": ["w0"], "encounter": ["later"]})
    said = leakage(drawn, Catalogue(copy, tmp_path), photos=True).sentence()
    assert said.startswith("Leakage: all of the test photos have a photo of the same identity that is a byte-for-byte")
    assert "which flatters scores; drop such copies; the table has no dates or times of day to check." in said


def test_photos_that_cannot_be_read_are_counted(drawn: Catalogue, tmp_path: Path) -> None:
    for name in ("good.jpg", "bad.jpg"):
        (tmp_path / name).write_bytes(drawn.paths[0].read_bytes())
    (tmp_path / "bad.jpg").write_text("not a photo")
    frame = pd.DataFrame(
        {"image_id": ["g", "b", "m"], "path": ["good.jpg", "bad.jpg", "../away.jpg"], "identity": ["w0"] * 3}
    )
    report = leakage(drawn[::3], Catalogue(frame, tmp_path), photos=True)
    assert report.n_unread == 2
    assert report.photos["bytes"].tolist() == [True, False, False]


def test_borders_are_of_the_border_alone(tmp_path: Path) -> None:
    def photo(name: str, border: int, centre: int, **options: int) -> str:
        image = np.full((80, 120, 3), border, np.uint8)
        image[10:-10, 15:-15] = centre
        if options.get("grey"):
            image = image[..., 0]
        if options.get("deep"):
            image = image.astype(np.uint16) * 257
        cv2.imwrite(str(tmp_path / name), image)
        return name

    names = [
        photo("one.png", 40, 200),
        photo("same.png", 40, 90),
        photo("grey.png", 40, 0, grey=1),
        photo("deep.png", 40, 0, deep=1),
        photo("other.png", 200, 200),
    ]
    found = Appearance.of(Catalogue(pd.DataFrame({"image_id": names, "path": names}), tmp_path), progress=False).border
    similar = (found @ found.T)[0]
    assert similar[:4] == pytest.approx([1, 1, 1, 1], abs=0.05)
    assert similar[4] < 0.1
    # In a box, the border is the box's.
    boxed = Catalogue(pd.DataFrame({"image_id": ["b"], "path": ["one.png"], "bbox": ["15,10,90,60"]}), tmp_path)
    assert (Appearance.of(boxed, progress=False).border[0] @ found[4]) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("parts", [1, 2])
def test_each_photo_is_read_once(drawn: Catalogue, parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def counted(path: Path) -> bytes:
        read.append(path)
        return path.read_bytes()

    for module in [module for name, module in sys.modules.items() if name.startswith("whalereid.")]:
        if hasattr(module, "read_bytes"):  # wherever photos are read
            monkeypatch.setattr(module, "read_bytes", counted)
    report = leakage(drawn[::2], drawn[1::2], photos=True)
    if parts == 1:
        read.clear()
        report = leakage_over_folds(drawn, PhotoFolds(2), photos=True).folds[0]
    assert sorted(read) == sorted(drawn.paths)
    assert report.border is not None


def test_reports_of_large_tables_grow_as_the_tables_do() -> None:
    def seconds(n: int) -> float:
        rng = np.random.default_rng(0)
        identity, met = rng.integers(0, n // 50, n), rng.integers(0, 10, n)
        photos = table(
            identity=[f"w{who}" for who in identity],
            encounter=[f"{who}-{when}" for who, when in zip(identity, met, strict=True)],
        )
        begin = time.process_time()
        leakage_over_folds(photos, PhotoFolds(5))
        return time.process_time() - begin

    small = min(seconds(4000) for _ in range(2))
    assert seconds(40000) < 40 * small  # ten times the photos; were every pair compared, a hundred times


def test_encounters_that_are_unknown_are_found_by_no_border(drawn: Catalogue) -> None:
    nameless = Catalogue(drawn.frame.drop(columns="encounter"), drawn.root)
    border = leakage_over_folds(nameless, PhotoFolds(3), photos=True).folds[0].border
    assert border is not None
    assert border.identity > 0
    assert border.encounter == border.encounter_by_chance == 0


def test_the_table_alone_opens_no_photo() -> None:
    photos = table(identity=list("aabb"), encounter=list("1212"))  # of photos that don't exist
    assert leakage_over_folds(photos, PhotoFolds(2)).folds[0].border is None
