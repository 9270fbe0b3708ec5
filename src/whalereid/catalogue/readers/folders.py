"""One folder per identity: ROOT/IDENTITY/photo.jpg."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from whalereid.catalogue.readers.folder import Folder
from whalereid.catalogue.readers.folder_names import is_camera_card, notes_on, read_folder_names, what_it_seems
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.catalogue.readers.trees import command, passed_over, photo_table, photos_among, tables_among, walk
from whalereid.catalogue.schema import UNKNOWN
from whalereid.errors import WhalereidError, listing

__all__ = ["Folders"]


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

    The folders below say from which side a photo is, at which meeting and on which day, where they are called so.
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
    files = [path.relative_to(where) for path in walk(where)]
    paths = photos_among(files)
    identities = [path.parts[0] if len(path.parts) > 1 else None for path in paths]
    animals = sorted({name for name in identities if name is not None and name.strip().lower() not in UNKNOWN})
    if not any(name is not None for name in identities):
        raise WhalereidError(f"{root}: {_why_not(folder, files, paths)}")
    doubtful = {name: kind for name in animals if (kind := what_it_seems(name)) is not None}
    if not insists:
        doubt = _doubt(animals, doubtful, paths)
        if doubt is not None:
            raise WhalereidError(f"{root}: {_question(folder, doubt, doubtful, paths)}")
    frame = photo_table(where, paths, {"identity": identities, **read_folder_names(paths, 1)})
    notes = (*_what_was_taken(animals, doubtful, paths), *notes_on(paths, 1), *passed_over(files))
    return FoundPhotos(frame, where, source=str(where), notes=notes)


def _is_around_another(folder: Folder) -> bool:
    """Whether a folder merely holds the one with the identities, as archives unpack; else its one folder is one."""
    if len(folder.folders) != 1 or photos_among(folder.files):
        return False
    inner = Folder(folder.folders[0])
    return len(inner.folders) > 1 or (bool(inner.folders) and not photos_among(inner.files))


def _doubt(animals: list[str], doubtful: dict[str, str], paths: list[Path]) -> str | None:
    """Why these are probably no animals' folders; None where they may well be."""
    if doubtful and 2 * len(doubtful) >= len(animals):
        kinds = " or ".join(dict.fromkeys(doubtful.values()))
        seen = "its folders" if len(doubtful) == len(animals) else f"{len(doubtful)} of its {len(animals)} folders"
        return f"{seen} look like {kinds}, not animals ({listing(doubtful)})"
    cards: dict[str, str] = {}
    for path in paths:
        folders = path.parts[:-1]
        if folders and folders[0] not in cards:
            at = next((at for at, name in enumerate(folders) if is_camera_card(name)), None)
            if at is not None:
                cards[folders[0]] = "/".join(folders[: at + 1])
    if cards and 2 * len(cards) >= len(animals):
        return f"its folders hold those of cameras ({listing(cards.values())}), so look like places, not animals"
    return None


def _question(folder: Folder, doubt: str, doubtful: dict[str, str], paths: list[Path]) -> str:
    """Ask what such folders are, with the command for either answer."""
    tables = tables_among(folder.files)
    table = f"; if {listing(tables)} is the table of photos, give its path" if tables else " to say what they show"
    inner = next((path.parts[0] for path in paths if len(path.parts) > 2 and path.parts[0] in doubtful), None)
    deeper = f"if the animals are the folders inside, give one ({folder.path / inner}); " if inner is not None else ""
    nobody, animals = (
        command("whalereid", "check", "--catalogue", folder.path, "--layout", layout, "--write")
        for layout in ("photos", "folders")
    )
    return (
        f"holds photos, but no metadata.csv{table}; {doubt}; {deeper}if nobody has named the photos, `{nobody}` writes "
        f"the table that every command reads; if each folder is an animal all the same, `{animals}` does (in Python: "
        "layout='photos' or 'folders')."
    )


def _what_was_taken(animals: list[str], doubtful: dict[str, str], paths: list[Path]) -> list[str]:
    each = "the one folder" if len(animals) == 1 else f"each of the {len(animals):,} folders"
    said = [f"{each} was taken for an animal: {listing(animals)}"] if animals else []
    for kind in dict.fromkeys(doubtful.values()):
        names = [name for name, its in doubtful.items() if its == kind]
        said.append(f"taken for animals, too, though they look like {kind}: {listing(names)}")
    loose = sum(len(path.parts) == 1 for path in paths)
    if loose:
        said.append(f"{loose:,} photos lie in no folder, so are nobody's")
    return said


def _why_not(folder: Folder, files: list[Path], photos: list[Path]) -> str:
    tables = tables_among(folder.files)
    if tables:
        return f"holds no metadata.csv; if {listing(tables)} is the table of photos, give its path."
    if photos:
        take = command("whalereid", "check", "--catalogue", folder.path, "--layout", "photos")
        return f"holds photos, but no folder per identity; `{take}` takes them as nobody's."
    said = (
        "holds no data set: no metadata.csv or metadata.parquet, no annotations/instances_*.json, "
        "no private_test_metadata.csv, and no photos"
    )
    return "; ".join([said, *passed_over(files)]) + "."
