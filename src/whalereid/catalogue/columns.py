"""The columns that a catalogue knows, and the other names they are read by."""

from __future__ import annotations

__all__ = ["ALIASES", "KNOWN", "REQUIRED"]

REQUIRED = ("image_id", "path")
KNOWN = (
    *REQUIRED, "identity", "viewpoint", "encounter", "date", "bbox", "mask", "species", "location", "height", "width",
)  # fmt: skip
ALIASES = {
    "whale_id": "identity",
    "name": "identity",
    "label": "identity",
    "orientation": "viewpoint",
    "position": "viewpoint",
    "view": "viewpoint",
    "encounter_id": "encounter",
    "sequence": "encounter",
    "segmentation": "mask",
}
