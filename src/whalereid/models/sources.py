"""What a text means that names a network or its weights, before torch is loaded."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from whalereid.arguments import instance
from whalereid.errors import WhalereidError
from whalereid.models.cards import known_network, network_of
from whalereid.models.config import CONFIG, SUFFIXES, a_path, look_for_architecture, weights_file
from whalereid.models.fetching import check_repository
from whalereid.models.hub_layout import is_of_a_hub
from whalereid.models.origins import (
    HUB,
    PACKAGE,
    Folder,
    PackageFile,
    Repository,
    Run,
    Source,
    TimmNetwork,
    WeightsFile,
)
from whalereid.parts import MODELS
from whalereid.reading import is_file, read_json

__all__ = ["look_for_backbone", "look_for_weights", "read_source", "weights_source"]

_GIVEN = "'pretrained', 'random' or a file of them"
_WAYS = (
    "a RUN folder, a name that `whalereid models` lists, a timm name, hf-hub:OWNER/NAME, a folder in the hub's layout "
    "or a file of weights"
)


def read_source(source: str | os.PathLike[str], backbone: str | None = None) -> Source:
    """Say what a text or path means that names a network; `backbone` says of which network a file of weights is.

    Raises
    ------
    WhalereidError
        It means nothing, or two things.
    """
    instance(source, "source", (str, os.PathLike), _WAYS)
    instance(backbone, "backbone", (str, type(None)), "the name of a timm architecture, such as 'resnet50'")
    found = _named(source) if isinstance(source, str) else None
    if found is not None and Path(source).exists():
        raise WhalereidError(
            f"{source}: `whalereid models` lists a network of this name, and something here is called so too; write "
            f"./{source} for that, or rename it."
        )
    found = found or _placed(Path(source), source if isinstance(source, str) else "", backbone)
    if backbone is not None and not isinstance(found, WeightsFile):
        raise WhalereidError(f"{source}: says which network it is; --backbone (backbone=) is for files of weights.")
    return found


def weights_source(weights: Any, backbone: str) -> Source | None:
    """Say where the weights are that a backbone is to begin with; None for random ones.

    Raises
    ------
    WhalereidError
        Nothing of the kind is there.
    """
    if isinstance(weights, Source):
        return weights
    if isinstance(weights, str):
        if weights == "random":
            return None
        named = _named(backbone if weights == "pretrained" else weights)
        if named is not None or weights == "pretrained":
            return named or TimmNetwork(backbone)
    path = a_path(weights, "weights", _GIVEN)
    if is_file(path / CONFIG) and is_of_a_hub(read_json(path / CONFIG, "the configuration of a network")):
        return Folder(path)
    return WeightsFile(weights_file(path), backbone, general=True)  # such as ImageNet's, as far as anybody says


def look_for_backbone(backbone: str) -> None:
    """Refuse a backbone that has no short name and that timm surely doesn't have, before timm and torch are loaded.

    Raises
    ------
    WhalereidError
        Nothing is called so.
    """
    known = known_network(backbone)
    look_for_architecture(backbone if known is None else known.backbone)


def look_for_weights(weights: str, backbone: str) -> None:
    """Refuse the weights to begin with where they surely can't be had, before torch is loaded.

    Raises
    ------
    WhalereidError
        A file that isn't there or of another format; pretrained ones that no cache holds, while the hub is silent; a
        package that isn't installed.
    """
    source = weights_source(weights, backbone)
    if source is not None:
        source.look()


def _named(text: str) -> Source | None:
    """What a short name or the address of a hub's repository means; None for any other text."""
    known = known_network(text)
    address = text if known is None else known.source
    if address.startswith(PACKAGE) and known is not None:
        return PackageFile(text, known)
    if address.startswith(HUB):
        repository, revision = check_repository(address.removeprefix(HUB))
        return Repository(repository, revision, "" if known is None else text, known or network_of(address))
    return None if known is None else TimmNetwork(address, known)


def _placed(path: Path, text: str, backbone: str | None) -> Source:
    """What a path means; where nothing is there, the text may be a timm name."""
    if is_file(path / CONFIG):
        of_a_hub = is_of_a_hub(read_json(path / CONFIG, "the configuration of a network"))
        return Folder(path) if of_a_hub else Run(path)
    if is_file(path) or path.suffix in SUFFIXES:
        return WeightsFile(path, backbone or "")
    if path.exists() or path.name != text or path.is_absolute():
        return Run(path)  # whose own words say what is missing
    try:
        look_for_architecture(text)
    except WhalereidError as error:
        near = get_close_matches(text, [*MODELS], 2, 0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else str(error).partition("; ")[2]
        raise WhalereidError(
            f"{text:.80}: nothing is here of this name, `whalereid models` doesn't list it, and timm has no such "
            f"network; {hint}"
        ) from error
    return TimmNetwork(text)
