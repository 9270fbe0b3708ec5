"""Pairs of a query and a photo relevant to it, listed one by one: what is counted, found in rankings and tallied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arrays import integers, names_of, positions
from whalereid.errors import WhalereidError
from whalereid.ranking import Ranking

__all__ = ["ListedPairs", "groups_of_photos", "summed"]


class ListedPairs:
    """Pairs of a query and a photo relevant to it, each once.

    Parameters
    ----------
    query_ids, image_ids : sequence of str
        Unique ids; those that no pair uses are dropped.
    query, image : ndarray of shape (P,), int
        The pairs, as positions in the two.

    Attributes
    ----------
    query_ids : ndarray of shape (Q,), str objects
        Every query that has a pair.

    Raises
    ------
    WhalereidError
        Lengths differ, or a code is outside the ids.
    """

    ids_are_the_tasks = False
    """Whether no id can be written otherwise than in the ranking, being taken from the tasks."""

    def __init__(self, query_ids: Any, image_ids: Any, query: np.ndarray, image: np.ndarray) -> None:
        queries, images = names_of(query_ids, "query_ids"), names_of(image_ids, "image_ids")
        query, image = integers(query, "query"), integers(image, "image")
        for name, codes, ids in (("query", query, queries), ("image", image, images)):
            if len(codes) and not 0 <= codes.min() <= codes.max() < len(ids):
                raise WhalereidError(f"labels: {name} holds a code outside the {len(ids)} ids; codes count from 0.")
        if len(query) != len(image):
            raise WhalereidError(f"labels: {len(query)} codes in query but {len(image)} in image; give pairs.")
        (used, query), (seen, image) = _used(len(queries), query), _used(len(images), image)
        self.query_ids = np.asarray(queries[used], dtype=object)
        self._listed = (np.asarray(images[seen], dtype=object), query, image)
        for array in (self.query_ids, *self._listed):
            array.flags.writeable = False

    def listed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The photos' ids, and of each pair the query's and the photo's position."""
        return self._listed

    @property
    def counts(self) -> np.ndarray:
        """(Q,) int64: how many relevant photos each query has; 1 or more."""
        return np.bincount(self._listed[1], minlength=len(self.query_ids))

    def hits(self, ranking: Ranking) -> np.ndarray:
        """(R, k) bool: which photos that a ranking of R queries lists are relevant to their query."""
        image_ids, query, image = self._listed
        row = positions(self.query_ids, ranking.query_ids)[query]
        code = positions(image_ids, ranking.database_ids)[image]
        stride = max(len(ranking.database_ids), 1)
        asked = (row >= 0) & (code >= 0)
        if not asked.any():
            return np.zeros(ranking.codes.shape, bool)
        cells = np.where(ranking.codes < 0, -1, np.arange(len(ranking))[:, None] * stride + ranking.codes)
        found = pd.Index(row[asked] * stride + code[asked]).get_indexer(pd.Index(cells.ravel()))
        return np.asarray(found >= 0).reshape(cells.shape)

    def tally(self, group: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Count each query's relevant photos by a group that the photos are in; see `Labels.tally`."""
        image_ids, query, image = self._listed
        return summed(query, groups_of_photos(group, image_ids)[image], np.ones(len(query), np.int64))

    def __len__(self) -> int:
        return len(self._listed[1])


def groups_of_photos(group: Callable[[np.ndarray], np.ndarray], image_ids: np.ndarray) -> np.ndarray:
    """(n,) int64: ask for the group of each photo, a whole number from 0."""
    if not callable(group):
        raise WhalereidError(f"group is a {type(group).__name__}; give a function from image ids to groups.")
    codes = integers(group(image_ids), "what group gives")
    if len(codes) != len(image_ids) or codes.min(initial=0) < 0:
        raise WhalereidError(f"group: gives {len(codes)} codes for {len(image_ids)} photos; give one each, from 0.")
    return codes


def summed(query: np.ndarray, code: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add up the counts of equal (query, code)."""
    stride = int(code.max(initial=0)) + 1
    keys, inverse = np.unique(query * stride + code, return_inverse=True)
    return *np.divmod(keys, stride), np.bincount(inverse, count, len(keys)).astype(np.int64)


def _used(n: int, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of n are used, (n,) bool, and the codes counted among these alone."""
    used = np.zeros(n, bool)
    used[codes] = True
    return used, (np.cumsum(used) - 1)[codes]
