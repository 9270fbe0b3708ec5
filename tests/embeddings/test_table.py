from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from whalereid.embeddings import Embeddings
from whalereid.embeddings.table import Header, all_alike
from whalereid.errors import WhalereidError
from whalereid.files import temporary


@pytest.fixture
def some() -> Embeddings:
    vectors = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    return Embeddings.from_numpy(list("abcde"), vectors, {"network": "n", "flip": True})


def write_columns(path: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_a_file_comes_back_as_it_was(some: Embeddings, tmp_path: Path) -> None:
    some.write(tmp_path / "deep/emb.parquet")
    again = Embeddings.read(tmp_path / "deep/emb.parquet")
    assert again.ids.tolist() == some.ids.tolist()
    assert np.array_equal(again.vectors, some.vectors)
    assert again.vectors.dtype == np.float32
    assert again.provenance == some.provenance


def test_the_format_on_disk(some: Embeddings, tmp_path: Path) -> None:
    some.write(tmp_path / "emb.parquet")
    schema = pq.read_schema(tmp_path / "emb.parquet")
    assert schema.names == ["image_id", "embedding"]
    assert schema.field("image_id").type == pa.string()
    assert schema.field("embedding").type == pa.list_(pa.float32(), 3)
    assert json.loads(schema.metadata[b"whalereid"]) == {"network": "n", "flip": True}


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float32()),
        pa.list_(pa.float64()),
        pa.large_list(pa.float16()),
        pa.list_(pa.int64()),
        pa.list_(pa.float64(), 2),
    ],
)
def test_what_another_tool_wrote(tmp_path: Path, kind: pa.DataType) -> None:
    values = [np.array([1, 2], np.float16), np.array([3, 4], np.float16)] if "half" in str(kind) else [[1, 2], [3, 4]]
    path = write_columns(
        tmp_path / "e.parquet", other=pa.array([0, 0]), embedding=pa.array(values, kind), image_id=pa.array([7, 8])
    )
    read = Embeddings.read(path)
    assert read.ids.tolist() == ["7", "8"]
    assert read.vectors.tolist() == [[1, 2], [3, 4]]
    assert read.provenance == {}


def test_a_file_of_many_row_groups(tmp_path: Path) -> None:
    ids = [str(i) for i in range(1000)]
    table = pa.table({"image_id": ids, "embedding": pa.array([[float(i), 1.0] for i in range(1000)])})
    pq.write_table(table, tmp_path / "e.parquet", row_group_size=64)
    assert Embeddings.read(tmp_path / "e.parquet").take(["999", "3"]).tolist() == [[999, 1], [3, 1]]


def test_no_photos_keep_their_width(tmp_path: Path) -> None:
    Embeddings.from_numpy([], np.empty((0, 4))).write(tmp_path / "e.parquet")
    assert Embeddings.read(tmp_path / "e.parquet").vectors.shape == (0, 4)


def test_a_folder_of_parts(some: Embeddings, tmp_path: Path) -> None:
    for name, rows in (("b", slice(3, 5)), ("a", slice(0, 3))):
        Embeddings(some.ids[rows], some.vectors[rows], some.provenance).write(tmp_path / f"{name}.parquet")
    temporary(tmp_path / "c.parquet", pid=123).write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("ours")
    assert Embeddings.read(tmp_path).take(some.ids).tolist() == some.vectors.tolist()
    Embeddings.from_numpy(["x"], [[1.0, 2.0]], some.provenance).write(tmp_path / "c.parquet")
    with pytest.raises(WhalereidError, match=r"c.parquet: is 2 wide, not 3 as in a.parquet"):
        Embeddings.read(tmp_path)
    Embeddings.from_numpy(["x"], [[1.0, 2.0, 3.0]], {"flip": False}).write(tmp_path / "c.parquet")
    with pytest.raises(WhalereidError, match=r"c.parquet: was not made as in a.parquet"):
        Embeddings.read(tmp_path)


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(WhalereidError, match=r"absent.parquet: no embeddings there"):
        Embeddings.read(tmp_path / "absent.parquet")
    with pytest.raises(WhalereidError, match="no embeddings there"):
        Embeddings.read(tmp_path)
    text = tmp_path / "text.parquet"
    text.write_text("image_id,embedding\n")
    with pytest.raises(WhalereidError, match=r"text.parquet: can't be read as Parquet"):
        Embeddings.read(text)
    good = pa.array([[1.0], [2.0]])
    for columns, words in [
        ({"image_id": pa.array(["a", "b"])}, "no column embedding; it has image_id"),
        ({"id": pa.array(["a", "b"]), "embedding": good}, "no column image_id"),
        ({"image_id": pa.array(["a", "b"]), "embedding": pa.array([1.0, 2.0])}, "double, not lists of numbers"),
        ({"image_id": pa.array(["a", "b"]), "embedding": pa.array([["x"], ["y"]])}, "not lists of numbers"),
        ({"image_id": pa.array(["a", "b"]), "embedding": pa.array([[1.0], [1.0, 2.0]])}, r"differ in width \(1, 2\)"),
        ({"image_id": pa.array(["a", "b"]), "embedding": pa.array([[1.0], None])}, "or are missing"),
        ({"image_id": pa.array(["a", None]), "embedding": good}, "1 rows have no image_id"),
        ({"image_id": pa.array(["a", "a"]), "embedding": good}, r"e.parquet: .*'a' is repeated"),
        ({"image_id": pa.array(["a", "b"]), "embedding": pa.array([[1.0], [np.inf]])}, "vector of 'b' holds NaN"),
        ({"image_id": pa.array(["a", "b"]), "embedding": pa.array([[1.0], [None]])}, "vector of 'b' holds NaN"),
    ]:
        with pytest.raises(WhalereidError, match=words):
            Embeddings.read(write_columns(tmp_path / "e.parquet", **columns))


