"""Data sets of the wildlife-datasets package, by the two attributes that matter; the package itself is not needed.

https://github.com/WildlifeDatasets/wildlife-datasets
"""

from __future__ import annotations

import os
from typing import Any

import pandas as pd

from whalereid.arguments import instance
from whalereid.catalogue.table import Catalogue

__all__ = ["read"]


def read(dataset: Any) -> Catalogue:
    """Read any object with a DataFrame ``metadata`` (``image_id``, ``path``, ``identity``, ...) and a ``root``."""
    kind = type(dataset).__name__
    wanted = "a DataFrame with image_id, path, identity"
    metadata = instance(getattr(dataset, "metadata", None), f"the {kind}'s metadata", pd.DataFrame, wanted)
    root: Any = getattr(dataset, "root", None)
    instance(root, f"the {kind}'s root", (str, os.PathLike), "the folder of its photos")
    return Catalogue(metadata, root, source=f"{kind} at {root}")
