"""Open set: new animals among known ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.splits import OpenSetSplit

from .tables import table, tables


def shares(photos: Catalogue, splitter: OpenSetSplit) -> tuple[float, float]:
    """The shares of test identities that are unseen, and of photos that are tested."""
    train, test = splitter.first(photos)
    unseen = set(test.identities) - set(train.identities)
    return len(unseen) / test.n_identities, len(test) / len(photos)


def herd(n: int, encounters: int = 4, photos: int = 3) -> Catalogue:
    rows = [(f"w{a:02d}", f"w{a:02d}-{e}") for a in range(n) for e in range(encounters) for _ in range(photos)]
    identity, encounter = zip(*rows, strict=True)
    return table(identity=list(identity), encounter=list(encounter))


@pytest.mark.parametrize("unseen", [0.0, 0.2, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("test_share", [0.1, 0.3])
def test_the_share_of_unseen_identities_is_as_asked(unseen: float, test_share: float) -> None:
    found, tested = shares(herd(80), OpenSetSplit(unseen, test_share))
    assert found == pytest.approx(unseen, abs=0.06)
    assert tested == pytest.approx(test_share, abs=0.02)


@given(photos=tables(), unseen=st.sampled_from([0.0, 0.3, 0.5, 1.0]), seed=st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_encounters_never_straddle_and_the_share_holds_or_is_refused(
    photos: Catalogue, unseen: float, seed: int
) -> None:
    splitter = OpenSetSplit(unseen, 0.3, seed)
    try:
        train, test = splitter.first(photos)
    except WhalereidError:
        return
    assert len(train) + len(test) == len(photos)
    assert not set(train.column("encounter").dropna()) & set(test.column("encounter").dropna())
    found, _ = shares(photos, splitter)
    assert abs(found - unseen) <= max(0.1, 1 / test.n_identities)
    assert (found > 0) == (unseen > 0)
    assert (found < 1) == (unseen < 1)
    order = np.random.default_rng(seed).permutation(len(photos))
    assert (splitter.folds(photos[order]) == splitter.folds(photos)[order]).all()


def test_seeds_differ() -> None:
    photos = herd(30)
    assert len({tuple(OpenSetSplit(seed=seed).folds(photos)) for seed in range(5)}) == 5


@pytest.mark.shared
def test_real_animals(shared: Path) -> None:
    found, tested = shares(Catalogue.read(shared / "data/nyala"), OpenSetSplit(0.5, 0.2))
    assert found == pytest.approx(0.5, abs=0.02)
    assert tested == pytest.approx(0.2, abs=0.01)


def test_too_few_known_animals_give_more_encounters_each() -> None:
    photos = table(identity=["a"] * 10 + ["b"] * 10 + ["c"] * 4, encounter=[f"e{row}" for row in range(24)])
    found, tested = shares(photos, OpenSetSplit(unseen=0.0, test_share=0.5))
    assert (found, tested) == (0, 0.5)


def test_photos_of_unknown_identity_are_in_training_unless_their_encounter_is_tested() -> None:
    photos = table(identity=["a", "a", None, "b", "b", None], encounter=["1", "2", "2", "3", "4", "5"])
    for seed in range(10):
        folds = OpenSetSplit(unseen=0.0, test_share=0.4, seed=seed).folds(photos)
        assert folds[5] == -1
        assert folds[2] == folds[1]


def test_plain_rows_split_like_a_catalogue() -> None:
    photos = herd(20)
    y, encounters = photos.column("identity"), photos.column("encounter")
    X = np.zeros((len(photos), 1))
    assert (OpenSetSplit().folds(X, y, encounters) == OpenSetSplit().folds(photos)).all()
    assert len(cross_val_score(DummyClassifier(), X, y, cv=OpenSetSplit(), groups=encounters)) == 1


LONERS = table(identity=list("abcdef"), encounter=list("123456"))
PODS = table(identity=list("abcabcabc"), encounter=list("111222333"))


@pytest.mark.parametrize(
    ("splitter", "photos", "says"),
    [
        (OpenSetSplit(0.5), LONERS, "too few identities.* it has 6 identities, 0 with two encounters; ask for other"),
        (OpenSetSplit(1.0), PODS, "too many encounters that tie them together"),
        (OpenSetSplit(), table(identity=list("ab")), "fill the column 'encounter'"),
        (OpenSetSplit(), table(identity=list("aa"), encounter=list("12")), "one identity"),
        (OpenSetSplit(), table(identity=[None, None], encounter=list("12")), "no photo has a known identity"),
    ],
)
def test_impossible_splits_say_why(splitter: OpenSetSplit, photos: Catalogue, says: str) -> None:
    with pytest.raises(WhalereidError, match=says):
        splitter.split(photos)


@pytest.mark.parametrize(
    ("name", "value"), [("unseen", -0.1), ("unseen", 1.1), ("test_share", 0), ("test_share", 1), ("seed", -1)]
)
def test_shares_are_checked(name: str, value: float) -> None:
    with pytest.raises(WhalereidError, match=f"{name} is {value}"):
        OpenSetSplit(**{name: value})  # type: ignore[arg-type]
