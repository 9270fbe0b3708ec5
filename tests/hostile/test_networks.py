"""Networks from a hub that are broken or mean harm: one line that names the file, nothing run, nothing large built."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.hubs import miewid, timm_layout, write_weights
from whalereid.errors import WhalereidError
from whalereid.models import Embedder
from whalereid.models.fetching import check_repository
from whalereid.models.hub_layout import read_plan

NET = "test_resnet"
DEEP = "[" * 200_000
HOSTILE = "wh\x1b[2Jale\x9b31m\u202egnp.\x07\x7f"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    timm_layout(folder / "timm", NET)
    timm_layout(folder / "vit", "test_vit")
    miewid(folder / "miewid")
    return folder


@pytest.fixture
def network(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good / "timm", tmp_path / "net"))


def refused(folder: Path) -> str:
    with pytest.raises(WhalereidError) as error:
        Embedder.load(folder)
    said = str(error.value)
    assert "\n" not in said
    assert str(folder) in said
    assert len(said) < 600 + len(str(folder))
    return said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "no_such_net"}, "Unknown backbone 'no_such_net'"),
        ({"architecture": "hf-hub:someone/else"}, "'architecture' is 'hf-hub:someone/else'; it is the name of a timm"),
        ({"architecture": "../../etc/passwd"}, "it is the name of a timm network"),
        ({"architecture": HOSTILE}, "it is the name of a timm network"),
        ({"architecture": "x" * 100_000}, "it is the name of a timm network"),
        ({"architecture": None}, "'architecture' is None"),
        ({"architecture": [NET]}, "it is the name of a timm network"),
        ({"pretrained_cfg": 7}, "'pretrained_cfg' is 7; it is an object"),
        ({"pretrained_cfg": {"mean": [0.5, "x", 0.5]}}, "mean is 'x', a str; give a number"),
        ({"pretrained_cfg": {"mean": [0.5]}}, "mean is [0.5]; give three numbers"),
        ({"pretrained_cfg": {"mean": {"r": 0.5}}}, "give three numbers"),
        ({"pretrained_cfg": {"std": [0.0, 0.5, 0.5]}}, "three numbers above 0"),
        ({"pretrained_cfg": {"std": [1e999, 0.5, 0.5]}}, "std is inf"),
        ({"pretrained_cfg": {"input_size": [3, 10**9, 10**9]}}, "image_size is 1000000000; give a whole number from 8"),
        ({"pretrained_cfg": {"input_size": [1, 224, 224]}}, "it is [3, height, width] for photos"),
        ({"pretrained_cfg": {"input_size": "224"}}, "it is [3, height, width] for photos"),
        ({"pretrained_cfg": {"interpolation": "lanczos"}}, "interpolation is 'lanczos'; choose from bilinear, bicubic"),
        ({"pretrained_cfg": {"interpolation": ["bicubic"]}}, "choose from bilinear, bicubic"),
        ({"pretrained_cfg": {"crop_pct": -1}}, "crop_pct is -1"),
        ({"pretrained_cfg": {"crop_pct": "0.9"}}, "crop_pct is '0.9', a str"),
        ({"pretrained_cfg": {"crop_mode": "towel"}}, "crop_mode is 'towel'"),
        ({"model_args": []}, "'model_args' is []; it is an object"),
        ({"model_args": {"checkpoint_path": "/etc/passwd"}}, "built with 'checkpoint_path', which isn't known here"),
        ({"model_args": {"pretrained_cfg_overlay": {"file": "/etc/passwd"}}}, "'pretrained_cfg_overlay', which isn't"),
        ({"model_args": {"pretrained": True}}, "'pretrained', which isn't known here"),
        ({"model_args": {"features_only": True}}, "'features_only', which isn't known here"),
        ({"model_args": {"embed_dim": 10**12}}, "embed_dim is 1000000000000; give a whole number up to 8192"),
        ({"model_args": {"depth": -1}}, "depth is -1"),
        ({"model_args": {"depth": True}}, "depth is True"),
        ({"model_args": {"depth": 2.5}}, "depth is 2.5"),
        ({"model_args": {"init_values": float("nan")}}, "init_values is nan"),
        ({"model_args": {"act_layer": "os.system('x')"}}, "act_layer is"),
        ({"model_args": {"act_layer": "no_such_layer"}}, "can't be used as a backbone"),
        ({"model_args": {"class_token": "yes"}}, "class_token is 'yes'; give true or false"),
        ({"model_args": {"in_chans": 4}}, "'in_chans' is 4; photos have 3 channels"),
        ({"model_args": {"img_size": 10**9}}, "image_size is 1000000000"),
        ({"model_args": {"img_size": [224]}}, "'img_size' is [3, 224]"),
        ({"model_args": {HOSTILE: 1}}, "which isn't known here"),
    ],
)
def test_a_configuration_that_cannot_be(network: Path, changes: dict[str, Any], words: str) -> None:
    config = json.loads((network / "config.json").read_text())
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(config.get(key), dict)
        config[key] = config[key] | value if both else value
    (network / "config.json").write_text(json.dumps(config))
    said = refused(network)
    assert words in said
    assert said.startswith(str(network / "config.json")) or "can't be used as a backbone" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no RUN"),
        ("{", "can't be read as JSON"),
        ("[]", "holds no JSON object"),
        (DEEP, "nested too deep"),
        (
            '{"architectures": ["Dinov2Model"], "model_type": "dinov2"}',
            "a dinov2 of transformers; networks are read in",
        ),
        ('{"architectures": {"a": 1}}', "no layout that is known here"),
        ('{"model_cfg": {"embed_dim": 512}}', "no layout that is known here"),
        ('{"model_type": "miewid"}', "'model_name' isn't there; it is the name of a timm network"),
        ('{"model_type": "miewid", "model_name": "absent_net"}', "Unknown backbone 'absent_net'"),
        ('{"model_type": "miewid", "model_name": "test_resnet", "use_fc": true}', "'use_fc' is true; only a MiewID"),
        (
            '{"model_type": "miewid", "model_name": "test_resnet", "use_fc": "no"}',
            "'use_fc' is 'no'; it is true or false",
        ),
        ('{"model_type": ["miewid"]}', "no layout that is known here"),
    ],
)
def test_a_configuration_of_another_kind(network: Path, content: str, words: str) -> None:
    (network / "config.json").write_text(content)
    said = refused(network)
    assert words in said or words == "no RUN"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.sampled_from(["architecture", "pretrained_cfg", "model_args", "model_type", "architectures", "input_size",
                         "mean", "std", "interpolation", "crop_pct", "crop_mode", "license"]),
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    ),
)  # fmt: skip
def test_whatever_stands_in_a_configuration_it_is_a_plan_or_one_line(
    key: str, value: Any, good: Path, tmp_path: Path
) -> None:
    config = json.loads((good / "timm" / "config.json").read_text())
    inner = config["pretrained_cfg"] if key in config["pretrained_cfg"] else config
    inner[key] = value
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    try:
        plan = read_plan(path, None)
    except WhalereidError as error:
        assert "\n" not in str(error)
        assert str(path) in str(error)
    else:
        assert plan.backbone.startswith(NET) or plan.names == "miewid"
        assert plan.licence.isprintable()


def without(name: str) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    return lambda state: {key: tensor for key, tensor in state.items() if key != name}


FIRST = "conv1.0.weight"


@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without(FIRST), f"lacks '{FIRST}'"),
        (lambda state: state | {"more": torch.ones(1)}, "has 'more' (1,), which this test_resnet has no place for"),
        (lambda state: state | {"../../x": torch.ones(1)}, "has '../../x'"),
        (lambda state: state | {FIRST: torch.ones(2, 2)}, f"'{FIRST}' has shape (2, 2)"),
        (
            lambda state: state | {FIRST: state[FIRST].to(torch.int64)},
            "holds int64, which this test_resnet doesn't take",
        ),
        (lambda state: state | {FIRST: state[FIRST] > 0}, "holds bool"),
        (lambda state: state | {FIRST: state[FIRST] * float("nan")}, "holds NaN, infinity"),
        (lambda state: {}, "it is empty"),
        (lambda state: {f"module.{name}": tensor for name, tensor in state.items()}, "a prefix on every name"),
        (lambda state: {f"backbone.{name}": tensor for name, tensor in state.items()}, "holds a whole network"),
    ],
)
def test_weights_that_do_not_fit(
    network: Path, suffix: str, change: Callable[[dict[str, Tensor]], dict[str, Tensor]], words: str
) -> None:
    state = torch.load(network / "pytorch_model.bin", weights_only=True)
    (network / "pytorch_model.bin").unlink()
    name = "model.safetensors" if suffix == ".safetensors" else "pytorch_model.bin"
    write_weights(change(state), network / name)
    said = refused(network)
    assert words in said
    assert str(network / name) in said


class Harm:
    """A pickle that would run a command."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


