from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from whalereid.errors import WhalereidError
from whalereid.models import Embedder, Preprocessing
from whalereid.models.config import look_for_architecture

NET = "lcnet_050"  # 256 channels before its head convolution, 1280 after


@pytest.fixture(scope="module", autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("backbone", "channels"),
    [
        ("resnet10t", 512),
        ("lcnet_050", 1280),
        ("efficientnet_lite0", 1280),
        ("convnext_atto", 320),
        ("mambaout_femto", 1152),  # channels last
        ("vit_tiny_patch16_224", 192),  # tokens, one of them for the whole photo
        ("mixer_s32_224", 512),  # tokens, no other
    ],
)
def test_any_timm_backbone(backbone: str, channels: int) -> None:
    size = (timm.get_pretrained_cfg(backbone).fixed_input_size and 224) or (64, 96)
    net = Embedder(backbone, "avg", "none", image_size=size, weights="random").eval()
    height, width = net.preprocessing.image_size
    photos = torch.randn(2, 3, height, width)
    with torch.inference_mode():
        made = net(photos)
    assert made.shape == (2, channels) == (2, net.dim)
    assert made.dtype == torch.float32
    # The average over positions is what timm itself gives with its own average pooling before the head.
    if backbone in ("resnet10t", "efficientnet_lite0"):
        theirs = timm.create_model(backbone, num_classes=0, global_pool="avg").eval()
        theirs.load_state_dict(net.backbone.state_dict())
        with torch.inference_mode():
            torch.testing.assert_close(made, theirs(photos), atol=1e-5, rtol=1e-4)


def test_networks_that_insist_on_pooling_are_taken_before_it() -> None:
    net = Embedder("efficientvit_b0", "avg", "none", image_size=64, weights="random").eval()
    photos = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(net(photos), net.backbone.forward_features(photos).mean(dim=(2, 3)))
    assert net.dim == 128


def test_networks_without_maps_or_tokens_are_refused() -> None:
    with pytest.raises(WhalereidError, match="efficientvim_m1: its features are neither maps nor tokens"):
        Embedder("efficientvim_m1", image_size=64, weights="random").eval()(torch.randn(1, 3, 64, 64))


def test_tokens_leave_out_the_one_for_the_whole_photo() -> None:
    net = Embedder("vit_tiny_patch16_224", "avg", "none", weights="random").eval()
    photos = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        tokens = net.backbone.forward_features(photos)
        assert tokens.shape == (1, 197, 192)
        torch.testing.assert_close(net(photos), tokens[:, 1:].mean(dim=1))


def test_a_vision_transformer_is_built_for_the_size_asked_for() -> None:
    net = Embedder("vit_tiny_patch16_224", "avg", "none", image_size=96, weights="random").eval()
    assert net(torch.zeros(1, 3, 96, 96)).shape == (1, 192)


@pytest.mark.parametrize("backbone", ["resnet10t", "lcnet_050", "mambaout_femto"])
def test_multi_stage_gem_sees_the_last_two_stages(backbone: str) -> None:
    size = 64
    net = Embedder(backbone, "multi-gem", "none", image_size=size, weights="random").eval()
    photos = torch.randn(2, 3, size, size)
    with torch.inference_mode():
        made = net(photos)
        alone = Embedder(backbone, "gem", "none", image_size=size, weights="random").eval()
        alone.backbone.load_state_dict(net.backbone.state_dict())
        last = alone(photos)
    before = timm.create_model(backbone, features_only=True).feature_info.channels()[-2]
    assert made.shape == (2, before + last.shape[1]) == (2, net.dim)
    torch.testing.assert_close(made[:, before:], last)


