"""Encounters that were made, before they are written: how many, how large, and what to look at twice."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from whalereid.catalogue.table import Catalogue
from whalereid.errors import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

__all__ = ["FoundEncounters"]

_EXAMPLES = 5


@dataclass(frozen=True, eq=False)
class FoundEncounters:
    """Encounters that were made of time and place. Printed, a readable summary; nothing is written.

    Attributes
    ----------
    gap, distance : float
        What they were made by, in minutes and metres.
    photos : Catalogue of N photos
        As it was given.
    dates : ndarray of shape (N,), datetime64[s]
        When each was taken; NaT where that isn't known.
    names : Series of N strings
        Each photo's encounter; missing where it has none.
    kept, made, by_day : ndarray of shape (N,), bool
        Photos whose encounter was there before, those of encounters that are new, and those whose date has no time of
        day. Photos that are neither of the first two and have an encounter have joined one that was there.
    """

    gap: float
    distance: float
    photos: Catalogue
    dates: np.ndarray = field(repr=False)
    names: pd.Series = field(repr=False)
    kept: np.ndarray = field(repr=False)
    made: np.ndarray = field(repr=False)
    by_day: np.ndarray = field(repr=False)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The photos with their encounters."""
        return self.photos.assign(encounter=self.names)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The new encounters, the largest first: ``encounter, photos, first, last``, and how many ``identities``."""
        rows = pd.DataFrame({"encounter": self.names[self.made].to_numpy(object), "date": self.dates[self.made]})
        known = self.photos.known("identity").any()
        rows["identity"] = self.photos.column("identity")[self.made].to_numpy(object) if known else None
        grouped = rows.groupby("encounter", sort=True)
        found = grouped["date"].agg(photos="size", first="min", last="max")
        found["identities"] = grouped["identity"].nunique()
        return found.reset_index().sort_values("photos", ascending=False, kind="stable", ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """What was made, as JSON has it."""
        found, undated = self.table, np.isnat(self.dates)
        span = (found["last"] - found["first"]).dt.total_seconds() / 60
        placed = self.photos.known("latitude") & self.photos.known("longitude")
        examples = found.head(_EXAMPLES).assign(first=found["first"].astype(str), last=found["last"].astype(str))
        return {
            "gap": self.gap,
            "distance": self.distance,
            "photos": len(self.photos),
            "encounters": len(found),
            "photos_in_them": int(self.made.sum()),
            "kept": {"encounters": int(self.names[self.kept].nunique()), "photos": int(self.kept.sum())},
            "joined": int((self.names.notna().to_numpy(bool) & ~self.kept & ~self.made).sum()),
            "without_date": int((undated & ~self.kept).sum()),
            "by_day": int(self.by_day.sum()),
            "with_position": int(placed.sum()),
            "with_location_alone": int((self.photos.known("location") & ~placed).sum()),
            "sizes": {
                "median": float(found["photos"].median()) if len(found) else 0,
                "largest": int(found["photos"].max()) if len(found) else 0,
                "of_one_photo": int((found["photos"] == 1).sum()),
            },
            "longest_minutes": float(span.max()) if len(found) else 0,
            "with_identities": int((found["identities"] > 0).sum()),
            "with_several_identities": int((found["identities"] > 1).sum()),
            "examples": examples.to_dict("records"),
        }

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        yield Text(printable(self.photos.source), style="bold")
        for name, words in self._in_words():
            yield Text.assemble((f"{name:11} ", "dim"), printable(words))

    def __str__(self) -> str:
        from rich.console import Console

        text = io.StringIO()
        Console(file=text, color_system=None).print(self, soft_wrap=True)
        return text.getvalue()

    def _in_words(self) -> Iterator[tuple[str, str]]:
        found = self.to_dict()
        sizes, kept = found["sizes"], found["kept"]
        by = f"by a gap of {self.gap:g} minutes and a distance of {self.distance:g} m"
        yield "encounters", f"{found['encounters']:,} new ones of {found['photos_in_them']:,} photos, {by}"
        if kept["photos"]:
            there = f"{kept['encounters']:,} encounters of {kept['photos']:,} photos were there and stay"
            yield "kept", f"{there} (--again makes them anew); {found['joined']:,} photos joined them"
        if found["encounters"]:
            alone = f"{sizes['of_one_photo']:,} of one photo"
            longest = f"the longest lasts {_span(found['longest_minutes'])}"
            yield "sizes", f"median {sizes['median']:g} photos, at most {sizes['largest']:,}, {alone}; {longest}"
        neither = found["photos"] - found["with_position"] - found["with_location_alone"]
        named = f"{found['with_location_alone']:,} a location alone, {neither:,} neither"
        yield "places", f"{found['with_position']:,} photos have a position, {named}"
        if found["without_date"]:
            yield "undated", f"{found['without_date']:,} photos without a date that can be read get no encounter"
        if found["by_day"]:
            finest = "the photos of one day and place are one encounter, which is the finest that can be told"
            yield "days", f"{found['by_day']:,} dates have no time of day: {finest}"
        if found["with_identities"]:
            several = f"{found['with_several_identities']:,} of {found['with_identities']:,} new encounters with a name"
            yield "identities", f"{several} hold several; right of groups, else take a smaller gap or distance"
        for row, example in enumerate(found["examples"]):
            whose = f", {example['identities']:,} identities" if found["with_identities"] else ""
            when = f"{example['first']} to {example['last']}"
            yield "" if row else "such as", f"{example['encounter']}: {example['photos']:,} photos, {when}{whose}"


def _span(minutes: float) -> str:
    days, left = divmod(round(minutes), 24 * 60)
    hours, left = divmod(left, 60)
    parts = [f"{days:,} d" if days else "", f"{hours} h" if hours else "", f"{left} min"]
    return " ".join(part for part in parts if part)
