"""Arguments that the whole room takes: checked at its doors, refused by name."""

from __future__ import annotations

from typing import Any

from whalereid.arguments import instance, whole_number
from whalereid.catalogue import Catalogue

__all__ = ["catalogue_of", "cut_off"]

MOST_RANKS = 1_000_000_000


def cut_off(value: Any, name: str = "k") -> int:
    """Return a number of ranks: a whole number from 1, or a refusal by name."""
    return whole_number(value, name, 1, MOST_RANKS)


def catalogue_of(value: Any, name: str = "catalogue") -> Catalogue:
    """Return a catalogue, or refuse by name."""
    return instance(value, name, Catalogue, "a Catalogue (Catalogue.read(path) makes one)")