def test_copies_enter_the_neck_side_by_side() -> None:
    one = Embedder(NET, neck="none", image_size=64, weights="random").eval()
    three = Embedder(NET, neck="none:copies=3", image_size=64, weights="random")
    three.backbone.load_state_dict(one.backbone.state_dict())
    photos = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(three.eval()(photos), one(photos).repeat(1, 3))
    assert Embedder(NET, neck="bn-linear:copies=3", weights="random").dim == one.dim  # back to the backbone's width
    assert Embedder(NET, neck="bn-linear:dim=64", weights="random").dim == 64


def test_preprocessing_is_what_timm_notes_unless_told() -> None:
    assert Embedder(NET, weights="random").preprocessing.mean == (0.485, 0.456, 0.406)
    told = Embedder("tf_efficientnet_lite0", image_size=(64, 96), portrait=True, antialias=False, weights="random")
    assert told.preprocessing.mean == told.preprocessing.std == (0.5, 0.5, 0.5)
    assert told.preprocessing.image_size == (64, 96)
    assert told.preprocessing.portrait
    photo = told.preprocessing.transform()(image=np.full((50, 40, 3), 255, np.uint8))["image"]
    assert photo.shape == (3, 64, 96)
    assert photo.dtype == torch.float32
    torch.testing.assert_close(photo, torch.ones(3, 64, 96))
    assert Embedder(NET, preprocessing=Preprocessing(64, (0, 0, 0), (1, 1, 1)), weights="random").preprocessing.std == (
        1.0,
        1.0,
        1.0,
    )


def test_shrinking_with_or_without_averaging() -> None:
    grain = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    averages, samples = (Embedder(NET, image_size=32, antialias=way, weights="random") for way in (True, False))
    averaged = averages.preprocessing.transform()(image=grain)["image"]
    sampled = samples.preprocessing.transform()(image=grain)["image"]
    assert averaged.std() < 0.5 * sampled.std()  # 8 × 8 pixels fall together; a bilinear sample sees 2 × 2


def test_embeddings_are_float32_under_autocast() -> None:
    net = Embedder(NET, neck="bn-linear:dim=8", image_size=64, weights="random").eval()
    photos = torch.randn(2, 3, 64, 64)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        made = net(photos)
    assert made.dtype == torch.float32
    torch.testing.assert_close(made, net(photos).detach(), atol=0.05, rtol=0.05)


def test_gradients_reach_every_parameter() -> None:
    for pooling in ("gem", "multi-gem"):
        net = Embedder(NET, pooling, "bn-linear:dim=8", image_size=64, weights="random")
        net(torch.randn(4, 3, 64, 64)).square().sum().backward()
        without = [name for name, parameter in net.named_parameters() if parameter.grad is None]
        assert not without


