"""Which animal is in which photo, by the observations of a Camtrap DP.

https://camtrap-dp.tdwg.org/data/#observations: those of a photo name it; those of an event hold for the photos that the
camera took from its start to its end.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from whalereid.catalogue.readers.camtrap_events import photos_of_events
from whalereid.errors import WhalereidError, listing

__all__ = ["BOX", "numbers_of", "rows_of"]

BOX = ("bboxX", "bboxY", "bboxWidth", "bboxHeight")
_MOST_KINDS = 8  # of observations left out, named
_READ = (
    "mediaID", "eventID", "eventStart", "eventEnd", "observationLevel", "scientificName", "individualID", "count",
    "sex", "lifeStage", "behavior", "classificationProbability", *BOX,
)  # fmt: skip


def rows_of(
    observations: pd.DataFrame, media: pd.DataFrame, *, min_conf: float, where: str, notes: list[str]
) -> pd.DataFrame:
    """Pair the observations of animals with photos.

    Parameters
    ----------
    observations, media : DataFrame
        The package's tables, as text.
    min_conf : float
        Observations that are less sure are left out.
    where : str
        What errors call the observations.
    notes : list of str
        What was taken for what is added to it.

    Returns
    -------
    DataFrame
        The columns of the observations, and ``medium``, a position in `media`; ordered by that.
    """
    observations = observations.assign(**{name: np.nan for name in _READ if name not in observations})
    observations = observations.assign(row=np.arange(1, len(observations) + 1))
    level, names_photo = observations["observationLevel"], observations["mediaID"].notna()
    lacks = (level == "media") & ~names_photo
    _refuse(observations, lacks, "mediaID", "is empty; an observation of a photo names it", where=where)
    of_photos = names_photo & (level != "event")
    position = pd.Index(media["mediaID"]).get_indexer(pd.Index(observations["mediaID"]))
    _refuse(observations, of_photos & (position < 0), "mediaID", "is no photo of media", where=where)
    observations = observations.assign(medium=np.where(of_photos, position, -1))
    seen = np.unique(position[of_photos.to_numpy(bool)])
    kept = _animals(observations, min_conf, where, notes)
    direct, events = kept[kept["medium"] >= 0], kept[kept["medium"] < 0]
    pairs = photos_of_events(events, media, where=where)
    is_seen = np.isin(pairs["medium"], seen)
    direct = _named_by_events(direct, events, pairs[is_seen], notes)
    pairs = pairs[~is_seen]
    spread = events.iloc[pairs["event"]].assign(medium=pairs["medium"].to_numpy())
    if len(spread):
        notes.append(
            f"{len(spread):,} rows are of observations of events: they hold for the photos that the camera took from "
            "the event's start to its end and that have no observation of their own"
        )
    return pd.concat([direct, spread]).sort_values("medium", kind="stable").reset_index(drop=True)


def _animals(observations: pd.DataFrame, min_conf: float, where: str, notes: list[str]) -> pd.DataFrame:
    """The observations of animals that are sure enough; of others it is said how many."""
    kind = observations["observationType"]
    others = kind[kind != "animal"].value_counts().sort_index()
    sure = numbers_of(observations, "classificationProbability", 0, 1, where=where)
    unsure = (kind == "animal") & (sure < min_conf)
    said = [f"{count:,} {name}" for name, count in others.items()]
    said += [f"{unsure.sum():,} less sure than {min_conf:g} (min_conf)"] if unsure.any() else []
    if said:
        notes.append(f"observations left out: {listing(said, most=_MOST_KINDS)}")
    kept = observations[(kind == "animal") & ~unsure]
    several = int((numbers_of(kept, "count", 0, np.inf, where=where) > 1).sum())
    if several:
        notes.append(f"observations of several animals at once (count), a row each all the same: {several:,}")
    return kept


def _named_by_events(direct: pd.DataFrame, events: pd.DataFrame, pairs: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Give an animal that is alone in its photo, and isn't named, the name of the one animal of its event.

    A detector draws boxes photo by photo where people name the animals of an event.
    """
    alone = ~direct["medium"].duplicated(keep=False).to_numpy()
    single = pairs[~pairs["medium"].duplicated(keep=False)]
    event_of = pd.Series(single["event"].to_numpy(), single["medium"].to_numpy())
    event = event_of.reindex(direct["medium"]).to_numpy()
    named = alone & direct["individualID"].isna().to_numpy() & ~np.isnan(event)
    teller = events.iloc[np.where(named, event, 0).astype(np.int64)] if len(events) else None
    if teller is None or not named.any():
        return direct
    is_one = ~(pd.to_numeric(teller["count"], errors="coerce").to_numpy() > 1)
    named &= is_one & teller["individualID"].notna().to_numpy()
    if named.any():
        notes.append(f"{named.sum():,} observations of photos were given the name of the one animal of their event")
    told = teller["individualID"].to_numpy(object)
    return direct.assign(individualID=np.where(named, told, direct["individualID"].to_numpy(object)))


def numbers_of(frame: pd.DataFrame, name: str, least: float, most: float, *, where: str) -> pd.Series:
    """A column as numbers, missing ones NaN; one that is none, or out of range, is refused by its row."""
    value = pd.to_numeric(frame[name], errors="coerce").astype("float64")
    wrong = frame[name].notna() & ~((value >= least) & (value <= most))
    ends = f"from {least:g}" if most == np.inf else f"from {least:g} to {most:g}"
    _refuse(frame, wrong, name, f"is no number {ends}", where=where)
    return value


def _refuse(frame: pd.DataFrame, wrong: pd.Series, column: str, what: str, *, where: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        row, value = frame["row"].iloc[rows[0]], frame[column].iloc[rows[0]]
        shown = "" if pd.isna(value) else f" {value!r:.80}"
        more = f"; {len(rows):,} rows are so" if len(rows) > 1 else ""
        raise WhalereidError(f"{where}, row {row}: {column}{shown} {what}{more}.")
