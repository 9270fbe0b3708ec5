"""raw_pixels: the photo itself, shrunk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import whalereid as wr
from whalereid.reporting.sheets import write_image


@pytest.fixture
def photos(tmp_path: Path) -> wr.Catalogue:
    dark, bright = np.zeros((40, 80, 3), np.uint8), np.full((40, 80, 3), 255, np.uint8)
    bright[:, :40] = 0  # left half black: at the top once turned clockwise
    for name, pixels in (("dark", dark), ("bright", bright)):
        write_image(tmp_path / f"{name}.png", pixels)
    return wr.Catalogue(pd.DataFrame({"image_id": ["d", "b"], "path": ["dark.png", "bright.png"]}), tmp_path)


def test_raw_pixels_are_the_photo(photos: wr.Catalogue) -> None:
    made = wr.raw_pixels(photos, size=(4, 2), portrait=True)
    assert made.vectors.shape == (2, 24)
    np.testing.assert_allclose(made.take(["d"]), -0.5)
    np.testing.assert_allclose(made.take(["b"]).reshape(4, 2, 3), np.repeat([-0.5, -0.5, 0.5, 0.5], 6).reshape(4, 2, 3))


def test_raw_pixels_cut_out_boxes(photos: wr.Catalogue) -> None:
    boxed = photos.assign(bbox=[None, "40,0,40,40"])
    np.testing.assert_allclose(wr.raw_pixels(boxed, size=(2, 2)).take(["b"]), 0.5)
