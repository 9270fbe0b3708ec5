"""Leakage report: how much of a test part could be answered without recognising an animal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.catalogue import NEAR_IDENTICAL, Catalogue, most_similar
from whalereid.errors import WhalereidError
from whalereid.splits.base import LEFT_OUT, Splitter, needs_catalogue
from whalereid.splits.compare import (
    BorderHint,
    Looks,
    Told,
    close_in_time,
    compare_borders,
    same_value,
    unchecked,
)

__all__ = ["FoldLeakage", "Leakage", "leakage", "leakage_over_folds"]

HOUR, BURST = 3600, 10  # seconds apart, at most
# What a test photo can share with a training photo of the same identity: its heading, and how a sentence says it.
CUES = {
    "photo": ("the photo itself", "that is the same file"),
    "encounter": ("same encounter", "from the same encounter"),
    "day": ("same date", "of the same date"),
    "hour": ("within an hour", "taken within an hour"),
    "burst": (f"within {BURST} s", f"taken within {BURST} s"),
    "bytes": ("same bytes", "that is a byte-for-byte copy"),
    "look": ("nearly identical", "that is nearly identical"),
}
_SOURCE = {"encounter": "encounters", "day": "dates", "hour": "times of day"}  # what a table may lack


@dataclass(frozen=True, eq=False)
class Leakage:
    """What test photos share with training photos of the same identity. Made by `leakage`.

    Attributes
    ----------
    photos : DataFrame of T rows
        One row a test photo: ``image_id``; ``seen``, whether its identity is in training; and for each cue whether it
        is shared with a training photo of the same identity. A cue that the table can't tell is all missing.
    n_training : int
        Photos in training.
    n_identities, n_unseen : int
        Known identities in the test part, and how many of them have no photo in training.
    n_encounters : int
        Known encounters in the test part.
    n_repeated, n_straddling : int
        Encounters with several photos, and how many of those are in both parts.
    near_duplicates : DataFrame or None
        Test photos with the training photo that each looks most like, where the two are nearly identical, closest
        first: ``test_id``, ``train_id``, ``similarity`` (at most 1), ``same_bytes``, ``same_identity``. None where the
        photos weren't looked at, and so with the next two.
    border : BorderHint or None
        Whether backgrounds tell who it is.
    n_unread : int or None
        Photos that can't be read, and so aren't compared.
    """

    photos: pd.DataFrame
    n_training: int
    n_identities: int
    n_unseen: int
    n_encounters: int
    n_repeated: int
    n_straddling: int
    near_duplicates: pd.DataFrame | None = None
    border: BorderHint | None = None
    n_unread: int | None = None

    @property
    def n_queries(self) -> int:
        """Test photos whose identity is in training."""
        return int(self.photos["seen"].sum())

    def count(self, cue: str) -> int | None:
        """Test photos that share a cue with a training photo of the same identity; None where it wasn't checked."""
        values = self.photos[cue]
        return None if values.isna().all() else int(values.sum())

    def to_frame(self) -> pd.DataFrame:
        """Return one row a cue, one for any of them, and one for the photo's border (see `BorderHint`).

        Returns
        -------
        DataFrame
            ``cue`` and ``meaning``; ``photos``, how many test photos share it; ``of_test``, which share of the test
            part they are; ``of_queries``, which share of the test photos whose identity is in training: the queries
            that this cue answers. Missing where a cue wasn't checked.
        """
        checked = [cue for cue in CUES if self.count(cue) is not None]
        counts = {cue: self.count(cue) for cue in CUES}
        counts["any"] = int(self.photos[checked].any(axis=1).sum())
        counts["border"] = self.count("border")
        meanings = [*(words[0] for words in CUES.values()), "any of these", "closest border"]
        frame = pd.DataFrame({"cue": list(counts), "meaning": meanings})
        photos = pd.Series(list(counts.values()), dtype="Int64")
        shares = photos.astype("Float64")
        return frame.assign(
            photos=photos, of_test=shares / max(len(self.photos), 1), of_queries=shares / max(self.n_queries, 1)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        cues = self.to_frame().set_index("cue").drop(columns="meaning").astype(object)
        return {
            "train_photos": self.n_training,
            "test_photos": len(self.photos),
            "queries": self.n_queries,
            "test_identities": self.n_identities,
            "unseen_identities": self.n_unseen,
            "test_encounters": self.n_encounters,
            "encounters_with_several_photos": self.n_repeated,
            "encounters_straddling": self.n_straddling,
            "cues": cues.where(cues.notna(), None).to_dict("index"),
            "near_duplicates": None if self.near_duplicates is None else self.near_duplicates.to_dict("records"),
            "border": None if self.border is None else asdict(self.border),
            "unread_photos": self.n_unread,
            "sentence": self.sentence(),
        }

    def sentence(self) -> str:
        """Say it in one line."""
        return _sentence([self], "the test photos have", "training and test", self.n_repeated, self.n_straddling)

    def __str__(self) -> str:
        table = self.to_frame().set_index("meaning")
        shown = pd.DataFrame(
            {
                "photos": table["photos"].map("{:,}".format, na_action="ignore"),
                "of test": table["of_test"].map("{:.1%}".format, na_action="ignore"),
                "of queries": table["of_queries"].map("{:.1%}".format, na_action="ignore"),
            }
        )
        return _printed(shown)


@dataclass(frozen=True, eq=False)
class FoldLeakage:
    """The leakage of each fold, and of the folds together. Made by `leakage_over_folds`.

    Attributes
    ----------
    folds : mapping of int to Leakage
        By fold number.
    n_repeated, n_straddling : int
        Encounters with several photos, and how many of those lie in more than one fold.
    """

    folds: Mapping[int, Leakage]
    n_repeated: int
    n_straddling: int

    def counts(self) -> pd.DataFrame:
        """Return what each fold holds.

        Returns
        -------
        DataFrame
            ``fold``, ``train_photos``, and of the tested part ``photos``, ``identities``, ``unseen``, the share of its
            identities that have no photo in training, and ``encounters``.
        """
        return pd.DataFrame(
            {
                "fold": number,
                "train_photos": part.n_training,
                "photos": len(part.photos),
                "identities": part.n_identities,
                "unseen": part.n_unseen / part.n_identities,
                "encounters": part.n_encounters,
            }
            for number, part in self.folds.items()
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the table of each fold (see `Leakage.to_frame`), one below the other, with its number as ``fold``."""
        tables = [part.to_frame().assign(fold=number) for number, part in self.folds.items()]
        table = pd.concat(tables, ignore_index=True)
        return table[["fold", *table.columns.drop("fold")]]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return {
            "encounters_with_several_photos": self.n_repeated,
            "encounters_straddling": self.n_straddling,
            "folds": {number: part.to_dict() for number, part in self.folds.items()},
            "sentence": self.sentence(),
        }

    def sentence(self) -> str:
        """Say it in one line."""
        if len(self.folds) == 1:
            return next(iter(self.folds.values())).sentence()
        parts = list(self.folds.values())
        return _sentence(parts, "each validation fold has", "folds", self.n_repeated, self.n_straddling)

    def __str__(self) -> str:
        table = self.to_frame().pivot(index="meaning", columns="fold", values="of_test")
        table = table.loc[self.to_frame()["meaning"].unique()].rename(columns="fold {}".format)
        return _printed(table.map("{:.1%}".format, na_action="ignore"))


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
    looks = Looks.of(train, test, progress=progress) if photos else None
    rows = np.arange(len(train)), np.arange(len(train), len(train) + len(test))
    return _leakage(Told.by(train, test), looks, rows, sources=(train.source, test.source))


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
    told = Told.by(catalogue)
    for flag, name in ((photos, "photos"), (progress, "progress")):
        instance(flag, name, bool, "True or False")
    looks = Looks.of(catalogue, progress=progress) if photos else None
    reports = {}
    for number in np.unique(folds[folds >= 0]).tolist():
        rows = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        reports[number] = _leakage(told, looks, rows, sources=(catalogue.source, catalogue.source))
    known = told.encounter >= 0
    by_encounter = pd.Series(folds[known]).groupby(told.encounter[known]).agg(["size", "nunique"])
    repeated = by_encounter[by_encounter["size"] > 1]
    return FoldLeakage(reports, len(repeated), int((repeated["nunique"] > 1).sum()))


def _leakage(told: Told, looks: Looks | None, rows: Sequence[np.ndarray], *, sources: Sequence[str]) -> Leakage:
    """The leakage between two parts, given by the rows of their photos, training first."""
    train, test = parts = [told.take(part) for part in rows]
    for part, name, source in zip(parts, ("training", "test"), sources, strict=True):
        if not len(part):
            raise WhalereidError(f"{source}: the {name} part has no photos.")
        if (part.identity < 0).all():
            raise WhalereidError(f"{source}: no photo of the {name} part has a known identity.")
    whose, moments = [part.identity for part in parts], [part.moment for part in parts]
    shared = {
        "photo": same_value(whose, [part.file for part in parts]),
        "encounter": same_value(whose, [part.encounter for part in parts]),
        "day": same_value(whose, [part.day for part in parts]),
        "hour": close_in_time(whose, moments, HOUR),
        "burst": close_in_time(whose, moments, BURST),
        **{cue: unchecked(len(test)) for cue in ("bytes", "look", "border")},
    }
    identities = [_times(part.identity, told.identity) for part in parts]
    encounters = [_times(part.encounter, told.encounter) for part in parts]
    seen = (test.identity >= 0) & (identities[0][test.identity] > 0)
    near = border = unread = None
    if looks is not None:
        ours = [looks.take(part) for part in rows]
        shared["bytes"] = same_value(whose, [look.bytes for look in ours])
        twin, similarity = most_similar(ours[1].whole, ours[0].whole)
        alike = similarity >= NEAR_IDENTICAL
        same = alike & (test.identity >= 0) & (test.identity == train.identity[twin])
        shared["look"] = pd.Series(same | shared["bytes"].to_numpy(bool, na_value=False), dtype="boolean")
        near = pd.DataFrame(
            {
                "test_id": test.image_ids[alike],
                "train_id": train.image_ids[twin[alike]],
                "similarity": similarity[alike].astype(np.float64).clip(max=1),
                "same_bytes": ours[1].bytes[alike] == ours[0].bytes[twin[alike]],
                "same_identity": same[alike],
            }
        ).sort_values("similarity", ascending=False, kind="stable", ignore_index=True)
        shared["border"], border = compare_borders(train, test, ours, seen)
        unread = sum(int((look.bytes < 0).sum()) for look in ours)
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


def _sentence(parts: Sequence[Leakage], photos: str, across: str, n_repeated: int, n_straddling: int) -> str:
    """Put into words what is shared, the plainest giveaway first."""
    tables = [part.to_frame().set_index("cue")["of_test"] for part in parts]
    checked = {cue: [float(table[cue]) for table in tables] for cue in CUES if tables[0].notna()[cue]}
    found = {cue: shares for cue, shares in checked.items() if max(shares) > 0}
    straddling = f"{n_straddling:,} of the {n_repeated:,} encounters with several photos straddle {across}"
    lacks = [name for cue, name in _SOURCE.items() if cue not in checked]
    untold = f"; the table has no {_either(lacks)} to check" if lacks else ""
    looks = _looks_sentences(parts)
    if found:
        (lead, shares), *others = found.items()
        aside = ", ".join(f"{CUES[cue][0]} {_percent(values)}" for cue, values in others)
        if found.keys() <= {"bytes", "look"}:
            remedy = f"drop such copies{untold}"
        else:
            remedy = f"split by {'encounter, ' if lead in ('photo', 'encounter') else ''}date or identity"
        return (
            f"{'Leakage' if max(map(max, found.values())) >= 0.01 else 'Slight leakage'}: "
            f"{straddling + ', and ' if n_straddling else ''}{_percent(shares)} of {photos} a photo of the same "
            f"identity {CUES[lead][1]} in training{f' ({aside})' if aside else ''}, which flatters scores; "
            f"{remedy}.{looks}"
        )
    if not any(part.n_queries for part in parts):
        return f"No test identity is in training{f', yet {straddling}' if n_straddling else ''}{untold}.{looks}"
    if len(checked) == 1:
        return f"Leakage can't be told: the table has no {_either(lacks)}."
    shared = _either([CUES[cue][1] for cue in checked if cue != "photo"])
    return f"No leakage found: no test photo has one of the same identity {shared} in training{untold}.{looks}"


def _looks_sentences(parts: Sequence[Leakage]) -> str:
    """What the photos tell beyond the cues; nothing where they weren't looked at."""
    said = ""
    twins = [part.near_duplicates for part in parts if part.near_duplicates is not None]
    others = sum(int((~pairs["same_identity"]).sum()) for pairs in twins)
    if others:
        said += f" Nearly identical to a training photo of another identity: {others:,} test photos."
    hints = [part.border for part in parts if part.border]
    if hints:
        found, chance = _percent([h.identity for h in hints]), _percent([h.identity_by_chance for h in hints])
        said += f" By the photo's border alone, {found} of the queries find their identity (by chance {chance})."
    return said


def _either(names: Sequence[str]) -> str:
    """Names as one reads them: a, b or c."""
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _percent(shares: Sequence[float]) -> str:
    """Shares as a range of whole percents, such as 91–92%; never rounded to none or all."""
    low, high = round(100 * min(shares)), round(100 * max(shares))
    if high == 0:
        return "under 1%" if max(shares) else "none"
    if low == 100:
        return "over 99%" if min(shares) < 1 else "all"
    return f"{low}%" if low == high else f"{low}–{high}%"


def _printed(table: pd.DataFrame) -> str:
    """A table as text, columns aligned right, what wasn't checked as a dash."""
    return table.rename_axis(index=None, columns=None).fillna("–").to_string()
