"""Which photos were taken near one another: in time, and in time and place."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from whalereid.candidates.place import EARTH_KM
from whalereid.stopping import check

__all__ = ["linked", "runs"]

_EARTH = EARTH_KM * 1000  # metres
_NEAR = [step for step in product(range(-2, 3), repeat=3) if step != (0, 0, 0)]


def runs(seconds: np.ndarray, gap: float, groups: np.ndarray | None = None) -> np.ndarray:
    """Number the runs of times that follow each other within a gap.

    Parameters
    ----------
    seconds : ndarray of shape (N,), int64
    gap : float
        The most seconds between one and the next.
    groups : ndarray of shape (N,), int64, optional
        Times of different groups are never of one run.

    Returns
    -------
    ndarray of shape (N,), int64
        The same number for those of one run.

    Examples
    --------
    >>> runs(np.array([0, 500, 50, 90]), gap=60).tolist()
    [0, 1, 0, 0]
    """
    groups = np.zeros(len(seconds), np.int64) if groups is None else groups
    order = np.lexsort((seconds, groups))
    begins = np.ones(len(seconds), bool)
    begins[1:] = (np.diff(seconds[order]) > gap) | (np.diff(groups[order]) != 0)
    numbers = np.empty(len(seconds), np.int64)
    numbers[order] = np.cumsum(begins) - 1
    return numbers


def linked(seconds: np.ndarray, latitude: np.ndarray, longitude: np.ndarray, gap: float, distance: float) -> np.ndarray:
    """Number the groups of photos that are linked: each to another within a gap and a distance.

    Parameters
    ----------
    seconds : ndarray of shape (N,), int64
    latitude, longitude : ndarray of shape (N,), float64
        In degrees.
    gap : float
        In seconds.
    distance : float
        In metres, along the surface of a round Earth.

    Returns
    -------
    ndarray of shape (N,), int64
        The same number for those of one group: the connected components of the links.

    Notes
    -----
    The sphere is cut into cubes whose diagonal is the distance. Photos of one cube that follow each other within the
    gap are linked whatever else there is. So all photos of one cube within one gap are of one group, and a photo needs
    to be linked with one of them in each cube nearby, looked for from the latest backwards.

    Examples
    --------
    >>> linked(np.array([0, 0, 60]), np.array([45.0, 46, 45.001]), np.zeros(3), gap=60, distance=500).tolist()
    [0, 1, 0]
    """
    n = len(seconds)
    if not n:
        return np.zeros(0, np.int64)
    chord = 2 * _EARTH * math.sin(min(distance / _EARTH, math.pi) / 2)
    points = _on_sphere(latitude, longitude)
    cubes = _Cubes(np.floor(points / (chord / math.sqrt(3))).astype(np.int64))
    links = [_in_a_row(runs(seconds, gap, cubes.of))]
    # By cube, then by time: those of one cube within a gap are a stretch of these.
    times = (seconds - seconds.min()).astype(np.float64)
    span = times.max() + gap + 1
    order = np.lexsort((times, cubes.of))
    keys = cubes.of[order] * span + times[order]
    for step in _NEAR:
        check()
        there = cubes.beside(step)
        rows = np.flatnonzero(there >= 0)
        begin = there[rows] * span + times[rows]
        first, last = np.searchsorted(keys, begin - gap), np.searchsorted(keys, begin, side="right") - 1
        while len(rows):
            left = last >= first
            rows, first, last = rows[left], first[left], last[left]
            other = order[last]
            near = ((points[rows] - points[other]) ** 2).sum(axis=1) <= chord**2
            links.append(np.stack([rows[near], other[near]]))
            rows, first, last = rows[~near], first[~near], last[~near] - 1
    one, other = np.concatenate(links, axis=1)
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _on_sphere(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """(N, 3) float64: points in metres from the middle of a round Earth."""
    north, east = np.radians(latitude), np.radians(longitude)
    return _EARTH * np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1)


def _in_a_row(numbers: np.ndarray) -> np.ndarray:
    """(2, links): each of a group with the next of it."""
    order = np.argsort(numbers, kind="stable")
    same = np.flatnonzero(np.diff(numbers[order]) == 0)
    return np.stack([order[same], order[same + 1]])


class _Cubes:
    """The cubes in which there are points, numbered.

    Attributes
    ----------
    of : ndarray of shape (N,), int64
        The number of each point's cube.
    """

    def __init__(self, corners: np.ndarray) -> None:
        axes = [np.unique(corners[:, axis], return_inverse=True) for axis in range(3)]
        self._values = [values for values, _ in axes]  # few enough that their product is a whole number of 64 bits
        self._keys, first, self.of = np.unique(
            self._key([codes.reshape(-1) for _, codes in axes]), return_index=True, return_inverse=True
        )
        self.of = self.of.reshape(-1).astype(np.int64)
        self._corners = corners[first]

    def _key(self, codes: list[np.ndarray]) -> np.ndarray:
        _, across, up = map(len, self._values)
        return np.asarray((codes[0].astype(np.int64) * across + codes[1]) * up + codes[2])

    def beside(self, step: tuple[int, ...]) -> np.ndarray:
        """(N,) int64: the number of the cube so many steps from each point's; -1 where it holds no point."""
        codes, there = [], np.ones(len(self._keys), bool)
        for axis, values in enumerate(self._values):
            wanted = self._corners[:, axis] + step[axis]
            code = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
            there &= values[code] == wanted
            codes.append(code)
        keys = self._key(codes)
        found = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.asarray(np.where(there & (self._keys[found] == keys), found, -1)[self.of])
