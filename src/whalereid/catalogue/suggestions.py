"""Columns under names that aren't known: which known column a table's own probably is."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable

from whalereid.catalogue.columns import ALIASES, KNOWN

__all__ = ["did_you_mean", "suggest_columns"]

# In the order in which they are looked for; a column is suggested once.
_SYNONYMS = {
    "identity": (
        "individual individual_id individual_name animal animal_id animal_name whale_name catalog_id catalogue_id who "
        "subject subject_id id_name"
    ),
    "path": "file filename file_name filepath file_path image_path img_path photo_path image_file photo_file",
    "image_id": "image image_name img img_id photo photo_id photo_name picture picture_id media_id id uuid",
    "viewpoint": "side flank angle pose body_side side_seen",
    "encounter": "sighting sighting_id event event_id occurrence occurrence_id encounter_no session visit burst",
    "date": "datetime date_time date_taken date_captured captured taken captured_at taken_at day",
    "mask": "mask_path mask_file mask_name segmentation_mask segmentation_path polygon polygons rle outline",
    "species": "taxon scientific_name",
    "location": "site site_id place area station locality",
    "latitude": "lat_deg lat_dd latitude_deg latitude_dd gps_latitude_deg start_latitude",
    "longitude": "lon_deg lon_dd longitude_deg longitude_dd gps_longitude_deg start_longitude",
}
_FOR_PATH_TOO = ("image", "photo", "picture", "img")  # where ids are there
_CLOSE = 0.82  # "update" isn't "date", "Indentity" is "identity"


def suggest_columns(columns: Iterable[str]) -> dict[str, str]:
    """Return known columns that a table lacks, each with the table's column that probably means it.

    Parameters
    ----------
    columns : iterable of str
        The table's columns, aliases renamed or not.

    Examples
    --------
    >>> suggest_columns(["image_id", "file", "Individual", "sighting", "notes"])
    {'identity': 'Individual', 'path': 'file', 'encounter': 'sighting'}
    >>> suggest_columns(["image_id", "path", "Indentity"])
    {'identity': 'Indentity'}
    """
    given = [str(name) for name in columns]
    known_names = {*KNOWN, *ALIASES, "timestamp"}
    plain = {name: name.strip().lower() for name in given}
    there = {ALIASES.get(name, name) for name in plain.values() if name in known_names}
    if "timestamp" in there:
        there.add("date")
    free = {name: _bare(name) for name in given if plain[name] not in known_names}
    lacking = [name for name in _SYNONYMS if name not in there]
    suggested: dict[str, str] = {}
    for known in lacking:
        words = [_bare(word) for word in _SYNONYMS[known].split()]
        words += [_bare(word) for word in (known, *(alias for alias, proper in ALIASES.items() if proper == known))]
        if known == "path" and "image_id" in there:
            words += _FOR_PATH_TOO
        same = {bare: name for name, bare in reversed(free.items())}
        found = next((same[word] for word in words if word in same), None)
        if found is not None:
            suggested[known] = found
            del free[found]
    for known in lacking:
        if known not in suggested:
            close = difflib.get_close_matches(_bare(known), list(free.values()), n=1, cutoff=_CLOSE)
            if close:
                suggested[known] = next(name for name, bare in free.items() if bare == close[0])
                del free[suggested[known]]
    return {known: suggested[known] for known in _SYNONYMS if known in suggested}


def did_you_mean(columns: Iterable[str], *wanted: str) -> str:
    """Return a question that names the columns probably meant by those wanted; empty where there is no guess.

    Examples
    --------
    >>> did_you_mean(["image_id", "path", "Individual"], "identity")
    'did you mean identity=Individual? Rename the column to identity, or import with --columns identity=Individual.'
    """
    suggested = suggest_columns(columns)
    pairs = [(known, suggested[known]) for known in wanted if known in suggested]
    if not pairs:
        return ""
    meant = ", ".join(f"{known}={name}" for known, name in pairs)
    rename = " and ".join(known for known, _ in pairs)
    which = "columns" if len(pairs) > 1 else "column"
    given = shlex.quote(",".join(f"{known}={name}" for known, name in pairs))
    return f"did you mean {meant}? Rename the {which} to {rename}, or import with --columns {given}."


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
