"""Which photos --fold, --test-fold and --folds mean, and how many classes there are to learn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from whalereid.cli.console import read_photos, say
from whalereid.errors import WhalereidError

if TYPE_CHECKING:
    from whalereid.catalogue import Catalogue

__all__ = ["count_classes", "photos_of_fold", "training_parts"]


def photos_of_fold(photos: Catalogue, folds: Path | None, fold: int) -> list[str]:
    """The photos that a fold tests."""
    from whalereid.splits import PredefinedFolds, read_folds

    if folds is None and "fold" not in photos.columns:
        raise WhalereidError(f"--fold {fold} needs --folds FILE: {photos.source} has no column 'fold'.")
    table = photos.frame[["image_id", "fold"]] if folds is None else read_folds(folds, photos)
    ids: list[str] = PredefinedFolds(table).fold(photos, fold)[1].image_ids.tolist()
    return ids


def training_parts(
    photos: Catalogue, *, fold: int | None, test_fold: int | None, folds: Path | None, valid: Path | None
) -> tuple[Catalogue, Catalogue | None]:
    """The photos to train on, and those to choose the epoch by."""
    import numpy as np

    from whalereid.splits import EncounterFolds, PredefinedFolds, Splitter, read_folds

    held_out = None if valid is None else read_photos(valid)
    if fold is None and test_fold is None:
        return photos, held_out
    splitter: Splitter
    if folds is not None:
        splitter = PredefinedFolds(read_folds(folds, photos))
    elif "fold" in photos.columns:
        splitter = PredefinedFolds(photos.frame[["image_id", "fold"]])
    else:
        splitter = EncounterFolds(5)
        say(f"No column 'fold' and no --folds: they are {splitter!r}'s, as `whalereid split` makes them.")
    trained = np.ones(len(photos), bool)
    named = (("--fold", fold), ("--test-fold", test_fold))
    for _, number in named:
        if number is not None:
            kept, taken = splitter.fold(photos, number)
            in_training = np.zeros(len(photos), bool)
            in_training[photos.rows(kept.image_ids)] = True
            trained &= in_training
            held_out = taken if number == fold else held_out
    if isinstance(splitter, PredefinedFolds):
        left_out = len(splitter.left_out(photos))
        if left_out:
            say(f"{left_out:,} of {len(photos):,} photos are left out of every fold.")
    if not trained.any():
        without = " and ".join(f"{option} {number}" for option, number in named if number is not None)
        raise WhalereidError(f"{photos.source}: the training part is empty: {without} leaves no photo to train on.")
    return photos[trained], held_out


def count_classes(train: Catalogue, columns: list[str]) -> int:
    """How many classes there are to tell apart; fewer than two are refused."""
    from whalereid.images import class_names

    learned = class_names(train, columns)
    if len(learned) < 2:
        kind = "identity" if columns == ["identity"] else "class"
        only = " ".join(learned[0]) if learned and isinstance(learned[0], tuple) else learned[0] if learned else ""
        found = f"all photos are of one {kind} ({only})" if learned else f"no {kind} is known"
        raise WhalereidError(f"{train.source}: {found} in the training part; it takes two to tell them apart.")
    return len(learned)
