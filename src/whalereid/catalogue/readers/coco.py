"""COCO exports of identified animals, as LILA has them of the competition's belugas and of other animals.

https://lila.science/datasets/beluga-id-2022/
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from whalereid.catalogue.readers.folder import Folder
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.errors import WhalereidError, listing
from whalereid.reading import read_json

__all__ = ["Coco"]

_ANNOTATIONS = re.compile(r"instances_(.+)\.json", re.IGNORECASE)
# Where exports of identified animals have the name, without case and underscores; the first that has any counts.
_NAMES = (
    "name",
    "identity",
    "individual",
    "individualid",
    "individualname",
    "animal",
    "animalid",
    "animalname",
    "identityid",
    "whaleid",
    "catalogid",
    "catalogueid",
    "nameid",
)
_COMPETITION_NAME = re.compile(r"0*(\d+)_(\d+)\.jpe?g", re.IGNORECASE)


class Coco:
    """A folder of COCO annotations and their photos."""

    wanted = "it needs annotations/instances_*.json and images/*/"

    def recognises(self, source: Any) -> bool:
        """Whether a folder holds COCO annotations."""
        return isinstance(source, Folder) and bool(_annotation_files(source))

    def read(self, folder: Folder) -> FoundPhotos:
        """Read every part (train, val, ...) that holds photos; one row for each annotated animal."""
        images = folder.folder("images")
        if images is None:
            raise WhalereidError(f"{folder.path}: holds annotations but no images/; {self.wanted}.")
        files = _annotation_files(folder)
        contents = [_read_json(path) for path in files]
        names = _fields_of_names(contents, files)
        frames = [
            _read_part(content, path, Path(images.name) / _part(path), names[0] if names else None)
            for content, path in zip(contents, files, strict=True)
        ]
        frame = pd.concat(frames, ignore_index=True)
        notes = [f"identities were taken from the annotations' {names[0]!r}"] if names else []
        if names[1:]:
            aside = listing(map(repr, names[1:]))
            notes.append(f"left aside, though they may name animals, too: the annotations' {aside}")
        source = files[0] if len(files) == 1 else files[0].parent
        return FoundPhotos(frame, folder.path, source=str(source), notes=tuple(notes))


def _annotation_files(folder: Folder) -> list[Path]:
    annotations = folder.folder("annotations")
    if annotations is None:
        return []
    return [path for path in Folder(annotations).files if _ANNOTATIONS.fullmatch(path.name)]


def _part(path: Path) -> str:
    found = _ANNOTATIONS.fullmatch(path.name)
    return found[1] if found else path.stem


def _read_json(path: Path) -> Any:
    content = read_json(path, "COCO annotations")
    _records(content, "images", path)
    return content


def _fields_of_names(contents: list[Any], paths: list[Path]) -> list[str]:
    """The annotations' fields that name animals somewhere, the one to take first."""
    given = {
        field: None
        for content, path in zip(contents, paths, strict=True)
        for animal in _records(content, "annotations", path)
        for field, value in animal.items()
        if isinstance(value, int | str) and str(value).strip()
    }
    plain = {field: re.sub(r"[^a-z0-9]", "", field.lower()) for field in given}
    return sorted((field for field in given if plain[field] in _NAMES), key=lambda field: _NAMES.index(plain[field]))


def _read_part(content: Any, path: Path, images: Path, name_field: str | None) -> pd.DataFrame:
    photos = _records(content, "images", path)
    kinds = _records(content, "categories", path) if "categories" in content else []
    species = {_id(kind, "id", "categories", path): kind.get("name") for kind in kinds}
    names = [str(_id(photo, "file_name", "images", path)) for photo in photos]
    ids = dict(zip((_id(photo, "id", "images", path) for photo in photos), _image_ids(names), strict=True))
    if len(ids) < len(photos):
        raise WhalereidError(f"{path}: two images have the same id.")
    animals: dict[int | str, list[dict[str, Any]]] = {photo: [] for photo in ids}
    for row, animal in enumerate(_records(content, "annotations", path), start=1):
        photo = _id(animal, "image_id", "annotations", path)
        if photo not in animals:
            raise WhalereidError(f"{path}, annotation {row}: there is no image with the id {photo!r}.")
        animals[photo].append(animal)
    rows = []
    for record, (photo, image_id), name in zip(photos, ids.items(), names, strict=True):
        shown = animals[photo] or [{}]
        for number, animal in enumerate(shown, start=1):
            kind = animal.get("category_id")
            rows.append(
                {
                    "image_id": image_id + (f"-{number}" if len(shown) > 1 else ""),
                    "path": (images / name).as_posix(),
                    "identity": animal.get(name_field) if name_field is not None else None,
                    "viewpoint": animal.get("viewpoint"),
                    "date": record.get("date_captured"),
                    "species": species.get(kind) if isinstance(kind, int | str) else None,
                    "bbox": animal.get("bbox"),
                    "height": record.get("height"),
                    "width": record.get("width"),
                }
            )
    frame = pd.DataFrame(rows, columns=list(rows[0]) if rows else ["image_id", "path"])
    if "date" in frame:
        frame["date"] = frame["date"].mask(frame["date"] == "NA")
    return frame.dropna(axis="columns", how="all") if rows else frame


def _image_ids(names: list[str]) -> list[str]:
    """A photo's file name without its suffix; LILA's ``{k + 1:012d}_{k}.jpg`` is the competition's ``train{k:04d}``."""
    found = [_COMPETITION_NAME.fullmatch(name) for name in names]
    if all(match and int(match[1]) == int(match[2]) + 1 for match in found):
        return [f"train{int(match[2]):04d}" for match in found if match]
    return [str(Path(name).with_suffix("").as_posix()) for name in names]


def _records(content: Any, key: str, path: Path) -> list[dict[str, Any]]:
    records = content.get(key) if isinstance(content, dict) else None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise WhalereidError(f"{path}: is not COCO: it has no list of {key!r}.")
    return records


def _id(record: dict[str, Any], name: str, key: str, path: Path) -> int | str:
    value = record.get(name)
    if not isinstance(value, int | str):
        raise WhalereidError(f"{path}: is not COCO: an entry of {key!r} has no number or text as its {name!r}.")
    return value
