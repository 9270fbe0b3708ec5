"""Photos and masks from files to pixels: whole or refused by name, upright, and quietly."""

from whalereid.decoding.limits import MAX_PHOTO_MB, MIN_SIDE, largest_mb
from whalereid.decoding.masks import fill_polygons, fill_runs, mask_bounds, read_mask_picture, run_lengths
from whalereid.decoding.photos import PHOTO_SUFFIXES, crop, decode, decode_bytes, read_bytes
from whalereid.decoding.sizes import upright_size

__all__ = [
    "MAX_PHOTO_MB",
    "MIN_SIDE",
    "PHOTO_SUFFIXES",
    "crop",
    "decode",
    "decode_bytes",
    "fill_polygons",
    "fill_runs",
    "largest_mb",
    "mask_bounds",
    "read_bytes",
    "read_mask_picture",
    "run_lengths",
    "upright_size",
]
