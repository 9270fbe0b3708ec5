"""Provenance: what made embeddings, as JSON can hold it; and in what two of them differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from whalereid.catalogue import TrainedOn
from whalereid.errors import WhalereidError
from whalereid.images.cropping import Crop
from whalereid.models.weights_card import WeightsCard

if TYPE_CHECKING:
    from whalereid.models import Network

__all__ = ["differing", "provenance_of", "trained_on_of"]

_DIGESTS = frozenset({"fingerprint", "whalereid"})
_OF_THE_NETWORK = ("backbone", "wrapped", "pooling", "neck")


def provenance_of(network: Network, *, flip: bool, precision: str, crop: Crop) -> dict[str, Any]:
    """Say what makes embeddings; what a network that is no Embedder doesn't tell has a plain default."""
    config = getattr(network, "config", None)
    told = config if isinstance(config, Mapping) else {}
    built = {name: told[name] for name in _OF_THE_NETWORK if isinstance(told.get(name), str)}
    weights, trained_on = getattr(network, "weights", None), getattr(network, "trained_on", None)
    card = getattr(network, "card", None)
    return {
        "network": {
            **(built or {"class": type(network).__name__}),
            "dim": int(network.dim),
            "weights": weights if isinstance(weights, str) else "unknown",
        },
        "fingerprint": network.fingerprint,
        "trained_on": trained_on.to_dict() if isinstance(trained_on, TrainedOn) else None,
        **({"card": card.to_dict()} if isinstance(card, WeightsCard) else {}),
        "transform": network.preprocessing.to_dict(),
        **crop.noted(),
        "flip": flip,
        "precision": precision,
        "whalereid": version("whalereid"),
    }


def trained_on_of(provenance: Mapping[str, Any]) -> TrainedOn | None:
    """What the network was trained on, of concatenated ones any of them; None where the provenance doesn't say.

    Raises
    ------
    WhalereidError
        It says so in a way that can't be read.
    """
    parts = provenance.get("concatenated")
    if parts is not None:
        if not isinstance(parts, list | tuple) or not all(isinstance(part, Mapping) for part in parts):
            raise WhalereidError("'concatenated' is no list of what made each part.")
        return TrainedOn.of_all([trained_on_of(part) for part in parts])
    noted = provenance.get("trained_on")
    return None if noted is None else TrainedOn.from_dict(noted)


def differing(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """In what a provenance differs from the one wanted: name, value there, value wanted; what says more comes first."""
    usual = {"crop": Crop().to_dict()}  # where none is noted
    wanted = usual | dict(wanted)
    there = usual | dict(there)
    then = dict(_leaves({name: there.get(name) for name in wanted}))
    now = dict(_leaves(wanted))
    names = [name for name in {**now, **then} if then.get(name) != now.get(name)]
    return [(name, _short(then.get(name)), _short(now.get(name))) for name in sorted(names, key=_DIGESTS.__contains__)]


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Name and value of all that a provenance says: ``transform image_size`` for what lies deeper."""
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{above}{name} ")
        else:
            yield f"{above}{name}", value


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 90 else f"{text[:87]}..."
