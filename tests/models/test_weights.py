from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from whalereid.errors import WhalereidError
from whalereid.models import load_weights, read_weights


def small() -> nn.Sequential:
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, 3), bn=nn.BatchNorm2d(4), fc=nn.Linear(4, 2)))


class RunsCode:
    """Unpickled as usual, it makes the file it was given."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple:
        return (os.system, (f"touch '{self.proof}'",))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt", ".bin"])
def test_every_format_comes_back(tmp_path: Path, suffix: str) -> None:
    state, path = small().state_dict(), tmp_path / f"w{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    target = small()
    load_weights(target, path)
    assert all(torch.equal(tensor, target.state_dict()[name]) for name, tensor in state.items())


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path, zipped: bool, protocol: int) -> None:
    path, proof = tmp_path / "w.bin", tmp_path / "proof"
    held = {"conv.weight": RunsCode(proof)}
    if zipped:
        torch.save(held, path, pickle_protocol=protocol)
    else:
        path.write_bytes(pickle.dumps(held, protocol=protocol))
    with pytest.raises(WhalereidError, match=r"w\.bin: refused, and nothing in it was run"):
        read_weights(path)
    assert not proof.exists()
    pickle.loads(pickle.dumps(RunsCode(proof)))
    assert proof.exists()  # it would have


def test_the_refusal_names_what_a_pickle_asks_for(tmp_path: Path) -> None:
    torch.save({"a": RunsCode(tmp_path / "proof")}, tmp_path / "w.pth")
    with pytest.raises(WhalereidError, match=r"it asks for (posix|nt)\.system"):
        read_weights(tmp_path / "w.pth")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_files_that_hold_no_weights(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"w{suffix}"
    good = tmp_path / f"good{suffix}"
    save_file(small().state_dict(), good) if suffix == ".safetensors" else torch.save(small().state_dict(), good)
    for content in (b"", b"hello there", good.read_bytes()[:-50], good.read_bytes()[:30]):
        path.write_bytes(content)
        with pytest.raises(WhalereidError, match=str(path)):
            read_weights(path)


def test_places_that_hold_no_weights(tmp_path: Path) -> None:
    with pytest.raises(WhalereidError, match="no such file"):
        read_weights(tmp_path / "absent.pth")
    with pytest.raises(WhalereidError, match="is a folder"):
        read_weights(tmp_path)
    (tmp_path / "w.onnx").write_text("?")
    with pytest.raises(WhalereidError, match=r"read from \.safetensors, \.pth"):
        read_weights(tmp_path / "w.onnx")


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"epoch": 3, "state_dict": {"a": torch.zeros(1)}}, "is the state dict its 'state_dict'"),
        (torch.zeros(3), "holds a Tensor, not a state dict"),
        ([torch.zeros(3)], "holds a list"),
        ({1: torch.zeros(1)}, "1 are no tensors"),
        ({}, "it is empty"),
    ],
)
def test_files_that_hold_something_else(tmp_path: Path, held: object, words: str) -> None:
    torch.save(held, tmp_path / "w.pth")
    with pytest.raises(WhalereidError, match=words):
        load_weights(small(), tmp_path / "w.pth")


def test_the_first_tensor_that_differs_is_named_with_both_shapes() -> None:
    state = small().state_dict()
    state["bn.weight"] = torch.ones(7)
    state["fc.weight"] = torch.ones(9, 9)
    with pytest.raises(WhalereidError, match=r"'bn.weight' has shape \(7,\), this Sequential wants \(4,\)"):
        load_weights(small(), state)


def test_a_tensor_too_few_or_too_many() -> None:
    state = small().state_dict()
    del state["fc.bias"]
    with pytest.raises(WhalereidError, match=r"lacks 'fc.bias' \(2,\)"):
        load_weights(small(), state)
    with pytest.raises(WhalereidError, match=r"has 'more.weight' \(1, 2\).* \(2 such\)"):
        load_weights(small(), small().state_dict() | {"more.weight": torch.ones(1, 2), "more.bias": torch.ones(1)})


def test_another_networks_file_and_a_prefixed_one() -> None:
    with pytest.raises(WhalereidError, match=r"none of its tensors \(layer1.weight\) .* \(conv.weight, conv.bias"):
        load_weights(small(), {"layer1.weight": torch.ones(1)})
    prefixed = {f"module.{name}": tensor for name, tensor in small().state_dict().items()}
    with pytest.raises(WhalereidError, match="a prefix on every name"):
        load_weights(small(), prefixed)
    load_weights(small(), prefixed, rename={"module.": ""})


def test_nothing_is_loaded_where_something_differs() -> None:
    target = small()
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    state = {name: torch.zeros_like(tensor) for name, tensor in before.items()}
    with pytest.raises(WhalereidError):
        load_weights(target, state | {"fc.bias": torch.zeros(5)})
    assert all(torch.equal(tensor, target.state_dict()[name]) for name, tensor in before.items())


def test_renaming_takes_the_longest_beginning_and_ignoring_the_files_names() -> None:
    state = {"a.weight": torch.ones(2, 4), "a.b": torch.ones(2), "gone.x": torch.ones(1)}
    target = nn.Linear(4, 2)
    load_weights(target, state, rename={"a.": "", "a.b": "bias"}, ignore=["gone."])
    assert target.bias.tolist() == [1, 1]
    with pytest.raises(WhalereidError, match=r"gone\.x"):
        load_weights(target, state, rename={"a.": "", "a.b": "bias"})


def test_batch_counters_may_be_absent_and_nothing_else() -> None:
    state = small().state_dict()
    del state["bn.num_batches_tracked"]
    load_weights(small(), state)
    del state["bn.running_var"]
    with pytest.raises(WhalereidError, match=r"lacks 'bn.running_var'"):
        load_weights(small(), state)


def test_weights_of_a_training_that_diverged() -> None:
    state = small().state_dict()
    state["fc.weight"] = torch.full((2, 4), torch.nan)
    with pytest.raises(WhalereidError, match=r"'fc.weight' holds NaN"):
        load_weights(small(), state)
