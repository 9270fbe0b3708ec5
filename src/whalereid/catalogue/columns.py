"""The columns that a catalogue knows, and the other names they are read by."""

from __future__ import annotations

__all__ = ["ALIASES", "KNOWN", "REQUIRED"]

REQUIRED = ("image_id", "path")
KNOWN = (
    *REQUIRED,
    *("identity", "viewpoint", "encounter", "date", "bbox", "mask", "species", "location", "latitude", "longitude"),
    *("height", "width"),
)
_LATITUDE = "lat decimallatitude decimal_latitude gps_lat gps_latitude gpslatitude"
_LONGITUDE = "lon lng long decimallongitude decimal_longitude gps_lon gps_lng gps_long gps_longitude gpslongitude"
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
    **dict.fromkeys(_LATITUDE.split(), "latitude"),
    **dict.fromkeys(_LONGITUDE.split(), "longitude"),
}
