"""Hostile cases: files, options, tables and photos that no honest person would give, and kills at random moments.

Whatever it meets, a command answers with what was asked for, or with one line and exit 2; nothing of the user's
changes, nothing is left half written. A tiny world is made once, and every case is tried in a copy of it.

    python benchmarks/hostile.py                      all cases and 60 kills, about half an hour on two cores
    python benchmarks/hostile.py --kind weights       the cases of a kind; --kind twice for two
    python benchmarks/hostile.py --kills 200 --seed 5 other moments to kill at, other wrong values
    python benchmarks/hostile.py --only "rank --out"  the cases whose names hold this

Prints how many were tried and fell short by kind, and each that fell short; exits 1 if any did.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", COLUMNS="200", HF_HUB_OFFLINE="1", NO_ALBUMENTATIONS_UPDATE="1")
os.environ.update(PYTHONFAULTHANDLER="", TERM="dumb")

from hostile.case import Case, in_a_child, run_case
from hostile.kinds import KINDS
from hostile.world import build

from hostile import kills

CASES: list[tuple[str, Case]] = []
PROCESSES = 2


def main() -> None:
    options = _options()
    began = time.perf_counter()
    shared_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with _folder(shared_memory) as place:
        world = place / "world"
        world.mkdir()
        built = in_a_child(lambda: build(world), world, 300, check_status=False)
        if built.status != 0:
            sys.exit(f"the world can't be built:\n{built.err}")
        for kind in options.kind or KINDS:
            if kind in KINDS:
                CASES.extend((kind, case) for case in KINDS[kind](random.Random(f"{options.seed}-{kind}")))
        CASES[:] = [(kind, case) for kind, case in CASES if options.only in case.name]
        _check_names()
        short = _try_all(world, place)
        tried = {kind: sum(1 for of, _ in CASES if of == kind) for kind in dict.fromkeys(of for of, _ in CASES)}
        if not options.only and (not options.kind or "kills" in options.kind):
            tried["kills"] = options.kills
            short += [("kills", *found) for found in kills.run(world, place, options.kills, options.seed, PROCESSES)]
    for kind, case_name, why in short:
        print(f"{kind}: {case_name}\n    {why}")
    print(f"\n{'kind':<12}{'tried':>7}{'fell short':>12}")
    for kind, number in tried.items():
        print(f"{kind:<12}{number:>7}{sum(1 for of, _, _ in short if of == kind):>12}")
    print(f"{'all':<12}{sum(tried.values()):>7}{len(short):>12}   in {time.perf_counter() - began:.0f} s")
    sys.exit(1 if short else 0)


@contextmanager
def _folder(parent: str | None) -> Iterator[Path]:
    """Make a folder that is removed here alone; a TemporaryDirectory would go as soon as a forked command ends."""
    place = Path(tempfile.mkdtemp(dir=parent, prefix="hostile-"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kind", action="append", choices=[*KINDS, "kills"], help="only this kind; repeatable")
    parser.add_argument("--kills", type=int, default=60, help="how many processes are killed")
    parser.add_argument("--seed", type=int, default=0, help="of wrong values and of the moments to kill at")
    parser.add_argument("--only", default="", metavar="TEXT", help="the cases whose names hold this")
    return parser.parse_args()


def _check_names() -> None:
    names = [f"{kind}: {case.name}" for kind, case in CASES]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        sys.exit(f"two cases have one name: {', '.join(sorted(twice)[:5])}")


def _try_all(world: Path, place: Path) -> list[tuple[str, str, str]]:
    """Try every case, in forks of processes that have loaded the libraries: those that need torch after the others."""
    found: dict[int, str] = {}
    fork = multiprocessing.get_context("fork")
    for light in (True, False):
        numbers = [number for number, (_, case) in enumerate(CASES) if case.light == light]
        if not numbers:
            continue
        with fork.Pool(PROCESSES, _load_libraries, (light,)) as pool:
            for done, (number, why) in enumerate(pool.imap_unordered(_try, [(n, world, place) for n in numbers]), 1):
                found[number] = why
                if sys.stderr.isatty():
                    print(f"\r{done} of {len(numbers)}", end="", file=sys.stderr, flush=True)
    return [(*_named(number), found[number]) for number in sorted(found) if found[number]]


def _named(number: int) -> tuple[str, str]:
    return CASES[number][0], CASES[number][1].name


def _load_libraries(light: bool) -> None:
    import encodings.utf_8_sig  # noqa: F401 - one who may not do much may not read it, either

    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    import whalereid.cli.app
    import whalereid.cli.start

    if not light:
        import accelerate  # noqa: F401
        import albumentations  # noqa: F401
        import pytorch_metric_learning.losses  # noqa: F401
        import sklearn.isotonic  # noqa: F401
        import timm  # noqa: F401
        import torch

        import whalereid.training  # noqa: F401

        torch.set_num_threads(1)


def _try(given: tuple[int, Path, Path]) -> tuple[int, str]:
    number, world, place = given
    try:
        return number, run_case(CASES[number][1], world, place / f"at-{os.getpid()}")
    except Exception as error:  # the benchmark's own
        return number, f"the benchmark fails at it: {type(error).__name__}: {error}"


if __name__ == "__main__":
    main()
