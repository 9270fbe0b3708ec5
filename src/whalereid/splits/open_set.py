"""Open-set split: some test identities are new, the others known."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from whalereid import arguments
from whalereid.errors import WhalereidError
from whalereid.splits.balance import encounter_groups, unique_pairs
from whalereid.splits.base import ONLY_TRAINING, PhotoInfo, SingleSplit
from whalereid.splits.folds import needs_encounters

__all__ = ["OpenSetSplit"]


@dataclass(frozen=True)
class OpenSetSplit(SingleSplit):
    """Some test animals are new, the others known from other encounters; no encounter straddles.

    For deciding "this is a new individual": search the training part for each test photo.

    Parameters
    ----------
    unseen : float, default=0.5
        The share of test identities that have no photo in training.
    test_share : float, default=0.2
        About this share of the photos is tested.
    seed : int, default=0
        Of the draw.

    Notes
    -----
    With plain rows, ``y`` holds the identities and ``groups`` the encounters. Identities are drawn in turn: a new one
    with all its encounters, a known one with one of them (more, where there are too few known ones to fill the test
    part). Encounters of several identities can shift the share; where it would be off by more than a tenth, or at all
    where none or all were asked for, the split is refused. Photos of unknown identity are in training, unless their
    encounter is tested. The order of rows doesn't matter.

    Examples
    --------
    >>> whales = ["nanuq", "nanuq", "siku", "siku", "aput", "aput"]
    >>> train, test = next(OpenSetSplit(unseen=0.5, test_share=0.5).split(range(6), y=whales, groups=range(6)))
    >>> len(test), len({whales[row] for row in test} - {whales[row] for row in train})
    (3, 1)
    """

    unseen: float = 0.5
    test_share: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        arguments.number(self.unseen, "unseen", 0, 1)
        arguments.number(self.test_share, "test_share", 0, 1, open_ends=True)
        arguments.seed(self.seed)

    def _folds(self, info: PhotoInfo) -> np.ndarray:
        info.needs_identities()
        needs_encounters(info)
        draw = _Draw(info, np.random.default_rng(self.seed))
        wanted = max(1, round(self.test_share * len(info)))
        while draw.photos < wanted:
            new, n = draw.new, draw.tested_identities
            lacks_new, lacks_known = self.unseen > 0 and new == 0, self.unseen < 1 and new == n
            is_new = lacks_new or (not lacks_known and new + 0.5 < self.unseen * (n + 1))
            add = draw.add_new if is_new else draw.add_known
            if not add(wanted) and not draw.add_encounter(wanted):
                break
        new, n = draw.new, draw.tested_identities
        lacks_a_kind = (self.unseen < 1 and new == n) or (self.unseen > 0 and new == 0)
        if lacks_a_kind or draw.photos < wanted / 2 or draw.tested.all():
            raise WhalereidError(
                f"{info.where}: too few identities, or too many encounters that tie them together, to test "
                f"{self.test_share:.0%} of the photos with {self.unseen:.0%} of the test identities unseen: it has "
                f"{info.n_identities} identities, {draw.n_met_twice} with two encounters; ask for other shares."
            )
        slack = max(0.1, 1 / n) if 0 < self.unseen < 1 else 0.0
        if abs(new / n - self.unseen) > slack:
            raise WhalereidError(
                f"{info.where}: encounters of several identities make {new} of {n} test identities unseen where "
                f"{self.unseen:.0%} was asked for; ask for a share nearer to {new / n:.2f}."
            )
        return np.where(draw.tested[draw.groups], 0, ONLY_TRAINING)


class _Draw:
    """A test part under construction: encounters move into it, and never out.

    Once an encounter doesn't fit it never will, so each list of candidates is gone through once.
    """

    def __init__(self, info: PhotoInfo, rng: np.random.Generator) -> None:
        self.groups = encounter_groups(info)
        self.sizes = np.bincount(self.groups)
        self.tested = np.zeros(len(self.sizes), bool)
        self.photos = 0
        self.tested_identities = 0  # with a photo in the test part
        self.new = 0  # of those, with all their photos there
        known = info.identity >= 0
        ties, _ = unique_pairs(info.identity[known], self.groups[known])
        self._met = np.bincount(ties[:, 0])  # encounters of each identity
        self._left = self._met.copy()  # of those, in training
        self._encounters = np.split(ties[:, 1], np.cumsum(self._met)[:-1])
        by_group = ties[np.argsort(ties[:, 1], kind="stable")]
        starts = np.searchsorted(by_group[:, 1], np.arange(len(self.sizes) + 1))
        self._animals = [by_group[a:b, 0] for a, b in pairwise(starts)]
        order = np.argsort(rng.random(len(self._met)), kind="stable")
        self._rank = rng.random(len(self.sizes))  # the order in which an identity's encounters are tried
        self._maybe_new, self._maybe_known = iter(order), iter(order)
        self._spare: deque[int] = deque()  # further encounters of known test identities

    @property
    def n_met_twice(self) -> int:
        """How many identities have at least two encounters."""
        return int((self._met > 1).sum())

    def add_new(self, wanted: int) -> bool:
        """Test an identity with all its encounters; False where none is left that fits."""
        for animal in self._maybe_new:
            if self._left[animal] == self._met[animal] and self._fits(self._encounters[animal], wanted):
                self._test(self._encounters[animal])
                return True
        if self.new:
            return False
        untouched = np.flatnonzero(self._left == self._met)
        if not len(untouched):
            return False
        photos = [self.sizes[self._encounters[animal]].sum() for animal in untouched]
        self._test(self._encounters[untouched[int(np.argmin(photos))]])  # better one too large than none at all
        return True

    def add_known(self, wanted: int) -> bool:
        """Test one encounter of an identity that keeps another in training; False where none is left that fits."""
        for animal in self._maybe_known:
            encounters = self._encounters[animal]
            encounters = encounters[np.argsort(self._rank[encounters], kind="stable")]
            if self._left[animal] < self._met[animal]:
                continue
            for at, encounter in enumerate(encounters):
                if self._may_leave(encounter) and self._fits([encounter], wanted):
                    self._test([encounter])
                    self._spare.extend(encounters[at + 1 :])
                    return True
        if self.tested_identities > self.new:
            return False
        free = [g for g in np.flatnonzero(~self.tested).tolist() if len(self._animals[g]) and self._may_leave(g)]
        if not free:
            return False
        self._test([min(free, key=lambda g: (self.sizes[g], self._rank[g]))])
        return True

    def add_encounter(self, wanted: int) -> bool:
        """Test one more encounter of an identity tested as known; False where none is left that fits."""
        while self._spare:
            encounter = self._spare.popleft()
            if not self.tested[encounter] and self._may_leave(encounter) and self._fits([encounter], wanted):
                self._test([encounter])
                return True
        return False

    def _may_leave(self, encounter: int) -> bool:
        """Whether every identity of the encounter keeps another one in training."""
        return bool((self._left[self._animals[encounter]] > 1).all())

    def _fits(self, encounters: Sequence[int] | np.ndarray, wanted: int) -> bool:
        return bool(self.photos + self.sizes[encounters].sum() <= wanted)

    def _test(self, encounters: Sequence[int] | np.ndarray) -> None:
        for encounter in encounters:
            if not self.tested[encounter]:
                self.tested[encounter] = True
                self.photos += int(self.sizes[encounter])
                animals = self._animals[encounter]
                self.tested_identities += int((self._left[animals] == self._met[animals]).sum())
                self._left[animals] -= 1
                self.new += int((self._left[animals] == 0).sum())