def test_save_and_load(tmp_path: Path) -> None:
    neck = "bn-linear:dim=16,copies=2,activation=relu,dropout=0.1"
    net = Embedder(NET, "multi-gem:p=4", neck, image_size=(64, 96), weights="random")
    net.train()(torch.randn(4, 3, 64, 96))  # moves BatchNorm's statistics
    net.eval().save(tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["config.json", "model.safetensors"]
    again = Embedder.load(tmp_path / "run")
    assert not again.training
    assert again.config == net.config
    assert again.preprocessing == net.preprocessing
    assert again.fingerprint == net.fingerprint
    photos = torch.randn(2, 3, 64, 96)
    assert torch.equal(again(photos), net(photos))


def test_saving_again_replaces_and_leaves_other_files(tmp_path: Path) -> None:
    first, second = Embedder(NET, image_size=64, weights="random"), Embedder(NET, image_size=64, weights="random")
    first.save(tmp_path)
    (tmp_path / "history.csv").write_text("epoch\n")
    second.save(tmp_path)
    assert Embedder.load(tmp_path).fingerprint == second.fingerprint != first.fingerprint
    assert (tmp_path / "history.csv").exists()


def test_saving_over_another_tools_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model": "another"}')
    with pytest.raises(WhalereidError, match=r"config.json: not the configuration of an Embedder"):
        Embedder(NET, weights="random").save(tmp_path)
    assert not (tmp_path / "model.safetensors").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(WhalereidError, match="is a file"):
        Embedder(NET, weights="random").save(tmp_path / "file")


def test_a_full_disk_while_saving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = Embedder(NET, weights="random")
    net.save(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WhalereidError, match="the disk is full"):
        Embedder(NET, weights="random").save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_loading_what_is_not_there_or_not_whole(tmp_path: Path) -> None:
    with pytest.raises(WhalereidError, match=r"no config.json there"):
        Embedder.load(tmp_path / "absent")
    Embedder(NET, image_size=64, weights="random").save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())

    (tmp_path / "model.safetensors").rename(tmp_path / "kept")
    with pytest.raises(WhalereidError, match=r"model.safetensors: no such file"):
        Embedder.load(tmp_path)
    whole = (tmp_path / "kept").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WhalereidError, match=r"model.safetensors: damaged"):
        Embedder.load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(whole)

    for changed, words in [
        ({"backbone": "resnet10t"}, r"config.json: dim=1280"),
        ({"neck": "bn-linear"}, r"lacks 'neck.linear.weight'"),
        ({"backbone": "hf-hub:someone/something"}, r"config.json: Unknown backbone"),
        ({"image_size": "large"}, r"config.json"),
        ({"pooling": "gem:p=x"}, r"config.json: pooling 'gem': p is 'x'"),
        ({"extra": 1}, r"config.json: not the configuration"),
    ]:
        (tmp_path / "config.json").write_text(json.dumps(config | changed))
        with pytest.raises(WhalereidError, match=words):
            Embedder.load(tmp_path)
    Embedder("resnet10t", image_size=64, weights="random").save(tmp_path / "other")
    (tmp_path / "other" / "model.safetensors").write_bytes(whole)
    with pytest.raises(WhalereidError, match=r"lacks 'backbone.conv1.0.weight' .* and has backbone.blocks"):
        Embedder.load(tmp_path / "other")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WhalereidError, match="JSON"):
        Embedder.load(tmp_path)


def test_the_fingerprint_knows_weights_and_preprocessing_but_not_their_layout() -> None:
    net = Embedder(NET, image_size=64, weights="random")
    first = net.fingerprint
    assert net.to(memory_format=torch.channels_last).fingerprint == first
    net.neck.bn.bias.data[0] += 1e-6
    assert net.fingerprint != first
    other = Embedder(NET, image_size=96, weights="random")
    other.load_state_dict(net.state_dict())
    assert other.fingerprint != net.fingerprint


def test_an_unknown_backbone_names_close_ones() -> None:
    with pytest.raises(WhalereidError, match=r"Unknown backbone 'resnet5O'; near it are .*resnet50"):
        Embedder("resnet5O", weights="random")
    with pytest.raises(WhalereidError, match=r"Unknown backbone 'tf_efficientnet_b5.nosuchtag'.*tf_efficientnet_b5"):
        Embedder("tf_efficientnet_b5.nosuchtag", weights="random")
    with pytest.raises(WhalereidError, match="list_models"):
        Embedder("%%%", weights="random")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pooling": "max"}, "pooling 'max' is unknown; choose from avg, cls, gem, multi-gem, native"),
        ({"pooling": "gem:q=3"}, "pooling 'gem' has no option 'q'; it has p=3.0, eps=1e-06"),
        ({"pooling": "gem:p=0"}, "pooling 'gem': p is 0.0; give a number above 0"),
        ({"neck": "lin"}, "neck 'lin' is unknown; .*bn, bn-linear, none"),
        ({"neck": "none:copies=0"}, "copies is 0"),
        ({"preprocessing": Preprocessing(64), "image_size": 64}, "preprocessing says image_size, .* already"),
        ({"image_size": 0}, "image_size is 0; give a whole number from 8 to 4096"),
        ({"image_size": (64, 64, 3)}, "image_size"),
    ],
)
def test_options_that_cannot_be(options: dict, words: str) -> None:
    with pytest.raises(WhalereidError, match=words):
        Embedder(NET, **{"weights": "random"} | options)


