"""Pretrained weights: in the hub's cache, or from a hub that answers; if neither, said within seconds."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from whalereid.errors import WhalereidError
from whalereid.parts import MODELS

__all__ = ["PROBE_SECONDS", "check_hub", "files_of", "no_pretrained", "quiet_hub", "silence_of"]

PROBE_SECONDS = 3.0
"""How long a hub may take to answer at all; the download after that takes what it takes."""


def check_hub(backbone: str) -> None:
    """Refuse at once, before torch is loaded, where pretrained weights surely can't be had.

    Where the caches may hold them, nothing is asked: only timm knows under which name.

    Raises
    ------
    WhalereidError
        Nothing of the kind in the caches, and the hub doesn't answer.
    """
    if _may_be_cached(backbone):
        return
    reason = silence_of(None)
    if reason:
        raise no_pretrained(backbone, reason)


def files_of(noted: Any) -> tuple[str, str | None, list[str]]:
    """Where timm's weights of a network are: repository, revision, and the files that they may be in, best first."""
    repository, _, revision = noted.hf_hub_id.partition("@")
    name = noted.hf_hub_filename or "pytorch_model.bin"
    safe = "model.safetensors" if name == "pytorch_model.bin" else f"{Path(name).stem}.safetensors"
    return repository, revision or None, list(dict.fromkeys((safe, name)))


def silence_of(url: str | None) -> str:
    """Say why nothing can be had from a place; empty if it answers. None is the hub (``HF_ENDPOINT``)."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    where, answer = url or constants.ENDPOINT, [f"no answer within {PROBE_SECONDS:g} s"]
    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"

    def ask() -> None:
        try:
            with quiet_hub():
                status = get_session().head(where, timeout=PROBE_SECONDS).status_code
            answer[0] = "" if status < 500 else f"it answers with status {status}"
        except Exception as error:  # of the network, in the words of whichever client the hub's library uses
            answer[0] = (str(error).strip().splitlines() or [type(error).__name__])[0]

    # A thread, as looking up a name has no time limit of its own.
    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PROBE_SECONDS)
    return f"{where}: {answer[0]}" if answer[0] else ""


def no_pretrained(backbone: str, reason: str) -> WhalereidError:
    """The error for weights that can't be had."""
    return WhalereidError(
        f"{backbone}: its pretrained weights can't be had here ({reason}). Download them elsewhere and "
        "name the file with --weights (in Python weights=FILE), or start from random ones (weights='random')."
    )


@contextmanager
def quiet_hub() -> Iterator[None]:
    """Keep the hub's client and timm from telling of each attempt: one error tells of them all."""
    loggers = [logging.getLogger(name) for name in ("huggingface_hub", "timm", "httpx", "httpx2")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _may_be_cached(backbone: str) -> bool:
    from huggingface_hub import constants

    hub = Path(constants.HF_HUB_CACHE)
    repositories = [path.name.split("--")[1:] for path in (hub.glob("models--*--*") if hub.is_dir() else ())]
    begins = backbone.partition(".")[0].replace("_quickgelu", "")  # which timm's repositories leave out
    torch_home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    plain = Path(torch_home).expanduser() / "hub" / "checkpoints"
    known = {MODELS.make(name).source.removeprefix("hf-hub:") for name in MODELS.own}  # which aren't timm's
    others = [name for name in repositories if "/".join(name) not in known]
    return any(name[0] != "timm" or name[1].startswith(begins) for name in others) or (
        plain.is_dir() and any(plain.iterdir())
    )
