"""Leakage report: how much of a test part could be answered without recognising an animal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.catalogue import NEAR_IDENTICAL, Catalogue, most_similar
from whalereid.errors import WhalereidError
from whalereid.splits.base import LEFT_OUT, Splitter, needs_catalogue
from whalereid.splits.compare import (
    Appearance,
    PhotoCodes,
    close_in_time,
    compare_borders,
    same_value,
    unchecked,
)
from whalereid.splits.leakage_report import BURST, HOUR, FoldLeakage, Leakage

__all__ = ["leakage", "leakage_over_folds"]


def leakage(train: Catalogue, test: Catalogue, *, photos: bool = False, progress: bool = False) -> Leakage:
    """Count what test photos share with training photos of the same identity, apart from the animal.

    Parameters
    ----------
    train, test : Catalogue
        The two parts, as a splitter's ``first`` or ``fold`` gives them, or two tables that belong together.
    photos : bool
        Look at the photos, too: for copies, near-duplicates and telling backgrounds. By default only the tables are
        looked at, which takes no more than moments.
    progress : bool
        Show a bar on stderr while photos are read.

    Returns
    -------
    Leakage
        Cues: ``photo``, the photo is itself in training; ``encounter``; ``day``, the same date; ``hour`` and ``burst``,
        taken at most an hour, or 10 seconds, before or after, where the table has times of day. With `photos` also
        ``bytes``, a byte-for-byte copy, and ``look``, nearly identical (see `whalereid.catalogue.fingerprint`).

    Raises
    ------
    WhalereidError
        A part has no photos, or no identity is known.

    Examples
    --------
    >>> table = Catalogue(pd.DataFrame({"image_id": list("abcd"), "path": list("abcd"), "identity": list("xxyy"),
    ...                                 "encounter": ["monday", "monday", "monday", "friday"]}))
    >>> report = leakage(table[[0, 2]], table[[1, 3]])
    >>> report.count("encounter"), report.n_queries
    (1, 2)
    """
    needs_catalogue(train, "train")
    needs_catalogue(test, "test")
    for flag, name in ((photos, "photos"), (progress, "progress")):
        instance(flag, name, bool, "True or False")
    appearance = Appearance.of(train, test, progress=progress) if photos else None
    rows = np.arange(len(train)), np.arange(len(train), len(train) + len(test))
    return _leakage(PhotoCodes.by(train, test), appearance, rows, sources=(train.source, test.source))


def leakage_over_folds(
    catalogue: Catalogue, splitter: Splitter, *, photos: bool = False, progress: bool = False
) -> FoldLeakage:
    """Report the leakage of every fold of a splitter, or of a saved table of folds through `PredefinedFolds`.

    Parameters
    ----------
    catalogue : Catalogue
        The photos.
    splitter : Splitter
        How they are split.
    photos, progress : bool
        As for `leakage`; each photo is read once.

    Raises
    ------
    WhalereidError
        The photos can't be split this way, or have no identities.
    """
    needs_catalogue(catalogue)
    instance(splitter, "splitter", Splitter, "one of whalereid.splits, such as EncounterFolds(5)")
    folds = splitter.folds(catalogue)
    used = folds != LEFT_OUT
    catalogue, folds = catalogue[used], folds[used]
    codes = PhotoCodes.by(catalogue)
    for flag, name in ((photos, "photos"), (progress, "progress")):
        instance(flag, name, bool, "True or False")
    appearance = Appearance.of(catalogue, progress=progress) if photos else None
    reports = {}
    for number in np.unique(folds[folds >= 0]).tolist():
        rows = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        reports[number] = _leakage(codes, appearance, rows, sources=(catalogue.source, catalogue.source))
    known = codes.encounter >= 0
    by_encounter = pd.Series(folds[known]).groupby(codes.encounter[known]).agg(["size", "nunique"])
    repeated = by_encounter[by_encounter["size"] > 1]
    return FoldLeakage(reports, len(repeated), int((repeated["nunique"] > 1).sum()))


def _leakage(
    codes: PhotoCodes, appearance: Appearance | None, rows: Sequence[np.ndarray], *, sources: Sequence[str]
) -> Leakage:
    """The leakage between two parts, given by the rows of their photos, training first."""
    train, test = parts = [codes.take(part) for part in rows]
    for part, name, source in zip(parts, ("training", "test"), sources, strict=True):
        if not len(part):
            raise WhalereidError(f"{source}: the {name} part has no photos.")
        if (part.identity < 0).all():
            raise WhalereidError(f"{source}: no photo of the {name} part has a known identity.")
    identity, moments = [part.identity for part in parts], [part.moment for part in parts]
    shared = {
        "photo": same_value(identity, [part.file for part in parts]),
        "encounter": same_value(identity, [part.encounter for part in parts]),
        "day": same_value(identity, [part.day for part in parts]),
        "hour": close_in_time(identity, moments, HOUR),
        "burst": close_in_time(identity, moments, BURST),
        **{cue: unchecked(len(test)) for cue in ("bytes", "look", "border")},
    }
    identities = [_times(part.identity, codes.identity) for part in parts]
    encounters = [_times(part.encounter, codes.encounter) for part in parts]
    seen = (test.identity >= 0) & (identities[0][test.identity] > 0)
    near = border = unread = None
    if appearance is not None:
        appearances = [appearance.take(part) for part in rows]
        shared["bytes"] = same_value(identity, [look.bytes for look in appearances])
        twin, similarity = most_similar(appearances[1].whole, appearances[0].whole)
        alike = similarity >= NEAR_IDENTICAL
        same = alike & (test.identity >= 0) & (test.identity == train.identity[twin])
        shared["look"] = pd.Series(same | shared["bytes"].to_numpy(bool, na_value=False), dtype="boolean")
        near = pd.DataFrame(
            {
                "test_id": test.image_ids[alike],
                "train_id": train.image_ids[twin[alike]],
                "similarity": similarity[alike].astype(np.float64).clip(max=1),
                "same_bytes": appearances[1].bytes[alike] == appearances[0].bytes[twin[alike]],
                "same_identity": same[alike],
            }
        ).sort_values("similarity", ascending=False, kind="stable", ignore_index=True)
        shared["border"], border = compare_borders(train, test, appearances, seen)
        unread = sum(int((look.bytes < 0).sum()) for look in appearances)
    repeated = encounters[0] + encounters[1] > 1
    return Leakage(
        photos=pd.DataFrame({"image_id": test.image_ids, "seen": seen, **shared}),
        n_training=len(train),
        n_identities=int((identities[1] > 0).sum()),
        n_unseen=int(((identities[1] > 0) & (identities[0] == 0)).sum()),
        n_encounters=int((encounters[1] > 0).sum()),
        n_repeated=int(repeated.sum()),
        n_straddling=int((repeated & (encounters[0] > 0) & (encounters[1] > 0)).sum()),
        near_duplicates=near,
        border=border,
        n_unread=unread,
    )


def _times(codes: np.ndarray, of: np.ndarray) -> np.ndarray:
    """How often each of the codes that there are stands in a part."""
    return np.bincount(codes[codes >= 0], minlength=int(of.max()) + 1)
