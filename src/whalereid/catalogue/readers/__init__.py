"""One reader per layout, and how the one that fits is found.

A reader is a class with `wanted`, `recognises` and `read` (see `Reader`). `whalereid.parts.READERS` lists the library's
own in the order in which they are asked, the more particular first; those of other packages, and those that a script
adds, come before them. The last two take what no other recognises.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whalereid.arguments import choice, instance
from whalereid.catalogue.readers.folder import Folder
from whalereid.catalogue.readers.reader import FoundPhotos, Reader
from whalereid.decoding import PHOTO_SUFFIXES
from whalereid.errors import WhalereidError, WhalereidWarning, listing
from whalereid.parts import READERS
from whalereid.registry import Part

__all__ = ["Folder", "FoundPhotos", "Reader", "layouts", "read", "read_as"]

_ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z"})
_DEPTH = 2  # folders around a data set, as archives unpack
_LAST = ("photos", "folders")  # any folder could be one: asked where no other knows it, nor what lies in it


def layouts() -> tuple[str, ...]:
    """The names of all readers, in the order in which they are asked."""
    return (*(name for name in READERS if name not in READERS.own), *READERS.own)


def read(source: str | os.PathLike[str] | Any, layout: str | None = None) -> FoundPhotos:
    """Read a table of photos, recognising its layout; see `Catalogue.read`."""
    return read_as(source, layout)[0]


def read_as(
    source: str | os.PathLike[str] | Any, layout: str | None = None, options: Mapping[str, Any] | None = None
) -> tuple[FoundPhotos, Part]:
    """Read a table of photos, and say by which reader, with its options.

    Parameters
    ----------
    source : path or object
        As `Catalogue.read` takes it.
    layout : str, optional
        The reader to use, with options where it has any. By default the layout is recognised.
    options : mapping of str to value, optional
        Further options of the reader, whichever it is.

    Raises
    ------
    WhalereidError
        As for `Catalogue.read`; or the reader has no such option, or `layout` says it already.
    """
    further = {} if options is None else dict(instance(options, "options", Mapping, "a mapping of names to values"))
    if layout is not None:
        choice(layout.partition(":")[0] if isinstance(layout, str) else layout, "layout", layouts())
        asked = _with_options(READERS.part(layout), further)
    place = _place(source) if isinstance(source, str | os.PathLike) else source
    if layout is None:
        readers = _readers()
        groups = [{name: it for name, it in readers.items() if (name in _LAST) is last} for last in (False, True)]
    else:
        readers = {asked.name: READERS.make(asked, by_name=True)}
        groups = [readers]
    found = next((found for group in groups if (found := _find(place, group)) is not None), None)
    if found is not None:
        name, inner = found
        part, reader = (asked, readers[name]) if layout is not None else (Part(name), readers[name])
        if layout is None and further:
            part = _with_options(part, further)
            reader = READERS.make(part)
        with _blaming(name, inner):
            table = reader.read(inner)
        wanted = "a FoundPhotos; a reader's read gives one"
        return instance(table, f"what layout {name!r} read", FoundPhotos, wanted), part
    if layout is not None:
        where = place if isinstance(place, Folder | Path) else f"the {type(place).__name__}"
        raise WhalereidError(f"{where}: no data set of layout {layout!r} here; {readers[asked.name].wanted}.")
    if isinstance(place, Path):
        raise WhalereidError(f"{place}: {_what_file_it_is(place)}.")
    wanted = "a path, or an object with a DataFrame .metadata and a folder .root"
    if hasattr(source, "columns"):
        wanted += "; a DataFrame becomes a catalogue by Catalogue(frame, root)"
    raise WhalereidError(f"source is {source!r:.60}; give {wanted}.")


def _with_options(part: Part, further: Mapping[str, Any]) -> Part:
    """A reader's part with further options, checked against its signature."""
    twice = [name for name in further if name in part.options]
    if twice:
        raise WhalereidError(f"layout {str(part)!r:.80}: {twice[0]} is given twice; give it once.")
    return READERS.part(Part(part.name, {**part.options, **further}))


def _place(source: str | os.PathLike[str]) -> Folder | Path:
    """The folder or file that a path leads to."""
    if not os.fspath(source) or "\0" in str(source):
        raise WhalereidError(f"source is {str(source)!r}, which is no path; give that of a table or a folder.")
    path = Path(source)
    try:
        if not path.exists():
            raise WhalereidError(f"{path}: no such file or folder.")
        return Folder(path) if path.is_dir() else path
    except OSError as error:
        raise WhalereidError(f"{path}: can't be read ({error.strerror}).") from error


def _readers() -> dict[str, Reader]:
    """Every reader that needs no options; another package's that can't be made is said, and passed over."""
    readers: dict[str, Reader] = {}
    for name in layouts():
        try:
            if not any(option.required for option in READERS.options(name).values()):
                readers[name] = READERS.make(name)
        except WhalereidError as error:
            warnings.warn(str(error), WhalereidWarning, stacklevel=4)
    return readers


def _find(place: Any, readers: Mapping[str, Reader]) -> tuple[str, Any] | None:
    """The name of the reader for what was given, or for what lies in it, and where that is."""
    level = [place]
    for _ in range(_DEPTH + 1):
        found = [(name, inner) for inner in level if (name := _recognised_by(inner, readers)) is not None]
        if len(found) > 1:
            there = listing(f"{inner.path.relative_to(place.path)} ({name})" for name, inner in found)
            raise WhalereidError(f"{place}: holds several data sets: {there}; name one of them.")
        if found:
            return found[0]
        level = [Folder(path) for inner in level if isinstance(inner, Folder) for path in inner.folders]
    return None


def _recognised_by(place: Any, readers: Mapping[str, Reader]) -> str | None:
    for name, reader in readers.items():
        with _blaming(name, place):
            if reader.recognises(place):
                return name
    return None


@contextmanager
def _blaming(name: str, place: Any) -> Iterator[None]:
    """Name the reader that fails, where it isn't the library's own."""
    try:
        yield
    except Exception as error:
        if name in READERS.own or isinstance(error, WhalereidError):
            raise
        raise WhalereidError(
            f"{place!s:.300}: the reader of layout {name!r}, which isn't the library's own, failed here "
            f"({type(error).__name__}: {error}); mend it, or say which layout it is."
        ) from error


def _what_file_it_is(path: Path) -> str:
    """Why a file is no table of photos."""
    if path.suffix.lower() in _ARCHIVES:
        return "is an archive; unpack it, then give its folder"
    if path.suffix.lower() in PHOTO_SUFFIXES:
        return "is a photo; give the folder of the photos"
    if path.suffix.lower() == ".json":
        return (
            "is no file of annotations that can be read: COCO has 'images' and 'annotations', MegaDetector's results "
            "'images' with 'file' and 'detections', a Camtrap DP's datapackage.json deployments, media and observations"
        )
    return "not a table that can be read; save it as .csv or .parquet"
