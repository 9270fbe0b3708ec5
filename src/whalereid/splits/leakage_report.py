"""What a leakage report says: as a table, as JSON, and in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from whalereid.splits.compare import BorderHint

__all__ = ["BURST", "CUES", "HOUR", "FoldLeakage", "Leakage"]

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
