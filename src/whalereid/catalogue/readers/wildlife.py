"""Data sets of the wildlife-datasets package, by the two attributes that matter; the package itself is not needed.

https://github.com/WildlifeDatasets/wildlife-datasets
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from whalereid.arguments import instance
from whalereid.catalogue.readers.reader import FoundPhotos

__all__ = ["Wildlife"]


class Wildlife:
    """Any object with a DataFrame ``metadata`` (``image_id``, ``path``, ``identity``, ...) and a ``root``."""

    wanted = "it needs an object with .metadata and .root, not a path"

    def recognises(self, source: Any) -> bool:
        """Whether it has both attributes."""
        return hasattr(source, "metadata") and hasattr(source, "root")

    def read(self, source: Any) -> FoundPhotos:
        """Take its table and its folder."""
        kind = type(source).__name__
        wanted = "a DataFrame with image_id, path, identity"
        metadata = instance(source.metadata, f"the {kind}'s metadata", pd.DataFrame, wanted)
        root: str | os.PathLike[str] = source.root
        instance(root, f"the {kind}'s root", (str, os.PathLike), "the folder of its photos")
        return FoundPhotos(metadata, Path(root), source=f"{kind} at {root}")
