"""How photos of a test part compare with those of a training part: in the table, in looks, in their borders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from whalereid.catalogue import Catalogue, fingerprint, most_similar
from whalereid.splits.borders import borders

__all__ = ["BorderHint", "Looks", "close_in_time", "compare_borders", "same_value", "unchecked", "values_of"]


@dataclass(frozen=True)
class BorderHint:
    """How often a photo's border alone, where the animal mostly isn't, leads to the right animal.

    Of the test photos whose identity is in training, each with the training photo whose border has the most similar
    colours: the share in which both are of one identity, or of one encounter, and the share that a training photo drawn
    at random would give. Far above chance, backgrounds tell who it is. A hint, for a border can show the animal, too.
    """

    identity: float
    identity_by_chance: float
    encounter: float
    encounter_by_chance: float


@dataclass(frozen=True, eq=False)
class Looks:
    """What N photos look like: digests of their bytes (None where unread), whole looks, borders."""

    digests: np.ndarray
    whole: np.ndarray
    border: np.ndarray

    @classmethod
    def of(cls, catalogue: Catalogue, *, progress: bool) -> Looks:
        """Read all photos of a catalogue."""
        prints = fingerprint(catalogue, progress=progress)
        digests = np.array([digest or None for digest in prints.digests], dtype=object)
        return cls(digests, prints.vectors, borders(catalogue, progress=progress))

    def take(self, rows: np.ndarray) -> Looks:
        """Return the looks of some of the photos."""
        return Looks(self.digests[rows], self.whole[rows], self.border[rows])


def values_of(catalogue: Catalogue, column: str) -> pd.Series:
    """One column as text, all missing where there is none."""
    if column in catalogue.columns:
        return catalogue.column(column).astype(object)
    return pd.Series([None] * len(catalogue), dtype=object)


def unchecked(n: int) -> pd.Series:
    """(n,) boolean, all missing."""
    return pd.Series([pd.NA] * n, dtype="boolean")


def same_value(whose: Sequence[pd.Series], what: Sequence[pd.Series]) -> pd.Series:
    """(T,) boolean: whether a training photo of the same identity has the same value; missing if none is known."""
    train, test = (pd.DataFrame({"who": who, "what": value}) for who, value in zip(whose, what, strict=True))
    if train["what"].isna().all() or test["what"].isna().all():
        return unchecked(len(test))
    found = test.merge(train.dropna().drop_duplicates(), how="left", on=["who", "what"], indicator="where")["where"]
    return (found == "both").astype("boolean")


def close_in_time(whose: Sequence[pd.Series], when: Sequence[np.ndarray], seconds: int) -> pd.Series:
    """(T,) boolean: whether a training photo of the same identity was taken as soon as that; missing likewise."""
    parts = [pd.DataFrame({"who": who, "when": moments}) for who, moments in zip(whose, when, strict=True)]
    train, test = (part.dropna().sort_values("when", kind="stable") for part in parts)
    if not len(train) or not len(test):
        return unchecked(len(whose[1]))
    nearest = pd.merge_asof(
        test.reset_index(names="row"),
        train.assign(found=True),
        on="when",
        by="who",
        direction="nearest",
        tolerance=pd.Timedelta(seconds=seconds),
    )
    close = np.zeros(len(whose[1]), bool)
    close[nearest.loc[nearest["found"].notna(), "row"]] = True
    return pd.Series(close, dtype="boolean")


def compare_borders(
    whose: Sequence[pd.Series], encounters: Sequence[pd.Series], looks: Sequence[Looks], seen: np.ndarray
) -> tuple[pd.Series, BorderHint | None]:
    """Find for each query the training photo with the most similar border.

    Returns
    -------
    hit : Series of shape (T,), boolean
        Whether the two are of one identity; missing if there is nothing to compare.
    hint : BorderHint or None
        How often they are.
    """
    there = np.flatnonzero(looks[0].border.any(axis=1))
    asked = np.flatnonzero(seen & looks[1].border.any(axis=1))
    if not len(there) or not len(asked):
        return unchecked(len(seen)), None
    twin = there[most_similar(looks[1].border[asked], looks[0].border[there])[0]]
    shares: list[float] = []
    hit = np.zeros(len(seen), bool)
    for train, test in (encounters, whose):
        found = test.iloc[asked].to_numpy() == train.iloc[twin].to_numpy()
        frequency = train.iloc[there].value_counts() / len(there)
        hit[asked] = found
        shares = [float(found.mean()), float(test.iloc[asked].map(frequency).fillna(0).mean()), *shares]
    return pd.Series(hit, dtype="boolean"), BorderHint(*shares)
