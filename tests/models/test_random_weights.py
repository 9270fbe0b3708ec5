"""Random weights are asked for, and said aloud until the network is trained."""

from __future__ import annotations

import inspect
import json
import warnings
from pathlib import Path

import pytest
from tests.training.drawing import draw_photos, make_parts

import whalereid as wr
from whalereid.cli.train import command
from whalereid.models import Embedder, load_weights

NET = "lcnet_050"


def test_random_weights_are_said_until_they_are_no_longer(tmp_path: Path) -> None:
    net = Embedder(NET, image_size=(64, 32), weights="random")
    assert repr(net) == "Embedder(lcnet_050 → gem → bn, 1280 wide, photos of 64×32, weights: random)"
    assert net.is_random
    net.save(tmp_path / "random")
    again = Embedder.load(tmp_path / "random")
    assert again.is_random  # saving is no training
    assert "weights: random)" in repr(again)
    net.mark_trained()
    assert (net.is_random, net.weights) == (False, "random, then trained")
    net.save(tmp_path / "trained")
    for _ in range(2):  # said once, however often it is trained on and saved
        trained = Embedder.load(tmp_path / "trained")
        assert (trained.is_random, trained.weights) == (False, "random, then trained")
        trained.mark_trained()
        trained.save(tmp_path / "trained")


def test_a_network_given_weights_is_not_random() -> None:
    first, second = Embedder(NET, weights="random"), Embedder(NET, weights="random")
    load_weights(second, first.state_dict())
    assert not second.is_random
    assert first.is_random


def test_runs_of_before_were_trained(tmp_path: Path) -> None:
    Embedder(NET, weights="random").save(tmp_path)
    (tmp_path / "run.json").write_text("{}")  # which `fit` writes
    assert Embedder.load(tmp_path).weights == "random, then trained"


def test_pretrained_is_the_default_in_python_as_on_the_command_line() -> None:
    for door in (Embedder, command):
        assert inspect.signature(door).parameters["weights"].default == "pretrained"


def test_a_training_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = draw_photos(tmp_path / "drawn", n_identities=3)
    net, head = make_parts(3)
    with pytest.warns(UserWarning, match="random weights: they rank noise"):
        wr.embed(net, photos, extraction=wr.Extraction(workers=0), progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        recipe = wr.Recipe(epochs=1, batch_size=6, precision="fp32")
        wr.fit(net, head, photos, photos, recipe=recipe, out=tmp_path / "run", workers=0)
        assert "random weights" not in capsys.readouterr().err
        for trained in (net, wr.Embedder.load(tmp_path / "run")):
            made = wr.embed(trained, photos, extraction=wr.Extraction(workers=0), progress=False)
            assert made.provenance["network"]["weights"] == "random, then trained"
    assert json.loads((tmp_path / "run" / "config.json").read_text())["weights"] == "random, then trained"