def test_random_weights_say_so() -> None:
    assert Embedder(NET, weights="random").config["weights"] == "random"


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".bin"])
def test_weights_from_a_file_with_timms_names(tmp_path: Path, suffix: str) -> None:
    whole = timm.create_model(NET)  # with its classifier of 1000
    path = tmp_path / f"lcnet{suffix}"
    save_file(whole.state_dict(), path) if suffix == ".safetensors" else torch.save(whole.state_dict(), path)
    net = Embedder(NET, weights=path)
    assert net.config["weights"] == path.name
    for name, tensor in net.backbone.state_dict().items():
        assert torch.equal(tensor, whole.state_dict()[name])


def test_weights_that_do_not_fit_the_backbone(tmp_path: Path) -> None:
    torch.save(timm.create_model("resnet10t").state_dict(), tmp_path / "resnet.pth")
    with pytest.raises(WhalereidError, match=r"resnet.pth: lacks 'conv_stem.weight' .* of this lcnet_050"):
        Embedder(NET, weights=tmp_path / "resnet.pth")
    torch.save(timm.create_model("lcnet_075").state_dict(), tmp_path / "wider.pth")
    with pytest.raises(
        WhalereidError,
        match=r"wider.pth: 'conv_stem.weight' has shape \(16, 3, 3, 3\), this lcnet_050 wants \(8, 3, 3, 3\)",
    ):
        Embedder(NET, weights=tmp_path / "wider.pth")
    state = timm.create_model(NET).state_dict()
    torch.save(state | {"extra.weight": torch.ones(1)}, tmp_path / "more.pth")
    with pytest.raises(WhalereidError, match=r"more.pth: has 'extra.weight'"):
        Embedder(NET, weights=tmp_path / "more.pth")
    state.pop("bn1.running_mean")
    torch.save(state, tmp_path / "less.pth")
    with pytest.raises(WhalereidError, match=r"less.pth: lacks 'bn1.running_mean'"):
        Embedder(NET, weights=tmp_path / "less.pth")


def test_a_saved_networks_file_as_backbone_weights_says_what_to_do(tmp_path: Path) -> None:
    Embedder(NET, weights="random").save(tmp_path)
    assert any(name.startswith("backbone.") for name in load_file(tmp_path / "model.safetensors"))
    with pytest.raises(WhalereidError, match=r"holds a whole network.*Embedder.load"):
        Embedder(NET, weights=tmp_path / "model.safetensors")


def test_pretrained_weights_that_cannot_be_downloaded_name_the_option(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(WhalereidError, match=r"lcnet_050: its pretrained weights can't be had here .*--weights"):
            Embedder(NET, weights="pretrained")


def test_pretrained_weights_are_timms(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}
    create = timm.create_model

    def had(name: str, pretrained: bool = False, **options: object) -> torch.nn.Module:
        asked[name] = pretrained
        return create(name, **options)

    monkeypatch.setattr(timm, "create_model", had)
    monkeypatch.setattr("whalereid.models.loading._pretrained_file", lambda name, noted: None)  # timm has it
    assert Embedder(NET, weights="pretrained").config["weights"] == "pretrained"
    assert asked[NET]


def test_networks_of_timm_are_found_in_its_files_and_others_are_not() -> None:
    from timm.models._registry import _deprecated_models

    names = [*timm.list_models(), *timm.list_pretrained(), *_deprecated_models]  # some of each, as each reads them all
    for name in [*names[::60], "tf_efficientnet_lite0", "efficientnetv2_rw_m"]:
        look_for_architecture(name)
    with pytest.raises(WhalereidError, match=r"Unknown backbone 'lcnet_005'; near it are lcnet_"):
        look_for_architecture("lcnet_005")
