"""Reading photos: whatever cameras and tools write, and whatever goes wrong."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from whalereid.errors import WhalereidError
from whalereid.images import MIN_SIDE, read_photo

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)


def quarters(height: int = 40, width: int = 60) -> np.ndarray:
    """Four colours, so that every turn and mirror image shows: (height, width, 3) uint8 RGB."""
    photo = np.empty((height, width, 3), np.uint8)
    photo[: height // 2, : width // 2], photo[: height // 2, width // 2 :] = RED, GREEN
    photo[height // 2 :, : width // 2], photo[height // 2 :, width // 2 :] = BLUE, YELLOW
    return photo


def corners(photo: np.ndarray) -> list[tuple[int, ...]]:
    """Colours near the corners, clockwise from the top left, rounded to hide JPEG's losses."""
    height, width = photo.shape[:2]
    where = [(5, 5), (5, width - 6), (height - 6, width - 6), (height - 6, 5)]
    return [tuple(int(round(value / 51) * 51) for value in photo[y, x]) for y, x in where]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_exif_orientation_is_honoured(tmp_path: Path, orientation: int, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(quarters()).save(path, exif=exif, **({"lossless": True} if suffix == "webp" else {}))
    with Image.open(path) as photo:
        upright = np.asarray(ImageOps.exif_transpose(photo).convert("RGB"))
    ours = read_photo(path)
    assert ours.shape == upright.shape == ((60, 40, 3) if orientation > 4 else (40, 60, 3))
    assert corners(ours) == corners(upright)


def test_orientation_of_a_photo_with_transparency(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    alpha = np.full((40, 60), 255, np.uint8)
    alpha[:10, :10] = 0
    Image.fromarray(np.dstack([quarters(), alpha])).save(tmp_path / "photo.png", exif=exif)
    photo = read_photo(tmp_path / "photo.png")
    assert photo.shape == (60, 40, 3)
    assert corners(photo) == [BLUE, (255, 255, 255), GREEN, YELLOW]  # the cleared corner is now at the top right


def test_what_comes_out_is_contiguous_rgb(tmp_path: Path) -> None:
    Image.fromarray(quarters()).save(tmp_path / "photo.png")
    photo = read_photo(tmp_path / "photo.png")
    assert photo.dtype == np.uint8
    assert photo.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(photo, quarters())


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_kinds_of_pixels(tmp_path: Path, mode: str) -> None:
    grey = np.linspace(0, 255, 60 * 40).astype(np.uint8).reshape(40, 60)
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode in ("L", "1", "LA"):
        image = Image.fromarray(grey).convert(mode)
    else:
        image = Image.fromarray(quarters()).convert(mode)
    path = tmp_path / f"photo.{'jpg' if mode == 'CMYK' else 'png'}"
    image.save(path)
    expected = np.dstack([grey] * 3) if mode == "I;16" else np.asarray(image.convert("RGB"))
    photo = read_photo(path)
    assert photo.shape == (40, 60, 3)
    assert photo.dtype == np.uint8
    if mode == "CMYK":
        assert corners(photo) == corners(expected)
    else:
        np.testing.assert_array_equal(photo, expected)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_become_eight_by_their_upper_half(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo.{suffix}"
    deep = quarters().astype(np.uint16) * 256 + 255
    deep[0, 0] = (0x1234, 0x80FF, 0xFF00)
    cv2.imwrite(str(path), deep[:, :, ::-1])
    photo = read_photo(path)
    assert tuple(photo[0, 0]) == (0x12, 0x80, 0xFF)
    np.testing.assert_array_equal(photo[1:], quarters()[1:])


def test_sixteen_bits_with_transparency(tmp_path: Path) -> None:
    deep = np.dstack([quarters()[:, :, ::-1], np.full((40, 60), 255)]).astype(np.uint16) * 257
    deep[:20, :, 3] = 0
    cv2.imwrite(str(tmp_path / "photo.png"), deep)
    photo = read_photo(tmp_path / "photo.png")
    assert (photo[:20] == 255).all()
    np.testing.assert_array_equal(photo[20:], quarters()[20:])


@pytest.mark.parametrize("alpha", [0, 1, 64, 128, 254, 255])
def test_transparency_is_laid_over_white(tmp_path: Path, alpha: int) -> None:
    Image.fromarray(np.dstack([quarters(), np.full((40, 60), alpha, np.uint8)])).save(tmp_path / "photo.png")
    expected = np.rint(quarters() * (alpha / 255) + 255 * (1 - alpha / 255))
    assert np.abs(read_photo(tmp_path / "photo.png") - expected).max() <= 0.5 + 1e-6


def test_bbox_is_cut_out_and_clipped(tmp_path: Path) -> None:
    Image.fromarray(quarters()).save(tmp_path / "photo.png")
    path = tmp_path / "photo.png"
    np.testing.assert_array_equal(read_photo(path, (10, 5, 30, 20)), quarters()[5:25, 10:40])
    np.testing.assert_array_equal(read_photo(path, (-5, -5, 20, 20)), quarters()[:15, :15])
    np.testing.assert_array_equal(read_photo(path, [50, 20, 500, 500]), quarters()[20:, 50:])
    np.testing.assert_array_equal(read_photo(path, (10.4, 5.6, 29.2, 19.2)), quarters()[5:25, 10:40])
    np.testing.assert_array_equal(read_photo(path, np.array([10, 5, 30, 20])), quarters()[5:25, 10:40])


def test_bbox_is_in_pixels_of_the_upright_photo(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side
    Image.fromarray(quarters()).save(tmp_path / "photo.png", exif=exif)
    top_left = read_photo(tmp_path / "photo.png", (0, 0, 20, 30))
    assert (top_left == BLUE).all()


@pytest.mark.parametrize("bbox", [(60, 0, 10, 10), (0, 40, 10, 10), (-20, 0, 20, 10), (1e9, 0, 10, 10)])
def test_bbox_outside_names_itself_and_the_photo(tmp_path: Path, bbox: tuple[float, ...]) -> None:
    path = tmp_path / "photo.png"
    Image.fromarray(quarters()).save(path)
    with pytest.raises(WhalereidError, match="outside the photo of 60×40 px") as raised:
        read_photo(path, bbox)
    assert str(path) in str(raised.value)
    assert f"{bbox[0]:g}" in str(raised.value)


@pytest.mark.parametrize("bbox", [(0, 0, 0, 10), (0, 0, 10, -1), (0, 0, np.nan, 10), (0, 0, 10), "here", 7])
def test_bbox_that_is_none(tmp_path: Path, bbox: object) -> None:
    path = tmp_path / "photo.png"
    Image.fromarray(quarters()).save(path)
    with pytest.raises(WhalereidError, match=r"photo\.png"):
        read_photo(path, bbox)  # type: ignore[arg-type]


def test_portrait_turns_landscape_clockwise_and_nothing_else(tmp_path: Path) -> None:
    Image.fromarray(quarters(40, 60)).save(tmp_path / "wide.png")
    Image.fromarray(quarters(60, 40)).save(tmp_path / "high.png")
    Image.fromarray(quarters(40, 40)).save(tmp_path / "square.png")
    wide = read_photo(tmp_path / "wide.png", portrait=True)
    np.testing.assert_array_equal(wide, np.rot90(quarters(40, 60), k=-1))
    assert wide.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(read_photo(tmp_path / "high.png", portrait=True), quarters(60, 40))
    np.testing.assert_array_equal(read_photo(tmp_path / "square.png", portrait=True), quarters(40, 40))
    # What is turned is the crop: the part of a high photo may be wide.
    crop = read_photo(tmp_path / "high.png", (0, 0, 40, 20), portrait=True)
    assert crop.shape == (40, 20, 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (MIN_SIDE - 1, 300), (300, MIN_SIDE - 1)])
def test_too_small_a_photo_is_refused_by_name(tmp_path: Path, shape: tuple[int, int]) -> None:
    path = tmp_path / "dot.png"
    cv2.imwrite(str(path), np.zeros((*shape, 3), np.uint8))
    with pytest.raises(WhalereidError, match=f"{shape[1]}×{shape[0]} px") as raised:
        read_photo(path)
    assert str(path) in str(raised.value)
    cv2.imwrite(str(path), np.zeros((MIN_SIDE, MIN_SIDE, 3), np.uint8))
    assert read_photo(path).shape == (MIN_SIDE, MIN_SIDE, 3)


def test_too_small_a_crop_names_the_bbox(tmp_path: Path) -> None:
    Image.fromarray(quarters()).save(tmp_path / "photo.png")
    with pytest.raises(WhalereidError, match=r"photo\.png: bbox \(10, 10, 3, 30\) is 3×30 px"):
        read_photo(tmp_path / "photo.png", (10, 10, 3, 30))


def bad_files(folder: Path) -> dict[str, Path]:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "whole.jpg"), noise)
    cv2.imwrite(str(folder / "whole.png"), noise)
    jpeg, png = (folder / "whole.jpg").read_bytes(), (folder / "whole.png").read_bytes()
    (folder / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (folder / "cut.png").write_bytes(png[: len(png) // 2])
    (folder / "text.jpg").write_text("not a photo at all\n" * 50)
    (folder / "empty.jpg").touch()
    (folder / "folder.jpg").mkdir()
    (folder / "floats.tif").write_bytes(cv2.imencode(".tif", noise.astype(np.float32))[1].tobytes())
    names = ("cut.jpg", "cut.png", "text.jpg", "empty.jpg", "folder.jpg", "floats.tif", "missing.jpg")
    return {name: folder / name for name in names}


def test_bad_files_are_refused_by_name_and_quietly(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for path in bad_files(tmp_path).values():
        with pytest.raises(WhalereidError) as raised:
            read_photo(path)
        assert str(path) in str(raised.value)
        assert "\n" not in str(raised.value)
    assert capfd.readouterr().err == ""  # neither OpenCV nor libjpeg has a word to add


def test_a_path_may_be_text(tmp_path: Path) -> None:
    Image.fromarray(quarters()).save(tmp_path / "photo.png")
    assert read_photo(os.fspath(tmp_path / "photo.png")).shape == (40, 60, 3)
