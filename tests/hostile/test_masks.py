"""Masks that are broken, huge or lead elsewhere: refused by the photo's name, soon and in one line."""

from __future__ import annotations

import json
import os
import subprocess
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

from whalereid.catalogue import Catalogue, audit
from whalereid.catalogue.masks import draw_mask
from whalereid.errors import WhalereidError
from whalereid.images import Crop, PhotoDataset, evaluation_transform, read_photo

HEIGHT, WIDTH = 48, 64
BROKEN = {
    "empty polygon": "[[]]",
    "two corners": "[[1, 2, 3, 4]]",
    "odd": "[[1, 2, 3, 4, 5, 6, 7]]",
    "NaN": "[[1, 2, 3, 4, NaN, 6]]",
    "infinity": "[[1, 2, 3, 4, Infinity, 6]]",
    "overflow": "[[1, 2, 3, 4, 1e400, 6]]",
    "huge whole numbers": "[[1, 2, 3, 4, " + "9" * 400 + ", 6]]",
    "absurd digits": "[[1, 2, 3, 4, " + "9" * 10_000 + ", 6]]",
    "text": '[["1", "2", "3", "4", "5", "6"]]',
    "null": "[[1, 2, 3, 4, null, 6]]",
    "numbers and lists": "[1, 2, [3, 4, 5, 6, 7, 8]]",
    "pairs": "[[[1, 2], [3, 4], [5, 6]]]",
    "a mapping inside": '[{"x": 1}]',
    "deep": "[" * 200_000,
    "deep and whole": "[" * 500 + "]" * 500,
    "cut short": "[[1, 2, 3",
    "more after it": "[[1, 2, 30, 4, 5, 6]] [[",
    "far away": "[[1, 2, 3, 4, 1e300, 6]]",
    "no size": '{"counts": [3072]}',
    "no counts": '{"size": [48, 64]}',
    "negative size": '{"size": [-48, -64], "counts": [3072]}',
    "zero size": '{"size": [0, 0], "counts": [0]}',
    "fractional size": '{"size": [48.5, 64], "counts": [3072]}',
    "true size": '{"size": [true, 64], "counts": [3072]}',
    "three sides": '{"size": [48, 64, 3], "counts": [3072]}',
    "a size too large": '{"size": [1000000000, 1000000000], "counts": [1000000000000000000]}',
    "a gigapixel": '{"size": [1000000, 1000000], "counts": [0, 1000000000000]}',
    "runs too long": '{"size": [48, 64], "counts": [0, 9223372036854775807, 9223372036854775807, 3074]}',
    "runs beyond int64": '{"size": [48, 64], "counts": [0, 99999999999999999999]}',
    "negative runs": '{"size": [48, 64], "counts": [-1, 3073]}',
    "fractional runs": '{"size": [48, 64], "counts": [0.5, 3071.5]}',
    "runs too few": '{"size": [48, 64], "counts": [0, 3071]}',
    "no runs": '{"size": [48, 64], "counts": []}',
    "nested runs": '{"size": [48, 64], "counts": [[0, 3072]]}',
    "text that is none": '{"size": [48, 64], "counts": "\\u0001\\u0002"}',
    "text cut short": '{"size": [48, 64], "counts": "PP"}',
    "text of endless numbers": '{"size": [48, 64], "counts": "' + "P" * 1000 + '0"}',
    "text of huge runs": '{"size": [48, 64], "counts": "0ooooooO"}',
    "nothing inside": '{"size": [48, 64], "counts": [3072]}',
    "half a character": '["\\ud800"]',
    "keys twice": '{"size": [48, 64], "size": [1, 1], "counts": [3072]}',
    "a folder": ".",
    "above the root": "../secret.png",
    "from the top": "/etc/passwd",
    "another drive": "C:\\masks\\a.png",
    "a NUL": "a\0.png",
    "a name too long": "m" * 5000,
    "control characters": "\x1b[2Ja.png",
    "a JPEG": "mask.jpg",
    "half a PNG": "cut.png",
    "a PNG that claims 10 gigapixels": "claims.png",
    "a pipe": "pipe.png",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo, and pictures that are no masks."""
    folder = tmp_path_factory.mktemp("hostile") / "data"
    folder.mkdir()
    rng = np.random.default_rng(0)
    cv2.imwrite(str(folder / "a.png"), cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (WIDTH, HEIGHT)))
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[5:40, 5:40] = 255
    cv2.imwrite(str(folder.parent / "secret.png"), mask)
    cv2.imwrite(str(folder / "mask.jpg"), mask)
    whole = cv2.imencode(".png", rng.integers(0, 256, (HEIGHT, WIDTH), np.uint8))[1].tobytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "claims.png").write_bytes(claiming(whole, 100_000, 100_000))
    os.mkfifo(folder / "pipe.png")
    return folder


def claiming(png: bytes, width: int, height: int) -> bytes:
    import struct
    import zlib

    header = b"IHDR" + struct.pack(">II", width, height) + png[24:29]
    return png[:8] + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def table(folder: Path, mask: Any, **columns: Any) -> Catalogue:
    frame = pd.DataFrame({"image_id": ["a"], "path": ["a.png"], "mask": pd.Series([mask], dtype=object)} | columns)
    return Catalogue(frame, folder, source="t.csv")


@pytest.mark.parametrize("name", list(BROKEN))
def test_broken_masks(folder: Path, name: str) -> None:
    """By reading a photo, by the audit with photos and without, and by a notebook: refused, counted, told."""
    started = time.process_time()
    photos = table(folder, BROKEN[name])
    with pytest.raises(WhalereidError) as refused:
        PhotoDataset(photos, evaluation_transform(16))[0]
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 6000
    assert "a.png" in str(refused.value) or "photo 'a'" in str(refused.value)
    kinds = {one.kind for one in audit(photos).findings}
    assert kinds & {"unreadable-masks", "masks-of-another-size"}
    audit(photos, photos=False)
    audit(photos.assign(height=HEIGHT, width=WIDTH), photos=False)
    assert "not shown" in photos._repr_html_()
    boxed = photos.assign(bbox=pd.Series([(5, 5, 30, 30)], dtype=object))
    if name not in ("above the root", "from the top", "another drive", "a NUL"):
        assert PhotoDataset(boxed, evaluation_transform(16))[0] is not None  # which needs no mask
    with pytest.raises(WhalereidError):
        PhotoDataset(boxed, evaluation_transform(16)).cropped(Crop(background="grey"))[0]
    assert time.process_time() - started < 10


def test_a_million_corners(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for corners in (rng.uniform(0, 48, (1_000_000, 2)), rng.uniform(0, 48, (400_000, 2)).round()):
        started = time.process_time()
        with pytest.raises(WhalereidError, match=r"a\.png: its mask (is [\d,]+ characters long|.* go to and fro)"):
            read_photo(folder / "a.png", mask=json.dumps([corners.ravel().tolist()]))
        assert time.process_time() - started < 10


def test_polygons_that_fill_the_most_are_drawn_in_time() -> None:
    """As many corners as are let through, each edge across the whole photo."""
    corners = np.zeros((1000, 2))
    corners[:, 0] = np.random.default_rng(0).uniform(0, 6000, 1000)
    corners[1::2, 1] = 4000
    started = time.process_time()
    assert draw_mask([corners.ravel()], 4000, 6000, where="a.png").any()
    assert time.process_time() - started < 10


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.sampled_from(["size", "counts", "x"]), inner),
        max_leaves=30,
    )
)
@settings(max_examples=200, deadline=None)
def test_any_json_is_drawn_or_refused_in_our_words(value: Any) -> None:
    for mask in (value, json.dumps(value)):
        refused, drawn = "", np.ones((HEIGHT, WIDTH))
        try:
            drawn = draw_mask(mask, HEIGHT, WIDTH, where="a.png")
        except WhalereidError as error:
            refused = str(error)
        assert "\n" not in refused
        assert drawn.shape == (HEIGHT, WIDTH)
        assert drawn.any()


def test_what_masks_claim_takes_no_memory(folder: Path) -> None:
    code = f"""
import resource
from whalereid.catalogue import Catalogue
from whalereid.catalogue.masks import draw_mask
from whalereid.errors import WhalereidError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for mask in ('{BROKEN["a gigapixel"]}', '{BROKEN["a size too large"]}', '{BROKEN["runs too long"]}',
             '[[0, 0, 1e5, 0, 1e5, 1e5]]'):
    try:
        draw_mask(mask, 48, 64, where="a.png")
    except WhalereidError:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    more = [int(kilobytes) for kilobytes in done.stdout.split()]
    assert len(more) == 4
    assert max(more) < 50_000


def test_links_below_the_root_are_the_owners(folder: Path) -> None:
    (folder / "link.png").unlink(missing_ok=True)
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    assert PhotoDataset(table(folder, "link.png"), evaluation_transform(16))[0] is not None


@pytest.mark.parametrize("mask", [b"\xff", 7, 7.5, True, pd.Timestamp("2020-01-01"), "\ud800"])
def test_cells_that_are_no_masks(folder: Path, mask: Any) -> None:
    with pytest.raises(WhalereidError, match=r"row 1, column mask|a\.png: its mask|the mask of photo"):
        PhotoDataset(table(folder, mask), evaluation_transform(16))[0]
