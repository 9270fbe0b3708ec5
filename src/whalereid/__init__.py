"""Metric learning for telling animals apart in photos.

The public names are imported when first used, so that ``import whalereid`` loads neither torch nor pandas.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from whalereid.catalogue import Catalogue as Catalogue
    from whalereid.embeddings import Embeddings as Embeddings
    from whalereid.errors import WhalereidError as WhalereidError
    from whalereid.ranking import Ranking as Ranking

__version__ = _version("whalereid")

# Public name -> the room it lives in, left to right along the way of the data.
_ROOMS = {
    "WhalereidError": "errors",
    "Catalogue": "catalogue",
    "Embeddings": "embeddings",
    "Ranking": "ranking",
}

__all__ = ["__version__", *_ROOMS]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'whalereid' has no attribute {name!r}")
    value = getattr(import_module(f"whalereid.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
