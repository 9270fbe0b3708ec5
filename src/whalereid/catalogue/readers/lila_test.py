"""LILA's archive of the competition's test set: photos, who they show, and the ten scenarios.

https://lila.science/datasets/beluga-id-2022/
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from whalereid.candidates import Task
from whalereid.candidates.scenario_files import read_scenario
from whalereid.catalogue.readers.folder import Folder
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.errors import WhalereidError
from whalereid.tables import read_table, require_columns

__all__ = ["LilaTest"]

_TEST, _TRAIN, _CODE = "private_test_metadata.csv", "private_train_metadata.csv", "code-execution"
_ARCHIVE_IDENTITY = "original_whale_id"


class LilaTest:
    """The archive of the competition's test set, unpacked."""

    wanted = "it needs private_test_metadata.csv and code-execution/"

    def recognises(self, source: Any) -> bool:
        """Whether a folder is the archive, unpacked."""
        return isinstance(source, Folder) and source.file(_TEST) is not None

    def read(self, folder: Folder) -> FoundPhotos:
        """Read the test photos and their scenarios; exact repeats of a row, which the archive has, are dropped.

        An animal that is also in the training photos goes by its name there.
        """
        path, code = folder.file(_TEST), folder.folder(_CODE)
        if path is None or code is None:
            raise WhalereidError(f"{folder.path}: {self.wanted}.")
        inner = Folder(code)
        images = inner.folder("images")
        listed = read_table(path)
        frame = listed.drop_duplicates(ignore_index=True)
        repeats = len(listed) - len(frame)
        notes = [f"rows that repeat another exactly, left out: {repeats:,}"] if repeats else []
        require_columns(frame, "image_id", where=str(path))
        names = frame["path"] if "path" in frame else frame["image_id"] + ".jpg"
        at = PurePosixPath(code.name, images.name if images is not None else "images")
        frame["path"] = [str(at / PurePosixPath(str(name)).name) for name in names]
        if _ARCHIVE_IDENTITY in frame and "whale_id" not in frame:
            frame["identity"], note = _known_names(frame[_ARCHIVE_IDENTITY], folder.file(_TRAIN))
            notes.append(note)
        photos = FoundPhotos(frame, folder.path, source=str(path), notes=tuple(notes))
        return replace(photos, scenarios=_scenarios(inner, photos))


def _known_names(archive_names: pd.Series, path: Path | None) -> tuple[pd.Series, str]:
    """Names by which the training photos know these animals, for the others the archive's own; and a note on them."""
    if path is None:
        return archive_names, f"no {_TRAIN}, so no animal goes by its name in the training photos"
    train = read_table(path)
    require_columns(train, _ARCHIVE_IDENTITY, "whale_id", where=str(path))
    pairs = train[[_ARCHIVE_IDENTITY, "whale_id"]].dropna().drop_duplicates()
    twice = pairs[_ARCHIVE_IDENTITY][pairs[_ARCHIVE_IDENTITY].duplicated()]
    if len(twice):
        raise WhalereidError(f"{path}: {_ARCHIVE_IDENTITY} {twice.iloc[0]!r} goes by two names in whale_id.")
    known: pd.Series = archive_names.map(dict(pairs.itertuples(index=False)))
    taken = archive_names.isin(pairs["whale_id"])  # another animal's name in training
    n_known, n_animals = known.nunique(), archive_names.nunique()
    note = f"of {n_animals:,} animals, {n_known:,} are in the training photos, too, and go by their names there"
    return known.fillna(archive_names.where(~taken, "original_" + archive_names)), note


def _scenarios(code: Folder, photos: FoundPhotos) -> tuple[Task, ...]:
    """Pair queries/NAME.csv with databases/NAME.csv."""
    queries, databases = ({path.name: path for path in _tables(code, name)} for name in ("queries", "databases"))
    for name in sorted({*queries} ^ {*databases}):
        raise WhalereidError(f"{code.path}: {name} is in one of queries/ and databases/ only; unpack it again.")
    return tuple(
        read_scenario(path.stem, path, databases[name], photos, drop_repeats=True) for name, path in queries.items()
    )


def _tables(code: Folder, name: str) -> list[Path]:
    folder = code.folder(name)
    return [] if folder is None else [path for path in Folder(folder).files if path.suffix.lower() == ".csv"]
