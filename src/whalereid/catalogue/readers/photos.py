"""Photos without names: a flat folder of them, or, where that is asked for, any tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from whalereid.catalogue.readers.folder import Folder
from whalereid.catalogue.readers.folder_names import notes_on, read_folder_names
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.catalogue.readers.trees import command, passed_over, photo_table, photos_among, tables_among, walk
from whalereid.errors import WhalereidError, listing

__all__ = ["Photos"]


@dataclass(frozen=True)
class Photos:
    """Photos that nobody has named: a catalogue without identities.

    Parameters
    ----------
    by_name : bool
        Whether the layout was asked for by name: then every photo of a tree is taken, whatever its folders are called.
        Otherwise there must be no folders with photos, nor a table beside them.
    """

    by_name: bool = False
    wanted: ClassVar[str] = "it needs a folder with photos"

    def recognises(self, source: Any) -> bool:
        """Whether it is a folder of photos, with none in the folders inside."""
        if not isinstance(source, Folder):
            return False
        if self.by_name:
            return True
        return bool(photos_among(source.files)) and not any(photos_among(walk(path)) for path in source.folders)

    def read(self, folder: Folder) -> FoundPhotos:
        """Read every photo below a folder; its id is the way to it without suffix."""
        where = folder.path
        files = [path.relative_to(where) for path in walk(where)]
        paths = photos_among(files)
        if not paths:
            raise WhalereidError(f"{where}: {'; '.join(['holds no photos', *passed_over(files)])}.")
        tables = tables_among(folder.files)
        if tables and not self.by_name:
            take = command("whalereid", "check", "--catalogue", where, "--layout", "photos", "--write")
            raise WhalereidError(
                f"{where}: holds photos, but no metadata.csv; if {listing(tables)} is the table of photos, give its "
                f"path; if it is something else, `{take}` takes the photos as nobody's (in Python: layout='photos')."
            )
        frame = photo_table(where, paths, read_folder_names(paths, 0))
        nobody = f"no names: each of the {len(paths):,} photos was taken as nobody's"
        return FoundPhotos(frame, where, str(where), notes=(nobody, *notes_on(paths, 0), *passed_over(files)))
