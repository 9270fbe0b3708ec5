from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from whalereid.candidates.place import EARTH_KM
from whalereid.catalogue.linking import linked, runs


def every_pair(seconds: np.ndarray, latitude: np.ndarray, longitude: np.ndarray, gap: float, distance: float):
    """The same by looking at every pair, with the distance along the surface."""
    north, east = np.radians(latitude), np.radians(longitude)
    half = (
        np.sin((north[:, None] - north) / 2) ** 2
        + np.cos(north)[:, None] * np.cos(north) * np.sin((east[:, None] - east) / 2) ** 2
    )
    metres = 2000 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return connected_components((metres <= distance) & (abs(seconds[:, None] - seconds) <= gap))[1]


def are_same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two numberings part the photos alike."""
    return len(set(zip(one, other, strict=True))) == len(set(one)) == len(set(other))


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 60),
    st.sampled_from([0.5, 100, 500, 50_000, 20_015_115]),
    st.sampled_from([0, 0.5, 60, 3600]),
    st.sampled_from([1e-5, 1e-3, 0.1, 60]),
    st.sampled_from([(0, 0), (89.99, 0), (-60, 180), (10, -359)]),
)
def test_groups_are_those_of_every_pair(
    seed: int, n: int, distance: float, gap: float, spread: float, around: tuple[float, float]
) -> None:
    random = np.random.default_rng(seed)
    seconds = random.integers(0, random.choice([1, 300, 20_000]), n)
    latitude = np.clip(random.normal(around[0], spread, n), -90, 90)
    longitude = random.normal(around[1], spread, n)
    found = linked(seconds, latitude, longitude, gap, distance)
    assert are_same(found, every_pair(seconds, latitude, longitude, gap, distance))


@given(st.lists(st.tuples(st.integers(-500, 500), st.integers(0, 2)), max_size=30), st.sampled_from([0, 7.5, 60]))
def test_runs(photos: list[tuple[int, int]], gap: float) -> None:
    seconds, groups = (np.array([photo[side] for photo in photos], np.int64) for side in (0, 1))
    near = (abs(seconds[:, None] - seconds) <= gap) & (groups[:, None] == groups)
    assert are_same(runs(seconds, gap, groups), connected_components(near)[1])


@pytest.mark.parametrize("kind", ["stations", "a boat's way", "one second"])
def test_many_photos_take_seconds(kind: str) -> None:
    random, n = np.random.default_rng(0), 50_000 if kind == "one second" else 200_000
    seconds = random.integers(0, 10**8, n)
    latitude, longitude = random.integers(0, 50, (2, n)) / 100
    if kind == "a boat's way":
        seconds = np.sort(seconds)
        latitude, longitude = np.cumsum(random.normal(0, 1e-4, (2, n)), axis=1) % 60
    elif kind == "one second":
        seconds, latitude, longitude = np.zeros(n, np.int64), random.normal(40, 2, n), random.normal(0, 2, n)
    before = time.process_time()
    linked(seconds, latitude, longitude, 3600, 500)
    assert time.process_time() - before < 30
