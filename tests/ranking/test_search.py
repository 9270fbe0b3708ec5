"""What a re-ranker starts from, vectors and scores of other tools, and how a ranking looks in a notebook."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whalereid.candidates import CandidateRules
from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings
from whalereid.errors import WhalereidError
from whalereid.ranking import Ensemble, Member, Ranking, Search

IDS = [f"p{number}" for number in range(8)]
PHOTOS = Catalogue(pd.DataFrame({"image_id": IDS, "path": IDS, "encounter": list("aabbccdd")}))
VECTORS = np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32)
ENSEMBLE = Ensemble({"mine": (IDS, VECTORS)})


def test_a_mapping_is_members_of_equal_weight() -> None:
    other = Embeddings.from_numpy(IDS, VECTORS[::-1])
    mapped = Ensemble({"one": (IDS, VECTORS), "two": other})
    listed = Ensemble([Member("one", Embeddings.from_numpy(IDS, VECTORS)), Member("two", other)])
    assert [member.name for member in mapped.members] == ["one", "two"]
    assert mapped.shares == listed.shares
    np.testing.assert_array_equal(mapped.rank(IDS, IDS).scores, listed.rank(IDS, IDS).scores)


def test_a_search_knows_the_photos_and_their_best_candidates() -> None:
    class Look:
        def rerank(self, search: Search, k: int) -> tuple[np.ndarray, np.ndarray]:
            assert search.queries is queries
            assert search.database is PHOTOS  # columns and files, not ids alone
            assert search.query_ids.tolist() == IDS[:3]
            codes, scores = search.shortlist(4)
            assert codes.shape == scores.shape == (3, 4)
            return codes[:, :k], scores[:, :k]

    queries = PHOTOS[:3]
    plain = ENSEMBLE.rank(queries, PHOTOS, 2, exclude="encounter")
    looked = ENSEMBLE.rank(queries, PHOTOS, 2, exclude="encounter", rerank=Look())
    np.testing.assert_array_equal(looked.codes, plain.codes)
    np.testing.assert_allclose(looked.scores, plain.scores)


@settings(max_examples=50, deadline=None)
@given(data=st.data(), are=st.sampled_from(["scores", "distances"]), k=st.integers(1, 9))
def test_another_tools_matrix_is_ranked(data: st.DataObject, are: str, k: int) -> None:
    numbers = st.sampled_from([-1.0, 0.0, 0.25, 0.5, 3.0])
    matrix = np.array(data.draw(st.lists(st.lists(numbers, min_size=8, max_size=8), min_size=3, max_size=3)))
    queries = PHOTOS[[1, 2, 5]]
    ranking = Ranking.from_scores(matrix, queries, PHOTOS, k=k, are=are, rules=CandidateRules("encounter"))
    assert ranking.query_ids.tolist() == ["p1", "p2", "p5"]
    for query, row in zip([1, 2, 5], range(3), strict=True):
        allowed = [place for place in range(8) if place // 2 != query // 2]
        order = sorted(allowed, key=lambda place: matrix[row, place] if are == "distances" else -matrix[row, place])
        assert ranking.ids[row].tolist() == [IDS[place] for place in order[:k]]
        sign = -1 if are == "distances" else 1
        assert ranking.scores[row, : len(order[:k])].tolist() == [sign * matrix[row, place] for place in order[:k]]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Ranking.from_scores([[1.0]], ["q"], ["a", "b"]), r"scores have shape \(1, 1\) for 1 queries and 2"),
        (lambda: Ranking.from_scores([[1.0, np.nan]], ["q"], ["a", "b"]), "that of 'q' and 'b' is NaN"),
        (lambda: Ranking.from_scores([[1.0, np.inf]], ["q"], ["a", "b"]), "that of 'q' and 'b' is infinitely good"),
        (lambda: Ranking.from_scores([[1, 2]], ["q"], ["a", "b"], are="cosines"), "are is 'cosines'; choose from"),
        (lambda: Ranking.from_scores([["x", "y"]], ["q"], ["a", "b"]), "scores: hold <U1, not numbers"),
        (lambda: Ranking.from_scores([[1, 2]], ["q"], ["a", "a"]), "database ids repeat"),
        (lambda: Ranking.from_scores([[1, 2]], ["q"], ["a", "b"], k=0), "k is 0"),
        (lambda: Ranking.from_scores([[1, 2]], ["q"], ["a", "b"], rules=["differ:column=x"]), "as catalogues"),
        (lambda: ENSEMBLE.rank(IDS, IDS, rerank=object()), "give a re-ranker such as Expand"),
        (lambda: Ensemble({"mine": (IDS,)}), "members: mine"),
    ],
)
def test_refusals(make: Any, says: str) -> None:
    with pytest.raises(WhalereidError, match=says):
        make()


def test_a_photo_that_is_infinitely_far_is_no_candidate() -> None:
    ranking = Ranking.from_scores([[1.0, np.inf]], ["q"], ["a", "b"], are="distances")
    assert ranking.ids[0].tolist() == ["a"]


def test_a_notebook_shows_it_shortly_and_escaped() -> None:
    ranking = Ranking([["<script>alert(1)</script>", "b"], []], [[0.5, 0.25], []], query_ids=["<b>q", "r"])
    page = ranking._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;q" in page
    many = ENSEMBLE.rank(IDS, IDS)._repr_html_()
    assert many.count("<tr>") <= 7
    assert repr(ranking) == "Ranking(2 queries, best 2)"
