"""The two Kaggle competitions on Happywhale's photos, as they unpack.

https://www.kaggle.com/c/happy-whale-and-dolphin (train.csv of ``image, species, individual_id``, train_images/) and
https://www.kaggle.com/c/humpback-whale-identification (train.csv of ``Image, Id``, train/).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from whalereid.catalogue.readers.folder import Folder, given_folder
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.errors import WhalereidError
from whalereid.tables import columns_of, read_table, require_columns, require_filled
from whalereid.text import id_column, name_column

__all__ = ["Happywhale"]

_TABLE = "train.csv"
_NEW = "new_whale"  # what the humpbacks' table calls whales that nobody has named


@dataclass(frozen=True)
class _Competition:
    """One of the two: its columns, and the folder of its photos."""

    columns: tuple[str, ...]
    identity: str
    photos: str


_COMPETITIONS = (
    _Competition(("image", "species", "individual_id"), "individual_id", "train_images"),
    _Competition(("Image", "Id"), "Id", "train"),
)


class Happywhale:
    """The training table of a Kaggle competition on Happywhale's photos, and the photos beside it.

    Parameters
    ----------
    photos : path, optional
        The folder that holds them, in place of ``train_images/`` or ``train/``.
    """

    wanted = "it needs train.csv of image, species, individual_id (or Image, Id), and train_images/ (or train/)"

    def __init__(self, photos: str | None = None) -> None:
        self.photos = photos

    def recognises(self, source: Any) -> bool:
        """Whether it is such a table, or its folder."""
        path = _table(source)
        return path is not None and _which(path) is not None

    def read(self, source: Folder | Path) -> FoundPhotos:
        """Read the table; ids are the photos' names, as the competition has them."""
        path = _table(source)
        kind = None if path is None else _which(path)
        if path is None or kind is None:
            raise WhalereidError(f"{source}: {self.wanted}.")
        photos = Folder(path.parent).folder(kind.photos) if self.photos is None else given_folder(self.photos)
        if photos is None:
            raise WhalereidError(
                f"{path.parent}: holds {path.name}, but no {kind.photos}/; photos=FOLDER says where its photos lie."
            )
        root, within = (path.parent, f"{photos.name}/") if self.photos is None else (photos, "")
        table = read_table(path)
        require_columns(table, *kind.columns, where=str(path))
        names = id_column(table[kind.columns[0]], where=str(path))
        require_filled(names, where=str(path), hint="every photo needs one")
        identity = name_column(table[kind.identity], where=str(path))
        new = identity == _NEW
        ways = [f"{within}{name}" for name in names]
        frame = pd.DataFrame({"image_id": names, "path": ways, "identity": identity.mask(new)})
        rest = [name for name in table if name not in (kind.columns[0], kind.identity)]
        said = f"{int(new.sum()):,} photos called {_NEW} were taken as nobody's"
        return FoundPhotos(
            pd.concat([frame, table[rest]], axis="columns"),
            root,
            source=str(path),
            notes=(said,) if new.any() else (),
        )


def _table(source: Any) -> Path | None:
    """The table called train.csv that was given, or that lies in the folder."""
    if isinstance(source, Folder):
        return source.file(_TABLE)
    return source if isinstance(source, Path) and source.name.lower() == _TABLE else None


def _which(path: Path) -> _Competition | None:
    """The competition whose columns a table has."""
    names = {name.strip() for columns in columns_of(path) for name in columns}
    return next((one for one in _COMPETITIONS if set(one.columns) <= names), None)
