"""Embeddings kept on disk as they are made: stopped, killed, gone on with, grown, refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.embeddings.conftest import Counting, embed, embed_many, network

from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings
from whalereid.embeddings.store import PartStore
from whalereid.errors import WhalereidError
from whalereid.files import temporary

QUIET = {"progress": False, "workers": 0, "precision": "fp32", "batch_size": 2}


@pytest.fixture(params=["emb.parquet", "emb"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One file, or a folder of parts."""
    return tmp_path / "out" / request.param


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whalereid.embeddings.passes._PART_PHOTOS", 4)


def stopped(net: Counting, photos: Catalogue, out: Path, after: int, **options: object) -> str:
    """Stop it when so many photos are made; returns what it says."""
    net.stop_at = after
    with pytest.raises(KeyboardInterrupt) as stop:
        embed(net, photos, out=out, **QUIET | options)
    net.stop_at, net.images = -1, 0
    return str(stop.value)


def test_what_is_written_is_what_is_returned(net: Counting, photos: Catalogue, out: Path) -> None:
    made = embed(net, photos, out=out, **QUIET)
    read = Embeddings.read(out)
    assert read.ids.tolist() == made.ids.tolist() == photos.image_ids.tolist()
    assert np.array_equal(read.vectors, made.vectors)
    assert read.provenance == made.provenance
    assert np.array_equal(made.vectors, embed(net, photos, **QUIET).vectors)
    beside = [path.name for path in out.parent.iterdir()]
    assert beside == [out.name]  # no work is left lying


def test_a_finished_one_is_not_made_again(net: Counting, photos: Catalogue, out: Path) -> None:
    first = embed(net, photos, out=out, **QUIET)
    net.images = 0
    again = embed(net, photos, out=out, **QUIET)
    assert net.images == 0
    assert np.array_equal(again.vectors, first.vectors)
    assert again.ids.tolist() == first.ids.tolist()


@pytest.mark.parametrize("after", [2, 6, 10])
def test_a_stopped_run_goes_on_where_it_was(net: Counting, photos: Catalogue, out: Path, after: int) -> None:
    expected = embed(net, photos, **QUIET)
    net.images = 0
    stopped(net, photos, out, after)
    with pytest.raises(WhalereidError, match="unfinished; run the same `whalereid embed` again"):
        Embeddings.read(out)
    made = embed(net, photos, out=out, **QUIET)
    assert net.images == 12 - after
    assert made.ids.tolist() == photos.image_ids.tolist()
    assert np.array_equal(made.vectors, expected.vectors)
    assert np.array_equal(Embeddings.read(out).take(photos.image_ids), expected.vectors)


