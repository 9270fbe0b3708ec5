"""Queries and a database from rows of a catalogue, and which queries have nothing to find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.splits.base import codes

__all__ = ["QueryDatabase", "queries_and_database"]


@dataclass(frozen=True, eq=False)
class QueryDatabase:
    """Rows of a catalogue as a retrieval task.

    Attributes
    ----------
    queries : ndarray of shape (Q,), int64
        Rows of the photos to identify.
    database : ndarray of shape (D,), int64
        Rows of the photos searched.
    relevant : ndarray of shape (Q,), int64
        How many photos each query could find: those of its identity among its candidates.
    """

    queries: np.ndarray
    database: np.ndarray
    relevant: np.ndarray

    @property
    def distractors(self) -> np.ndarray:
        """Rows of the queries with nothing to find: new animals, unknown ones, or excluded by the rules."""
        return self.queries[self.relevant == 0]

    @property
    def answerable(self) -> np.ndarray:
        """Rows of the queries that keep at least one relevant photo."""
        return self.queries[self.relevant > 0]


def queries_and_database(
    catalogue: Catalogue,
    queries: Sequence[int] | np.ndarray,
    database: Sequence[int] | np.ndarray | None = None,
    *,
    exclude: Sequence[str] = (),
    match: Sequence[str] = (),
) -> QueryDatabase:
    """Make a retrieval task of rows: who is looked for among whom, and who can't be found.

    With a splitter's parts: ``queries_and_database(photos, test, train)`` looks for the test photos among those trained
    on (known animals, open set, by date); ``queries_and_database(photos, test)`` looks for each test photo among the
    others (unseen animals).

    Parameters
    ----------
    catalogue : Catalogue
        The photos, with identities.
    queries : sequence of int, length Q
        Rows to look for.
    database : sequence of int, length D, optional
        Rows to search; by default the queries themselves. A photo is never its own candidate.
    exclude : sequence of str
        Columns in which a candidate must not equal the query, such as ``encounter``; a missing value equals nothing.
    match : sequence of str
        Columns in which a candidate must equal the query, such as ``viewpoint``; a missing value matches nothing.

    Returns
    -------
    QueryDatabase

    Raises
    ------
    WhalereidError
        A column is absent, there are no queries, or not one has a relevant photo.

    Examples
    --------
    >>> import pandas as pd
    >>> photos = Catalogue(pd.DataFrame({"image_id": list("abc"), "path": list("abc"), "identity": list("xyx")}))
    >>> task = queries_and_database(photos, [0, 1, 2])
    >>> task.answerable.tolist(), task.distractors.tolist()
    ([0, 2], [1])
    """
    rows = np.arange(len(catalogue))
    if not len(queries):
        raise WhalereidError(f"{catalogue.source}: no queries; give the rows of the photos to look for.")
    asked = rows[np.asarray(queries)]
    searched = asked if database is None else rows[np.asarray(database, np.int64 if len(database) == 0 else None)]
    columns = ("identity", *match, *exclude)
    column = {name: codes(catalogue.column(name), len(catalogue), name) for name in columns}
    for name in (*match, *exclude):
        if (column[name] < 0).all():
            raise WhalereidError(f"{catalogue.source}: column {name!r} has no values, so it can't exclude or match.")
    column["image_id"] = rows
    same = ["identity", *match]
    unlike = ["image_id", *exclude]
    relevant = np.zeros(len(asked), np.int64)
    # Inclusion and exclusion: photos that agree, less those that agree in one excluded column too, plus in two, ...
    for size in range(len(unlike) + 1):
        for chosen in combinations(unlike, size):
            relevant += (-1) ** size * _agreeing([column[name] for name in (*same, *chosen)], asked, searched)
    if not relevant.any():
        raise WhalereidError(
            f"{catalogue.source}: none of the {len(asked)} queries has a photo of its identity among its candidates; "
            "check the identities, or loosen exclude and match."
        )
    return QueryDatabase(asked, searched, relevant)


def _agreeing(columns: list[np.ndarray], queries: np.ndarray, database: np.ndarray) -> np.ndarray:
    """(Q,) int64: how many database photos equal each query in all columns; unknown (-1) equals nothing."""
    table = np.stack(columns, axis=1)
    ours, theirs = table[queries], table[database]
    both = np.unique(np.concatenate([ours, theirs]), axis=0, return_inverse=True)[1].reshape(-1)
    known = (theirs >= 0).all(axis=1)
    counts = np.bincount(both[len(ours) :][known], minlength=int(both.max(initial=-1)) + 1)
    return np.where((ours >= 0).all(axis=1), counts[both[: len(ours)]], 0)
