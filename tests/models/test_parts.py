"""Poolings and necks by name: a stranger's as the library's own; networks of earlier versions load as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from whalereid.errors import WhalereidError
from whalereid.models import Embedder
from whalereid.models.config import as_noted_today
from whalereid.parts import NECKS, POOLINGS

NET = "test_resnet"


@pytest.fixture
def _strangers() -> Iterator[None]:
    @POOLINGS.add("extremes")
    class Extremes(nn.Module):
        def forward(self, features: Tensor) -> Tensor:
            return torch.cat([features.amax((2, 3)), features.amin((2, 3))], 1)

    @NECKS.add("shrink")
    class Shrink(nn.Module):
        def __init__(self, width: int, by: int = 2) -> None:
            super().__init__()
            self.layer = nn.Linear(width, width // by)

        def forward(self, pooled: Tensor) -> Tensor:
            return self.layer(pooled)

    @NECKS.add("broken")
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, pooled: Tensor) -> Tensor:
            return self.layer(pooled)

    yield
    POOLINGS._added.clear()
    NECKS._added.clear()


@pytest.mark.usefixtures("_strangers")
def test_a_strangers_pooling_and_neck(tmp_path: Path) -> None:
    net = Embedder(NET, "extremes", "shrink:by=4", image_size=32, weights="random").eval()
    width = Embedder(NET, neck=None, image_size=32, weights="random").dim
    assert net.dim == 2 * width // 4
    assert net(torch.randn(2, 3, 32, 32)).shape == (2, net.dim)
    net.save(tmp_path)
    again = Embedder.load(tmp_path)
    assert again.fingerprint == net.fingerprint
    assert (again.config["pooling"], again.config["neck"]) == ("extremes", "shrink:by=4")
    with pytest.raises(WhalereidError, match="neck broken can't take what it is given"):
        Embedder(NET, neck="broken", image_size=32, weights="random")


def test_options_reach_the_part() -> None:
    net = Embedder(NET, "gem:p=4", {"name": "bn-linear", "options": {"dim": 5}}, image_size=32, weights="random")
    assert net.pooling.p.item() == 4.0
    assert (net.dim, net.config["neck"]) == (5, "bn-linear:dim=5")


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ({"neck": "none"}, "none"),
        ({"neck": "none", "copies": 2, "dropout": 0.1}, "none:copies=2"),
        ({"neck": "bn", "dropout": 0.5}, "bn:dropout=0.5"),
        ({"neck": "bn-linear", "dim": 8, "copies": 3, "activation": "hardtanh"}, None),
    ],
)
def test_networks_of_earlier_versions_load(tmp_path: Path, earlier: dict, now: str | None) -> None:
    now = now or "bn-linear:dim=8,copies=3,activation=hardtanh"
    net = Embedder(NET, neck=now, image_size=32, weights="random").eval()
    net.save(tmp_path)
    flat = net.config | {"copies": 1, "activation": None, "dropout": 0.0} | earlier  # as it was written then
    (tmp_path / "config.json").write_text(json.dumps(flat))
    again = Embedder.load(tmp_path)
    assert (again.config["neck"], again.fingerprint) == (now, net.fingerprint)
    assert as_noted_today(flat)["neck"] == now
    assert as_noted_today(net.config) == net.config
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(again(images), net(images))


def test_a_download_waits_until_all_else_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whalereid.models.embedder.load_source", lambda *_: pytest.fail("downloaded"))
    with pytest.raises(WhalereidError, match="dim is 0"):
        Embedder(NET, neck="bn-linear:dim=0", image_size=32)
