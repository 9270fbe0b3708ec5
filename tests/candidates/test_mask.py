"""CandidateRules: blocks and pairs against the rules written out, missing values, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.ranking import CandidateRules

VALUES = st.lists(st.sampled_from(["x", "y", None]), min_size=6, max_size=6)


def photos(names: str, first: list, second: list) -> Catalogue:
    n = len(names)
    return Catalogue(pd.DataFrame({"image_id": list(names), "path": list(names), "one": first[:n], "two": second[:n]}))


@settings(max_examples=50, deadline=None)
@given(one=VALUES, two=VALUES)
def test_as_written_out(one, two):
    queries, database = photos("abcd", one, two), photos("cdabef", two, one)
    for name in ("one", "two"):  # a column without any value is refused
        assume(queries.known(name).any() or database.known(name).any())
    mask = CandidateRules(exclude=("one",), match=("two",)).mask(queries, database)
    want = np.zeros((4, 6), bool)
    for i, a in queries.frame.iterrows():
        for j, b in database.frame.iterrows():
            excluded = pd.notna(a["one"]) and a["one"] == b["one"]
            matched = pd.notna(a["two"]) and a["two"] == b["two"]
            want[i, j] = a["image_id"] != b["image_id"] and matched and not excluded
    np.testing.assert_array_equal(mask.block(slice(None), slice(None)), want)
    np.testing.assert_array_equal(mask.block(np.array([3, 0]), slice(1, 5)), want[[3, 0], 1:5])
    rows, columns = np.indices(want.shape).reshape(2, -1)
    np.testing.assert_array_equal(mask.pairs(rows, columns), want.ravel())
    np.testing.assert_array_equal(mask.count(np.array([3, 0, 0, 2])), want[[3, 0, 0, 2]].sum(axis=1))
    ours, theirs = np.array([0, 1, -1, 0]), np.array([0, 0, 1, 2, -1, -1])
    alike = (ours[:, None] == theirs) & (ours[:, None] >= 0)
    np.testing.assert_array_equal(mask.count(np.arange(4), [(ours, theirs)]), (want & alike).sum(axis=1))
    scores = np.ones((4, 6), np.float32)
    np.testing.assert_array_equal(np.isneginf(mask.apply(scores, slice(None), slice(None))), ~want)


@settings(max_examples=50, deadline=None)
@given(columns=st.lists(VALUES, min_size=5, max_size=5))
def test_candidates_are_counted_under_many_rules(columns):
    frame = pd.DataFrame({"image_id": list("abcdef"), "path": "x"} | {f"c{i}": one for i, one in enumerate(columns)})
    assume(all(frame[f"c{i}"].notna().any() for i in range(5)))
    here = Catalogue(frame)
    mask = CandidateRules(exclude=("c0", "c1", "c2", "c0"), match=("c3", "c4")).mask(here, here)
    whole = mask.block(slice(None), slice(None))
    np.testing.assert_array_equal(mask.count(np.arange(6)), whole.sum(axis=1))


def test_one_column_may_be_given_as_it_is():
    assert CandidateRules(exclude="encounter", match=["viewpoint"]) == CandidateRules(("encounter",), ("viewpoint",))


def test_one_string_is_one_column_wherever_rules_are_given():
    import whalereid as wr
    from whalereid.ranking import tasks_from
    from whalereid.training.validation import Validation

    animals = Catalogue(
        pd.DataFrame(
            {
                "image_id": list("abcdef"),
                "path": list("abcdef"),
                "identity": ["nanuq"] * 3 + ["siku"] * 3,
                "encounter": ["monday", "monday", "friday"] * 2,
                "viewpoint": ["left"] * 6,
            }
        )
    )
    learned = wr.PhotoDataset(animals, wr.evaluation_transform(32))
    want = CandidateRules(("encounter",), ("viewpoint",))
    by_name = {"exclude": "encounter", "match": "viewpoint"}
    assert tasks_from(animals, **by_name)[0].rules == want
    assert wr.Protocol.from_catalogue(animals, **by_name).tasks[0].rules == want
    assert wr.Protocol.from_split(animals, ([0], [1, 2, 3, 4, 5]), **by_name).tasks[0].rules == want
    assert Validation(animals, learned, CandidateRules(**by_name)).rules == want
    ensemble = wr.Ensemble([wr.Member("m", wr.Embeddings.from_numpy("abcdef", np.eye(6)))])
    ranking = ensemble.rank(animals, animals, **by_name)
    assert ranking.ids[0].tolist() == ["c", "f"]


@pytest.mark.parametrize("wrong", [7, [7], ["encounter", None], b"encounter", 1.5])
def test_what_is_no_column_is_refused(wrong):
    for name in ("exclude", "match"):
        with pytest.raises(WhalereidError, match=f"{name} is .*names of columns"):
            CandidateRules(**{name: wrong})


def test_lists_of_ids_will_do_without_columns():
    mask = CandidateRules().mask(["a", "b"], ["b", "c"])
    assert mask.shape == (2, 2)
    assert mask.block(slice(None), slice(None)).tolist() == [[True, True], [False, True]]


def test_refusals():
    here = photos("ab", [None, None], ["x", "y"])
    with pytest.raises(WhalereidError, match="'one' has no values"):
        CandidateRules(exclude=("one",)).mask(here, here)
    with pytest.raises(WhalereidError, match="no column 'sea'"):
        CandidateRules(match=("sea",)).mask(here, here)
    with pytest.raises(WhalereidError, match=r"same two.: needs queries and database as catalogues"):
        CandidateRules(match=("two",)).mask(here, ["a"])
