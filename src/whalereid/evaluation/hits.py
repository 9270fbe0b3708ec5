"""Hits: a ranking set against its labels, as the (queries, ranks) matrix that every metric works on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from whalereid.arrays import bools, floats, integers, names_of, path_of, positions
from whalereid.errors import WhalereidError
from whalereid.evaluation.labels import Labels, LabelsLike
from whalereid.evaluation.spelling import nearest
from whalereid.ranking import Ranking

__all__ = ["Hits", "RankingLike"]

RankingLike: TypeAlias = Ranking | pd.DataFrame | str | os.PathLike[str]


@dataclass(frozen=True, eq=False, repr=False)
class Hits:
    """A ranking set against its labels.

    Its queries are those ranked, in the ranking's order, then those labelled but not ranked, with empty lists.

    Attributes
    ----------
    query_ids : ndarray of shape (Q,), str objects
    hit : ndarray of shape (Q, K), bool
        Where a listed photo is relevant; False where it is not, or the list has ended.
    scores : ndarray of shape (Q, K), float64
        Descending along each row; -inf pads.
    relevant : ndarray of shape (Q,), int64
        How many relevant photos each query has among its candidates, listed or not.
    """

    query_ids: np.ndarray
    hit: np.ndarray
    scores: np.ndarray
    relevant: np.ndarray

    def __post_init__(self) -> None:
        checked = {
            "query_ids": names_of(self.query_ids, "query_ids"),
            "hit": bools(self.hit, "hit", 2),
            "scores": floats(self.scores, "scores", 2),
            "relevant": integers(self.relevant, "relevant"),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if self.scores.shape != self.hit.shape or not len(self.query_ids) == len(self.hit) == len(self.relevant):
            raise WhalereidError(
                f"hits: {len(self.query_ids)} query_ids, hit of shape {self.hit.shape}, scores {self.scores.shape} and "
                f"{len(self.relevant)} relevant don't fit; give (Q,), (Q, K), (Q, K) and (Q,)."
            )

    @classmethod
    def of(cls, ranking: RankingLike, labels: LabelsLike, known: Sequence[str] | np.ndarray = ()) -> Hits:
        """Set a ranking against its labels, in any form that either comes in.

        Parameters
        ----------
        ranking : Ranking, DataFrame or path
        labels : labels in any form
        known : sequence of str
            Ids that the labels may have beside the ranking's, such as a catalogue's.

        Raises
        ------
        WhalereidError
            Either can't be read, the labels speak of other queries than the ranking, or an id of theirs is one of the
            ranking's but for how it is written (``7`` for ``007``).
        """
        ranking = as_ranking(ranking)
        labels = Labels.of(labels, ranking.query_ids)
        labels._check_spelling(ranking, names_of(known, "known"))
        queries, width = ranking.codes.shape
        at = positions(labels.query_ids, ranking.query_ids)
        unranked = labels.query_ids[at < 0]
        if queries and len(at) and len(unranked) == len(at):
            first = labels.query_ids[0]
            alike = nearest(first, ranking.query_ids)
            theirs = (
                f"ranking's first {ranking.query_ids[0]!r}" if alike is None else f"nearest in the ranking {alike!r}"
            )
            raise WhalereidError(
                f"{labels._table or 'labels'}: none of the queries there is ranked (the first is {first!r}, the "
                f"{theirs}); are they another task's?"
            )
        at[at < 0] = queries + np.arange(len(unranked))
        shape = (queries + len(unranked), max(width, 1))  # K is 1 at least
        hit, scores, relevant = np.zeros(shape, bool), np.full(shape, -np.inf), np.zeros(shape[0], np.int64)
        hit[:queries, :width] = labels.hits(ranking)
        scores[:queries, :width] = ranking.scores
        relevant[at] = labels.counts
        return cls(np.concatenate([ranking.query_ids, unranked]), hit, scores, relevant)

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
        """(Q,) bool: which queries have a relevant photo but list nothing; they score 0.

        A query without any candidate lists nothing either, and isn't missing: it has no relevant photo.
        """
        return self.scored & (self.lengths == 0)

    @property
    def tied(self) -> np.ndarray:
        """(Q,) bool: where a relevant photo and another score the same, so that counts follow the list's order."""
        hit = self.hit
        return np.asarray(((self.scores[:, 1:] == self.scores[:, :-1]) & (hit[:, 1:] != hit[:, :-1])).any(axis=1))

    def narrowed(self, rows: np.ndarray, kept: np.ndarray, relevant: np.ndarray) -> Hits:
        """Ask some queries for some of their relevant photos: the others leave the lists, neither right nor wrong.

        Parameters
        ----------
        rows : ndarray of shape (q,), int
            Which queries.
        kept : ndarray of shape (q, K), bool
            Where a photo that is relevant stays so.
        relevant : ndarray of shape (q,), int
            How many relevant photos each of them then has, listed or not.
        """
        rows, kept, relevant = integers(rows, "rows"), bools(kept, "kept", 2), integers(relevant, "relevant")
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise WhalereidError(f"rows holds one that isn't there; the {len(self)} queries count from 0.")
        if kept.shape != (len(rows), self.hit.shape[1]) or len(relevant) != len(rows):
            raise WhalereidError(f"kept has shape {kept.shape} and relevant {relevant.shape} for {len(rows)} rows.")
        hit, scores = self.hit[rows], self.scores[rows]
        ignored = hit & ~kept
        order = np.argsort(ignored, axis=1, kind="stable")
        return Hits(
            query_ids=self.query_ids[rows],
            hit=np.take_along_axis(hit & kept, order, axis=1),
            scores=np.take_along_axis(np.where(ignored, -np.inf, scores), order, axis=1),
            relevant=relevant,
        )

    def __len__(self) -> int:
        return len(self.query_ids)

    def __repr__(self) -> str:
        return f"Hits({len(self)} queries, {int(self.scored.sum())} with a relevant photo, {self.hit.shape[1]} ranks)"


def as_ranking(ranking: RankingLike) -> Ranking:
    """Return a ranking from a table or a file of one, or as it is."""
    if isinstance(ranking, Ranking):
        return ranking
    if isinstance(ranking, pd.DataFrame):
        return Ranking.from_frame(ranking)
    wanted = "a Ranking, a table of query_id, database_image_id and score, or a path to one"
    return Ranking.read(path_of(ranking, "ranking", wanted))


def refuse_empty(ranking: Ranking) -> None:
    """Refuse a ranking without a single query: where nothing was asked, 0 is no score."""
    if not len(ranking):
        raise WhalereidError("ranking: it holds no query, so there is nothing to score; give one that lists photos.")
