"""The folder of the competition "Where's Whale-do?": a table of photos, and scenarios to rank.

https://www.drivendata.org/competitions/96/beluga-whales/
"""

from __future__ import annotations

from whalereid.candidates.scenario_files import INDEX, read_scenarios
from whalereid.catalogue.readers import table
from whalereid.catalogue.readers.listing import Listing
from whalereid.catalogue.table import Catalogue
from whalereid.errors import WhalereidError

__all__ = ["WANTED", "read", "recognises"]

WANTED = "it needs metadata.csv and query_scenarios.csv"


def recognises(folder: Listing) -> bool:
    """Whether a folder holds a table called metadata, and scenarios."""
    return table.recognises(folder) and folder.file(INDEX) is not None


def read(folder: Listing) -> Catalogue:
    """Read the table and its scenarios."""
    photos, index = table.read(folder), folder.file(INDEX)
    if index is None:
        raise WhalereidError(f"{folder.path}: {INDEX} is missing.")
    return photos.with_scenarios(read_scenarios(index, photos))
