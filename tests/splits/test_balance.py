"""What stays together, and how it is dealt out."""

from __future__ import annotations

import numpy as np

from whalereid.splits.balance import deal, encounter_groups, joined_groups
from whalereid.splits.base import info_of

from .tables import table


def together(groups: np.ndarray) -> list[list[int]]:
    """Rows by group, each ascending, groups by their first row."""
    return sorted(np.flatnonzero(groups == group).tolist() for group in np.unique(groups))


def test_encounters_and_what_stands_in_for_them() -> None:
    photos = table(
        identity=[None, "a", "a", "a", "b", "b", None, "b"],
        encounter=[None, None, None, None, "e", None, "e", None],
        date=[None, "2020-06-01", "2020-06-01", "2020-06-02", "2020-06-01", "2020-06-01", "2020-06-01", None],
    )
    assert together(encounter_groups(info_of(photos))) == [[0], [1, 2], [3], [4, 6], [5], [7]]


def test_chains_of_encounters_hang_together() -> None:
    photos = table(identity=["a", "b", "b", "c", None, "d", None], encounter=["1", "1", "2", "2", "2", None, None])
    assert together(joined_groups(info_of(photos))) == [[0, 1, 2, 3, 4], [5], [6]]


def test_dealing_by_hand() -> None:
    """Large first; the second of a whale's encounters away from its first; the lone one where there is room."""
    groups = np.array([0, 0, 0, 0, 1, 1, 2, 2, 3])
    identity = np.array([0, 0, 0, 0, 0, 0, 1, 1, 2])
    for seed in range(5):
        folds = deal(groups, identity, 2, seed)
        assert folds[0] != folds[4] == folds[6]
        assert np.bincount(folds).max() <= 5


def test_room_comes_before_spreading() -> None:
    """One whale has 40 photos of one encounter, three have 16 and 8: the last 8 go where there is room."""
    sizes = [40, 16, 16, 16, 8, 8, 8]
    groups = np.repeat(np.arange(7), sizes)
    identity = np.repeat([0, 1, 2, 3, 1, 2, 3], sizes)
    for seed in range(5):
        assert np.bincount(deal(groups, identity, 2, seed)).tolist() == [56, 56]
