"""Leakage report: how much of a test part could be answered without recognising an animal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.splits.base import LEFT_OUT, Splitter

__all__ = ["FoldLeakage", "Leakage", "leakage", "leakage_over_folds"]

HOUR, BURST = 3600, 10  # seconds apart, at most
# What a test photo can share with a training photo of the same identity: its heading, and how a sentence says it.
CUES = {
    "photo": ("the photo itself", "that is the same file"),
    "encounter": ("same encounter", "from the same encounter"),
    "day": ("same date", "of the same date"),
    "hour": ("within an hour", "taken within an hour"),
    "burst": (f"within {BURST} s", f"taken within {BURST} s"),
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
    """

    photos: pd.DataFrame
    n_training: int
    n_identities: int
    n_unseen: int
    n_encounters: int
    n_repeated: int
    n_straddling: int

    @property
    def n_queries(self) -> int:
        """Test photos whose identity is in training."""
        return int(self.photos["seen"].sum())

    def count(self, cue: str) -> int | None:
        """Test photos that share a cue with a training photo of the same identity; None where it wasn't checked."""
        values = self.photos[cue]
        return None if values.isna().all() else int(values.sum())

    def to_frame(self) -> pd.DataFrame:
        """Return one row a cue, and one for any of them.

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
        frame = pd.DataFrame({"cue": list(counts), "meaning": [*(words[0] for words in CUES.values()), "any of these"]})
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


def leakage(train: Catalogue, test: Catalogue) -> Leakage:
    """Count what test photos share with training photos of the same identity, apart from the animal.

    Goes by the table alone, so it is quick: a quarter of a second for 10,000 photos.

    Parameters
    ----------
    train, test : Catalogue
        The two parts, as a splitter's ``first`` or ``fold`` gives them, or two tables that belong together.

    Returns
    -------
    Leakage
        Cues: ``photo``, the photo is itself in training; ``encounter``; ``day``, the same date; ``hour`` and ``burst``,
        taken at most an hour, or 10 seconds, before or after, where the table has times of day.

    Raises
    ------
    WhalereidError
        A part has no photos, or no identity is known.

    Examples
    --------
    >>> photos = Catalogue(pd.DataFrame({"image_id": list("abcd"), "path": list("abcd"), "identity": list("xxyy"),
    ...                                  "encounter": ["monday", "monday", "monday", "friday"]}))
    >>> report = leakage(photos[[0, 2]], photos[[1, 3]])
    >>> report.count("encounter"), report.n_queries
    (1, 2)
    """
    both = (train, test)
    for part, name in zip(both, ("training", "test"), strict=True):
        if not len(part):
            raise WhalereidError(f"{part.source}: the {name} part has no photos.")
        if not part.n_identities:
            raise WhalereidError(f"{part.source}: no photo of the {name} part has a known identity.")
    roots = [part.root.absolute() for part in both]
    encounters = [_values(part, "encounter") for part in both]
    moments = [part.dates() for part in both]
    days = [when.astype("datetime64[D]") for when in moments]
    # Midnight to the second is a date without a time of day, as it is read in.
    moments = [np.where(when == day, np.datetime64("NaT", "s"), when) for when, day in zip(moments, days, strict=True)]
    whose = [_values(part, "identity") for part in both]
    shared = {
        "photo": _same(whose, [f"{root}/" + part.column("path") for part, root in zip(both, roots, strict=True)]),
        "encounter": _same(whose, encounters),
        "day": _same(whose, [pd.Series(d) for d in days]),
        "hour": _close(whose, moments, HOUR),
        "burst": _close(whose, moments, BURST),
    }
    photos = pd.DataFrame({"image_id": test.image_ids, "seen": whose[1].isin(train.identities), **shared})
    counts = pd.concat(encounters).value_counts()
    several = counts.index[counts > 1]
    straddling = np.isin(several, encounters[0].dropna()) & np.isin(several, encounters[1].dropna())
    return Leakage(
        photos=photos,
        n_training=len(train),
        n_identities=test.n_identities,
        n_unseen=len(set(test.identities) - set(train.identities)),
        n_encounters=encounters[1].nunique(),
        n_repeated=len(several),
        n_straddling=int(straddling.sum()),
    )


def leakage_over_folds(catalogue: Catalogue, splitter: Splitter) -> FoldLeakage:
    """Report the leakage of every fold of a splitter, or of a saved table of folds through `PredefinedFolds`.

    Parameters
    ----------
    catalogue : Catalogue
        The photos.
    splitter : Splitter
        How they are split.

    Raises
    ------
    WhalereidError
        The photos can't be split this way, or have no identities.
    """
    folds = splitter.folds(catalogue)
    parts = {int(number): catalogue[folds == number] for number in np.unique(folds) if number != LEFT_OUT}
    reports = {}
    for number, test in parts.items():
        if number >= 0:
            reports[number] = leakage(catalogue[(folds != number) & (folds != LEFT_OUT)], test)
    used = folds != LEFT_OUT
    encounter = _values(catalogue, "encounter")[used]
    per_encounter = pd.Series(folds[used]).groupby(encounter.to_numpy(object)).agg(["size", "nunique"])
    several = per_encounter[per_encounter["size"] > 1]
    return FoldLeakage(reports, len(several), int((several["nunique"] > 1).sum()))


def _sentence(parts: Sequence[Leakage], photos: str, across: str, n_repeated: int, n_straddling: int) -> str:
    """Put into words what is shared, the plainest giveaway first."""
    tables = [part.to_frame().set_index("cue")["of_test"] for part in parts]
    checked = {cue: [float(table[cue]) for table in tables] for cue in CUES if tables[0].notna()[cue]}
    found = {cue: _percent(shares) for cue, shares in checked.items() if max(shares) > 0}
    straddling = f"{n_straddling:,} of the {n_repeated:,} encounters with several photos straddle {across}"
    lacks = [name for cue, name in _SOURCE.items() if cue not in checked]
    unchecked = f"; the table has no {_either(lacks)} to check" if lacks else ""
    if found:
        lead, *others = found
        aside = ", ".join(f"{CUES[cue][0]} {found[cue]}" for cue in others)
        return (
            f"Leakage: {straddling + ', and ' if n_straddling else ''}{found[lead]} of {photos} a photo of the same "
            f"identity {CUES[lead][1]} in training{f' ({aside})' if aside else ''}, so scores will flatter; "
            f"split by {'encounter, ' if {'photo', 'encounter'} & {*found} else ''}date or identity."
        )
    if not any(part.n_queries for part in parts):
        return f"No test identity is in training{f', yet {straddling}' if n_straddling else ''}{unchecked}."
    if len(checked) == 1:
        return f"Leakage can't be told: the table has no {_either(lacks)}."
    shared = _either([CUES[cue][1] for cue in checked if cue != "photo"])
    return f"No leakage found: no test photo has one of the same identity {shared} in training{unchecked}."


def _either(names: Sequence[str]) -> str:
    """Names as one reads them: a, b or c."""
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _percent(shares: Sequence[float]) -> str:
    """Shares as a range of whole percents, such as 91–92%."""
    low, high = round(100 * min(shares)), round(100 * max(shares))
    if high == 0:
        return "under 1%"
    return f"{low}%" if low == high else f"{low}–{high}%"


def _printed(table: pd.DataFrame) -> str:
    """A table as text, columns aligned right, what wasn't checked as a dash."""
    return table.rename_axis(index=None, columns=None).fillna("–").to_string()


