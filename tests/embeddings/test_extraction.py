"""Extraction: how photos are embedded, in one object that is checked when it is made."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch

import whalereid as wr
from whalereid import embeddings, models
from whalereid.embeddings import Extraction
from whalereid.errors import WhalereidError


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"precision": "fp8"}, "precision is 'fp8'; choose from auto, fp32, bf16, fp16"),
        ({"device": 7}, "device is 7; give its name, such as 'cpu'"),
        ({"batch_size": 0}, "batch_size is 0; give a whole number from 1 to 65536"),
        ({"batch_size": True}, "batch_size is True"),
        ({"workers": -1}, "workers is -1; give a whole number from 0 to 1024"),
        ({"flip": 1}, "flip is 1; give True or False"),
        ({"on_error": "ignore"}, "on_error is 'ignore'; choose from raise, skip"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_made(options: dict, words: str) -> None:
    with pytest.raises(WhalereidError, match=words):
        Extraction(**options)


def test_it_is_frozen_and_compares_by_value() -> None:
    how = Extraction(flip=True, batch_size=np.int64(4), device=torch.device("cpu"))
    assert how == replace(Extraction(flip=True), batch_size=4, device=torch.device("cpu"))
    assert type(how.batch_size) is int
    with pytest.raises(FrozenInstanceError):
        how.flip = False  # type: ignore[misc]


def test_it_loads_no_torch() -> None:
    code = "import sys; from whalereid.embeddings import Extraction; Extraction(device='cuda:1'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "torch" not in loaded


@pytest.mark.parametrize("given", [{"flip": True}, "fp32", True, Extraction])
def test_what_is_no_extraction_is_refused_by_name(net: object, photos: wr.Catalogue, given: object) -> None:
    with pytest.raises(WhalereidError, match=r"extraction is .*; give (an )?Extraction"):
        wr.embed(net, photos, extraction=given, progress=False)


def test_no_door_has_more_than_eight_parameters() -> None:
    doors = [getattr(room, name) for room in (embeddings, models) for name in room.__all__]
    doors += [method for door in doors if inspect.isclass(door) for _, method in inspect.getmembers(door, callable)]
    crowded = []
    for door in doors:
        if not callable(door) or not (getattr(door, "__module__", "") or "").startswith("whalereid."):
            continue
        given = [name for name in inspect.signature(door).parameters if name != "self"]
        crowded += [door.__qualname__] if len(given) > 8 else []
    assert not crowded


def test_notebooks_show_what_there_is_escaped() -> None:
    made = {
        "network": {"backbone": "<b>net", "neck": "bn", "dim": 2, "weights": "random"},
        "fingerprint": "0123456789abcdef",
    }
    vectors = wr.Embeddings.from_numpy([f"<i>{i}" for i in range(12)], np.ones((12, 2)), made)
    shown = vectors._repr_html_()
    for piece in ("photos <b>12</b>", "dim <b>2</b>", "&lt;b&gt;net → bn", "0123456789ab<", "&lt;i&gt;0", "1.414"):
        assert piece in shown
    assert "<i>" not in shown
    assert "<b>net" not in shown
    assert "&lt;i&gt;11" not in shown  # the first few
    for provenance in ({}, {"network": "raw pixels"}, {"network": 7, "fingerprint": None}, {"concatenated": []}):
        assert "photos" in wr.Embeddings.from_numpy(["a"], [[1.0]], provenance)._repr_html_()
    assert "photos <b>0</b>" in wr.Embeddings.from_numpy([], np.ones((0, 2)))._repr_html_()
