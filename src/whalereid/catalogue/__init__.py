"""The table of photos: schema and aliases, one reader per layout, audit."""

from whalereid.catalogue.readers import LAYOUTS
from whalereid.catalogue.table import Catalogue, Scenario

__all__ = ["LAYOUTS", "Catalogue", "Scenario"]
