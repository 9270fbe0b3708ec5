"""Where the photos lie that a file of annotations names: beside it, in images/, or in a folder that is given."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from whalereid.catalogue.readers.folder import Folder, given_folder
from whalereid.errors import WhalereidError
from whalereid.files import inside

__all__ = ["PhotoPlace", "photo_ids", "place_of_photos"]

_LOOKED_FOR = 100  # names that are looked for in each place
_MOST_FOLDERS = 50  # that are looked in


@dataclass(frozen=True)
class PhotoPlace:
    """Where photos lie.

    Attributes
    ----------
    root : Path
        The catalogue's root.
    within : str
        The folder in it that their names start from; empty for the root itself.
    found : bool
        Whether any of those looked for is there.
    """

    root: Path
    within: str = ""
    found: bool = True

    def path(self, name: str) -> str:
        """The path from the root of a photo by its name in the annotations."""
        if name.startswith("/") or "\\" in name:
            name = _relative_to(self.root / self.within, name)
        return f"{self.within}/{name}" if self.within and not name.startswith("/") else name

    def holds(self, name: str) -> bool:
        """Whether a photo of this name is there."""
        try:
            return inside(self.root, self.path(name), where="").is_file()
        except (WhalereidError, OSError, ValueError):
            return False

    def note(self, option: str = "photos") -> str | None:
        """Say that no photo is there, and what to do."""
        if self.found:
            return None
        return f"none of the photos is in {self.root / self.within}; {option}=FOLDER says where they lie"


def _relative_to(folder: Path, name: str) -> str:
    """A name as a path from a folder: with slashes, and without the folder where it begins with that."""
    plain = name.replace("\\", "/")
    if PurePosixPath(plain).is_absolute():
        for start in (folder.absolute(), folder.resolve()):
            if PurePosixPath(plain).is_relative_to(start.as_posix()):
                return PurePosixPath(plain).relative_to(start.as_posix()).as_posix()
    return plain


def place_of_photos(
    names: Sequence[str], root: Path, photos: str | os.PathLike[str] | None = None, *, first: str = ""
) -> PhotoPlace:
    """Find where photos lie: where most of a hundred of them do, of the folders that come into question.

    Parameters
    ----------
    names : sequence of str
        Their names in the annotations.
    root : Path
        The folder to look in: itself, its images/, and the folders in both.
    photos : path, optional
        The folder that was given in place of them all.
    first : str
        The likeliest folder in it, as a path from there. Where no photo is found, they are said to be there.
    """
    within = [first, ""] if photos is None else ["", first]
    root = root if photos is None else given_folder(photos)
    within += [] if photos is not None else _folders_below(root)
    step = max(len(names) // _LOOKED_FOR, 1)
    sample = names[::step][:_LOOKED_FOR]
    best, most = PhotoPlace(root, within[0], found=not names), 0
    for folder in dict.fromkeys(within):
        place = PhotoPlace(root, folder)
        there = sum(place.holds(name) for name in sample)
        if there > most:
            best, most = place, there
        if there == len(sample):
            break
    return best


def photo_ids(names: Sequence[str], paths: Sequence[str]) -> list[str]:
    """Ids of photos: their names without suffix; the path of those whose names differ in that alone.

    Examples
    --------
    >>> photo_ids(["a.jpg", "b.jpg", "b.png"], ["images/a.jpg", "images/b.jpg", "images/b.png"])
    ['a', 'images/b.jpg', 'images/b.png']
    """
    stems = [os.path.splitext(name.replace("\\", "/"))[0] for name in names]  # noqa: PTH122 - any text has one
    count = Counter(stems)
    return [stem if count[stem] == 1 else path for stem, path in zip(stems, paths, strict=True)]


def _folders_below(root: Path) -> list[str]:
    """The folders in one, and those in its images/, as paths from there."""
    here = Folder(root)
    images = here.folder("images")
    inner = [] if images is None else [images, *Folder(images).folders[:_MOST_FOLDERS]]
    return [path.relative_to(root).as_posix() for path in (*inner, *here.folders[:_MOST_FOLDERS])]