def test_stopping_says_that_it_can_go_on(
    net: Counting, photos: Catalogue, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = stopped(net, photos, out, 6, progress=True)
    assert said.endswith("6 of 12 photos are kept; run it again to go on.")
    assert "kept" not in capsys.readouterr().err  # a command prints one line


def test_stopped_before_anything_was_made_leaves_nothing(net: Counting, photos: Catalogue, out: Path) -> None:
    stopped(net, photos, out, 0)
    assert not out.parent.exists()  # it was made for them
    out.parent.mkdir()
    stopped(net, photos, out, 0)
    assert list(out.parent.iterdir()) == []


def test_options_that_cannot_be_leave_nothing(net: Counting, photos: Catalogue, out: Path) -> None:
    with pytest.raises(WhalereidError, match="on_error"):
        embed(net, photos, out=out, on_error="ignore", **QUIET)
    other = out.with_name("other.parquet")
    other.parent.mkdir(exist_ok=True)
    other.write_text("precious")
    with pytest.raises(WhalereidError, match="not whalereid's embeddings"):
        embed_many({"one": net, "two": network(1)}, photos, out={"one": out, "two": other}, **QUIET)
    assert [path.name for path in out.parent.iterdir()] == ["other.parquet"]


def test_an_unreadable_photo_leaves_what_was_made_and_goes_on_once_mended(
    net: Counting, photos: Catalogue, out: Path
) -> None:
    whole = photos.paths[9].read_bytes()
    photos.paths[9].write_bytes(whole[:60])
    with pytest.raises(WhalereidError, match=r"p09.png"):
        embed(net, photos, out=out, **QUIET)
    photos.paths[9].write_bytes(whole)
    net.images = 0
    made = embed(net, photos, out=out, **QUIET)
    assert net.images == 4
    assert made.ids.tolist() == photos.image_ids.tolist()


def test_photos_left_out_are_tried_again_and_added(net: Counting, photos: Catalogue, out: Path) -> None:
    aside = photos.paths[9].with_suffix(".aside")
    photos.paths[9].rename(aside)
    with pytest.warns(UserWarning, match="p09"):
        assert len(embed(net, photos, out=out, on_error="skip", **QUIET)) == 11
    assert len(Embeddings.read(out)) == 11
    aside.rename(photos.paths[9])
    net.images = 0
    made = embed(net, photos, out=out, **QUIET)
    assert net.images == 1
    assert made.ids.tolist() == photos.image_ids.tolist()
    assert sorted(Embeddings.read(out).ids) == sorted(photos.image_ids)


def test_new_photos_are_added_to_a_finished_one(net: Counting, photos: Catalogue, out: Path) -> None:
    embed(net, photos[[1, 3, 5]], out=out, **QUIET)
    net.images = 0
    made = embed(net, photos, out=out, **QUIET)
    assert net.images == 9
    assert made.ids.tolist() == photos.image_ids.tolist()
    assert np.array_equal(Embeddings.read(out).take(photos.image_ids), made.vectors)


def test_other_photos_than_a_finished_ones_are_refused(net: Counting, photos: Catalogue, out: Path) -> None:
    embed(net, photos[:6], out=out, **QUIET)
    with pytest.raises(WhalereidError, match=r"photos that this catalogue lacks .*\(p00, p01, p02, p03"):
        embed(net, photos[6:], out=out, **QUIET)
    photos.paths[2].write_bytes(photos.paths[3].read_bytes())
    with pytest.raises(WhalereidError, match=r"whose files, boxes or masks have changed since \(p02\)"):
        embed(net, photos, out=out, **QUIET)
    assert len(Embeddings.read(out)) == 6


def test_an_unfinished_one_makes_changed_photos_again(net: Counting, photos: Catalogue, out: Path) -> None:
    stopped(net, photos, out, 8)
    photos.paths[2].write_bytes(photos.paths[3].read_bytes())
    made = embed(net, photos, out=out, **QUIET)
    assert np.array_equal(made.vectors, embed(net, photos, **QUIET).vectors)
    assert np.array_equal(Embeddings.read(out).take(made.ids), made.vectors)


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"flip": True}, "flip is false there, true now"),
        ({"precision": "bf16"}, 'precision is "fp32" there, "bf16" now'),
    ],
)
def test_embeddings_made_otherwise_are_refused(
    net: Counting, photos: Catalogue, out: Path, finished: bool, change: dict, words: str
) -> None:
    embed(net, photos, out=out, **QUIET) if finished else stopped(net, photos, out, 6)
    net.images = 0
    with pytest.raises(WhalereidError, match=words):
        embed(net, photos, out=out, **QUIET | change)
    assert net.images == 0
    embed(net, photos, out=out, **QUIET)  # and what was there is untouched
    assert net.images == (0 if finished else 6)


def test_another_networks_embeddings_are_refused(net: Counting, photos: Catalogue, out: Path) -> None:
    embed(net, photos, out=out, **QUIET)
    for options, differs in [
        ({"seed": 1}, "fingerprint is"),
        ({"image_size": 64}, r"transform image_size is \[32, 32\] there, \[64, 64\] now \(fingerprint too\)"),
        ({"neck": "bn"}, "network neck is"),
    ]:
        with pytest.raises(WhalereidError, match=rf"emb.*: holds embeddings made otherwise: {differs}"):
            embed(network(**options), photos, out=out, **QUIET)


def test_places_that_hold_something_else(net: Counting, photos: Catalogue, tmp_path: Path) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "thesis.docx").write_text("precious")
    with pytest.raises(WhalereidError, match=r"already holds something else \(thesis.docx\)"):
        embed(net, photos, out=folder, **QUIET)
    assert [path.name for path in folder.iterdir()] == ["thesis.docx"]
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(WhalereidError, match="is a folder"):
        embed(net, photos, out=tmp_path / "folder.parquet", **QUIET)
    (tmp_path / "text.parquet").write_text("precious")
    with pytest.raises(WhalereidError, match="not whalereid's embeddings"):
        embed(net, photos, out=tmp_path / "text.parquet", **QUIET)
    assert (tmp_path / "text.parquet").read_text() == "precious"
    foreign = Embeddings.from_numpy(["a"], [[1.0]])
    foreign.write(tmp_path / "foreign.parquet")
    with pytest.raises(WhalereidError, match="made otherwise"):
        embed(net, photos, out=tmp_path / "foreign.parquet", **QUIET)
    assert net.images == 0


