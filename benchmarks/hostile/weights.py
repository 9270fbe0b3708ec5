"""Weights and checkpoints that are damaged, of other kinds, or hostile: refused by name, and nothing of them is run."""

from __future__ import annotations

import json
import pickle
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.world import EMBED, SMALL, TRAIN

RESUME = f"{TRAIN} --epochs 3 --out half --resume"
FROM_FILE = f"train --catalogue data/photos.csv {SMALL.replace('--weights random ', '')} --epochs 1 --out new --weights"
NET = "run/model.safetensors"


class Boom:
    """What a pickle must not run."""

    def __reduce__(self) -> Any:
        return (open, ("pwned.txt", "w"))


def cases(chosen: random.Random) -> Iterator[Case]:
    broken: dict[str, Callable[[bytes], bytes]] = {
        "empty": lambda b: b"",
        "cut short": lambda b: b[: len(b) // 2],
        "a header of 2**63 bytes": lambda b: struct.pack("<Q", 2**63) + b[8:],
        "a header of no JSON": lambda b: struct.pack("<Q", 4) + b"xxxx",
        "a header nested 100,000 deep": lambda b: struct.pack("<Q", 200_000) + b"[" * 200_000,
        "zeros": lambda b: bytes(len(b)),
        "a photo": lambda b: b"\x89PNG\r\n\x1a\n" + b[:200],
        "a pickle": lambda b: pickle.dumps(Boom()),
        "with bytes after it": lambda b: b + bytes(100),
    }
    for name, change in broken.items():
        yield Case(
            f"embed: a network whose weights are {name}",
            [*EMBED.split(), "--out", "n.parquet"],
            prepare=_bytes(NET, change),
            says="model.safetensors",
        )
    for number in range(6):
        flips = random.Random(chosen.random())
        yield Case(
            f"embed: a network's header flipped, {number}",
            [*EMBED.split(), "--out", "n.parquet"],
            prepare=_bytes(NET, lambda b, r=flips: _flip(b, r)),
            wanted="either",
            writes=("n.parquet",),
        )
    for name, tensors in _TENSORS.items():
        says = "nan|finite" if "nan" in name or "inf" in name else ""
        yield Case(
            f"embed: a network with {name}",
            [*EMBED.split(), "--out", "n.parquet"],
            prepare=_tensors(NET, tensors),
            says=says or "model.safetensors",
        )
    yield from _pth(chosen)
    yield from _checkpoints(chosen)


def _bytes(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], Any]:
    return lambda folder: (folder / file).write_bytes(change((folder / file).read_bytes()))


def _flip(content: bytes, chosen: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(3):
        changed[chosen.randrange(8, 400)] ^= 1 << chosen.randrange(8)
    return bytes(changed)


def _first(state: dict[str, Any], of: str = "weight") -> str:
    return next(name for name, tensor in state.items() if name.endswith(of) and tensor.is_floating_point())


def _changed(how: Callable[[Any], Any], of: str = "weight") -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(state: dict[str, Any]) -> dict[str, Any]:
        name = _first(state, of)
        return state | {name: how(state[name])}

    return change


def _kind(name: str) -> Callable[[Any], Any]:
    import importlib

    return lambda tensor: tensor.to(getattr(importlib.import_module("torch"), name))


_TENSORS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "integer weights": _changed(lambda t: t.int()),
    "weights of int8": _changed(lambda t: (t * 100).char()),
    "weights of bool": _changed(lambda t: t > 0),
    "complex weights": _changed(_kind("complex64")),
    "weights of fp8 (e4m3)": _changed(_kind("float8_e4m3fn")),
    "weights of fp8 (e5m2)": _changed(_kind("float8_e5m2")),
    "all weights of fp8": lambda s: {
        n: t.to(__import__("torch").float8_e5m2) if t.is_floating_point() else t for n, t in s.items()
    },
    "all weights of int": lambda s: {n: t.int() for n, t in s.items()},
    "a nan": _changed(lambda t: t * float("nan")),
    "an inf": _changed(lambda t: t + float("inf")),
    "a weight of another shape": _changed(lambda t: t.flatten()[:-1].contiguous()),
    "a weight without numbers": _changed(lambda t: t.flatten()[:0].contiguous()),
    "a weight missing": lambda s: {n: t for n, t in s.items() if n != _first(s)},
    "a weight too many": lambda s: s | {"extra.weight": next(iter(s.values())).clone()},
    "no weights": lambda s: {},
    "a weight by another name": lambda s: {(f"x.{n}" if n == _first(s) else n): t for n, t in s.items()},
}


