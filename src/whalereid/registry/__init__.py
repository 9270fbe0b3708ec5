"""Parts by name: the one pattern of every joint. The tables of parts are in `whalereid.parts`."""

from whalereid.registry.part import Part
from whalereid.registry.registry import Registry
from whalereid.registry.signatures import Option

__all__ = ["Option", "Part", "Registry"]
