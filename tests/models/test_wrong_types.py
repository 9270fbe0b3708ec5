"""Each argument that can't be is refused by name, before anything is built or read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from whalereid.errors import WhalereidError
from whalereid.models import Embedder, Preprocessing, load_weights, read_weights
from whalereid.models.hub import silence_of
from whalereid.parts import NECKS

NET = "lcnet_050"
MODULE = nn.Linear(2, 2)


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("backbone", MODULE, "backbone is a Linear; give the name of a timm network, such as 'resnet50'"),
        ("backbone", 7, "backbone is 7; give the name of a timm network"),
        ("backbone", None, "backbone is None; give the name"),
        ("backbone", b"resnet50", "backbone is b'resnet50', a bytes; give the name"),
        ("pooling", 3, "3 is no part"),
        ("pooling", [], r"\[\] is no part"),
        ("pooling", None, "None is no part"),
        ("pooling", "", "a part's name is ''"),
        ("neck", [], r"\[\] is no part"),
        ("neck", nn.BatchNorm1d(3), "BatchNorm1d.* is no part"),
        ("neck", "bn-linear:dim=x", "neck 'bn-linear': dim is 'x'; give a whole number"),
        ("neck", "bn-linear:copies=1.5", "copies is '1.5'; give a whole number"),
        ("neck", "bn-linear:dropout=a", "dropout is 'a'; give a number"),
        ("neck", "bn:dim=4", "neck 'bn' has no option 'dim'; it has copies=1, dropout=0.0"),
        ("preprocessing", 224, "preprocessing is 224; give a Preprocessing"),
        ("image_size", "a", "image_size is 'a'; give a side in pixels, or"),
        ("image_size", (1, 2, 3), r"image_size is \(1, 2, 3\); give a side"),
        ("image_size", True, "image_size is True; give a whole number from 8 to 4096"),
        ("image_size", 0, "image_size is 0; give a whole number from 8 to 4096"),
        ("image_size", 7, "image_size is 7; give a whole number from 8 to 4096"),
        ("image_size", 1_000_000, "image_size is 1000000; give a whole number from 8 to 4096"),
        ("image_size", (64, 4097), "image_size is 4097; give a whole number from 8 to 4096"),
        ("image_size", 64.0, "image_size is 64.0; give a side"),
        ("image_size", None, "image_size is None; give a side"),
        ("image_size", {8: 1, 9: 2}, "image_size is .*; give a side"),
        ("portrait", "x", "portrait is 'x', a str; give True or False"),
        ("antialias", 1, "antialias is 1; give True or False"),
        ("weights", 7, "weights is 7; give 'pretrained', 'random' or a file"),
        ("weights", None, "weights is None; give 'pretrained', 'random' or a file"),
        ("weights", MODULE.state_dict(), "weights is .*; give 'pretrained', 'random' or a file"),
        ("weights", "absent.pth", "absent.pth: no such file of weights"),
        ("weights", "x" * 5000, "can't be read"),
    ],
)
def test_arguments_of_an_embedder(argument: str, value: Any, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def built(*_: object, **__: object) -> None:
        raise AssertionError("refused before the backbone is built")

    monkeypatch.setattr("timm.create_model", built)
    with pytest.raises(WhalereidError, match=words):
        Embedder(**{"backbone": NET, "weights": "random", argument: value})


def test_arguments_that_look_odd_and_do() -> None:
    sizes, third = np.array([64, 32]), np.full(3, 0.5)
    net = Embedder(NET, preprocessing=Preprocessing(tuple(sizes), third, third.tolist()), weights="random")
    assert net.preprocessing.image_size == (64, 32)
    assert net.preprocessing.mean == net.preprocessing.std == (0.5, 0.5, 0.5)
    assert Embedder(NET, neck=None, image_size=8, weights="random").config["neck"] == "none"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Embedder.load(7), "source is 7; give a RUN folder"),
        (lambda: Embedder.load(None), "source is None; give a RUN folder"),
        (lambda: Embedder.load(MODULE), "source is a Linear"),
        (lambda: Embedder.load(""), "no config.json there"),
        (lambda: Embedder(NET, weights="random").save(7), "folder is 7; give the path of a folder to write"),
        (lambda: Embedder(NET, weights="random").save(None), "folder is None"),
        (lambda: load_weights(None, None), "module is None; give the nn.Module to load into"),
        (lambda: load_weights("x", MODULE.state_dict()), "module is 'x', a str; give the nn.Module"),
        (lambda: load_weights(MODULE, 7), "source is 7; give a file of weights, or a mapping"),
        (lambda: load_weights(MODULE, None), "source is None"),
        (lambda: load_weights(MODULE, MODULE), "source is a Linear"),
        (lambda: load_weights(MODULE, {1: 2}), "not a state dict"),
        (lambda: load_weights(MODULE, MODULE.state_dict(), rename=7), "rename is 7; give a mapping"),
        (lambda: load_weights(MODULE, MODULE.state_dict(), rename={1: "a"}), "rename: both names are text"),
        (lambda: load_weights(MODULE, MODULE.state_dict(), ignore=7), "ignore is 7; give beginnings of names"),
        (lambda: load_weights(MODULE, MODULE.state_dict(), ignore=[7]), "ignore is .*; give beginnings of names"),
        (lambda: read_weights(7), "path is 7; give a file of weights"),
        (lambda: read_weights(None), "path is None; give a file of weights"),
        (lambda: read_weights(b"w.pth"), "path is b'w.pth', a bytes"),
        (lambda: NECKS.make("bn", width="x"), "width is 'x', a str; give a whole number"),
        (lambda: NECKS.make(7, width=8), "7 is no part"),
        (lambda: Preprocessing(mean=float("nan")), "mean is nan; give three numbers"),
        (lambda: Preprocessing(mean=(0.5, float("nan"), 0.5)), "mean is nan; give a number that is finite"),
        (lambda: Preprocessing(mean="abc"), "mean is 'abc'; give three numbers"),
        (lambda: Preprocessing(mean=(0.5, 0.5)), "three numbers"),
        (lambda: Preprocessing(std=0), "std is 0; give three numbers"),
        (lambda: Preprocessing(std=(0.5, 0.5, 0)), r"std is \[0.5, 0.5, 0.0\]; .* three numbers above 0"),
        (lambda: Preprocessing(std=(0.5, "x", 1)), "std is 'x', a str; give a number"),
        (lambda: Preprocessing.from_dict({"mean": [0, 0, 0]}), "without image_size, std, portrait, antialias"),
        (lambda: Embedder.from_config({"backbone": NET}), "config: lacks 'pooling'"),
        (lambda: Embedder.from_config(7), "config is 7; give a mapping"),
    ],
)
def test_other_doors(call: Any, words: str) -> None:
    with pytest.raises(WhalereidError, match=words):
        call()


def test_one_text_to_ignore_is_one_beginning() -> None:
    load_weights(MODULE, MODULE.state_dict() | {"final.x": torch.ones(1)}, ignore="final.")


def test_a_hub_is_asked_only_where_it_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert silence_of(None) == "HF_HUB_OFFLINE is set"
