"""Data sets of the wildlife-datasets package, by the two attributes that matter; the package itself is not needed.

https://github.com/WildlifeDatasets/wildlife-datasets
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from whalereid.catalogue.table import Catalogue
from whalereid.errors import WhalereidError

__all__ = ["read"]


def read(dataset: Any) -> Catalogue:
    """Read any object with a DataFrame ``metadata`` (``image_id``, ``path``, ``identity``, ...) and a ``root``."""
    kind = type(dataset).__name__
    metadata, root = getattr(dataset, "metadata", None), getattr(dataset, "root", None)
    if not isinstance(metadata, pd.DataFrame) or root is None:
        raise WhalereidError(
            f"a {kind} is no catalogue: give a path, or an object with a DataFrame .metadata and a folder .root."
        )
    return Catalogue(metadata, root, source=f"{kind} at {root}")
