"""What every splitter shares: what it knows of the photos, and scikit-learn's splitter protocol."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator

from whalereid.arguments import instance, whole_number
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, listing

__all__ = ["LEFT_OUT", "ONLY_TRAINING", "PhotoInfo", "SingleSplit", "Splitter", "codes", "info_of", "one_each"]

ONLY_TRAINING = -1  # the fold number of a photo that is never tested, as in scikit-learn's PredefinedSplit
LEFT_OUT = -2  # of one that is in neither part


@dataclass(frozen=True)
class PhotoInfo:
    """What a splitter knows of N photos. Codes count from 0 in sorted order of the values; -1 is unknown.

    Attributes
    ----------
    where : str
        What errors call the table.
    names : ndarray of shape (N,), object or int64
        The image ids, or row numbers where plain rows were given.
    identity, encounter : ndarray of shape (N,), int64
        Codes.
    dates : ndarray of shape (N,), datetime64[s]
        NaT where unknown.
    viewpoint : ndarray of shape (N,), object
        None where unknown.
    """

    where: str
    names: np.ndarray
    identity: np.ndarray
    encounter: np.ndarray
    dates: np.ndarray
    viewpoint: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    @property
    def plain(self) -> bool:
        """Whether plain rows were given, not a catalogue."""
        return bool(self.names.dtype != object)

    @cached_property
    def n_identities(self) -> int:
        """How many identities are known."""
        return int(self.identity.max(initial=-1)) + 1

    @cached_property
    def n_encounters(self) -> int:
        """How many encounters are known."""
        return int(self.encounter.max(initial=-1)) + 1

    @property
    def has_days(self) -> bool:
        """Whether any photo has both an identity and a date, which stand in for an unknown encounter."""
        return bool((~np.isnat(self.dates) & (self.identity >= 0)).any())

    def needs_identities(self) -> None:
        """Refuse a table without identities, or with a single one: there is nobody to tell apart."""
        if self.n_identities == 0:
            raise WhalereidError(f"{self.where}: no photo has a known identity; fill the column 'identity'.")
        self.refuses_one_identity()

    def refuses_one_identity(self) -> None:
        """Refuse a table whose photos are all of one animal."""
        if self.n_identities == 1:
            raise WhalereidError(f"{self.where}: all its photos are of one identity; it takes two to tell them apart.")


class Splitter(BaseCrossValidator):
    """A way of parting photos into training and test; scikit-learn's splitter protocol. A subclass writes `_folds`."""

    # With metadata routing switched on, scikit-learn passes groups only to splitters that ask for them.
    __metadata_request__split = {"groups": True}  # noqa: RUF012  (read by scikit-learn from the class)

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows of each training and test part.

        Parameters
        ----------
        X : Catalogue, or anything with N rows
            The photos.
        y : sequence of length N, optional
            Their identities; by default the catalogue's.
        groups : sequence of length N, optional
            What the splitter goes by (the class says what); by default the catalogue's column.

        Yields
        ------
        train, test : ndarray of int64
            Row numbers, ascending.

        Raises
        ------
        WhalereidError
            The photos can't be split this way; raised by the call itself, before the first pair.
        """
        folds = self.folds(X, y, groups)
        return (_part(folds, fold) for fold in self._numbers(folds))

    def folds(self, X: Any, y: Any = None, groups: Any = None) -> np.ndarray:
        """(N,) int64: the fold that tests each photo; -1 is only trained on, -2 in neither part."""
        return self._folds(self._info(X, y, groups))

    @abstractmethod
    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many pairs `split` yields."""

    def first(self, catalogue: Catalogue) -> tuple[Catalogue, Catalogue]:
        """Return the first training and test part as catalogues."""
        needs_catalogue(catalogue)
        train, test = next(self.split(catalogue))
        return catalogue[train], catalogue[test]

    def fold(self, catalogue: Catalogue, number: int) -> tuple[Catalogue, Catalogue]:
        """Return the training and test part of one fold as catalogues.

        Raises
        ------
        WhalereidError
            There is no such fold; the message lists those there are.
        """
        needs_catalogue(catalogue)
        number = whole_number(number, "number", 0)
        folds = self.folds(catalogue)
        numbers = self._numbers(folds)
        if number not in numbers:
            raise WhalereidError(f"no fold {number}; {self!r} has {listing(numbers, most=20)}.")
        train, test = _part(folds, number)
        return catalogue[train], catalogue[test]

    @abstractmethod
    def _folds(self, info: PhotoInfo) -> np.ndarray:
        """(N,) int64: the fold that tests each photo, `ONLY_TRAINING` or `LEFT_OUT`."""

    def _numbers(self, folds: np.ndarray) -> list[int]:
        return list(range(self.get_n_splits()))

    def _info(self, X: Any, y: Any, groups: Any) -> PhotoInfo:
        """Gather what is known; `groups` are encounters unless a subclass says otherwise."""
        info = info_of(X, y)
        return info if groups is None else replace(info, encounter=codes(groups, len(info), "groups"))