def test_half_a_part_of_a_killed_run_is_swept_away(net: Counting, photos: Catalogue, out: Path) -> None:
    stopped(net, photos, out, 6)
    folder = out if out.suffix == "" else out.with_name(f".{out.name}.parts")
    (temporary(folder / "part-00009.parquet", pid=1234)).write_bytes(b"half")
    made = embed(net, photos, out=out, **QUIET)
    assert len(made) == 12
    assert not list(out.parent.rglob(".whalereid-*"))


def test_a_damaged_marker_says_so(net: Counting, photos: Catalogue, tmp_path: Path) -> None:
    stopped(net, photos, tmp_path / "emb", 6)
    (tmp_path / "emb" / "embeddings.json").write_text("{")
    with pytest.raises(WhalereidError, match=r"embeddings.json: isn't the marker that"):
        embed(net, photos, out=tmp_path / "emb", **QUIET)


def test_a_full_disk_keeps_what_was_written(
    net: Counting, photos: Catalogue, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    write, written = pq.write_table, []

    def full_after_one(table: object, path: Path, **options: object) -> None:
        if written:
            Path(path).write_bytes(b"half")
            raise OSError(28, "No space left on device")
        written.append(path)
        write(table, path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(pq, "write_table", full_after_one)
        with pytest.raises(WhalereidError, match="the disk is full"):
            embed(net, photos, out=out, **QUIET)
    net.images = 0
    assert len(embed(net, photos, out=out, **QUIET)) == 12
    assert net.images == 8


def test_several_networks_each_go_on_where_they_were(photos: Catalogue, tmp_path: Path) -> None:
    nets = {"one": network(1), "two": network(2)}
    places = {name: tmp_path / f"{name}.parquet" for name in nets}
    expected = {name: embed(net, photos, **QUIET) for name, net in nets.items()}
    nets["two"].images, nets["two"].stop_at = 0, 8
    with pytest.raises(KeyboardInterrupt):
        embed_many(nets, photos, out=places, **QUIET)
    for net in nets.values():
        net.images, net.stop_at = 0, -1
    made = embed_many(nets, photos, out=places, **QUIET)
    assert (nets["one"].images, nets["two"].images) == (2, 4)  # the first had its batch of the moment done
    for name in nets:
        assert np.array_equal(made[name].vectors, expected[name].vectors)
        assert np.array_equal(Embeddings.read(places[name]).vectors, expected[name].vectors)


def test_no_photos(net: Counting, photos: Catalogue, out: Path) -> None:
    embed(net, photos[:0], out=out, **QUIET)
    assert Embeddings.read(out).vectors.shape == (0, net.dim)


IDS = [f"p{i}" for i in range(6)]
MADE = Embeddings.from_numpy(IDS, np.random.default_rng(0).normal(size=(6, 3)), {"network": "n"})
DIED = 9


def run_a_store(out: Path, n: int) -> list[str]:
    """What `embed` does of `n` photos, without the network; returns the photos that had to be made."""
    store = PartStore(out, {"network": "n"}, {name: f"{name:>16}" for name in IDS[:n]})
    there = {name for part in store.read() for name in part.ids}
    new = [name for name in IDS[:n] if name not in there]
    for start in range(0, len(new), 2):
        some = new[start : start + 2]
        store.add(Embeddings(some, MADE.take(some), MADE.provenance))
    store.finish(Embeddings(IDS[:n], MADE.vectors[:n], MADE.provenance))
    return new


def dies(work: Callable[[], object], at: int) -> bool:
    """Do some work in a process of its own that dies, as if killed, before it touches files for the `at`-th time."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED
    touched = 0

    def watch(event: str, arguments: tuple) -> None:
        nonlocal touched
        writes = event == "open" and isinstance(arguments[1], str) and arguments[1].startswith(("w", "x", "a"))
        touched += writes or event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir")
        if touched == at:
            os._exit(DIED)

    sys.addaudithook(watch)
    try:
        work()
    except BaseException:
        os._exit(1)
    os._exit(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="dies in a fork")
@pytest.mark.parametrize("grown", [False, True])
def test_killed_at_any_moment_the_same_run_goes_on(tmp_path: Path, grown: bool) -> None:
    """First written, or finished with two photos and then grown: dead before each touch of a file in turn."""
    for kind in ("emb.parquet", "emb"):
        for at in range(1, 100):
            out = tmp_path / f"{kind}-{at}" / kind
            if grown:
                run_a_store(out, 2)
            before = {name for name in IDS[:2] if grown}
            killed = dies(lambda out=out: run_a_store(out, 6), at)
            kept = {name for part in out.parent.rglob("part-*.parquet") for name in Embeddings.read(part).ids} | before
            made = run_a_store(out, 6)
            assert not kept & set(made), "what was on disk is not made again"
            read = Embeddings.read(out)
            assert sorted(read.ids) == IDS
            assert np.array_equal(read.take(IDS), MADE.vectors)
            assert [path.name for path in out.parent.iterdir()] == [out.name], "nothing is left lying"
            assert not [path for path in out.parent.rglob(".*")]
            if not killed:
                break
        assert at > 8, "it touches files more often than that"
        assert not killed


def test_growing_a_finished_one_is_stopped_and_goes_on(net: Counting, photos: Catalogue, out: Path) -> None:
    expected = embed(net, photos, **QUIET)
    embed(net, photos[:4], out=out, **QUIET)
    net.images = 0
    said = stopped(net, photos, out, 6, progress=True)
    assert said.endswith("10 of 12 photos are kept; run it again to go on.")
    net.images = 0
    made = embed(net, photos, out=out, **QUIET)
    assert net.images == 2
    assert np.array_equal(made.vectors, expected.vectors)
    assert np.array_equal(Embeddings.read(out).take(photos.image_ids), expected.vectors)
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_growing_that_was_stopped_is_no_longer_wanted(net: Counting, photos: Catalogue, tmp_path: Path) -> None:
    out = tmp_path / "emb.parquet"
    embed(net, photos[:4], out=out, **QUIET)
    stopped(net, photos, out, 6)
    content = out.read_bytes()
    net.images = 0
    assert len(embed(net, photos[:4], out=out, **QUIET)) == 4
    assert net.images == 0
    assert out.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir() if "emb" in path.name] == ["emb.parquet"]


def test_provenance_is_asked_of_the_header_alone(
    net: Counting, photos: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(net, photos, out=tmp_path / "emb.parquet", **QUIET)
    monkeypatch.setattr("whalereid.embeddings.store._read", lambda path: pytest.fail("read the vectors"))
    with pytest.raises(WhalereidError, match="flip is false there"):
        embed(net, photos, out=tmp_path / "emb.parquet", flip=True, **QUIET)


SLOWLY = """
import sys, time
import torch
torch.set_num_threads(1)
from tests.embeddings.conftest import embed, network
from whalereid.catalogue import Catalogue
from whalereid.embeddings import passes
passes._PART_PHOTOS = 2
net = network()
net.register_forward_hook(lambda *_: time.sleep(0.5))
embed(net, Catalogue.read(sys.argv[1]), out=sys.argv[2], batch_size=2, workers=1, precision="fp32")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills as Unix does")
def test_a_killed_process_loses_nothing_that_was_written(
    net: Counting, photos: Catalogue, out: Path, repository: Path, tmp_path: Path
) -> None:
    table = tmp_path / "photos.csv"
    photos.write(table)
    run = subprocess.Popen(
        [sys.executable, "-c", SLOWLY, str(table), str(out)],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(repository), str(repository / "src")])},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    folder = out if out.suffix == "" else out.with_name(f".{out.name}.parts")
    try:
        while len(list(folder.glob("part-*.parquet"))) < 2:  # as long as the machine takes: it writes them, or ends
            assert run.poll() is None
            time.sleep(0.05)
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    kept = 2 * len(list(folder.glob("part-*.parquet")))
    made = embed(net, Catalogue.read(table), out=out, **QUIET)
    assert net.images == 12 - kept
    np.testing.assert_allclose(made.vectors, embed(net, photos, **QUIET).vectors, rtol=1e-5, atol=1e-6)
