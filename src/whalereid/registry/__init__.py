"""Parts by name: the one pattern of every joint. The tables of parts are in `whalereid.parts`."""

from whalereid.registry.option import Option
from whalereid.registry.part import Part
from whalereid.registry.registry import Registry

__all__ = ["Option", "Part", "Registry"]
