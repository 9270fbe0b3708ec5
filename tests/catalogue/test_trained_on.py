"""What was trained on: told from what wasn't, through JSON, and joined."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalereid.catalogue import Catalogue, TrainedOn
from whalereid.errors import WhalereidError


def photos(n: int = 6, folder: str = "") -> Catalogue:
    rows = {
        "image_id": [str(i) for i in range(n)],
        "path": [f"{folder}{i}.jpg" for i in range(n)],
        "identity": ["ann", "ann", "bob", "bob", None, "cid"][:n],
        "encounter": ["e1", None, "e2", "e3", "e1", "e4"][:n],
    }
    return Catalogue(pd.DataFrame(rows))


def test_photos_animals_and_encounters_are_told_apart() -> None:
    learnt = TrainedOn.of(photos()[[0, 2]])
    assert learnt.has_photos(photos()).tolist() == [True, False, True, False, False, False]
    assert learnt.has_identities(photos().column("identity")).tolist() == [True, True, True, True, False, False]
    assert learnt.has_encounters(photos().column("encounter")).tolist() == [True, False, True, False, True, False]
    assert learnt
    assert not TrainedOn()


def test_a_moved_folder_changes_nothing_another_file_of_the_same_id_does() -> None:
    learnt = TrainedOn.of(photos())
    assert learnt.has_photos(photos(folder="elsewhere/")).all()
    other = photos().assign(path=[f"cow-{i}.jpg" for i in range(6)])
    assert not learnt.has_photos(other).any()


def test_photos_that_chose_the_epoch_are_no_photos_trained_on() -> None:
    learnt = TrainedOn.of(photos()[[0]], chosen_by=photos()[[3]])
    assert learnt.chose_by(photos()).tolist() == [False, False, False, True, False, False]
    assert not learnt.has_photos(photos())[3]


@given(st.lists(st.text(), unique=True), st.lists(st.text(), unique=True))
def test_json_keeps_it_and_two_are_joined(some: list[str], others: list[str]) -> None:
    one, two = TrainedOn.of_identities(some), TrainedOn.of_identities(others)
    again = TrainedOn.from_dict(json.loads(json.dumps(one.to_dict())))
    assert again.has_identities([*some, *others]).tolist() == [name in some for name in [*some, *others]]
    assert (one | two).has_identities([*some, *others]).all()
    np.testing.assert_array_equal((one | two).identities, (two | one).identities)


def test_no_name_can_be_read_back() -> None:
    assert "ann" not in json.dumps(TrainedOn.of(photos()).to_dict())


@pytest.mark.parametrize("held", [{"photos": 7}, {"photos": "?"}, {"photos": "AAAA"}, {"cats": ""}, [], "x", None])
def test_something_else_is_refused(held: object) -> None:
    with pytest.raises(WhalereidError, match="trained on"):
        TrainedOn.from_dict(held)  # type: ignore[arg-type]
