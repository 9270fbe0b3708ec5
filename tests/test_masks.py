"""Masks from outlines, run lengths and pictures to pixels, against slow loops and the published algorithm."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oracles import masks as oracle
from whalereid.decoding import fill_polygons, fill_runs, mask_bounds, read_mask_picture, run_lengths
from whalereid.errors import WhalereidError

sides = st.integers(1, 12)
small_masks = st.tuples(sides, sides).flatmap(lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 1)))
few = settings(max_examples=60, deadline=None)


@given(small_masks)
@few
def test_run_lengths_are_filled_as_a_loop_fills_them(mask: np.ndarray) -> None:
    runs = oracle.runs_of(mask)
    assert (oracle.mask_of_runs(runs, *mask.shape) == mask).all()
    filled = fill_runs(np.array(runs, np.int64), *mask.shape)
    assert filled.dtype == np.uint8
    assert filled.flags["C_CONTIGUOUS"]
    assert (filled == mask).all()


@given(st.lists(st.integers(0, 2**29), min_size=1, max_size=40))
@few
def test_compressed_text_is_unpacked_as_published(runs: list[int]) -> None:
    text = oracle.packed(runs)
    assert oracle.unpacked(text) == runs
    assert run_lengths(text).tolist() == runs


@given(st.text(st.sampled_from([chr(48 + digit) for digit in range(64)]), min_size=1, max_size=30))
@few
def test_any_text_is_unpacked_as_published_or_refused(text: str) -> None:
    """Numbers that no mask has, such as negative ones, come out the same, for their sum to be refused."""
    try:
        made = run_lengths(text).tolist()
    except ValueError:
        groups = text + ("" if ord(text[-1]) - 48 < 32 else "!")
        cut = groups.endswith("!")
        lengths, length = [], 0
        for sign in text:
            length += 1
            if ord(sign) - 48 < 32:
                lengths.append(length)
                length = 0
        assert cut or max(lengths) > 7
    else:
        assert made == oracle.unpacked(text)


def test_a_mask_of_pycocotools() -> None:
    """3 x 4 pixels whose two middle ones of the second column are inside: 4 outside, 2 inside, 6 outside."""
    mask = np.zeros((3, 4), np.uint8)
    mask[1:, 1] = 1
    assert oracle.runs_of(mask) == [4, 2, 6]
    assert oracle.packed([4, 2, 6]) == "426"
    assert (fill_runs(run_lengths("426"), 3, 4) == mask).all()


@pytest.mark.parametrize("text", ["", "~", "é", "0 0", "P", "PPPPPPPPPPP0", "o" * 1000, "\0"])
def test_text_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="isn't COCO's compressed text"):
        run_lengths(text)


@pytest.mark.parametrize("runs", [[], [11], [13], [6, -1, 7], [2**62, 2**62, 2**62, 2**62, 12], [12, -(2**63)]])
def test_run_lengths_that_do_not_add_up(runs: list[int]) -> None:
    with pytest.raises(ValueError, match="don't add up to 3×4 pixels"):
        fill_runs(np.array(runs, np.int64), 3, 4)


corner = st.tuples(st.floats(-20, 60, width=32), st.floats(-20, 50, width=32))


@given(st.lists(corner, min_size=3, max_size=8))
@few
def test_polygons_are_filled_up_to_their_outline(corners: list[tuple[float, float]]) -> None:
    outline = np.array(corners, np.float64)
    filled = fill_polygons([outline], 30, 40)
    differ = filled.astype(bool) != oracle.inside(outline, 30, 40)
    # Pixels that the outline touches belong to it, and OpenCV rounds where it passes.
    assert oracle.distance_to_outline(outline, 30, 40)[differ].max(initial=0) < 1.5


def test_polygons_lie_where_coco_puts_them() -> None:
    """Pixel (0, 0) covers from 0 to 1: a square from 10 to 20 is ten pixels wide, or little more."""
    filled = fill_polygons([np.array([[10, 5], [20, 5], [20, 15], [10, 15]], float)], 30, 40)
    expected = np.zeros((30, 40), np.uint8)
    expected[5:15, 10:20] = 1
    assert (filled >= expected).all()
    assert mask_bounds(filled)[2] <= 11
    assert filled.sum() <= 11 * 11


def test_parts_that_overlap_are_one() -> None:
    one, other = (np.array([[x, 5], [x + 12, 5], [x + 12, 20], [x, 20]], float) for x in (5, 10))
    both = fill_polygons([one, other], 30, 40)
    assert both[10, 12] == 1  # together they would be hollow where both are
    assert (both == np.maximum(fill_polygons([one], 30, 40), fill_polygons([other], 30, 40))).all()


def test_what_lies_beyond_the_photo_is_cut_off() -> None:
    huge = np.array([[-1000, -1000], [2000, -1000], [2000, 2000], [-1000, 2000]], float)
    assert fill_polygons([huge], 30, 40).all()
    assert not fill_polygons([huge + 5000], 30, 40).any()


@pytest.mark.parametrize("far", [1e7, -1e7, 1e300])
def test_corners_at_absurd_places(far: float) -> None:
    with pytest.raises(ValueError, match="further than 1,000,000 px"):
        fill_polygons([np.array([[0, 0], [far, 3], [4, 4]])], 30, 40)


def test_a_million_corners_are_refused_before_they_are_drawn() -> None:
    corners = np.random.default_rng(0).uniform(0, 4000, (1_000_000, 2))
    started = time.process_time()
    with pytest.raises(ValueError, match="its 1,000,000 corners go to and fro"):
        fill_polygons([corners], 4000, 6000)
    with pytest.raises(ValueError, match="its 9,000 corners go to and fro"):  # few, but each edge crosses the photo
        fill_polygons([corners[:9000]], 4000, 6000)
    assert time.process_time() - started < 10  # milliseconds; drawing them would take minutes


def test_a_finely_traced_outline_is_drawn() -> None:
    angle = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    circle = np.stack([3000 + 1900 * np.cos(angle), 2000 + 1900 * np.sin(angle)], axis=1)
    filled = fill_polygons([circle], 4000, 6000)
    assert abs(int(filled.sum()) / (np.pi * 1900**2) - 1) < 1e-3
    assert mask_bounds(filled) == pytest.approx((1100, 100, 3800, 3800), abs=1)


def test_bounds() -> None:
    mask = np.zeros((20, 30), np.uint8)
    assert mask_bounds(mask) is None
    mask[4, 7] = mask[11, 20] = 1
    assert mask_bounds(mask) == (7, 4, 14, 8)


def animal(channels: int = 1, dtype: type = np.uint8, level: int = 255) -> np.ndarray:
    picture = np.zeros((20, 30, channels), dtype)
    picture[5:12, 8:22] = level
    return picture[..., 0] if channels == 1 else picture


@pytest.mark.parametrize(
    "picture",
    [animal(), animal(level=1), animal(3), animal(3, level=7), animal(dtype=np.uint16, level=300), animal(4)],
)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_pictures(tmp_path: Path, picture: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"mask.{suffix}"
    assert cv2.imwrite(str(path), picture)
    expected = animal(level=1)
    mask = read_mask_picture(path)
    assert mask.dtype == np.uint8
    assert (mask == expected).all()


def test_colours_tell_where_nothing_is_transparent(tmp_path: Path) -> None:
    opaque, cut_out = animal(4), animal(4)
    opaque[..., 3] = 255
    cut_out[..., :3] = 90  # hidden where it is transparent
    for picture in (opaque, cut_out):
        cv2.imwrite(str(tmp_path / "mask.png"), picture)
        assert (read_mask_picture(tmp_path / "mask.png") == animal(level=1)).all()


def test_pictures_that_can_not_be_masks(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "mask.jpg"), animal())
    (tmp_path / "text.png").write_text("no picture")
    for name, says in (("mask.jpg", "save masks as PNG"), ("text.png", "is not a photo"), ("none.png", "no such file")):
        with pytest.raises(WhalereidError, match=says) as refused:
            read_mask_picture(tmp_path / name)
        assert name in str(refused.value)
