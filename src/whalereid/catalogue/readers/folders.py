"""One folder per identity: ROOT/IDENTITY/photo.jpg."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from whalereid.catalogue.readers.folder import Folder
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.catalogue.schema import UNKNOWN
from whalereid.decoding import PHOTO_SUFFIXES, advice, raw_doubles
from whalereid.errors import WhalereidError, listing
from whalereid.text import is_viewpoint

__all__ = ["Folders"]

_TABLES = frozenset({".csv", ".parquet", ".tsv", ".pq"})
_JUNK = frozenset({"thumbs.db", "desktop.ini"})

# What folders are called that hold photos of anybody.
_NO_ANIMAL = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "parts of a split": (
            r"(?:train(?:ing)?|test(?:ing)?|val(?:id(?:ation)?)?|dev|eval|holdout|(?:un)?seen|known|quer(?:y|ies)|probes?"
            r"|databases?|db|galler(?:y|ies)|reference)(?:[-_ ]?(?:set|data|images|imgs|photos|\d+))?"
            r"|(?:folds?|splits?|parts?|batch|set)[-_ ]?\d+"
        ),
        "heaps of photos": (
            r"(?:media|images?|imgs?|img[-_ ]?\d+|photos?|photographs?|pictures?|pics?|jpe?gs?|data|dataset|raws?"
            r"|crops?|cropped|originals?|frames?|files|uploads?|new|misc|others?|all"
            r"|(?:(?:new|untitled) )?folder)[-_ ]?\d*"
        ),
        "folders of a camera": (
            r"dcim\d*|[1-9]\d\d(?=\d*[a-z_])[a-z0-9_]{5}|(?:img|dsc[nf]?|pict|gopr)[-_ ]?\d*|cam[-_ ]?\d+"
            r"|camera(?:[-_ ]?trap)?[-_ ]?[a-z0-9]{0,3}|(?:sd|card|sdcard)[-_ ]?\d+|(?:station|site|trap|ct)[-_ ]?\d+"
        ),
        "dates": (
            r"(?:19|20)\d\d(?:[-_. ]?(?:0[1-9]|1[0-2])(?:[-_. ]?(?:0[1-9]|[12]\d|3[01]))?)?"
            r"|\d{1,2}[-_. ]\d{1,2}[-_. ](?:19|20)\d\d"
            r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,6}[-_. ]*(?:19|20)\d\d"
        ),
    }.items()
}


@dataclass(frozen=True)
class Folders:
    """One folder per identity; the last resort, as any folder could be one.

    Parameters
    ----------
    by_name : bool
        Whether the layout was asked for by name: then the folders are taken for animals whatever they are called.
        Otherwise names such as ``train``, ``DCIM`` or ``2019`` are refused, unless they are few among others.
    """

    by_name: bool = False
    wanted: ClassVar[str] = "it needs a folder per identity, with photos"

    def recognises(self, source: Any) -> bool:
        """Whether it is a folder."""
        return isinstance(source, Folder)

    def read(self, folder: Folder) -> FoundPhotos:
        """Read every photo below a folder; see `read_folders`."""
        return read_folders(folder, insists=self.by_name)


def read_folders(folder: Folder, *, insists: bool) -> FoundPhotos:
    """Read every photo below a folder; its identity is the first folder on the way, its id the way without suffix.

    Photos that lie in no such folder have no identity.

    Parameters
    ----------
    folder : Folder
        The folder around those of the animals.
    insists : bool
        Take the folders for animals whatever they are called.
    """
    root = folder.path
    while _is_around_another(folder):
        folder = Folder(folder.folders[0])
    where = folder.path
    files = [path.relative_to(where) for path in _walk(where)]
    paths = _photos(files)
    identities = [path.parts[0] if len(path.parts) > 1 else None for path in paths]
    animals = sorted({name for name in identities if name is not None and name.strip().lower() not in UNKNOWN})
    if not any(name is not None for name in identities):
        raise WhalereidError(f"{root}: {_why_not(folder, files, paths)}")
    doubtful = {name: kind for name in animals if (kind := _what_it_seems(name)) is not None}
    if not insists and doubtful and 2 * len(doubtful) >= len(animals):
        raise WhalereidError(f"{root}: {_what_else(folder, doubtful, len(animals), paths)}")
    for path in paths:
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            raise WhalereidError(f"{where}: the name {str(path)!a} is not UTF-8; rename it.") from error
    posix = pd.Series([path.as_posix() for path in paths])
    stems = pd.Series([path.with_suffix("").as_posix() for path in paths])
    image_ids = stems.mask(stems.duplicated(keep=False), posix)  # a.jpg beside a.png
    if image_ids.duplicated().any():
        image_ids = posix
    return FoundPhotos(
        pd.DataFrame({"image_id": image_ids, "path": posix, "identity": identities}),
        where,
        source=str(where),
        notes=(*_what_was_taken(animals, doubtful, paths), *_passed_over(files)),
    )


def _is_around_another(folder: Folder) -> bool:
    """Whether a folder merely holds the one with the identities, as archives unpack; else its one folder is one."""
    if len(folder.folders) != 1 or _photos(folder.files):
        return False
    inner = Folder(folder.folders[0])
    return len(inner.folders) > 1 or (bool(inner.folders) and not _photos(inner.files))


def _walk(folder: Path) -> Iterator[Path]:
    here = Folder(folder)
    loops = (folder.resolve(), *folder.resolve().parents)  # where a link back up would lead
    yield from here.files
    for path in here.folders:
        if not path.is_symlink() or path.resolve() not in loops:
            yield from _walk(path)


def _photos(files: Iterable[Path]) -> list[Path]:
    photos = [path for path in files if path.suffix.lower() in PHOTO_SUFFIXES]
    doubles = set(raw_doubles(photos))
    return [path for path in photos if path not in doubles]


def _what_it_seems(name: str) -> str | None:
    """What a folder of this name usually is, if that isn't an animal."""
    plain = name.strip().lower()
    if is_viewpoint(plain):
        return "viewpoints"
    return next((kind for kind, pattern in _NO_ANIMAL.items() if pattern.fullmatch(plain)), None)


