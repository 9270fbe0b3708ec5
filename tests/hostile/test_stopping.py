"""Ctrl-C, SIGTERM and SIGHUP at any moment of any command: one line of ours, one status, and on to the same bytes."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from training.drawing import BACKBONE, SIZE, draw_photos
from whalereid.cli.app import run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")

FORKED = Path(__file__).with_name("forked.py")
SMALL = f"--backbone {BACKBONE} --image-size {SIZE} --weights random --batch-size 8 --precision fp32 --epochs 2".split()
RAW = re.compile(r"Traceback|Exception ignored|bug in whalereid|KeyboardInterrupt|Aborted")
STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 drawn photos, a network trained on them without a stop, its embeddings and a ranking."""
    folder = tmp_path_factory.mktemp("world")
    draw_photos(folder / "data")
    lines = [train(folder, folder / "run"), embed(folder, folder / "emb.parquet"), rank(folder, folder / "ranking.csv")]
    assert [run(line) for line in lines] == [0, 0, 0]
    return folder


def train(world: Path, out: Path, *more: str, workers: int = 0) -> list[str]:
    data = str(world / "data" / "photos.csv")
    return ["train", "--catalogue", data, "--valid", data, "--out", str(out), *SMALL, "--workers", str(workers), *more]


def embed(world: Path, out: Path) -> list[str]:
    data, model = str(world / "data" / "photos.csv"), str(world / "run")
    line = ["embed", "--catalogue", data, "--model", model, "--out", str(out), "--batch-size", "2", "--workers", "1"]
    return [*line, "--precision", "fp32", "--device", "cpu"]


def rank(world: Path, out: Path) -> list[str]:
    data, embeddings = str(world / "data" / "photos.csv"), str(world / "emb.parquet")
    return ["rank", "--embeddings", embeddings, "--catalogue", data, "--out", str(out), "--queries", "all"]


def command_lines(world: Path, place: Path) -> dict[str, list[str]]:
    data = str(world / "data" / "photos.csv")
    return {
        "help": ["--help"],
        "import": ["import", data, "--out", str(place / "catalogue")],
        "check": ["check", "--catalogue", data],
        "split": ["split", "--catalogue", data, "--by", "encounter", "--out", str(place / "folds.csv")],
        "train": train(world, place / "run"),
        "embed": embed(world, place / "emb.parquet"),
        "rank": rank(world, place / "ranking.csv"),
        "evaluate": ["evaluate", str(world / "ranking.csv"), "--catalogue", data, "--resamples", "20"],
        "export": ["export", "--catalogue", data, "--to", "camtrap-dp", "--out", str(place / "published")],
    }


def heard(said: str, number: int, status: int) -> str:
    """Check that a command which was sent a signal ended as it should; returns its line."""
    assert status == 128 + number, said
    assert not RAW.search(said), said
    ours = [line for line in said.splitlines() if line.startswith("whalereid: ")]
    assert len(ours) == 1, said
    assert said.splitlines()[-1] == ours[0]
    by = "" if number == signal.SIGINT else f" by {signal.Signals(number).name}"
    assert re.fullmatch(rf"whalereid: stopped{by}(\.|; .+)", ours[0])
    return ours[0]


STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def _signals_as_usual() -> Iterator[None]:
    """Under nohup and the like children would ignore signals; and what a failed test has started must not run on."""
    ignored = [n for n in (signal.SIGHUP, signal.SIGTERM) if signal.getsignal(n) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    while STARTED:
        STARTED.pop().kill()


def start(code_or_line: str | list[str], **options: Any) -> subprocess.Popen[str]:
    """Start Python, on code or on a command line, in a session of its own, with stderr to read."""
    what = ["-c", code_or_line] if isinstance(code_or_line, str) else ["-m", "whalereid", *code_or_line]
    process = subprocess.Popen(
        [sys.executable, *what],
        stdin=subprocess.DEVNULL,
        stdout=options.pop("stdout", subprocess.DEVNULL),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )
    STARTED.append(process)
    until = time.monotonic() + 60
    while process.poll() is None and not caught(process.pid, signal.SIGTERM) and time.monotonic() < until:
        time.sleep(0.002)
    return process


def caught(process: int, number: int) -> bool:
    try:
        state = Path(f"/proc/{process}/status").read_text()
    except (OSError, ValueError):
        return False
    return bool(int(re.findall(r"SigCgt:\s*(\w+)", state)[0], 16) >> (number - 1) & 1)


class TestAnyCommandAtAnyMoment:
    @pytest.mark.parametrize(
        "name", ["help", "import", "check", "split", "train", "embed", "rank", "evaluate", "export"]
    )
    def test_in_start_up_and_after(self, world: Path, tmp_path: Path, name: str) -> None:
        draw = random.Random(name)
        longest = {"help": 0.3, "import": 1.2, "check": 1.2, "split": 1.2, "export": 1.2}.get(name, 2.5)
        moments = [(number, draw.uniform(0, longest)) for number in (signal.SIGINT, draw.choice(STOPS))]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda plan: self.one(world, tmp_path / str(plan[1]), name, *plan), moments))

    @staticmethod
    def one(world: Path, place: Path, name: str, number: int, delay: float) -> None:
        place.mkdir()
        process = start(command_lines(world, place)[name])
        time.sleep(delay)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
        if process.returncode == 0:  # it was quicker
            assert not RAW.search(said), said
        else:
            heard(said, number, process.returncode)
        assert not [path for path in place.rglob("*") if ".part" in path.name and path.is_file()]

    def test_before_anything_is_imported_it_heeds_them(self) -> None:
        loaded = "import sys; before = set(sys.modules); import whalereid.cli; print(*set(sys.modules) - before)"
        found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout
        assert len([name for name in found.split() if name != "__future__"]) <= 4, found

    def test_a_parent_that_ignores_ctrl_c(self, world: Path, tmp_path: Path) -> None:
        """As a shell does for what it starts in the background."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            process = start(command_lines(world, tmp_path)["train"])
        finally:
            signal.signal(signal.SIGINT, before)
        process.send_signal(signal.SIGINT)
        heard(process.communicate(timeout=60)[1], signal.SIGINT, process.returncode)

    def test_nohup_is_respected(self) -> None:
        code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        code += "from whalereid import stopping; stopping.heed(); import os; os.kill(os.getpid(), signal.SIGHUP)\n"
        process = start(code + "import time; time.sleep(0.2); stopping.leave(5)")
        assert process.communicate(timeout=60)[1] == ""
        assert process.returncode == 5


HEED = "import sys, time; from whalereid import stopping; stopping.heed()\ndef ready(): print('ready', flush=True)\n"


def play(code: str, *numbers: int, pause: float = 0.7) -> tuple[str, int]:
    """Run code that heeds signals and calls ready(); send it these, and return what it says and its status."""
    process = start(HEED + code, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    for place, number in enumerate(numbers):
        time.sleep(pause if place else 0)
        process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    return said, process.returncode


class TestTheWatch:
    @pytest.mark.parametrize("number", STOPS)
    @pytest.mark.parametrize("busy", ["time.sleep(60)", "import hashlib\nwhile True: hashlib.sha256(bytes(10**6))"])
    def test_with_nothing_to_keep_it_ends_at_once(self, number: int, busy: str) -> None:
        assert heard(*(play(f"ready()\n{busy}", number)[0], number), play(f"ready()\n{busy}", number)[1])

    def test_it_is_never_swallowed(self) -> None:
        """Where Python goes on whatever is raised: in finalisers, in callbacks of weak references."""
        code = """
import weakref
class Item:
    def __del__(self): sum(range(20_000))
items = weakref.WeakValueDictionary()
try:
    with stopping.later(lambda: "all of it is kept."):
        for n in range(10**9):
            items[n] = Item()
            if n == 10: ready()
            try: stopping.check()
            except Exception: pass
except stopping.Stopped as stop:
    stopping.say(str(stop))
stopping.leave(0)
"""
        for _ in range(3):
            said, status = play(code, signal.SIGINT)
            assert said == "whalereid: stopped; all of it is kept.\n"
            assert status == 130

    def test_a_file_under_way_is_finished_first(self, tmp_path: Path) -> None:
        code = f"""
from whalereid.files import replacing
from pathlib import Path
try:
    with replacing({str(tmp_path / "file.txt")!r}) as beside:
        ready()
        time.sleep(0.4)
        beside.write_text("whole")
    time.sleep(60)
except stopping.Stopped as stop:
    stopping.say(str(stop))
stopping.leave(0)
"""
        said, status = play(code, signal.SIGTERM)
        assert (said, status) == ("whalereid: stopped by SIGTERM.\n", 143)
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file.txt", "whole")]

    def test_a_second_one_does_not_wait(self) -> None:
        code = "with stopping.later(lambda: 'half is kept.'):\n  ready(); time.sleep(60)"
        assert play(code, signal.SIGINT, signal.SIGINT) == ("whalereid: stopped; half is kept.\n", 130)

    def test_one_press_may_arrive_twice(self) -> None:
        """A terminal sends it to all, and a launcher hands on its own."""
        code = """
with stopping.later():
    ready()
    time.sleep(1)
    sys.stderr.write("tidied up\\n")
stopping.leave(0)
"""
        said, _ = play(code.replace("stopping.leave", "").replace("(0)", ""), signal.SIGINT, signal.SIGINT, pause=0.1)
        assert said.startswith("tidied up\n")

    def test_patience_ends(self) -> None:
        code = "stopping._PATIENCE = 0.5\nwith stopping.later(lambda: 'half is kept.'):\n  ready(); time.sleep(60)"
        assert play(code, signal.SIGHUP) == ("whalereid: stopped by SIGHUP; half is kept.\n", 129)

    def test_what_ending_brings_with_it_is_no_failure(self) -> None:
        code = """
try:
    with stopping.later(lambda: "half is kept."):
        ready()
        time.sleep(0.5)
        raise RuntimeError("a worker is gone")
