"""Anything that has a network's four things can be embedded with; any module can be wrapped, trained, kept."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from tests.training.drawing import draw_photos
from torch import Tensor, nn

import whalereid as wr
from whalereid.models import Embedder, Network, Preprocessing, load_weights, look_at

SMALL = Preprocessing((32, 32), (0.5,) * 3, (0.5,) * 3)
HOW = wr.Extraction("fp32", workers=0)


class Colours:
    """A network that is no module, and tells no more than it must."""

    dim, preprocessing, fingerprint = 12, SMALL, "colours-1"

    def __call__(self, images: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)


class Tower(nn.Module):
    """The image tower of a CLIP, made small: patches, a token for the whole, a projection."""

    def __init__(self, width: int = 16, dim: int = 8) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 8, 8, bias=False)
        self.whole = nn.Parameter(torch.randn(width) / 4)
        self.places = nn.Parameter(torch.randn(17, width) / 4)
        self.layer = nn.TransformerEncoderLayer(width, 2, 2 * width, batch_first=True)
        self.project = nn.Parameter(torch.randn(width, dim) / 4)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        whole = self.whole.expand(len(tokens), 1, -1)
        return self.layer(torch.cat([whole, tokens], 1) + self.places)[:, 0] @ self.project


class Pixels(nn.Module):
    """A module without parameters."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(images, self.side).flatten(1)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> wr.Catalogue:
    return draw_photos(tmp_path_factory.mktemp("drawn"), n_identities=3)


def test_what_has_a_networks_four_things_is_embedded_with(photos: wr.Catalogue, tmp_path: Path) -> None:
    colours = Colours()
    assert isinstance(colours, Network)
    made = wr.embed(colours, photos, extraction=HOW, out=tmp_path / "c.parquet", progress=False)
    assert (len(made), made.dim, made.trained_on) == (len(photos), 12, None)
    assert made.provenance["network"] == {"class": "Colours", "dim": 12, "weights": "unknown"}
    assert made.provenance["fingerprint"] == "colours-1"
    again = wr.embed(colours, photos, extraction=HOW, out=tmp_path / "c.parquet", progress=False)
    assert np.array_equal(made.vectors, again.vectors)
    colours.fingerprint = "colours-2"
    with pytest.raises(wr.WhalereidError, match=r"fingerprint is .*colours-1.* there"):
        wr.embed(colours, photos, extraction=HOW, out=tmp_path / "c.parquet", progress=False)
    both = wr.embed_many({"a": colours, "b": Embedder.wrap(Tower(), preprocessing=SMALL)}, photos, extraction=HOW)
    assert [vectors.dim for vectors in both.values()] == [12, 8]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Tower(), "network is a Tower, and has no dim, preprocessing, fingerprint; give an Embedder .*wrap"),
        (SimpleNamespace(dim=3, preprocessing=SMALL, fingerprint="x"), "and has no a forward pass"),
        (type("N", (Colours,), {"dim": 0})(), "network.dim is 0; give a whole number from 1"),
        (type("N", (Colours,), {"preprocessing": 224})(), "network.preprocessing is 224; give a Preprocessing"),
        (type("N", (Colours,), {"fingerprint": 7})(), "network.fingerprint is 7; give a text"),
        (Colours, "network is the class Colours"),
        (type("N", (Colours,), {"dim": 5})(), r"gives a tensor of shape \(12, 12\) for 12 photos, not \(12, 5\)"),
        (type("N", (Colours,), {"__call__": lambda self, images: images})(), "gives a tensor of shape"),
        (type("N", (Colours,), {"__call__": lambda self, images: {}})(), "gives a dict; it must give a tensor"),
        (type("N", (Colours,), {"__call__": lambda self, i: torch.ones(len(i), 12).int()})(), "gives int32"),
    ],
)
def test_what_is_no_network_is_refused_by_what_it_lacks(photos: wr.Catalogue, given: Any, words: str) -> None:
    with pytest.raises(wr.WhalereidError, match=words) as refusal:
        wr.embed(given, photos, extraction=HOW, progress=False)
    assert "\n" not in str(refusal.value)


def test_a_wrapped_network_is_an_embedder() -> None:
    tower = Tower().train()
    net = Embedder.wrap(tower, preprocessing=SMALL)
    assert tower.training  # the trial leaves it as it was
    assert (net.dim, net.preprocessing, net.is_random, net.weights, net.trained_on) == (8, SMALL, False, "given", None)
    assert repr(net) == "Embedder(Tower, 8 wide, photos of 32×32, weights: given)"
    images = torch.randn(3, 3, 32, 32)
    assert torch.equal(net.eval()(images), tower.eval()(images))
    assert isinstance(net, Network)
    usual = Embedder.wrap(torchvision.models.resnet18())
    assert (usual.dim, usual.preprocessing) == (1000, Preprocessing())
    assert Embedder.wrap(Tower(), dim=8, preprocessing=SMALL)(images).shape == (3, 8)
    with pytest.raises(wr.WhalereidError, match=r"Tower gives a tensor of shape \(3, 8\) for 3 photos, not \(3, 9\)"):
        Embedder.wrap(Tower(), dim=9, preprocessing=SMALL)(images)


