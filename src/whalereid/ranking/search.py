"""Search: who is looked for among whom, and how alike they are; what a re-ranker starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from whalereid.arguments import instance, whole_number
from whalereid.candidates import CandidateMask
from whalereid.candidates.rule import Photos, image_ids
from whalereid.errors import WhalereidError
from whalereid.parts import RERANKERS
from whalereid.ranking.exact import BLOCK, best_candidates
from whalereid.ranking.similarity import Member, Similarity
from whalereid.registry import Part

__all__ = ["Mix", "Reranker", "Search", "check_reranker"]


class Mix(Protocol):
    """Whatever says how alike photos are: an `Ensemble`."""

    @property
    def members(self) -> tuple[Member, ...]:
        """The networks' embeddings."""

    def similarity(self, queries: Photos, database: Photos) -> Similarity:
        """Fused cosines of Q queries and D database photos."""


@dataclass(frozen=True, eq=False)
class Search:
    """Who is looked for among whom, and how alike they are: what a re-ranker starts from.

    Attributes
    ----------
    ensemble : Ensemble
        Whose similarity orders the candidates at first.
    queries, database : Catalogue, or sequence of str
        Q and D photos as they were given: of a catalogue a re-ranker may look at columns, and at the files
        (``search.queries.paths``).
    mask : CandidateMask
        Who may be compared with whom.
    block_size : tuple of int
        Queries and database photos per block.
    advance : callable
        To be told how many queries are done, each time some are.
    """

    ensemble: Mix
    queries: Photos
    database: Photos
    mask: CandidateMask
    block_size: tuple[int, int] = BLOCK
    advance: Callable[[int], None] = field(default=lambda n: None)

    def __post_init__(self) -> None:
        if not callable(getattr(self.ensemble, "similarity", None)):
            raise WhalereidError(f"ensemble is {self.ensemble!r:.60}; give an Ensemble.")
        instance(self.mask, "mask", CandidateMask, "the CandidateMask of these queries and this database")

    @cached_property
    def query_ids(self) -> np.ndarray:
        """(Q,) str objects: the image id of each query."""
        return image_ids(self.queries, "queries")

    @cached_property
    def database_ids(self) -> np.ndarray:
        """(D,) str objects: the image id of each database photo."""
        return image_ids(self.database, "database")

    @cached_property
    def similarity(self) -> Similarity:
        """The ensemble's, of these queries and this database."""
        return self.ensemble.similarity(self.query_ids, self.database_ids)

    @property
    def shape(self) -> tuple[int, int]:
        """(Q, D)."""
        return self.mask.shape

    def shortlist(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Find each query's n most similar candidates, exactly: what a slower comparison goes through.

        Parameters
        ----------
        n : int
            How many, at most.

        Returns
        -------
        codes : ndarray of shape (Q, min(n, D)), int64
            Database photos by their position, best first; -1 pads.
        scores : ndarray of the same shape, float64
            Similarities, descending; -inf pads.
        """
        return best_candidates(self, whole_number(n, "n", 1), block=self.block_size)

    def block(self, rows: slice | np.ndarray, columns: slice) -> np.ndarray:
        """(q, d) float32: similarities, -inf where not a candidate; valid until the next call."""
        return self.mask.apply(self.similarity.block(rows, columns), rows, columns)

    def exact(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n,) float64: the similarities of n candidate pairs, each depending on its pair alone."""
        return self.similarity.exact(rows, columns)

    def error(self, scores: np.ndarray) -> np.ndarray:
        """Bound how far `block` may lie from `exact`."""
        return self.similarity.error(scores)


class Reranker(Protocol):
    """Gives candidates new scores: from similarities, or from the photos themselves (`Search.shortlist`)."""

    def rerank(self, search: Search, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Find each query's k best by the new scores.

        Returns
        -------
        codes : ndarray of shape (Q, k'), int64
            Database photos, best first; -1 pads.
        scores : ndarray of the same shape, float64
            Descending; -inf pads.
        """


def check_reranker(rerank: Any) -> Reranker | None:
    """Return a re-ranker, made by its name where that was given.

    Raises
    ------
    WhalereidError
        It is none.
    """
    if isinstance(rerank, str | dict | Part):
        rerank = RERANKERS.make(rerank)
    if rerank is not None and (isinstance(rerank, type) or not callable(getattr(rerank, "rerank", None))):
        raise WhalereidError(f"rerank is {rerank!r:.60}; give a re-ranker such as Expand(), its name, or None.")
    made: Reranker | None = rerank
    return made
