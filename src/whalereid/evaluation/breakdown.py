"""Breakdowns: the queries, or the relevant photos, in groups by what the catalogue knows of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.evaluation.labels import positions

if TYPE_CHECKING:
    from whalereid.evaluation.report import Report

__all__ = ["UNKNOWN", "Groups", "groups_of", "query_photos", "scenarios_of"]

UNKNOWN = "unknown"
_PAIR = "-pair"
_PHOTO_BINS = ((1, "1"), (2, "2"), (5, "3–5"), (10, "6–10"))
_PREFIXED = re.compile(r"^scenario\d+-(.+)$")


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of queries, or of (query, relevant photo) pairs.

    Attributes
    ----------
    names : tuple of str
        In reading order, ``unknown`` last.
    codes : ndarray of shape (Q,) or (P,), int64
        The group of each query or pair.
    of_pairs : bool
        Whether pairs are grouped: a query then counts in each group that it has a relevant photo in, and is asked for
        those photos alone.
    """

    names: tuple[str, ...]
    codes: np.ndarray
    of_pairs: bool


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
    known: dict[str, tuple[str, str]] = {}
    for scenario in catalogue.scenarios:
        known |= {q: (i, scenario.id) for q, i in zip(scenario.query_ids, scenario.query_images, strict=True)}
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


def groups_of(report: Report, by: str) -> Groups:
    """Group a report's Q queries, or its labels' P pairs; see `Report.by`."""
    catalogue, images = report.catalogue, report.query_images
    if catalogue is not None and images is not None and by in catalogue.columns:
        return _coded(catalogue.column(by).iloc[catalogue.rows(images)], of_pairs=False)
    if by == "photos":
        edges = [edge for edge, _ in _PHOTO_BINS]
        names = (*(name for _, name in _PHOTO_BINS), "11 or more")
        return Groups(names, np.searchsorted(edges, report.hits.relevant).astype(np.int64), of_pairs=False)
    if by == "scenario":
        return _coded(pd.Series(report.scenarios, dtype=object).replace("", np.nan), of_pairs=False)
    if catalogue is None or images is None:
        raise WhalereidError(f"no breakdown by {by!r} without the photos' table; give the catalogue too.")
    if by == "seen":
        if report.trained_on is None:
            raise WhalereidError("no breakdown by 'seen' without the animals trained on; give the training catalogue.")
        identity = catalogue.column("identity").iloc[catalogue.rows(images)]
        seen = pd.Series(report.trained_on.has_identities(identity), identity.index)
        return _coded(seen.map({True: "seen", False: "unseen"}).where(identity.notna()), of_pairs=False)
    ours = catalogue.rows(images)[report.hits.owner]
    theirs = catalogue.rows(report.labels.image_ids)[report.labels.image]
    if by == "year-gap":
        dates = catalogue.dates()
        if np.isnat(dates).all():
            raise WhalereidError(f"{catalogue.source}: no photo has a date, so there are no years between photos.")
        years = np.where(np.isnat(dates), np.nan, dates.astype("datetime64[Y]").astype(np.int64))
        return _coded(pd.Series(np.abs(years[ours] - years[theirs])).astype("Int64"), of_pairs=True)
    column = by.removesuffix(_PAIR)
    if by.endswith(_PAIR) and column in catalogue.columns:
        values = catalogue.column(column).to_numpy(object)
        first, second = pd.Series(values[ours]), pd.Series(values[theirs])
        both = (first.astype("str") + " → " + second.astype("str")).where(first.notna() & second.notna())
        return _coded(both, of_pairs=True)
    raise WhalereidError(
        f"{catalogue.source}: no column {by!r} to break down by; choose from {listing(catalogue.columns, most=20)}, "
        f"one of these with {_PAIR}, year-gap, photos, seen, scenario."
    )


def _coded(values: pd.Series, *, of_pairs: bool) -> Groups:
    codes, found = pd.factorize(values)
    try:
        order = sorted(range(len(found)), key=lambda code: found[code])
    except TypeError:  # values of several kinds
        order = sorted(range(len(found)), key=lambda code: str(found[code]))
    place = np.empty(len(found) + 1, np.int64)
    place[order] = np.arange(len(found))
    place[-1] = len(found)  # missing values, code -1
    names = [str(found[code]) for code in order]
    return Groups((*names, UNKNOWN), place[codes], of_pairs)