def test_nothing_in_a_pickle_is_run(network: Path, tmp_path: Path) -> None:
    torch.save({"x": Harm(tmp_path / "ran")}, network / "pytorch_model.bin")
    assert "refused, and nothing in it was run" in refused(network)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04.", b"\xff" * 64, b'{"a": 1}'])
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_files_that_are_no_weights(network: Path, name: str, content: bytes) -> None:
    (network / "pytorch_model.bin").unlink()
    (network / name).write_bytes(content)
    refused(network)


def test_files_cut_short(network: Path) -> None:
    whole = (network / "pytorch_model.bin").read_bytes()
    for share in (0.01, 0.5, 0.999):
        (network / "pytorch_model.bin").write_bytes(whole[: int(len(whole) * share)])
        refused(network)


def test_files_that_are_folders_or_pipes(network: Path) -> None:
    (network / "pytorch_model.bin").unlink()
    (network / "model.safetensors").mkdir()
    assert "has no model.safetensors nor pytorch_model.bin" in refused(network)
    if hasattr(os, "mkfifo"):
        os.mkfifo(network / "pytorch_model.bin")
        assert "has no model.safetensors nor pytorch_model.bin" in refused(network)


def test_position_embeddings_of_another_network(good: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(good / "vit", tmp_path / "vit"))
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    for odd in (torch.zeros(1, 3, 7), torch.zeros(5), torch.zeros(1, 50, 64, dtype=torch.int64)):
        write_weights(state | {"pos_embed": odd}, folder / "pytorch_model.bin")
        assert "'pos_embed'" in refused(folder)


