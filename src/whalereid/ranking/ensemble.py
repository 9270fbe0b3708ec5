"""Ensemble: members' cosines fused, and the database ranked by them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from typing import Protocol

import numpy as np

from whalereid.arguments import HIGHEST_WEIGHT, instance, number, sequence, whole_number
from whalereid.catalogue import TrainedOn
from whalereid.embeddings import Embeddings
from whalereid.embeddings.table import all_alike
from whalereid.errors import WhalereidError, listing
from whalereid.ranking.result import Ranking
from whalereid.ranking.rules import CandidateMask, CandidateRules, Photos, image_ids
from whalereid.ranking.search import BLOCK, slices, top_k
from whalereid.text import id_array

__all__ = ["COSINE_ERROR", "Ensemble", "Member", "Reranker", "Search", "Similarity"]

COSINE_ERROR = 4e-6
"""How far a float32 matrix product of unit vectors may lie from the float64 one: ten times the most seen at widths of
3 to 10,240 numbers."""
_EXACT_BYTES = 32 << 20  # float64 vectors compared at a time
_UNIT_BYTES = 64 << 20  # vectors of the database brought to length 1 at a time


@dataclass(frozen=True, eq=False)
class Member:
    """One network's embeddings in an ensemble.

    Attributes
    ----------
    name : str
        What errors call it.
    embeddings : Embeddings
        Raw; the cosine normalises. A vector of zeros has cosine 0 with everything.
    weight : float, default=1.0
        Its share of the mix, positive.

    Raises
    ------
    WhalereidError
        The weight isn't a positive number, or three vectors or more are all alike: nothing can be ranked by them.
    """

    name: str
    embeddings: Embeddings
    weight: float = 1.0

    def __post_init__(self) -> None:
        instance(self.name, "name", str, "what errors call the member, a text")
        instance(self.embeddings, "embeddings", Embeddings, "Embeddings (Embeddings.read, Embeddings.from_numpy)")
        if (
            not isinstance(self.weight, Real)
            or isinstance(self.weight, bool)
            or not 0 < self.weight <= HIGHEST_WEIGHT  # nor is NaN
        ):
            raise WhalereidError(
                f"member {self.name!r}: weight {self.weight!r:.60} isn't a positive number up to {HIGHEST_WEIGHT:g}."
            )
        if all_alike(self.embeddings.vectors):
            raise WhalereidError(
                f"member {self.name!r}: the vectors of all {len(self.embeddings)} photos are alike, so they can't be "
                "ranked; is the network trained, and are these different photos?"
            )

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """(n,) int64: the row of each photo.

        Raises
        ------
        WhalereidError
            A photo has no vector here; names the member and the first few photos.
        """
        try:
            return self.embeddings.rows(ids)
        except WhalereidError as error:
            raise WhalereidError(f"member {self.name!r}: {error}") from error


class _UnitRows:
    """A member's vectors at length 1, made where they are asked for: all of them would take as much memory again."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.width = embeddings.dim
        self._vectors = embeddings.vectors
        self._lengths = np.where(embeddings.lengths > 0, embeddings.lengths, 1)[:, None]  # zeros stay zeros

    def take(self, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """(n, D) float32, of these rows; in `out` where that is given."""
        if out is None:
            out = np.empty((len(rows), self.width), np.float32)
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():  # a run: nothing to gather
            run = slice(int(rows[0]), int(rows[-1]) + 1)
            return np.divide(self._vectors[run], self._lengths[run], out=out, casting="same_kind")
        np.take(self._vectors, rows, axis=0, out=out, mode="clip")
        return np.divide(out, self._lengths[rows], out=out, casting="same_kind")


class Similarity:
    """Fused cosines of Q queries and D database photos, computed in blocks. Built by `Ensemble.similarity`.

    Attributes
    ----------
    shape : tuple of int
        (Q, D).
    """

    def __init__(self, ensemble: Ensemble, queries: Photos, database: Photos) -> None:
        instance(ensemble, "ensemble", Ensemble, "an Ensemble")
        same = database is queries
        queries = image_ids(queries, "queries")
        database = queries if same else image_ids(database, "database")
        self.shape = (len(queries), len(database))
        self._low, self._high = ensemble.clip
        self._members = []
        for share, member in zip(ensemble.shares, ensemble.members, strict=True):
            ours = member.rows(queries)
            theirs = ours if database is queries else member.rows(database)
            self._members.append((share, _UnitRows(member.embeddings), ours, theirs))
        self._buffers: dict[str, np.ndarray] = {}

    def block(self, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """(q, d) float32, for these queries and these database photos; valid until the next call."""
        total: np.ndarray | None = None
        for share, unit, ours, theirs in self._members:
            asked, searched = ours[rows], theirs[columns]
            left = unit.take(asked, self._buffer("left", len(asked), unit.width))
            product = self._buffer("total" if total is None else "product", len(asked), len(searched))
            for some in slices(len(searched), max(64, _UNIT_BYTES // (4 * unit.width))):
                right = unit.take(searched[some], self._buffer("right", some.stop - some.start, unit.width))
                np.matmul(left, right.T, out=product[:, some])
            total = self._mixed(total, product, share)
        return self._clipped(total)

    def own(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n, a, b) float32: of n groups, the a rows of each (n, a) with its own b columns (n, b)."""
        total: np.ndarray | None = None
        for share, unit, ours, theirs in self._members:
            product = np.empty((*rows.shape, columns.shape[1]), np.float32)
            for some in slices(len(rows), max(1, _UNIT_BYTES // (4 * unit.width * max(columns.shape[1], 1)))):
                asked, searched = ours[rows[some]].reshape(-1), theirs[columns[some]].reshape(-1)
                left = unit.take(asked, self._buffer("left", len(asked), unit.width))
                right = unit.take(searched, self._buffer("right", len(searched), unit.width))
                left, right = (part.reshape(some.stop - some.start, -1, unit.width) for part in (left, right))
                np.matmul(left, right.transpose(0, 2, 1), out=product[some])
            total = self._mixed(total, product, share)
        return self._clipped(total)

    def exact(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n,) float64: the fused cosines of n pairs, each depending on its pair alone."""
        total = np.zeros(len(rows))
        for share, unit, ours, theirs in self._members:
            step = max(1, _EXACT_BYTES // (16 * unit.width))
            for part in slices(len(rows), step):
                product = unit.take(ours[rows[part]]).astype(np.float64)
                product *= unit.take(theirs[columns[part]])
                total[part] += share * np.add.reduce(product, axis=1)
        return self._clipped(total)

    def error(self, scores: np.ndarray) -> np.ndarray:
        """Bound how far `block` and `own` may lie from `exact`."""
        return np.full(scores.shape, COSINE_ERROR)

    @staticmethod
    def _mixed(total: np.ndarray | None, product: np.ndarray, share: float) -> np.ndarray:
        """Add a member's cosines to the others', in place."""
        if share != 1:
            product *= np.float32(share)
        return product if total is None else np.add(total, product, out=total)

    def _clipped(self, total: np.ndarray | None) -> np.ndarray:
        assert total is not None  # an ensemble has members
        return np.clip(total, self._low, self._high, out=total)

    def _buffer(self, name: str, n: int, width: int) -> np.ndarray:
        """(n, width) float32 in memory that is kept: allocating each block anew doubles the time."""
        size = n * width
        if name not in self._buffers or self._buffers[name].size < size:
            self._buffers[name] = np.empty(size, np.float32)
        return self._buffers[name][:size].reshape(n, width)


@dataclass(frozen=True, eq=False)
class Search:
    """Who is looked for among whom, and how alike they are: what a re-ranker starts from.

    Attributes
    ----------
    ensemble : Ensemble
    queries, database : ndarray of shape (Q,) and (D,), str objects
        Image ids.
    mask : CandidateMask
    block_size : tuple of int
        Queries and database photos per block.
    advance : callable
        To be told how many queries are done, each time some are.
    """

    ensemble: Ensemble
    queries: np.ndarray
    database: np.ndarray
    mask: CandidateMask
    block_size: tuple[int, int] = BLOCK
    advance: Callable[[int], None] = field(default=lambda n: None)

    def __post_init__(self) -> None:
        instance(self.ensemble, "ensemble", Ensemble, "an Ensemble")
        instance(self.mask, "mask", CandidateMask, "the CandidateMask of these queries and this database")

    @cached_property
    def similarity(self) -> Similarity:
        """The ensemble's, of these queries and this database."""
        return self.ensemble.similarity(self.queries, self.database)

    @property
    def shape(self) -> tuple[int, int]:
        """(Q, D)."""
        return self.mask.shape

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
    """Gives candidates new scores from how alike queries and database photos, or these among themselves, are."""

    def rerank(self, search: Search, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Find each query's k best by the new scores.

        Returns
        -------
        codes : ndarray of shape (Q, k'), int64
            Database photos, best first; -1 pads.
        scores : ndarray of the same shape, float64
            Descending; -inf pads.
        """


class Ensemble:
    """Members whose cosines are fused: a weighted mean, clipped.

    Parameters
    ----------
    members : sequence of Member
        At least one. Their weights are shares, divided by their sum; so .75 and .25 are as they stand, and the fused
        cosine lies in [-1, 1] again.
    clip : tuple of float, default=(-1, 1)
        Bounds of the fused cosine. (0, 1) makes every score fit for a competition's submission. The members' own
        cosines aren't clipped before they are mixed.

    Raises
    ------
    WhalereidError
        No member, or bounds out of order.

    Examples
    --------
    >>> photos = Embeddings.from_numpy(["a", "b", "c"], [[1.0, 0.0], [0.6, 0.8], [0.0, 2.0]])
    >>> ranking = Ensemble([Member("mine", photos)]).rank(["a"], ["a", "b", "c"], k=2)
    >>> ranking.ids[0].tolist(), ranking.scores[0].round(3).tolist()
    (['b', 'c'], [0.6, 0.0])
    """

    def __init__(self, members: Sequence[Member], *, clip: tuple[float, float] = (-1.0, 1.0)) -> None:
        wanted = "a list of Member, such as [Member('b5', embeddings)]"
        self.members: tuple[Member, ...] = tuple(instance(members, "members", Iterable, wanted))
        for member in self.members:
            instance(member, "one of members", Member, wanted)
        if not self.members:
            raise WhalereidError("ensemble: no members; give at least one.")
        bounds = sequence(clip, "clip", 2, "two bounds, such as (0, 1)")
        low, high = (number(bound, "a bound of clip", -math.inf) for bound in bounds)
        if not low < high:
            raise WhalereidError(f"ensemble: clip is {clip}; give the lower bound first, such as (0, 1).")
        self.clip = (low, high)
        total = math.fsum(member.weight for member in self.members)
        self.shares = tuple(member.weight / total for member in self.members)

    @cached_property
    def trained_on(self) -> TrainedOn | None:
        """What any of the members' networks was trained on; None where one doesn't say."""
        return TrainedOn.of_all(member.embeddings.trained_on for member in self.members)

    def similarity(self, queries: Photos, database: Photos) -> Similarity:
        """Fused cosines of Q queries and D database photos, computed in the blocks that are asked for.

        Raises
        ------
        WhalereidError
            A member has no vector of a photo.
        """
        return Similarity(self, queries, database)

    def rank(
        self,
        queries: Photos,
        database: Photos,
        k: int = 20,
        *,
        rerank: Reranker | None = None,
        exclude: Sequence[str] = (),
        match: Sequence[str] = (),
        query_ids: Sequence[str] | None = None,
        block: tuple[int, int] = BLOCK,
        progress: bool = False,
    ) -> Ranking:
        """Rank the database for each query: exactly, the best k of its candidates, equal scores in database order.

        A photo is never its own candidate. Memory is bounded by the blocks, not by queries times database.

        Parameters
        ----------
        queries, database : Catalogue, or sequence of str
            Q and D photos; lists of image ids will do where no column is excluded or matched.
        k : int, default=20
            Photos a query; fewer where it has fewer candidates.
        rerank : Reranker, optional
            Such as `Expand`.
        exclude : sequence of str
            Columns in which a candidate must not equal the query, such as ``encounter``.
        match : sequence of str
            Columns in which a candidate must equal the query, such as ``viewpoint``.
        query_ids : sequence of str, length Q, optional
            What the ranking calls the queries; by default their image ids.
        block : tuple of int
            Queries and database photos compared at a time.
        progress : bool, default=False
            Show a bar on stderr, where that is a terminal.

        Returns
        -------
        Ranking of Q queries

        Raises
        ------
        WhalereidError
            A member lacks a photo, a column is missing, ids are repeated, or k is below 1.
        """
        k = whole_number(k, "k", 1)
        steps = sequence(block, "block", 2, "how many queries and database photos to compare at a time")
        block = (whole_number(steps[0], "block", 1), whole_number(steps[1], "block", 1))
        if rerank is not None and (isinstance(rerank, type) or not callable(getattr(rerank, "rerank", None))):
            raise WhalereidError(f"rerank is {rerank!r:.60}; give a re-ranker such as Expand(), or None.")
        instance(progress, "progress", bool, "True or False")
        names, database_ids = image_ids(queries, "queries"), image_ids(database, "database")
        if len(set(database_ids)) < len(database_ids):
            twice = next(i for i, n in Counter(database_ids).items() if n > 1)
            raise WhalereidError(f"database: photo {twice!r} is repeated; each may stand there once.")
        called = names if query_ids is None else id_array(query_ids, "query_ids")
        if len(called) != len(names):
            raise WhalereidError(f"query_ids: {len(called)} for {len(names)} queries; give one each.")
        mask = CandidateRules(exclude, match).mask(queries, database)
        with _bar(len(names), progress) as advance:
            search = Search(self, names, database_ids, mask, block, advance)
            if len(names) == 0 or len(database_ids) == 0:
                codes, scores = np.full((len(names), 0), -1), np.full((len(names), 0), -np.inf)
            elif rerank is None:
                codes, scores = top_k(search, k, block=block, advance=advance)
            else:
                codes, scores = rerank.rerank(search, k)
        return Ranking.from_codes(called, database_ids, codes, scores, trained_on=self.trained_on)

    def __repr__(self) -> str:
        parts = (f"{share:.3g} {member.name}" for share, member in zip(self.shares, self.members, strict=True))
        return f"Ensemble({listing(parts, most=8)}, clip={self.clip})"


@contextmanager
def _bar(total: int, shown: bool) -> Iterator[Callable[[int], None]]:
    """Show how many queries are ranked, on stderr; yields what to call with the number done since."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task("ranking", total=total)
        yield lambda n: bar.advance(task, n)
