"""Tables: what is read is what was written, and one wording for columns that aren't there or aren't filled in."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.evaluation.labels import Labels
from whalereid.ranking import Ranking, read_database, read_queries
from whalereid.splits import PredefinedFolds
from whalereid.tables import id_columns, read_table, require_columns, require_filled, write_table

TABLE = pd.DataFrame({"id": ["a", "b\r", 'c"d', "é"], "note": ["1,2", None, "x\ny", " z "]}, dtype="str")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_is_written_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table.{suffix}"
    write_table(TABLE, path)
    pd.testing.assert_frame_equal(read_table(path), TABLE)


def test_ids_are_trimmed_text_with_the_tables_index() -> None:
    frame = pd.DataFrame({"a": [" x", "y "], "b": [1, 2], "c": [None, None]}, index=[7, 7])
    ids = id_columns(frame, "a", "b", where="t")
    assert ids.index.tolist() == [7, 7]
    assert ids.to_numpy().tolist() == [["x", "1"], ["y", "2"]]


@pytest.mark.parametrize(
    ("look", "says"),
    [
        (lambda: require_columns(TABLE, "id", "fold", "x", where="t"), r"t: no column fold, x; it has id, note\."),
        (lambda: require_columns(TABLE[[]], "id", where="t", hint="add"), "t: no column id; it has no columns; add"),
        (lambda: require_columns(TABLE.set_axis(["id", "id"], axis=1), "id", where="t"), "two columns are called id"),
        (lambda: require_filled(TABLE["note"], where="t"), r"t, row 2: note is empty\."),
        (lambda: require_filled(pd.Series([None, np.nan], name="n"), where="t"), "row 1: n is empty; 2 rows are so"),
        (lambda: id_columns(TABLE, "id", "note", where="t"), "t, row 2: note is empty"),
        (lambda: id_columns(pd.DataFrame({"id": [7.5]}), "id", where="t"), "row 1, column id: .*7.5.* is no id"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(look: Callable[[], Any], says: str) -> None:
    with pytest.raises(WhalereidError, match=says):
        look()


EMPTY = {"image_id": ["a", " "], "path": ["a", "b"], "fold": [0, 1]}
LABELS = {"query_id": ["q", "q"], "database_image_id": ["a", None]}


@pytest.mark.parametrize(
    ("read", "columns", "empty"),
    [
        (lambda frame, _: Catalogue(frame), EMPTY, "image_id"),
        (lambda frame, _: PredefinedFolds(frame), EMPTY, "image_id"),
        (lambda frame, _: Labels.from_frame(frame), LABELS, "database_image_id"),
        (lambda frame, _: Ranking.from_frame(frame), LABELS | {"score": [2.0, 1.0]}, "database_image_id"),
        (lambda _, path: read_queries(path), {"query_id": ["q", None], "query_image_id": ["a", "b"]}, "query_id"),
        (lambda _, path: read_database(path), {"database_image_id": ["a", None]}, "database_image_id"),
    ],
)
def test_every_table_is_refused_in_the_same_words(
    read: Callable[[pd.DataFrame, Path], Any], columns: dict[str, list[Any]], empty: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame(columns)
    frame.to_parquet(path := tmp_path / "t.parquet")
    with pytest.raises(WhalereidError, match=rf"row 2: {empty} is empty"):
        read(frame, path)
    twice = pd.concat([frame.iloc[:1]] * 2, axis=1)
    twice.to_csv(path := tmp_path / "twice.csv", index=False)
    with pytest.raises(WhalereidError, match="two columns are called"):
        read(twice, path)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("\n  \n\ufeffa,b\nx,x\n", None),
        ("\ufeff\na,b\nx,x\n", ["a", "b"]),
        (",a,\nx,x,x\n", ["Unnamed: 0", "a", "Unnamed: 2"]),
        (",,\nx,x,x\n", ["Unnamed: 0", "Unnamed: 1", "Unnamed: 2"]),
        ('"a\nb","a,b"\nx,x\n', ["a\nb", "a,b"]),
        ("a;b;c,a\nx;x;x\n", ["a", "b", "c,a"]),
        ("a\tb\rx\tx\r", ["a", "b"]),
    ],
)
def test_names_are_looked_at_as_they_are_read(text: str, columns: list[str] | None, tmp_path: Path) -> None:
    (path := tmp_path / "t.csv").write_text(text, encoding="utf-8", newline="")
    if columns is not None:
        assert read_table(path).columns.tolist() == columns
    else:
        assert len(read_table(path).columns) == 2


@pytest.mark.parametrize("text", ["a,b,a\nx,y,z\n", '\n\n"a",b,a\n', '\ufeffa;"a"\n'])
def test_a_name_that_stands_twice_is_refused(text: str, tmp_path: Path) -> None:
    (path := tmp_path / "t.csv").write_text(text, encoding="utf-8", newline="")
    with pytest.raises(WhalereidError, match="two columns are called a; rename"):
        read_table(path)


def test_very_many_columns_take_time_in_proportion(tmp_path: Path) -> None:
    def seconds(n: int) -> float:
        lines = [["image_id", "path", *(f"c{i}" for i in range(n))], ["a", "a.jpg", *["x"] * n]]
        (path := tmp_path / "wide.csv").write_text("\n".join(map(",".join, lines)))
        start = time.process_time()
        assert len(Catalogue.read(path).columns) == n + 2
        return time.process_time() - start

    assert seconds(40_000) < 4 * 10 * seconds(4_000)  # were each column to look at all others, 100 times
