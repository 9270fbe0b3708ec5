"""The column `mask`: read in whatever form tables have it, drawn, counted in keys, and looked at by the audit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from oracles import masks as oracle
from whalereid.catalogue import Catalogue, audit, fingerprint
from whalereid.catalogue.contents import content_keys, cut_by_mask
from whalereid.catalogue.masks import OtherSizeError, draw_mask
from whalereid.errors import WhalereidError

Draw = Callable[..., Path]
SQUARE = [[10, 5, 30, 5, 30, 25, 10, 25]]
INSIDE = np.zeros((48, 64), np.uint8)
INSIDE[5:25, 10:30] = 1
RUNS = {"size": [48, 64], "counts": oracle.runs_of(INSIDE)}
PACKED = {"size": [48, 64], "counts": oracle.packed(oracle.runs_of(INSIDE))}


def catalogue(folder: Path, **columns: Any) -> Catalogue:
    n = len(next(iter(columns.values())))
    ids = [f"p{row}" for row in range(n)]
    columns = {name: pd.Series(values, dtype=object) for name, values in columns.items()}
    return Catalogue(
        pd.DataFrame({"image_id": ids, "path": [f"{name}.png" for name in ids]} | columns), folder, source="t.csv"
    )


class TestReading:
    def test_lists_and_mappings_become_text(self, tmp_path: Path) -> None:
        given = [
            SQUARE, (tuple(SQUARE[0]),), np.array(SQUARE), [np.array(SQUARE[0], np.float32)], SQUARE[0],
            RUNS, PACKED, PACKED | {"counts": PACKED["counts"].encode()}, RUNS | {"counts": np.array(RUNS["counts"])},
            json.dumps(SQUARE), "masks/a.png", None, "", [], {}, "[]", "{}", np.zeros(0), "NA", float("nan"),
        ]  # fmt: skip
        photos = catalogue(tmp_path, mask=given)
        read = photos.column("mask").tolist()
        assert all(isinstance(mask, str) for mask in read[:11])
        assert read[10] == "masks/a.png"
        assert all(json.loads(mask) for mask in read[:10])
        assert photos.known("mask").tolist() == [True] * 11 + [False] * 9
        again = Catalogue(photos.frame)
        assert again.column("mask").tolist()[:11] == read[:11]
        for mask in read[:10]:
            drawn = draw_mask(mask, 48, 64, where="a.png")
            assert (drawn >= INSIDE).all()
            assert drawn.sum() <= 21 * 21

    @pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
    def test_masks_go_into_files_and_back(self, tmp_path: Path, name: str) -> None:
        photos = catalogue(tmp_path, mask=[SQUARE, PACKED, "masks/a.png", None])
        photos.write(tmp_path / name)
        assert Catalogue.read(tmp_path / name).column("mask").tolist()[:3] == photos.column("mask").tolist()[:3]

    def test_parquet_may_hold_lists(self, tmp_path: Path) -> None:
        frame = pd.DataFrame({"image_id": ["a"], "path": ["a.png"], "mask": [SQUARE]})
        frame.to_parquet(tmp_path / "t.parquet")
        assert json.loads(Catalogue.read(tmp_path / "t.parquet").column("mask")[0]) == SQUARE

    def test_the_column_of_wildlife_datasets(self, tmp_path: Path) -> None:
        photos = catalogue(tmp_path, segmentation=[SQUARE[0], PACKED])
        assert photos.known("mask").all()
        both = catalogue(tmp_path, segmentation=[SQUARE[0]], mask=["a.png"])
        assert both.column("mask")[0] == "a.png"

    @pytest.mark.parametrize("value", [{"size": {1}}, [object()], {"counts": b"\xff"}, [[1, {2: {3}}]]])
    def test_what_no_json_holds_is_refused_by_row(self, tmp_path: Path, value: Any) -> None:
        with pytest.raises(WhalereidError, match=r"t\.csv, row 2, column mask: .* is no mask"):
            catalogue(tmp_path, mask=[SQUARE, value])

    def test_a_list_within_itself(self, tmp_path: Path) -> None:
        value: list[Any] = []
        value.append(value)
        with pytest.raises(WhalereidError, match="row 1, column mask"):
            catalogue(tmp_path, mask=[value])


class TestDrawing:
    def test_every_form(self, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "mask.png"), INSIDE * 255)
        for mask in (RUNS, PACKED, json.dumps(PACKED), tmp_path / "mask.png", INSIDE, INSIDE > 0, INSIDE * 0.5):
            drawn = draw_mask(mask, 48, 64, where="a.png")
            assert drawn.dtype == np.uint8
            assert (drawn == INSIDE).all()

    @pytest.mark.parametrize("mask", [RUNS, PACKED, INSIDE, [[0, 0, 900, 0, 900, 900]], [[10, 5, 30, 5, 30, 110]]])
    def test_another_size_is_told_with_both(self, mask: Any) -> None:
        with pytest.raises(OtherSizeError, match=r"a\.png: its mask .*32×24 px") as refused:
            draw_mask(mask, 24, 32, where="a.png")
        assert "\n" not in str(refused.value)

    def test_a_picture_of_another_size(self, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "mask.png"), INSIDE.T)
        with pytest.raises(OtherSizeError, match="is 48×64 px, the photo 64×48 px"):
            draw_mask(tmp_path / "mask.png", 48, 64, where="a.png")

    @pytest.mark.parametrize("mask", [[[70, 50, 90, 50, 80, 60]], {"size": [48, 64], "counts": [48 * 64]}, INSIDE * 0])
    def test_a_mask_without_a_pixel(self, mask: Any) -> None:
        with pytest.raises(WhalereidError, match=r"a\.png: its mask has no pixel on the photo of 64×48 px"):
            draw_mask(mask, 48, 64, where="a.png")


def test_the_examples_of_the_docs(repository: Path) -> None:
    """Each cell of the table of masks draws; run lengths and compressed text are the same mask."""
    page = (
        (repository / "docs/catalogue.md").read_text(encoding="utf-8").partition("### Masks")[2].partition("\n## ")[0]
    )
    cells = [line.split("|")[1].strip(" `") for line in page.splitlines() if line.startswith("| `")]
    polygons, runs, packed, picture = cells
    assert picture == "masks/a.png"
    assert draw_mask(polygons, 48, 64, where="a.png").any()
    assert (draw_mask(runs, 48, 64, where="a.png") == draw_mask(packed, 48, 64, where="a.png")).all()


class TestKeys:
    def test_a_mask_counts_where_there_is_no_box(self, tmp_path: Path, draw: Draw) -> None:
        for name in ("p0", "p1", "p2"):
            draw(tmp_path / f"{name}.png")
        photos = catalogue(tmp_path, mask=[SQUARE, SQUARE, None], bbox=[None, (0, 0, 20, 20), None])
        assert cut_by_mask(photos).tolist() == [True, False, False]
        plain, with_mask = photos.assign(mask=None), content_keys(photos)
        assert [one == other for one, other in zip(content_keys(plain), with_mask, strict=True)] == [False, True, True]
        moved = photos.assign(mask=pd.Series([[[12, 5, 30, 5, 30, 25]]] * 3, dtype=object))
        assert content_keys(moved)[0] != with_mask[0]
        everywhere = content_keys(photos, photos.known("mask"))
        assert (everywhere[0], everywhere[2]) == (with_mask[0], with_mask[2])
        assert everywhere[1] != with_mask[1]

    def test_photos_without_masks_keep_their_keys(self, tmp_path: Path, draw: Draw) -> None:
        data = draw(tmp_path / "p0.png").read_bytes()
        photos = catalogue(tmp_path, bbox=[(1, 2, 20, 20)])
        expected = hashlib.blake2b(b"(1.0, 2.0, 20.0, 20.0)" + f"{len(data)} ".encode() + data, digest_size=4)
        assert content_keys(photos) == [expected.hexdigest()]

    def test_a_picture_counts_by_what_is_in_it(self, tmp_path: Path, draw: Draw) -> None:
        draw(tmp_path / "p0.png")
        cv2.imwrite(str(tmp_path / "m.png"), INSIDE)
        photos = catalogue(tmp_path, mask=["m.png"])
        before = content_keys(photos)
        cv2.imwrite(str(tmp_path / "m.png"), np.roll(INSIDE, 3, axis=1))
        assert content_keys(photos) != before
        (tmp_path / "m.png").unlink()
        assert content_keys(photos) == [""]


class TestAudit:
    def photos(self, folder: Path, draw: Draw, **columns: Any) -> Catalogue:
        for row in range(len(next(iter(columns.values())))):
            draw(folder / f"p{row}.png", row)
        return catalogue(folder, **columns)

    def test_masks(self, tmp_path: Path, draw: Draw) -> None:
        cv2.imwrite(str(tmp_path / "fine.png"), INSIDE)
        cv2.imwrite(str(tmp_path / "small.png"), INSIDE[::2, ::2])
        cv2.imwrite(str(tmp_path / "mask.jpg"), INSIDE)
        masks = [
            SQUARE, PACKED, "fine.png", None,
            "[[1, 2, 3]]", "none.png", "../fine.png", "mask.jpg", [[70, 50, 90, 50, 80, 60]], {"size": [48, 64]},
            "small.png", {"size": [24, 32], "counts": [300, 468]}, [[0, 0, 900, 0, 900, 900]],
        ]  # fmt: skip
        photos = self.photos(tmp_path, draw, mask=masks)
        found = {one.kind: one for one in audit(photos).findings}
        assert found["unreadable-masks"].offenders == tuple(f"p{row}" for row in range(4, 10))
        assert found["masks-of-another-size"].offenders == ("p10", "p11", "p12")
        assert {found[kind].severity for kind in ("unreadable-masks", "masks-of-another-size")} == {"error"}
        assert all("p4.png: its mask" in found["unreadable-masks"].examples[0] for _ in (1,))
        assert "leaves the table's folder" in found["unreadable-masks"].examples[2]
        assert "is 32×24 px, the photo 64×48 px" in found["masks-of-another-size"].examples[0]
        alone = {one.kind: one.offenders for one in audit(photos, photos=False).findings}
        assert alone["unreadable-masks"] == ("p4", "p6", "p9")  # pictures aren't opened
        assert "masks-of-another-size" not in alone
        sized = photos.assign(height=48, width=64)
        alone = {one.kind: one.offenders for one in audit(sized, photos=False).findings}
        assert alone["masks-of-another-size"] == ("p11", "p12")

    def test_boxes(self, tmp_path: Path, draw: Draw) -> None:
        boxes = [
            (0, 0, 64, 48), (-0.4, 0, 65, 48.5), None, (-5, 0, 20, 20), (50, 0, 20, 20), (0, 40, 20, 20),
            (64, 0, 10, 10), (-20, 0, 20, 20), (1e9, 1e9, 10, 10),
        ]  # fmt: skip
        photos = self.photos(tmp_path, draw, bbox=boxes)
        for result in (audit(photos), audit(photos.assign(height=48, width=64), photos=False)):
            found = {one.kind: one for one in result.findings}
            assert found["boxes-beyond"].offenders == ("p3", "p4", "p5")
            assert found["boxes-beyond"].severity == "warning"
            assert "bbox (-5, 0, 20, 20) reaches beyond the photo of 64×48 px" in found["boxes-beyond"].examples[0]
            assert found["boxes-outside"].offenders == ("p6", "p7", "p8")
            assert found["boxes-outside"].severity == "error"
            assert "lies outside the photo of 64×48 px" in found["boxes-outside"].examples[0]
        assert not {"boxes-beyond", "boxes-outside"} & {one.kind for one in audit(photos, photos=False).findings}

    def test_a_mask_beside_its_box(self, tmp_path: Path, draw: Draw) -> None:
        photos = self.photos(tmp_path, draw, mask=[SQUARE] * 2, bbox=[(5, 5, 20, 20), (40, 30, 20, 15)])
        (found,) = (one for one in audit(photos).findings if one.kind == "unreadable-masks")
        assert found.offenders == ("p1",)
        assert "p1.png: its mask has no pixel in its bbox" in found.examples[0]

    def test_sizes_that_only_some_rows_have(self, tmp_path: Path, draw: Draw) -> None:
        photos = self.photos(tmp_path, draw, bbox=[(0, 0, 99, 99)] * 3)
        some = photos.assign(height=[48, None, 48], width=[64, 64, None])
        found = {one.kind: one.offenders for one in audit(some, photos=False).findings}
        assert found["boxes-beyond"] == ("p0",)

    def test_two_animals_of_one_photo_are_no_copies(self, tmp_path: Path, draw: Draw) -> None:
        draw(tmp_path / "both.png", 3)
        photos = catalogue(tmp_path, mask=[SQUARE, [[40, 20, 60, 20, 60, 44, 40, 44]]]).assign(path="both.png")
        prints = fingerprint(photos)
        assert prints.digests[0] != prints.digests[1]
        assert float(prints.vectors[0] @ prints.vectors[1]) < 0.9
        assert [one.kind for one in audit(photos).findings] == ["no-identities"]
        whole = fingerprint(photos.assign(mask=None))
        assert whole.digests[0] == whole.digests[1]

    def test_a_photo_with_a_box_is_looked_at_whatever_its_mask(self, tmp_path: Path, draw: Draw) -> None:
        photos = self.photos(tmp_path, draw, mask=["none.png"], bbox=[(5, 5, 30, 30)])
        prints = fingerprint(photos)
        assert prints.problems[0].kind == "mask"
        assert prints.vectors[0].any()
        assert not fingerprint(photos.assign(bbox=None)).vectors[0].any()

    def test_a_large_table_is_looked_at_in_seconds(self, tmp_path: Path) -> None:
        import time

        n = 50_000
        photos = catalogue(tmp_path, mask=[json.dumps(SQUARE)] * n, bbox=[(0, 0, 99, 9)] * n)
        started = time.process_time()
        found = {one.kind: one.count for one in audit(photos.assign(height=48, width=64), photos=False).findings}
        assert found["boxes-beyond"] == n
        assert time.process_time() - started < 20


def test_a_notebook_shows_the_animal(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "p0.png")
    draw(tmp_path / "p1.png")
    shown = catalogue(tmp_path, mask=[SQUARE, "none.png"])._repr_html_()
    assert shown.count("<img") == 1
    assert "not shown: its mask" in shown
