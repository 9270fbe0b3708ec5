"""What a notebook shows of a catalogue: counts, thumbnails, a table; everything from outside escaped."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError

HOSTILE = "<script>alert(1)</script>"


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def shown(photos: Catalogue) -> str:
    return photos._repr_html_()


def thumbnails(markup: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', markup)
    return [cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR) for data in found]


@pytest.fixture
def frame() -> pd.DataFrame:
    n = 8
    return pd.DataFrame(
        {
            "image_id": [f"p{i}" for i in range(n)],
            "path": [f"{i}.png" for i in range(n)],
            "identity": ["nanuq", "anana"] * 4,
            "encounter": [f"e{i // 2}" for i in range(n)],
            "viewpoint": ["left"] * 5 + ["top"] * 3,
            "date": ["2015-06-01"] * 4 + ["2019-07-02"] * 4,
        }
    )


def test_counts_thumbnails_and_a_small_table(frame: pd.DataFrame, tmp_path: Path) -> None:
    for i in range(8):
        save(tmp_path / f"{i}.png", np.full((300, 600, 3), 30 * i, np.uint8))
    markup = shown(Catalogue(frame, tmp_path))
    for what, count in {"photos": "8", "identities": "2", "encounters": "4", "years": "2015–2019"}.items():
        assert f"{what} <b>{count}</b>" in markup
    assert "viewpoints <b>left 5, top 3</b>" in markup
    assert [image.shape for image in thumbnails(markup)] == [(48, 96, 3)] * 5
    assert markup.count("<tr>") == 6
    assert "3 more photos" in markup
    assert len(markup) < 20_000


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((40, 30), 200, np.uint8),
        np.full((40, 30, 4), 200, np.uint8),
        np.full((40, 30, 3), 200 * 256, np.uint16),
        np.full((1, 3000), 200, np.uint8),
    ],
)
def test_every_kind_of_photo_is_shown(pixels: np.ndarray, frame: pd.DataFrame, tmp_path: Path) -> None:
    save(tmp_path / "0.png", pixels)
    (image,) = thumbnails(shown(Catalogue(frame[:1], tmp_path)))
    assert max(image.shape) <= 96
    assert image.mean() == pytest.approx(200, abs=3)


def test_the_box_is_what_is_shown(frame: pd.DataFrame, tmp_path: Path) -> None:
    pixels = np.zeros((60, 60, 3), np.uint8)
    pixels[10:40, 20:30] = 255
    save(tmp_path / "0.png", pixels)
    photos = Catalogue(frame[:1].assign(bbox=[(20, 10, 10, 30)]), tmp_path)
    (image,) = thumbnails(shown(photos))
    assert image.shape == (30, 10, 3)
    assert image.min() > 240


def test_photos_that_cannot_be_read_say_why(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1.png").write_bytes(b"no photo")
    with (tmp_path / "2.png").open("wb") as file:
        file.truncate(60_000_000)
    save(tmp_path / "3.png", np.zeros((2000, 2000, 3), np.uint8))
    frame.loc[4, "path"] = "../4.png"
    monkeypatch.setenv("WHALEREID_MAX_PHOTO_MB", "1")
    markup = shown(Catalogue(frame, tmp_path))
    assert not thumbnails(markup)
    said = re.findall(r"not shown: ([^<]*)", markup)
    assert len(said) == 5
    assert [str(tmp_path) in reason for reason in said] == [False] * 5
    assert "No such file" in said[0]
    assert "too large to be shown" in said[2]


def test_nothing_from_outside_is_markup(tmp_path: Path) -> None:
    hostile = pd.DataFrame({name: [HOSTILE, '"><b>'] for name in ("image_id", "path", "identity", "viewpoint", "date")})
    markup = shown(Catalogue(hostile.assign(encounter=HOSTILE), tmp_path, source=HOSTILE))
    assert "<script" not in markup.lower()
    assert '"><b>' not in markup
    assert "&lt;script&gt;" in markup


def test_tables_without_anything_are_shown_too(tmp_path: Path) -> None:
    assert "photos <b>0</b>" in shown(Catalogue(pd.DataFrame({"image_id": [], "path": []}), tmp_path))
    bare = Catalogue(pd.DataFrame({"image_id": ["a"], "path": ["a"]}), tmp_path)
    assert "identities" not in shown(bare)
    assert "more photos" not in shown(bare)


def test_a_million_photos_take_moments(tmp_path: Path) -> None:
    n = 1_000_000
    number = pd.Series(np.arange(n))
    names = number.astype("str")
    seconds = pd.Timestamp("2010-01-01") + pd.to_timedelta(number * 300, unit="s")
    frame = pd.DataFrame({"image_id": names, "path": names, "identity": (number // 50).astype("str")})
    frame["timestamp"] = pd.Series(np.datetime_as_string(seconds.to_numpy("datetime64[s]")), dtype="str")
    photos = Catalogue(frame, tmp_path)
    start = time.process_time()
    markup = shown(photos)
    assert time.process_time() - start < 5  # about 1 s; reading every date takes 8
    assert "years <b>2010–2019 (of 20,000 photos)</b>" in markup
    assert repr(photos).startswith("Catalogue(1,000,000 photos, 20,000 identities, root=")


def test_head_and_to_frame(frame: pd.DataFrame) -> None:
    photos = Catalogue(frame)
    assert photos.head().image_ids.tolist() == [f"p{i}" for i in range(5)]
    assert len(photos.head(0)) == 0
    assert len(photos.head(100)) == 8
    pd.testing.assert_frame_equal(photos.to_frame(), photos.frame)
    own = photos.to_frame()
    own.loc[0, "identity"] = "changed"
    assert photos.column("identity")[0] == "nanuq"
    with pytest.raises(WhalereidError, match="n is -1; give a whole number from 0"):
        photos.head(-1)


def test_a_long_root_is_cut() -> None:
    photos = Catalogue(pd.DataFrame({"image_id": ["a"], "path": ["a"]}), "x" * 4000)
    assert len(repr(photos)) < 130
