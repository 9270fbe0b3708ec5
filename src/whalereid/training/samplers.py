"""Ways to make batches by name: each gives a sampler of items' numbers, or of lists of them, for one epoch."""

from __future__ import annotations

import math

import numpy as np
from pytorch_metric_learning.samplers import MPerClassSampler
from torch.utils.data import Sampler

from whalereid import arguments
from whalereid.errors import WhalereidError

__all__ = ["by_identity", "shuffled"]


def shuffled(labels: np.ndarray, batch_size: int, seed: int) -> list[list[int]]:
    """Deal the items, in a new order, to batches that differ in size by one at most; none has a single item.

    Parameters
    ----------
    labels : ndarray of shape (N,), int64
        The class of each item.
    batch_size : int
        Items a batch, at most (three items in batches of two make one of three).
    seed : int
        What the order depends on.

    Examples
    --------
    >>> sorted(len(batch) for batch in shuffled(np.zeros(7), 3, seed=0))
    [2, 2, 3]
    """
    n = len(labels)
    order = np.random.default_rng(seed).permutation(n)
    n_batches = max(1, min(math.ceil(n / batch_size), n // 2))
    return [batch.tolist() for batch in np.array_split(order, n_batches)]


def by_identity(labels: np.ndarray, batch_size: int, seed: int, per_identity: int = 4) -> Sampler[int]:
    """Some identities a batch, and as many photos of each: what losses of pairs and triplets need.

    Of an identity with fewer photos some come twice. It is pytorch-metric-learning's ``MPerClassSampler``.

    Parameters
    ----------
    labels : ndarray of shape (N,), int64
        The class of each item.
    batch_size : int
        Items a batch, at most: a multiple of `per_identity` is taken, and no more than all identities have.
    seed : int
        Unused: the sampler draws from NumPy's global generator, which `fit` seeds for each epoch.
    per_identity : int
        Photos of an identity in a batch, at least 2.

    Raises
    ------
    WhalereidError
        A batch can't hold that many.

    References
    ----------
    Hermans et al.: In Defense of the Triplet Loss for Person Re-Identification. https://arxiv.org/abs/1703.07737
    """
    per_identity = arguments.whole_number(per_identity, "per_identity", 2)
    if per_identity > batch_size:
        raise WhalereidError(f"per_identity is {per_identity}, a batch has {batch_size} photos; take larger batches.")
    size = min(batch_size // per_identity, len(np.unique(labels))) * per_identity
    sampler: Sampler[int] = MPerClassSampler(labels, per_identity, size, max(len(labels), size))
    return sampler
