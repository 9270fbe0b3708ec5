"""Saying no is quick: nothing heavy is loaded for it. The seconds are benchmarks/refusals.py's."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALL = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from whalereid.cli.app import run
for line in json.loads(sys.argv[1]):
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        status = run(line.split())
    heavy = sorted({"torch", "timm"} & set(sys.modules))
    print(json.dumps([line, status, out.getvalue(), err.getvalue(), heavy]))
"""


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refusals", ROOT / "benchmarks" / "refusals.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(benchmark: ModuleType, tmp_path: Path) -> Path:
    benchmark.prepare(tmp_path)
    return tmp_path


def refused(lines: list[str], folder: Path, **environment: str) -> list[tuple[str, str, list[str]]]:
    """Each line, what it said and which heavy library it had loaded by then; the first that wasn't refused fails."""
    command = [sys.executable, "-c", ALL, json.dumps(lines)]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stderr == ""  # nothing beside what the command says
    found = []
    for line, status, out, err, heavy in map(json.loads, done.stdout.splitlines()):
        assert (status, out, err.count("\n")) == (2, "", 1), (line, status, out, err)
        assert err.startswith("whalereid: ")
        found.append((line, err, heavy))
    return found


def test_refusals_load_no_torch(benchmark: ModuleType, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    found = refused(benchmark.REFUSALS, folder)
    assert len(found) == len(benchmark.REFUSALS)
    assert not {line: heavy for line, _, heavy in found if heavy}
    assert sorted(folder.rglob("*")) == before  # and leave nothing


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("train --catalogue photos.csv --out run --epochs 0", "'--epochs': 0; give a whole number from 1 to 1000000."),
        (
            "train --catalogue photos.csv --out run --epochs few",
            "'--epochs': few; give a whole number from 1 to 1000000.",
        ),
        (
            "train --catalogue photos.csv --out run --batch-size 1",
            "'--batch-size': 1; give a whole number from 2 to 65536.",
        ),
        ("train --catalogue photos.csv --out run --lr nan", "'--lr': nan; give a number between 0 and 1000."),
        ("train --catalogue photos.csv --out run --lr inf", "'--lr': inf; give a number between 0 and 1000."),
        ("train --catalogue photos.csv --out run --seed -1", "'--seed': -1; give a whole number from 0 to 4294967295."),
        (
            "train --catalogue photos.csv --out run --image-size 5000",
            "'--image-size': 5000; give a whole number from 8 to 4096, or HEIGHTxWIDTH, such as 256x96.",
        ),
        ("train --catalogue photos.csv --out run --weights w.onnx", "w.onnx: no such file of weights."),
        (
            "train --catalogue photos.csv --out run --weights photos.csv",
            "photos.csv: weights are read from .safetensors, .pth",
        ),
        (
            "embed --catalogue photos.csv --model other --out e",
            "other/config.json: not the configuration of an Embedder",
        ),
        (
            "embed --catalogue photos.csv --model unweighted --out e",
            "unweighted/model.safetensors: no such file of weights",
        ),
        (
            "embed --catalogue photos.csv --model network --out other",
            "other: already holds something else (config.json)",
        ),
        (
            "embed --catalogue photos.csv --model network --out e --device xpu:x",
            "'--device': xpu:x; give a device such as cpu",
        ),
        ("rank --embeddings e --catalogue c --out r.csv --k 0", "'--k' / '-k': 0; give a whole number from 1"),
        ("evaluate r.csv --catalogue c --resamples 1", "'--resamples': 1 draw is no interval; give 0 for none"),
        ("evaluate r.csv --catalogue c --confidence 1", "'--confidence': 1; give a number between 0 and 1."),
        ("evaluate r.csv --catalogue c --false-accept 2", "'--false-accept': 2; give a number from 0 to 1."),
        (
            "rank --embeddings e --catalogue c --out r.csv --weights 1 --weights nan",
            "'--weights': nan; give a number between 0 and 1e+09.",
        ),
        ("split --catalogue photos.csv --by flank", "'--by': 'flank' is not one of 'photo', 'encounter'"),
        (
            "split --catalogue photos.csv --folds 1",
            "'--folds': 1; give a whole number from 2. Try 'whalereid split --help'.",
        ),
    ],
)
def test_the_option_and_its_range_are_named(
    line: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from whalereid.cli.app import run

    monkeypatch.chdir(folder)
    assert run(line.split()) == 2
    assert words in capsys.readouterr().err


def test_more_workers_than_cores_are_said_and_not_started(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from whalereid.cli.options import WORKERS

    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1}, raising=False)
    assert [WORKERS["parser"](text) for text in ("0", "2")] == [0, 2]
    assert capsys.readouterr().err == ""
    assert WORKERS["parser"]("100000") == 2
    assert capsys.readouterr().err == "--workers 100000: this machine has 2 cores; taking 2.\n"


