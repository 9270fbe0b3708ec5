"""What a writer of catalogues is."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from whalereid.catalogue.table import Catalogue
from whalereid.outputs import Kind

__all__ = ["Writer", "is_given", "paths_from"]


class Writer(Protocol):
    """Writes catalogues in one format. Made without arguments, or with the options of its ``__init__``.

    Attributes
    ----------
    kinds : mapping of str to Kind
        What it writes: under ``""`` where that is one file, else by each file's name in a folder.
    """

    kinds: Mapping[str, Kind]

    def write(self, catalogue: Catalogue, files: Mapping[str, Path], out: Path) -> Sequence[str]:
        """Write a catalogue.

        Parameters
        ----------
        catalogue : Catalogue
            What to write.
        files : mapping of str to Path
            Where to write each of `kinds`; they are moved to their places once all are written.
        out : Path
            The place of the file or folder in the end.

        Returns
        -------
        sequence of str
            What should be known, a sentence each: what couldn't be written, where the photos are looked for.
        """


def is_given(value: Any) -> bool:
    """Whether a cell holds anything; lists and tuples do."""
    return isinstance(value, list | tuple) or not pd.isna(value)


def paths_from(catalogue: Catalogue, folder: Path) -> tuple[list[str], list[str]]:
    """The photos' paths from a folder that their root lies in, and notes; from the root where it lies elsewhere.

    Raises
    ------
    WhalereidError
        A path leaves the root.
    """
    _ = catalogue.paths  # refuses those that leave it
    paths = [posixpath.normpath(path.replace("\\", "/")) for path in catalogue.column("path").astype(object)]
    root, place = catalogue.root.resolve(), folder.resolve()
    if not root.is_relative_to(place):
        return paths, [
            f"paths are relative to {catalogue.root}; copy what was written there, or read it with photos={root}"
        ]
    within = root.relative_to(place).as_posix()
    return (paths if within == "." else [f"{within}/{path}" for path in paths]), []
