"""Expand: against the expansion written out as loops, in general; tiny databases, ties, blocks, errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import plain_ranking as plain
from whalereid.embeddings import Embeddings
from whalereid.errors import WhalereidError
from whalereid.ranking import Ensemble, Expand, Member, expand


def ids(n: int) -> list[str]:
    return [f"p{i:04d}" for i in range(n)]


def ensemble_of(names: list[str], vectors: np.ndarray, clip: tuple[float, float]):
    """The ensemble, and its similarity as a plain function."""
    table = dict(zip(names, vectors, strict=True))
    similar = lambda a, b: plain.fused([(1.0, table)], clip, a, b)  # noqa: E731
    return Ensemble([Member("m", Embeddings.from_numpy(names, vectors))], clip=clip), similar


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 9),
    seed=st.integers(0, 10**6),
    weights=st.sampled_from(
        [(0.4, 0.4, 0.2), (0.2, 0.4, 0.4), (1.0,), (0.5, 0.5), (0.0, 1.0), (1, 2, 3, 4, 5), (0.3, 0.0, 0.7)]
    ),
    power=st.sampled_from([1, 2, 3, 7, 2.5]),
    clip=st.sampled_from([(0.0, 1.0), (-1.0, 1.0)]),
    chain=st.booleans(),
    other=st.booleans(),
    k=st.sampled_from([1, 3, 20]),
    shortlist=st.sampled_from([None, 1000, 1, 5]),
)
def test_as_plain_loops(n, seed, weights, power, clip, chain, other, k, shortlist):
    rng = np.random.default_rng(seed)
    names = ids(n)
    ensemble, similar = ensemble_of(names, rng.normal(size=(n, 6)).astype(np.float32), clip)
    by, among = ensemble_of(names, rng.normal(size=(n, 5)).astype(np.float32), (0.0, 1.0)) if other else (None, similar)
    reranker = Expand(weights=weights, power=power, by=by, anchors="chain" if chain else "first", shortlist=shortlist)
    ranking = ensemble.rank(names, names, k, rerank=reranker)
    length = n if shortlist is None else max(shortlist, k, len(weights) - 1)
    for row, query in enumerate(names):
        best = dict(plain.ranked(similar, query, names, lambda a, b: True, length))
        searched = [name for name in names if name in best]
        want = plain.expanded(similar, among, query, searched, k, weights, power, chain)
        got = ranking.ids[row].tolist()
        np.testing.assert_allclose(ranking.scores[row, : len(got)], [s for _, s in want], rtol=0, atol=1e-5)
        longer = plain.expanded(
            similar, among, query, searched, k + 1, weights, power, chain
        )  # the first one cut off may tie
        if (np.abs(np.diff([s for _, s in longer])) > 1e-12).all():
            assert got == [name for name, _ in want]


@pytest.mark.parametrize("anchors", ["first", "chain"])
@pytest.mark.parametrize("clip", [(0.0, 1.0), (-1.0, 1.0)])
@pytest.mark.parametrize("shortlist", [None, 60, 21])
def test_copies_keep_database_order_whatever_the_blocks_and_strips(monkeypatch, anchors, clip, shortlist):
    rng = np.random.default_rng(5)
    n = 150
    vectors = np.abs(rng.normal(size=(n, 33))).astype(np.float32)
    copies = np.sort(rng.choice(n, 50, replace=False))
    vectors[copies] = vectors[copies[0]]
    names = ids(n)
    ensemble, _ = ensemble_of(names, vectors, clip)
    reranker = Expand(anchors=anchors, shortlist=shortlist)
    rankings = [
        Ensemble(ensemble.members, clip=clip, block=block).rank(names, names, rerank=reranker)
        for block in [(1024, 4096), (1, 11), (16, 64)]
    ]
    monkeypatch.setattr(expand, "_STRIP_BYTES", 10_000)  # two queries at a time
    rankings.append(ensemble.rank(names, names, rerank=reranker))
    for ranking in rankings[1:]:
        np.testing.assert_array_equal(ranking.codes, rankings[0].codes)
        np.testing.assert_allclose(ranking.scores, rankings[0].scores, atol=1e-5)
    assert rankings[0].codes[copies[5]].tolist() == [*copies[:5], *copies[6:21]]


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("anchors", ["first", "chain"])
def test_a_shortlist_of_all_is_the_whole_database(members, anchors):
    rng = np.random.default_rng(members)
    names = ids(300)
    parts = [Embeddings.from_numpy(names, rng.normal(size=(300, 20 + i))) for i in range(members)]
    ensemble = Ensemble([Member(f"m{i}", part, 1 + i) for i, part in enumerate(parts)])
    whole = ensemble.rank(names, names, rerank=Expand(anchors=anchors, shortlist=None))
    for shortlist in (299, 300, 1000):  # 299: all but the query itself
        some = ensemble.rank(names, names, rerank=Expand(anchors=anchors, shortlist=shortlist))
        np.testing.assert_array_equal(some.codes, whole.codes)
        np.testing.assert_allclose(some.scores, whole.scores, atol=1e-6)


def test_anchors_bring_up_only_the_shortlisted():
    """A friend of the best match that the query itself is unlike, behind strangers a little more alike."""
    turned = np.deg2rad([0, 40, 85])
    vectors = [[np.cos(turn), np.sin(turn), 0] for turn in turned] + [[0.3, 0, 0.95], [0.3, 0, -0.95], [0.25, 0, -0.97]]
    names = ["query", "match", "friend", "s1", "s2", "s3"]
    ensemble, _ = ensemble_of(names, np.array(vectors), (0, 1))
    assert ensemble.rank(["query"], names, 5).ids[0].tolist()[0] == "match"
    every = ensemble.rank(["query"], names, 2, rerank=Expand((0.5, 0.5), power=1, shortlist=None))
    assert every.ids[0].tolist() == ["match", "friend"]
    some = ensemble.rank(["query"], names, 2, rerank=Expand((0.5, 0.5), power=1, shortlist=2))
    assert "friend" not in some.ids[0].tolist()
    assert some.lengths.tolist() == [2]


def test_a_shortlist_is_never_shorter_than_the_list_asked_for():
    names = ids(50)
    ensemble, _ = ensemble_of(names, np.random.default_rng(0).normal(size=(50, 4)), (0, 1))
    assert ensemble.rank(names, names, 30, rerank=Expand(shortlist=1)).lengths.tolist() == [30] * 50


def test_one_candidate_is_its_own_anchor_and_none_gives_an_empty_list():
    names = ["q", "x"]
    ensemble, _ = ensemble_of(names, np.array([[1.0, 0.0], [0.6, 0.8]]), (0, 1))
    ranking = ensemble.rank(["q", "x"], ["x"], rerank=Expand())
    assert ranking.lengths.tolist() == [1, 0]
    assert ranking.scores[0, 0] == pytest.approx(0.4 * 0.6**7 + 0.4)
    assert ensemble.rank(["q"], [], rerank=Expand()).lengths.tolist() == [0]
    assert len(ensemble.rank([], ["q"], rerank=Expand())) == 0


def test_rules_hold_for_anchors_too():
    import pandas as pd

    from whalereid.catalogue import Catalogue

    names = ["q", "same day", "a", "b"]
    vectors = np.array([[1, 0], [1, 0.01], [1, 1], [0.2, 1]])
    photos = Catalogue(pd.DataFrame({"image_id": names, "path": names, "encounter": ["e", "e", "f", "g"]}))
    ensemble, similar = ensemble_of(names, vectors, (0, 1))
    ranking = ensemble.rank(photos[:1], photos, rerank=Expand(weights=(0.5, 0.5)), exclude=["encounter"])
    want = plain.expanded(similar, similar, "q", ["a", "b"], 20, (0.5, 0.5), 7, False)
    assert ranking.ids[0].tolist() == [name for name, _ in want]
    np.testing.assert_allclose(ranking.scores[0, :2], [score for _, score in want], atol=1e-6)


def test_photos_that_only_the_other_ensemble_lacks_are_named():
    ensemble, _ = ensemble_of(["q", "x", "y"], np.eye(3), (0, 1))
    by, _ = ensemble_of(["x"], np.eye(1), (0, 1))
    with pytest.raises(WhalereidError, match=r"'m'.*y"):
        ensemble.rank(["q"], ["x", "y"], rerank=Expand(by=by))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": ()}, "weights"),
        ({"weights": (0, 0)}, "weights"),
        ({"weights": (1, -1)}, "weights"),
        ({"weights": (1, float("nan"))}, "weights"),
        ({"power": 0.5}, "power is 0.5"),
        ({"power": float("inf")}, "power is inf"),
        ({"anchors": "best"}, "anchors is 'best'; choose from chain, first"),
        ({"shortlist": 0}, "shortlist is 0"),
        ({"shortlist": 2.5}, "shortlist is 2.5"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(WhalereidError, match=message):
        Expand(**options)
