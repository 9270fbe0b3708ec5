"""Retrieval tasks that come with a table of photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from whalereid.arguments import instance

__all__ = ["Scenario", "scenarios_of"]


@dataclass(frozen=True)
class Scenario:
    """One retrieval task of a competition's folder: which photos are looked for among which.

    Attributes
    ----------
    id : str
        Such as ``scenario01``.
    query_ids : tuple of str, length Q
        What a ranking calls each query, such as ``scenario01-train2893``.
    query_images : tuple of str, length Q
        The query photo's ``image_id``.
    database_images : tuple of str, length D
        The ``image_id`` of every database photo.
    """

    id: str
    query_ids: tuple[str, ...]
    query_images: tuple[str, ...]
    database_images: tuple[str, ...]


def scenarios_of(given: Any) -> tuple[Scenario, ...]:
    """Return a sequence of scenarios as a tuple; anything else is refused."""
    scenarios = tuple(instance(given, "scenarios", Sequence, "a sequence of Scenario"))
    for scenario in scenarios:
        instance(scenario, "scenarios", Scenario, "a sequence of Scenario")
    return scenarios
