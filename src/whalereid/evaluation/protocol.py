"""Protocol: queries, database, candidate rules and labels, so that any method is scored on exactly the same task."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.arrays import path_of, positions
from whalereid.candidates.rules import AnyRule
from whalereid.candidates.task import tasks_of
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.evaluation.checks import catalogue_of
from whalereid.evaluation.labels import Labels, LabelsLike
from whalereid.evaluation.protocol_files import LABELS, read_tasks_of_protocol, write_protocol
from whalereid.evaluation.spelling import nearest
from whalereid.evaluation.split_tasks import Split, tasks_from_split
from whalereid.ranking import CandidateMask, CandidateRules, Ranking, Task, tasks_from
from whalereid.reading import is_file

__all__ = ["Protocol"]


class Protocol:
    """One or several retrieval tasks with their labels.

    Parameters
    ----------
    tasks : sequence of Task
        Who is looked for among whom, by which rules; query ids all differ.
    catalogue : Catalogue, optional
        Has every photo of the tasks. Needed to imply labels, to rank, and to follow rules on columns.
    labels : Labels, mapping, DataFrame or path, optional
        The relevant photos of each query. By default those of its identity among its candidates.

    Attributes
    ----------
    tasks : tuple of Task
    catalogue : Catalogue or None
    labels : Labels
    distractors : tuple of str
        Ids of the queries that have no relevant photo; every other query has one at least.

    Raises
    ------
    WhalereidError
        No task, two tasks share a query id, a photo is absent from the catalogue, labels speak of unknown queries or of
        photos outside their database, or there is neither catalogue nor labels.

    Examples
    --------
    >>> photos = Catalogue(pd.DataFrame({"image_id": list("abcd"), "path": list("abcd"),
    ...                                  "identity": ["nanuq", "nanuq", "siku", None]}))
    >>> protocol = Protocol.from_catalogue(photos)
    >>> protocol, protocol.distractors
    (Protocol(4 queries among 4 photos, 1 scenario), ('c', 'd'))
    """

    def __init__(
        self, tasks: Sequence[Task], catalogue: Catalogue | None = None, labels: LabelsLike | None = None
    ) -> None:
        self.tasks = tasks_of(tasks)
        self.catalogue = None if catalogue is None else catalogue_of(catalogue)
        if not self.tasks:
            raise WhalereidError("protocol: no task; give one at least.")
        query_ids = pd.Index(self.query_ids, dtype=object)
        if not query_ids.is_unique:
            twice = query_ids[query_ids.duplicated()][0]
            raise WhalereidError(f"protocol: two tasks share the query id {twice!r}; put the task's name before it.")
        if catalogue is not None:
            for task in self.tasks:
                catalogue.rows(chain(task.query_images, task.database_images))
        if labels is None:
            if catalogue is None:
                raise WhalereidError("protocol: neither labels nor a catalogue to imply them; give one of the two.")
            self.labels = Labels.implied(catalogue, self.tasks)
        else:
            self.labels = Labels.of(labels)
            self._check_labels(query_ids)
        having = query_ids.isin(self.labels.query_ids)
        self.distractors = tuple(query_ids[~having])
        if not having.any():
            raise WhalereidError(
                f"protocol: none of the {len(query_ids)} queries has a relevant photo among its candidates; "
                "check the identities, or loosen exclude and match."
            )

    def _check_labels(self, query_ids: pd.Index) -> None:
        unknown = self.labels.query_ids[positions(self.labels.query_ids, query_ids) < 0]
        if len(unknown):
            alike = nearest(unknown[0], query_ids.to_numpy())
            raise WhalereidError(
                f"labels: {len(unknown)} of their queries are in no task: {listing(unknown)}"
                f"{'' if alike is None else f'; the nearest to {unknown[0]!r} is {alike!r}'}."
            )
        image_ids, query = self.labels.image_ids, self.labels.query
        for task, pairs in zip(self.tasks, self._by_task(self.labels.query_ids, query), strict=True):
            used, image = np.unique(self.labels.image[pairs], return_inverse=True)
            outside = np.flatnonzero((positions(image_ids[used], task.database_images) < 0)[image])
            if len(outside):
                first = pairs[outside[0]]
                alike = nearest(image_ids[self.labels.image[first]], task.database_images)
                raise WhalereidError(
                    f"labels: {image_ids[self.labels.image[first]]!r}, relevant to "
                    f"{self.labels.query_ids[query[first]]!r}, isn't in the database of {task.name!r} "
                    f"({len(outside)} such labels){'' if alike is None else f'; the nearest there is {alike!r}'}."
                )

    def _by_task(self, query_ids: np.ndarray, query: np.ndarray) -> Iterator[np.ndarray]:
        """For each task the positions of those of n codes into some query ids that are of its queries, ascending."""
        number = positions(query_ids, self.query_ids)[query]
        order = np.argsort(number, kind="stable")
        ends = np.searchsorted(number[order], np.cumsum([0, *(len(task.query_ids) for task in self.tasks)]))
        for start, stop in pairwise(ends):
            yield np.sort(order[start:stop])

    @classmethod
    def from_catalogue(
        cls,
        catalogue: Catalogue,
        *,
        exclude: Sequence[str] = (),
        match: Sequence[str] = (),
        rules: CandidateRules | Iterable[AnyRule] = (),
    ) -> Protocol:
        """Take a catalogue's scenarios or, where it has none, every photo against all the others.

        Parameters
        ----------
        catalogue : Catalogue
            The photos, with identities.
        exclude, match : sequence of str
            Columns of the candidate rules; see `CandidateRules`.
        rules : CandidateRules, or sequence of Rule or str
            Further rules.
        """
        catalogue = catalogue_of(catalogue)
        return cls(tasks_from(catalogue, exclude=exclude, match=match, rules=rules), catalogue)

    @classmethod
    def from_split(
        cls,
        catalogue: Catalogue,
        split: Split | Mapping[str, Split],
        *,
        database: Literal["test", "train", "all"] = "test",
        fold: int = 0,
        exclude: Sequence[str] = (),
        match: Sequence[str] = (),
        rules: CandidateRules | Iterable[AnyRule] = (),
    ) -> Protocol:
        """Look for the test photos of a split.

        Parameters
        ----------
        catalogue : Catalogue
            The photos, with identities.
        split : splitter, or pair of rows (train, test); or a mapping of names to several of them
            Several make as many scenarios, whose query ids are ``name-imageid``.
        database : {"test", "train", "all"}, default="test"
            Among whom: the other ``test`` photos (animals never seen in training), the photos of the ``train`` part
            (known animals; an open set; by date; across viewpoints), or ``all``.
        fold : int, default=0
            Which of a splitter's pairs.
        exclude, match : sequence of str
            Columns of the candidate rules; see `CandidateRules`.
        rules : CandidateRules, or sequence of Rule or str
            Further rules.

        Raises
        ------
        WhalereidError
            The split is impossible, a row is out of range, or not one query has a relevant photo.

        Examples
        --------
        >>> photos = Catalogue(pd.DataFrame({"image_id": list("abcd"), "path": list("abcd"),
        ...                                  "identity": ["nanuq", "nanuq", "siku", "siku"]}))
        >>> protocol = Protocol.from_split(photos, ([0, 2, 3], [1]), database="train")
        >>> protocol.labels.to_frame().to_numpy().tolist()
        [['b', 'a']]
        """
        catalogue = catalogue_of(catalogue)
        rules = CandidateRules.of(rules, exclude=exclude, match=match)
        return cls(tasks_from_split(catalogue, split, database=database, fold=fold, rules=rules), catalogue)

    @classmethod
    def read(cls, folder: str | os.PathLike[str], catalogue: Catalogue | None = None) -> Protocol:
        """Read the competition's scenario files.

        Parameters
        ----------
        folder : path
            Has ``query_scenarios.csv`` and the queries and databases that it names; ``labels.csv`` and the rules in
            ``protocol.json`` where there are any.
        catalogue : Catalogue, optional
            The photos; by default the folder's own table, if it has one.

        Raises
        ------
        WhalereidError
            A file or column is missing or not as it should be; names file and row.
        """
        folder = Path(path_of(folder, "folder"))
        if catalogue is not None:
            catalogue_of(catalogue)
        if catalogue is None and is_file(folder / "metadata.csv"):
            catalogue = Catalogue.read(folder)
        labels = folder / LABELS
        return cls(read_tasks_of_protocol(folder), catalogue, labels if is_file(labels) else None)

    def write(self, folder: str | os.PathLike[str]) -> None:
        """Write the competition's scenario files, and the rules.

        ``query_scenarios.csv``, ``queries/scenarioNN.csv``, ``databases/scenarioNN.csv``, ``labels.csv``, and
        ``protocol.json`` with the rules and the distractors.

        Raises
        ------
        WhalereidError
            The folder holds something else, or can't be written; there are more labels than can be listed.
        """
        folder = Path(path_of(folder, "folder"))
        try:
            labels = self.labels.to_frame()
        except WhalereidError as error:
            raise WhalereidError(f"{folder / LABELS}: {error}") from error
        write_protocol(self.tasks, labels, self.distractors, folder)

    @property
    def query_ids(self) -> tuple[str, ...]:
        """Ids of all queries, task after task."""
        return tuple(query_id for task in self.tasks for query_id in task.query_ids)

    @property
    def query_images(self) -> tuple[str, ...]:
        """The photo of each query, task after task."""
        return tuple(image for task in self.tasks for image in task.query_images)

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The task's name of each query, task after task."""
        return tuple(task.name for task in self.tasks for _ in task.query_ids)

    def admitted(self, ranking: Ranking) -> tuple[Ranking, int]:
        """Take from a ranking the photos that are no candidates: they are neither right nor wrong.

        Parameters
        ----------
        ranking : Ranking
            Of this protocol's queries, or some of them.

        Returns
        -------
        ranking : Ranking
            The same queries, their lists shorter where something was taken out.
        taken : int
            How many photos were.

        Raises
        ------
        WhalereidError
            A query is in no task, or a listed photo in no database.
        """
        ranking = self._of_these_queries(ranking)
        searched = pd.unique(np.concatenate([np.asarray(t.database_images, object) for t in self.tasks]))
        strange = ranking.database_ids[positions(ranking.database_ids, searched) < 0]
        if len(strange):
            raise WhalereidError(f"ranking: {len(strange)} of its photos are in no database: {listing(strange)}.")
        kept = ranking.codes >= 0
        parts = self._by_task(ranking.query_ids, np.arange(len(ranking)))
        for task, mask, rows in zip(self.tasks, self._masks, parts, strict=True):
            at_row, at_rank = np.nonzero(kept[rows])
            used, code = np.unique(ranking.codes[rows[at_row], at_rank], return_inverse=True)
            photo = positions(ranking.database_ids[used], task.database_images)[code]
            query = positions(ranking.query_ids[rows], task.query_ids)[at_row]
            allowed = photo >= 0
            allowed[allowed] = mask.pairs(query[allowed], photo[allowed])
            kept[rows[at_row], at_rank] = allowed
        taken = int((ranking.codes >= 0).sum() - kept.sum())
        if not taken:
            return ranking, 0
        order = np.argsort(~kept, axis=1, kind="stable")
        codes = np.take_along_axis(np.where(kept, ranking.codes, -1), order, axis=1)
        scores = np.take_along_axis(np.where(kept, ranking.scores, -np.inf), order, axis=1)
        learnt = ranking.trained_on
        return Ranking.from_codes(ranking.query_ids, ranking.database_ids, codes, scores, trained_on=learnt), taken

    def completed(self, ranking: Ranking) -> Ranking:
        """Put a ranking into the protocol's order, with an empty list for each query that it doesn't hold.

        A table of rows can't show a query that lists nothing; the protocol knows who was asked.

        Parameters
        ----------
        ranking : Ranking
            Of this protocol's queries, or some of them.

        Returns
        -------
        Ranking
            Of all queries, task after task.

        Raises
        ------
        WhalereidError
            A query is in no task.
        """
        ranking = self._of_these_queries(ranking)
        query_ids = np.asarray(self.query_ids, object)
        at = positions(query_ids, ranking.query_ids)
        if np.array_equal(at, np.arange(len(ranking))):
            return ranking
        codes, scores = np.full((len(at), ranking.k), -1, np.int64), np.full((len(at), ranking.k), -np.inf)
        codes[at >= 0], scores[at >= 0] = ranking.codes[at[at >= 0]], ranking.scores[at[at >= 0]]
        return Ranking.from_codes(query_ids, ranking.database_ids, codes, scores, trained_on=ranking.trained_on)

    def _of_these_queries(self, ranking: Ranking) -> Ranking:
        ranking = instance(ranking, "ranking", Ranking, "a Ranking")
        unknown = ranking.query_ids[positions(ranking.query_ids, self.query_ids) < 0]
        if len(unknown):
            raise WhalereidError(f"ranking: {len(unknown)} of its queries are in no task: {listing(unknown)}.")
        return ranking

    @cached_property
    def candidates(self) -> np.ndarray:
        """(Q,) int64: how many candidates each query has, task after task."""
        return np.concatenate([mask.count(np.arange(mask.shape[0])) for mask in self._masks])

    @cached_property
    def _masks(self) -> list[CandidateMask]:
        photos = self.catalogue
        pairs = ((task.rules, task.query_images, task.database_images) for task in self.tasks)
        if photos is None:
            return [rules.mask(queries, database) for rules, queries, database in pairs]
        return [rules.mask(photos.subset(queries), photos.subset(database)) for rules, queries, database in pairs]

    def __repr__(self) -> str:
        photos = len({image for task in self.tasks for image in task.database_images})
        many = "" if len(self.tasks) == 1 else "s"
        return f"Protocol({len(self.query_ids)} queries among {photos} photos, {len(self.tasks)} scenario{many})"
