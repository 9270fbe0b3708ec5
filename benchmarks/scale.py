"""How time and memory grow with the table: every command on 10,000, 100,000 and 1,000,000 photos that don't exist.

Makes tables with identities, encounters and viewpoints, and vectors of 64 numbers clustered by identity, in a temporary
folder; runs the commands one by one, each a process of its own, and prints its seconds, its processor seconds (what is
judged: other work on the machine hardly counts) and its peak memory. From one size to the next, processor time may grow
as n log n does, and memory as n; a quarter more is allowed, for caches and noise. The ranking is of 1,000 queries,
whatever the size. Exits 1 where something grows faster.

    python benchmarks/scale.py
    python benchmarks/scale.py --sizes 10000 100000 --stages check rank
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

QUERIES, DIM = 1_000, 64
ALLOWED = 1.25
RULES = "--exclude encounter --match viewpoint"
STAGES = {
    "check": "check --catalogue photos.csv --no-photos",
    "split": "split --catalogue photos.csv --by encounter --out folds.csv",
    "leakage": "split --catalogue photos.csv --use folds.csv",
    "rank": f"rank --embeddings vectors.parquet --catalogue photos.csv --queries queries.txt {RULES} --out ranking.csv",
    "expand": "rank --embeddings vectors.parquet --catalogue photos.csv --queries queries.txt --rerank expand "
    f"{RULES} --out expanded.csv",
    "evaluate": "evaluate ranking.csv --catalogue photos.csv",
}
NEEDS = {"leakage": "folds.csv", "evaluate": "ranking.csv"}  # what an earlier stage wrote


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds, processor seconds, peak memory in bytes."""

    wall: float
    cpu: float
    peak: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="photos in a table")
    parser.add_argument("--stages", nargs="+", choices=list(STAGES), default=list(STAGES))
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make is not None:
        make(options.make, options.sizes[0])
        return
    sizes = sorted(options.sizes)
    costs: dict[tuple[str, int], Cost] = {}
    idle = cost([sys.executable, "-c", "import numpy, pandas, pyarrow.parquet, whalereid.cli.app"], Path.cwd())
    print(f"only importing: {idle.cpu:.1f} s of processor, {megabytes(idle.peak)}\n")
    print(f"{'photos':>9}  {'stage':<9}{'seconds':>9}{'processor':>11}{'peak memory':>13}", flush=True)
    with tempfile.TemporaryDirectory(prefix="whalereid-scale-") as folder:
        for n in sizes:
            place = Path(folder, str(n))
            place.mkdir()
            # in a process of its own: a command's peak would begin at this one's
            subprocess.run([sys.executable, __file__, "--sizes", str(n), "--make", str(place)], check=True)
            for stage in options.stages:
                if stage in NEEDS and not (place / NEEDS[stage]).is_file():
                    raise SystemExit(f"{stage}: needs {NEEDS[stage]}; name the stage that writes it too.")
                code = "import sys; from whalereid.cli.app import run; sys.exit(run(sys.argv[1:]))"
                taken = costs[stage, n] = cost([sys.executable, "-c", code, *STAGES[stage].split()], place)
                line = f"{n:>9,}  {stage:<9}{taken.wall:>9.1f}{taken.cpu:>11.1f}{megabytes(taken.peak):>13}"
                print(line, flush=True)
    print(f"\n{'from':>9}{'to':>11}  {'stage':<9}{'processor':>11}{'n log n':>9}{'memory':>9}{'n':>6}")
    fast = []
    for small, large in pairwise(sizes):
        for stage in options.stages:
            before, after = costs[stage, small], costs[stage, large]
            n, n_log_n = large / small, large * math.log(large) / (small * math.log(small))
            seconds, memory = after.cpu / before.cpu, after.peak / before.peak
            grown = seconds > ALLOWED * n_log_n or memory > ALLOWED * n
            fast += [f"{stage} from {small:,} to {large:,}"] if grown else []
            mark = "  too fast" if grown else ""
            row = f"{small:>9,}{large:>11,}  {stage:<9}{seconds:>10.1f}x{n_log_n:>8.1f}x{memory:>8.1f}x{n:>5.0f}x{mark}"
            print(row)
    if fast:
        print(f"\nverdict: grows faster than n log n, or memory than n: {'; '.join(fast)}")
        raise SystemExit(1)
    print("\nverdict: time grows no faster than n log n, memory no faster than the table, in every stage")


def cost(words: list[str], place: Path) -> Cost:
    """Run a command to its end; what it took. Its words are shown where it fails."""
    log = place / "log.txt"
    begin = time.perf_counter()
    with log.open("w") as out:
        process = subprocess.Popen(words, cwd=place, stdout=out, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    said = log.read_text()
    log.unlink()
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}\nexited with {process.returncode}: {said}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit)


def megabytes(n: float) -> str:
    return f"{n / 2**20:,.0f} MB"


def make(folder: Path, n: int) -> None:
    """Write photos.csv, vectors.parquet and queries.txt: some five photos an animal, two or three an encounter."""
    import numpy as np
    import pandas as pd

    from whalereid import Embeddings

    rng = np.random.default_rng(0)
    animal = rng.integers(0, max(n // 5, 2), n)
    ids = np.array([f"photo{i:07d}" for i in range(n)], dtype=object)
    photos = pd.DataFrame(
        {
            "image_id": ids,
            "path": [f"{name}.jpg" for name in ids],
            "identity": [f"animal{a:06d}" for a in animal],
            "encounter": [f"day{a:06d}-{d}" for a, d in zip(animal, rng.integers(0, 2, n), strict=True)],
            "viewpoint": rng.choice(["left", "right"], n),
        }
    )
    photos.to_csv(folder / "photos.csv", index=False)
    vectors = rng.standard_normal((animal.max() + 1, DIM), dtype=np.float32)[animal]
    vectors += rng.standard_normal((n, DIM), dtype=np.float32)
    Embeddings.from_numpy(ids, vectors).write(folder / "vectors.parquet")
    queries = ids[np.sort(rng.choice(n, min(QUERIES, n), replace=False))]
    (folder / "queries.txt").write_text("\n".join(queries) + "\n")


if __name__ == "__main__":
    main()