def _values(catalogue: Catalogue, column: str) -> pd.Series:
    """One column as text, all missing where there is none."""
    if column in catalogue.columns:
        return catalogue.column(column).astype(object)
    return pd.Series([None] * len(catalogue), dtype=object)


def _same(whose: Sequence[pd.Series], what: Sequence[pd.Series]) -> pd.Series:
    """(T,) boolean: whether a training photo of the same identity has the same value; missing if none is known."""
    train, test = (pd.DataFrame({"who": who, "what": value}) for who, value in zip(whose, what, strict=True))
    if train["what"].isna().all() or test["what"].isna().all():
        return pd.Series([pd.NA] * len(test), dtype="boolean")
    found = test.merge(train.dropna().drop_duplicates(), how="left", on=["who", "what"], indicator="where")["where"]
    return (found == "both").astype("boolean")


def _close(whose: Sequence[pd.Series], when: Sequence[np.ndarray], seconds: int) -> pd.Series:
    """(T,) boolean: whether a training photo of the same identity was taken as soon as that; missing likewise."""
    train, test = (
        pd.DataFrame({"who": w, "when": t}).dropna().sort_values("when") for w, t in zip(whose, when, strict=True)
    )
    if not len(train) or not len(test):
        return pd.Series([pd.NA] * len(whose[1]), dtype="boolean")
    nearest = pd.merge_asof(
        test.reset_index(names="row"),
        train.assign(found=True),
        on="when",
        by="who",
        direction="nearest",
        tolerance=pd.Timedelta(seconds=seconds),
    )
    close = np.zeros(len(whose[1]), bool)
    close[nearest.loc[nearest["found"].notna(), "row"]] = True
    return pd.Series(close, dtype="boolean")
