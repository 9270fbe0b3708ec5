"""Photos that must stay together, and how to deal such groups to folds evenly."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from whalereid.splits.base import PhotoInfo, codes

__all__ = ["deal", "encounter_groups", "joined_groups", "unique_pairs"]


def encounter_groups(info: PhotoInfo) -> np.ndarray:
    """(N,) int64: which photos are of one encounter, as group numbers that don't depend on the order of rows.

    A photo of unknown encounter is grouped with those of the same identity and day whose encounter is unknown too;
    one whose identity or day is unknown as well stands alone.
    """
    dated = ~np.isnat(info.dates) & (info.identity >= 0)
    known = info.encounter >= 0
    apart = ~known & dated
    alone = ~known & ~dated
    days, day = np.unique(info.dates[apart].astype("datetime64[D]"), return_inverse=True)
    # One number a photo, that orders by which of the three it is, and then by what the photo goes by.
    key = info.encounter.copy()
    key[apart] = info.n_encounters + info.identity[apart] * len(days) + day
    names = info.names[alone]
    key[alone] = info.n_encounters + info.n_identities * len(days) + codes(names, len(names), "image_id")
    return np.unique(key, return_inverse=True)[1].reshape(-1)


def joined_groups(info: PhotoInfo) -> np.ndarray:
    """(N,) int64: which photos hang together by identity or encounter, directly or through others.

    An encounter of two identities ties them together; a photo of unknown identity goes with its encounter.
    """
    encounter = encounter_groups(info)
    n_identities = info.n_identities
    known = info.identity >= 0
    n_nodes = n_identities + int(encounter.max()) + 1
    ties = coo_array(
        (np.ones(known.sum(), bool), (info.identity[known], n_identities + encounter[known])), (n_nodes, n_nodes)
    )
    # Nodes stand in sorted order, and components are numbered by their first node: the order of rows has no say.
    joined = connected_components(ties, directed=False)[1]
    return np.asarray(joined[n_identities + encounter], np.int64)


def unique_pairs(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(P, 2) int64, the distinct pairs of two arrays of codes, sorted, and (P,) how often each stands there."""
    width = int(second.max(initial=0)) + 1
    keys, counts = np.unique(first * width + second, return_counts=True)
    return np.stack(np.divmod(keys, width), axis=1), counts


def deal(groups: np.ndarray, identity: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """Deal groups to folds so that folds hold equally many photos, and each identity's groups go to different folds.

    Greedy, larger groups first (by powers of two, shuffled within), those without a known identity last: a group goes
    to a fold with room for it, of those to one with the fewest photos of its identities, of those to the emptiest. A
    fold is full at its even share of the photos, so no fold passes that by more than one group; and every fold gets a
    known identity where the groups allow it.

    Parameters
    ----------
    groups : ndarray of shape (N,), int64
        Group of each photo, counted from 0.
    identity : ndarray of shape (N,), int64
        Identity codes; -1 unknown.
    n_folds : int
        At most the number of groups.
    seed : int
        Of the shuffle.

    Returns
    -------
    ndarray of shape (N,), int64
        The fold of each photo.
    """
    sizes = np.bincount(groups)
    known = identity >= 0
    pairs, counts = unique_pairs(groups[known], identity[known])
    photos = np.zeros((int(identity.max(initial=-1)) + 1, n_folds), np.int64)
    # A group whose identities are in no other group suits every fold: it goes last, into what room is left.
    met = np.bincount(pairs[:, 1], minlength=len(photos))
    free = np.ones(len(sizes), bool)
    free[pairs[met[pairs[:, 1]] > 1, 0]] = False
    starts = np.searchsorted(pairs[:, 0], np.arange(len(sizes) + 1))
    nobody = np.diff(starts) == 0
    shuffled = np.random.default_rng(seed).random(len(sizes))
    order = np.lexsort((shuffled, free, -np.floor(np.log2(sizes)), nobody))
    share = -(-len(groups) // n_folds)
    filled = np.zeros(n_folds, np.int64)
    fold_of = np.empty(len(sizes), np.int64)
    for group in order:
        members = slice(starts[group], starts[group + 1])
        animals = pairs[members, 1]
        full = filled + sizes[group] > share
        crowd = np.zeros(n_folds, np.int64) if full.all() else photos[animals].sum(axis=0)
        fold = int(np.lexsort((filled, crowd, full))[0])
        fold_of[group] = fold
        filled[fold] += sizes[group]
        photos[animals, fold] += counts[members]
    return fold_of[groups]
