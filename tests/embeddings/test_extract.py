from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from tests.embeddings.conftest import Counting, embed, embed_many, network

from whalereid.catalogue import Catalogue
from whalereid.embeddings import Extraction, embed_as_is, native_precision
from whalereid.errors import WhalereidError
from whalereid.images import read_photo
from whalereid.models import Embedder

QUIET = {"progress": False, "workers": 0, "precision": "fp32"}


def plainly(net: Counting, photos: Catalogue, *, mirrored: bool = False) -> np.ndarray:
    """One photo at a time, mirrored as pixels before anything else."""
    vectors = []
    for path in photos.paths:
        pixels = read_photo(path, portrait=net.preprocessing.portrait)
        pixels = np.ascontiguousarray(pixels[:, ::-1]) if mirrored else pixels
        image = net.preprocessing.transform()(image=pixels)["image"]
        with torch.no_grad():
            vectors.append(net(image[None])[0].numpy())
    return np.stack(vectors)


def test_each_photos_vector_in_the_catalogues_order(net: Counting, photos: Catalogue) -> None:
    made = embed(net, photos, **QUIET)
    assert made.ids.tolist() == photos.image_ids.tolist()
    np.testing.assert_allclose(made.vectors, plainly(net, photos), rtol=1e-3, atol=2e-3)
    some = embed(net, photos[[7, 2]], **QUIET)
    np.testing.assert_allclose(some.vectors, made.take(["p07", "p02"]), rtol=1e-3, atol=2e-3)


def test_flip_is_the_mean_of_the_photos_and_the_mirror_images_raw_vectors(net: Counting, photos: Catalogue) -> None:
    made = embed(net, photos, flip=True, **QUIET)
    straight, mirrored = plainly(net, photos), plainly(net, photos, mirrored=True)
    assert np.abs(straight - mirrored).max() > 0.05  # else the mean would show nothing
    np.testing.assert_allclose(made.vectors, (straight + mirrored) / 2, atol=2e-3)


@pytest.mark.parametrize("options", [{"batch_size": 1}, {"batch_size": 5}, {"workers": 2, "batch_size": 2}])
def test_batches_and_workers_change_nothing(net: Counting, photos: Catalogue, options: dict) -> None:
    expected = embed(net, photos, flip=True, **QUIET)
    made = embed(net, photos, flip=True, **QUIET | options)
    assert made.ids.tolist() == expected.ids.tolist()
    np.testing.assert_allclose(made.vectors, expected.vectors, rtol=1e-3, atol=2e-3)


def test_bfloat16_is_close_and_float32_in_the_end(net: Counting, photos: Catalogue) -> None:
    exact, rounded = embed(net, photos, **QUIET), embed(net, photos, **QUIET | {"precision": "bf16"})
    assert rounded.vectors.dtype == np.float32
    assert not np.array_equal(exact.vectors, rounded.vectors)
    cosines = (exact.vectors * rounded.vectors).sum(1) / np.linalg.norm(exact.vectors, axis=1)
    assert (cosines / np.linalg.norm(rounded.vectors, axis=1)).min() > 0.97


def test_boxes_are_cut_out_and_landscape_turned_if_the_network_wants(photos: Catalogue) -> None:
    boxes = [[5, 5, 30, 30] if i % 3 else None for i in range(12)]
    portrait = network(portrait=True)
    made = embed(portrait, photos.assign(bbox=boxes), **QUIET)
    for row, box in enumerate(boxes):
        pixels = read_photo(photos.paths[row], box, True)
        with torch.no_grad():
            expected = portrait(portrait.preprocessing.transform()(image=pixels)["image"][None])[0].numpy()
        np.testing.assert_allclose(made.vectors[row], expected, rtol=1e-3, atol=2e-3)
    assert not np.allclose(embed(network(), photos, **QUIET).vectors, embed(portrait, photos, **QUIET).vectors)


