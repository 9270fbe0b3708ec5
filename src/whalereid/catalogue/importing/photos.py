"""Ids and paths, each from the other where a table has one of them; and paths that stay below the photos' folder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from whalereid.catalogue.importing.columns import ask
from whalereid.catalogue.photo_findings import paths_outside
from whalereid.catalogue.readers.trees import PhotosBelow, ids_of_rows, is_photo
from whalereid.catalogue.table import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.tables import id_columns, require_filled
from whalereid.text import text_column

__all__ = ["complete", "refuse_outside"]


def complete(frame: pd.DataFrame, root: Path, *, where: str) -> tuple[pd.DataFrame, list[str]]:
    """Fill in ``image_id`` after ``path``, or ``path`` with the photo that ``image_id`` names.

    Parameters
    ----------
    frame : DataFrame of N rows
        Its columns have their known names.
    root : Path
        The folder of the photos, looked through once where ``path`` is lacking.
    where : str
        What errors call the table.

    Returns
    -------
    frame : DataFrame
        With both columns; absolute paths below the root are relative to it.
    notes : list of str
        What was filled in.

    Raises
    ------
    WhalereidError
        There is neither column; an id or path is empty; an id names several photos, or none of them names any.
    """
    if "path" not in frame and "image_id" not in frame:
        question = ask(frame.columns, "image_id", "path") or "say which it is with --columns path=COLUMN"
        has = listing(frame.columns, most=12) or "no columns"
        raise WhalereidError(f"{where}: no column image_id or path; it has {has}; {question}.")
    if "path" not in frame:
        given = id_columns(frame, "image_id", where=where, hint="every photo needs one")["image_id"]
        found, notes = _look_for([*given], [*map(str, frame.columns)], root, where=where)
        return _with_first(frame, image_id=[*given], path=found), notes
    paths = text_column(frame["path"], where=where)
    require_filled(paths, where=where, hint="every photo needs one")
    ways = _relative(paths, root)
    if "image_id" in frame:
        return _with_first(frame, image_id=frame["image_id"], path=ways), []
    ids = ids_of_rows(ways)
    return _with_first(frame, image_id=ids, path=ways), ["image_id was taken from path"]


def _with_first(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """The table with these columns, new or replaced, before the others."""
    rest = frame.drop(columns=list(columns), errors="ignore")
    return pd.concat([pd.DataFrame(columns, index=frame.index), rest], axis="columns")


def refuse_outside(catalogue: Catalogue) -> None:
    """Refuse a table with paths that leave the folder of the photos, by row."""
    outside = paths_outside(catalogue)
    if outside:
        row = min(outside)
        more = f"; {len(outside):,} rows are so" if len(outside) > 1 else ""
        raise WhalereidError(
            f"{catalogue.source}, row {row + 1}: the path {catalogue.column('path').iloc[row]!r:.300} leaves the "
            f"photos' folder, {catalogue.root}{more}; give the folder that holds them all with --photos FOLDER."
        )


def _relative(paths: pd.Series, root: Path) -> list[str]:
    """Paths as they are, but for absolute ones below the root."""
    starts = tuple({f"{folder.as_posix().rstrip('/')}/" for folder in (root.absolute(), root.resolve())})
    relative = []
    for path in paths:
        plain = path.replace("\\", "/") if path[:1] == "\\" or path[1:3] == ":\\" else path
        start = next((start for start in starts if plain.startswith(start)), "")
        relative.append(plain[len(start) :] if start else path)
    return relative


def _look_for(ids: list[str], columns: list[str], root: Path, *, where: str) -> tuple[list[str], list[str]]:
    """The photos that ids name, as paths from the root."""
    photos = PhotosBelow(root)
    found: list[str | None] = []
    for row, image_id in enumerate(ids, start=1):
        there = photos.called(image_id)
        if len(there) > 1:
            raise WhalereidError(
                f"{where}, row {row}: {len(there)} photos below {root} are called {image_id!r:.80} ({listing(there)}); "
                "give the column of their paths with --columns path=COLUMN."
            )
        found.append(there[0] if there else None)
    lost = [row for row, path in enumerate(found) if path is None]
    if len(lost) == len(found):
        question = ask(columns, "path") or "the column of their paths is given with --columns path=COLUMN"
        such = f", such as {ids[0]!r:.80}" if ids else ""
        raise WhalereidError(
            f"{where}: has no column path, and none of the {len(photos.paths):,} photos below {root} is called as an "
            f"image_id{such}; {question}; their folder with --photos FOLDER."
        )
    usual = Counter(PurePosixPath(path).suffix for path in found if path is not None).most_common(1)[0][0]
    paths = [
        path if path is not None else image_id if is_photo(Path(image_id)) else f"{image_id}{usual}"
        for path, image_id in zip(found, ids, strict=True)
    ]
    notes = [f"path was found by image_id, below {root}"]
    if lost:
        first = f"row {lost[0] + 1}: {paths[lost[0]]}"
        notes.append(f"{len(lost):,} of {len(found):,} photos aren't there ({first}); `whalereid check` lists them")
    return paths, notes