except stopping.Stopped as stop:
    stopping.say(str(stop))
stopping.leave(0)
"""
        assert play(code, signal.SIGINT) == ("whalereid: stopped; half is kept.\n", 130)

    def test_a_library_alone_leaves_ctrl_c_to_python(self) -> None:
        code = "import signal as s, whalereid.training, whalereid.files; "
        code += "print(s.getsignal(s.SIGINT) is s.default_int_handler, s.getsignal(s.SIGTERM) == s.SIG_DFL)"
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert found.split() == [str(signal.getsignal(signal.SIGINT) is not signal.SIG_IGN), "True"]


@pytest.fixture(scope="module")
def stopped(world: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Trainings and embeddings that were stopped: each case with what it said and its status, all from one process."""
    place, draw = tmp_path_factory.mktemp("stopped"), random.Random(1)
    cases: list[dict[str, Any]] = []
    for number, stop in enumerate([*STOPS, signal.SIGINT, signal.SIGKILL]):
        out, workers = place / f"run{number}", (0, 1, 0, 1, 2)[number]
        case = {"kind": "train", "out": str(out), "line": train(world, out, workers=workers), "signal": stop}
        case["after"] = str(out / ("run.json" if number in (0, 1) else "checkpoint/last.pt"))
        case["again"] = [*case["line"], "--resume"] if number == 3 else None
        most = 0.3 if number in (0, 1) else 0.02  # an epoch of these few photos takes little more
        cases.append(case | {"delay": draw.uniform(0, most), "group": stop != signal.SIGKILL and workers})
    for number, stop in enumerate(STOPS[:2]):
        out = place / f"emb{number}.parquet"
        case = {"kind": "embed", "out": str(out), "line": embed(world, out), "signal": stop, "group": number}
        cases.append(case | {"after": str(place / f".{out.name}.parts"), "delay": draw.uniform(0.02, 0.15)})
    for part in (".part.safetensors", ".part.pt"):  # the network, and the checkpoint
        out = place / f"full{part}"
        case = {"kind": "full", "out": str(out), "line": train(world, out), "signal": 0, "full": part, "delay": 0}
        cases.append(case | {"again": [*case["line"], "--resume"] if part == ".part.pt" else None})
    for number, case in enumerate(cases):
        case["err"] = str(place / f"err{number}")
    told = subprocess.run(
        [sys.executable, str(FORKED)], input=json.dumps(cases), capture_output=True, text=True, check=False, timeout=300
    )
    assert told.returncode == 0, told.stderr
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for case, found in zip(cases, json.loads(told.stdout), strict=True):
        by_kind.setdefault(case["kind"], []).append(case | found)
    return by_kind


def weights(folder: Path) -> tuple[bytes, bytes]:
    return (folder / "model.safetensors").read_bytes(), (folder / "head.safetensors").read_bytes()


class TestKept:
    def test_a_training_keeps_what_it_says_and_goes_on_to_the_same_bytes(
        self, world: Path, stopped: dict[str, list[dict[str, Any]]]
    ) -> None:
        for case in stopped["train"]:
            if case["signal"] == signal.SIGKILL:
                continue
            if case["status"] == 0 and case["after"].endswith("last.pt"):  # it was quicker, to the same end
                assert weights(Path(case["out"])) == weights(world / "run")
                continue
            line = heard(case["said"], case["signal"], case["status"])
            assert f"{case['out']} keeps the {case['kept']} of 2 epochs that are done; go on with --resume" in line
            assert not [path for path in Path(case["out"]).rglob("*") if ".part" in path.name]
            if case["again"]:
                assert case["status_again"] == 0, case["said_again"]
                assert weights(Path(case["out"])) == weights(world / "run")

    def test_a_full_disk_in_the_first_epoch_names_resume(
        self, world: Path, stopped: dict[str, list[dict[str, Any]]]
    ) -> None:
        for case in stopped["full"]:
            assert case["status"] == 2, case["said"]
            last = case["said"].splitlines()[-1]
            assert "the disk is full" in last
            assert last.endswith("keeps the 0 of 2 epochs that are done. Once that is mended, go on with --resume.")
            if case["again"]:
                assert case["status_again"] == 0, case["said_again"]
                assert weights(Path(case["out"])) == weights(world / "run")

    def test_embeddings_say_what_is_on_disk(self, stopped: dict[str, list[dict[str, Any]]]) -> None:
        for case in stopped["embed"]:
            if case["status"] == 0:  # it was quicker
                continue
            line = heard(case["said"], case["signal"], case["status"])
            kept = case["kept"]
            words = f"{case['out']}: {kept} of 24 photos are kept; run it again to go on."
            assert line.endswith(words) if kept else line.endswith(".") and ";" not in line

    def test_workers_do_not_outlive_their_parent(self, stopped: dict[str, list[dict[str, Any]]]) -> None:
        killed = stopped["train"][-1]
        assert killed["status"] == -signal.SIGKILL
        assert len(killed["workers"]) >= 2
        assert [case["orphans"] for cases in stopped.values() for case in cases if case["orphans"]] == []
