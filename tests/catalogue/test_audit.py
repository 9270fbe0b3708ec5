from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Audit, Catalogue, Finding, audit

Draw = Callable[..., Path]


def found(result: Audit) -> dict[str, tuple[str, ...]]:
    return {finding.kind: finding.offenders for finding in result.findings}


def of_table(**columns: list[object]) -> Audit:
    n = len(next(iter(columns.values())))
    ids = [f"p{row}" for row in range(n)]
    return audit(Catalogue(pd.DataFrame({"image_id": ids, "path": ids} | columns), source="t.csv"), photos=False)


def test_a_clean_catalogue_has_nothing(competition: Path) -> None:
    result = audit(Catalogue.read(competition))
    assert result.findings == ()
    assert result.photos_read
    assert result.summary == {
        "photos": 4,
        "identities": 2,
        "photos_without_identity": 0,
        "viewpoints": {"left": 2, "top": 2},
        "encounters": 2,
        "dates": {"first": "2017-08-01", "last": "2017-08-04", "photos": 4},
        "scenarios": [
            {"id": "scenario01", "queries": 1, "database": 3},
            {"id": "scenario02", "queries": 1, "database": 0},
        ],
    }
    assert "nothing wrong found" in str(result)


def test_identities() -> None:
    result = of_table(identity=["a", "a", "b", "c", None, "____"])
    assert found(result) == {"no-identity": ("p4", "p5"), "single-photo-identities": ("b", "c")}
    assert result.summary["identities"] == 3
    assert result.summary["photos_without_identity"] == 2
    assert found(of_table(identity=["a", "a"])) == {"one-identity": ("a",)}
    assert found(of_table(identity=[None, None])) == {"no-identities": ("p0", "p1")}
    assert found(of_table(notes=["x"])) == {"no-identities": ("p0",)}


def test_endless_names_are_shown_in_lines_that_can_be_read() -> None:
    long = "x" * 40_000
    result = of_table(identity=[long, "y", "y"], viewpoint=[long, None, long], location=[long, long, "z"])
    assert found(result)["single-photo-identities"] == (long,)
    assert max(map(len, str(result).splitlines())) < 400


def test_encounters() -> None:
    result = of_table(identity=[*"aabbab", None], encounter=["1", "1", "1", "2", "3", None, "2"])
    assert found(result)["mixed-encounters"] == ("1",)
    assert next(f for f in result.findings if f.kind == "mixed-encounters").examples == ("1: a, b",)


class TestBoxes:
    def conflicts(self, **columns: list[object]) -> tuple[str, ...]:
        return found(of_table(**columns)).get("box-conflicts", ())

    def test_one_box_under_two_names(self) -> None:
        boxes = ["0,0,100,100", "200,0,100,100", "1,0,100,100", "0,0,50,100", None, "0,0,100,100"]
        path = ["a.jpg"] * 5 + ["b.jpg"]
        result = of_table(path=path, bbox=boxes, identity=["x", "y", "z", "w", "v", "z"])
        assert found(result)["box-conflicts"] == ("p2",)
        finding = next(each for each in result.findings if each.kind == "box-conflicts")
        assert finding.examples == ("p0 (x) and p2 (z): a.jpg",)
        assert finding.severity == "warning"

    def test_one_photo_without_boxes_under_two_names(self) -> None:
        assert self.conflicts(path=["a", "a", "a", "b"], identity=["x", "y", "x", "y"]) == ("p1", "p2")
        assert self.conflicts(path=["a", "a", "a"], identity=["x", "x", None]) == ()

    def test_it_is_what_every_pair_says(self) -> None:
        random = np.random.default_rng(0)
        n = 300
        corners, sides = random.integers(0, 12, (n, 2)) * 5, random.integers(9, 12, (n, 2)) * 10
        path = [f"{number}.jpg" for number in random.integers(0, 60, n)]
        identity = [f"who{number}" for number in random.integers(0, 3, n)]
        boxes = [",".join(map(str, [*corner, *side])) for corner, side in zip(corners, sides, strict=True)]
        wanted = set()
        for one in range(n):
            for other in range(one + 1, n):
                if path[one] == path[other] and identity[one] != identity[other]:
                    low = np.maximum(corners[one], corners[other])
                    high = np.minimum(corners[one] + sides[one], corners[other] + sides[other])
                    shared = np.clip(high - low, 0, None).prod()
                    if shared >= 0.9 * (sides[one].prod() + sides[other].prod() - shared):
                        wanted.add(f"p{other}")
        assert wanted
        assert set(self.conflicts(path=path, identity=identity, bbox=boxes)) == wanted

    def test_very_many_rows_of_one_photo(self) -> None:
        n = 20_000
        boxes = [f"{200 * number},0,100,100" for number in range(n)]
        boxes[-1] = boxes[7]
        identity = [f"who{number % 50}" for number in range(n)]
        assert self.conflicts(path=["a"] * n, identity=identity, bbox=boxes) == (f"p{n - 1}",)