class SingleSplit(Splitter):
    """A splitter that yields one pair; its test part is fold 0."""

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """One; the arguments are scikit-learn's and not looked at."""
        return 1


def _part(folds: np.ndarray, fold: int) -> tuple[np.ndarray, np.ndarray]:
    tested = folds == fold
    return np.flatnonzero(~tested & (folds != LEFT_OUT)), np.flatnonzero(tested)


def info_of(X: Any, y: Any = None) -> PhotoInfo:
    """Gather what a catalogue, or plain rows with identities `y`, tell of the photos."""
    columns: dict[str, Any] = {}
    if isinstance(X, Catalogue):
        n, where, names, dates = len(X), X.source, X.image_ids, X.dates()
        columns = {name: X.column(name) for name in ("identity", "encounter", "viewpoint") if name in X.columns}
    else:
        n = _length(X)
        where, names, dates = "the given rows", np.arange(n), np.full(n, "NaT", "datetime64[s]")
    if n == 0:
        raise WhalereidError(f"{where}: no photos to split.")
    viewpoint = np.full(n, None, object)  # pandas would put NaN back
    if "viewpoint" in columns:
        known = X.known("viewpoint")
        viewpoint[known] = columns["viewpoint"][known]
    return PhotoInfo(
        where,
        names,
        identity=codes(columns.get("identity") if y is None else y, n, "y"),
        encounter=codes(columns.get("encounter"), n, "groups"),
        dates=dates,
        viewpoint=viewpoint,
    )


def _length(rows: Any) -> int:
    """How many rows there are of whatever scikit-learn takes."""
    shape = getattr(rows, "shape", None)
    if isinstance(shape, tuple) and shape and isinstance(shape[0], int):
        return shape[0]  # a sparse matrix has no length
    if not isinstance(rows, Sized) or isinstance(rows, str | bytes | Mapping) or shape == ():
        raise WhalereidError(f"X is a {type(rows).__name__}; give a Catalogue, or anything with a row for each photo.")
    return len(rows)


def codes(values: Any, n: int, name: str) -> np.ndarray:
    """(n,) int64: values as codes in their sorted order; -1 where missing (NaN, None), or where none are given."""
    if values is None:
        return np.full(n, -1, np.int64)
    # Hashing first sorts the distinct values alone.
    return np.asarray(pd.factorize(_plain(one_each(values, n, name)), sort=True)[0], np.int64)


def one_each(values: Any, n: int, name: str) -> pd.Series:
    """The values, one a photo, as a Series of index 0..n-1."""
    if not isinstance(values, pd.Series):
        flat = isinstance(values, Iterable) and getattr(values, "ndim", 1) == 1
        if not flat or isinstance(values, str | bytes | Mapping):
            raise WhalereidError(
                f"{name} is a {type(values).__name__}; give a flat sequence of {n} values, one a photo."
            )
        values = pd.Series(list(values), dtype=object).infer_objects()
    if len(values) != n:
        raise WhalereidError(f"{name} has {len(values)} values for {n} photos; give one a photo.")
    return values.reset_index(drop=True)


def _plain(series: pd.Series) -> pd.Series:
    """The same values, all numbers or else all text, but for missing ones."""
    if isinstance(series.dtype, pd.StringDtype) or series.dtype.kind in "biuf":
        return series
    series = series.astype(object)
    known = series[series.notna()]
    return series if all(isinstance(value, Real) for value in known) else series.map(str, na_action="ignore")


def needs_catalogue(value: Any, name: str = "catalogue") -> Catalogue:
    """Return a catalogue as it is; refuse anything else."""
    return instance(value, name, Catalogue, "a Catalogue (Catalogue.read(path) makes one)")