def _what_else(folder: Folder, doubtful: dict[str, str], n_folders: int, paths: list[Path]) -> str:
    """Why such folders are not taken for animals, what they may be, and how to have them taken all the same."""
    kinds = " or ".join(dict.fromkeys(doubtful.values()))
    tables = [path.name for path in folder.files if path.suffix.lower() in _TABLES]
    table = f"; if {listing(tables)} is the table of photos, give its path" if tables else " to say what they show"
    seen = "its folders" if len(doubtful) == n_folders else f"{len(doubtful)} of its {n_folders} folders"
    inner = next((path.parts[0] for path in paths if len(path.parts) > 2 and path.parts[0] in doubtful), None)
    deeper = f"if the animals are the folders inside, give one ({folder.path / inner}); " if inner is not None else ""
    return (
        f"holds photos, but no metadata.csv{table}; {seen} look like {kinds}, not animals ({listing(doubtful)}); "
        f"{deeper}if they are animals all the same, "
        f"`whalereid check --catalogue {folder.path} --layout folders --write` "
        "writes the table that every command reads (in Python: layout='folders')."
    )


def _what_was_taken(animals: list[str], doubtful: dict[str, str], paths: list[Path]) -> list[str]:
    each = "the one folder" if len(animals) == 1 else f"each of the {len(animals):,} folders"
    deeper = len({path.parent for path in paths if len(path.parts) > 2})
    inside = f"; the {deeper:,} folders inside say nothing more" if deeper else ""
    said = [f"{each} was taken for an animal: {listing(animals)}{inside}"] if animals else []
    for kind in dict.fromkeys(doubtful.values()):
        names = [name for name, its in doubtful.items() if its == kind]
        said.append(f"taken for animals, too, though they look like {kind}: {listing(names)}")
    loose = sum(len(path.parts) == 1 for path in paths)
    if loose:
        said.append(f"{loose:,} photos lie in no folder, so are nobody's")
    return said


def _passed_over(files: list[Path]) -> list[str]:
    """Which files were no photos that can be read, by suffix, and what to do with them."""
    others = Counter(
        path.suffix.lower() or "without a suffix"
        for path in files
        if path.suffix.lower() not in PHOTO_SUFFIXES and path.name.lower() not in _JUNK
    )
    doubles = len(raw_doubles(files))
    said = [f"{doubles:,} raw files passed over, each beside a photo of its name"] if doubles else []
    if not others:
        return said
    names = [
        f"{count:,} {suffix}" + (f" ({advice(suffix)})" if advice(suffix) else "")
        for suffix, count in sorted(others.items(), key=lambda item: (advice(item[0]) is None, -item[1], item[0]))
    ]
    return [*said, f"files passed over: {listing(names, most=12)}"]


def _why_not(folder: Folder, files: list[Path], photos: list[Path]) -> str:
    tables = [path.name for path in folder.files if path.suffix.lower() in _TABLES]
    if tables:
        return f"holds no metadata.csv; if {listing(tables)} is the table of photos, give its path."
    if photos:
        return "holds photos, but no metadata.csv to say what they show, nor a folder per identity."
    said = (
        "holds no data set: no metadata.csv or metadata.parquet, no annotations/instances_*.json, "
        "no private_test_metadata.csv, and no folder per identity with photos"
    )
    return "; ".join([said, *_passed_over(files)]) + "."
