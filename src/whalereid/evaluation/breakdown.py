"""Breakdowns: the queries, or the relevant photos, in groups by what the catalogue knows of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.arrays import names_of, positions
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.evaluation.checks import catalogue_of
from whalereid.evaluation.scored import ScoredRanking

__all__ = ["UNKNOWN", "Groups", "groups_of", "query_photos", "scenarios_of"]

UNKNOWN = "unknown"
_PAIR = "-pair"
_PHOTO_BINS = ((1, "1"), (2, "2"), (5, "3–5"), (10, "6–10"))
_PREFIXED = re.compile(r"^scenario\d+-(.+)$")


@dataclass(frozen=True, eq=False)
class Groups:
    """Queries in groups; in groups of pairs, a query in each group that it has a relevant photo in.

    Attributes
    ----------
    names : tuple of str
        All different, in reading order; the group of missing values last.
    queries : ndarray of shape (n,), int64
        Rows of the ranking's queries, each once in a group.
    codes : ndarray of shape (n,), int64
        The group that each is in.
    relevant : ndarray of shape (n,), int64
        How many relevant photos each has there.
    cells : ndarray of shape (Q, K), int64, or None
        Of groups of pairs: the group of each listed relevant photo; -1 elsewhere. A query is asked for these alone.
    """

    names: tuple[str, ...]
    queries: np.ndarray
    codes: np.ndarray
    relevant: np.ndarray
    cells: np.ndarray | None = None


def scenarios_of(query_ids: Sequence[str] | np.ndarray) -> np.ndarray:
    """(Q,) str objects: the scenario in ids such as ``scenario01-train2893``; empty where there is none."""
    return np.array([_without_prefix(str(query_id))[1] for query_id in query_ids], dtype=object)


def query_photos(query_ids: Sequence[str] | np.ndarray, catalogue: Catalogue) -> tuple[np.ndarray, np.ndarray]:
    """Find the photo and the scenario of queries: as the catalogue's scenarios say, or by ``[scenarioNN-]imageid``.

    Returns
    -------
    images : ndarray of shape (Q,), str objects
        An ``image_id`` of the catalogue.
    scenarios : ndarray of shape (Q,), str objects
        The scenario's id; empty where there is none.

    Raises
    ------
    WhalereidError
        A query is no photo of the catalogue.
    """
    catalogue = catalogue_of(catalogue)
    query_ids = names_of(query_ids, "query_ids")
    known: dict[str, tuple[str, str]] = {}
    for scenario in catalogue.scenarios:
        known |= {q: (i, scenario.name) for q, i in zip(scenario.query_ids, scenario.query_images, strict=True)}
    names = [str(query_id) for query_id in query_ids]
    is_photo = positions(names, catalogue.image_ids) >= 0
    found = [
        known.get(name) or ((name, "") if photo else _without_prefix(name))
        for name, photo in zip(names, is_photo, strict=True)
    ]
    images = np.array([image for image, _ in found], dtype=object)
    lost = np.flatnonzero(positions(images, catalogue.image_ids) < 0)
    if len(lost):
        raise WhalereidError(
            f"{catalogue.source}: {len(lost)} queries are no photo of it: {listing(names[row] for row in lost)}."
        )
    return images, np.array([scenario for _, scenario in found], dtype=object)


def _without_prefix(query_id: str) -> tuple[str, str]:
    match = _PREFIXED.match(query_id)
    return (match[1], query_id[: match.start(1) - 1]) if match else (query_id, "")


def groups_of(scored: ScoredRanking, by: str) -> Groups:
    """Group a scored ranking's Q queries, or its labels' pairs; see `Report.by`."""
    by = instance(by, "what", str, "the name of a column, such as 'viewpoint'")
    catalogue, images = scored.catalogue, scored.query_images
    if catalogue is not None and images is not None and by in catalogue.columns:
        return _of_queries(scored, catalogue.column(by).iloc[catalogue.rows(images)])
    if by == "photos":
        edges = [edge for edge, _ in _PHOTO_BINS]
        names = (*(name for _, name in _PHOTO_BINS), "11 or more")
        relevant = scored.hits.relevant
        codes = np.searchsorted(edges, relevant).astype(np.int64)
        return Groups(names, np.arange(len(codes)), codes, relevant)
    if by == "scenario":
        return _of_queries(scored, pd.Series(scored.scenarios, dtype=object).replace("", np.nan))
    if catalogue is None or images is None:
        raise WhalereidError(f"no breakdown by {by!r} without the photos' table; give the catalogue too.")
    if by == "seen":
        if scored.trained_on is None:
            raise WhalereidError("no breakdown by 'seen' without the animals trained on; give the training catalogue.")
        identity = catalogue.column("identity").iloc[catalogue.rows(images)]
        seen = pd.Series(scored.trained_on.has_identities(identity), identity.index)
        return _of_queries(scored, seen.map({True: "seen", False: "unseen"}).where(identity.notna()))
    if by == "year-gap":
        dates = catalogue.dates()
        if np.isnat(dates).all():
            raise WhalereidError(f"{catalogue.source}: no photo has a date, so there are no years between photos.")
        years = pd.Series(dates.astype("datetime64[Y]").astype(np.int64), dtype=object).mask(np.isnat(dates))
        return _of_pairs(scored, years, lambda one, other: abs(one - other), str)
    column = by.removesuffix(_PAIR)
    if by.endswith(_PAIR) and column in catalogue.columns:
        return _of_pairs(scored, catalogue.column(column), lambda *pair: pair, lambda pair: f"{pair[0]} → {pair[1]}")
    raise WhalereidError(
        f"{catalogue.source}: no column {by!r} to break down by; choose from {listing(catalogue.columns, most=20)}, "
        f"one of these with {_PAIR}, year-gap, photos, seen, scenario."
    )


def _of_queries(scored: ScoredRanking, values: pd.Series) -> Groups:
    codes, found = _coded(values)
    place, names = _named(found, str)
    return Groups(names, np.arange(len(codes)), place[codes], scored.hits.relevant)


def _of_pairs(
    scored: ScoredRanking, values: pd.Series, joined: Callable[[Any, Any], Hashable], text: Callable[[Any], str]
) -> Groups:
    """Group pairs by what is `joined` from the query's and the relevant photo's values, one a catalogue's photo."""
    catalogue, images, hits, ranking = scored.catalogue, scored.query_images, scored.hits, scored.ranking
    assert catalogue is not None
    assert images is not None
    codes, found = _coded(values)
    codes += 1  # 0 is a missing value
    many = len(found) + 1
    query_key = codes[catalogue.rows(images)] * many
    query, photo_code, count = scored.labels.tally(lambda image_ids: codes[catalogue.rows(image_ids)])
    query = positions(scored.labels.query_ids, hits.query_ids)[query]
    keys = query_key[query] + photo_code
    distinct = pd.Index(np.unique(keys))
    both = [(found[a - 1], found[b - 1]) if a and b else None for a, b in zip(*np.divmod(distinct, many), strict=True)]
    kinds = np.fromiter((None if pair is None else joined(*pair) for pair in both), object, len(both))
    kind, named = _coded(pd.Series(kinds, dtype=object))
    place, names = _named(named, text)
    group = place[kind]  # of each key
    # years apart in two ways are one gap: a query's counts in a group are added up
    which, inverse = np.unique(group[distinct.get_indexer(keys)] * len(hits) + query, return_inverse=True)
    code, row = np.divmod(which, len(hits))
    listed = np.append(catalogue_codes(ranking.database_ids, catalogue, codes), 0)[ranking.codes]
    cells = np.full(hits.hit.shape, -1, np.int64)
    at = np.nonzero(hits.hit)  # relevant photos alone: each of their keys has been counted
    cells[at] = group[distinct.get_indexer(query_key[at[0]] + listed[at])]
    return Groups(names, row, code, np.bincount(inverse, count, len(which)).astype(np.int64), cells)


