"""Which of a table's columns become which of a catalogue's."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import pandas as pd

from whalereid.catalogue.columns import ALIASES, KNOWN
from whalereid.catalogue.suggestions import suggest_columns
from whalereid.errors import WhalereidError, listing
from whalereid.tables import require_unique_names

__all__ = ["ask", "check_columns", "rename"]

_TARGETS = (*KNOWN, "timestamp")
_MOST_COLUMNS = 12  # named in an error


def check_columns(columns: Mapping[str, str]) -> None:
    """Refuse a mapping to columns that catalogues don't know.

    Raises
    ------
    WhalereidError
        They don't know one; the message names what is meant.
    """
    for known, name in columns.items():
        if known in _TARGETS:
            continue
        if known.lower() in ALIASES or known.lower() in _TARGETS:
            meant = ALIASES.get(known.lower(), known.lower())
            raise WhalereidError(f"columns: catalogues call {known!r:.60} {meant}; give {meant}={name}.")
        near = get_close_matches(known, _TARGETS, 1)
        hint = f"did you mean {near[0]}={name}? There are" if near else "choose from"
        raise WhalereidError(
            f"columns: catalogues know no {known!r:.60}; {hint} {', '.join(_TARGETS)}; others are kept as they are."
        )


def rename(frame: pd.DataFrame, columns: Mapping[str, str], *, where: str) -> tuple[pd.DataFrame, list[str]]:
    """Give columns their known names.

    Parameters
    ----------
    frame : DataFrame of N rows
        As it was read.
    columns : mapping of str to str
        Known columns, each with the table's column that means it. One column may mean several.
    where : str
        What errors call the table.

    Returns
    -------
    frame : DataFrame
        A new table.
    notes : list of str
        Which columns had to make way.

    Raises
    ------
    WhalereidError
        There is no such column; the message names the one that is probably meant.
    """
    names = [str(name) for name in frame.columns]
    require_unique_names(names, where=where)
    columns = {known: _there(names, name) for known, name in columns.items()}
    for known, name in columns.items():
        if name not in names:
            raise WhalereidError(f"{where}: no column {name!r:.80} for {known}; {_meant(names, known, name)}.")
    taken = {names.index(name): known for known, name in columns.items()}
    notes, made = [], {}
    for at, name in enumerate(names):
        called = taken.get(at, name)
        if called in columns and at not in taken:
            called = f"original_{name}"
            notes.append(f"the table's own {name} is kept as {called}, since {name}={columns[name]} was asked for")
            if called in names:
                raise WhalereidError(
                    f"{where}: has columns {name} and {called}; rename one of them, so that both can stay."
                )
        made[called] = frame.iloc[:, at]
    for known, name in columns.items():
        made.setdefault(known, frame.iloc[:, names.index(name)])
    return pd.DataFrame(made), notes


def _there(names: list[str], name: str) -> str:
    """The column of this name, be there spaces around it in the table; else the name itself."""
    return name if name in names else next((one for one in names if one.strip() == name.strip()), name)


def _meant(names: list[str], known: str, name: str) -> str:
    """Which column is meant by a name that isn't there."""
    bare = {re.sub(r"[^a-z0-9]", "", one.lower()): one for one in reversed(names)}
    sought = re.sub(r"[^a-z0-9]", "", name.lower())
    near = [bare[one] for one in get_close_matches(sought, bare, 1)] if sought else []
    found = near or [one for meant, one in suggest_columns(names).items() if meant == known]
    has = f"it has {listing(names, most=_MOST_COLUMNS) or 'none'}"
    return f"did you mean {known}={found[0]}? {has[:1].upper()}{has[1:]}" if found else has


def ask(names: Iterable[str], *wanted: str) -> str:
    """Return a question that names columns probably meant by known ones that a table lacks; empty where none is.

    Parameters
    ----------
    names : iterable of str
        The table's columns.
    *wanted : str
        The known ones to ask for; by default all.

    Examples
    --------
    >>> ask(["image_id", "path", "Individual", "Side"])
    'did you mean identity=Individual,viewpoint=Side? If so, give --columns identity=Individual,viewpoint=Side'
    """
    suggested = suggest_columns(names)
    pairs = ",".join(f"{known}={name}" for known, name in suggested.items() if known in wanted or not wanted)
    return f"did you mean {pairs}? If so, give --columns {shlex.quote(pairs)}" if pairs else ""
