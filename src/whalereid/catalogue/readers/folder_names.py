"""What the names of folders say: a side of the animal, a meeting, a day; or that no animal is called so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from whalereid.errors import listing
from whalereid.text import is_viewpoint, normalise_viewpoint

__all__ = ["Said", "is_camera_card", "notes_on", "read_folder_names", "what_it_seems"]

_DAY = re.compile(
    r"(?<![0-9a-z])(?:(?P<y>(?:19|20)\d\d)(?P<sep>[-_. ]?)(?P<m>0[1-9]|1[0-2])(?P=sep)(?P<d>0[1-9]|[12]\d|3[01])"
    r"|(?P<a>\d{1,2})(?P<between>[-_. ])(?P<b>\d{1,2})(?P=between)(?P<year>(?:19|20)\d\d))(?![0-9a-z])",
    re.IGNORECASE,
)
_MEETING = r"(?:enc(?:ounter)?|sighting|event|occurrence|session|visit|burst|seq(?:uence)?|meeting)s?"
_NUMBERED_MEETING = re.compile(rf"{_MEETING}(?:[-_ .#]+\S.*|\d.*)", re.IGNORECASE)
_MEETINGS = re.compile(_MEETING, re.IGNORECASE)
_OF_A_SIDE = re.compile(r"^(?:lateral|flank|side|view)[-_ ]+|[-_ ]*(?:flank|side|view(?:point)?|profile|lateral)s?$")
_CARD = r"dcim\d*|[1-9]\d\d(?=\d*[a-z_])[a-z0-9_]{5}|cam[-_ ]?\d+"
_CAMERA_CARD = re.compile(_CARD, re.IGNORECASE)

# What folders are called that hold photos of anybody.
_NO_ANIMAL = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "parts of a split": (
            r"(?:train(?:ing)?|test(?:ing)?|val(?:id(?:ation)?)?|dev|eval|holdout|(?:un)?seen|known|quer(?:y|ies)|probes?"
            r"|databases?|db|galler(?:y|ies)|reference)(?:[-_ ]?(?:set|data|images|imgs|photos|\d+))?"
            r"|(?:folds?|splits?|parts?|batch|set)[-_ ]?\d+"
        ),
        "heaps of photos": (
            r"(?:media|images?|imgs?|img[-_ ]?\d+|photos?|photographs?|pictures?|pics?|jpe?gs?|data|dataset|raws?"
            r"|crops?|cropped|originals?|frames?|files|uploads?|new|misc|others?|all"
            r"|(?:(?:new|untitled) )?folder)[-_ ]?\d*"
        ),
        "folders of a camera": (
            rf"{_CARD}|(?:img|dsc[nf]?|pict|gopr)[-_ ]?\d*"
            r"|camera(?:[-_ ]?trap)?[-_ ]?[a-z0-9]{0,3}|(?:sd|card|sdcard)[-_ ]?\d+|(?:station|site|trap|ct)[-_ ]?\d+"
        ),
        "dates": (
            r"(?:19|20)\d\d(?:[-_. ]?(?:0[1-9]|1[0-2])(?:[-_. ]?(?:0[1-9]|[12]\d|3[01]))?)?"
            r"|\d{1,2}[-_. ]\d{1,2}[-_. ](?:19|20)\d\d"
            r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,6}[-_. ]*(?:19|20)\d\d"
        ),
        "encounters": rf"{_MEETING}(?:[-_ .#]*\d.*)?",
    }.items()
}


def what_it_seems(name: str) -> str | None:
    """What a folder of this name usually is, if that isn't an animal."""
    plain = name.strip().lower()
    if _viewpoint(plain) is not None:
        return "viewpoints"
    return next((kind for kind, pattern in _NO_ANIMAL.items() if pattern.fullmatch(plain)), None)


def is_camera_card(name: str) -> bool:
    """Whether a folder is called as cameras call theirs.

    Examples
    --------
    >>> [is_camera_card(name) for name in ("DCIM", "100CANON", "CAM1", "Anna")]
    [True, True, True, False]
    """
    return _CAMERA_CARD.fullmatch(name.strip()) is not None


