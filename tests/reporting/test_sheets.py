"""Contact sheets: every photo in its place, captions below, and pictures written whole."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from whalereid.errors import WhalereidError
from whalereid.images import read_photo
from whalereid.reporting import contact_sheet, write_image


def plain(value: int, height: int = 50, width: int = 50) -> np.ndarray:
    return np.full((height, width, 3), (value, 10, 20), np.uint8)


def test_photos_stand_in_rows_in_their_order() -> None:
    values = [60, 90, 120, 150, 180]
    sheet = contact_sheet([plain(value) for value in values], columns=3, cell=50)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (6 + 2 * 56, 6 + 3 * 56, 3)
    for position, value in enumerate(values):
        y, x = 6 + 56 * (position // 3), 6 + 56 * (position % 3)
        np.testing.assert_array_equal(sheet[y : y + 50, x : x + 50], plain(value))
    assert (sheet[62:112, 118:168] == 255).all()  # the sixth place stays white


@pytest.mark.parametrize("shape", [(100, 50), (50, 100), (10, 5), (3000, 1000), (1, 700)])
def test_proportions_are_kept(shape: tuple[int, int]) -> None:
    sheet = contact_sheet([plain(0, *shape)], cell=60)
    ink = (sheet != 255).any(axis=2)
    height, width = ink.any(axis=1).sum(), ink.any(axis=0).sum()
    assert max(height, width) == 60
    assert height == max(1, round(60 * shape[0] / max(shape)))
    assert width == max(1, round(60 * shape[1] / max(shape)))


def test_a_cell_may_be_high_or_wide() -> None:
    sheet = contact_sheet([plain(0, 40, 20)] * 2, cell=(80, 40))
    assert sheet.shape == (6 + 86, 6 + 2 * 46, 3)
    np.testing.assert_array_equal(sheet[6:86, 6:46], plain(0, 80, 40))


def test_captions_stand_below_their_photo_and_stay_within_it() -> None:
    words = ["short", "so long a caption that no cell of this size would ever hold it", "two\nlines", "", "é–名前"]
    sheet = contact_sheet([plain(0)] * 5, words, columns=5, cell=50)
    written = (sheet[56:] != 255).any(axis=2)
    for position in range(5):
        x = 6 + 56 * position
        assert written[:, x : x + 50].any() == bool(words[position])
    assert not written[:, 108 + 6 : 118].any()  # the long one keeps out of the gap to its neighbour
    assert written[16:, 118:168].any()  # a second line
    assert not written[16:, 6:56].any()
    without = contact_sheet([plain(0)] * 5, columns=5, cell=50)
    assert sheet.shape[0] == without.shape[0] + 2 * 16


def test_groups_start_a_row_of_their_own_under_a_heading() -> None:
    values = [10, 20, 30, 40]
    sheet = contact_sheet([plain(v) for v in values], groups=["a", "a", "a", "b"], columns=2, cell=50)
    assert sheet.shape == (6 + 26 + 2 * 56 + 26 + 56, 6 + 2 * 56, 3)
    tops = [32, 32, 32 + 56, 32 + 2 * 56 + 26]
    lefts = [6, 62, 6, 6]
    for value, y, x in zip(values, tops, lefts, strict=True):
        np.testing.assert_array_equal(sheet[y : y + 50, x : x + 50], plain(value))
    assert (sheet[6:32] != 255).any()
    assert (sheet[32 + 2 * 56 : 32 + 2 * 56 + 26] != 255).any()


def test_a_row_is_no_longer_than_it_needs_to_be() -> None:
    assert contact_sheet([plain(0)] * 3, columns=10, cell=50).shape[1] == 6 + 3 * 56
    assert contact_sheet([plain(0)] * 30, cell=50).shape[1] == 6 + 8 * 56


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"photos": []}, "at least one photo"),
        ({"photos": [plain(0)], "captions": ["a", "b"]}, "2 captions for 1 photos"),
        ({"photos": [plain(0)], "groups": []}, "0 groups for 1 photos"),
        ({"photos": [plain(0), np.zeros((5, 5))]}, "photo 2 of the sheet"),
        ({"photos": [plain(0).astype(float)]}, "photo 1 of the sheet"),
        ({"photos": [plain(0)], "columns": 0}, "columns is 0"),
        ({"photos": [plain(0)], "cell": 0}, "cell is 0"),
    ],
)
def test_what_cannot_be_laid_out(arguments: dict, message: str) -> None:
    with pytest.raises(WhalereidError, match=message):
        contact_sheet(**arguments)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp", ".PNG"])
def test_what_is_written_reads_back(tmp_path: Path, suffix: str) -> None:
    picture = cv2.resize(np.random.default_rng(0).integers(0, 255, (4, 5, 3), dtype=np.uint8), (50, 40))
    path = tmp_path / "new folder" / f"sheet{suffix}"
    write_image(path, picture)
    again = read_photo(path)
    if suffix.lower() == ".png":
        np.testing.assert_array_equal(again, picture)
    assert np.abs(again.astype(int) - picture).mean() < 6
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(WhalereidError, match=r"sheet\.pdf: pictures are written as \.png, \.jpg"):
        write_image(tmp_path / "sheet.pdf", plain(0))
    with pytest.raises(WhalereidError, match=r"\(50, 50\) uint8"):
        write_image(tmp_path / "sheet.png", plain(0)[:, :, 0])
    (tmp_path / "taken").touch()
    with pytest.raises(WhalereidError, match="taken"):
        write_image(tmp_path / "taken" / "sheet.png", plain(0))
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]
