"""The folder of the competition "Where's Whale-do?": a table of photos, and scenarios to rank.

https://www.drivendata.org/competitions/96/beluga-whales/
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from whalereid.candidates.scenario_files import INDEX, read_scenarios
from whalereid.catalogue.readers.folder import Folder
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.catalogue.readers.table import Table
from whalereid.errors import WhalereidError

__all__ = ["Competition"]


class Competition:
    """The competition's folder: a table called metadata, and scenarios."""

    wanted = "it needs metadata.csv and query_scenarios.csv"

    def recognises(self, source: Any) -> bool:
        """Whether a folder holds a table called metadata, and scenarios."""
        return isinstance(source, Folder) and Table().recognises(source) and source.file(INDEX) is not None

    def read(self, folder: Folder) -> FoundPhotos:
        """Read the table and its scenarios."""
        photos, index = Table().read(folder), folder.file(INDEX)
        if index is None:
            raise WhalereidError(f"{folder}: {INDEX} is missing.")
        return replace(photos, scenarios=read_scenarios(index, photos))
