"""Photos and masks from files to pixels: whole or refused by name, upright, and quietly."""

from whalereid.decoding.exif import Exif, read_exif
from whalereid.decoding.limits import MAX_PHOTO_MB, MIN_SIDE, largest_mb
from whalereid.decoding.masks import fill_polygons, fill_runs, mask_bounds, read_mask_picture, run_lengths
from whalereid.decoding.photos import crop, decode, decode_bytes, read_bytes
from whalereid.decoding.sizes import upright_size
from whalereid.decoding.suffixes import PHOTO_SUFFIXES, RAW_SUFFIXES, VIDEO_SUFFIXES, advice, raw_doubles

__all__ = [
    "Exif",
    "MAX_PHOTO_MB",
    "MIN_SIDE",
    "PHOTO_SUFFIXES",
    "RAW_SUFFIXES",
    "VIDEO_SUFFIXES",
    "advice",
    "crop",
    "decode",
    "decode_bytes",
    "fill_polygons",
    "fill_runs",
    "largest_mb",
    "mask_bounds",
    "raw_doubles",
    "read_bytes",
    "read_exif",
    "read_mask_picture",
    "run_lengths",
    "upright_size",
]
