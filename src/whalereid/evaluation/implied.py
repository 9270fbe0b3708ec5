"""Pairs that follow from identities and candidate rules: judged where they are asked for, not listed one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from whalereid.arrays import positions
from whalereid.candidates.mask import equal_pairs
from whalereid.candidates.task import tasks_of
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.evaluation.checks import catalogue_of
from whalereid.evaluation.pairs import ListedPairs, groups_of_photos, summed
from whalereid.ranking import CandidateMask, Ranking, Task

__all__ = ["ImpliedPairs"]

_MOST = 50_000_000  # pairs listed: ids of that many are some gigabytes


@dataclass(frozen=True, eq=False)
class _TaskCodes:
    """One task's queries and database, as codes.

    Attributes
    ----------
    first : int
        The number of its first query, counted over all tasks.
    photos : ndarray of shape (D,), int64
        The catalogue's row of each database photo.
    query_animal, photo_animal : ndarray of shape (Q,) and (D,), int64
        Identities; -1 is unknown.
    mask : CandidateMask
        Q queries, D photos.
    """

    first: int
    photos: np.ndarray
    query_animal: np.ndarray
    photo_animal: np.ndarray
    mask: CandidateMask


class ImpliedPairs:
    """A query's relevant photos are those of its identity among its candidates. Made by `Labels.implied`.

    What is kept grows with the photos, not with the pairs: identities and the rules' columns as codes, and how many
    relevant photos each query has.
    """

    ids_are_the_tasks = True
    """Whether no id can be written otherwise than in the ranking, being taken from the tasks."""

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
        self._tasks: list[_TaskCodes] = []
        animal = catalogue.labels()
        first, counts = 0, [np.zeros(0, np.int64)]
        for task in tasks:
            queries, database = catalogue.subset(task.query_images), catalogue.subset(task.database_images)
            photos = catalogue.rows(task.database_images)
            animals = animal[catalogue.rows(task.query_images)], animal[photos]
            one = _TaskCodes(first, photos, *animals, task.rules.mask(queries, database))
            self._tasks.append(one)
            counts.append(one.mask.count(np.arange(len(queries)), [(one.query_animal, one.photo_animal)]))
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
        hit = np.zeros(ranking.codes.shape, bool)
        at = positions(ranking.query_ids, self.query_ids)
        asked = np.flatnonzero(at >= 0)  # the others have no relevant photo
        number = self._number[at[asked]]
        photo = positions(ranking.database_ids, self._catalogue.image_ids)
        for one, rows in zip(self._tasks, self._by_task(number), strict=True):
            codes = ranking.codes[asked[rows]]
            row, rank = np.nonzero(codes >= 0)
            used, code = np.unique(codes[row, rank], return_inverse=True)
            place = np.asarray(pd.Index(one.photos).get_indexer(pd.Index(photo[used])), np.int64)[code]
            row, rank, place = row[place >= 0], rank[place >= 0], place[place >= 0]
            query = number[rows][row] - one.first
            right = (one.query_animal[query] == one.photo_animal[place]) & (one.query_animal[query] >= 0)
            right[right] = one.mask.pairs(query[right], place[right])
            hit[asked[rows][row], rank] = right
        return hit

    def tally(self, group: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Count each query's relevant photos by a group that the photos are in; see `Labels.tally`."""
        query, code, count = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        every = groups_of_photos(group, self._catalogue.image_ids)
        for one, rows in zip(self._tasks, self._by_task(self._number), strict=True):
            photo_group = every[one.photos]
            known = one.photo_animal >= 0
            stride = int(photo_group.max(initial=0)) + 1
            animal, what = np.divmod(np.unique(one.photo_animal[known] * stride + photo_group[known]), stride)
            queries = self._number[rows] - one.first
            self._refuse_crowds(
                one.query_animal[queries], animal, "photos in as many groups", "too many to break down by"
            )
            for position, place in equal_pairs(one.query_animal[queries], animal):
                asked = queries[position]
                found = one.mask.count(asked, [(one.query_animal[asked], one.photo_animal), (what[place], photo_group)])
                query.append(rows[position[found > 0]])
                code.append(what[place[found > 0]])
                count.append(found[found > 0])
        return summed(np.concatenate(query), np.concatenate(code), np.concatenate(count))

    def listed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """List every pair, once: the photos' ids, and of each pair the query's and the photo's position."""
        if self._listed is None:
            query, image = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
            for one, rows in zip(self._tasks, self._by_task(self._number), strict=True):
                queries = self._number[rows] - one.first
                self._refuse_crowds(
                    one.query_animal[queries], one.photo_animal, "photos", "too many to list pair by pair"
                )
                for position, place in equal_pairs(one.query_animal[queries], one.photo_animal):
                    kept = one.mask.pairs(queries[position], place)
                    query.append(rows[position[kept]])
                    image.append(one.photos[place[kept]])
            pairs = ListedPairs(self.query_ids, self._catalogue.image_ids, np.concatenate(query), np.concatenate(image))
            self._listed = pairs.listed()
        return self._listed

    def _by_task(self, number: np.ndarray) -> Iterator[np.ndarray]:
        """For each task the positions of those of these queries, given by their numbers, that it asks."""
        order = np.argsort(number, kind="stable")
        starts = np.searchsorted(number[order], [*(one.first for one in self._tasks), np.iinfo(np.int64).max])
        for start, stop in pairwise(starts):
            yield np.sort(order[start:stop])

    def _refuse_crowds(self, query_animal: np.ndarray, photo_animal: np.ndarray, what: str, wanted: str) -> None:
        """Refuse to list what no memory holds: an identity of tens of thousands of photos."""
        names = self._catalogue.identities
        asked, searched = (
            np.bincount(codes[codes >= 0], minlength=len(names)) for codes in (query_animal, photo_animal)
        )
        pairs = asked * searched
        if pairs.sum() > _MOST:
            crowd = int(pairs.argmax())
            raise WhalereidError(
                f"{self._catalogue.source}: {asked[crowd]:,} queries of identity {names[crowd]!r} and its "
                f"{searched[crowd]:,} {what} are {wanted}; ask for fewer queries or, if that is a name for unknown "
                "animals, leave their identity empty."
            )

    def __len__(self) -> int:
        return int(self._counts.sum())
