"""Scoring: from a table of rows to mAP@20, against scikit-learn called query by query; intervals; implied labels.

    python benchmarks/metrics.py

The peer is what the beluga competition's own script does: mark the relevant rows by a merge, then
`groupby("query_id").apply(average_precision_score)`.
"""

from __future__ import annotations

import resource
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score
from timing import timed

from whalereid.catalogue import Catalogue
from whalereid.evaluation import Hits, Labels, Protocol, average_precision, bootstrap_means, compare, evaluate
from whalereid.ranking import Ranking

K = 20


def made_up(n_queries: int, n_photos: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A ranking of 20 rows a query, some scores tied, and labels: 1 to 40 relevant photos, some of them ranked."""
    rng = np.random.default_rng(seed)
    query_ids = np.array([f"scenario{i % 10:02d}-test{i:06d}" for i in range(n_queries)], dtype=object)
    photos = np.array([f"test{i:06d}" for i in range(n_photos)], dtype=object)
    start = rng.integers(0, n_photos, (n_queries, 1))
    listed = (start + np.cumsum(rng.integers(1, n_photos // K, (n_queries, K)), axis=1)) % n_photos
    scores = -np.sort(-rng.random((n_queries, K)).round(2), axis=1)
    ranking = pd.DataFrame(
        {"query_id": np.repeat(query_ids, K), "database_image_id": photos[listed.ravel()], "score": scores.ravel()}
    )
    right = rng.random(listed.shape) < rng.beta(0.5, 1.5, (n_queries, 1))
    others = rng.integers(1, 21, n_queries)
    labels = pd.concat(
        [
            ranking.loc[right.ravel(), ["query_id", "database_image_id"]],
            pd.DataFrame(
                {
                    "query_id": np.repeat(query_ids, others),
                    "database_image_id": photos[rng.integers(0, n_photos, others.sum())],
                }
            ),
        ]
    )
    return ranking, labels.drop_duplicates().sample(frac=1, random_state=seed).reset_index(drop=True)


def ours(ranking: pd.DataFrame, labels: pd.DataFrame) -> pd.Series:
    """Average precision of each query, from the two tables."""
    hits = Hits.of(Ranking.from_frame(ranking), Labels.from_frame(labels))
    return pd.Series(average_precision(hits.hit, hits.scores, hits.relevant, k=K), index=hits.query_ids)


def query_by_query(ranking: pd.DataFrame, labels: pd.DataFrame) -> pd.Series:
    """The same by scikit-learn, one call a query."""
    merged = ranking.merge(labels.assign(right=1.0), how="left", on=["query_id", "database_image_id"])
    merged["right"] = merged["right"].fillna(0.0)
    groups = merged.groupby("query_id")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a list without a hit
        plain = groups[["right", "score"]].apply(
            lambda rows: average_precision_score(rows["right"].to_numpy(), rows["score"].to_numpy())
        )
    found = groups["right"].sum()
    return plain * found / labels.groupby("query_id").size().clip(upper=K)


def measure(large: bool = True) -> dict[str, float]:
    """Return every figure, in seconds but for what its name says otherwise."""
    figures: dict[str, float] = {}
    for photos in (50_000, 200_000, 1_000_000) if large else (50_000,):
        figures |= implied(photos)  # first, while the process is small
    ranking, labels = made_up(4419, 5902)
    figures["4,419 queries, whalereid"], _, mine = timed(lambda: ours(ranking, labels), 5)
    figures["4,419 queries, scikit-learn by query"], _, theirs = timed(lambda: query_by_query(ranking, labels), 1)
    figures["times faster"] = figures["4,419 queries, scikit-learn by query"] / figures["4,419 queries, whalereid"]
    figures["largest difference"] = float((mine - theirs.reindex(mine.index)).abs().max())
    if large:
        many = made_up(200_000, 100_000)
        figures["200,000 queries, whalereid"] = timed(lambda: ours(*many), 2).clock
    rng = np.random.default_rng(0)
    values, animals = rng.random((4419, 8)), rng.integers(0, 788, 4419)
    figures["1,000 resamples of 8 metrics, BCa"] = timed(lambda: bootstrap_means(values, animals), 3).clock
    figures["1,000 resamples of a difference, BCa"] = timed(
        lambda: compare(values[:, 0], values[:, 1], animals), 3
    ).clock
    return figures


def implied(n: int) -> dict[str, float]:
    """Seconds from a catalogue of n photos, 1,000 an animal, to the scores of 1,000 queries; and the memory."""
    rng = np.random.default_rng(0)
    names = {"identity": rng.integers(0, n // 1000, n), "encounter": rng.integers(0, n // 100, n)}
    frame = pd.DataFrame({"image_id": [f"photo{i:07d}" for i in range(n)], "path": "x.jpg"})
    photos = Catalogue(frame.assign(**{name: codes.astype(str) for name, codes in names.items()}))
    codes = rng.integers(0, n - K, (1000, 1)) + np.arange(K)
    scores = np.tile(np.arange(K, 0, -1), (1000, 1))
    begin = time.perf_counter()
    protocol = Protocol.from_catalogue(photos, exclude=["encounter"])
    made = time.perf_counter()
    queries = photos.image_ids[rng.choice(n, 1000, replace=False)]
    _ = evaluate(protocol, Ranking.from_codes(queries, photos.image_ids, codes, scores)).metrics
    said = f"{n:,} photos"
    return {
        f"{said}: million relevant pairs, not listed": len(protocol.labels) / 1e6,
        f"{said}: protocol": made - begin,
        f"{said}: scores of 1,000 queries": time.perf_counter() - made,
        f"{said}: most memory so far, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def show(figures: dict[str, float]) -> None:
    for name, figure in figures.items():
        plain = name in ("times faster", "largest difference") or name.endswith(("MB", "listed"))
        number = f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"
        print(f"{name:56s} {number}{'' if plain else ' s'}")


def main() -> None:
    show(measure())


if __name__ == "__main__":
    main()
