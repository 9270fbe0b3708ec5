"""What the files of a camera's card are, by their suffix: photos that can be read, and what to do with the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TypeVar

__all__ = ["HEIF_SUFFIXES", "PHOTO_SUFFIXES", "RAW_SUFFIXES", "VIDEO_SUFFIXES", "advice", "raw_doubles"]

_PathLike = TypeVar("_PathLike", bound=PurePath)


def _each(suffixes: str) -> frozenset[str]:
    return frozenset(suffixes.split())


HEIF_SUFFIXES = _each(".heic .heif .hif")
"""Photos that the extra ``heif`` reads."""

RAW_SUFFIXES = _each(
    ".cr2 .cr3 .crw .nef .nrw .dng .arw .srf .sr2 .orf .rw2 .raf .pef .srw .raw .rwl .3fr .iiq .erf .kdc .dcr .mrw "
    ".mef .mos .fff .x3f"
)
"""Cameras' raw files, which the extra ``raw`` reads."""

# .jfif and .mpo (of cameras with two lenses; the first photo counts) are JPEGs by another name.
PHOTO_SUFFIXES = (
    _each(".jpg .jpeg .jpe .jfif .mpo .png .webp .tif .tiff .bmp .jp2 .avif") | HEIF_SUFFIXES | RAW_SUFFIXES
)
"""Photos that can be read, some with an extra."""

VIDEO_SUFFIXES = _each(".mp4 .mov .avi .mkv .m4v .mpg .mpeg .wmv .asf .mts .m2ts .3gp .webm .flv .lrv .insv")
"""Videos, of which frames can be taken."""

_ADVICE = {
    **dict.fromkeys(VIDEO_SUFFIXES, "video; take frames of it: ffmpeg -i VIDEO -vf fps=1 VIDEO-%04d.jpg"),
    **dict.fromkeys(_each(".gif .psd .xcf .svg .ai .eps .ico .jxl .heics .pdf .tga .exr"), "save them as JPEG or PNG"),
    **dict.fromkeys(_each(".zip .tar .gz .tgz .7z .rar .bz2 .xz"), "unpack them"),
}


def advice(suffix: str) -> str | None:
    """What to do with files of a suffix that is no photo's, in whatever case; None where nothing is known.

    Examples
    --------
    >>> advice(".MP4"), advice(".txt")
    ('video; take frames of it: ffmpeg -i VIDEO -vf fps=1 VIDEO-%04d.jpg', None)
    """
    return _ADVICE.get(suffix.lower())


def raw_doubles(paths: Iterable[_PathLike]) -> list[_PathLike]:
    """The raw files that lie beside a photo of the same name: cameras write both, and they are one photo.

    Examples
    --------
    >>> names = ["a/1.CR2", "a/1.JPG", "a/2.CR2", "b/1.dng"]
    >>> [str(path) for path in raw_doubles(map(PurePath, names))]
    ['a/1.CR2']
    """
    given: Sequence[_PathLike] = list(paths)
    others = PHOTO_SUFFIXES - RAW_SUFFIXES
    shot = {path.with_suffix("") for path in given if path.suffix.lower() in others}
    return [path for path in given if path.suffix.lower() in RAW_SUFFIXES and path.with_suffix("") in shot]
