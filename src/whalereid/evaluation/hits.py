"""Hits: a ranking set against its labels, as the (queries, ranks) matrix that every metric works on."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pandas as pd

from whalereid.errors import WhalereidError
from whalereid.evaluation.labels import Labels, LabelsLike, positions
from whalereid.ranking import Ranking

__all__ = ["Hits", "RankingLike"]

RankingLike: TypeAlias = Ranking | pd.DataFrame | str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class Hits:
    """A ranking set against its labels.

    Its queries are those ranked, in the ranking's order, then those labelled but not ranked, with empty lists.

    Attributes
    ----------
    query_ids : ndarray of shape (Q,), str objects
    pair : ndarray of shape (Q, K), int64
        Which of the labels' pairs each listed photo is; -1 where it is not relevant, or the list has ended.
    owner : ndarray of shape (P,), int64
        The query, as a row here, of each of the labels' pairs.
    scores : ndarray of shape (Q, K), float64
        Descending along each row; -inf pads.
    relevant : ndarray of shape (Q,), int64
        How many relevant photos each query has among its candidates, listed or not.
    ranked : ndarray of shape (Q,), bool
        False for a query that has labels but no list.
    """

    query_ids: np.ndarray
    pair: np.ndarray
    owner: np.ndarray
    scores: np.ndarray
    relevant: np.ndarray
    ranked: np.ndarray

    @classmethod
    def of(cls, ranking: RankingLike, labels: LabelsLike) -> Hits:
        """Set a ranking against its labels, in any form that either comes in.

        Raises
        ------
        WhalereidError
            Either can't be read, or the labels speak of other queries than the ranking.
        """
        ranking = as_ranking(ranking)
        labels = Labels.of(labels, ranking.query_ids)
        queries, width = ranking.codes.shape
        row = positions(labels.query_ids, ranking.query_ids)
        unranked = np.flatnonzero(row < 0)
        if queries and len(row) and len(unranked) == len(row):
            raise WhalereidError(
                f"labels: none of their queries is ranked (the first is {labels.query_ids[0]!r}, the ranking's first "
                f"{ranking.query_ids[0]!r}); are they another task's?"
            )
        row[unranked] = queries + np.arange(len(unranked))
        code = positions(labels.image_ids, ranking.database_ids)
        pair = np.full((queries + len(unranked), max(width, 1)), -1, np.int64)  # K is 1 at least
        stride = max(len(ranking.database_ids), 1)
        listed = np.flatnonzero(code[labels.image] >= 0)
        keys = pd.Index(row[labels.query[listed]] * stride + code[labels.image[listed]])
        if len(keys) and ranking.codes.size:
            cells = np.arange(queries)[:, None] * stride + ranking.codes
            cells[ranking.codes < 0] = -1
            found = keys.get_indexer(pd.Index(cells.ravel())).reshape(cells.shape)
            pair[:queries] = np.where(found >= 0, listed[found], -1)
        scores = np.full(pair.shape, -np.inf)
        scores[:queries, :width] = ranking.scores
        return cls(
            query_ids=np.concatenate([ranking.query_ids, labels.query_ids[unranked]]),
            pair=pair,
            owner=row[labels.query],
            scores=scores,
            relevant=np.bincount(row[labels.query], minlength=len(pair)),
            ranked=np.arange(len(pair)) < queries,
        )

    @property
    def hit(self) -> np.ndarray:
        """(Q, K) bool: where a listed photo is relevant."""
        return self.pair >= 0

    @property
    def lengths(self) -> np.ndarray:
        """(Q,) int64: how many photos each query lists."""
        return np.asarray((self.scores > -np.inf).sum(axis=1), np.int64)

    @property
    def scored(self) -> np.ndarray:
        """(Q,) bool: which queries have a relevant photo, and so count in the means."""
        return self.relevant > 0

    @property
    def missing(self) -> np.ndarray:
        """(Q,) bool: which queries have a relevant photo but no list; they score 0."""
        return self.scored & ~self.ranked

    @property
    def tied(self) -> np.ndarray:
        """(Q,) bool: where a relevant photo and another score the same, so that counts follow the list's order."""
        hit = self.hit
        return np.asarray(((self.scores[:, 1:] == self.scores[:, :-1]) & (hit[:, 1:] != hit[:, :-1])).any(axis=1))

    def narrowed(self, kept: np.ndarray) -> Hits:
        """Ask for some of the relevant photos alone: the others are taken out of the lists, neither right nor wrong.

        Parameters
        ----------
        kept : ndarray of shape (P,), bool
            Which of the labels' pairs stay relevant.
        """
        ignored = self.hit & ~np.append(kept, False)[self.pair]  # -1 looks up the appended one
        order = np.argsort(ignored, axis=1, kind="stable")
        return replace(
            self,
            pair=np.take_along_axis(np.where(ignored, -1, self.pair), order, axis=1),
            scores=np.take_along_axis(np.where(ignored, -np.inf, self.scores), order, axis=1),
            relevant=np.bincount(self.owner[kept], minlength=len(self)),
        )

    def __len__(self) -> int:
        return len(self.query_ids)


def as_ranking(ranking: RankingLike) -> Ranking:
    """Return a ranking from a table or a file of one, or as it is."""
    if isinstance(ranking, Ranking):
        return ranking
    if isinstance(ranking, pd.DataFrame):
        return Ranking.from_frame(ranking)
    return Ranking.read(ranking)
