"""What is of the wrong kind is refused by name, in one line, at every public door."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from whalereid import catalogue
from whalereid.catalogue import (
    Catalogue,
    Encounters,
    TrainedOn,
    audit,
    check_import,
    export,
    fill_from_exif,
    fingerprint,
    import_catalogue,
    most_similar,
)
from whalereid.errors import WhalereidError

PHOTOS: Any = Catalogue(pd.DataFrame({"image_id": ["a"], "path": ["a.jpg"], "identity": ["x"]}))
LOOKS = np.eye(3, dtype=np.float32)

CALLS: dict[str, list[tuple[str, Callable[[], object]]]] = {
    "audit": [
        *[("catalogue", lambda bad=bad: audit(bad)) for bad in ("x", None, 7, PHOTOS.frame)],
        *[("photos", lambda bad=bad: audit(PHOTOS, photos=bad)) for bad in ("x", None, 1)],
        *[("workers", lambda bad=bad: audit(PHOTOS, workers=bad)) for bad in (-1, 0, "a", 1.5, True)],
        *[("workers", lambda bad=bad: audit(PHOTOS, photos=False, workers=bad)) for bad in (-1, "a")],
        ("progress", lambda: audit(PHOTOS, progress="x")),
    ],
    "fingerprint": [
        *[("catalogue", lambda bad=bad: fingerprint(bad)) for bad in (7, "x", None, [PHOTOS])],
        *[("workers", lambda bad=bad: fingerprint(PHOTOS, workers=bad)) for bad in (-1, 0, "a")],
        ("progress", lambda: fingerprint(PHOTOS, progress=2)),
    ],
    "Encounters": [
        *[("gap", lambda bad=bad: Encounters(gap=bad)) for bad in (None, "x", -1, float("nan"), True)],
        *[("distance", lambda bad=bad: Encounters(distance=bad)) for bad in (None, "x", -1, 0, 1e9, float("inf"))],
        ("again", lambda: Encounters(again="x")),
        *[("catalogue", lambda bad=bad: Encounters().of(bad)) for bad in (7, "x", None, [PHOTOS])],
    ],
    "fill_from_exif": [
        *[("catalogue", lambda bad=bad: fill_from_exif(bad)) for bad in (7, "x", None, [PHOTOS])],
        *[("workers", lambda bad=bad: fill_from_exif(PHOTOS, workers=bad)) for bad in (-1, 0, "a")],
        ("progress", lambda: fill_from_exif(PHOTOS, progress=2)),
    ],
    "most_similar": [
        *[("vectors", lambda bad=bad: most_similar(bad)) for bad in ("a", None, 7, [[1.0]], LOOKS[0], LOOKS * np.nan)],
        ("vectors", lambda: most_similar(np.array([["a"]]))),
        ("among", lambda: most_similar(LOOKS, "a")),
        ("among", lambda: most_similar(LOOKS, LOOKS[:, :2])),
        ("progress", lambda: most_similar(LOOKS, progress="x")),
    ],
    "TrainedOn": [
        *[("photos", lambda bad=bad: TrainedOn.of(bad)) for bad in (7, "x", None)],
        ("chosen_by", lambda: TrainedOn.of(PHOTOS, chosen_by="x")),
        *[("names", lambda bad=bad: TrainedOn.of_identities(bad)) for bad in (7, None, [7])],
        *[("members", lambda bad=bad: TrainedOn.of_all(bad)) for bad in (7, None, ["x"])],
        *[("photos", lambda bad=bad: TrainedOn.of(PHOTOS).has_photos(bad)) for bad in (7, "x")],
        ("photos", lambda: TrainedOn.of(PHOTOS).chose_by(7)),
        ("names", lambda: TrainedOn.of(PHOTOS).has_identities(7)),
        ("names", lambda: TrainedOn.of(PHOTOS).has_encounters(7)),
    ],
    "export": [
        *[("catalogue", lambda bad=bad: export(bad, "x.csv", "csv")) for bad in ("x", None, 7, PHOTOS.frame)],
        *[("path", lambda bad=bad: export(PHOTOS, bad, "csv")) for bad in (None, 7, b"x.csv", "", "a\0b.csv")],
        *[("to is", lambda bad=bad: export(PHOTOS, "x.csv", bad)) for bad in (None, 7, ["csv"], b"csv")],
        *[("format", lambda bad=bad: export(PHOTOS, "x.csv", bad)) for bad in ("x", "csv:a=1")],
        *[("force", lambda bad=bad: export(PHOTOS, "x.csv", "csv", force=bad)) for bad in (1, "x", None)],
    ],
    "check_import": [
        *[("out", lambda bad=bad: check_import(bad)) for bad in (None, 7, b"x", "", [])],
        *[("force", lambda bad=bad: check_import("nowhere", force=bad)) for bad in (None, 1, "x")],
    ],
    "import_catalogue": [
        *[("source", lambda bad=bad: import_catalogue(bad, "nowhere")) for bad in (None, 7, [], PHOTOS.frame, "")],
        *[("out", lambda bad=bad: import_catalogue("here", bad)) for bad in (None, 7, b"x", "", [])],
        *[
            ("columns", lambda bad=bad: import_catalogue(".", "x", columns=bad))
            for bad in (7, "identity=Id", [], {7: "a"})
        ],
        ("columns", lambda: import_catalogue("here", "nowhere", columns={"identity": None})),
        *[("layout", lambda bad=bad: import_catalogue("here", "nowhere", layout=bad)) for bad in (7, "", [], "tabel")],
        *[("options", lambda bad=bad: import_catalogue("here", "nowhere", options=bad)) for bad in (7, "x", [])],
        ("7", lambda: import_catalogue("here", "nowhere", layout="table", options={7: "x"})),
        *[("force", lambda bad=bad: import_catalogue("here", "nowhere", force=bad)) for bad in (None, 1, "x")],
    ],
    # Results and values, which ours make; their fields are what they are given.
    "Audit": [],
    "Finding": [],
    "Fingerprints": [],
    "RuleUse": [],
    "Views": [],
    "LAYOUTS": [],
    "Folder": [],
    "FoundEncounters": [],
    "FoundPhotos": [],
    "Reader": [],
    "Writer": [],
    "NEAR_IDENTICAL": [],
}


def test_every_public_name_is_here() -> None:
    assert set(catalogue.__all__) == {*CALLS, "Catalogue"}


@pytest.mark.parametrize(("name", "call"), [case for cases in CALLS.values() for case in cases])
def test_the_argument_is_named(name: str, call: Callable[[], object]) -> None:
    with pytest.raises(WhalereidError, match=name) as error:
        call()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        *[("source", bad) for bad in (None, 7, [], {}, b"x", "", "a\0b", PHOTOS.frame, object())],
        ("metadata", SimpleNamespace(metadata=7, root=".")),
        ("root", SimpleNamespace(metadata=PHOTOS.frame, root=7)),
    ],
)
def test_sources_that_are_none(name: str, source: Any) -> None:
    with pytest.raises(WhalereidError, match=name) as error:
        Catalogue.read(source)
    assert "\n" not in str(error.value)
    if isinstance(source, pd.DataFrame):
        assert "Catalogue(frame, root)" in str(error.value)


@pytest.mark.parametrize("layout", [7, "", [], {}, "tabel"])
def test_layouts_that_are_none(layout: Any) -> None:
    with pytest.raises(WhalereidError, match=r"layout is .*; choose from lila-test, coco"):
        Catalogue.read(".", layout)


def test_numbers_of_other_kinds_are_compared_all_the_same() -> None:
    assert most_similar(LOOKS.astype(np.float64))[0].tolist() == most_similar(LOOKS)[0].tolist()
    assert most_similar(LOOKS[:0])[0].tolist() == []
