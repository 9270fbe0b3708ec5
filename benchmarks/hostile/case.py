"""One hostile case: what is put into the world, what is done, and what falls short of an honest answer."""

from __future__ import annotations

import atexit
import hashlib
import io
import multiprocessing
import os
import re
import resource
import runpy
import select
import shutil
import signal
import stat
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

MEMORY = 12 * 2**30  # of address space; a case that wants more meets MemoryError
LEFT_BEHIND = re.compile(r"^\..*(part|old|tmp)|~$|\.tmp$")
RESUMABLE = re.compile(r"/part-\d+\.parquet$|/run\.json$|/import\.json$")
ALIEN = re.compile(
    r"Traceback|Exception ignored|this is a bug|libpng|libjpeg|Corrupt JPEG|^\[ WARN|\b\w*Warning: .*"
    r"|^  warnings\.warn",
    re.MULTILINE,
)
OURS = re.compile(r"^Warning: ", re.MULTILINE)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True)
class Case:
    """What is tried; the folder is a copy of the world, and the working folder.

    Attributes
    ----------
    name : str
        What is hostile about it; unique within its kind.
    line : sequence of str
        Arguments of `whalereid`; empty for a call.
    call : callable, optional
        A call of the library instead, given the folder; a refusal is a WhalereidError.
    wanted : {"refused", "done", "either"}
        "either": a refusal and an answer are both honest; all else holds.
    says : str
        What the words must hold, as a pattern: of the refusal, or of stderr where it is done.
    prepare : callable, optional
        Puts the hostile thing into the folder.
    check : callable, optional
        Given the folder and what was said (or given back, by a call), says what is wrong, or nothing.
    writes : sequence of str
        Names, beginning at the folder, below which new files may appear and old ones change where it is done.
    keeps : sequence of str
        Folders that may stay after a refusal, where they hold what another run goes on with.
    light : bool
        Torch must not be loaded for it, and stderr holds the refusal alone.
    limit : float
        Seconds.
    stdout : str
        A file to print to, such as ``/dev/full``.
    """

    name: str
    line: Sequence[str] = ()
    call: Callable[[Path], Any] | None = None
    wanted: str = "refused"
    says: str = ""
    prepare: Callable[[Path], Any] | None = None
    check: Callable[[Path, Any], str | None] | None = None
    writes: Sequence[str] = ()
    keeps: Sequence[str] = ()
    light: bool = False
    limit: float = 60.0
    stdout: str = ""
    environment: dict[str, str] = field(default_factory=dict)


@dataclass
class Answer:
    """What came of a case."""

    status: int | None  # None: killed, by a signal or for taking too long
    out: str = ""
    err: str = ""
    took: float = 0.0
    problem: str = ""  # found in the process itself
    torch: bool = False


def digests(folder: Path) -> dict[str, str]:
    """Each file's content, each link's target, and what else there is, by name."""
    found = {}
    for here, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = os.path.join(here, name)  # noqa: PTH118 - names may be longer than a path may be
            shown = os.path.relpath(path, folder)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                found[shown] = f"link to {os.readlink(path)}"  # noqa: PTH115
            elif stat.S_ISREG(mode):
                size = os.path.getsize(path)  # noqa: PTH202
                if size > 2**28:
                    found[shown] = f"{size} bytes"
                else:
                    with open(path, "rb") as file:  # noqa: PTH123
                        found[shown] = hashlib.sha1(file.read()).hexdigest()
            else:
                found[shown] = "folder" if stat.S_ISDIR(mode) else "special"
    return found


