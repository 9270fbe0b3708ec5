"""The gate before each file that is written: ours, of this kind, or new; else refused, and nothing is lost."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, cycle
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import whalereid as wr
from whalereid import files
from whalereid.cli.app import run
from whalereid.embeddings.store import PartStore
from whalereid.errors import WhalereidError
from whalereid.evaluation import Protocol, ScoreCalibration
from whalereid.files import check_whole_folder, disk_errors, replacing, replacing_all, temporary
from whalereid.outputs import CALIBRATION, CATALOGUE, EMBEDDINGS, FIGURE, FOLDS, PICTURE, RANKING, TASK, check_output
from whalereid.ranking import Ranking, Task, read_tasks, task_path, write_tasks
from whalereid.reporting import write_figure, write_image
from whalereid.splits import write_folds
from whalereid.training.batches import EpochBatches
from whalereid.training.folder import RunFolder

GREY = np.full((8, 10, 3), 128, np.uint8)
CALIBRATED = ScoreCalibration("logistic").fit([0.1, 0.4, 0.6, 0.9], [False, True, False, True])
PHOTOS = pd.DataFrame({"image_id": list("abcdef"), "path": [f"{i}.png" for i in "abcdef"], "identity": list("xxyyzz")})
RANKED = Ranking([["b", "c"], ["a"]], [[0.9, 0.1], [0.8]], ["a", "b"])
TASKS = [Task("all", ("a", "b"), ("a", "b"), tuple("abcdef"))]
VECTORS = wr.Embeddings.from_numpy(list("abcdef"), np.eye(6), {"network": "n"})


def catalogue() -> wr.Catalogue:
    return wr.Catalogue(PHOTOS, source="memory")


def _figure(path: Path, **more: bool) -> None:
    from matplotlib.figure import Figure

    write_figure(Figure((1, 1)), path, **more)


# What each public writer writes, by a name that suits it.
WRITERS = {
    "catalogue.csv": lambda path, **more: catalogue().write(path, **more),
    "folds.csv": lambda path, **more: write_folds(PHOTOS[["image_id"]].assign(fold=0), path, **more),
    "ranking.csv": lambda path, **more: RANKED.write(path, **more),
    "embeddings.parquet": lambda path, **more: VECTORS.write(path, **more),
    "calibration.json": lambda path, **more: CALIBRATED.write(path, **more),
    "picture.png": lambda path, **more: write_image(path, GREY, **more),
    "picture.jpg": lambda path, **more: write_image(path, GREY, **more),
    "picture.webp": lambda path, **more: write_image(path, GREY, **more),
    "figure.png": _figure,
    "figure.svg": _figure,
    "figure.pdf": _figure,
}
KINDS = (RANKING, TASK, FOLDS, CATALOGUE, EMBEDDINGS, CALIBRATION, FIGURE, PICTURE)
# What a person may have lying there, whatever it is called.
PRECIOUS = {
    "text": b"remember the milk\n",
    "labels": b"query_id,database_image_id\na,b\n",
    "history": b"epoch,train_loss\n1,0.5\n",
    "queries": b"image_id\na\n",
    "photo": cv2.imencode(".jpg", GREY)[1].tobytes(),
    "png": cv2.imencode(".png", GREY)[1].tobytes(),
    "webp": cv2.imencode(".webp", GREY)[1].tobytes(),
    "json": b'{"format": "something-else/1"}',
    "bytes": bytes(range(256)),
}


def refused(arguments: list[object], capsys: pytest.CaptureFixture[str]) -> str:
    assert run([str(word) for word in arguments]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len([line for line in said if line.startswith("whalereid: ")]) == 1
    return said[-1]


class Touches:
    """Fails the n-th time that something below a folder is made, opened to be written, renamed, linked or removed."""

    EVENTS = ("os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir")

    def __init__(self) -> None:
        self.left, self.number, self.folder, self.heard = 0, 0, "", False

    def __call__(self, event: str, arguments: tuple) -> None:
        if not self.left or not (event == "open" or event in self.EVENTS):
            return
        writes = event != "open" or (isinstance(arguments[1], str) and bool(set(arguments[1]) & set("wxa+")))
        if writes and str(arguments[0]).startswith(self.folder):
            self.left -= 1
            if not self.left:
                raise OSError(self.number, os.strerror(self.number), str(arguments[0]))

    @contextmanager
    def failing(self, folder: Path | str, at: int, number: int) -> Iterator[None]:
        if not self.heard:  # for good: the interpreter lets no hook go
            sys.addaudithook(self)
        self.left, self.number, self.folder, self.heard = at, number, str(folder), True
        try:
            yield
        finally:
            self.came, self.left = not self.left, 0


TOUCHES = Touches()
REFUSED = ["LOOP", "NAMETOOLONG", "ROFS", "ACCES", "NOSPC", "FBIG", "DQUOT", "IO", "MFILE", "PERM"]


def listing_of(folder: Path) -> dict[str, bytes | None]:
    """All that lies in a folder, hidden or not, and what is in each file."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def fails_at_each_touch(write: Callable[[Path], object], folder: Path, prepare: Callable[[Path], object]) -> int:
    """Fail a writer at each touch in turn: all is as it was where it says so; returns how often it did."""
    failures = 0
    numbers = cycle([getattr(errno, f"E{name}") for name in REFUSED])
    for at in count(1):
        place = folder / str(at)
        place.mkdir()
        prepare(place)
        before = listing_of(place)
        try:
            with TOUCHES.failing(place, at, next(numbers)):
                write(place)
        except WhalereidError:
            assert listing_of(place) == before, at
            failures += 1
        else:
            left = [name for name in listing_of(place) if ".whalereid-" in name or name.endswith(".parts")]
            assert not left, at
            if not TOUCHES.came:
                return failures
    raise AssertionError