def _tensors(file: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        with (folder / file).open("rb") as opened:
            notes = json.loads(opened.read(struct.unpack("<Q", opened.read(8))[0])).get("__metadata__")
        save_file(change(load_file(folder / file)), folder / file, metadata=notes)

    return prepare


def _pth(chosen: random.Random) -> Iterator[Case]:
    """Weights for `train --weights FILE`."""

    def saved(change: Callable[[dict[str, Any]], Any], name: str = "w.pth") -> Callable[[Path], Any]:
        def prepare(folder: Path) -> None:
            import timm
            import torch

            torch.save(change(timm.create_model("test_resnet", num_classes=0).state_dict()), folder / name)

        return prepare

    def quantised(tensor: Any) -> Any:
        import torch

        return torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)

    contents: dict[str, Callable[[dict[str, Any]], Any]] = {
        "sparse weights": _changed(lambda t: t.to_sparse()),
        "sparse rows": _changed(lambda t: t.flatten(1).to_sparse_csr()),
        "meta weights": _changed(lambda t: t.to("meta")),
        "quantised weights": _changed(quantised),
        "integer weights": _changed(lambda t: t.int()),
        "weights of bool": _changed(lambda t: t > 0),
        "complex weights": _changed(_kind("complex64")),
        "weights of fp8": _changed(_kind("float8_e4m3fn")),
        "a nan": _changed(lambda t: t * float("nan")),
        "numbers for weights": lambda s: s | {_first(s): 7},
        "text for weights": lambda s: s | {_first(s): "x"},
        "None for weights": lambda s: s | {_first(s): None},
        "a list": lambda s: list(s.values()),
        "a number": lambda s: 7,
        "None": lambda s: None,
        "keys of numbers": lambda s: dict(enumerate(s.values())),
        "keys with escapes": lambda s: {f"\x1b[2J{n}": t for n, t in s.items()},
        "nothing": lambda s: {},
        "another network's": lambda s: {f"other.{n}": t for n, t in s.items()},
        "a list of itself": lambda s: {"a": [s]},
    }
    for name, change in contents.items():
        yield Case(f"train --weights: {name}", f"{FROM_FILE} w.pth".split(), prepare=saved(change), says="w.pth")
    yield Case(
        "train --weights: half precision is said",
        f"{FROM_FILE} w.pth".split(),
        prepare=saved(lambda s: {n: t.half() if t.is_floating_point() else t for n, t in s.items()}),
        wanted="either",
        writes=("new",),
    )
    yield Case(
        "train --weights: a pickle that runs something",
        f"{FROM_FILE} w.pth".split(),
        prepare=lambda f: (f / "w.pth").write_bytes(pickle.dumps(Boom())),
        says="w.pth",
    )
    for name in ("empty.pth", "text.bin", "zip.pt", "zeros.safetensors"):
        content = {
            "empty.pth": b"",
            "text.bin": b"hello",
            "zip.pt": b"PK\x03\x04" + bytes(50),
            "zeros.safetensors": bytes(500),
        }
        yield Case(
            f"train --weights {name}",
            f"{FROM_FILE} {name}".split(),
            prepare=lambda f, n=name, c=content: (f / n).write_bytes(c[n]),
            says=name,
        )
    yield Case("train --weights a folder", f"{FROM_FILE} w.pth".split(), prepare=lambda f: (f / "w.pth").mkdir())
    yield Case("train --weights of 20 GB of nothing", f"{FROM_FILE} w.pth".split(), prepare=_sparse, limit=30)


def _sparse(folder: Path) -> None:
    with (folder / "w.pth").open("wb") as file:
        file.truncate(20 * 10**9)


