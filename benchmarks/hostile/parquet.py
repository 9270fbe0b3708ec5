"""Embeddings and rankings as Parquet with columns of every wrong kind."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case

USE = "rank --embeddings bad.parquet --catalogue data/photos.csv --queries all --out n.csv"
WHOLE = [f"p{animal}{photo}" for animal in range(6) for photo in range(4)]


def _ids(kind: str) -> Any:
    import datetime

    import pyarrow as pa

    n = len(WHOLE)
    return {
        "floats": lambda: pa.array([1e300 + i for i in range(n)]),
        "whole floats": lambda: pa.array([float(i) for i in range(n)]),
        "lists": lambda: pa.array([[i] for i in WHOLE]),
        "dates": lambda: pa.array([datetime.date(2020, 1, 1)] * n),
        "timestamps": lambda: pa.array([datetime.datetime(2020, 1, 1)] * n),
        "bools": lambda: pa.array([True] * n),
        "binary": lambda: pa.array([i.encode() for i in WHOLE]),
        "structs": lambda: pa.array([{"a": i} for i in WHOLE]),
        "nulls": lambda: pa.nulls(n),
        "one null": lambda: pa.array([None, *WHOLE[1:]]),
        "an id twice": lambda: pa.array([WHOLE[1], *WHOLE[1:]]),
        "empty text": lambda: pa.array(["", *WHOLE[1:]]),
        "maps": lambda: pa.array([[("a", 1)]] * n, pa.map_(pa.string(), pa.int64())),
        "decimals": lambda: pa.array([1] * n).cast(pa.decimal128(30, 2)),
    }[kind]()


def _vectors(kind: str) -> Any:
    import datetime

    import pyarrow as pa

    n = len(WHOLE)
    big = 3.0e38
    return {
        "width 0": lambda: pa.array([[]] * n, pa.list_(pa.float32())),
        "dates": lambda: pa.array([[datetime.date(2020, 1, 1)] * 4] * n),
        "timestamps": lambda: pa.array([[datetime.datetime(2020, 1, 1)] * 4] * n),
        "text": lambda: pa.array([["1", "2"]] * n),
        "bools": lambda: pa.array([[True, False]] * n),
        "lists of lists": lambda: pa.array([[[1.0], [2.0]]] * n),
        "structs": lambda: pa.array([[{"a": 1.0}]] * n),
        "other widths": lambda: pa.array([[1.0] * (1 + i % 3) for i in range(n)]),
        "one null vector": lambda: pa.array([None, *[[1.0, 2.0]] * (n - 1)]),
        "a null number": lambda: pa.array([[1.0, None], *[[1.0, 2.0]] * (n - 1)]),
        "a nan": lambda: pa.array([[1.0, float("nan")], *[[1.0, 2.0]] * (n - 1)]),
        "an inf": lambda: pa.array([[1.0, float("inf")], *[[1.0, 2.0]] * (n - 1)]),
        "beyond float32": lambda: pa.array([[1e300, 1.0]] * n),
        "nearly infinite": lambda: pa.array([[big, big]] * n, pa.list_(pa.float32())),
        "zeros": lambda: pa.array([[0.0, 0.0]] * n),
        "plain numbers": lambda: pa.array([1.0] * n),
        "plain text": lambda: pa.array(["[1, 2]"] * n),
        "binary": lambda: pa.array([b"1234"] * n),
        "nulls": lambda: pa.nulls(n),
        "decimals": lambda: pa.array([[1, 2]] * n).cast(pa.list_(pa.decimal128(30, 2))),
        "durations": lambda: pa.array([[datetime.timedelta(1)] * 2] * n),
    }[kind]()


IDS = [
    "floats",
    "whole floats",
    "lists",
    "dates",
    "timestamps",
    "bools",
    "binary",
    "structs",
    "nulls",
    "one null",
    "an id twice",
    "empty text",
    "maps",
    "decimals",
]
VECTORS = [
    "width 0",
    "dates",
    "timestamps",
    "text",
    "bools",
    "lists of lists",
    "structs",
    "other widths",
    "one null vector",
    "a null number",
    "a nan",
    "an inf",
    "beyond float32",
    "nearly infinite",
    "zeros",
    "plain numbers",
    "plain text",
    "binary",
    "nulls",
    "decimals",
    "durations",
]
MAY = ("nearly infinite", "zeros", "decimals")


def cases(chosen: random.Random) -> Iterator[Case]:
    for kind in IDS:
        yield Case(
            f"rank: embeddings whose ids are {kind}",
            USE.split(),
            prepare=_embeddings(ids=kind),
            says="bad.parquet",
            light=False,
        )
        yield Case(
            f"check: a table whose ids are {kind}",
            ["check", "--catalogue", "bad.parquet", "--no-photos"],
            prepare=_catalogue(kind),
            says="bad.parquet",
        )
        yield Case(
            f"evaluate: a ranking whose ids are {kind}",
            ["evaluate", "bad.parquet", "--labels", "labels.csv", "--resamples", "0"],
            prepare=_ranking("database_image_id", kind),
            says="bad.parquet",
            wanted="either" if kind == "an id twice" else "refused",
        )
    for kind in VECTORS:
        wanted = "either" if kind in MAY else "refused"
        yield Case(
            f"rank: embeddings that are {kind}",
            USE.split(),
            prepare=_embeddings(vectors=kind),
            says="" if kind in MAY else "bad.parquet",
            wanted=wanted,
            writes=("n.csv", "n.csv.task.json"),
        )
    for kind in ("timestamps", "dates", "bools", "binary", "lists", "nulls", "structs"):
        yield Case(
            f"evaluate: scores that are {kind}",
            ["evaluate", "bad.parquet", "--labels", "labels.csv", "--resamples", "0"],
            prepare=_ranking("score", kind),
            says="bad.parquet",
        )
        yield Case(
            f"rank: --queries whose ids are {kind}",
            f"{USE.replace('bad', 'emb').replace('all', 'q.parquet')}".split(),
            prepare=_queries(kind),
            says="q.parquet",
        )
    for name, change in _BYTES.items():
        for file, line in (
            ("emb.parquet", USE.replace("bad", "emb")),
            ("ranking.parquet", "evaluate ranking.parquet --labels labels.csv --resamples 0"),
        ):
            yield Case(
                f"{line.split()[0]}: {file} {name}",
                line.split(),
                prepare=lambda f, file=file, c=change: (f / file).write_bytes(c((f / file).read_bytes())),
                says=file,
            )
    for number in range(12):
        flips = random.Random(chosen.random())
        yield Case(
            f"rank: a byte of the embeddings' end flipped, {number}",
            USE.replace("bad", "emb").split(),
            prepare=lambda f, r=flips: _flip(f / "emb.parquet", r),
            wanted="either",
            writes=("n.csv", "n.csv.task.json"),
        )
    for name, notes in _NOTES.items():
        yield Case(
            f"rank: provenance {name}",
            USE.split(),
            prepare=_embeddings(notes=notes),
            wanted="either",
            writes=("n.csv", "n.csv.task.json"),
        )
    yield Case("rank: embeddings of no rows", USE.split(), prepare=_none_of_them, says="bad.parquet|photo")
    yield Case(
        "rank: 200,000 columns beside",
        USE.split(),
        prepare=_wide,
        wanted="either",
        limit=40,
        writes=("n.csv", "n.csv.task.json"),
    )


def _embeddings(ids: str = "", vectors: str = "", notes: dict[bytes, bytes] | None = None) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        usual = pa.array(np.random.default_rng(0).normal(size=(len(WHOLE), 4)).tolist(), pa.list_(pa.float32()))
        table = pa.table(
            {"image_id": _ids(ids) if ids else pa.array(WHOLE), "embedding": _vectors(vectors) if vectors else usual}
        )
        pq.write_table(table.replace_schema_metadata(notes) if notes else table, folder / "bad.parquet")

    return prepare


def _catalogue(kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(
            pa.table({"image_id": _ids(kind), "path": pa.array([f"{i}.png" for i in WHOLE])}), folder / "bad.parquet"
        )

    return prepare


def _ranking(column: str, kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        usual = {
            "query_id": pa.array(["p00"] * len(WHOLE)),
            "database_image_id": pa.array(WHOLE),
            "score": pa.array([i / 100 for i in range(len(WHOLE))]),
        }
        pq.write_table(pa.table(usual | {column: _ids(kind)}), folder / "bad.parquet")

    return prepare


def _queries(kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"image_id": _ids(kind)}), folder / "q.parquet")

    return prepare


_BYTES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda b: b"",
    "cut short": lambda b: b[: len(b) // 2],
    "without its end": lambda b: b[:-8],
    "only its marks": lambda b: b"PAR1PAR1",
    "with zeros in the middle": lambda b: b[:100] + bytes(len(b) // 2) + b[100 + len(b) // 2 :],
    "CSV by another name": lambda b: b"image_id,embedding\na,1\n",
}
_NOTES: dict[str, dict[bytes, bytes]] = {
    "nested 200,000 deep": {
        b"whalereid": b"[" * 200_000,
        b"whalereid-provenance": b"[" * 200_000,
        b"provenance": b"[" * 200_000,
    },
    "that is a list": {b"whalereid": b"[]", b"whalereid-provenance": b"[]", b"provenance": b"[]"},
    "that is no JSON": {b"whalereid": b"{", b"whalereid-provenance": b"{", b"provenance": b"{"},
    "that is not UTF-8": {b"whalereid": b"\xff", b"whalereid-provenance": b"\xff", b"provenance": b"\xff"},
    "with escapes": {b"whalereid": b'{"backbone": "\\u001b[2J"}', b"provenance": b'{"trained_on": 7}'},
    "with a wrong trained_on": {
        b"whalereid": b'{"trained_on": {"photos": 7}}',
        b"provenance": b'{"trained_on": {"photos": [1]}}',
    },
}


def _flip(path: Path, chosen: random.Random) -> None:
    changed = bytearray(path.read_bytes())
    for _ in range(3):
        changed[-chosen.randrange(1, min(1500, len(changed)))] ^= 1 << chosen.randrange(8)
    path.write_bytes(bytes(changed))


def _none_of_them(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(
        pa.table({"image_id": pa.array([], pa.string()), "embedding": pa.array([], pa.list_(pa.float32()))}),
        folder / "bad.parquet",
    )


def _wide(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"image_id": pa.array(WHOLE), "embedding": pa.array([[float(i), 1.0] for i in range(len(WHOLE))])}
    one = pa.nulls(len(WHOLE), pa.int8())
    pq.write_table(pa.table(columns | {f"c{i}": one for i in range(20_000)}), folder / "bad.parquet")
