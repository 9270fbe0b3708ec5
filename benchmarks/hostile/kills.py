"""Processes stopped at random moments, then run again: the result is the uninterrupted one's, byte for byte."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hostile.case import LEFT_BEHIND, digests
from hostile.world import EMBED, RANK, TRAIN

TABLE = "--catalogue data/photos.csv"
LINES = {
    "import": "import data/photos.csv --exif --out killed",
    "encounters": f"encounters {TABLE} --again --out killed.csv",
    "export": f"export {TABLE} --to camtrap-dp:title=killed --out killed",
    "export xlsx": f"export {TABLE} --to xlsx --out killed.xlsx",
    "report": f"report ranking.csv {TABLE} --out killed",
    "start": "start data/photos.csv --model run --no-open --out killed",
    "train": f"{TRAIN} --epochs 4 --out killed",
    "embed": f"{EMBED} --batch-size 2 --out killed.parquet",
    "rank": f"{RANK} --out killed.csv",
}
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
STATUSES = {signal.SIGKILL: (-9,), signal.SIGTERM: (-15, 143, 2, 130), signal.SIGINT: (130, 2)}
CLOCK = re.compile(r"second|per_s|time|waiting")
RAW = re.compile(r"Traceback|Exception ignored|this is a bug|Aborted|Fatal Python")


def run(world: Path, place: Path, kills: int, seed: int, processes: int) -> list[tuple[str, str]]:
    """Kill as often as asked; gives what fell short, by name."""
    chosen = random.Random(f"{seed}-kills")
    wholes = {}
    for name, line in LINES.items():
        folder = place / f"whole-{name}"
        shutil.copytree(world, folder)
        done, took = _run(line, folder)
        if done.returncode != 0:
            return [(name, f"the uninterrupted run fails: {done.stderr[-300:]}")]
        wholes[name] = (_results(folder), took)
        shutil.rmtree(folder)
    plans = []
    for number in range(kills):
        name = list(LINES)[number % len(LINES)]
        how = SIGNALS[number // len(LINES) % len(SIGNALS)]
        plans.append((number, name, how, chosen.random()))
    with ThreadPoolExecutor(processes) as pool:
        found = pool.map(lambda plan: _one(world, place, wholes, *plan), plans)
        return [(label, why) for label, why in found if why]


def _run(line: str, folder: Path) -> tuple[subprocess.CompletedProcess[str], float]:
    began = time.perf_counter()
    command = [sys.executable, "-m", "whalereid", *line.split()]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    return done, time.perf_counter() - began


def _results(folder: Path) -> dict[str, str]:
    """The outputs' digests: of a history all but the seconds, and not the checkpoint's, which holds them too."""
    import pandas as pd

    found = {}
    for name, content in digests(folder).items():
        if not name.startswith("killed"):
            continue
        if name.endswith("history.csv"):
            table = pd.read_csv(folder / name)
            kept = table[[column for column in table.columns if not CLOCK.search(column)]]
            content = hashlib.sha1(kept.to_csv(index=False).encode()).hexdigest()
        if name.endswith(("datapackage.json", ".xlsx")):  # which hold the time they were written at
            content = "there"
        if name.endswith("run.json"):
            held = json.loads((folder / name).read_text())
            best = held["progress"].get("best", {})
            held["progress"]["best"] = {key: best[key] for key in best if not CLOCK.search(key)}
            content = hashlib.sha1(json.dumps(held).encode()).hexdigest()
        if not name.endswith("last.pt"):
            found[name] = content
    return found


def _one(
    world: Path,
    place: Path,
    wholes: dict[str, tuple[dict[str, str], float]],
    number: int,
    name: str,
    how: signal.Signals,
    when: float,
) -> tuple[str, str]:
    whole, took = wholes[name]
    delay = when * took * 1.1  # with as much running beside it
    label = f"{number}: {name}, {how.name} after {delay:.2f} s"
    folder = place / f"kill-{number}"
    shutil.copytree(world, folder)
    try:
        before = digests(folder)
        command = [sys.executable, "-m", "whalereid", *LINES[name].split()]
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            said = process.communicate(timeout=delay)[1]
        except subprocess.TimeoutExpired:
            process.send_signal(how)
            try:
                said = process.communicate(timeout=60)[1]
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                return label, f"went on for 60 s after {how.name}"
        short = []
        status = process.returncode
        if status not in (0, *STATUSES[how]):
            short.append(f"exit {status}")
        raw = RAW.search(said)
        if raw:
            short.append(f"{raw.group()!r} on stderr")
        if how is signal.SIGINT and status not in (0, -2):
            ours = [line for line in said.splitlines() if line.startswith("whalereid: ")]
            if len(ours) != 1 or said.strip().splitlines()[-1] != ours[0]:
                short.append(f"its words: {said.strip()[-160:]!r}")
        line = LINES[name]
        if name == "train" and status != 0 and (folder / "killed" / "run.json").exists():
            line += " --resume"
        if status != 0 or name != "train":
            again, _ = _run(line, folder)
            if again.returncode != 0:
                return label, "; ".join([*short, f"can't be run again: {again.stderr.strip()[-200:]}"])
        got = _results(folder)
        differing = [file for file in {*got, *whole} if got.get(file) != whole.get(file)]
        if differing:
            short.append(f"another result: {', '.join(sorted(differing)[:3])}")
        after = digests(folder)
        left = [file for file in after if file not in before and LEFT_BEHIND.search(Path(file).name)]
        if left:
            short.append(f"left behind {', '.join(left[:3])}")
        changed = [file for file in before if before[file] != after.get(file)]
        if changed:
            short.append(f"changed {', '.join(changed[:3])}")
        return label, "; ".join(short)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