def test_miewids_without_their_parts(good: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(good / "miewid", tmp_path / "miewid"))
    from safetensors.torch import load_file

    state = load_file(folder / "model.safetensors")
    for gone in ("pooling.p", "bn.running_var", "backbone.conv_stem.weight"):
        write_weights(without(gone)(state), folder / "model.safetensors")
        assert gone.split(".", 1)[1] in refused(folder)
    write_weights(state | {"pooling.q": torch.ones(1)}, folder / "model.safetensors")
    assert "has 'q'" in refused(folder)


@pytest.mark.parametrize(
    ("page", "licence"),
    [
        ("---\nlicense: cc-by-nc-4.0\n---\n", "cc-by-nc-4.0"),
        ("---\nlicense: other\nlicense_name: dinov3-license\n---\n", "dinov3-license"),
        ("---\nlicense:\n- apache-2.0\n---\n", "apache-2.0"),
        ("---\nlicense: 'mit'\n---\n", "mit"),
        ("---\ntags:\n- license\n---\nlicense: mine\n", "mit"),  # of config.json
        ("license: mine\n", "mit"),
        ("", "mit"),
        (f"---\nlicense: {HOSTILE}\n---\n", "mit"),
    ],
)
def test_licences_of_pages(network: Path, page: str, licence: str) -> None:
    (network / "README.md").write_text(page, encoding="utf-8")
    assert read_plan(network / "config.json", network / "README.md").licence == licence


def test_a_page_that_is_no_text(network: Path) -> None:
    (network / "README.md").write_bytes(b"---\nlicense: \xff\xfe\n---")
    assert "isn't UTF-8" in refused(network)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"[a-z./@-]{1,20}", fullmatch=True))
def test_a_repositorys_name_leads_nowhere_else(text: str) -> None:
    try:
        repository, revision = check_repository(text)
    except WhalereidError as error:
        assert "\n" not in str(error)
    else:
        assert repository.count("/") == 1
        assert ".." not in text
        assert repository.isascii()
        assert revision is None or not revision.startswith("/")