def run_case(case: Case, world: Path, place: Path) -> str:
    """Try a case in a copy of the world; returns what fell short, or nothing."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(world, place, symlinks=True)
    try:
        if case.prepare is not None:
            prepared = in_a_child(lambda: case.prepare(place), place, 60, check_status=False)
            if prepared.status != 0:
                return f"the case itself can't be prepared: {prepared.err.strip()[-300:]}"
        before = digests(place)
        answer = in_a_child(lambda: _do(case, place), place, case.limit, stdout=case.stdout, env=case.environment)
        after = digests(place)
        return "; ".join(_judge(case, answer, before, after, place))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def in_a_child(
    what: Callable[[], Any],
    place: Path,
    limit: float,
    *,
    stdout: str = "",
    env: dict[str, str] | None = None,
    check_status: bool = True,
) -> Answer:
    """Do something in a fork of this process, in a folder, with its words caught and its time and memory bounded."""
    out, err, notes = (place.parent / f"{place.name}.{name}" for name in ("out", "err", "notes"))
    began = time.perf_counter()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.setsid()
            atexit._clear()  # a command runs what is due at its end: removing the world is its parent's
            _redirect(out if not stdout else Path(stdout), err)
            os.environ.update(env or {})
            os.chdir(place)
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined] # it has children
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            found = what()
            status = found if isinstance(found, int) and check_status else 0
        except BaseException:
            traceback.print_exc()
        finally:
            try:
                sys.stdout.flush()
            except (OSError, ValueError) as error:  # Python would say so as it ends, and exit with 120
                print(f"Exception ignored: {error}", file=sys.stderr)
                status = 120
            try:
                sys.stderr.flush()
                os.write(os.open(notes, os.O_WRONLY | os.O_CREAT), b"torch" if "torch" in sys.modules else b"")
            finally:  # whatever a case broke, never go on as the process that it was forked from
                os._exit(status & 255)
    status = _wait(child, limit)
    answer = Answer(status, took=time.perf_counter() - began)
    for path in (out, err):
        if path.exists():
            setattr(answer, path.suffix[1:], path.read_bytes().decode("utf-8", errors="replace"))
    answer.torch = notes.exists() and notes.read_text() == "torch"
    for path in (out, err, notes):
        path.unlink(missing_ok=True)
    return answer


def _redirect(out: Path, err: Path) -> None:
    for number, path in ((1, out), (2, err)):
        taken = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(taken, number)
        os.close(taken)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    encoding = os.environ.get("PYTHONIOENCODING", "utf-8")
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding=encoding)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), encoding=encoding, errors="backslashreplace")


def _wait(child: int, limit: float) -> int | None:
    """Give the status of a child; kill it, and what it started, when its time is over."""
    handle = os.pidfd_open(child)
    try:
        ready = select.select([handle], [], [], limit)[0]
    finally:
        os.close(handle)
    if not ready:
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else None


def command(line: Sequence[str]) -> int:
    """Run `whalereid` as its own entry point does, but for ending the process; gives the exit status."""
    from whalereid import stopping

    sys.argv = ["whalereid", *line]
    stopping.leave = sys.exit  # its own would end us before what was done is looked at
    try:
        runpy.run_module("whalereid", run_name="__main__", alter_sys=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return 0


def _do(case: Case, place: Path) -> int:
    if case.call is None:
        status = command(case.line)
        if case.check is not None and case.wanted != "refused":
            _report(case.check(place, status))
        return status
    import warnings

    from whalereid.errors import WhalereidError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the library's own words
            given = case.call(place)
    except WhalereidError as error:
        print(f"whalereid: {error}", file=sys.stderr)
        return 2
    if case.check is not None:
        _report(case.check(place, given))
    if case.wanted == "refused":
        print(f"gave {type(given).__name__}: {str(given)[:80]!r}", file=sys.stdout)
    return 0


def _report(problem: str | None) -> None:
    if problem:
        print(f"FOUND WRONG: {problem}", file=sys.stderr)


def _judge(case: Case, answer: Answer, before: dict[str, str], after: dict[str, str], place: Path) -> list[str]:
    short = []
    said = OURS.sub("", answer.err)
    if answer.status is None:
        return [f"took over {case.limit:g} s" if answer.took >= case.limit else "died of a signal"]
    alien = ALIEN.search(said)
    if alien:
        last = (said.strip().splitlines() or [""])[-2 if "this is a bug" in said else -1]
        short.append(f"{alien.group()[:80]!r} on stderr ({last.strip()[:160]})")
    wrong = re.search(r"FOUND WRONG: (.*)", answer.err)
    if wrong:
        short.append(wrong.group(1)[:200])
    wanted = {"refused": (2,), "done": (0,), "either": (0, 2)}[case.wanted]
    if answer.status not in wanted and not alien:
        silent = answer.out.strip()[:100] if case.call else ""
        tail = (answer.err.strip().splitlines() or [silent])[-1][:160]
        short.append(f"exit {answer.status} where {' or '.join(map(str, wanted))} was due ({tail})")
    if answer.status == 2 and not alien and "--strict" not in case.line:
        lines = answer.err.strip().splitlines()
        ours = [line for line in lines if line.startswith("whalereid: ")]
        if len(ours) != 1 or lines[-1] != ours[0]:
            short.append(f"a refusal in {len(lines)} lines, {len(ours)} of them so marked ({answer.err.strip()[:120]})")
        elif case.light and len(lines) != 1:
            short.append(f"more than the refusal on stderr: {lines[0][:100]}")
        if ours and len(ours[-1]) > 10_000:
            short.append(f"a refusal of {len(ours[-1]):,} characters")
    if any(len(line) > 10_000 for line in answer.err.splitlines()):
        short.append("a line of over 10,000 characters on stderr")
    strange = CONTROL.search(answer.err.replace("\r", "")) or CONTROL.search(answer.out)
    if strange:
        short.append(f"a control character {strange.group()!r} among the words")
    if case.says and answer.status in wanted and not re.search(case.says, answer.err + answer.out, re.I | re.S):
        last = (answer.err.strip().splitlines() or [""])[-1]
        short.append(f"doesn't say {case.says!r}: {last[:160]}")
    if case.light and answer.torch:
        short.append("torch was loaded")
    resumable = [name for name in after if name not in before and RESUMABLE.search(name)]
    writes = [w for w in case.writes if answer.status == 0]
    writes += [w for w in case.keeps if any(name.startswith(f"{w}/") for name in resumable)]

    def may(name: str) -> bool:
        return any(name == w or name.startswith(w.rstrip("/") + "/") or fnmatch(name, w) for w in writes)

    changed = [name for name, content in before.items() if after.get(name) != content and not may(name)]
    if changed:
        short.append(f"changed or removed {', '.join(changed[:3])}")
    new = [name for name in after if name not in before]
    left = [name for name in new if not may(name) and LEFT_BEHIND.search(Path(name).name)]
    if left:
        short.append(f"left behind {', '.join(left[:3])}")
    strangers = [name for name in new if not may(name) and name not in left]
    if strangers and not (answer.status == 0 and case.wanted == "either" and not case.writes):
        short.append(f"wrote {', '.join(n[:60] for n in strangers[:3])}")
    return short
