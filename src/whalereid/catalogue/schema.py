"""The columns of a catalogue: their names, the aliases read in, and how values are cleaned."""

from __future__ import annotations

import pandas as pd

from whalereid.errors import WhalereidError, listing

__all__ = ["ALIASES", "KNOWN", "REQUIRED", "UNKNOWN_IDENTITIES", "VIEWPOINT_SYNONYMS", "normalise"]

REQUIRED = ("image_id", "path")
KNOWN = (*REQUIRED, "identity", "viewpoint", "encounter", "date", "bbox", "species", "location", "height", "width")
ALIASES = {
    "whale_id": "identity",
    "name": "identity",
    "label": "identity",
    "orientation": "viewpoint",
    "position": "viewpoint",
    "view": "viewpoint",
    "encounter_id": "encounter",
    "sequence": "encounter",
}
UNKNOWN_IDENTITIES = frozenset({"", "unknown", "____"})
VIEWPOINT_SYNONYMS = {"up": "top"}
_TEXT = ("image_id", "path", "identity", "viewpoint", "encounter", "species", "location")


def normalise(frame: pd.DataFrame, *, where: str) -> pd.DataFrame:
    """Rename aliases, and make ids and categories clean text with missing values as NaN.

    Parameters
    ----------
    frame : DataFrame
        A table of photos with the columns of the catalogue, under their names or aliases.
    where : str
        What to name in errors: the file, or what the table is.

    Returns
    -------
    DataFrame
        A new table with a plain 0..N-1 index. An alias is used only where the proper name is absent.

    Raises
    ------
    WhalereidError
        A required column is missing, an ``image_id`` or ``path`` is empty, or an ``image_id`` is repeated.
    """
    frame = frame.reset_index(drop=True)
    for alias, name in ALIASES.items():
        if alias in frame and name not in frame:
            frame = frame.rename(columns={alias: name})
    if "date" not in frame and "timestamp" in frame:
        frame = frame.assign(date=frame["timestamp"])
    missing = [name for name in REQUIRED if name not in frame]
    if missing:
        raise WhalereidError(
            f"{where}: no column {listing(missing)}; a catalogue needs image_id and path, "
            f"this table has {listing(frame.columns, most=12) or 'no columns'}."
        )
    cleaned = {}
    for name in _TEXT:
        if name in frame:
            text = frame[name].astype("str").str.strip()
            cleaned[name] = text.where(frame[name].notna() & (text != ""))
    if "identity" in cleaned:
        identity = cleaned["identity"]
        cleaned["identity"] = identity.mask(identity.str.lower().isin(UNKNOWN_IDENTITIES))
    if "viewpoint" in cleaned:
        cleaned["viewpoint"] = cleaned["viewpoint"].str.lower().replace(VIEWPOINT_SYNONYMS)
    frame = frame.assign(**cleaned)
    for name in REQUIRED:
        empty = frame.index[frame[name].isna()]
        if len(empty):
            raise WhalereidError(f"{where}, row {empty[0] + 1}: {name} is empty; every photo needs one.")
    repeated = frame["image_id"][frame["image_id"].duplicated()]
    if len(repeated):
        rows = frame.index[frame["image_id"] == repeated.iloc[0]] + 1
        raise WhalereidError(
            f"{where}, rows {listing(rows)}: image_id {repeated.iloc[0]!r} is repeated "
            f"({len(repeated)} rows repeat an id); ids must be unique."
        )
    return frame
