"""Runs command lines in forks of one process that has loaded torch already, and sends each a signal.

    python forked.py < cases.json > found.json

A case: ``line`` (its arguments), ``out`` (what it writes), ``err`` (a file for its stderr), ``signal`` (0 for none) and
``delay`` (seconds after it heeds signals, or after the file ``after`` is there); ``group``: its worker processes are
sent it too; ``full``: the disk has no room for files with this in their name; ``again``: a line to run afterwards.
Found: ``status`` (negative where a signal killed it), ``said``, ``kept`` (the epochs or photos on disk by then),
``workers`` (its processes) and ``orphans`` (those that live on after 3 s).
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import albumentations  # noqa: F401 - what the commands import, once for all
import pandas  # noqa: F401
import pyarrow.parquet as pq
import timm  # noqa: F401
import torch

import whalereid.embeddings
import whalereid.training  # noqa: F401
from whalereid.cli import app, main  # noqa: F401


def run(case: dict[str, Any]) -> dict[str, Any]:
    status, workers = play(case)
    until = time.monotonic() + 3
    while any(map(running, workers)) and time.monotonic() < until:
        time.sleep(0.02)
    found = {"status": status, "workers": workers, "orphans": [worker for worker in workers if running(worker)]}
    found |= {"said": Path(case["err"]).read_text(), "kept": kept(Path(case["out"]))}
    if case.get("again"):
        found["status_again"], _ = play({"line": case["again"], "err": case["err"], "signal": 0, "delay": 0})
        found["said_again"] = Path(case["err"]).read_text()
    return found


def kept(out: Path) -> int:
    last = out / "checkpoint" / "last.pt"
    if last.exists():
        return len(torch.load(last, weights_only=True)["records"])
    return sum(pq.read_metadata(part).num_rows for part in out.parent.glob(f".{out.name}.parts/*.parquet"))


def play(case: dict[str, Any]) -> tuple[int, list[int]]:
    process = os.fork()
    if process == 0:
        command(case)
    over: list[int] = []

    def ended() -> bool:
        if not over:
            found, status = os.waitpid(process, os.WNOHANG)
            over.extend([status] if found else [])
        return bool(over)

    wait(lambda: ended() or heeds(process))
    if case.get("after"):
        wait(lambda: ended() or Path(case["after"]).exists())
    time.sleep(case["delay"])
    workers = [] if ended() else children(process)
    if case["signal"] and not ended():
        (os.killpg if case.get("group") else os.kill)(process, case["signal"])
    wait(ended)
    return os.waitstatus_to_exitcode(over[0]), workers


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def command(case: dict[str, Any]) -> None:
    os.setsid()
    nothing, error = os.open(os.devnull, os.O_RDWR), os.open(case["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream, place in enumerate((nothing, nothing, error)):
        os.dup2(place, stream)
    torch.set_num_threads(1)
    if case.get("full"):
        fill_disk(case["full"])
    try:
        main(case["line"])
    except SystemExit as end:
        os._exit(int(end.code or 0))
    finally:
        os._exit(99)


def fill_disk(part: str) -> None:
    write = Path.write_bytes

    def full(path: Path, data: Any) -> int:
        if part in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    Path.write_bytes = full  # type: ignore[method-assign]


def heeds(process: int) -> bool:
    """Whether it has a handler for SIGTERM, which Python itself has not."""
    state = Path(f"/proc/{process}/status").read_text()
    caught = next(line.split()[1] for line in state.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def wait(condition: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.005)


if __name__ == "__main__":
    with ThreadPoolExecutor(2) as pool:
        json.dump(list(pool.map(run, json.load(sys.stdin))), sys.stdout)