def catalogue_codes(image_ids: np.ndarray, catalogue: Catalogue, codes: np.ndarray) -> np.ndarray:
    """(n,) int64: the codes of photos, one a catalogue's row; 0 for a photo that isn't in it."""
    return np.append(codes, 0)[positions(image_ids, catalogue.image_ids)]


def _coded(values: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """(n,) int64 codes, -1 where a value is missing, and the values they stand for."""
    try:
        codes, found = pd.factorize(values.to_numpy(object))
    except TypeError:  # lists and the like
        codes, found = pd.factorize(values.map(str, na_action="ignore").to_numpy(object))
    return np.asarray(codes, np.int64), list(found)


def _named(found: list[Any], text: Callable[[Any], str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Order values and name them, each name once: the place of each code (the last is -1's), and the names."""
    try:
        order = sorted(range(len(found)), key=lambda code: found[code])
    except TypeError:  # values of several kinds
        order = sorted(range(len(found)), key=lambda code: text(found[code]))
    place = np.empty(len(found) + 1, np.int64)
    place[order] = np.arange(len(found))
    place[-1] = len(found)
    plain = [text(found[code]) for code in order]
    often = Counter(plain)
    taken: set[str] = set()
    names = []
    for code, name in zip(order, plain, strict=True):  # the number 1 and the text "1" are two values
        names.append(_free(name if often[name] == 1 else repr(found[code]), taken))
    names.append(_free(UNKNOWN if UNKNOWN not in taken else "no value", taken))
    return place, tuple(names)


def _free(name: str, taken: set[str]) -> str:
    """A name that isn't taken yet, and now is."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    taken.add(free)
    return free
