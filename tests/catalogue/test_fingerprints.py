from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from whalereid.catalogue import NEAR_IDENTICAL, Catalogue, fingerprint, most_similar
from whalereid.catalogue import fingerprints as module

Draw = Callable[..., Path]


def of_files(root: Path, **columns: object) -> Catalogue:
    names = sorted(path.name for path in root.iterdir())
    return Catalogue(pd.DataFrame({"image_id": names, "path": names, **columns}), root)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1))


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "smaller": lambda photo: cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "recompressed": lambda photo: jpeg(photo, 30),
    "brighter": lambda photo: cv2.convertScaleAbs(photo, alpha=0.8, beta=40),
    "grey": lambda photo: cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY),
    "blurred": lambda photo: cv2.GaussianBlur(photo, (0, 0), 2),
    "16 bits": lambda photo: photo.astype(np.uint16) * 257,
}


@pytest.mark.parametrize("change", COPIES)
def test_changed_copies_are_found(tmp_path: Path, belugas: Path, change: str) -> None:
    """Each of ten photos finds its own copy, and no other is taken for one."""
    originals = [cv2.imread(str(path)) for path in sorted((belugas / "images").iterdir())[:40:4]]
    for number, photo in enumerate(originals):
        cv2.imwrite(str(tmp_path / f"a{number}.png"), photo)
        cv2.imwrite(str(tmp_path / f"b{number}.png"), COPIES[change](photo))
    vectors = fingerprint(of_files(tmp_path)).vectors
    originals_, copies = vectors[:10], vectors[10:]
    row, similarity = most_similar(copies, originals_)
    np.testing.assert_array_equal(row, np.arange(10))
    assert (similarity >= NEAR_IDENTICAL).all()


def test_rendered_belugas_are_not_taken_for_each_other(belugas: Path) -> None:
    prints = fingerprint(Catalogue.read(belugas))
    assert prints.problems == {}
    assert most_similar(prints.vectors)[1].max() < NEAR_IDENTICAL


@pytest.mark.shared
def test_real_photos_are_not_taken_for_each_other(shared: Path) -> None:
    prints = fingerprint(Catalogue.read(shared / "data/holstein"))
    assert prints.problems == {}
    assert len(set(prints.digests)) == len(prints.digests)
    assert (most_similar(prints.vectors)[1] >= NEAR_IDENTICAL).sum() == 1  # two frames of one burst


def test_bytes_and_boxes_make_the_digest(tmp_path: Path, draw: Draw) -> None:
    first = draw(tmp_path / "a.png", 1)
    for name in ("b.png", "c.png"):
        (tmp_path / name).write_bytes(first.read_bytes())
    draw(tmp_path / "d.png", 2)
    prints = fingerprint(of_files(tmp_path, bbox=[None, None, (0, 0, 30, 30), None]))
    a, b, c, d = prints.digests
    assert a == b
    assert len({a, c, d}) == 3
    assert prints.vectors.shape == (4, 255)
    assert prints.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(prints.vectors, axis=1), 1, rtol=1e-5)
    assert prints.vectors[0] @ prints.vectors[2] < NEAR_IDENTICAL


def test_problems_are_told_apart(tmp_path: Path, draw: Draw) -> None:
    whole = draw(tmp_path / "whole.jpg", 1).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("no photo")
    (tmp_path / "float.tif").write_bytes(bytes(cv2.imencode(".tif", np.ones((20, 20), np.float32))[1]))
    draw(tmp_path / "small.png", 1, height=7, width=40)
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((40, 40, 3), np.uint8))
    names = [
        "whole.jpg",
        "cut.jpg",
        "text.jpg",
        "float.tif",
        "small.png",
        "black.png",
        "none.jpg",
        "../up.jpg",
        "./whole.jpg",
        "x" * 5000,
    ]
    boxes = [*[None] * 8, (64, 0, 5, 5), None]
    photos = Catalogue(pd.DataFrame({"image_id": list("abcdefghij"), "path": names, "bbox": boxes}), tmp_path)
    prints = fingerprint(photos)
    assert {row: problem.kind for row, problem in prints.problems.items()} == {
        1: "unreadable",
        2: "unreadable",
        3: "unreadable",
        4: "tiny",
        5: "flat",
        6: "missing",
        7: "outside",
        8: "bbox",
        9: "unreadable",
    }
    assert prints.vectors.any(axis=1).tolist() == [True] + [False] * 9
    for row, problem in prints.problems.items():
        assert names[row].rsplit("/", 1)[-1] in problem.message or repr(photos.image_ids[row]) in problem.message
        assert "\n" not in problem.message


def test_the_order_is_the_table_s_whatever_the_workers(tmp_path: Path, draw: Draw) -> None:
    for number in range(30):
        draw(tmp_path / f"{number:02d}.png", number, height=40 + 20 * (number % 5))
    photos = of_files(tmp_path)
    one, many = fingerprint(photos, workers=1), fingerprint(photos, workers=8)
    assert one.digests == many.digests
    np.testing.assert_array_equal(one.vectors, many.vectors)
    assert len(fingerprint(photos[[]]).digests) == 0


unit = st.floats(-1, 1, width=16)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(np.float32, st.tuples(st.integers(0, 9), st.just(3)), elements=unit),
    arrays.arrays(np.float32, st.tuples(st.integers(0, 9), st.just(3)), elements=unit),
    st.integers(1, 4),
)
def test_most_similar_is_the_plain_search(ours: np.ndarray, others: np.ndarray, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", block)
        for among in (others, None):
            rows, similarity = most_similar(ours, among)
            for at, vector in enumerate(ours):
                candidates = others if among is not None else ours[:at]
                scores = [float((vector * other).sum()) for other in candidates]
                beyond = [score for score in scores if score > -1]
                if not beyond:
                    assert (rows[at], similarity[at]) == (-1, -1)
                else:
                    assert similarity[at] == pytest.approx(max(scores), abs=1e-5)
                    assert scores[rows[at]] == pytest.approx(max(scores), abs=1e-5)