def test_the_header_is_read_without_the_vectors(some: Embeddings, tmp_path: Path) -> None:
    for name, rows in (("a", slice(0, 3)), ("b", slice(3, 5))):
        Embeddings(some.ids[rows], some.vectors[rows], some.provenance).write(tmp_path / f"{name}.parquet")
    assert Embeddings.read_header(tmp_path / "a.parquet") == Header(3, 3, some.provenance)
    assert Embeddings.read_header(tmp_path) == Header(5, 3, some.provenance)
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    content[4:40] = b"x" * 36  # where the vectors lie; what is known of them stands at the end
    (tmp_path / "a.parquet").write_bytes(content)
    assert Embeddings.read_header(tmp_path / "a.parquet").dim == 3
    with pytest.raises(WhalereidError, match=r"a.parquet: can't be read as Parquet"):
        Embeddings.read(tmp_path / "a.parquet")


def test_the_header_of_what_another_tool_wrote(tmp_path: Path) -> None:
    path = write_columns(tmp_path / "e.parquet", image_id=pa.array(["a"]), embedding=pa.array([[1.0, 2.0]]))
    assert Embeddings.read_header(path) == Header(1, 2, {})
    with pytest.raises(WhalereidError, match="no embeddings there"):
        Embeddings.read_header(tmp_path / "absent")
    with pytest.raises(WhalereidError, match="no column embedding"):
        Embeddings.read_header(write_columns(tmp_path / "e.parquet", image_id=pa.array(["a"])))


@pytest.mark.parametrize("parts", [1, 4])
def test_reading_holds_the_vectors_once(tmp_path: Path, parts: int) -> None:
    import tracemalloc

    n, dim = 40_000, 128
    vectors = np.random.default_rng(0).normal(size=(n, dim)).astype(np.float32)
    ids = np.array([f"p{i:06d}" for i in range(n)], dtype=object)
    for part in range(parts):
        Embeddings(ids[part::parts], vectors[part::parts]).write(tmp_path / f"{part}.parquet")
    tracemalloc.start()
    read = Embeddings.read(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(read.take(ids), vectors)
    assert peak < 1.7 * vectors.nbytes  # the vectors, their ids, and a few megabytes at a time


def test_all_alike() -> None:
    one = np.random.default_rng(0).normal(size=50).astype(np.float32)
    many = np.outer(np.arange(1, 400), one).astype(np.float32)
    assert all_alike(many)
    assert all_alike(many * np.float32(1e-30))
    assert all_alike(np.zeros((3, 4), np.float32))
    assert not all_alike(many[:2])  # two may well be copies
    many[-1, 0] += 1
    assert not all_alike(many)
    assert not all_alike(-many * np.where(np.arange(399) == 7, -1, 1)[:, None].astype(np.float32))


def test_concatenation_follows_the_first_ones_order() -> None:
    one = Embeddings.from_numpy(["a", "b"], [[1.0], [2.0]], {"fingerprint": "x"})
    two = Embeddings.from_numpy(["b", "a"], [[3.0, 4.0], [5.0, 6.0]])
    both = Embeddings.concatenate([one, two])
    assert both.ids.tolist() == ["a", "b"]
    assert both.vectors.tolist() == [[1, 5, 6], [2, 3, 4]]
    assert both.provenance == {"concatenated": [{"fingerprint": "x"}, {}]}
    with pytest.raises(WhalereidError, match=r"1 photos have vectors of one network but not of another: c"):
        Embeddings.concatenate([one, Embeddings.from_numpy(["a", "b", "c"], np.ones((3, 1)))])
    with pytest.raises(WhalereidError, match="nothing to concatenate"):
        Embeddings.concatenate([])


def test_vectors_that_cannot_be() -> None:
    with pytest.raises(WhalereidError, match=r"2 ids but vectors of shape \(3, 4\)"):
        Embeddings.from_numpy(["a", "b"], np.ones((3, 4)))
    with pytest.raises(WhalereidError, match="'a' is repeated"):
        Embeddings.from_numpy(["a", "a"], np.ones((2, 4)))
    with pytest.raises(WhalereidError, match="vector of 'b' holds NaN"):
        Embeddings.from_numpy(["a", "b"], [[1.0], [np.nan]])


def test_photos_without_a_vector_are_named(some: Embeddings) -> None:
    assert some.take(["e", "a"]).tolist() == some.vectors[[4, 0]].tolist()
    with pytest.raises(WhalereidError, match="2 photos have no vector: x, y"):
        some.take(["a", "x", "y"])


def test_vectors_that_are_all_alike() -> None:
    random = np.random.default_rng(0)
    one = random.normal(size=64).astype(np.float32)
    lengths = random.uniform(0.1, 9, (5000, 1)).astype(np.float32)
    same = one * lengths  # one direction, each rounded in its own way
    assert all_alike(same)
    assert all_alike(np.zeros((3, 4), np.float32))
    assert all_alike(np.full((3, 2), 3e38, np.float32))
    assert not all_alike(same[:2])  # of two nothing can be said
    assert not all_alike(np.zeros((0, 4), np.float32))
    opposed = same.copy()
    opposed[4999] *= -1
    assert not all_alike(opposed)
    same[4321, 0] *= 1.001
    assert not all_alike(same)
