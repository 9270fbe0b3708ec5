"""TrainedOn: which photos, animals and encounters a network has learnt from, kept with it as digests."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arguments import instance, texts
from whalereid.catalogue.table import Catalogue
from whalereid.errors import WhalereidError

__all__ = ["TrainedOn"]

_BYTES = 6  # of a digest: among a million photos trained on, one in 280 million others is taken for one of them


def _nothing() -> np.ndarray:
    return np.zeros(0, np.uint64)


@dataclass(frozen=True, eq=False)
class TrainedOn:
    """What a network has learnt from, as digests: enough to tell its own animals from those it never saw.

    `fit` makes it, the network carries it into its folder, `embed` into the embeddings, rankings into their task file;
    so a score can always say how much of it rests on animals that were trained on. Nothing of the photos or the names
    can be read back from it.

    Attributes
    ----------
    photos, identities, encounters : ndarray of uint64, sorted
        Digests of the photos (``image_id`` and file name), of the identities and of the encounters by name.
    chosen_by : ndarray of uint64, sorted
        Digests of the photos that the epoch was chosen by: not learnt from, yet not untouched.

    Examples
    --------
    >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b", "c"], "path": ["a.jpg", "b.jpg", "c.jpg"],
    ...                                  "identity": ["nanuq", "siku", "siku"]}))
    >>> learnt = TrainedOn.of(photos[[0, 1]])
    >>> learnt.has_photos(photos).tolist(), learnt.has_identities(["siku", "tuk", None]).tolist()
    ([True, True, False], [True, False, False])
    """

    photos: np.ndarray = field(default_factory=_nothing)
    identities: np.ndarray = field(default_factory=_nothing)
    encounters: np.ndarray = field(default_factory=_nothing)
    chosen_by: np.ndarray = field(default_factory=_nothing)

    def __post_init__(self) -> None:
        for f in fields(self):
            digests = instance(getattr(self, f.name), f.name, np.ndarray, "digests, as TrainedOn.of makes them")
            if digests.dtype != np.uint64 or digests.ndim != 1:
                raise WhalereidError(f"{f.name} is an array of {digests.dtype}; TrainedOn.of makes one of digests.")

    @classmethod
    def of(cls, photos: Catalogue, *, chosen_by: Catalogue | None = None) -> TrainedOn:
        """Take down the photos trained on and, where there are any, those that the epoch was chosen by."""
        return cls(
            _sorted(_photo_names(photos)),
            _sorted(_known(photos, "identity")),
            _sorted(_known(photos, "encounter")),
            _nothing() if chosen_by is None else _sorted(_photo_names(chosen_by, "chosen_by")),
        )

    @classmethod
    def of_identities(cls, names: Iterable[str]) -> TrainedOn:
        """Take down animals alone, where no more is known of what was trained on."""
        return cls(identities=_sorted(texts(names, "names", "the animals' names, as text")))

    @classmethod
    def of_all(cls, members: Iterable[TrainedOn | None]) -> TrainedOn | None:
        """What any of several networks was trained on; None where one of them doesn't say."""
        whole = cls()
        for member in instance(members, "members", Iterable, "TrainedOn of each network, or None"):
            if member is None:
                return None
            whole = whole | instance(member, "one of members", TrainedOn, "a TrainedOn, or None")
        return whole

    def __or__(self, other: TrainedOn) -> TrainedOn:
        """What either was trained on: of a network trained twice, or of an ensemble."""
        return TrainedOn(*(np.union1d(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)))

    def __bool__(self) -> bool:
        return bool(len(self.photos) or len(self.identities))

    def has_photos(self, photos: Catalogue) -> np.ndarray:
        """(N,) bool: which of these photos were trained on."""
        return _has(self.photos, _digests(_photo_names(photos)))

    def chose_by(self, photos: Catalogue) -> np.ndarray:
        """(N,) bool: which of these photos an epoch was chosen by."""
        return _has(self.chosen_by, _digests(_photo_names(photos)))

    def has_identities(self, names: Iterable[Any]) -> np.ndarray:
        """(n,) bool: which of these animals were trained on; a missing name is none."""
        return _has_names(self.identities, names)

    def has_encounters(self, names: Iterable[Any]) -> np.ndarray:
        """(n,) bool: of which of these encounters photos were trained on; a missing name is none."""
        return _has_names(self.encounters, names)

    def to_dict(self) -> dict[str, str]:
        """Return it as JSON can hold it: 8 characters a digest."""
        return {f.name: _packed(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_dict(cls, noted: Mapping[str, Any]) -> TrainedOn:
        """Read what `to_dict` gave.

        Raises
        ------
        WhalereidError
            It is something else.
        """
        if not isinstance(noted, Mapping) or not set(noted) <= {f.name for f in fields(cls)}:
            raise WhalereidError("a record of what was trained on isn't one that whalereid wrote.")
        return cls(**{name: _unpacked(name, text) for name, text in noted.items()})

    def __repr__(self) -> str:
        return (
            f"TrainedOn({len(self.photos)} photos, {len(self.identities)} identities, "
            f"{len(self.encounters)} encounters)"
        )


def _photo_names(photos: Catalogue, argument: str = "photos") -> list[str]:
    instance(photos, argument, Catalogue, "a Catalogue (Catalogue.read(path) makes one)")
    # Ids such as "1" occur in many tables: the file's name tells them apart, wherever its folder has been moved to.
    ids, paths = photos.image_ids, photos.column("path")
    return [f"{image_id}\0{PurePosixPath(path).name}" for image_id, path in zip(ids, paths, strict=True)]


def _known(photos: Catalogue, column: str) -> list[str]:
    return [str(value) for value in photos.column(column).dropna().unique()] if photos.known(column).any() else []


def _digests(names: Iterable[str]) -> np.ndarray:
    """(n,) uint64 of the first 48 bits of each name's BLAKE2b."""
    texts = (name.encode("utf-8", "surrogatepass") for name in names)
    return _numbers(b"".join(hashlib.blake2b(text, digest_size=_BYTES).digest() for text in texts))


def _numbers(digests: bytes) -> np.ndarray:
    wide = np.zeros((len(digests) // _BYTES, 8), np.uint8)
    wide[:, :_BYTES] = np.frombuffer(digests, np.uint8).reshape(-1, _BYTES)
    return wide.view("<u8").reshape(-1).astype(np.uint64)


def _sorted(names: Iterable[str]) -> np.ndarray:
    return np.unique(_digests(names))


def _has(learnt: np.ndarray, asked: np.ndarray) -> np.ndarray:
    if not len(learnt):
        return np.zeros(len(asked), bool)
    at = np.minimum(np.searchsorted(learnt, asked), len(learnt) - 1)
    return np.asarray(learnt[at] == asked)


def _has_names(learnt: np.ndarray, names: Iterable[Any]) -> np.ndarray:
    instance(names, "names", Iterable, "names, such as a column of a catalogue")
    codes, different = pd.factorize(pd.Series(list(names), dtype=object))
    return np.append(_has(learnt, _digests(map(str, different))), False)[
        codes
    ]  # -1, missing, looks up the appended one


def _packed(digests: np.ndarray) -> str:
    wide = np.ascontiguousarray(digests, "<u8").view(np.uint8).reshape(-1, 8)
    return base64.b64encode(wide[:, :_BYTES].tobytes()).decode("ascii")


def _unpacked(name: str, text: Any) -> np.ndarray:
    try:
        digests = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise WhalereidError(f"{name} of a record of what was trained on isn't base64 ({error}).") from error
    if len(digests) % _BYTES:
        raise WhalereidError(f"{name} of a record of what was trained on is cut short.")
    return np.unique(_numbers(digests))