@pytest.mark.parametrize("name", WRITERS)
def test_writers_replace_their_own_and_nothing_else(name: str, tmp_path: Path) -> None:
    write, path = WRITERS[name], tmp_path / "sub" / name
    write(path)
    first = path.read_bytes()
    write(path)
    assert path.exists()
    assert not list(path.parent.glob(".whalereid-*"))
    for what, held in PRECIOUS.items():
        path.write_bytes(held)
        with pytest.raises(WhalereidError, match="--force"):
            write(path)
        assert path.read_bytes() == held, what
    write(path, force=True)
    assert len(path.read_bytes()) > 0
    path.write_bytes(b"")  # nothing to lose
    write(path)
    for other, writer in WRITERS.items():
        if other.split(".")[0] == name.split(".")[0] or {name.split(".")[0], other.split(".")[0]} == {
            "picture",
            "figure",
        }:
            continue
        source = tmp_path / "others" / other
        if not source.exists():
            writer(source)
        path.write_bytes(source.read_bytes())
        with pytest.raises(WhalereidError, match="is there already"):
            write(path)
        assert path.read_bytes() == source.read_bytes()
    path.write_bytes(first)
    write(path)


@pytest.mark.parametrize("name", WRITERS)
def test_writers_refuse_what_is_no_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, suffix = WRITERS[name], Path(name).suffix
    (tmp_path / f"folder{suffix}").mkdir()
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"nowhere{suffix}").symlink_to(tmp_path / "absent")
    (tmp_path / f"loop{suffix}").symlink_to(tmp_path / f"loop{suffix}")
    (tmp_path / f"full{suffix}").symlink_to("/dev/full")
    (tmp_path / "file").write_text("mine")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(tmp_path)  # a socket's path must be short
        listener.bind(f"socket{suffix}")
        for place in ("folder", "pipe", "nowhere", "loop", "full", "socket", "file/within", "x" * 300):
            with pytest.raises(WhalereidError):
                write(tmp_path / f"{place}{suffix}", force=True)
    for wrong in ("a.docx", "a", "a.txt", "/dev/full"):
        with pytest.raises(WhalereidError):
            write(tmp_path / wrong, force=True)
    assert (tmp_path / "file").read_text() == "mine"
    assert (tmp_path / f"loop{suffix}").is_symlink()


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "r.csv").symlink_to(tmp_path / "disk" / "real.csv")
    RANKED.write(tmp_path / "disk" / "real.csv")
    RANKED.cut(1).write(tmp_path / "r.csv")
    assert (tmp_path / "r.csv").is_symlink()
    assert Ranking.read(tmp_path / "disk" / "real.csv").k == 1
    (tmp_path / "disk" / "real.csv").write_text("image_id\na\n")
    with pytest.raises(WhalereidError, match="not a ranking"):
        RANKED.write(tmp_path / "r.csv")


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cc"]), min_size=1)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, st.booleans())
def test_names_up_to_the_limit_work(tmp_path: Path, letters: str, full: bool) -> None:
    room = 255 - len(".csv")
    name = letters * (room if full else 1)
    name = name.encode()[:room].decode(errors="ignore") + ".csv"
    if name.startswith("."):
        name = "a" + name[1:]
    folder = tmp_path / str(abs(hash(name)))
    RANKED.write(folder / name, TASKS)
    RANKED.write(folder / name, TASKS)
    assert read_tasks(folder / name) == TASKS
    assert len(list(folder.iterdir())) == 2


