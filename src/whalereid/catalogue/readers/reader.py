"""What a reader of data sets is, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from whalereid.candidates.task import Task
from whalereid.catalogue.schema import normalise

__all__ = ["FoundPhotos", "Reader"]


@dataclass(frozen=True, eq=False)
class FoundPhotos:
    """A table of photos as a reader found it; `Catalogue.read` checks it and makes a catalogue of it.

    Attributes
    ----------
    frame : DataFrame of N rows
        As `Catalogue` takes it: ``image_id`` and ``path``, and whatever else is known.
    root : path
        The folder that ``path`` is relative to.
    source : str
        What errors call the table.
    notes : tuple of str
        What was taken for what, a sentence each, where that wasn't plain.
    scenarios : tuple of Task
        Retrieval tasks that came with it.
    """

    frame: pd.DataFrame
    root: Path
    source: str
    notes: tuple[str, ...] = ()
    scenarios: tuple[Task, ...] = ()

    @cached_property
    def image_ids(self) -> np.ndarray:
        """(N,) str objects: the ids as the catalogue will have them."""
        return np.array(normalise(self.frame, where=self.source)["image_id"], dtype=object)


class Reader(Protocol):
    """Reads data sets of one layout. Made without arguments, or with the options of its ``__init__``.

    What is given to `Catalogue.read` comes as a `Folder` where it is a folder, as a ``Path`` where it is a file, and
    as it is where it is something else.

    Attributes
    ----------
    wanted : str
        What such a data set has, as an error says it: ``"it needs metadata.csv"``.
    """

    wanted: str

    def recognises(self, source: Any) -> bool:
        """Whether it is a data set of this layout; a folder is known by the names in it alone."""

    def read(self, source: Any) -> FoundPhotos:
        """Read what was recognised."""