def test_the_network_comes_back_as_it_was(net: Counting, photos: Catalogue) -> None:
    net.train()
    net.backbone.blocks[1].eval()  # a part held still while the rest is trained
    modes = [module.training for module in net.modules()]
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    embed(net, photos, **QUIET)
    assert [module.training for module in net.modules()] == modes
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert net.backbone.conv_stem.weight.is_contiguous()
    net(torch.randn(4, 3, 32, 32)).sum().backward()  # and can be trained on


def test_the_provenance_says_what_made_them(net: Counting, photos: Catalogue) -> None:
    provenance = embed(net, photos, flip=True, **QUIET).provenance
    assert provenance["network"]["backbone"] == "lcnet_050"
    assert provenance["fingerprint"] == net.fingerprint
    assert provenance["transform"]["image_size"] == [32, 32]
    assert (provenance["flip"], provenance["precision"]) == (True, "fp32")
    assert provenance["whalereid"]


def counted_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    reads: list[str] = []

    def counting(path: str, *options: Any, **named: Any) -> np.ndarray:
        reads.append(str(path))
        return read_photo(path, *options, **named)

    monkeypatch.setattr("whalereid.images.photos.read_photo", counting)
    return reads


def test_several_networks_decode_each_photo_once(photos: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    nets = {"one": network(1), "two": network(2), "deep": network(3, neck="bn-linear:dim=5")}
    alone = {name: embed(net, photos, flip=True, **QUIET) for name, net in nets.items()}
    reads = counted_reads(monkeypatch)
    together = embed_many(nets, photos, flip=True, **QUIET)
    assert len(reads) == len(set(reads)) == 12
    assert list(together) == ["one", "two", "deep"]
    for name, made in together.items():
        assert np.array_equal(made.vectors, alone[name].vectors)
        assert made.provenance == alone[name].provenance


def test_networks_of_other_preprocessing_get_their_own(photos: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    nets = {
        "small": network(1),
        "large": network(1, image_size=64),
        "too": network(2),
        "turned": network(1, portrait=True),
    }
    alone = {name: embed(net, photos, **QUIET) for name, net in nets.items()}
    reads = counted_reads(monkeypatch)
    together = embed_many(nets, photos, **QUIET)
    assert len(reads) == 3 * 12
    for name, made in together.items():
        assert np.array_equal(made.vectors, alone[name].vectors)


def test_no_networks_and_no_photos(net: Counting, photos: Catalogue) -> None:
    assert embed_many({}, photos, **QUIET) == {}
    assert embed(net, photos[:0], **QUIET).vectors.shape == (0, net.dim)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_photo_that_cannot_be_read_names_itself(net: Counting, photos: Catalogue, workers: int) -> None:
    photos.paths[3].write_text("not a photo")
    with pytest.raises(WhalereidError, match=r"p03.png") as refusal:
        embed(net, photos, **QUIET | {"workers": workers})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("workers", [0, 2])
def test_photos_left_out_are_listed_at_the_end(
    net: Counting, photos: Catalogue, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    photos.paths[3].write_text("not a photo")
    photos.paths[8].unlink()
    made = embed(net, photos, on_error="skip", batch_size=2, precision="fp32", workers=workers)
    assert made.ids.tolist() == [i for i in photos.image_ids if i not in ("p03", "p08")]
    np.testing.assert_allclose(made.vectors, embed(net, photos.subset(made.ids), **QUIET).vectors, rtol=1e-3, atol=2e-3)
    told = capsys.readouterr()
    assert told.out == ""
    assert "2 photos were left out:" in told.err
    assert "p03.png" in told.err
    assert "p08.png" in told.err
    assert "12 of 12 photos" in told.err


def test_photos_left_out_without_progress_are_a_warning(net: Counting, photos: Catalogue) -> None:
    photos.paths[3].unlink()
    with pytest.warns(UserWarning, match=r"1 photos were left out: .*p03.png"):
        embed(net, photos, on_error="skip", **QUIET)


def test_not_one_photo_that_can_be_read(net: Counting, photos: Catalogue) -> None:
    for path in photos.paths:
        path.write_text("")
    with pytest.raises(WhalereidError, match=r"none of the 12 photos can be read; the first: .*p00.png"):
        embed(net, photos, on_error="skip", **QUIET)


def test_vectors_that_are_not_finite_name_the_photo_and_the_way_out(net: Counting, photos: Catalogue) -> None:
    net.backbone.conv_head.weight.data *= 1e30
    with pytest.raises(WhalereidError, match=r"vector of 'p00' in bf16 isn't finite; try precision fp32"):
        embed(net, photos, **QUIET | {"precision": "bf16"})
    with pytest.raises(WhalereidError, match="its weights are broken"):
        embed(net, photos, **QUIET)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"precision": "fp8"}, "precision is 'fp8'; choose from auto, fp32, bf16, fp16"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"workers": -1}, "workers is -1"),
        ({"device": "toaster"}, "device 'toaster' can't be used here"),
        ({"on_error": "ignore"}, "on_error is 'ignore'"),
    ],
)
def test_options_that_cannot_be(net: Counting, photos: Catalogue, options: dict, words: str) -> None:
    with pytest.raises(WhalereidError, match=words):
        embed(net, photos, **QUIET | options)


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("network", "net", "network is 'net', a str, and has no dim, preprocessing, fingerprint, a forward pass; give"),
        ("network", torch.nn.Linear(2, 2), r"network is a Linear, and has no dim, .*fingerprint; .*Embedder.wrap\(mod"),
        ("network", None, "network is None, and has no dim"),
        ("network", Embedder, "network is the class Embedder"),
        ("photos", "nyala", "photos is 'nyala', a str; give a Catalogue"),
        ("photos", ["a.jpg"], "photos is .*, a list; give a Catalogue"),
        ("flip", "x", "flip is 'x', a str; give True or False"),
        ("batch_size", "a", "batch_size is 'a', a str; give a whole number from 1 to 65536"),
        ("batch_size", True, "batch_size is True; give a whole number"),
        ("batch_size", 10**9, "batch_size is 1000000000; give a whole number"),
        ("workers", True, "workers is True; give a whole number from 0"),
        ("workers", 1.5, "workers is 1.5; give a whole number from 0"),
        ("workers", 10**9, "workers is 1000000000; give a whole number"),
        ("device", 7, "device is 7; give its name, such as 'cpu'"),
        ("device", "meta", "device 'meta' can't be used here"),
        ("device", "nonsense", "device 'nonsense' can't be used here"),
        ("device", "", "device '' can't be used here"),
        ("precision", 3, "precision is 3; choose from auto, fp32"),
        ("precision", None, "precision is None; choose from auto, fp32"),
        ("on_error", "x", "on_error is 'x'; choose from raise, skip"),
        ("on_error", ["skip"], "on_error is .*; choose from raise, skip"),
        ("out", 7, "out is 7; give a path"),
        ("out", {"embedding": "e"}, "out is .*, a dict; give a path"),
        ("progress", "x", "progress is 'x', a str; give True or False"),
    ],
)
def test_arguments_of_another_kind(net: Counting, photos: Catalogue, argument: str, value: object, words: str) -> None:
    with pytest.raises(WhalereidError, match=words):
        embed(**{"network": net, "photos": photos, **QUIET, argument: value})
    assert net.images == 0