def caches(folder: Path) -> dict[str, str]:
    return {"HF_HOME": str(folder / "hub"), "TORCH_HOME": str(folder / "torch"), "HF_HUB_OFFLINE": "0"}


@contextmanager
def a_hub(kind: str) -> Iterator[str]:
    """The address of a hub that refuses calls, that takes them and is silent, or that is out of order."""
    if kind == "closed":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))  # and doesn't listen
            yield f"http://127.0.0.1:{free.getsockname()[1]}"
    elif kind == "silent":
        with socket.socket() as hole:
            hole.bind(("127.0.0.1", 0))
            hole.listen()
            yield f"http://127.0.0.1:{hole.getsockname()[1]}"
    else:

        class OutOfOrder(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send_error(503 if kind == "broken" else 404)

            do_GET = do_HEAD  # noqa: N815

            def log_message(self, *words: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), OutOfOrder)
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("kind", ["closed", "silent", "broken", "offline"])
@pytest.mark.parametrize("model", ["megadescriptor-t", "dinov2-s", "hf-hub:conservationxlabs/miewid-msv3"])
def test_networks_that_cannot_be_had_are_one_line_before_torch(folder: Path, kind: str, model: str) -> None:
    with a_hub(kind) as endpoint:
        offline = {"HF_HUB_OFFLINE": "1"} if kind == "offline" else {}
        environment = caches(folder) | {"HF_ENDPOINT": endpoint} | offline
        line = f"embed --catalogue photos.csv --model {model} --out emb.parquet"
        [(_, said, heavy)] = refused([line], folder, **environment)
    assert "can't be had here (" in said
    assert ("HF_HUB_OFFLINE" if kind == "offline" else endpoint) in said
    assert heavy == []


@pytest.mark.parametrize("kind", ["closed", "silent", "broken", "offline"])
def test_a_hub_that_does_not_answer_is_one_line_before_torch(benchmark: ModuleType, folder: Path, kind: str) -> None:
    with a_hub(kind) as endpoint:
        offline = {"HF_HUB_OFFLINE": "1"} if kind == "offline" else {}
        environment = caches(folder) | {"HF_ENDPOINT": endpoint} | offline
        [(_, said, heavy)] = refused([benchmark.PRETRAINED], folder, **environment)
    assert "lcnet_050: its pretrained weights can't be had here (" in said
    assert "--weights" in said
    assert ("HF_HUB_OFFLINE" if kind == "offline" else endpoint) in said
    assert heavy == []


def test_a_hub_without_the_weights_is_one_line(benchmark: ModuleType, folder: Path) -> None:
    with a_hub("empty") as endpoint:
        [(_, said, _)] = refused([benchmark.PRETRAINED], folder, **caches(folder), HF_ENDPOINT=endpoint)
    assert "lcnet_050: its pretrained weights can't be had here (" in said
    assert not (folder / "run").exists()


def test_weights_in_the_hubs_cache_need_no_hub(folder: Path) -> None:
    """The hub's address is a hole: whatever asked it would wait, and fail."""
    made = """
import sys, warnings
from pathlib import Path
import timm, torch
from safetensors.torch import save_file
from huggingface_hub import constants
name = "lcnet_050"
repository = Path(constants.HF_HUB_CACHE) / ("models--" + timm.get_pretrained_cfg(name).hf_hub_id.replace("/", "--"))
(repository / "refs").mkdir(parents=True)
(repository / "refs" / "main").write_text("abc")
(repository / "snapshots" / "abc").mkdir(parents=True)
torch.manual_seed(1)
whole = timm.create_model(name)
save_file(whole.state_dict(), repository / "snapshots" / "abc" / "model.safetensors")
from whalereid import Embedder
net = Embedder(name)
assert net.weights == "pretrained"
for key, tensor in net.backbone.state_dict().items():
    assert torch.equal(tensor, whole.state_dict()[key])
try:
    Embedder("lcnet_075")
except ValueError as error:
    print(error)
"""
    with a_hub("silent") as endpoint:
        done = subprocess.run(
            [sys.executable, "-c", made],
            env=os.environ | caches(folder) | {"HF_ENDPOINT": endpoint},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
    assert done.stderr == ""
    assert done.stdout.startswith("lcnet_075: its pretrained weights can't be had here (http://127.0.0.1")
    assert done.stdout.count("\n") == 1
