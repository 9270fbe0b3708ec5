"""What the operating system refuses, at each moment: a full disk, a folder one may not enter, memory that ends."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case, command
from hostile.world import EMBED, EVALUATE, RANK, TRAIN

LINES = {
    "train": f"{TRAIN} --epochs 1 --out new",
    "embed": f"{EMBED} --out new.parquet",
    "embed to a folder": f"{EMBED} --out new",
    "rank": f"{RANK} --out new.csv",
    "rank to Parquet": f"{RANK} --out new.parquet",
    "split": "split --catalogue data/photos.csv --folds 2 --out new.csv",
    "figure": f"{EVALUATE} --figure new.png",
    "rank over its own": f"{RANK} --out ranking.csv",
    "check --write": "check --catalogue data --write",
}
ERRORS = ["ENOSPC", "EACCES", "EIO", "EFBIG", "EROFS", "EDQUOT", "ENAMETOOLONG", "ELOOP", "EMFILE", "EPERM"]
KEEPS = ("new", ".new.parquet.parts")


def cases(chosen: random.Random) -> Iterator[Case]:
    for name, line in LINES.items():
        for call in ("replace", "write", "mkdir"):
            for error in chosen.sample(ERRORS, 3):
                if call == "mkdir" and "train" not in name and "folder" not in name:
                    continue
                number = chosen.randrange(1, 3)
                yield Case(
                    f"{name}: {error} at {call} number {number}",
                    call=_failing(line, call, error, number),
                    wanted="either",
                    writes=_writes(name),
                    keeps=KEEPS,
                )
    for name in ("rank", "split", "figure", "embed", "train"):
        yield Case(
            f"{name}: a limit on the size of files",
            call=_limited(LINES[name]),
            wanted="either" if name in ("split", "rank", "figure") else "refused",
            writes=_writes(name),
            keeps=KEEPS,
        )
    readers = {
        "check": "check --catalogue data/photos.csv",
        "split": "split --catalogue data/photos.csv --folds 2",
        "train": LINES["train"],
        "embed": LINES["embed"],
        "rank": LINES["rank"],
        "evaluate": EVALUATE,
    }
    for name, line in readers.items():
        for error in ("EIO", "EACCES", "EMFILE"):
            yield Case(
                f"{name}: {error} at reading the table",
                call=_unreadable(line, "photos.csv", error),
                wanted="refused",
                says="photos.csv",
            )
        yield Case(f"{name}: memory ends at reading the table", call=_no_memory(line), wanted="refused", says="memory")
    for error in ("EIO", "EACCES"):
        yield Case(
            f"embed: {error} at reading a photo",
            call=_unreadable(LINES["embed"], "0_0.png", error),
            wanted="either",
            writes=("new.parquet",),
        )
        yield Case(
            f"rank: {error} at reading the embeddings",
            call=_unreadable(LINES["rank"], "emb.parquet", error),
            wanted="either",
            writes=("new.csv", "new.csv.task.json", "new.parquet.task.json"),
        )
        yield Case(
            f"evaluate: {error} at reading the task",
            call=_unreadable(EVALUATE, "ranking.csv.task.json", error),
            says="ranking.csv.task.json",
        )
        yield Case(
            f"embed: {error} at reading the configuration",
            call=_unreadable(LINES["embed"], "config.json", error),
            says="config.json",
        )
    for name, line in LINES.items():
        if name in ("train", "embed", "rank", "split", "figure"):
            where = line.replace("new", "shut/new")
            yield Case(
                f"{name}: into a folder one may not enter",
                call=_as_nobody(where),
                prepare=_shut,
                wanted="refused",
                says="shut",
            )
            where = line.replace("new", "notes.txt/new")
            yield Case(f"{name}: below a file", where.split(), wanted="refused", says="notes.txt")
            yield Case(
                f"{name}: below a link to itself",
                line.replace("new", "loop/new").split(),
                prepare=lambda f: (f / "loop").symlink_to("loop"),
                wanted="refused",
                says="loop",
            )
            yield Case(f"{name}: into /proc", line.replace("new", "/proc/new").split(), wanted="refused", says="proc")
    for name, line in readers.items():
        yield Case(
            f"{name}: a table one may not read",
            call=_as_nobody(line),
            prepare=lambda f: (f / "data/photos.csv").chmod(0),
            wanted="refused",
            says="photos.csv",
        )


def _writes(name: str) -> tuple[str, ...]:
    if name == "rank over its own":
        return ("ranking.csv", "ranking.csv.task.json")
    return (
        "new",
        "new.csv",
        "new.parquet",
        "new.csv.task.json",
        "new.parquet.task.json",
        "new.png",
        "data/metadata.csv",
    )


def status_of(line: str) -> None:
    status = command(line.split())
    if status:
        import sys

        sys.stderr.flush()
        sys.stdout.flush()
        os._exit(status)


def _failing(line: str, call: str, error: str, number: int) -> Callable[[Path], Any]:
    """Fail the n-th time that something is renamed, a file is opened for writing, or a folder is made in the world."""

    def run(folder: Path) -> None:
        import builtins
        import io

        left = [number]
        code = getattr(errno, error)

        def fail(path: Any) -> None:
            if str(os.path.abspath(os.fspath(path))).startswith(str(folder)):  # noqa: PTH100
                left[0] -= 1
                if left[0] == 0:
                    raise OSError(code, os.strerror(code), str(path))

        if call == "write":
            opened = builtins.open

            def failing_open(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
                if not isinstance(file, int) and set(mode) & set("wxa+"):
                    fail(file)
                return opened(file, mode, *rest, **more)

            builtins.open = io.open = failing_open  # type: ignore[assignment]
        else:
            names = ["replace", "rename"] if call == "replace" else ["mkdir"]
            for name in names:
                usual = getattr(os, name)

                def failing(path: Any, *rest: Any, usual: Any = usual, **more: Any) -> Any:
                    fail(path)
                    return usual(path, *rest, **more)

                setattr(os, name, failing)
        status_of(line)

    return run


def _limited(line: str) -> Callable[[Path], Any]:
    def run(folder: Path) -> None:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))
        status_of(line)

    return run


def _unreadable(line: str, name: str, error: str) -> Callable[[Path], Any]:
    def run(folder: Path) -> None:
        import builtins
        import io

        opened, code = builtins.open, getattr(errno, error)

        def failing(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
            if not isinstance(file, int) and str(file).endswith(name):
                raise OSError(code, os.strerror(code), str(file))
            return opened(file, mode, *rest, **more)

        builtins.open = io.open = failing  # type: ignore[assignment]
        status_of(line)

    return run


def _no_memory(line: str) -> Callable[[Path], Any]:
    def run(folder: Path) -> None:
        import whalereid.catalogue

        def read(*given: Any, **more: Any) -> Any:
            raise MemoryError

        whalereid.catalogue.Catalogue.read = read  # type: ignore[method-assign]
        status_of(line)

    return run


def _shut(folder: Path) -> None:
    (folder / "shut").mkdir(mode=0o000)


def _as_nobody(line: str) -> Callable[[Path], Any]:
    """Run as one who may not do everything."""

    def run(folder: Path) -> None:
        if os.geteuid() == 0:
            for path in folder.resolve().parents:
                if path.stat().st_uid == 0 and path.name.startswith(("hostile-", "world", "at-")):
                    path.chmod(0o755)
            os.chown(folder, 65534, 65534)
            os.setgid(65534)
            os.setuid(65534)
        os.environ["HOME"] = str(folder)
        status_of(line)

    return run
