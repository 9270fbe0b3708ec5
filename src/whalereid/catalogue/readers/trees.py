"""The photos below a folder: found, given ids after their names, and what else lies there."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from whalereid.catalogue.readers.folder import Folder
from whalereid.decoding import PHOTO_SUFFIXES, VIDEO_SUFFIXES, advice, raw_doubles
from whalereid.errors import WhalereidError, listing
from whalereid.stopping import check

__all__ = [
    "PhotosBelow",
    "command",
    "ids_of_rows",
    "is_photo",
    "name_of",
    "passed_over",
    "photo_table",
    "photos_among",
    "tables_among",
    "walk",
    "without_suffix",
]

_TABLES = frozenset({".csv", ".parquet", ".tsv", ".pq", ".xlsx"})
_MOST_WAYS = 100  # to one folder
_JUNK = frozenset({"thumbs.db", "desktop.ini"})


def name_of(way: str) -> str:
    """The last part of a way."""
    return way.rpartition("/")[2]


def without_suffix(way: str) -> str:
    """A way without the suffix of its last part; pathlib's own takes far longer.

    Examples
    --------
    >>> [without_suffix(way) for way in ("a.b/c.jpg", "a.b/c", ".hidden", "a.")]
    ['a.b/c', 'a.b/c', '.hidden', 'a.']
    """
    name = name_of(way)
    dot = name.rfind(".")
    return way[: dot - len(name)] if 0 < dot < len(name) - 1 else way


# How a name may mean a photo, the surest first.
_NAMED_BY: tuple[Callable[[str], str], ...] = (str, without_suffix, name_of, lambda way: without_suffix(name_of(way)))


def walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder, those of a folder before those of the folders in it; links back up aren't followed.

    Raises
    ------
    WhalereidError
        Links lead to one folder in very many ways, as they do where several lead to each other.
    """
    ways = [(folder, frozenset(folder.resolve().parents))]  # with the folders that a link may lead back to
    led: Counter[Path] = Counter()
    while ways:
        path, above = ways.pop()
        real = path.resolve()
        led[real] += 1
        if led[real] > _MOST_WAYS:
            raise WhalereidError(f"{folder}: links lead to {real} in more than {_MOST_WAYS} ways; remove some of them.")
        here, around = Folder(path), above | {real}
        yield from here.files
        ways += [(one, around) for one in reversed(here.folders) if not one.is_symlink() or one.resolve() not in around]


def is_photo(path: Path) -> bool:
    """Whether a file is a photo by its suffix."""
    return path.suffix.lower() in PHOTO_SUFFIXES


def photos_among(files: Iterable[Path]) -> list[Path]:
    """Those files that are photos by their suffix, but for raw files beside a photo of their name."""
    photos = [path for path in files if is_photo(path)]
    doubles = set(raw_doubles(photos))
    return [path for path in photos if path not in doubles]


def tables_among(files: Iterable[Path]) -> list[str]:
    """The names of those files that are tables by their suffix."""
    return [path.name for path in files if path.suffix.lower() in _TABLES]


def photo_table(where: Path, paths: list[Path], columns: Mapping[str, Sequence[str | None]]) -> pd.DataFrame:
    """Return the table of N photos relative to a folder: ``image_id``, ``path``, and columns of N values.

    Raises
    ------
    WhalereidError
        The name of a photo is none that a table can hold.
    """
    posix = [path.as_posix() for path in paths]
    for name in posix:
        if not name.isascii() or "\\" in name or name[:1] == " ":
            _check_name(name, where)
    return pd.DataFrame({"image_id": ids_after(posix), "path": posix, **columns})


def _check_name(name: str, where: Path) -> None:
    """Refuse a name that would be another one in a table."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise WhalereidError(f"{where}: the name {name!a} is not UTF-8; rename it.") from error
    if "\\" in name:
        raise WhalereidError(f"{where}: the name {name!r:.300} holds a backslash, which parts folders; rename it.")
    if name != name.strip():
        raise WhalereidError(f"{where}: the name {name!r:.300} begins with a space; rename it.")


def ids_after(names: Iterable[str]) -> list[str]:
    """Ids after the ways to photos, without their suffixes where that tells them apart.

    Examples
    --------
    >>> ids_after(["a.jpg", "Anna/b.jpg", "Anna/b.png"])
    ['a', 'Anna/b.jpg', 'Anna/b.png']
    """
    whole = list(names)
    stems = [without_suffix(name) for name in whole]
    counts = Counter(stem.strip() for stem in stems)  # as ids are read
    ids = [name if counts[stem.strip()] > 1 else stem for name, stem in zip(whole, stems, strict=True)]
    return ids if len({*ids}) == len(ids) else whole


def ids_of_rows(paths: Sequence[str]) -> list[str]:
    """Ids of N rows after the ways to their photos; the rows of one photo, which shows several animals, are numbered.

    Examples
    --------
    >>> ids_of_rows(["a.jpg", "b.jpg", "a.jpg"])
    ['a-1', 'b', 'a-2']
    """
    counts = Counter(paths)
    names = dict(zip(counts, ids_after(counts), strict=True))
    seen: Counter[str] = Counter()
    ids = []
    for path in paths:
        seen[path] += 1
        ids.append(f"{names[path]}-{seen[path]}" if counts[path] > 1 else names[path])
    return ids


class PhotosBelow:
    """The photos below a folder, by whatever people call them: the folder is looked through once.

    Parameters
    ----------
    root : Path
        The folder.
    """

    def __init__(self, root: Path) -> None:
        self.paths: list[str] = []
        for path in walk(root):
            check()
            if is_photo(path):
                self.paths.append(path.relative_to(root).as_posix())
        self._called = [(fold, self._by_name(named, fold)) for fold in (str, str.lower) for named in _NAMED_BY]

    def _by_name(self, named: Callable[[str], str], fold: Callable[[str], str]) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for path in self.paths:
            names.setdefault(fold(named(path)), []).append(path)
        return names

    def called(self, name: str) -> list[str]:
        """The paths of those called so: by the way to them or their name, with their suffix or without, in any case."""
        plain = name.replace("\\", "/").removeprefix("./")
        return next((names[one] for fold, names in self._called if (one := fold(plain)) in names), [])


def passed_over(files: Iterable[Path]) -> list[str]:
    """Which files were no photos that can be read, and what to do with them: videos, then the others by suffix."""
    files = list(files)
    others = [path for path in files if not is_photo(path) and path.name.lower() not in _JUNK]
    videos = [path for path in others if path.suffix.lower() in VIDEO_SUFFIXES]
    counts = Counter(path.suffix.lower() or "without a suffix" for path in others)
    for path in videos:
        del counts[path.suffix.lower()]
    doubles = len(raw_doubles(files))
    said = [f"{doubles:,} raw files passed over, each beside a photo of its name"] if doubles else []
    if videos:
        frames = f"{videos[0].with_suffix('').as_posix()}-%05d.jpg"
        take = command("ffmpeg", "-i", videos[0].as_posix(), "-vf", "fps=1", frames)
        said.append(f"videos passed over: {listing(videos)}; to take a frame a second of one: {take}")
    if counts:
        names = [
            f"{count:,} {suffix}" + (f" ({advice(suffix)})" if advice(suffix) else "")
            for suffix, count in sorted(counts.items(), key=lambda item: (advice(item[0]) is None, -item[1], item[0]))
        ]
        said.append(f"files passed over: {listing(names, most=12)}")
    return said


def command(*words: str | Path) -> str:
    """A command as it is typed in a shell, whatever the names in it."""
    return shlex.join(map(str, words))
