"""LILA's archive of the competition's test set: photos, who they show, and the ten scenarios.

https://lila.science/datasets/beluga-id-2022/
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pandas as pd

from whalereid.candidates import Task
from whalereid.candidates.scenario_files import read_scenario
from whalereid.catalogue.readers.listing import Listing
from whalereid.catalogue.table import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.tables import read_table

__all__ = ["WANTED", "read", "recognises"]

WANTED = "it needs private_test_metadata.csv and code-execution/"
_TEST, _TRAIN, _CODE = "private_test_metadata.csv", "private_train_metadata.csv", "code-execution"
_THEIR_IDENTITY = "original_whale_id"


def recognises(folder: Listing) -> bool:
    """Whether a folder is the archive, unpacked."""
    return folder.file(_TEST) is not None


def read(folder: Listing) -> Catalogue:
    """Read the test photos and their scenarios; exact repeats of a row, which the archive has, are dropped.

    An animal that is also in the training photos goes by its name there.
    """
    path, code = folder.file(_TEST), folder.folder(_CODE)
    if path is None or code is None:
        raise WhalereidError(f"{folder.path}: {WANTED}.")
    inner = Listing(code)
    images = inner.folder("images")
    frame = read_table(path).drop_duplicates(ignore_index=True)
    if "image_id" not in frame:
        raise WhalereidError(f"{path}: no column image_id; it has {listing(frame.columns, most=12)}.")
    names = frame["path"] if "path" in frame else frame["image_id"] + ".jpg"
    at = PurePosixPath(code.name, images.name if images is not None else "images")
    frame["path"] = [str(at / PurePosixPath(str(name)).name) for name in names]
    if _THEIR_IDENTITY in frame and "whale_id" not in frame:
        frame["identity"] = _known_names(frame[_THEIR_IDENTITY], folder.file(_TRAIN))
    photos = Catalogue(frame, folder.path, source=str(path))
    return photos.with_scenarios(_scenarios(inner, photos))


def _known_names(theirs: pd.Series, path: Path | None) -> pd.Series:
    """Names by which the training photos know these animals; for the others, the archive's own."""
    if path is None:
        return theirs
    train = read_table(path)
    missing = [name for name in (_THEIR_IDENTITY, "whale_id") if name not in train]
    if missing:
        raise WhalereidError(f"{path}: no column {listing(missing)}; it has {listing(train.columns, most=12)}.")
    pairs = train[[_THEIR_IDENTITY, "whale_id"]].dropna().drop_duplicates()
    twice = pairs[_THEIR_IDENTITY][pairs[_THEIR_IDENTITY].duplicated()]
    if len(twice):
        raise WhalereidError(f"{path}: {_THEIR_IDENTITY} {twice.iloc[0]!r} goes by two names in whale_id.")
    ours: pd.Series = theirs.map(dict(pairs.itertuples(index=False)))
    taken = theirs.isin(pairs["whale_id"])  # another animal's name in training
    return ours.fillna(theirs.where(~taken, "original_" + theirs))


def _scenarios(code: Listing, photos: Catalogue) -> tuple[Task, ...]:
    """Pair queries/NAME.csv with databases/NAME.csv."""
    queries, databases = ({path.name: path for path in _tables(code, name)} for name in ("queries", "databases"))
    for name in sorted({*queries} ^ {*databases}):
        raise WhalereidError(f"{code.path}: {name} is in one of queries/ and databases/ only; unpack it again.")
    return tuple(
        read_scenario(path.stem, path, databases[name], photos, drop_repeats=True) for name, path in queries.items()
    )


def _tables(code: Listing, name: str) -> list[Path]:
    folder = code.folder(name)
    return [] if folder is None else [path for path in Listing(folder).files if path.suffix.lower() == ".csv"]
