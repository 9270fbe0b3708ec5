"""Weights from elsewhere, into the parts of a network; what is known of them goes on its card."""

from __future__ import annotations

import io
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from whalereid.errors import WhalereidError
from whalereid.models.backbone import noted_of
from whalereid.models.fetching import SILENT_SECONDS, HubError, fetch
from whalereid.models.hub import files_of, no_pretrained, quiet_hub, silence_of
from whalereid.models.origins import Source, TimmNetwork
from whalereid.models.plan import Plan
from whalereid.models.preprocessing import Preprocessing
from whalereid.models.trial import first_line
from whalereid.models.weights import load_tensors, read_weights
from whalereid.models.weights_card import WeightsCard
from whalereid.reading import MOST_NUMBERS_GB, digest_of

__all__ = ["Parts", "as_asked", "load_source"]


@dataclass
class Parts:
    """The parts of a network that take weights.

    Attributes
    ----------
    name, said_pooling, said_neck : str
        As `Embedder` was asked for them.
    backbone, pooling, neck : nn.Module
        The parts themselves.
    """

    name: str
    backbone: Any
    said_pooling: str
    pooling: nn.Module
    said_neck: str
    neck: nn.Module


def as_asked(
    source: Source, pooling: str | None, preprocessing: Preprocessing | Mapping[str, Any] | None
) -> dict[str, Any]:
    """What an `Embedder` is made by that takes these weights, with another pooling or preprocessing where asked for.

    Raises
    ------
    WhalereidError
        The weights can't be had, or what is asked for can't be.
    """
    source.look()
    plan = source.plan()
    source.fetch()  # before the seconds that building takes
    if pooling is not None and plan.neck != "none":
        raise WhalereidError(
            f"{source.said}: its neck was trained on its own pooling, {plan.pooling}; leave pooling out."
        )
    return {
        "backbone": plan.backbone,
        "pooling": plan.pooling if pooling is None else pooling,
        "neck": plan.neck,
        "preprocessing": plan.preprocessing.but(preprocessing),
        "weights": source,
    }


def load_source(source: Source, parts: Parts, options: Mapping[str, Any]) -> WeightsCard:
    """Load weights into the parts of a network, every tensor of the right name and shape, or refuse them.

    Parameters
    ----------
    source : Source
        Where they are.
    parts : Parts
        What takes them. Pooling and neck do only where they are those that the weights were made with.
    options : mapping
        What timm built the backbone with.

    Returns
    -------
    WeightsCard
        What is known of the weights.

    Raises
    ------
    WhalereidError
        They can't be had or used, or are of another network.
    """
    plan = source.plan()
    if isinstance(source, TimmNetwork):
        parts.backbone, path = _pretrained(parts.name, options)
    else:
        path = source.file()
        _load(read_weights(path), plan, parts, path)
    digest = "unknown" if path is None else f"sha256:{digest_of(path)}"
    return WeightsCard(digest, source.origin, plan.licence, plan.preprocessing)


def _load(given: dict[str, Tensor], plan: Plan, parts: Parts, path: Path) -> None:
    where, what = str(path), parts.name
    if plan.names == "in order":
        load_tensors(parts.backbone, _in_order(parts.backbone.state_dict(), given, where, what), where=where, what=what)
    elif plan.names == "miewid":
        _load_named(parts.backbone, _of(given, "backbone."), where=where, what=what)
        if (parts.said_pooling, parts.said_neck) == (plan.pooling, plan.neck):
            load_tensors(parts.pooling, _of(given, "pooling."), where=where, what="pooling")
            load_tensors(parts.neck, _of(given, "bn.", "bn."), where=where, what="neck")
    elif any(name.startswith("backbone.") for name in given):
        raise WhalereidError(
            f"{path}: holds a whole network, not the weights of a backbone with timm's names; Embedder.load reads the "
            "folder of one that was saved."
        )
    else:
        _load_named(parts.backbone, given, where=where, what=what)


