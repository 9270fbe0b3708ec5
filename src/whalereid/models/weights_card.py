"""WeightsCard: where a network's weights come from, what may be done with them, and how their photos looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whalereid.arguments import instance
from whalereid.errors import WhalereidError
from whalereid.models.preprocessing import Preprocessing

__all__ = ["NOT_STATED", "WeightsCard", "restriction", "words_on"]

NOT_STATED = "not stated"
"""What a licence is called that nobody says."""

_FREE = frozenset({"apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "isc", "unlicense", "cc0-1.0", "cc-by-4.0"})
_LONGEST = 200


@dataclass(frozen=True)
class WeightsCard:
    """What is known of weights that came from elsewhere; it goes with the network, and with its embeddings.

    Attributes
    ----------
    digest : str
        ``"sha256:..."`` of the file.
    origin : str
        Where it is from, as ``--model`` takes it; a file is called by its name.
    licence : str
        Its name as the hub spells it, such as ``"cc-by-nc-4.0"``; ``"not stated"`` where nobody says.
    preprocessing : Preprocessing
        What photos look like to these weights by their makers' own account.

    Raises
    ------
    WhalereidError
        A field can't be.

    Examples
    --------
    >>> card = WeightsCard("sha256:00", "hf-hub:BVRA/MegaDescriptor-T-224", "cc-by-nc-4.0", Preprocessing())
    >>> card.restriction
    'cc-by-nc-4.0: not for commercial use'
    """

    digest: str
    origin: str
    licence: str
    preprocessing: Preprocessing

    def __post_init__(self) -> None:
        for name in ("digest", "origin", "licence"):
            text = instance(getattr(self, name), f"card: {name}", str, "a text")
            if not text or len(text) > _LONGEST or not text.isprintable():
                raise WhalereidError(f"card: {name} is {text!r:.60}; give up to {_LONGEST} printable characters.")
        instance(self.preprocessing, "card: preprocessing", Preprocessing, "a Preprocessing")

    @property
    def restriction(self) -> str:
        """What the licence asks of whoever uses the weights, in a few words; empty where it lets anybody use them."""
        return restriction(self.licence)

    def to_dict(self) -> dict[str, Any]:
        """Its fields, as JSON holds them."""
        said = {name: getattr(self, name) for name in ("digest", "origin", "licence")}
        return {**said, "preprocessing": self.preprocessing.to_dict()}

    @classmethod
    def from_dict(cls, noted: Mapping[str, Any]) -> WeightsCard:
        """Return what `to_dict` noted.

        Raises
        ------
        WhalereidError
            It is something else.
        """
        names = ("digest", "origin", "licence", "preprocessing")
        if not isinstance(noted, Mapping) or set(noted) != set(names):
            raise WhalereidError(f"a card holds {', '.join(names)}, not {noted!r:.80}.")
        look = instance(noted["preprocessing"], "card: preprocessing", Mapping, "what a Preprocessing notes")
        return cls(noted["digest"], noted["origin"], noted["licence"], Preprocessing.from_dict(look))


def restriction(licence: str) -> str:
    """What a licence asks of whoever uses weights, in a few words; empty where it lets anybody use them.

    Examples
    --------
    >>> restriction("mit"), restriction("not stated")
    ('', 'no licence is stated: ask the makers before you publish, share or sell anything made with it')
    """
    name = licence.lower()
    if name in _FREE:
        return ""
    if name == NOT_STATED:
        return "no licence is stated: ask the makers before you publish, share or sell anything made with it"
    if "-nc" in name or "noncommercial" in name:
        return f"{licence}: not for commercial use"
    return f"{licence}: read its conditions"


def words_on(network: Any) -> list[str]:
    """What a person should know of a network's first weights: their licence, and photos prepared otherwise than theirs.

    Nothing for a network without a card, and where nothing is to be said.
    """
    card = getattr(network, "card", None)
    if not isinstance(card, WeightsCard):
        return []
    said = [f"These weights come from {card.origin}; {card.restriction}."] if card.restriction else []
    theirs, ours = vars(card.preprocessing), vars(network.preprocessing)
    other = [f"{name} is {ours[name]}, theirs {value}" for name, value in theirs.items() if ours[name] != value]
    if other and not str(getattr(network, "weights", "")).endswith("trained"):
        said.append(f"Photos are prepared otherwise than the network's makers do: {'; '.join(other)}.")
    return said
