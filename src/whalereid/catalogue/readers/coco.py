"""COCO annotations of identified animals: boxes, masks, and who it is in any field.

LILA has the competition's belugas so, and other animals: https://lila.science/datasets/beluga-id-2022/. The form is
described at https://cocodataset.org/#format-data, that of camera traps (``seq_id``, ``datetime``, ``location``) at
https://github.com/agentmorris/MegaDetector/tree/main/megadetector/data_management.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whalereid.catalogue.readers.beside import PhotoPlace, photo_ids, place_of_photos
from whalereid.catalogue.readers.coco_file import MOST_FIELDS, NO_SPECIES, ROW_ID, CocoFile, Sighting
from whalereid.catalogue.readers.coco_names import CATEGORY, Naming, find_naming
from whalereid.catalogue.readers.folder import Folder
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.catalogue.readers.records import Entry, column_of, json_files
from whalereid.catalogue.readers.segmentation import outline
from whalereid.catalogue.readers.table import Table
from whalereid.errors import WhalereidError, listing
from whalereid.reading import has_keys

__all__ = ["Coco"]

_PART = re.compile(r"instances_(.+)\.json", re.IGNORECASE)
_COMPETITION_NAME = re.compile(r"0*(\d{1,18})_(\d{1,18})\.jpe?g", re.IGNORECASE)
_BOX = "[x, y, width, height] in pixels, with an area"


class Coco:
    """COCO annotations and their photos: a folder, or the file of annotations.

    Parameters
    ----------
    identity : str, optional
        The field that names the animal: of the annotations (or their ``attributes``), of the images, or
        ``category_id``, which takes the category's name. By default the likeliest of the annotations'.
    photos : path, optional
        The folder that the photos' names start from. By default it is found.
    """

    wanted = "it needs annotations/instances_*.json and images/*/, or one .json of 'images' and 'annotations'"

    def __init__(self, identity: str | None = None, photos: str | None = None) -> None:
        self.identity, self.photos = identity, photos

    def recognises(self, source: Any) -> bool:
        """Whether it is COCO annotations, or a folder that holds them in annotations/ or beside its photos."""
        if isinstance(source, Folder):
            if _in_annotations(source):
                return True
            return not Table().recognises(source) and bool(_beside_photos(source))
        return isinstance(source, Path) and _is_coco(source)

    def read(self, source: Folder | Path) -> FoundPhotos:
        """Read every part (train, val, ...); one row for each annotated animal, and for each photo without any."""
        paths, root = self._files(source)
        files = [CocoFile(path) for path in paths]
        naming = find_naming(files, self.identity)
        places = [self._place(file, root) for file in files]
        sightings = [file.sightings(partial(_is_of_a_crowd, file, naming)) for file in files]
        taken = {*_COLUMNS, naming.field or ""}
        further = list(dict.fromkeys(name for file in files for name in file.further_fields(taken=taken)))
        parts = list(zip(files, sightings, places, strict=True))
        frames = [_frame(file, seen, place, naming, further[:MOST_FIELDS]) for file, seen, place in parts]
        frame = _with_ids(pd.concat(frames, ignore_index=True), [file.row_ids(seen) for file, seen, _ in parts])
        notes = [*naming.notes, *(note for place in places if (note := place.note()))]
        notes += _what_was_taken(files, sightings)
        if len(further) > MOST_FIELDS:
            notes.append(f"of the records' further fields, the first {MOST_FIELDS} became columns")
        name = paths[0] if len(paths) == 1 else paths[0].parent
        return FoundPhotos(frame, places[0].root, source=str(name), notes=tuple(dict.fromkeys(notes)))

    def _files(self, source: Folder | Path) -> tuple[list[Path], Path]:
        """The files of annotations, and the folder that their photos are below."""
        if isinstance(source, Path):
            is_within = source.parent.name.lower() == "annotations"
            return [source], source.parent.parent if is_within else source.parent
        inner = _in_annotations(source)
        if inner:
            if self.photos is None and source.folder("images") is None:
                raise WhalereidError(f"{source.path}: holds annotations but no images/; {self.wanted}.")
            return inner, source.path
        found = _beside_photos(source)
        if len(found) != 1:
            held = f"holds several files of annotations: {listing(path.name for path in found)}; give one by its path"
            raise WhalereidError(f"{source.path}: {held if found else self.wanted}.")
        return found, source.path

    def _place(self, file: CocoFile, root: Path) -> PhotoPlace:
        images = Folder(root).folder("images")
        is_part = images is not None and file.path.parent != root
        return place_of_photos(
            file.names, root, self.photos, first=f"{images.name}/{_part(file.path)}" if images and is_part else ""
        )


_COLUMNS = (
    "image_id",
    "path",
    "identity",
    "viewpoint",
    "date",
    "species",
    "encounter",
    "bbox",
    "mask",
    "height",
    "width",
)


def _in_annotations(folder: Folder) -> list[Path]:
    """The files of annotations in annotations/: those called so, or else those that are."""
    inner = folder.folder("annotations")
    files = [] if inner is None else Folder(inner).files
    return [path for path in files if _PART.fullmatch(path.name)] or [
        path for path in json_files(files) if _is_coco(path)
    ]


def _beside_photos(folder: Folder) -> list[Path]:
    return [path for path in json_files(folder.files) if _is_coco(path)]


def _is_coco(path: Path) -> bool:
    return path.suffix.lower() == ".json" and has_keys(path, "images", "annotations")


def _part(path: Path) -> str:
    found = _PART.fullmatch(path.name)
    return found[1] if found else path.stem


def _is_of_a_crowd(file: CocoFile, naming: Naming, one: Sighting) -> bool:
    """Whether an annotation outlines a crowd, and names nobody."""
    return one.animal.get("iscrowd") in (1, "1") and naming.of(file, one) is None  # True is 1


def _what_was_taken(files: list[CocoFile], sightings: list[list[Sighting]]) -> list[str]:
    seen = [one for part in sightings for one in part]
    notes = []
    if any(one.image.get("seq_id") and not one.animal.get("encounter") for one in seen):
        notes.append("encounters were taken from the images' 'seq_id'")
    alone = sum(not one.animal.fields for one in seen)
    if alone:
        notes.append(f"photos without annotations, kept as nobody's: {alone:,}")
    left_out = sum(len(file.annotations) for file in files) - (len(seen) - alone)
    if left_out:
        notes.append(f"annotations of crowds (iscrowd) that name nobody, left out: {left_out:,}")
    return notes


def _frame(
    file: CocoFile, sightings: list[Sighting], place: PhotoPlace, naming: Naming, further: list[str]
) -> pd.DataFrame:
    paths = [place.path(name) for name in file.names]
    ids = _image_ids(file, paths)
    dates = [_date(image) for image in file.images]
    sequences = [image.text("encounter") or image.text("seq_id") for image in file.images]
    sizes = [(image.number("height", 1), image.number("width", 1)) for image in file.images]
    outlines = [_box_and_mask(one, sizes[one.photo]) for one in sightings]
    columns: dict[str, list[Any]] = {
        "image_id": [ids[one.photo] for one in sightings],
        "number": [one.number for one in sightings],
        "path": [paths[one.photo] for one in sightings],
        "identity": [naming.of(file, one) for one in sightings],
        "viewpoint": [one.animal.text("viewpoint") for one in sightings],
        "date": [one.animal.text("date") or dates[one.photo] for one in sightings],
        "species": [_species(file, one, naming) for one in sightings],
        "encounter": [one.animal.text("encounter") or sequences[one.photo] for one in sightings],
        "bbox": [box for box, _ in outlines],
        "mask": [mask for _, mask in outlines],
        "height": [sizes[one.photo][0] for one in sightings],
        "width": [sizes[one.photo][1] for one in sightings],
    }
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    for name in further:
        values = [one.animal.fields.get(name, one.image.fields.get(name)) for one in sightings]
        frame[name] = column_of([value if isinstance(value, str | int | float) else None for value in values])
    return frame


def _box_and_mask(one: Sighting, size: tuple[float | None, float | None]) -> tuple[Any, str | None]:
    height, width = size
    whole = None if width is None or height is None else (0.0, 0.0, width, height)
    own = one.animal.box("bbox", _BOX)
    box, mask = outline(one.animal, "segmentation", own, whole, as_written=ROW_ID in one.animal.fields)
    return box, mask or one.animal.text("mask")


def _date(image: Entry) -> str | None:
    date = image.text("date_captured") or image.text("datetime") or image.text("date")
    return None if date == "NA" else date


def _species(file: CocoFile, one: Sighting, naming: Naming) -> str | None:
    kind = None if naming.field == CATEGORY else file.category(one)
    return one.animal.text("species") or (None if kind == NO_SPECIES else kind)


def _image_ids(file: CocoFile, paths: list[str]) -> list[str]:
    """Ids of a file's photos; LILA's ``{k + 1:012d}_{k}.jpg`` is the competition's ``train{k:04d}``."""
    found = [_COMPETITION_NAME.fullmatch(name) for name in file.names]
    if all(match and int(match[1]) == int(match[2]) + 1 for match in found):
        return [f"train{int(match[2]):04d}" for match in found if match]
    return photo_ids(file.names, paths)


def _with_ids(frame: pd.DataFrame, own: list[list[str] | None]) -> pd.DataFrame:
    """The rows' ids: those that the files have, or the photos', with the animal's number where there are several."""
    if not len(frame):
        return pd.DataFrame(columns=["image_id", "path"])
    photos = frame[["image_id", "path"]].drop_duplicates()
    twice = photos["image_id"].duplicated(keep=False)  # in two parts
    plain = dict(zip(photos["path"], photos["image_id"].mask(twice, photos["path"]), strict=True))
    ids = frame["path"].map(plain) + np.where(frame["number"] == "", "", "#") + frame["number"]
    if all(part is not None for part in own):
        ids = pd.Series([name for part in own if part for name in part], frame.index, dtype=object)
    return frame.assign(image_id=ids).drop(columns="number").dropna(axis="columns", how="all")
