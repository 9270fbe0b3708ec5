"""Photos from files to pixels: whole or refused by name, upright, and quietly."""

from whalereid.decoding.limits import MAX_PHOTO_MB, MIN_SIDE, largest_mb
from whalereid.decoding.photos import PHOTO_SUFFIXES, crop, decode, decode_bytes, read_bytes
from whalereid.decoding.sizes import upright_size

__all__ = [
    "MAX_PHOTO_MB",
    "MIN_SIDE",
    "PHOTO_SUFFIXES",
    "crop",
    "decode",
    "decode_bytes",
    "largest_mb",
    "read_bytes",
    "upright_size",
]
