"""Photos from files to pixels: whole or refused by name, upright, and quietly."""

from whalereid.decoding.exif import Exif, read_exif
from whalereid.decoding.limits import MAX_PHOTO_MB, MIN_SIDE, largest_mb
from whalereid.decoding.photos import crop, decode, decode_bytes, read_bytes
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
    "largest_mb",
    "raw_doubles",
    "read_bytes",
    "read_exif",
]
