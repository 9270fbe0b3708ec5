"""A hub on this machine, and networks in its layout: small files with the names and keys that the real ones have."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

COMMIT = "0123456789" * 4
SWIN, SWIN_ARGUMENTS = "swin_tiny_patch4_window7_224", {"embed_dim": 12}  # a 64th of MegaDescriptor-T
MIEWID_BACKBONE = "test_efficientnet"


class Hub:
    """What a hub serves: files under ``root/OWNER/NAME``; `asked` lists what it was asked for.

    ``silent_after`` bytes of a file of weights it says no more; ``refuses`` is the hub's word for why it gives nothing.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.asked = root, list[str]()
        self.silent_after: int | None = None
        self.refuses: str | None = None
        self.endpoint = ""

    def folder(self, repository: str) -> Path:
        made = self.root / repository
        made.mkdir(parents=True, exist_ok=True)
        return made


@contextmanager
def serving(root: Path) -> Iterator[Hub]:
    """Serve a folder as huggingface_hub's client asks for it, on 127.0.0.1."""
    hub = Hub(root)
    ended = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Nothing on the tests' stderr."""

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            hub.asked.append(f"{self.command} {self.path}")
            owner, name, _, revision, *inner = [*self.path.strip("/").split("/"), *[""] * 4][:99]
            if self.path == "/":
                self.reply(200, b"", body=body)
            elif hub.refuses is not None:
                status = {"GatedRepo": 403, "RepoNotFound": 404, "broken": 500}[hub.refuses]
                self.reply(status, b"", body=body, more={"X-Error-Code": hub.refuses})
            elif not (hub.root / owner / name).is_dir():
                self.reply(404, b"", body=body, more={"X-Error-Code": "RepoNotFound"})
            else:
                file = hub.root / owner / name / "/".join(filter(None, inner))
                known = {"X-Repo-Commit": COMMIT}
                if revision not in ("main", COMMIT) or not file.is_file():
                    why = "EntryNotFound" if revision in ("main", COMMIT) else "RevisionNotFound"
                    self.reply(404, b"", body=body, more=known | {"X-Error-Code": why})
                else:
                    held = file.read_bytes()
                    etag = {"ETag": f'"{hashlib.sha256(held).hexdigest()}"'}
                    self.reply(200, held, body=body, more=known | etag)

        def reply(self, status: int, held: bytes, *, body: bool, more: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for key, value in {"Content-Length": str(len(held)), **(more or {})}.items():
                self.send_header(key, value)
            self.end_headers()
            if body and hub.silent_after is not None and len(held) > hub.silent_after:
                self.wfile.write(held[: hub.silent_after])
                self.wfile.flush()
                ended.wait(60)  # the line stays open, and nothing comes
                self.close_connection = True
            elif body:
                self.wfile.write(held)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        ended.set()
        server.shutdown()
        server.server_close()


def ask_only(hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let huggingface_hub's client in this process ask this hub, with a cache of its own."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))


def timm_layout(folder: Path, name: str, *, file: str = "pytorch_model.bin", seed: int = 0, **config: Any) -> nn.Module:
    """Write a network as timm pushes one to a hub; returns it, in evaluation mode.

    As in https://huggingface.co/BVRA/MegaDescriptor-L-384/blob/main/config.json.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    network = timm.create_model(name, num_classes=0, **config.get("model_args", {}))
    look: dict[str, Any] = {
        "custom_load": False, "input_size": [3, 224, 224], "fixed_input_size": True, "interpolation": "bicubic",
        "crop_pct": 0.9, "crop_mode": "center", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
        "num_classes": 0, "pool_size": [7, 7], "first_conv": "patch_embed.proj", "license": "mit", "classifier": "head",
    }  # fmt: skip
    noted = {"architecture": name, "num_classes": 0, "num_features": network.num_features, "global_pool": "avg"}
    held = noted | config | {"pretrained_cfg": look | config.get("pretrained_cfg", {})}
    (folder / "config.json").write_text(json.dumps(held, indent=2))
    write_weights(network.state_dict(), folder / file)
    return network.eval()


def megadescriptor(folder: Path, **how: Any) -> nn.Module:
    """A MegaDescriptor of a 64th the size, with its page: its licence isn't the one in its config.json."""
    network = timm_layout(folder, SWIN, model_args=SWIN_ARGUMENTS, **how)
    head = "tags:\n- image-classification\nlibrary_name: wildlife-datasets\nlicense: cc-by-nc-4.0"
    (folder / "README.md").write_text(f"---\n{head}\n---\n# Model card\n")
    return network


class MiewId(nn.Module):
    """What MiewID computes, by its makers' description: backbone, generalised mean, BatchNorm.

    https://huggingface.co/conservationxlabs/miewid-msv3, modeling_miewid.py.
    """

    def __init__(self, backbone: str = MIEWID_BACKBONE) -> None:
        super().__init__()
        self.backbone = timm.create_model(backbone, num_classes=0, global_pool="")
        width = self.backbone.num_features
        self.pooling = nn.ParameterDict({"p": nn.Parameter(torch.tensor([2.5]))})
        self.bn = nn.BatchNorm1d(width)
        self.final = nn.Linear(width, 10)

    def forward(self, images: Tensor) -> Tensor:
        p = self.pooling["p"]
        pooled = self.backbone(images).clamp(min=1e-6).pow(p).mean(dim=(2, 3)).pow(1 / p)
        normalised: Tensor = self.bn(pooled)
        return normalised


def miewid(folder: Path, **config: Any) -> MiewId:
    """Write a small network as https://huggingface.co/conservationxlabs/miewid-msv2/blob/main/config.json has it."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    network = MiewId()
    nn.init.normal_(network.bn.running_mean)
    nn.init.uniform_(network.bn.running_var, 0.5, 2)
    nn.init.normal_(network.bn.weight)
    held = {
        "architectures": ["MiewIdNet"],
        "auto_map": {"AutoConfig": "configuration_miewid.MiewIdNetConfig", "AutoModel": "modeling_miewid.MiewIdNet"},
        "dropout": 0.0, "fc_dim": 512, "k": None, "loss_module": "softmax", "ls_eps": 0.0, "margin": 0.5,
        "margins": None, "model_name": MIEWID_BACKBONE, "model_type": "miewid", "n_classes": 10, "pretrained": True,
        "s": 30.0, "theta_zero": 0.785, "torch_dtype": "float32", "transformers_version": "4.41.2", "use_fc": False,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(held | config))
    write_weights(network.state_dict(), folder / "model.safetensors")
    (folder / "modeling_miewid.py").write_text("raise SystemExit('code of a hub was run')")
    return network.eval()


def write_weights(state: dict[str, Tensor], file: Path) -> None:
    """As its suffix says: safetensors, or a pickle."""
    if file.suffix == ".safetensors":
        save_file({name: tensor.clone() for name, tensor in state.items()}, file, metadata={"format": "pt"})
    else:
        torch.save(state, file)


def seconds_since(start: float) -> float:
    return time.monotonic() - start