def test_the_fingerprint_of_a_wrapped_network_is_of_its_weights_and_build() -> None:
    tower = Tower()
    first = Embedder.wrap(tower, preprocessing=SMALL).fingerprint
    assert Embedder.wrap(copy.deepcopy(tower), preprocessing=SMALL).fingerprint == first
    tower.whole.data[0] += 1e-6
    assert Embedder.wrap(tower, preprocessing=SMALL).fingerprint != first
    assert Embedder.wrap(tower, preprocessing=Preprocessing((32, 32))).fingerprint != first
    prints = {Embedder.wrap(Pixels(side), preprocessing=SMALL).fingerprint for side in (2, 2, 3)}
    assert len(prints) == 2  # without parameters, what it was made with tells
    conv, other = nn.Conv2d(3, 4, 8, 4), nn.Conv2d(3, 4, 8, 8)
    other.load_state_dict(conv.state_dict())
    ends = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert (
        Embedder.wrap(nn.Sequential(conv, *ends)).fingerprint != Embedder.wrap(nn.Sequential(other, *ends)).fingerprint
    )


def test_a_module_without_parameters_embeds(photos: wr.Catalogue) -> None:
    made = wr.embed(Embedder.wrap(Pixels(2), preprocessing=SMALL), photos, extraction=HOW, progress=False)
    assert np.array_equal(made.vectors, wr.embed(Colours(), photos, extraction=HOW, progress=False).vectors)
    assert made.provenance["network"] == {"wrapped": "Pixels", "dim": 12, "weights": "given"}


def test_a_wrapped_network_is_trained_and_read_with_its_module(photos: wr.Catalogue, tmp_path: Path) -> None:
    torch.manual_seed(0)
    tower = Tower()
    before = tower.project.detach().clone()
    net = Embedder.wrap(tower, preprocessing=SMALL)
    head, recipe = wr.ElasticArcFace(net.dim, 3), wr.Recipe(epochs=1, batch_size=6, precision="fp32")
    wr.fit(net, head, photos, photos, recipe=recipe, out=tmp_path / "run", workers=0, progress=False)
    assert not torch.equal(tower.project, before)
    words = r"run: holds the weights of a Tower that was wrapped.*Embedder.load\(.*run', module=MODULE\)"
    for door in (Embedder.load, look_at):
        with pytest.raises(wr.WhalereidError, match=words):
            door(tmp_path / "run")
    again = Embedder.load(tmp_path / "run", module=Tower())
    assert (again.fingerprint, again.config["wrapped"]) == (net.fingerprint, "Tower")
    assert again.weights == "given, then trained"
    assert again.trained_on == net.trained_on
    other = Embedder.wrap(Tower(), preprocessing=SMALL)
    load_weights(other, tmp_path / "run" / "model.safetensors")
    assert torch.equal(other.backbone.project, tower.project)
    with pytest.raises(wr.WhalereidError, match=r"'backbone.* has shape"):
        Embedder.load(tmp_path / "run", module=Tower(width=32))
    Embedder("test_resnet", image_size=32, weights="random").save(tmp_path / "built")
    with pytest.raises(wr.WhalereidError, match="a test_resnet that Embedder builds itself; leave module out"):
        Embedder.load(tmp_path / "built", module=Tower())


def test_tied_weights_are_kept(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 32), nn.Flatten(), nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    net[3].weight = net[2].weight
    Embedder.wrap(net, preprocessing=SMALL).save(tmp_path / "tied")
    assert torch.equal(Embedder.load(tmp_path / "tied", module=copy.deepcopy(net)).backbone[3].weight, net[2].weight)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Embedder.wrap("resnet18"), "module is 'resnet18', a str; give an nn.Module"),
        (lambda: Embedder.wrap(Embedder.wrap(Tower(), preprocessing=SMALL)), "module is an Embedder already"),
        (lambda: Embedder.wrap(Tower(), dim=0, preprocessing=SMALL), "dim is 0"),
        (lambda: Embedder.wrap(Tower(), preprocessing=224), "preprocessing is 224; give a Preprocessing"),
        (
            lambda: Embedder.wrap(nn.Linear(4, 4)),
            r"Linear can't take photos \(2, 3, 224, 224\) float32 .*preprocessing",
        ),
        (lambda: Embedder.wrap(nn.Conv2d(3, 4, 3)), r"Conv2d gives a tensor of shape \(2, 4, 222, 222\) for 2 photos"),
        (lambda: Embedder.wrap(Tower()), "Tower can't take photos"),
        (lambda: Embedder.from_config(Embedder.wrap(Pixels(2)).config), "config: holds the weights of a Pixels"),
    ],
)
def test_modules_that_cannot_be_wrapped(call: Any, words: str) -> None:
    with pytest.raises(wr.WhalereidError, match=words) as refusal:
        call()
    assert "\n" not in str(refusal.value)
