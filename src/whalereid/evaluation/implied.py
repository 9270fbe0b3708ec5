"""Labels that follow from identities and candidate rules: judged where they are asked for, not listed pair by pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.candidates.mask import equal_pairs
from whalereid.candidates.task import tasks_of
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.evaluation.arrays import catalogue_of
from whalereid.evaluation.labels import Labels, _grouped, _summed, positions
from whalereid.ranking import CandidateMask, Ranking, Task

__all__ = ["ImpliedLabels"]

_MOST = 50_000_000  # pairs listed: ids of that many are some gigabytes


@dataclass(frozen=True, eq=False)
class _Asked:
    """One task's queries and database, as codes.

    Attributes
    ----------
    first : int
        The number of its first query, counted over all tasks.
    photos : ndarray of shape (D,), int64
        The catalogue's row of each database photo.
    ours, theirs : ndarray of shape (Q,) and (D,), int64
        Identities; -1 is unknown.
    mask : CandidateMask
        Q queries, D photos.
    """

    first: int
    photos: np.ndarray
    ours: np.ndarray
    theirs: np.ndarray
    mask: CandidateMask


class ImpliedLabels(Labels):
    """A query's relevant photos are those of its identity among its candidates. Made by `Labels.implied`.

    What is kept grows with the photos, not with the pairs: identities and the rules' columns as codes, and how many
    relevant photos each query has.
    """

    def __init__(self, catalogue: Catalogue, tasks: Sequence[Task]) -> None:
        catalogue, tasks = catalogue_of(catalogue), tasks_of(tasks)
        if not catalogue.n_identities:
            raise WhalereidError(
                f"{catalogue.source}: no photo has a known identity, so nothing says which matches are right; "
                "fill the column identity, or give labels."
            )
        query_ids = pd.Index([query_id for task in tasks for query_id in task.query_ids], dtype=object)
        if not query_ids.is_unique:
            twice = query_ids[query_ids.duplicated()][0]
            raise WhalereidError(f"tasks: two share the query id {twice!r}; put the task's name before it.")
        self._catalogue = catalogue
        self._asked: list[_Asked] = []
        whose = catalogue.labels()
        first, counts = 0, [np.zeros(0, np.int64)]
        for task in tasks:
            queries, database = catalogue.subset(task.query_images), catalogue.subset(task.database_images)
            photos = catalogue.rows(task.database_images)
            ours, theirs = whose[catalogue.rows(task.query_images)], whose[photos]
            one = _Asked(first, photos, ours, theirs, task.rules.mask(queries, database))
            self._asked.append(one)
            counts.append(one.mask.count(np.arange(len(queries)), [(one.ours, one.theirs)]))
            first += len(queries)
        every = np.concatenate(counts)
        self._number = np.flatnonzero(every > 0)  # of all queries asked, which these are
        self._counts = every[self._number]
        self.query_ids = np.asarray(query_ids, object)[self._number]
        self.query_ids.flags.writeable = False
        self._listed: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    @property
    def counts(self) -> np.ndarray:
        """(Q,) int64: how many relevant photos each query has; 1 or more."""
        return self._counts

    def hits(self, ranking: Ranking) -> np.ndarray:
        """(R, k) bool: which photos that a ranking of R queries lists are relevant to their query."""
        ranking = instance(ranking, "ranking", Ranking, "a Ranking")
        hit = np.zeros(ranking.codes.shape, bool)
        at = positions(ranking.query_ids, self.query_ids)
        asked = np.flatnonzero(at >= 0)  # the others have no relevant photo
        number = self._number[at[asked]]
        photo = positions(ranking.database_ids, self._catalogue.image_ids)
        for one, rows in zip(self._asked, self._by_task(number), strict=True):
            codes = ranking.codes[asked[rows]]
            row, rank = np.nonzero(codes >= 0)
            used, code = np.unique(codes[row, rank], return_inverse=True)
            place = np.asarray(pd.Index(one.photos).get_indexer(pd.Index(photo[used])), np.int64)[code]
            row, rank, place = row[place >= 0], rank[place >= 0], place[place >= 0]
            query = number[rows][row] - one.first
            right = (one.ours[query] == one.theirs[place]) & (one.ours[query] >= 0)
            right[right] = one.mask.pairs(query[right], place[right])
            hit[asked[rows][row], rank] = right
        return hit

    def _check_spelling(self, ranking: Ranking, known: np.ndarray) -> None:
        """Nothing to refuse: the ids are the tasks' own."""

    def tally(self, group: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Count each query's relevant photos by a group that the photos are in; see `Labels.tally`."""
        query, code, count = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        every = _grouped(group, self._catalogue.image_ids)
        for one, rows in zip(self._asked, self._by_task(self._number), strict=True):
            theirs = every[one.photos]
            known = one.theirs >= 0
            stride = int(theirs.max(initial=0)) + 1
            whose, what = np.divmod(np.unique(one.theirs[known] * stride + theirs[known]), stride)
            ours = self._number[rows] - one.first
            self._refuse_crowds(one.ours[ours], whose, "photos in as many groups", "too many to break down by")
            for position, place in equal_pairs(one.ours[ours], whose):
                asked = ours[position]
                found = one.mask.count(asked, [(one.ours[asked], one.theirs), (what[place], theirs)])
                query.append(rows[position[found > 0]])
                code.append(what[place[found > 0]])
                count.append(found[found > 0])
        return _summed(np.concatenate(query), np.concatenate(code), np.concatenate(count))

    def _pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """List every pair, once."""
        if self._listed is None:
            query, image = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
            for one, rows in zip(self._asked, self._by_task(self._number), strict=True):
                ours = self._number[rows] - one.first
                self._refuse_crowds(one.ours[ours], one.theirs, "photos", "too many to list pair by pair")
                for position, place in equal_pairs(one.ours[ours], one.theirs):
                    kept = one.mask.pairs(ours[position], place)
                    query.append(rows[position[kept]])
                    image.append(one.photos[place[kept]])
            labels = Labels.from_codes(
                self.query_ids, self._catalogue.image_ids, np.concatenate(query), np.concatenate(image)
            )
            self._listed = labels._pairs()
        return self._listed

    def _by_task(self, number: np.ndarray) -> Iterator[np.ndarray]:
        """For each task the positions of those of these queries, given by their numbers, that it asks."""
        order = np.argsort(number, kind="stable")
        starts = np.searchsorted(number[order], [*(one.first for one in self._asked), np.iinfo(np.int64).max])
        for start, stop in pairwise(starts):
            yield np.sort(order[start:stop])

    def _refuse_crowds(self, ours: np.ndarray, theirs: np.ndarray, what: str, wanted: str) -> None:
        """Refuse to list what no memory holds: an identity of tens of thousands of photos."""
        names = self._catalogue.identities
        asked, held = (np.bincount(codes[codes >= 0], minlength=len(names)) for codes in (ours, theirs))
        pairs = asked * held
        if pairs.sum() > _MOST:
            crowd = int(pairs.argmax())
            raise WhalereidError(
                f"{self._catalogue.source}: {asked[crowd]:,} queries of identity {names[crowd]!r} and its "
                f"{held[crowd]:,} {what} are {wanted}; ask for fewer queries or, if that is a name for unknown "
                "animals, leave their identity empty."
            )

    def __len__(self) -> int:
        return int(self._counts.sum())
