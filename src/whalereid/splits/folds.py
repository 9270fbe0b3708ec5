"""Fold splitters: by photo, by encounter, by identity."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from whalereid import arguments
from whalereid.errors import WhalereidError
from whalereid.splits.balance import deal, encounter_groups, joined_groups
from whalereid.splits.base import PhotoInfo, Splitter

__all__ = ["EncounterFolds", "IdentityFolds", "PhotoFolds"]


@dataclass(frozen=True)
class _Folds(Splitter):
    n_splits: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        arguments.whole_number(self.n_splits, "n_splits", 2)
        arguments.seed(self.seed)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many folds there are; the arguments are scikit-learn's and not looked at."""
        return int(self.n_splits)


@dataclass(frozen=True)
class PhotoFolds(_Folds):
    """Folds by photo, each identity's photos spread over them: scikit-learn's stratified folds, shuffled.

    How well known animals are recognised in photos like those trained on. Photos of one encounter land on both sides,
    which flatters; `leakage` says how much.

    Parameters
    ----------
    n_splits : int, default=5
        How many folds.
    seed : int, default=0
        Of the shuffle.

    Notes
    -----
    Exactly ``StratifiedKFold(n_splits, shuffle=True, random_state=seed)`` [1]_, so the order of rows matters. Photos of
    unknown identity are spread like one more identity. An identity with fewer photos than folds is missing from some.

    References
    ----------
    .. [1] https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.StratifiedKFold.html

    Examples
    --------
    >>> [test.tolist() for _, test in PhotoFolds(2).split(range(4), y=["nanuq", "nanuq", "siku", "siku"])]
    [[1, 2], [0, 3]]
    """

    def _folds(self, info: PhotoInfo) -> np.ndarray:
        info.needs_identities()
        _, most = np.unique(info.identity, return_counts=True)
        if most.max() < self.n_splits:
            raise WhalereidError(
                f"{info.where}: {self.n_splits} folds by photo need an identity with {self.n_splits} photos, "
                f"the largest has {most.max()}; ask for fewer folds."
            )
        splitter = StratifiedKFold(self.n_splits, shuffle=True, random_state=self.seed)
        folds = np.empty(len(info), np.int64)
        with warnings.catch_warnings():
            # Identities with fewer photos than folds are the rule here; the class says what becomes of them.
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            for fold, (_, test) in enumerate(splitter.split(folds, info.identity)):
                folds[test] = fold
        return folds


@dataclass(frozen=True)
class EncounterFolds(_Folds):
    """Folds by encounter: no encounter straddles; identities and photos are as balanced as that allows.

    How well known animals are recognised when met again. An animal met once is in training or in test, not in both.

    Parameters
    ----------
    n_splits : int, default=5
        How many folds.
    seed : int, default=0
        Of the shuffle.

    Notes
    -----
    With plain rows, ``groups`` holds the encounters. Photos of unknown encounter are kept together by identity and day
    if both are known; else each stands alone. A table without encounters is thus split by identity and day; one without
    dates either is refused. The same photos get the same folds in whatever order the table lists them.

    Examples
    --------
    >>> rows, encounters = range(6), ["may", "may", "june", "june", "july", "july"]
    >>> for train, test in EncounterFolds(3).split(rows, y=[0, 1, 0, 1, 0, 1], groups=encounters):
    ...     print({encounters[row] for row in test} & {encounters[row] for row in train})
    set()
    set()
    set()
    """

    def _folds(self, info: PhotoInfo) -> np.ndarray:
        info.refuses_one_identity()
        needs_encounters(info)
        groups = encounter_groups(info)
        asked = groups[info.identity >= 0] if info.n_identities else groups
        n_groups = len(np.unique(asked))
        if n_groups < self.n_splits:
            raise WhalereidError(
                f"{info.where}: {self.n_splits} folds by encounter need as many encounters, it has {n_groups}"
                f"{' with a known identity' if info.n_identities else ''}; ask for fewer folds."
            )
        return deal(groups, info.identity, self.n_splits, self.seed)


@dataclass(frozen=True)
class IdentityFolds(_Folds):
    """Folds by identity: every test animal is unseen, and no encounter straddles either.

    How well animals are told apart that the network never saw: the number that holds for next year's newcomers.

    Parameters
    ----------
    n_splits : int, default=5
        How many folds.
    seed : int, default=0
        Of the shuffle.

    Notes
    -----
    With plain rows, ``y`` holds the identities and ``groups``, if given, the encounters. Identities that share an
    encounter are kept together, and with them those that they share others with; photos of unknown identity go with
    their encounter. Folds are balanced by photos. The order of rows doesn't matter.

    Examples
    --------
    >>> whales = ["nanuq", "siku", "nanuq", "siku", "aput", "aput"]
    >>> for train, test in IdentityFolds(3).split(range(6), y=whales):
    ...     print({whales[row] for row in test} & {whales[row] for row in train})
    set()
    set()
    set()
    """

    def _folds(self, info: PhotoInfo) -> np.ndarray:
        info.needs_identities()
        if info.n_identities < self.n_splits:
            raise WhalereidError(
                f"{info.where}: {self.n_splits} folds by identity need as many identities, "
                f"it has {info.n_identities}; ask for fewer folds."
            )
        groups = joined_groups(info)
        n_groups = len(np.unique(groups[info.identity >= 0]))
        if n_groups < self.n_splits:
            raise WhalereidError(
                f"{info.where}: shared encounters tie its {info.n_identities} identities into {n_groups} "
                f"{'group' if n_groups == 1 else 'groups'}, too few for {self.n_splits} folds; ask for fewer, or, "
                "if encounters are numbered anew for each identity, put the identity into the encounter's name."
            )
        return deal(groups, info.identity, self.n_splits, self.seed)


def needs_encounters(info: PhotoInfo) -> None:
    """Refuse a table in which neither encounters nor an identity's days are known: any encounter might straddle."""
    if info.n_encounters == 0 and not info.has_days:
        raise WhalereidError(
            f"{info.where}: no photo has an encounter, nor an identity with a date; fill the column 'encounter' "
            "(an id for each sighting) or 'date', or split by identity or by photo."
        )
