"""Classes to learn: the animals, or finer ones from several columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.images import PhotoDataset, class_names, evaluation_transform

PLAIN = evaluation_transform(16)
FLANKS = ("identity", "viewpoint")


@pytest.fixture
def photos() -> Catalogue:
    table = pd.DataFrame(
        {
            "image_id": list("abcdef"),
            "path": list("abcdef"),
            "identity": ["nanuq", "nanuq", "nanuq", "sedna", None, "sedna"],
            "viewpoint": ["left", "right", None, "left", "left", "left"],
            "age": [3, 3, 3, 1, 1, 2],
        }
    )
    return Catalogue(table)


def test_identity_alone_is_the_identities(photos: Catalogue) -> None:
    assert class_names(photos) == class_names(photos, ["identity"]) == photos.identities
    dataset = PhotoDataset(photos, PLAIN)
    assert dataset.classes == dataset.identities == photos.identities
    assert dataset.labels.tolist() == photos.labels().tolist()


def test_each_flank_is_a_class(photos: Catalogue) -> None:
    names = (("nanuq", "left"), ("nanuq", "right"), ("sedna", "left"))
    assert class_names(photos, FLANKS) == names
    dataset = PhotoDataset(photos, PLAIN, labels_from=FLANKS)
    assert dataset.classes == names
    assert dataset.labels_from == FLANKS
    assert dataset.labels.tolist() == [0, 1, -1, 2, -1, 2]
    assert dataset.labels.dtype == np.int64
    assert dataset.identities == ("nanuq", "sedna")  # an animal stays one


def test_values_that_look_alike_together_are_two_classes(photos: Catalogue) -> None:
    odd = photos.assign(identity=["a b", "a"] * 3, viewpoint=["c", "b c"] * 3)
    assert class_names(odd, FLANKS) == (("a", "b c"), ("a b", "c"))


def test_columns_of_numbers_are_classes_too(photos: Catalogue) -> None:
    assert class_names(photos, "age") == ("1", "2", "3")
    assert PhotoDataset(photos, PLAIN, labels_from="age").labels.tolist() == [2, 2, 2, 0, 0, 1]


def test_labels_of_other_photos(photos: Catalogue) -> None:
    dataset = PhotoDataset(photos, PLAIN, labels_from=FLANKS)
    other = Catalogue(
        pd.DataFrame(
            {
                "image_id": list("xyz"),
                "path": list("xyz"),
                "identity": ["sedna", "nanuq", "ahti"],
                "viewpoint": ["left", "right", "left"],
            }
        )
    )
    assert dataset.labels_of(other).tolist() == [2, 1, -1]
    assert dataset.labels_of(Catalogue(other.frame.drop(columns="viewpoint"))).tolist() == [-1, -1, -1]


def test_only_the_identities_given_are_learned(photos: Catalogue) -> None:
    flanks = PhotoDataset(photos, PLAIN, identities=["nanuq"], labels_from=FLANKS)
    assert flanks.classes == (("nanuq", "left"), ("nanuq", "right"))
    assert flanks.labels.tolist() == [0, 1, -1, -1, -1, -1]
    ages = PhotoDataset(photos.assign(age=3), PLAIN, identities=["nanuq"], labels_from="age")
    assert ages.labels.tolist() == [0, 0, 0, -1, -1, -1]


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ("flank", "no column 'flank'"),
        (["identity", "identity"], "each once"),
        ([], "give columns"),
        (3, "labels_from is 3"),
        ([3], "labels_from is"),
        (None, "labels_from is None"),
    ],
)
def test_columns_that_cannot_be(photos: Catalogue, columns: object, names: str) -> None:
    with pytest.raises(WhalereidError, match=names):
        class_names(photos, columns)
    with pytest.raises(WhalereidError, match=names):
        PhotoDataset(photos, PLAIN, labels_from=columns)