def test_names_of_255_bytes_hold_parts_of_embeddings(tmp_path: Path) -> None:
    path = tmp_path / ("ж" * 123 + "x.parquet")
    assert len(os.fsencode(path.name)) == 255
    store = PartStore(path, {"network": "n"}, dict.fromkeys("abcdef", "0" * 16))
    store.add(VECTORS)
    store.stop()
    again = PartStore(path, {"network": "n"}, dict.fromkeys("abcdef", "0" * 16))
    assert [len(part) for part in again.read()] == [6]
    again.finish(VECTORS)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("older", [False, True])
def test_a_ranking_and_its_tasks_come_both_or_neither(
    older: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.csv"
    if older:
        RANKED.cut(1).write(path, [Task("older", ("a", "b"), ("a", "b"), tuple("abcdef"))])
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
    steps = ("replace", "unlink", "write_text")
    failures = 0
    for step in steps:
        for at in range(6):
            true, calls = getattr(Path, step), iter(range(100))

            def fails(self: Path, *args: object, true=true, calls=calls, at=at, **more: object) -> object:
                if next(calls) == at:
                    raise OSError(errno.EIO, "Input/output error")
                return true(self, *args, **more)

            with monkeypatch.context() as patched:
                patched.setattr(Path, step, fails)
                try:
                    RANKED.write(path, TASKS)
                except WhalereidError:
                    failures += 1
                    patched.undo()
                    now = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir() if entry.name[0] != "."}
                    assert now == before, (step, at)
                    continue
            assert read_tasks(path) == TASKS
            for entry in list(tmp_path.iterdir()):
                entry.unlink()
            for name, held in before.items():
                (tmp_path / name).write_bytes(held)
    assert failures >= 3


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("tasks", [TASKS, None])
@pytest.mark.parametrize("older", [True, False])
def test_a_ranking_that_fails_at_any_touch_leaves_the_folder_as_it_was(
    older: bool, tasks: list[Task] | None, links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    olds = [Task("older", ("a", "b"), ("a", "b"), tuple("abcdef"))]
    failures = fails_at_each_touch(
        lambda place: RANKED.write(place / "r.csv", tasks),
        tmp_path,
        lambda place: RANKED.cut(1).write(place / "r.csv", olds) if older else None,
    )
    assert failures >= (3 if older or tasks else 2)


def test_a_folder_that_is_replaced_is_whole_whatever_fails(tmp_path: Path) -> None:
    protocol = Protocol(TASKS, catalogue())
    assert fails_at_each_touch(lambda at: protocol.write(at / "p"), tmp_path, lambda at: protocol.write(at / "p")) > 3


def _begin_parts(path: Path) -> None:
    PartStore(path, {"network": "n"}, dict.fromkeys("abcdef", "0" * 16)).stop()


def _begin_run(path: Path, *, force: bool = False) -> None:
    RunFolder(path, {"recipe": {"epochs": 2}}, resume=False, force=force)


FOLDERS = {
    "parts": (lambda at: _begin_parts(at / "a" / "b" / "new")),
    "parts of a file": (lambda at: _begin_parts(at / "a" / "b" / "new.parquet")),
    "run": (lambda at: _begin_run(at / "a" / "b" / "new")),
    "protocol": (lambda at: Protocol(TASKS, catalogue()).write(at / "a" / "b" / "new")),
    "ranking": (lambda at: RANKED.write(at / "a" / "b" / "new.csv", TASKS)),
    "figure": (lambda at: _figure(at / "a" / "b" / "new.png")),
    "picture": (lambda at: write_image(at / "a" / "b" / "new.png", GREY)),
    "long": (lambda at: RANKED.write(at / "a" / ("x" * 300) / "r.csv")),
}


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("there", [False, True])
def test_no_new_folder_is_left_where_nothing_could_be_written(name: str, there: bool, tmp_path: Path) -> None:
    def prepare(at: Path) -> None:
        if there:  # somebody's, and empty: it stays
            (at / "a" / "b" / "new").mkdir(parents=True)

    if name == "long":
        with pytest.raises(WhalereidError, match="choose another name"):
            FOLDERS[name](tmp_path)
        assert list(tmp_path.iterdir()) == []
    elif not (there and name == "protocol"):
        assert fails_at_each_touch(FOLDERS[name], tmp_path, prepare) >= 2


def test_a_network_that_cannot_be_saved_leaves_no_folder(tmp_path: Path) -> None:
    net = wr.Embedder("resnet10t", weights="random", image_size=32)
    assert fails_at_each_touch(lambda at: net.save(at / "a" / "new"), tmp_path, lambda at: None) >= 4


def test_an_earlier_training_stays_where_a_new_one_cannot_begin(tmp_path: Path) -> None:
    def prepare(at: Path) -> None:
        _begin_run(at / "run")
        (at / "run" / "checkpoint").mkdir()
        for name in ("history.csv", "model.safetensors", "checkpoint/last.pt"):
            (at / "run" / name).write_text("an hour's work")

    assert fails_at_each_touch(lambda at: _begin_run(at / "run", force=True), tmp_path, prepare) >= 4
    last = max((place for place in tmp_path.iterdir()), key=lambda place: int(place.name))
    assert sorted(listing_of(last / "run")) == ["checkpoint", "run.json"]


def test_a_task_of_another_kind_keeps_the_ranking(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    RANKED.write(path)
    before = path.read_bytes()
    task_path(path).write_text('{"mine": 1}')
    for write in (lambda: RANKED.cut(1).write(path, TASKS), lambda: RANKED.cut(1).write(path)):
        with pytest.raises(WhalereidError, match=r"r\.csv\.task\.json: is there already"):
            write()
    assert path.read_bytes() == before
    with pytest.raises(WhalereidError):
        write_tasks(TASKS, path)
    RANKED.write(path, TASKS, force=True)
    RANKED.write(path)  # alone: other lists than those that the tasks speak of
    assert not task_path(path).exists()


def test_a_ranking_that_was_cut_off_between_the_two_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    RANKED.write(path)
    temporary(task_path(path), "part", pid=999_999_999).write_text("{}")
    with pytest.raises(WhalereidError, match="cut off"):
        Ranking.read(path)
    RANKED.write(path, TASKS)
    assert len(Ranking.read(path)) == 2
    assert len(list(tmp_path.iterdir())) == 2  # what the killed one left is gone


def test_several_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    names = [tmp_path / "new" / name for name in ("a", "b")]
    with pytest.raises(WhalereidError), replacing_all(names) as besides:
        besides[0].write_text("1")  # the other isn't
    assert not (tmp_path / "new").exists()  # nor are its folders left
    with replacing_all(names) as besides:
        for beside in besides:
            beside.write_text("1")
    with pytest.raises(WhalereidError), replacing_all(names) as besides:
        besides[0].write_text("2")  # the other was never written
    assert [name.read_text() for name in names] == ["1", "1"]


def test_a_folder_that_a_killed_writer_moved_aside_comes_back(tmp_path: Path) -> None:
    old = temporary(tmp_path / "p", "old", pid=999_999_999)
    old.mkdir()
    (old / "precious").write_text("mine")
    with pytest.raises(RuntimeError), replacing(tmp_path / "p"):
        raise RuntimeError
    assert (tmp_path / "p" / "precious").read_text() == "mine"


def test_a_file_never_takes_a_folders_place(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "precious").write_text("mine")
    with pytest.raises(WhalereidError), replacing(tmp_path / "f") as beside:
        beside.write_text("1")
    (tmp_path / "g").write_text("mine")
    with pytest.raises(WhalereidError), replacing(tmp_path / "g") as beside:
        beside.mkdir()
    assert (tmp_path / "f" / "precious").exists()
    assert (tmp_path / "g").read_text() == "mine"


REFUSALS = "NOSPC DQUOT FBIG IO ROFS ACCES PERM NAMETOOLONG LOOP NXIO BUSY MFILE STALE"


@pytest.mark.parametrize("number", [getattr(errno, f"E{name}") for name in REFUSALS.split()])
def test_what_the_system_refuses_is_one_line(number: int, tmp_path: Path) -> None:
    with pytest.raises(WhalereidError, match=r"r\.csv: .+; .+\.$") as found, replacing(tmp_path / "r.csv"):
        raise OSError(number, os.strerror(number))
    assert "\n" not in str(found.value)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(WhalereidError), disk_errors("a\0b"):
        Path("a\0b").write_text("x")


def test_a_folder_that_may_not_be_entered_is_refused_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(WhalereidError, match="may not be; choose another place"):
        check_output(tmp_path / "new" / "r.csv", RANKING)


def test_an_input_is_never_written_over(tmp_path: Path) -> None:
    RANKED.write(tmp_path / "r.csv")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "r.csv")
    (tmp_path / "soft.csv").symlink_to("r.csv")
    for name in ("r.csv", "hard.csv", "soft.csv"):
        for force in (False, True):
            with pytest.raises(WhalereidError, match="is read by the same command"):
                check_output(tmp_path / name, RANKING, inputs=[tmp_path / "r.csv", None], force=force)
    (tmp_path / "x.csv").write_bytes(PRECIOUS["text"])
    with pytest.raises(WhalereidError, match="never overwrites what is read"):
        check_output(tmp_path / "x.csv", RANKING, inputs=[tmp_path], force=True)
    assert check_output(tmp_path / "x.csv", RANKING, force=True) is not None
    assert check_output(tmp_path / "r.csv", RANKING, force=True) is None


def test_a_catalogue_is_not_written_over_its_own_table(tmp_path: Path) -> None:
    catalogue().write(tmp_path / "metadata.csv")
    before = (tmp_path / "metadata.csv").read_bytes()
    for source in (tmp_path, tmp_path / "metadata.csv"):
        photos = wr.Catalogue.read(source)
        with pytest.raises(WhalereidError, match="was read from there"):
            photos[:2].write(tmp_path / "metadata.csv")
    assert (tmp_path / "metadata.csv").read_bytes() == before
    photos[:2].write(tmp_path / "metadata.csv", force=True)


def test_a_folder_of_parts_holds_only_ours(tmp_path: Path) -> None:
    keys, provenance = dict.fromkeys("abcdef", "0" * 16), {"network": "n"}
    store = PartStore(tmp_path / "e", provenance, keys)
    store.add(VECTORS)
    for name in ("mine.parquet", "part-00009.parquet"):
        PHOTOS.to_parquet(tmp_path / "e" / name)
        for force in (False, True):
            with pytest.raises(WhalereidError, match=rf"{name}: isn't a part"):
                PartStore(tmp_path / "e", provenance, {"z": "1" * 16}, force=force)
        store.discard()
        assert (tmp_path / "e" / name).exists()
        (tmp_path / "e" / name).unlink()
        store = PartStore(tmp_path / "e", provenance, keys)
        store.add(VECTORS)
    (tmp_path / "e" / "notes.md").write_text("mine")
    store.finish(VECTORS)
    with pytest.raises(WhalereidError, match="made otherwise"):
        PartStore(tmp_path / "e", {"network": "m"}, keys)
    PartStore(tmp_path / "e", {"network": "m"}, keys, force=True).finish(VECTORS)
    assert sorted(entry.name for entry in (tmp_path / "e").iterdir()) == [
        "embeddings.json",
        "notes.md",
        "part-00000.parquet",
    ]


def test_force_replaces_a_file_only_when_the_embeddings_are_there(tmp_path: Path) -> None:
    keys, path = dict.fromkeys("abcdef", "0" * 16), tmp_path / "e.parquet"
    PHOTOS.to_parquet(path)
    before = path.read_bytes()
    store = PartStore(path, {"network": "n"}, keys, force=True)
    store.add(VECTORS)
    assert path.read_bytes() == before
    store.finish(VECTORS)
    assert len(wr.Embeddings.read(path)) == 6


def test_folders_are_replaced_only_where_all_is_ours(tmp_path: Path) -> None:
    protocol = Protocol(TASKS, catalogue())
    protocol.write(tmp_path / "p")
    protocol.write(tmp_path / "p")
    for name in ("queries/mine.csv", "notes.txt", "queries/deeper/scenario01.csv"):
        extra = tmp_path / "p" / name
        extra.parent.mkdir(exist_ok=True)
        extra.write_text("mine")
        with pytest.raises(WhalereidError, match="would be lost"):
            protocol.write(tmp_path / "p")
        assert extra.read_text() == "mine"
        extra.unlink()
    (tmp_path / "p" / "protocol.json").write_text('{"mine": 1}')
    with pytest.raises(WhalereidError, match="isn't a protocol's"):
        protocol.write(tmp_path / "p")
    with pytest.raises(WhalereidError, match="is a file"):
        check_whole_folder(tmp_path / "p" / "labels.csv", marker="m", holds=())


def test_networks_are_saved_over_networks_alone(tmp_path: Path) -> None:
    net = wr.Embedder("resnet10t", weights="random", image_size=32)
    net.save(tmp_path / "n")
    net.save(tmp_path / "n")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "model.safetensors").write_bytes(b"mine")
    (tmp_path / "n" / "run.json").write_text("{}")
    for name in ("photos", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(PRECIOUS["photo"])
    before = listing_of(tmp_path)
    for folder, words in (("w", "weights without"), ("n", "holds a training"), ("photos", r"something else \(a.jpg\)")):
        with pytest.raises(WhalereidError, match=words):
            net.save(tmp_path / folder)
    assert listing_of(tmp_path) == before
    net.save(tmp_path / "empty")
    for folder in ("w", "photos"):
        net.save(tmp_path / folder, force=True)
        assert wr.Embedder.load(tmp_path / folder).fingerprint == net.fingerprint
    assert (tmp_path / "photos" / "a.jpg").read_bytes() == PRECIOUS["photo"]


@pytest.fixture
def herd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all that the commands read."""
    monkeypatch.chdir(tmp_path)
    for name in PHOTOS["path"]:
        Path(name).write_bytes(PRECIOUS["png"])
    PHOTOS.assign(encounter=list("123456")).to_csv("metadata.csv", index=False)
    VECTORS.write("e.parquet")
    write_folds(PHOTOS[["image_id"]].assign(fold=[0, 0, 0, 1, 1, 1]), "folds.csv")
    for name in ("labels", "history", "queries", "photo"):
        Path(f"{name}.csv").write_bytes(PRECIOUS[name])
    RANKED.write("r.csv", TASKS)
    return tmp_path


TRAIN = "train metadata.csv --backbone resnet10t --weights random --image-size 32 --batch-size 2 --workers 0"
TRAIN += " --folds folds.csv --fold 0 --epochs 2 --exclude none --out"


@pytest.mark.parametrize(
    ("where", "number", "kept"),
    [
        ("a", errno.ELOOP, False),
        ("a/new/.", errno.ENOSPC, False),  # run.json is written under a hidden name
        ("a/new/checkpoint", errno.ENAMETOOLONG, False),
        ("a/new/checkpoint", errno.ENOSPC, True),  # what is full can be made room on
    ],
)
def test_a_training_that_cannot_write_its_first_epoch_leaves_nothing(
    where: str, number: int, kept: bool, herd: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = listing_of(herd)
    with TOUCHES.failing(f"{herd}/{where}", 1, number):
        said = refused([*TRAIN.split(), herd / "a" / "new"], capsys)
    if kept:
        assert "a/new/run.json" in listing_of(herd)
        assert "--resume" in said
    else:
        assert listing_of(herd) == before


@pytest.mark.parametrize("out", ["a/new", "a/new.parquet"])
@pytest.mark.parametrize("number", [errno.ELOOP, errno.ENOSPC])
def test_embeddings_that_cannot_be_begun_leave_nothing(
    out: str, number: int, herd: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wr.Embedder("resnet10t", weights="random", image_size=32).save(herd / "net")
    before = listing_of(herd)
    with TOUCHES.failing(f"{herd}/{out.replace('new.parquet', '.new.parquet.parts')}/.", 1, number):
        refused(["embed", "metadata.csv", "--model", "net", "--workers", 0, "--out", herd / out], capsys)
    assert listing_of(herd) == before


def test_a_training_that_lacks_a_file_is_made_whole_or_refused_before_it_goes_on(
    herd: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = EpochBatches.set_epoch

    def stops(self: EpochBatches, epoch: int) -> None:
        if epoch:
            raise WhalereidError("the second epoch begins.")
        begin(self, epoch)

    monkeypatch.setattr(EpochBatches, "set_epoch", stops)
    assert "second epoch" in refused([*TRAIN.split(), "whole"], capsys)
    for name in ("head.safetensors", "model.safetensors", "config.json", "checkpoint/last.pt"):
        for hurt in (Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:40])):
            shutil.rmtree("run", ignore_errors=True)
            shutil.copytree("whole", "run")
            hurt(Path("run", name))
            before = listing_of(herd)
            said = refused([*TRAIN.split(), "run", "--resume"], capsys)
            assert name in said
            assert "second epoch" not in said
            assert listing_of(herd) == before, name
    shutil.rmtree("run")
    shutil.copytree("whole", "run")
    Path("run/history.csv").unlink()  # which the checkpoint knows
    assert "second epoch" in refused([*TRAIN.split(), "run", "--resume"], capsys)
    assert listing_of(herd / "run") == listing_of(herd / "whole")


def test_commands_write_over_nothing_else(herd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ranks = ["rank", "--embeddings", "e.parquet", "--catalogue", "metadata.csv", "--queries", "queries.csv", "-k", 3]
    splits = ["split", "--catalogue", "metadata.csv", "--folds", 2]
    draws = ["evaluate", "r.csv", "--catalogue", "metadata.csv", "--resamples", 0, "--min-queries", 1, "--figure"]
    before = {path: path.read_bytes() for path in herd.iterdir()}
    for name in ("metadata.csv", "folds.csv", "labels.csv", "history.csv", "queries.csv", "photo.csv", "e.parquet"):
        refused([*ranks, "--out", name], capsys)
        if name != "folds.csv":
            refused([*splits, "--out", name], capsys)
    for name in ("queries.csv", "metadata.csv", "e.parquet", "/dev/full", "/dev/full/x.csv", "x" * 300 + ".csv"):
        assert "whalereid: " in refused([*ranks, "--out", name, "--force"], capsys)
    for name in ("a.png", "r.csv", "metadata.csv", "figure.docx", "/dev/full"):
        refused([*draws, name], capsys)
    for name in ("e.parquet/x", "metadata.csv", "labels.csv"):
        refused(["embed", "--catalogue", "metadata.csv", "--model", "none", "--out", name], capsys)
    assert {path: path.read_bytes() for path in herd.iterdir()} == before
    assert run([str(word) for word in [*ranks, "--out", "history.csv", "--force"]]) == 0
    assert "--force: history.csv is a table of epoch, train_loss, and is overwritten" in capsys.readouterr().err
    for _ in range(2):  # over its own
        assert run([str(word) for word in [*ranks, "--out", "out/new.csv"]]) == 0
        assert run([str(word) for word in [*splits, "--out", "out/folds.csv"]]) == 0
        assert run([str(word) for word in [*draws, "out/figure.png"]]) == 0
    assert run([str(word) for word in [*draws, "a.png", "--force"]]) == 0
    assert "is a picture, and is overwritten" in capsys.readouterr().err


def test_sweeping_leaves_what_is_not_ours(tmp_path: Path) -> None:
    for name in (".notes.1.part.txt", ".e.7.part.parquet", "x.part"):
        (tmp_path / name).write_text("mine")
    temporary(tmp_path / "e.parquet", pid=999_999_999).write_text("half")
    files.sweep(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".e.7.part.parquet", ".notes.1.part.txt", "x.part"]
