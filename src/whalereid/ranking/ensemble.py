"""Ensemble: members' cosines fused, and the database ranked by them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np

from whalereid.arguments import instance, number, sequence, whole_number
from whalereid.candidates import CandidateRules
from whalereid.candidates.rule import Photos, image_ids
from whalereid.candidates.rules import AnyRule
from whalereid.catalogue import TrainedOn
from whalereid.embeddings import Embeddings
from whalereid.errors import WhalereidError, listing
from whalereid.ranking.exact import BLOCK, best_candidates
from whalereid.ranking.result import Ranking
from whalereid.ranking.search import Reranker, Search, check_reranker
from whalereid.ranking.similarity import Member, Similarity
from whalereid.text import id_array

__all__ = ["Ensemble"]


class Ensemble:
    """Members whose cosines are fused: a weighted mean, clipped.

    Parameters
    ----------
    members : sequence of Member, or mapping of str to Embeddings or (ids, vectors)
        At least one. Their weights are shares, divided by their sum; so .75 and .25 are as they stand, and the fused
        cosine lies in [-1, 1] again. Members of a mapping have equal weights.
    clip : tuple of float, default=(-1, 1)
        Bounds of the fused cosine. (0, 1) makes every score fit for a competition's submission. The members' own
        cosines aren't clipped before they are mixed.
    block : tuple of int
        Queries and database photos compared at a time. Rankings don't depend on it.
    progress : bool, default=False
        Show a bar on stderr while it ranks, where that is a terminal.

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
    >>> Ensemble({"mine": (["a", "b"], [[1.0, 0.0], [0.6, 0.8]])})
    Ensemble(1 mine, clip=(-1.0, 1.0))
    """

    def __init__(
        self,
        members: Sequence[Member] | Mapping[str, Embeddings | tuple[Sequence[str], Any]],
        *,
        clip: tuple[float, float] = (-1.0, 1.0),
        block: tuple[int, int] = BLOCK,
        progress: bool = False,
    ) -> None:
        wanted = "a list of Member, such as [Member('b5', embeddings)], or a mapping of names to embeddings"
        if isinstance(members, Mapping):
            members = [_member(name, given) for name, given in members.items()]
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
        steps = sequence(block, "block", 2, "how many queries and database photos to compare at a time")
        self.block = (whole_number(steps[0], "block", 1), whole_number(steps[1], "block", 1))
        self.progress = instance(progress, "progress", bool, "True or False")
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
        return Similarity(list(zip(self.shares, self.members, strict=True)), self.clip, queries, database)

    def rank(
        self,
        queries: Photos,
        database: Photos,
        k: int = 20,
        *,
        rerank: Reranker | str | None = None,
        rules: CandidateRules | Iterable[AnyRule] = (),
        exclude: Sequence[str] = (),
        match: Sequence[str] = (),
        query_ids: Sequence[str] | None = None,
    ) -> Ranking:
        """Rank the database for each query: exactly, the best k of its candidates, equal scores in database order.

        A photo is never its own candidate. Memory is bounded by the blocks, not by queries times database.

        Parameters
        ----------
        queries, database : Catalogue, or sequence of str
            Q and D photos; lists of image ids will do where no column is excluded or matched.
        k : int, default=20
            Photos a query; fewer where it has fewer candidates.
        rerank : Reranker or str, optional
            Such as `Expand`, or its name with options (``"expand:power=3"``).
        rules : CandidateRules, or sequence of Rule or str
            Who may be compared with whom, such as ``["within-days:days=30"]``.
        exclude, match : sequence of str
            Short for the rules on one column: in which a candidate must not equal the query, such as ``encounter``;
            in which it must, such as ``viewpoint``.
        query_ids : sequence of str, length Q, optional
            What the ranking calls the queries; by default their image ids.

        Returns
        -------
        Ranking of Q queries

        Raises
        ------
        WhalereidError
            A member lacks a photo, a column is missing, ids are repeated, or k is below 1.
        """
        k = whole_number(k, "k", 1)
        rerank = check_reranker(rerank)
        names, database_ids = image_ids(queries, "queries"), image_ids(database, "database")
        if len(set(database_ids)) < len(database_ids):
            twice = next(i for i, n in Counter(database_ids).items() if n > 1)
            raise WhalereidError(f"database: photo {twice!r} is repeated; each may stand there once.")
        called = names if query_ids is None else id_array(query_ids, "query_ids")
        if len(called) != len(names):
            raise WhalereidError(f"query_ids: {len(called)} for {len(names)} queries; give one each.")
        mask = CandidateRules.of(rules, exclude=exclude, match=match).mask(queries, database)
        with _bar(len(names), self.progress) as advance:
            search = Search(self, queries, database, mask, self.block, advance)
            if len(names) == 0 or len(database_ids) == 0:
                codes, scores = np.full((len(names), 0), -1), np.full((len(names), 0), -np.inf)
            elif rerank is None:
                codes, scores = best_candidates(search, k, block=self.block, advance=advance)
            else:
                codes, scores = rerank.rerank(search, k)
        return Ranking.from_codes(called, database_ids, codes, scores, trained_on=self.trained_on)

    def __repr__(self) -> str:
        parts = (f"{share:.3g} {member.name}" for share, member in zip(self.shares, self.members, strict=True))
        return f"Ensemble({listing(parts, most=8)}, clip={self.clip})"


def _member(name: str, given: Embeddings | tuple[Sequence[str], Any]) -> Member:
    if isinstance(given, Embeddings):
        return Member(name, given)
    ids, vectors = sequence(given, f"members: {name}", 2, "Embeddings, or (ids, vectors)")
    return Member(name, Embeddings.from_numpy(ids, vectors))


@contextmanager
def _bar(total: int, shown: bool) -> Iterator[Callable[[int], None]]:
    """Show how many queries are ranked, on stderr; yields what to call with the number done since."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task("ranking", total=total)
        yield lambda n: bar.advance(task, n)
