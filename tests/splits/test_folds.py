"""By photo, by encounter, by identity."""

from __future__ import annotations

import copy
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.splits import EncounterFolds, IdentityFolds, PhotoFolds, Splitter

from .tables import table, tables

FOLDS = [PhotoFolds, EncounterFolds, IdentityFolds]


def folds_or_refusal(splitter: Splitter, photos: Catalogue) -> np.ndarray | None:
    """The fold of each photo, or None where the splitter refuses the table, as it may."""
    try:
        return splitter.folds(photos)
    except WhalereidError:
        return None


def values(photos: Catalogue, name: str) -> list[str | None]:
    return [value if isinstance(value, str) else None for value in photos.column(name)]


def straddling(photos: Catalogue, folds: np.ndarray, name: str) -> set[str]:
    met = defaultdict(set)
    for value, fold in zip(values(photos, name), folds.tolist(), strict=True):
        if value is not None:
            met[value].add(fold)
    return {value for value, where in met.items() if len(where) > 1}


@pytest.mark.parametrize("kind", FOLDS)
@given(photos=tables(), n=st.integers(2, 5), seed=st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_folds_part_the_photos(kind: type[Splitter], photos: Catalogue, n: int, seed: int) -> None:
    splitter = kind(n, seed=seed)
    folds = folds_or_refusal(splitter, photos)
    if folds is None:
        return
    assert set(folds) == set(range(n))
    pairs = list(splitter.split(photos))
    assert len(pairs) == splitter.get_n_splits() == n
    assert sorted(np.concatenate([test for _, test in pairs])) == list(range(len(photos)))
    for train, test in pairs:
        assert sorted([*train, *test]) == list(range(len(photos)))
    assert (splitter.folds(photos) == folds).all()


@given(photos=tables(), n=st.integers(2, 5))
@settings(max_examples=30, deadline=None)
def test_no_encounter_straddles(photos: Catalogue, n: int) -> None:
    for splitter in (EncounterFolds(n), IdentityFolds(n)):
        folds = folds_or_refusal(splitter, photos)
        assert folds is None or not straddling(photos, folds, "encounter")


@given(photos=tables(), n=st.integers(2, 5))
@settings(max_examples=30, deadline=None)
def test_test_animals_of_identity_folds_are_unseen(photos: Catalogue, n: int) -> None:
    splitter = IdentityFolds(n)
    if folds_or_refusal(splitter, photos) is not None:
        for train, test in splitter.split(photos):
            assert photos[test].n_identities
            assert not set(photos[train].identities) & set(photos[test].identities)


@given(photos=tables(), n=st.integers(2, 5), shuffle=st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_does_not_matter(photos: Catalogue, n: int, shuffle: object) -> None:
    order = list(range(len(photos)))
    shuffle.shuffle(order)  # type: ignore[attr-defined]
    for splitter in (EncounterFolds(n), IdentityFolds(n)):
        folds = folds_or_refusal(splitter, photos)
        if folds is not None:
            assert (splitter.folds(photos[order]) == folds[order]).all()


@given(photos=tables(gaps=False), n=st.integers(2, 5))
@settings(max_examples=25, deadline=None)
def test_folds_pass_their_share_by_one_group_at_most(photos: Catalogue, n: int) -> None:
    folds = folds_or_refusal(EncounterFolds(n), photos)
    if folds is not None:
        largest = photos.counts("encounter").max()
        assert np.bincount(folds).max() <= len(photos) / n + largest


@given(photos=tables(gaps=False, shared_encounters=False), seed=st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_every_animal_met_often_enough_is_trained_on(photos: Catalogue, seed: int) -> None:
    """With room to spare, an animal's encounters go to different folds."""
    n = 2
    frame = photos.frame
    met = frame.groupby("identity")["encounter"].nunique()
    lone = [f"p{row}" for row in range(1000, 1000 + 3 * len(frame))]  # small encounters of animals met once, to fill up
    filler = pd.DataFrame({"image_id": lone, "path": lone, "identity": lone, "encounter": lone})
    folds = EncounterFolds(n, seed=seed).folds(Catalogue(pd.concat([frame, filler])))[: len(frame)]
    spread = pd.Series(folds).groupby(frame["identity"].to_numpy()).nunique()
    assert (spread[met >= n] == n).all()


def test_equal_animals_are_spread_evenly() -> None:
    photos = table(
        identity=[f"w{a}" for a in range(6) for _ in range(10)],
        encounter=[f"w{a}-{e}" for a in range(6) for e in range(5) for _ in range(2)],
    )
    folds = EncounterFolds(5).folds(photos)
    counts = pd.crosstab(photos.column("identity"), folds)
    assert (counts == 2).all(axis=None)


def test_folds_are_the_same_on_every_machine() -> None:
    photos = table(identity=list("aabbccddeeff"), encounter=list("112233445566"))
    known = [0, 0, 2, 2, 0, 0, 1, 1, 1, 1, 2, 2]
    assert EncounterFolds(3, seed=1).folds(photos).tolist() == known
    assert IdentityFolds(3, seed=1).folds(photos).tolist() == known


def test_seeds_differ() -> None:
    photos = table(identity=[f"w{row // 2}" for row in range(60)], encounter=[f"e{row}" for row in range(60)])
    for kind in FOLDS:
        found = {tuple(kind(2, seed=seed).folds(photos)) for seed in range(5)}  # type: ignore[call-arg]
        assert len(found) == 5


@pytest.mark.shared
def test_photo_folds_are_the_winners_row_for_row(shared: Path) -> None:
    known = pd.read_csv(shared / "golden/model/top_folds.csv")
    top = Catalogue.read(shared / "data/whaledo/metadata.csv").filter(viewpoint="top")
    assert top.image_ids.tolist() == known["image_id"].tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert PhotoFolds(5, seed=42).folds(top).tolist() == known["fold"].tolist()


def test_photo_folds_are_scikit_learns() -> None:
    identity = [None if row % 7 == 0 else f"w{row % 3}" for row in range(50)]
    y = [name or "nobody" for name in identity]
    expected = [test.tolist() for _, test in StratifiedKFold(4, shuffle=True, random_state=3).split(y, y)]
    assert [test.tolist() for _, test in PhotoFolds(4, seed=3).split(table(identity=identity))] == expected


@pytest.mark.shared
def test_encounter_folds_on_real_animals(shared: Path) -> None:
    photos = Catalogue.read(shared / "data/nyala")
    folds = EncounterFolds(5).folds(photos)
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 2
    met = photos.frame.groupby("identity")["encounter"].nunique()
    spread = pd.Series(folds).groupby(photos.column("identity").to_numpy()).nunique()
    assert (spread == met.clip(upper=5)).all()  # no animal could be in more folds


def test_photos_of_unknown_encounter_go_by_identity_and_day() -> None:
    photos = table(
        identity=["a", "a", "a", None, None, "b", "b", "b"],
        encounter=[None, None, None, None, None, "e", "f", None],
        date=["2020-06-01 09:00", "2020-06-01 17:00", "2020-06-02", "2020-06-01", "2020-06-01", None, None, None],
    )
    for seed in range(10):
        folds = EncounterFolds(3, seed=seed).folds(photos)
        assert folds[0] == folds[1]
    together = [EncounterFolds(3, seed=seed).folds(photos) for seed in range(30)]
    assert any(folds[0] != folds[2] for folds in together)  # another day
    assert any(folds[3] != folds[4] for folds in together)  # nobody's, though of one day


def test_a_table_without_encounters_goes_by_identity_and_day() -> None:
    photos = table(identity=["a", "a", "b", "b"], date=["2020-06-01", "2020-06-01", "2020-06-01", "2020-06-02"])
    folds = EncounterFolds(3).folds(photos)
    assert folds[0] == folds[1]
    assert len(set(folds[1:])) == 3


def test_identities_that_share_an_encounter_stay_together() -> None:
    photos = table(
        identity=["a", "b", "b", "c", None, "d", "e", None],
        encounter=["1", "1", "2", "2", "2", "3", "4", "5"],
    )
    for seed in range(10):
        folds = IdentityFolds(3, seed=seed).folds(photos)
        assert len(set(folds[:5])) == 1
        assert {folds[0], folds[5], folds[6]} == {0, 1, 2}  # photos without an identity don't take up a fold


@pytest.mark.parametrize("kind", FOLDS)
def test_plain_rows_split_like_a_catalogue(kind: type[Splitter]) -> None:
    photos = table(
        identity=[f"w{row % 4}" for row in range(40)], encounter=[f"w{row % 4}-{row // 8}" for row in range(40)]
    )
    X = np.zeros((40, 2))
    found = kind(4).folds(X, photos.column("identity"), photos.column("encounter"))  # type: ignore[call-arg]
    assert (found == kind(4).folds(photos)).all()  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", FOLDS)
@pytest.mark.parametrize("routing", [False, True])
def test_cross_val_score_takes_them(kind: type[Splitter], routing: bool) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 12, 120)
    encounters = [f"{who}-{met}" for who, met in zip(y, rng.integers(0, 4, 120), strict=True)]
    X = rng.normal(size=(120, 3))
    cv = kind(3)  # type: ignore[call-arg]
    with sklearn.config_context(enable_metadata_routing=routing):
        given = {"params": {"groups": encounters}} if routing else {"groups": encounters}
        scores = cross_val_score(DummyClassifier(), X, y, cv=cv, **given)
        search = GridSearchCV(DummyClassifier(), {"strategy": ["prior", "uniform"]}, cv=cv).fit(X, y, groups=encounters)
    assert len(scores) == 3
    assert search.n_splits_ == 3


@pytest.mark.parametrize("kind", FOLDS)
def test_splitters_are_values(kind: type[Splitter]) -> None:
    splitter = kind(4, seed=7)  # type: ignore[call-arg]
    assert repr(splitter) == f"{kind.__name__}(n_splits=4, seed=7)"
    assert copy.deepcopy(splitter) == sklearn.clone(splitter, safe=False) == splitter


def test_first_and_fold_give_catalogues() -> None:
    photos = table(identity=list("aabbccdd"), encounter=list("12345678"))
    splitter = EncounterFolds(4)
    train, valid = splitter.first(photos)
    assert sorted([*train.image_ids, *valid.image_ids]) == sorted(photos.image_ids)
    assert splitter.fold(photos, 0)[1].image_ids.tolist() == valid.image_ids.tolist()
    assert splitter.fold(photos, 3)[1].image_ids.tolist() == photos[splitter.folds(photos) == 3].image_ids.tolist()
    with pytest.raises(WhalereidError, match=r"no fold 4; .* has 0, 1, 2, 3"):
        splitter.fold(photos, 4)


def test_split_refuses_at_once() -> None:
    with pytest.raises(WhalereidError):
        EncounterFolds(5).split(table(identity=["a", "b"], encounter=["1", "2"]))


NO_ENCOUNTERS = table(identity=["a", "a", "b", "b"])
TWO = table(identity=["a", "b", "b"], encounter=["1", "2", "2"])
PODS = table(identity=["a", "b", "c", "c"], encounter=["1", "1", "1", "2"])
ONE = table(identity=["a", "a", None], encounter=["1", "2", "3"])
NOBODY = table(identity=[None, "", "unknown"], encounter=["1", "2", "3"])


@pytest.mark.parametrize(
    ("splitter", "photos", "says"),
    [
        (EncounterFolds(3), TWO, "photos.csv: 3 folds by encounter need as many encounters, it has 2"),
        (EncounterFolds(2), NO_ENCOUNTERS, "photos.csv: no photo has an encounter.*fill the column 'encounter'"),
        (EncounterFolds(2), ONE, "photos.csv: all its photos are of one identity"),
        (IdentityFolds(3), TWO, "photos.csv: 3 folds by identity need as many identities, it has 2; ask for fewer"),
        (
            IdentityFolds(2),
            PODS,
            "tie its 3 identities into 1 group, too few.*put the identity into the encounter",
        ),
        (IdentityFolds(2), ONE, "one identity"),
        (IdentityFolds(2), NOBODY, "no photo has a known identity; fill the column 'identity'"),
        (PhotoFolds(3), TWO, "3 folds by photo need an identity with 3 photos, the largest has 2; ask for fewer"),
        (PhotoFolds(2), ONE, "one identity"),
        (PhotoFolds(2), NOBODY, "no photo has a known identity"),
        (PhotoFolds(2), TWO[[]], "photos.csv: no photos to split"),
        (EncounterFolds(2), TWO[[]], "photos.csv: no photos to split"),
    ],
)
def test_impossible_splits_say_why(splitter: Splitter, photos: Catalogue, says: str) -> None:
    with pytest.raises(WhalereidError, match=says):
        splitter.split(photos)


@pytest.mark.parametrize("n", [1, 0, -3, 2.5, "5", True])
def test_a_number_of_folds_is_checked(n: object) -> None:
    with pytest.raises(WhalereidError, match=r"n_splits is .*; give a whole number from 2"):
        EncounterFolds(n)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 0.5, None, 2**32])
def test_a_seed_is_checked(seed: object) -> None:
    with pytest.raises(WhalereidError, match=r"seed is .*; give a whole number from 0 to"):
        PhotoFolds(2, seed=seed)  # type: ignore[arg-type]


def test_values_must_be_as_many_as_rows() -> None:
    with pytest.raises(WhalereidError, match="groups has 2 values for 3 photos"):
        EncounterFolds(2).split(range(3), y=list("abc"), groups=[1, 2])


def test_a_large_table_is_split_in_moments() -> None:
    rng = np.random.default_rng(0)
    y = rng.zipf(1.5, 50_000) % 5000
    encounters = y * 10 + rng.integers(0, 5, len(y))
    folds = EncounterFolds(5).folds(np.zeros(len(y)), y, encounters)
    assert np.ptp(np.bincount(folds)) <= np.bincount(encounters).max()
