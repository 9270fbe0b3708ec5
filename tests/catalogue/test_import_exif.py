"""What follows an import: dates from the photos' EXIF, and tables beside the imported one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from whalereid.catalogue import Catalogue
from whalereid.cli.app import run

TAKEN = ["2021:06:01 10:00:00", "2021:06:01 10:20:00", "2021:06:03 09:00:00"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three dated photos, in a folder of their own."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, taken in enumerate(TAKEN):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = taken
        pixels = np.full((32, 32, 3), 60 * number, np.uint8)
        Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)).save(folder / f"{number}.jpg", exif=exif)
    return folder


def test_an_import_fills_dates_and_encounters_stand_beside_it(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "cat"
    assert run(["import", str(photos), "--exif", "--out", str(out)]) == 0
    assert "EXIF gave 3 photos their date" in capsys.readouterr().err
    assert Catalogue.read(out).known("date").all()
    met = out / "met.csv"
    assert run(["encounters", "--catalogue", str(out), "--gap", "60", "--out", str(met)]) == 0
    found = Catalogue.read(met)
    assert found.column("encounter").nunique() == 2
    assert all(path.is_file() for path in found.paths)
    assert pd.read_csv(met)["path"].tolist() == ["0.jpg", "1.jpg", "2.jpg"]


def test_without_exif_nothing_is_filled(photos: Path, tmp_path: Path) -> None:
    assert run(["import", str(photos), "--out", str(tmp_path / "cat")]) == 0
    assert "date" not in Catalogue.read(tmp_path / "cat").columns