def test_positions() -> None:
    result = of_table(lat=[0, 0, 45, None], lon=[0, 5, 0, None])
    assert found(result)["null-positions"] == ("p0",)
    assert result.summary["positions"] == 3
    assert "positions   3 (photos without: 1)" in str(result)


def test_viewpoints() -> None:
    result = of_table(identity=list("aabb"), viewpoint=["up", "lft", "lft", None])
    assert found(result) == {"unknown-viewpoints": ("lft",)}
    assert result.findings[0].examples == ("lft: 2",)


def test_dates() -> None:
    result = of_table(
        identity=list("aabb"), date=["2017-08-07", "soon", None, "3/4/2017"], timestamp=["?", "?", None, None]
    )
    assert found(result) == {"unreadable-dates": ("p0", "p1", "p3")}
    assert result.findings[0].examples == ("p0: 2017-08-07, ?", "p1: soon, ?", "p3: 3/4/2017")
    assert result.summary["dates"] == {"first": "2017-08-07", "last": "2017-08-07", "photos": 1}


def test_paths_that_leave_the_root(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "outside.png")
    draw(tmp_path / "in/a.png")
    frame = pd.DataFrame({"image_id": list("abc"), "path": ["a.png", "../outside.png", str(tmp_path / "outside.png")]})
    for photos in (True, False):
        result = audit(Catalogue(frame, tmp_path / "in"), photos=photos)
        assert found(result)["paths-outside"] == ("b", "c")
        assert result.findings[0].severity == "error"


def test_photos_missing_and_unreadable(tmp_path: Path, draw: Draw) -> None:
    data = draw(tmp_path / "a.jpg", 1).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) * 2 // 3])
    (tmp_path / "text.jpg").write_text("no photo")
    draw(tmp_path / "pixel.png", 1, height=1, width=1)
    names = ["a.jpg", "cut.jpg", "text.jpg", "none.jpg", "pixel.png"]
    photos = Catalogue(pd.DataFrame({"image_id": names, "path": names, "identity": list("aabbb")}), tmp_path)
    result = audit(photos)
    assert found(result) == {
        "missing-photos": ("none.jpg",),
        "unreadable-photos": ("cut.jpg", "text.jpg"),
        "tiny-photos": ("pixel.png",),
    }
    assert {finding.severity for finding in result.findings} == {"error"}
    cut, text = result.findings[1].examples
    assert "cut.jpg: the photo is cut short" in cut
    assert "text.jpg: is not a photo" in text
    assert found(audit(photos, photos=False)) == {}


def test_copies(tmp_path: Path, draw: Draw) -> None:
    import cv2

    for seed, name in enumerate("abcd"):
        draw(tmp_path / f"{name}.png", seed)
    for copy, original in {"e": "a", "f": "a", "g": "b"}.items():
        (tmp_path / f"{copy}.png").write_bytes((tmp_path / f"{original}.png").read_bytes())
    for copy, original in {"h": "c", "i": "d"}.items():
        photo = cv2.imread(str(tmp_path / f"{original}.png"))
        cv2.imwrite(str(tmp_path / f"{copy}.png"), cv2.convertScaleAbs(photo, alpha=0.9, beta=20))
    names = list("abcdefghi")
    who = dict(zip(names, ["w1", "w2", "w3", "w4", "w1", None, "w3", "w3", "w5"], strict=True))
    frame = pd.DataFrame({"image_id": names, "path": [f"{n}.png" for n in names], "identity": [who[n] for n in names]})
    result = audit(Catalogue(frame, tmp_path))
    copies = {kind: offenders for kind, offenders in found(result).items() if "identical" in kind}
    assert copies == {
        "identical-photos": ("e", "f"),
        "identical-conflicts": ("g",),
        "near-identical-photos": ("h",),
        "near-identical-conflicts": ("i",),
    }
    examples = {finding.kind: finding.examples for finding in result.findings}
    assert examples["identical-photos"] == ("e = a", "f = a")
    assert examples["identical-conflicts"] == ("g (w3) = b (w2)",)
    assert examples["near-identical-conflicts"] == ("i (w5) = d (w4)",)


def test_two_boxes_of_one_photo_are_no_copies(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "herd.png", 1)
    frame = pd.DataFrame(
        {
            "image_id": ["a", "b"],
            "path": ["herd.png"] * 2,
            "identity": ["x", "y"],
            "bbox": [(0, 0, 30, 40), (34, 0, 30, 40)],
        }
    )
    assert set(found(audit(Catalogue(frame, tmp_path)))) == {"single-photo-identities"}