def _checkpoints(chosen: random.Random) -> Iterator[Case]:
    def changed(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], Any]:
        def prepare(folder: Path) -> None:
            import torch

            path = folder / "half/checkpoint/last.pt"
            torch.save(change(torch.load(path, weights_only=True)), path)

        return prepare

    def without(key: str) -> Callable[[dict[str, Any]], Any]:
        return lambda s: {k: v for k, v in s.items() if k != key}

    def having(key: str, value: Any) -> Callable[[dict[str, Any]], Any]:
        return lambda s: s | {key: value}

    keys = ["net", "head", "optimizer", "scaler", "records", "best", "untrained"]
    contents = {f"without {key}": without(key) for key in keys}
    for key in keys:
        for value in (None, 7, "x", [], {}, [[1, 2, 3]], {"a": 1}):
            if key in ("scaler", "untrained") or (key == "records" and value == []):
                continue  # that may be
            contents[f"with {key} {value!r}"] = having(key, value)
    kept = dict(chosen.sample(sorted(contents.items()), 28))
    kept |= {f"without {key}": contents[f"without {key}"] for key in keys}

    def nan_net(state: dict[str, Any]) -> Any:
        name = _first(state["net"])
        return state | {"net": dict(state["net"]) | {name: state["net"][name] * float("nan")}}

    def int_net(state: dict[str, Any]) -> Any:
        name = _first(state["net"])
        return state | {"net": dict(state["net"]) | {name: state["net"][name].int()}}

    def no_moments(state: dict[str, Any]) -> Any:
        return state | {"optimizer": {**state["optimizer"], "state": {0: {"step": 1}}}}

    def of_another_size(state: dict[str, Any]) -> Any:
        return state | {"head": {n: t[:-1] for n, t in state["head"].items()}}

    def groups(state: dict[str, Any]) -> Any:
        return state | {"optimizer": {**state["optimizer"], "param_groups": []}}

    def a_record(state: dict[str, Any]) -> Any:
        return state | {"records": [{"epoch": "one"}]}

    def many_records(state: dict[str, Any]) -> Any:
        return state | {"records": state["records"] * 50}

    kept |= {
        "with a nan": nan_net,
        "of integers": int_net,
        "without moments": no_moments,
        "with a head of another size": of_another_size,
        "without groups": groups,
        "with a record of text": a_record,
        "with 50 records": many_records,
        "that is a list": lambda s: [s],
        "that is None": lambda s: None,
    }
    for name, change in kept.items():
        wanted = "either" if name in ("without scaler", "without untrained", "with 50 records") else "refused"
        yield Case(
            f"train --resume: a checkpoint {name}",
            RESUME.split(),
            prepare=changed(change),
            says="last.pt|half" if wanted == "refused" else "",
            wanted=wanted,
            writes=("half",),
        )
    raw: dict[str, bytes] = {
        "empty": b"",
        "zeros": bytes(5000),
        "text": b"hello",
        "a pickle that runs something": pickle.dumps(Boom()),
    }
    for name, content in raw.items():
        yield Case(
            f"train --resume: a checkpoint of {name}",
            RESUME.split(),
            prepare=lambda f, c=content: (f / "half/checkpoint/last.pt").write_bytes(c),
            says="last.pt",
        )
    yield Case(
        "train --resume: half a checkpoint",
        RESUME.split(),
        prepare=_bytes("half/checkpoint/last.pt", lambda b: b[: len(b) // 2]),
        says="last.pt",
    )
    yield Case("train --resume as it should be", RESUME.split(), wanted="done", writes=("half",))
    yield Case(
        "train --resume: no head.safetensors",
        RESUME.split(),
        prepare=lambda f: (f / "half/head.safetensors").unlink(),
        wanted="either",
        writes=("half",),
    )
    yield Case(
        "train --resume: no model.safetensors",
        RESUME.split(),
        prepare=lambda f: (f / "half/model.safetensors").unlink(),
        wanted="either",
        writes=("half",),
    )
    yield Case("train --resume: other photos under the same names", RESUME.split(), prepare=_swap, says="photo")
    yield Case("train --resume: another seed", RESUME.replace("--seed 3", "--seed 4").split(), says="seed")
    yield Case("train --resume: fewer epochs", RESUME.replace("--epochs 3", "--epochs 1").split(), says="epochs")


def _swap(folder: Path) -> None:
    first, second = folder / "data/images/0_0.png", folder / "data/images/3_0.png"
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
