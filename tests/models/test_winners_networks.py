"""The competition winner's three kinds of network, built of the library's parts."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.models.reference import WinnersNetwork, draw_and_settle

from whalereid.errors import WhalereidError
from whalereid.heads import ElasticArcFace
from whalereid.models import Embedder, load_weights

RENAME = {"bn.": "neck.bn.", "ln.": "neck.linear."}
B5, V2M = "tf_efficientnet_b5.ns_jft_in1k", "efficientnetv2_rw_m"


def held_against(reference: WinnersNetwork, net: Embedder, path: Path, photos: torch.Tensor) -> None:
    torch.save(reference.state_dict(), path)
    load_weights(net, path, rename=RENAME, ignore=["final."])
    with torch.inference_mode():
        expected, made = reference.eval()(photos[:2]), net.eval()(photos[:2])
    assert expected.std() > 0.05  # else there would be nothing to compare
    torch.testing.assert_close(made, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("hardtanh", [True, False])
def test_replicated_pooling_and_hardtanh_on_a_small_backbone(tmp_path: Path, hardtanh: bool) -> None:
    reference = WinnersNetwork("resnet10t", 512, tripled=True, hardtanh=hardtanh, classes=7)
    photos = draw_and_settle(reference, (64, 96))
    neck = f"bn-linear:copies=3,activation={'hardtanh' if hardtanh else 'none'}"
    net = Embedder("resnet10t", neck=neck, weights="random")
    held_against(reference, net, tmp_path / "w.bin", photos)


def test_gem_then_batchnorm_on_a_small_backbone(tmp_path: Path) -> None:
    reference = WinnersNetwork("resnet10t", 512, tripled=False, classes=7)
    photos = draw_and_settle(reference, (64, 96))
    held_against(reference, Embedder("resnet10t", neck="bn", weights="random"), tmp_path / "w.bin", photos)


@pytest.mark.slow
def test_the_real_v2(tmp_path: Path) -> None:
    reference, net = WinnersNetwork(V2M, 2152, tripled=False), Embedder(V2M, neck="bn", weights="random")
    assert net.dim == 2152
    held_against(reference, net, tmp_path / "w.bin", draw_and_settle(reference, (96, 64)))


@pytest.mark.slow
def test_the_real_lateral_as_meant_and_as_submitted(tmp_path: Path) -> None:
    reference = WinnersNetwork(B5, 2048, tripled=True, hardtanh=True)
    photos = draw_and_settle(reference, (96, 64))
    net = Embedder(B5, neck="bn-linear:copies=3,activation=hardtanh", weights="random")
    assert net.dim == 2048
    held_against(reference, net, tmp_path / "w.bin", photos)
    reference.hardtanh = False
    held_against(reference, Embedder(B5, neck="bn-linear:copies=3", weights="random"), tmp_path / "w.bin", photos)


@pytest.fixture(scope="module")
def checkpoint(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = importlib.util.spec_from_file_location("build_checkpoint", shared / "golden/model/build_checkpoint.py")
    assert spec is not None
    assert spec.loader is not None
    builder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    path = tmp_path_factory.mktemp("winner") / "b5_top.bin"
    torch.save(builder.state_dict(), path)
    return path


@pytest.mark.shared
@pytest.mark.slow
def test_the_winners_file_gives_the_winners_embeddings(checkpoint: Path, shared: Path) -> None:
    net = Embedder(B5, pooling="gem", neck="bn-linear:copies=3", weights="random")
    load_weights(net, checkpoint, rename=RENAME, ignore=["final."])
    known = np.load(shared / "golden/model/expected.npz")
    with torch.inference_mode():
        made = net.eval()(torch.from_numpy(known["input"])).numpy()
    np.testing.assert_allclose(made, known["b5_top"], atol=1e-4, rtol=0)


@pytest.mark.shared
@pytest.mark.slow
def test_the_winners_head_loads_and_another_kind_is_refused(checkpoint: Path) -> None:
    head = ElasticArcFace(2048, 788)
    load_weights(head, checkpoint, rename={"final.kernel": "W"}, ignore=["backbone.", "pooling.", "bn.", "ln."])
    assert torch.equal(head.W, torch.load(checkpoint, weights_only=True)["final.kernel"])
    with pytest.raises(WhalereidError, match=r"b5_top.bin: 'backbone.conv_stem.weight' has shape \(48, 3, 3, 3\)"):
        load_weights(Embedder(V2M, neck="bn", weights="random"), checkpoint, rename=RENAME, ignore=["final."])
    with pytest.raises(WhalereidError, match=r"'backbone.conv_stem.weight'|'neck.bn.weight' has shape \(6144,\)"):
        load_weights(Embedder(B5, neck="bn", weights="random"), checkpoint, rename=RENAME, ignore=["final."])
    with pytest.raises(WhalereidError, match=r"'W' has shape \(2048, 788\), this ElasticArcFace wants \(2048, 10\)"):
        load_weights(
            ElasticArcFace(2048, 10),
            checkpoint,
            rename={"final.kernel": "W"},
            ignore=["backbone.", "pooling.", "bn.", "ln."],
        )