@dataclass(frozen=True)
class Said:
    """What the folders on the way to a photo say.

    Attributes
    ----------
    viewpoint, encounter, date : str or None
        As columns of a catalogue hold them; an encounter is the way to its folder.
    """

    viewpoint: str | None = None
    encounter: str | None = None
    date: str | None = None

    @classmethod
    def by(cls, folders: Sequence[str], first: int = 0) -> Said:
        """Read the names of folders within each other, from the one of this number on.

        Of several sides or days the innermost counts. A folder called after a meeting is the encounter, else one called
        after a day; a year or a month is none.

        Examples
        --------
        >>> Said.by(["Anna", "2021_05_01", "left flank"], first=1)
        Said(viewpoint='left', encounter='Anna/2021_05_01', date='2021-05-01')
        >>> Said.by(["Anna", "encounters", "3"], first=1).encounter
        'Anna/encounters/3'
        """
        view = day = meeting = day_folder = None
        for at, name in list(enumerate(folders))[first:]:
            plain = name.strip()
            view = _viewpoint(plain.lower()) or view
            if (found := _day(plain)) is not None:
                day, day_folder = found, at
            inside_meetings = at > first and _MEETINGS.fullmatch(folders[at - 1].strip())
            if inside_meetings or _NUMBERED_MEETING.fullmatch(plain):
                meeting = at
        place = meeting if meeting is not None else day_folder
        return cls(view, None if place is None else "/".join(folders[: place + 1]), day)


def read_folder_names(paths: Iterable[Path], first: int) -> dict[str, list[str | None]]:
    """The columns that the folders of N photos fill, read from the one of this number on.

    Parameters
    ----------
    paths : iterable of N paths
        Relative to the root.
    first : int
        How many folders from the root on are something else, such as an animal's.

    Returns
    -------
    dict of str to list of N str or None
        ``viewpoint``, ``encounter`` and ``date``, those of them that any photo has.
    """
    said: dict[tuple[str, ...], Said] = {}
    rows = []
    for path in paths:
        folders = path.parts[:-1]
        if folders not in said:
            said[folders] = Said.by(folders, first)
        rows.append(said[folders])
    columns = {name: [getattr(row, name) for row in rows] for name in ("viewpoint", "encounter", "date")}
    return {name: values for name, values in columns.items() if any(values)}


def notes_on(paths: Iterable[Path], first: int) -> list[str]:
    """Say what was read from the names of folders, and which said nothing."""
    ways = sorted({folders for path in paths if len(folders := path.parts[:-1]) > first})
    said = {folders: Said.by(folders, first) for folders in ways}
    views = sorted({one.viewpoint for one in said.values() if one.viewpoint is not None})
    meetings = sorted({one.encounter for one in said.values() if one.encounter is not None})
    silent = ["/".join(folders) for folders, one in said.items() if one == Said()]
    notes = []
    if views:
        notes.append(f"viewpoints were read from the names of folders: {listing(views)}")
    if meetings:
        of_days = f", dates from {listing(days, most=2)}" if (days := _days(said.values())) else ""
        notes.append(f"encounters were read from the names of {len(meetings):,} folders: {listing(meetings)}{of_days}")
    if silent:
        inside = " inside" if first else ""
        notes.append(f"{len(silent):,} folders{inside} say nothing more: {listing(silent)}")
    return notes


def _days(said: Iterable[Said]) -> list[str]:
    return sorted({one.date for one in said if one.date is not None})


def _viewpoint(plain: str) -> str | None:
    """The viewpoint that a folder is called after, in small letters."""
    bare, before = plain, None
    while bare != before:
        before, bare = bare, _OF_A_SIDE.sub("", bare, count=1)
    return normalise_viewpoint(re.sub(r"[-_ ]+", "-", bare).strip("-")) if is_viewpoint(bare) else None


def _day(name: str) -> str | None:
    """The day in a folder's name: year first, or as it stands where which number is the month shows elsewhere."""
    found = _DAY.search(name.replace("_", "-"))
    if found is None:
        return None
    if found["y"] is None:
        return found[0].replace(" ", "-")
    try:
        return date(int(found["y"]), int(found["m"]), int(found["d"])).isoformat()
    except ValueError:
        return None
