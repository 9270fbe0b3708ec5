"""The first place's ranking at its real size, beside a loop over DataFrames that does the same.

5,900 photos with embeddings as wide as the solution's (10,240, 6,456 and 8,192 numbers), 500 queries, on 2 cores:
each of the four routes is ranked by the library, and some of its queries by the loop, which is written for clarity
(tests/oracles/whaledo_loop.py). Both start from embeddings in memory. What happens once per set of embeddings,
measuring the vectors' lengths, is timed apart.

    python benchmarks/whaledo_ranking.py
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from timing import timed

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "tests"), str(ROOT / "examples")]

WIDTHS = {"b5_top": 10_240, "v2_top": 6_456, "b5_lateral": 8_192}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=5_900)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--loop-queries", type=int, default=6, help="of each route, by the loop")
    parser.add_argument("--repeats", type=int, default=3, help="of the library's ranking; the fastest counts")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # before NumPy is imported
        os.environ[name] = str(options.threads)
    run(options)


def run(options: argparse.Namespace) -> None:
    import numpy as np
    import pandas as pd
    from whaledo_first_place import solution

    from oracles.whaledo_loop import WhaledoLoop
    from whalereid import Catalogue, Embeddings

    rng = np.random.default_rng(0)
    n, queries = options.photos, options.queries
    ids = [f"train{i:04d}" for i in range(n)]
    whale = rng.integers(0, 788, n)
    vectors = {}
    for name, width in WIDTHS.items():
        vectors[name] = rng.standard_normal((788, width), dtype=np.float32)[whale]
        vectors[name] += 1.3 * rng.standard_normal((n, width), dtype=np.float32)
    routes = solution({name: Embeddings.from_numpy(ids, v) for name, v in vectors.items()})
    frames = {name: pd.DataFrame(v, index=ids) for name, v in vectors.items()}
    print(
        f"{n:,} photos × {' + '.join(f'{w:,}' for w in WIDTHS.values())} numbers; {queries} queries; "
        f"{options.threads} threads; load before: {os.getloadavg()[0]:.1f}"
    )
    wall, cpu, _ = timed(lambda: [member.embeddings.lengths for r in routes.routes for member in r.ensemble.members])
    print(f"the vectors' lengths, once for a set of embeddings: {wall:.2f} s (processor {cpu:.2f} s)\n")
    print("queries/database    library, all queries    loop, one query      faster by    largest difference of scores")
    for query_view, database_view in (("top", "top"), ("left", "top"), ("top", "left"), ("left", "left")):
        views = np.full(n, database_view)
        views[:queries] = query_view
        searched = ids if query_view == database_view else ids[queries:]
        photos = Catalogue(pd.DataFrame({"image_id": ids, "path": ids, "viewpoint": views}))
        asked, database = photos[:queries], photos.subset(searched)
        wall, cpu, ranking = timed(lambda a=asked, d=database: routes.rank(a, d), options.repeats)
        loop = WhaledoLoop(frames["b5_top"], frames["v2_top"], frames["b5_lateral"], pd.Series(views, index=ids))
        some = ids[: options.loop_queries]
        slow_wall, slow_cpu, expected = timed(lambda lo=loop, s=some, d=searched: lo.scenario(s, s, d))
        got = ranking.to_frame()
        print(
            f"{query_view + '/' + database_view:<20}{f'{wall:.2f} s (cpu {cpu:.2f} s)':<24}"
            f"{f'{slow_wall / len(some):.2f} s (cpu {slow_cpu / len(some):.2f} s)':<21}"
            f"{f'{slow_wall / len(some) / (wall / queries):.0f} times':<13}"
            f"{difference(got[got['query_id'].isin(some)], expected):.1e}"
        )
    print(f"\nload after: {os.getloadavg()[0]:.1f}")


def difference(got: Any, expected: Any) -> float:
    """Largest difference of scores, photo by photo; infinite where the loop lists another photo."""
    pair = ["query_id", "database_image_id"]
    both = got.merge(expected, on=pair, how="outer", suffixes=("", "_loop"))
    gap = (both["score"] - both["score_loop"]).abs()
    return float("inf") if gap.isna().any() else float(gap.max())


if __name__ == "__main__":
    main()
