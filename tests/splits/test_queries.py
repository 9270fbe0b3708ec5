"""Queries and database: what can be found, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.ranking import CandidateRules
from whalereid.splits import EncounterFolds, queries_and_database

from .tables import table, tables


@given(
    photos=tables(),
    exclude=st.lists(st.sampled_from(["encounter", "date"]), unique=True),
    match=st.lists(st.sampled_from(["date", "encounter"]), unique=True, max_size=1),
    parts=st.lists(st.integers(0, 3), min_size=24, max_size=24),
)
@settings(max_examples=60, deadline=None)
def test_relevant_photos_are_those_among_the_candidates(
    photos: Catalogue, exclude: list[str], match: list[str], parts: list[int]
) -> None:
    """Part 0 is asked for, 1 searched, 2 both, 3 neither."""
    part = np.array(parts[: len(photos)])
    queries, database = np.flatnonzero(part % 2 == 0), np.flatnonzero((part == 1) | (part == 2))
    labels = photos.labels()
    if not len(queries) or not len(database) or any(photos.column(c).isna().all() for c in [*exclude, *match]):
        return
    everything = np.arange(len(photos))
    allowed = CandidateRules(tuple(exclude), tuple(match)).mask(photos, photos).block(everything, everything)
    same = (labels[:, None] == labels[None, :]) & (labels[:, None] >= 0)
    expected = (allowed & same)[np.ix_(queries, database)].sum(axis=1)
    if not expected.any():
        with pytest.raises(WhalereidError, match=r"none of the .* queries has a photo of its identity"):
            queries_and_database(photos, queries, database, exclude=exclude, match=match)
        return
    task = queries_and_database(photos, queries, database, exclude=exclude, match=match)
    assert task.relevant.tolist() == expected.tolist()
    assert sorted([*task.answerable, *task.distractors]) == queries.tolist()


def test_by_default_the_queries_are_the_database_without_themselves() -> None:
    photos = table(identity=["a", "a", "b", None, None])
    task = queries_and_database(photos, range(5))
    assert task.relevant.tolist() == [1, 1, 0, 0, 0]
    assert task.distractors.tolist() == [2, 3, 4]
    assert task.database.tolist() == [0, 1, 2, 3, 4]


def test_with_a_splitters_parts() -> None:
    photos = table(identity=list("aabbc"), encounter=list("12345"))
    for train, test in EncounterFolds(2).split(photos):
        task = queries_and_database(photos, test, train, exclude=["encounter"])
        assert task.queries.tolist() == test.tolist()
        assert set(photos[task.answerable].identities) <= set(photos[train].identities)
        assert not set(photos[task.distractors].identities) & set(photos[train].identities)


def test_masks_are_rows_too() -> None:
    photos = table(identity=["a", "a", "b"], viewpoint=["top", "left", "top"])
    top = (photos.column("viewpoint") == "top").to_numpy()
    assert queries_and_database(photos, ~top, top).queries.tolist() == [1]


@pytest.mark.parametrize(
    ("columns", "rules", "says"),
    [
        ({"identity": ["a", "b"]}, {}, "none of the 2 queries has a photo of its identity among its candidates"),
        ({"identity": ["a", "a"]}, {"exclude": ["encounter"]}, "no column 'encounter'"),
        ({"identity": ["a", "a"], "encounter": [None, None]}, {"exclude": ["encounter"]}, "'encounter' has no values"),
        ({"viewpoint": ["top", "top"]}, {}, "no column 'identity'"),
    ],
)
def test_tasks_without_an_answer_say_why(columns: dict[str, list[str]], rules: dict[str, list[str]], says: str) -> None:
    with pytest.raises(WhalereidError, match=says):
        queries_and_database(table(**columns), [0, 1], **rules)


def test_no_queries_are_refused() -> None:
    with pytest.raises(WhalereidError, match=r"photos\.csv: no queries"):
        queries_and_database(table(identity=["a", "a"]), [])
