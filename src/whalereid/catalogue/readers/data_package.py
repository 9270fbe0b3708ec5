"""The tables of a data package: where datapackage.json says they are, or beside it under their names.

https://specs.frictionlessdata.io/data-package/
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whalereid.catalogue.readers.folder import Folder
from whalereid.errors import WhalereidError
from whalereid.files import inside
from whalereid.reading import read_json
from whalereid.tables import id_columns, read_table, require_columns
from whalereid.text import text_column

__all__ = ["DESCRIPTOR", "DataPackage", "is_url"]

DESCRIPTOR = "datapackage.json"
_MISSING = ("NA", "NaN", "nan")  # of Camtrap DP's tables, beside the empty one
_URL = ("http://", "https://", "ftp://", "s3://", "gs://")


def is_url(path: str) -> bool:
    """Whether a path leads elsewhere than to this machine's disks."""
    return path.lower().startswith(_URL)


class DataPackage:
    """A folder of tables that belong together.

    Parameters
    ----------
    folder : Path
        The package.
    what : str
        What errors call it: ``"a Camtrap DP"``.
    """

    def __init__(self, folder: Path, what: str) -> None:
        self.folder, self.what = folder, what
        self._beside = Folder(folder)
        self.descriptor = self._beside.file(DESCRIPTOR)
        self._resources = {} if self.descriptor is None else _resources(self.descriptor)

    def has(self, name: str) -> bool:
        """Whether it has a table of this name."""
        return bool(self._paths(name))

    def table(self, name: str, *keys: str, further: Sequence[str] = ()) -> pd.DataFrame:
        """One of its tables, every value as text, missing ones NaN.

        Parameters
        ----------
        name : str
            As the descriptor calls it; without a descriptor it is ``NAME.csv`` or ``NAME.parquet``.
        *keys : str
            Columns that must be there, and filled; of the first, each value stands there once.
        further : sequence of str
            Columns that are added where they aren't there.

        Raises
        ------
        WhalereidError
            It isn't there, lies outside, lacks a column or a value, or an id stands twice; names file, row and column.
        """
        paths = self._paths(name)
        if not paths:
            raise WhalereidError(f"{self.folder}: is not {self.what}: it has no table of {name}.")
        frames = []
        for path in paths:
            frame = read_table(path)
            require_columns(frame, *keys, where=str(path), hint=f"such is {self.what}'s table of {name}")
            frames.append(pd.DataFrame({column: self._text(frame[column], path) for column in frame}))
            id_columns(frames[-1], *keys, where=str(path))
        frame = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
        twice = frame[keys[0]].duplicated().to_numpy()
        if twice.any():
            row = int(twice.argmax())
            raise WhalereidError(
                f"{paths[0]}, row {row + 1}: {keys[0]} {frame[keys[0]][row]!r:.80} stands there twice."
            )
        return frame.assign(**{column: np.nan for column in further if column not in frame})

    def place(self, name: str) -> str:
        """What errors call one of its tables."""
        return str((self._paths(name) or [self.folder])[0])

    def _text(self, column: pd.Series, path: Path) -> pd.Series:
        text = text_column(column, where=str(path)).astype("str")
        return text.mask(text.isin(_MISSING))

    def _paths(self, name: str) -> list[Path]:
        if self.descriptor is None:
            found = self._beside.file(f"{name}.csv", f"{name}.parquet")
            return [] if found is None else [found]
        at, resource = self._resources.get(name, (0, None))
        return [] if resource is None else self._checked(resource, f"{self.descriptor}: resources[{at}]")

    def _checked(self, resource: dict[str, Any], place: str) -> list[Path]:
        given = resource.get("path")
        paths: list[Any] = given if isinstance(given, list) else [given]
        if not paths or not all(isinstance(path, str) for path in paths):
            raise WhalereidError(f"{place}.path is {given!r:.80}; it is the path of a table.")
        for path in paths:
            if is_url(path):
                raise WhalereidError(f"{place}.path is {path!r:.200}, which isn't here; download the whole package.")
        return [inside(self.folder, path, where=f"{place}.path") for path in paths]


def _resources(descriptor: Path) -> dict[str, tuple[int, dict[str, Any]]]:
    """The tables that a descriptor lists: by name, the place in the list and what is said of them."""
    held = read_json(descriptor, "a data package").get("resources")
    if not isinstance(held, list) or not all(isinstance(one, dict) for one in held):
        raise WhalereidError(f"{descriptor}: is not a data package: it has no list of 'resources'.")
    return {one["name"]: (at, one) for at, one in enumerate(held) if isinstance(one.get("name"), str)}
