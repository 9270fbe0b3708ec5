"""Every public name of the room, given what it can't take: one line that names the argument, no raw Python error.

What embeds photos is tested beside its other refusals, in test_extract.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from whalereid import embeddings
from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings, raw_pixels
from whalereid.errors import WhalereidError

SOME = Embeddings.from_numpy(["a", "b"], np.eye(2))
PHOTOS = Catalogue(pd.DataFrame({"image_id": ["a"], "path": ["a.png"]}))


class NeedsGradients:
    """A tensor that is still being trained turns into no array."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


CASES: dict[str, list[tuple[Callable[[], Any], str]]] = {
    "Embeddings": [
        (lambda: Embeddings(None, None), "ids is None"),
        (lambda: Embeddings(["a"], None), "vectors: hold objects"),
        (lambda: Embeddings.from_numpy(7, 8), "ids is 7"),
        (lambda: Embeddings.from_numpy(["a"], 8), r"vectors of shape \(1,\)"),
        (lambda: Embeddings.from_numpy(["a"], [1.0]), r"vectors of shape \(1,\)"),
        (lambda: Embeddings.from_numpy(["a"], [[[1.0]]]), r"vectors of shape \(1, 1, 1\)"),
        (lambda: Embeddings.from_numpy(["a"], "x"), "vectors: hold text"),
        (lambda: Embeddings.from_numpy(["a"], [["x"]]), "vectors: hold text"),
        (lambda: Embeddings.from_numpy(["a"], [[b"x"]]), "vectors: hold bytes"),
        (lambda: Embeddings.from_numpy(["a"], [[1 + 2j]]), "vectors: hold complex numbers"),
        (lambda: Embeddings.from_numpy(["a"], np.array([[None]])), "vectors: hold objects"),
        (lambda: Embeddings.from_numpy(["a"], np.array([[1.0]], object)), "vectors: hold objects"),
        (lambda: Embeddings.from_numpy(["a"], [[True]]), "vectors: hold true and false"),
        (lambda: Embeddings.from_numpy(["a"], np.array([["2020-01-01"]], "datetime64[s]")), "vectors: hold datetime"),
        (lambda: Embeddings.from_numpy(["a", "b"], [[1.0], [1.0, 2.0]]), "vectors: can't be made one array"),
        (lambda: Embeddings.from_numpy(["a"], NeedsGradients()), "vectors: can't be made one array.*requires grad"),
        (lambda: Embeddings.from_numpy(["a"], {"a": [1.0]}), "vectors: hold objects"),
        (lambda: Embeddings.from_numpy(["a"], [[1e300]]), "vector of 'a' holds NaN, infinity, or a number beyond"),
        (lambda: Embeddings.from_numpy(["a", "b"], np.ones((2, 0))), "0 wide"),
        (lambda: Embeddings.from_numpy([None], [[1.0]]), "ids: entry 1 is None"),
        (lambda: Embeddings.from_numpy(["a", np.nan], [[1.0], [2.0]]), "ids: entry 2 is nan"),
        (lambda: Embeddings.from_numpy(["a", pd.NA], [[1.0], [2.0]]), "ids: entry 2 is <NA>"),
        (lambda: Embeddings.from_numpy([b"a"], [[1.0]]), "ids: entry 1 is b'a'"),
        (lambda: Embeddings.from_numpy([1.0], [[1.0]]), "ids: entry 1 is 1.0"),
        (lambda: Embeddings.from_numpy([["a"]], [[1.0]]), "ids: entry 1"),
        (lambda: Embeddings.from_numpy(["a"], [[1.0]], "b5"), "provenance is 'b5'"),
        (lambda: Embeddings.from_numpy(["a"], [[1.0]], ["b5"]), "provenance is"),
        (lambda: SOME.rows(7), "ids is 7"),
        (lambda: SOME.rows([None]), "ids is"),
        (lambda: SOME.take(None), "ids is None"),
        (lambda: SOME.write(7), "path is 7"),
        (lambda: Embeddings.from_numpy(["a"], [[1.0]], {"net": object()}).write("x.parquet"), "provenance holds"),
        (lambda: Embeddings.read(7), "path is 7"),
        (lambda: Embeddings.read(None), "path is None"),
        (lambda: Embeddings.read(SOME), "path is a Embeddings"),
        (lambda: Embeddings.read_header(7), "path is 7"),
        (lambda: Embeddings.concatenate(None), "members is None"),
        (lambda: Embeddings.concatenate([7]), "members is 7"),
        (lambda: Embeddings.concatenate(SOME), "members is a Embeddings"),
        (lambda: Embeddings.concatenate("ab"), "members is 'a'"),
    ],
    "raw_pixels": [
        (lambda: raw_pixels("x"), "photos is 'x'"),
        (lambda: raw_pixels(None), "photos is None"),
        (lambda: raw_pixels(["a.png"]), "photos is"),
        (lambda: raw_pixels(PHOTOS, size=32), "size is 32"),
        (lambda: raw_pixels(PHOTOS, size=(32,)), "size is"),
        (lambda: raw_pixels(PHOTOS, size="ab"), "size is 'ab'"),
        (lambda: raw_pixels(PHOTOS, size=(32, 0)), "size is 0"),
        (lambda: raw_pixels(PHOTOS, size=(32, 1.5)), "size is 1.5"),
        (lambda: raw_pixels(PHOTOS, portrait="yes"), "portrait is 'yes'"),
        (lambda: raw_pixels(PHOTOS, crop="blur"), "crop is 'blur'"),
    ],
}


def test_every_public_name_has_its_cases() -> None:
    need_torch = {"PRECISIONS", "embed", "embed_as_is", "embed_many", "native_precision"}  # tried beside their tests
    assert set(CASES) == set(embeddings.__all__) - need_torch - {"Extraction"}


@pytest.mark.parametrize(
    ("call", "named"), [pytest.param(*case, id=f"{name}-{i}") for name in CASES for i, case in enumerate(CASES[name])]
)
def test_refused_in_one_line_by_the_arguments_name(
    call: Callable[[], Any], named: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WhalereidError, match=named) as refusal:
        call()
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


def test_whole_numbers_are_taken_for_their_digits() -> None:
    assert Embeddings.from_numpy(np.arange(2), np.eye(2)).ids.tolist() == ["0", "1"]
    assert Embeddings.from_numpy(pd.Series(["x", "y"]), np.eye(2, dtype=int)).take("y").tolist() == [[0, 1]]
