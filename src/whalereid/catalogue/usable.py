"""What a table can bear: which candidate rules can be asked for, and which sides of the animals it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd

from whalereid.catalogue.table import Catalogue

__all__ = ["RuleUse", "Views", "rule_uses", "views_of"]

_LACKING = {"encounter": "no encounters", "viewpoint": "no viewpoints", "date": "no dates"}


@dataclass(frozen=True)
class RuleUse:
    """One pair of candidate rules, and how many photos would find their animal under it.

    Each photo is looked for among all the others, as `rank --exclude ... --match ...` does; a missing value is
    excluded from nothing and matches nothing.

    Attributes
    ----------
    exclude, match : tuple of str
        The columns, as `--exclude` and `--match` take them.
    problem : str
        Why the rules can't be asked for, such as ``"no encounters; add the column or leave it out"``; else empty.
    photos : int
        Photos whose animal is known.
    with_match : int
        Of these, the ones that have another photo of their animal among their candidates.
    unknown : dict from str to int
        Photos without a value, of each column that the rules look at, where some have one.
    """

    exclude: tuple[str, ...]
    match: tuple[str, ...]
    problem: str
    photos: int
    with_match: int
    unknown: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        options = [f"--exclude {name}" for name in self.exclude] + [f"--match {name}" for name in self.match]
        asked = " ".join(options) or "no rules"
        if self.problem:
            return f"{asked}: can't be used: {self.problem}"
        if self.photos:
            found = f"{self.with_match:,} of {self.photos:,} photos have another of their animal among their candidates"
            found += "" if self.with_match else ", so nothing can be scored"
        else:
            found = "can be used; whose photos they are is not known, so nothing can be scored"
        return "; ".join([f"{asked}: {found}", *self._of_unknown()])

    def _of_unknown(self) -> Iterator[str]:
        """What becomes of photos without a value."""
        for columns, fate in ((self.exclude, "excluded from nothing"), (self.match, "matching nothing")):
            for name in columns:
                if self.unknown.get(name):
                    yield f"of unknown {name}, so {fate}: {self.unknown[name]:,}"


@dataclass(frozen=True)
class Views:
    """From which sides the animals are seen.

    Attributes
    ----------
    counts : dict from str to int
        Photos of each viewpoint, most frequent first.
    has_left, has_right : bool
        Whether a viewpoint says so, such as ``left`` or ``front-left``.
    identities : int
        Animals with a photo of a known viewpoint.
    identities_of_several : int
        Of these, the ones with photos of several viewpoints.
    cross_view_pairs : int
        Pairs of photos of one animal that differ in viewpoint.
    """

    counts: dict[str, int]
    has_left: bool
    has_right: bool
    identities: int
    identities_of_several: int
    cross_view_pairs: int

    def __str__(self) -> str:
        if not self.counts:
            return "no viewpoints"
        sides = {
            (True, True): "left and right are told apart",
            (True, False): "left is there, right isn't",
            (False, True): "right is there, left isn't",
            (False, False): "left and right are not told apart",
        }[self.has_left, self.has_right]
        if not self.identities:
            return sides
        several = f"{self.identities_of_several:,} of {self.identities:,} animals are seen from several sides"
        return f"{sides}; {several} ({self.cross_view_pairs:,} pairs of photos across views)"


def rule_uses(catalogue: Catalogue) -> tuple[RuleUse, ...]:
    """Count, for the usual rules, the photos with another of their animal among their candidates.

    The rules are none, `--exclude encounter`, `--match viewpoint`, both, and `--exclude date` where there are dates.
    Photos are counted by group, so that a million take seconds.

    Examples
    --------
    >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b", "c"], "path": ["a", "b", "c"],
    ...                                  "identity": ["nanuq"] * 3, "encounter": ["monday", "monday", None]}))
    >>> for use in rule_uses(photos):
    ...     print(use)
    no rules: 3 of 3 photos have another of their animal among their candidates
    --exclude encounter: 3 of 3 photos have another of their animal among their candidates; of unknown encounter, so
    excluded from nothing: 1
    --match viewpoint: can't be used: no viewpoints; add the column or leave it out
    --exclude encounter --match viewpoint: can't be used: no viewpoints; add the column or leave it out
    """
    codes = {name: _codes(catalogue, name) for name in ("identity", "encounter", "viewpoint", "date")}
    return tuple(_use(exclude, match, codes) for exclude, match in _usual(has_dates=bool((codes["date"] >= 0).any())))


def views_of(catalogue: Catalogue) -> Views:
    """Count the viewpoints, and the animals seen from several."""
    counts = (
        {str(view): int(count) for view, count in catalogue.counts("viewpoint").items()}
        if ("viewpoint" in catalogue.columns)
        else {}
    )
    identity, viewpoint = _codes(catalogue, "identity"), _codes(catalogue, "viewpoint")
    both = (identity >= 0) & (viewpoint >= 0)
    animals, seen = identity[both], _joined(identity[both], viewpoint[both])
    photos_of = np.bincount(animals)
    _, first, photos_of_view = np.unique(seen, return_index=True, return_counts=True)
    views = np.bincount(animals[first], minlength=len(photos_of))
    pairs = (int((photos_of.astype(object) ** 2).sum()) - int((photos_of_view.astype(object) ** 2).sum())) // 2
    return Views(
        counts,
        has_left=any("left" in view for view in counts),
        has_right=any("right" in view for view in counts),
        identities=int((views > 0).sum()),
        identities_of_several=int((views > 1).sum()),
        cross_view_pairs=pairs,
    )


def _usual(*, has_dates: bool) -> Iterator[tuple[str | None, str | None]]:
    for match, exclude in product((None, "viewpoint"), (None, "encounter")):
        yield exclude, match
    if has_dates:
        yield "date", None


def _use(exclude: str | None, match: str | None, codes: dict[str, np.ndarray]) -> RuleUse:
    asked = [name for name in (exclude, match) if name is not None]
    identity = codes["identity"]
    photos = int((identity >= 0).sum())
    excluded, matched = ((name,) if name is not None else () for name in (exclude, match))
    lacking = [_LACKING[name] for name in asked if not (codes[name] >= 0).any()]
    if lacking:
        what = "the columns or leave them" if len(lacking) > 1 else "the column or leave it"
        problem = f"{' and '.join(lacking)}; add {what} out"
        if _LACKING["encounter"] in lacking and (codes["date"] >= 0).any():
            problem += " (`whalereid encounters` makes encounters of dates)"
        return RuleUse(excluded, matched, problem, photos, 0)
    unknown = {name: int((codes[name] < 0).sum()) for name in asked}
    kept = identity >= 0
    if match is not None:
        kept = kept & (codes[match] >= 0)
    group = identity[kept]
    if match is not None:
        group = _joined(group, codes[match][kept])
    barred = np.ones(len(group), np.int64)  # a photo is never its own candidate
    if exclude is not None:
        value = codes[exclude][kept]
        known = value >= 0
        barred[known] = _sizes(_joined(group[known], value[known]))
    return RuleUse(excluded, matched, "", photos, int((_sizes(group) > barred).sum()), unknown)


def _codes(catalogue: Catalogue, column: str) -> np.ndarray:
    """(N,) int64: equal where the values are; -1 where there is none."""
    if column not in catalogue.columns:
        return np.full(len(catalogue), -1, np.int64)
    return pd.factorize(catalogue.column(column))[0].astype(np.int64)


def _joined(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n,) int64: equal where both codes are, and again small enough to be joined."""
    joined = one * (int(other.max(initial=0)) + 1) + other
    return pd.factorize(joined)[0].astype(np.int64)


def _sizes(group: np.ndarray) -> np.ndarray:
    """(n,) int64: how many photos are in each photo's group."""
    return np.bincount(group)[group] if len(group) else np.zeros(0, np.int64)