def test_black_photos_are_flat_not_alike(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    for number, shade in enumerate((0, 1, 255)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((40, 40 + number, 3), shade, np.uint8))
    frame = pd.DataFrame({"image_id": list("012"), "path": [f"{n}.png" for n in range(3)], "identity": list("aab")})
    assert found(audit(Catalogue(frame, tmp_path)))["flat-photos"] == ("0", "1", "2")
    assert not any("identical" in kind for kind in found(audit(Catalogue(frame, tmp_path))))


def test_the_worst_comes_first_and_counts_add_up(tmp_path: Path) -> None:
    ids = [f"p{row:03d}" for row in range(200)]
    frame = pd.DataFrame({"image_id": ids, "path": ids, "identity": ["a", "b"] + ["c"] * 198, "view": "lft"})
    result = audit(Catalogue(frame, tmp_path))
    assert [finding.severity for finding in result.findings] == ["error", "warning", "note"]
    missing = result.findings[0]
    assert missing.count == 200
    assert len(missing.examples) == 5
    assert "… and 195 more" in str(result)
    assert "all of them" in missing.advice


def test_as_json_everything_is_there() -> None:
    result = of_table(identity=["a", "b", None])
    again = json.loads(json.dumps(result.to_dict()))
    assert again["photos"] == 3
    assert again["photos_read"] is False
    assert again["findings"][1] == {
        "count": 2,
        "kind": "single-photo-identities",
        "severity": "note",
        "message": "identities with a single photo",
        "advice": again["findings"][1]["advice"],
        "offenders": ["a", "b"],
        "examples": ["a", "b"],
    }


def test_hostile_text_is_printed_harmlessly() -> None:
    result = of_table(
        identity=["[red]x[/red]", "\x1b[2Jy", "[/]"], viewpoint=["[link=file:///]z", "\u202eevil", "left"]
    )
    text = str(result)
    assert "[red]x[/red]" in text
    assert "[link=file:///]z" in text
    assert "\x1b" not in text
    assert "\\x1b[2Jy" in text
    assert "\u202e" not in text


def test_results_cannot_be_changed() -> None:
    result = of_table(identity=["a"])
    with pytest.raises(AttributeError):
        result.findings = ()  # type: ignore[misc]
    assert isinstance(result.findings[0], Finding)


@pytest.mark.shared
def test_real_tables(shared: Path) -> None:
    nyala = found(audit(Catalogue.read(shared / "data/nyala"), photos=False))
    assert nyala == {"single-photo-identities": ("nyala157",)}
    whaledo = audit(Catalogue.read(shared / "data/whaledo"))
    assert {finding.kind: finding.count for finding in whaledo.findings} == {
        "missing-photos": 5902,
        "single-photo-identities": 155,
    }


def test_names_written_in_two_ways() -> None:
    names = ["Bob", "bob", "Ana  Li", "Ana Li", "Ren\u00e9", "Rene\u0301", "Zo\u200b", "Zo", "Rex", "Rexa"]
    result = of_table(identity=names * 2)
    assert set(found(result)["similar-identities"]) == set(names[:8])
    finding = next(finding for finding in result.findings if finding.kind == "similar-identities")
    assert finding.severity == "warning"
    assert "'Bob' (2) = 'bob' (2)" in finding.examples


@pytest.mark.parametrize(
    "path", ["../a", "a/../../b", "/a", "\\a", "\\\\server\\a", "C:a", "C:\\a", "c:/a", "..", "a\0b", "a\\..\\..\\b"]
)
def test_every_way_out_of_the_root_is_found_without_reading(path: str) -> None:
    frame = pd.DataFrame({"image_id": ["x", "y", "z"], "path": ["a..b/c.jpg", path, "a/../b.jpg"]})
    assert found(audit(Catalogue(frame), photos=False))["paths-outside"] == ("y",)


def test_auditing_grows_with_the_photos_not_faster() -> None:
    import time

    def seconds(n: int) -> float:
        rows = [f"p{row}" for row in range(n)]
        columns = {"identity": [f"w{row // 20}" for row in range(n)], "encounter": [f"e{row // 4}" for row in range(n)]}
        photos = Catalogue(pd.DataFrame({"image_id": rows, "path": rows, "viewpoint": "top", **columns}))
        start = time.process_time()
        audit(photos, photos=False)
        return time.process_time() - start

    seconds(100)
    assert seconds(80_000) < 12 * max(seconds(20_000), 0.05)