def _pretrained(name: str, options: Mapping[str, Any]) -> tuple[Any, Path | None]:
    """Build a network anew with timm's pretrained weights; and the file they are in, where that is known."""
    noted = noted_of(name)
    if ":" in name:
        raise WhalereidError(f"{name}: pretrained weights are for the architecture as it is; leave its arguments out.")
    file = _pretrained_file(name, noted)
    # By its name, so that no hub is asked about it.
    overlay = None
    if file is not None:
        overlay = {"file": str(file), "source": "", "custom_load": noted.custom_load == "hf"}
    try:
        with quiet_hub(), _impatient():
            return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **options), file
    except Exception as error:  # of the network, the hub, the disk
        raise no_pretrained(name, first_line(error)) from error


@contextmanager
def _impatient() -> Iterator[None]:
    """Let no download that torch makes itself, of weights that no hub has, wait longer than a hub's."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _load_named(backbone: Any, given: Mapping[str, Tensor], *, where: str, what: str) -> None:
    """Load tensors with timm's names, strictly but for the classifier, which is left out.

    Where a file has the names of an older timm, or a transformer's position embeddings are of photos of another size,
    timm's own conversion is applied first.
    """
    converted = _converted(backbone, given)
    classifier = backbone.pretrained_cfg.get("classifier") or ()
    prefixes = tuple(f"{layer}." for layer in ((classifier,) if isinstance(classifier, str) else classifier))
    known = backbone.state_dict()
    kept = {name: value for name, value in converted.items() if name in known or not name.startswith(prefixes)}
    load_tensors(backbone, kept, where=where, what=what)


def _converted(backbone: Any, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What timm makes of a file's tensors before it loads them; themselves where they fit already, or can't."""
    wanted = backbone.state_dict()
    convert = getattr(sys.modules[type(backbone).__module__], "checkpoint_filter_fn", None)
    if convert is None or all(name in given and given[name].shape == there.shape for name, there in wanted.items()):
        return dict(given)
    patches = "patch_embed.proj.weight"  # which the conversion would resize too: that is another network's
    if patches in given and patches in wanted and given[patches].shape != wanted[patches].shape:
        return dict(given)
    try:
        with redirect_stdout(io.StringIO()):  # some conversions print
            made = convert(dict(given), backbone)
    except Exception:  # of another network; in what they differ is said where they are compared
        return dict(given)
    return {name: value for name, value in made.items() if isinstance(value, Tensor)}


def _pretrained_file(name: str, noted: Any) -> Path | None:
    """The cached file of a network's pretrained weights; None if they are to be downloaded, from where answers."""
    if noted is None or not (noted.hf_hub_id or noted.url):
        raise WhalereidError(
            f"{name}: timm has no pretrained weights of it; choose another backbone, name a file with --weights (in "
            "Python weights=FILE), or start from random ones (weights='random')."
        )
    if noted.hf_hub_id:
        try:
            return fetch(*files_of(noted), most_gb=MOST_NUMBERS_GB)
        except HubError as error:
            raise no_pretrained(name, error.reason) from error
    # Older weights, which torch keeps in a cache of its own.
    kept = Path(torch.hub.get_dir()) / "checkpoints" / Path(noted.url).name
    reason = "" if kept.exists() else silence_of(noted.url)
    if reason:
        raise no_pretrained(name, reason)
    return None


def _of(given: Mapping[str, Tensor], prefix: str, instead: str = "") -> dict[str, Tensor]:
    """The tensors whose names begin so, with another beginning."""
    return {instead + name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}


def _in_order(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor], where: str, what: str) -> dict[str, Tensor]:
    """Name tensors that have other names as a network's of the same order; those of a classifier, at the end, go."""
    pairs = list(zip(wanted.items(), given.values(), strict=False))
    if len(given) - len(wanted) not in (0, 2) or any(tensor.shape != there.shape for (_, there), tensor in pairs):
        raise WhalereidError(f"{where}: its tensors are not those of {what} in order; is it the package's own file?")
    return {name: tensor for (name, _), tensor in pairs}