@pytest.mark.parametrize(
    ("embedders", "out", "words"),
    [
        (lambda net: [net], None, "networks is .*; give a mapping of names to networks"),
        (lambda net: net, None, "networks is a Counting; give a mapping"),
        (lambda net: {7: net}, None, "a name in networks is 7; give text"),
        (lambda net: {"one": "runs/one"}, None, r"networks\['one'\] is 'runs/one', a str, and has no dim"),
        (lambda net: {"one": net}, "folder", "out is 'folder', a str; give a mapping"),
        (lambda net: {"one": net}, {"one": 7}, r"out\['one'\] is 7; give a path"),
        (lambda net: {"one": net}, {7: "x"}, "out names 7, the networks are one"),
    ],
)
def test_several_networks_of_another_kind(
    net: Counting, photos: Catalogue, embedders: Callable[[Counting], object], out: object, words: str
) -> None:
    with pytest.raises(WhalereidError, match=words):
        embed_many(embedders(net), photos, out=out, **QUIET)


def test_random_weights_are_said_aloud_and_trained_ones_are_not(
    photos: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    net = Embedder("lcnet_050", "avg", image_size=32, weights="random")
    words = "lcnet_050: these vectors come from random weights: they rank noise"
    with pytest.warns(UserWarning, match=words):
        made = embed(net, photos, **QUIET)
    assert made.provenance["network"]["weights"] == "random"
    embed(net, photos, **QUIET | {"progress": True})
    assert f"Warning: {words}" in capsys.readouterr().err
    net.mark_trained()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = embed(net, photos, **QUIET)
    assert made.provenance["network"]["weights"] == "random, then trained"


@pytest.mark.parametrize("name", [None, "emb", "emb.parquet"])
@pytest.mark.parametrize("dead", ["network", "photos"])
def test_vectors_that_are_all_alike_are_refused(
    net: Counting, photos: Catalogue, tmp_path: Path, dead: str, name: str | None
) -> None:
    before = sorted(tmp_path.rglob("*"))
    if dead == "network":
        net.backbone.conv_head.weight.data.zero_()
    else:
        for path in photos.paths:
            cv2.imwrite(str(path), np.full((40, 30, 3), 90, np.uint8))
    out = None if name is None else tmp_path / name
    with pytest.raises(WhalereidError, match=r"lcnet_050\): the vectors of all 12 photos are alike.*network is dead"):
        embed(net, photos, out=out, **QUIET | {"batch_size": 5})
    assert sorted(tmp_path.rglob("*")) == before
    assert len(embed(net, photos[:2], **QUIET)) == 2  # of two photos nothing can be said


def test_training_measures_networks_that_know_nothing_yet(net: Counting, photos: Catalogue) -> None:
    net.backbone.conv_head.weight.data.zero_()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(embed_as_is(net, photos, extraction=Extraction(workers=0))) == 12


def test_places_for_other_networks_are_refused(net: Counting, photos: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(WhalereidError, match="out names b, the networks are a"):
        embed_many({"a": net}, photos, out={"b": tmp_path / "b"}, **QUIET)


def test_auto_takes_what_the_hardware_has(monkeypatch: pytest.MonkeyPatch, net: Counting, photos: Catalogue) -> None:
    for has, expected in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda has=has: has, raising=False)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
        assert native_precision("cpu") == expected
        assert embed(net, photos, progress=False, device="cpu", workers=0).provenance["precision"] == expected
    for generation, expected in (((9, 0), "bf16"), ((8, 0), "bf16"), ((7, 5), "fp16"), ((6, 1), "fp32")):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device, g=generation: g)
        assert native_precision("cuda:0") == expected
    assert native_precision("mps") == "fp32"


def test_the_bar_is_for_terminals_and_a_log_gets_lines(
    net: Counting, photos: Catalogue, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whalereid.embeddings.progress._LINE_SECONDS", 0.0)
    embed(net, photos, batch_size=4, workers=0)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("embedding: 4 of 12 photos, ")
    assert "s left" in lines[0]
    assert lines[-1].startswith("embedding: 12 of 12 photos")
    embed(net, photos, progress=False, workers=0)
    assert capsys.readouterr().err == ""


def test_grey_photos_too(net: Counting, photos: Catalogue) -> None:
    cv2.imwrite(str(photos.paths[0]), np.full((40, 30), 90, np.uint8))
    assert np.isfinite(embed(net, photos, **QUIET).vectors).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same(net: Counting, photos: Catalogue) -> None:
    expected = embed(net, photos, **QUIET | {"device": "cpu"})
    made = embed(net, photos, **QUIET | {"device": "cuda"})
    np.testing.assert_allclose(made.vectors, expected.vectors, rtol=1e-2, atol=1e-3)
    assert next(net.parameters()).device.type == "cpu"
