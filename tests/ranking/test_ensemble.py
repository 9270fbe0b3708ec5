"""Ensemble: against plain loops, whatever the blocks; ties, rules, empty lists, errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles import plain_ranking as plain
from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings
from whalereid.embeddings.table import all_alike
from whalereid.errors import WhalereidError
from whalereid.ranking import Ensemble, Member
from whalereid.ranking.exact import Strip, best_candidates

BLOCKS = [(1024, 4096), (1, 1), (3, 7), (16, 64), (1, 1000), (1000, 1)]


def in_blocks(ensemble: Ensemble, block: tuple[int, int]) -> Ensemble:
    return Ensemble(ensemble.members, clip=ensemble.clip, block=block)


def ids(n: int, prefix: str = "p") -> list[str]:
    return [f"{prefix}{i:04d}" for i in range(n)]


def same_rankings(rankings: list) -> None:
    """The same photos in the same order, scores but for the rounding of float32."""
    for ranking in rankings[1:]:
        np.testing.assert_array_equal(ranking.codes, rankings[0].codes)
        np.testing.assert_allclose(ranking.scores, rankings[0].scores, rtol=0, atol=2e-6)


def as_pairs(ranking) -> list[list[tuple[str, float]]]:
    rows = zip(ranking.ids, ranking.scores, strict=True)
    return [list(zip(names, scores[: len(names)], strict=True)) for names, scores in rows]


def assert_as_plain(got: list[tuple[str, float]], want: list[tuple[str, float]], tolerance: float = 1e-6) -> None:
    """Equal scores rank by rank; and the same photos where the scores are told apart."""
    assert len(got) == len(want)
    np.testing.assert_allclose([s for _, s in got], [s for _, s in want], rtol=0, atol=tolerance)
    scores = np.array([s for _, s in want])
    for i, (name, _) in enumerate(want):
        if (np.abs(np.delete(scores, i) - scores[i]) > 1e-9).all() and i < len(want) - 1:
            assert got[i][0] == name


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_as_plain_loops_whatever_the_blocks(data):
    """Vectors of small whole numbers: many ties, opposites and zeros."""
    n = data.draw(st.integers(1, 14), "photos")
    clip = data.draw(st.sampled_from([(-1.0, 1.0), (0.0, 1.0)]))
    weights = data.draw(st.lists(st.sampled_from([0.25, 0.75, 1.0, 2.0]), min_size=1, max_size=3))
    width = data.draw(st.integers(1, 5))
    row = st.lists(st.integers(-2, 2), min_size=width, max_size=width)
    names = ids(n)
    arrays = [np.array(data.draw(st.lists(row, min_size=n, max_size=n)), np.float32) for _ in weights]
    assume(not any(all_alike(array) for array in arrays))
    members = [
        Member(f"m{i}", Embeddings.from_numpy(names, array), w)
        for i, (w, array) in enumerate(zip(weights, arrays, strict=True))
    ]
    ensemble = Ensemble(members, clip=clip)
    k = data.draw(st.integers(1, 6))
    rankings = [in_blocks(ensemble, block).rank(names, names, k) for block in [*BLOCKS, (2, 3)]]
    same_rankings(rankings)
    tables = [(w, dict(zip(names, array, strict=True))) for w, array in zip(weights, arrays, strict=True)]
    for name, got in zip(names, as_pairs(rankings[0]), strict=True):
        want = plain.ranked(lambda a, b: plain.fused(tables, clip, a, b), name, names, lambda a, b: True, k)
        assert_as_plain(got, want)


@pytest.mark.parametrize("width", [3, 40, 700])
def test_many_photos_as_plain_products(width):
    rng = np.random.default_rng(width)
    vectors = rng.normal(size=(400, width)).astype(np.float32)
    vectors[7] = 0
    names = ids(400)
    ensemble = Ensemble([Member("m", Embeddings.from_numpy(names, vectors))])
    unit = vectors.astype(float) / np.maximum(np.linalg.norm(vectors.astype(float), axis=1, keepdims=True), 1e-300)
    exact = unit[:50] @ unit.T
    exact[np.arange(50), np.arange(50)] = -np.inf
    order = np.argsort(-exact, axis=1, kind="stable")[:, :20]
    for block in BLOCKS[:-2]:
        ranking = in_blocks(ensemble, block).rank(names[:50], names)
        told = np.arange(50) != 7  # the vector of zeros ties with everything
        np.testing.assert_array_equal(ranking.codes[told], order[told])
        np.testing.assert_allclose(ranking.scores, np.take_along_axis(exact, ranking.codes, 1), rtol=0, atol=1e-6)
    assert ranking.ids[7].tolist() == [*names[:7], *names[8:21]]
    assert (ranking.scores[7] == 0).all()


@pytest.mark.parametrize("width", [17, 513, 2048])
def test_copies_of_a_photo_stand_in_database_order_whatever_the_blocks(width):
    rng = np.random.default_rng(width)
    vectors = rng.normal(size=(300, width)).astype(np.float32)
    copies = np.sort(rng.choice(300, 60, replace=False))
    vectors[copies] = vectors[copies[0]]  # 60 equal ones: more than a list of 20 holds, or than is held to spare
    vectors[rng.choice(300, 20, replace=False)] *= 2  # the same direction, another length
    names = ids(300)
    ensemble = Ensemble([Member("m", Embeddings.from_numpy(names, vectors))])
    queries = [names[copies[0]], names[copies[30]], *names[:40]]
    queries = list(dict.fromkeys(queries))
    blocks = [(1024, 4096), (1, 50), (7, 31), (16, 64)]
    rankings = [in_blocks(ensemble, block).rank(queries, names) for block in blocks]
    same_rankings(rankings)
    assert rankings[0].codes[0].tolist() == copies[1:21].tolist()
    assert rankings[0].codes[1].tolist() == copies[:20].tolist()


def test_shares_and_clip():
    a = Embeddings.from_numpy(["q", "x", "y"], [[1, 0], [1, 0], [0, 1]])
    b = Embeddings.from_numpy(["q", "x", "y"], [[1, 0], [-1, 0], [1, 1]])
    ensemble = Ensemble([Member("a", a, 3), Member("b", b, 1)])
    assert ensemble.shares == (0.75, 0.25)
    ranking = ensemble.rank(["q"], ["x", "y"])
    assert ranking.ids[0].tolist() == ["x", "y"]
    np.testing.assert_allclose(ranking.scores[0], [0.75 - 0.25, 0.25 * np.sqrt(0.5)], atol=1e-7)
    # the mean is clipped, not what it is the mean of
    flipped = Ensemble([Member("a", a, 1), Member("b", b, 3)], clip=(0, 1)).rank(["q"], ["x", "y"])
    assert flipped.ids[0].tolist() == ["y", "x"]
    assert flipped.scores[0, 1] == 0


def test_scores_stay_within_the_bounds():
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(size=(50, 999)), 2, axis=0)
    names = ids(100)
    scores = Ensemble([Member("m", Embeddings.from_numpy(names, vectors))]).rank(names, names).scores
    assert scores.max() <= 1
    assert scores[:, 0] == pytest.approx(1)


def test_numbers_large_and_tiny():
    names = ["a", "b", "c"]
    for scale in (1e-30, 1e30):
        embeddings = Embeddings.from_numpy(names, np.array([[3, 4], [4, 3], [-3, 4]]) * scale)
        ranking = Ensemble([Member("m", embeddings)]).rank(["a"], names)
        np.testing.assert_allclose(ranking.scores[0, :2], [0.96, 0.28], atol=1e-6)


def catalogue(**columns: list) -> Catalogue:
    n = len(next(iter(columns.values())))
    return Catalogue(pd.DataFrame({"image_id": ids(n), "path": ids(n), **columns}))


def test_rules_against_plain_loops():
    rng = np.random.default_rng(1)
    n = 90
    photos = catalogue(
        encounter=rng.choice(["e1", "e2", "e3", None], n).tolist(),
        viewpoint=rng.choice(["left", "right", None], n).tolist(),
    )
    vectors = rng.normal(size=(n, 6)).astype(np.float32)
    ensemble = Ensemble([Member("m", Embeddings.from_numpy(photos.image_ids, vectors))])
    table = photos.frame.set_index("image_id")
    tables = [(1.0, dict(zip(photos.image_ids, vectors, strict=True)))]

    def allowed(a: str, b: str) -> bool:
        here, there = table.loc[a], table.loc[b]
        other = pd.isna(here["encounter"]) or here["encounter"] != there["encounter"]
        same = pd.notna(here["viewpoint"]) and here["viewpoint"] == there["viewpoint"]
        return bool(other and same)

    for block in [(1024, 4096), (4, 9)]:
        again = in_blocks(ensemble, block)
        ranking = again.rank(photos[:30], photos, 8, exclude=["encounter"], match=["viewpoint"])
        for name, got in zip(photos.image_ids[:30], as_pairs(ranking), strict=True):
            want = plain.ranked(
                lambda a, b: plain.fused(tables, (-1, 1), a, b), name, list(photos.image_ids), allowed, 8
            )
            assert_as_plain(got, want)
    assert (ranking.lengths == 0).any()


def test_fewer_candidates_than_k_and_none():
    embeddings = Embeddings.from_numpy(["a", "b", "c"], np.eye(3))
    ensemble = Ensemble([Member("m", embeddings)])
    assert ensemble.rank(["a", "b"], ["b", "c"], 20).lengths.tolist() == [2, 1]
    assert ensemble.rank(["a"], ["a"], 20).lengths.tolist() == [0]
    nothing = ensemble.rank(["a", "b"], [], 20)
    assert nothing.lengths.tolist() == [0, 0]
    assert nothing.query_ids.tolist() == ["a", "b"]
    assert len(ensemble.rank([], ["a"], 20)) == 0


def test_query_ids_name_the_queries():
    ensemble = Ensemble([Member("m", Embeddings.from_numpy(["a", "b"], np.eye(2)))])
    assert ensemble.rank(["a"], ["a", "b"], query_ids=["s1-a"]).query_ids.tolist() == ["s1-a"]


def test_only_the_asked_photos_need_vectors():
    photos = catalogue(viewpoint=["top", "top"])
    ensemble = Ensemble([Member("b5", Embeddings.from_numpy(["p0000", "z"], np.eye(2)))])
    assert ensemble.rank(["p0000"], ["z"]).lengths.tolist() == [1]
    with pytest.raises(WhalereidError, match=r"member 'b5': .*1 photos? .*p0001"):
        ensemble.rank(photos, photos)


def test_similarity_by_block():
    rng = np.random.default_rng(2)
    names = ids(20)
    a, b = rng.normal(size=(2, 20, 5)).astype(np.float32)
    ensemble = Ensemble([Member("a", Embeddings.from_numpy(names, a)), Member("b", Embeddings.from_numpy(names, b), 3)])
    similarity = ensemble.similarity(names[:4], names[::-1])
    assert similarity.shape == (4, 20)
    tables = [(w, dict(zip(names, v, strict=True))) for w, v in ((1, a), (3, b))]
    want = [[plain.fused(tables, (-1, 1), q, d) for d in names[::-1]] for q in names[:4]]
    np.testing.assert_allclose(similarity.block(slice(0, 4), slice(0, 20)), want, atol=1e-6)
    np.testing.assert_allclose(similarity.block(np.array([3, 1]), slice(5, 9)), np.array(want)[[3, 1], 5:9], atol=1e-6)
    np.testing.assert_allclose(
        similarity.exact(np.array([0, 3]), np.array([7, 2])), [want[0][7], want[3][2]], atol=1e-7
    )


def test_memory_is_the_blocks_not_queries_times_database():
    """What a block works on is reused, and nothing as large as queries times database is made."""
    import tracemalloc

    n = 2500
    names = ids(n)
    vectors = np.random.default_rng(0).normal(size=(n, 8)).astype(np.float32)
    ensemble = Ensemble([Member("m", Embeddings.from_numpy(names, vectors))])
    tracemalloc.start()
    in_blocks(ensemble, (128, 256)).rank(names, names, 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n * n  # bytes: a quarter of the dense float32 matrix


def test_no_second_copy_of_the_vectors():
    """Vectors are brought to length 1 where they are compared, not all at once."""
    import tracemalloc

    n = 30_000
    names = ids(n)
    vectors = np.random.default_rng(0).normal(size=(n, 128)).astype(np.float32)
    ensemble = Ensemble([Member("m", Embeddings.from_numpy(names, vectors))])
    tracemalloc.start()
    in_blocks(ensemble, (64, 1024)).rank(names[:50], names, 5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < vectors.nbytes / 2


def test_vectors_that_are_all_alike_are_refused_by_the_members_name():
    one = np.random.default_rng(0).normal(size=8)
    alike = Embeddings.from_numpy(ids(40), np.outer(np.arange(1, 41), one))
    with pytest.raises(WhalereidError, match=r"'b5': the vectors of all 40 photos are alike"):
        Ensemble([Member("b5", alike)])
    two = Embeddings.from_numpy(["a", "b"], [one, one])  # two photos may well be copies
    assert Ensemble([Member("b5", two)]).rank(["a"], ["b"]).lengths.tolist() == [1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda e: Ensemble([]), "at least one"),
        (lambda e: Ensemble([Member("m", e, weight=0)]), "'m'.*weight 0"),
        (lambda e: Ensemble([Member("m", e, weight=float("nan"))]), "weight nan"),
        (lambda e: Ensemble([Member("m", e)], clip=(1, 0)), "clip"),
        (lambda e: Ensemble([Member("m", e)]).rank(["a"], ["b"], 0), "k is 0"),
        (lambda e: Ensemble([Member("m", e)], block=(0, 5)), "block"),
        (lambda e: Ensemble([Member("m", e)]).rank(["a", "a"], ["b"]), "query 'a' is repeated"),
        (lambda e: Ensemble([Member("m", e)]).rank(["a"], ["b", "b"]), "'b' is repeat"),
        (lambda e: Ensemble([Member("m", e)]).rank(["a"], ["b"], query_ids=["x", "y"]), "2 for 1 quer"),
        (
            lambda e: Ensemble([Member("m", e)]).rank(["a"], ["b"], exclude=["encounter"]),
            "never of the same encounter.: needs",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(WhalereidError, match=message):
        make(Embeddings.from_numpy(["a", "b"], np.eye(2)))


class TestTopK:
    """The search itself, on scores made up to be hard."""

    @staticmethod
    def noisy(exact: np.ndarray, error: float, seed: int) -> Strip:
        rng = np.random.default_rng(seed)
        fast = (exact + rng.uniform(-error, error, exact.shape)).astype(np.float32)
        return Strip(fast, lambda r, c: exact[r, c], lambda s: np.full(s.shape, error + 1e-7))

    @pytest.mark.parametrize("k", [1, 5, 20, 199, 200, 300])
    @pytest.mark.parametrize("steps", [3, 40, 10_000])
    def test_noise_in_fast_scores_never_shows(self, k, steps):
        rng = np.random.default_rng(k)
        exact = rng.integers(0, steps, (30, 200)) / steps
        exact[rng.random(exact.shape) < 0.2] = -np.inf
        want = np.argsort(-exact, axis=1, kind="stable")[:, :k]
        want = np.where(np.take_along_axis(exact, want, 1) > -np.inf, want, -1)
        for seed, block in enumerate([(1024, 4096), (7, 13), (1, 1)]):
            codes, values = best_candidates(self.noisy(exact, 1e-3, seed), k, block=block)
            np.testing.assert_array_equal(codes, want)
            np.testing.assert_allclose(values, -np.sort(-exact, axis=1)[:, :k], atol=1e-3 + 1e-6)
            assert (np.diff(np.where(codes >= 0, values, -1), axis=1) <= 0).all()

    def test_progress_counts_every_query(self):
        done: list[int] = []
        best_candidates(self.noisy(np.zeros((10, 4)), 1e-3, 0), 2, block=(4, 4), advance=done.append)
        assert done == [4, 4, 2]
