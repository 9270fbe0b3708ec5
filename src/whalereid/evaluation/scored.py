"""A ranking set against its task, with what is known of the queries' photos: what every part of a report works on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.arrays import positions
from whalereid.catalogue import Catalogue, TrainedOn
from whalereid.errors import WhalereidError
from whalereid.evaluation.checks import catalogue_of
from whalereid.evaluation.hits import Hits
from whalereid.evaluation.labels import Labels
from whalereid.ranking import Ranking

__all__ = ["ScoredRanking"]


@dataclass(frozen=True, eq=False, repr=False)
class ScoredRanking:
    """A ranking set against its task, with what is known of the queries' photos.

    Attributes
    ----------
    ranking : Ranking
        As scored.
    labels : Labels
        The relevant photos.
    hits : Hits
        The two set against each other.
    catalogue : Catalogue or None
    query_images : ndarray of shape (Q,), str objects, or None
        The photo of each query of `hits`, where known.
    scenarios : ndarray of shape (Q,), str objects
        Its scenario, or empty.
    trained_on : TrainedOn or None
        What the method was trained on; None where that isn't known.
    """

    ranking: Ranking
    labels: Labels
    hits: Hits
    catalogue: Catalogue | None
    query_images: np.ndarray | None
    scenarios: np.ndarray
    trained_on: TrainedOn | None

    def __post_init__(self) -> None:
        made = "what evaluate(protocol, ranking) makes"
        for name, kind in (("ranking", Ranking), ("labels", Labels), ("hits", Hits)):
            instance(getattr(self, name), name, kind, made)
        if self.catalogue is not None:
            catalogue_of(self.catalogue)
        if self.trained_on is not None:
            instance(self.trained_on, "trained_on", TrainedOn, made)

    @property
    def identified(self) -> bool:
        """Whether the queries' photos are known, and some of their identities."""
        return self.query_images is not None and self.catalogue is not None and bool(self.catalogue.n_identities)

    def query_column(self, name: str) -> pd.Series:
        """(Q,) a column of the catalogue, of each query's photo."""
        name = instance(name, "name", str, "the name of a column, such as 'identity'")
        if self.catalogue is None or self.query_images is None:
            raise WhalereidError(f"no column {name!r} without the photos' table; give the catalogue too.")
        return self.catalogue.column(name).iloc[self.catalogue.rows(self.query_images)].reset_index(drop=True)

    @cached_property
    def identities(self) -> np.ndarray:
        """(Q,): whose photo each query is. Without a catalogue: queries that share a relevant photo count as one's."""
        if not self.identified:
            return _connected(self.hits, self.labels)
        names = self.query_column("identity").to_numpy(object)
        lone = pd.isna(names)
        names[lone] = [f"{query_id} (unknown)" for query_id in self.hits.query_ids[lone]]
        return np.asarray(names, object)

    def first_of_lists(self) -> dict[str, np.ndarray]:
        """Each query's relevant and listed photos, the rank of its first hit, and its best match with its score."""
        hits = self.hits
        listed, found = np.flatnonzero(hits.lengths > 0), np.flatnonzero(hits.hit.any(axis=1))
        best_id, best_score, first_hit = np.full(len(hits), None, object), *np.full((2, len(hits)), np.nan)
        best_id[listed] = self.ranking.database_ids[self.ranking.codes[listed][:, :1].ravel()]  # the ranked come first
        best_score[listed] = hits.scores[listed, 0]
        first_hit[found] = hits.hit[found].argmax(axis=1) + 1
        return {
            "relevant": hits.relevant,
            "listed": hits.lengths,
            "first_hit": first_hit,
            "best_id": best_id,
            "best_score": best_score,
        }

    def __repr__(self) -> str:
        return f"ScoredRanking({len(self.hits)} queries, {int(self.hits.scored.sum())} with a relevant photo)"


def _connected(hits: Hits, labels: Labels) -> np.ndarray:
    """(Q,) int: groups of queries that share relevant photos, directly or through others."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    queries = len(hits)
    owner = positions(labels.query_ids, hits.query_ids)[labels.query]
    own = positions(hits.query_ids, labels.image_ids)  # a query that is itself relevant to another is the same animal
    both = np.flatnonzero(own >= 0)
    rows = np.concatenate([owner, both])
    columns = queries + np.concatenate([labels.image, own[both]])
    size = queries + len(labels.image_ids)
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1][:queries])
