"""How photos of a test part compare with those of a training part: in the table, whole, and in their borders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
import pandas as pd

from whalereid.catalogue import Catalogue, fingerprint, most_similar
from whalereid.splits.borders import WIDTH, border

__all__ = ["Appearance", "BorderHint", "PhotoCodes", "close_in_time", "compare_borders", "same_value", "unchecked"]


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
class PhotoCodes:
    """What the table says of N photos, as codes. They count from 0, the same for the same value; -1 is unknown.

    Attributes
    ----------
    image_ids : ndarray of shape (N,), object
    identity, encounter, day, file : ndarray of shape (N,), int64
        Codes.
    moment : ndarray of shape (N,), datetime64[s]
        NaT where no time of day is known.
    """

    image_ids: np.ndarray
    identity: np.ndarray
    encounter: np.ndarray
    day: np.ndarray
    file: np.ndarray
    moment: np.ndarray

    @classmethod
    def by(cls, *catalogues: Catalogue) -> PhotoCodes:
        """Gather it of the photos of all these catalogues, one after the other."""
        when = np.concatenate([part.dates() for part in catalogues])
        day = when.astype("datetime64[D]")
        files = [f"{part.root.absolute()}/" + part.column("path") for part in catalogues]
        return cls(
            np.concatenate([part.image_ids for part in catalogues]),
            identity=_codes([_values(part, "identity") for part in catalogues]),
            encounter=_codes([_values(part, "encounter") for part in catalogues]),
            day=_codes([pd.Series(day)]),
            file=_codes(files),
            # Midnight to the second is a date without a time of day, as it is read in.
            moment=np.where(when == day, np.datetime64("NaT", "s"), when),
        )

    def __len__(self) -> int:
        return len(self.image_ids)

    def take(self, rows: np.ndarray) -> PhotoCodes:
        """Return the codes of some of the photos."""
        return PhotoCodes(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Appearance:
    """What N photos look like: codes of their bytes (-1 where unread), whole photos, borders."""

    bytes: np.ndarray
    whole: np.ndarray
    border: np.ndarray

    @classmethod
    def of(cls, *catalogues: Catalogue, progress: bool) -> Appearance:
        """Read the photos of all these catalogues, one after the other, each once."""
        prints, borders = [], []
        for part in catalogues:
            found = np.zeros((len(part), WIDTH), np.float32)
            prints.append(fingerprint(part, progress=progress, see=partial(_put_border, found)))
            borders.append(found)
        digests = [pd.Series([digest or None for digest in each.digests], dtype=object) for each in prints]
        return cls(_codes(digests), np.concatenate([each.vectors for each in prints]), np.concatenate(borders))

    def take(self, rows: np.ndarray) -> Appearance:
        """Return the appearance of some of the photos."""
        return Appearance(self.bytes[rows], self.whole[rows], self.border[rows])


def _put_border(into: np.ndarray, row: int, image: np.ndarray) -> None:
    into[row] = border(image)


def _values(catalogue: Catalogue, column: str) -> pd.Series:
    """One column, all missing where there is none."""
    if column in catalogue.columns:
        return catalogue.column(column)
    return pd.Series(np.nan, range(len(catalogue)), "str")


def _codes(parts: Sequence[pd.Series]) -> np.ndarray:
    """(N,) int64: the values of all parts as codes; -1 where missing."""
    return np.asarray(pd.factorize(pd.concat(parts, ignore_index=True))[0], np.int64)


def unchecked(n: int) -> pd.Series:
    """(n,) boolean, all missing."""
    return pd.Series([pd.NA] * n, dtype="boolean")


def same_value(identity: Sequence[np.ndarray], what: Sequence[np.ndarray]) -> pd.Series:
    """(T,) boolean: whether a training photo of the same identity has the same value; missing if none is known.

    Parameters
    ----------
    identity, what : pair of ndarray, int64
        Codes of the identity and the value of the training photos, and of the T test photos.
    """
    if any((values < 0).all() for values in what):
        return unchecked(len(identity[1]))
    width = max(int(values.max()) for values in what) + 1
    both_known = [(animal >= 0) & (value >= 0) for animal, value in zip(identity, what, strict=True)]
    train, test = (animal * width + value for animal, value in zip(identity, what, strict=True))
    return pd.Series(both_known[1] & pd.Series(test).isin(train[both_known[0]]).to_numpy(), dtype="boolean")


def close_in_time(identity: Sequence[np.ndarray], when: Sequence[np.ndarray], seconds: int) -> pd.Series:
    """(T,) boolean: whether a training photo of the same identity was taken as soon as that; missing likewise."""
    parts = [pd.DataFrame({"who": animal, "when": moments}) for animal, moments in zip(identity, when, strict=True)]
    train, test = (part[part["who"] >= 0].dropna().sort_values("when", kind="stable") for part in parts)
    if not len(train) or not len(test):
        return unchecked(len(identity[1]))
    nearest = pd.merge_asof(
        test.reset_index(names="row"),
        train.assign(found=True),
        on="when",
        by="who",
        direction="nearest",
        tolerance=pd.Timedelta(seconds=seconds),
    )
    close = np.zeros(len(identity[1]), bool)
    close[nearest.loc[nearest["found"].notna(), "row"]] = True
    return pd.Series(close, dtype="boolean")


def compare_borders(
    train: PhotoCodes, test: PhotoCodes, appearances: Sequence[Appearance], seen: np.ndarray
) -> tuple[pd.Series, BorderHint | None]:
    """Find for each query the training photo with the most similar border.

    Returns
    -------
    hit : Series of shape (T,), boolean
        Whether the two are of one identity; missing if there is nothing to compare.
    hint : BorderHint or None
        How often they are.
    """
    there = np.flatnonzero(appearances[0].border.any(axis=1))
    asked = np.flatnonzero(seen & appearances[1].border.any(axis=1))
    if not len(there) or not len(asked):
        return unchecked(len(seen)), None
    twin = there[most_similar(appearances[1].border[asked], appearances[0].border[there])[0]]
    shares: list[float] = []
    for name in ("identity", "encounter"):
        asked_codes, train_codes = getattr(test, name)[asked], getattr(train, name)
        found = (asked_codes >= 0) & (asked_codes == train_codes[twin])
        compared = train_codes[there]
        photos = np.bincount(compared[compared >= 0], minlength=int(asked_codes.max()) + 1)
        by_chance = np.zeros(len(asked))
        if len(photos):
            by_chance = np.where(asked_codes >= 0, photos[asked_codes], 0) / len(there)
        shares += [float(found.mean()), float(by_chance.mean())]
        if name == "identity":
            hit = np.zeros(len(seen), bool)
            hit[asked] = found
    return pd.Series(hit, dtype="boolean"), BorderHint(*shares)
