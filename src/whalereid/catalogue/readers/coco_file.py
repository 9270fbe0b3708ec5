"""One file of COCO annotations: its photos, the animals in them, and what else is known of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from whalereid import stopping
from whalereid.catalogue.columns import ALIASES, REQUIRED
from whalereid.catalogue.readers.records import Entry, distinct_names, entries
from whalereid.reading import read_json

__all__ = ["MOST_FIELDS", "NO_SPECIES", "ROW_ID", "CocoFile", "Sighting"]

ROW_ID = "whalereid_id"
"""The field of an annotation that has the row's ``image_id``, in files that `whalereid export` wrote."""

MOST_FIELDS = 100
"""Fields of which columns are made, besides those that are known."""

NO_SPECIES = "animal"
"""A category that says nothing of the species."""

_KIND = "COCO"
_OF_ANNOTATIONS = frozenset({"id", "image_id", "category_id", "bbox", "segmentation", "area", "iscrowd", ROW_ID})
_OF_IMAGES = frozenset(
    {"id", "file_name", "height", "width", "date_captured", "datetime", "license", "coco_url", "seq_id"}
)
_NEVER = frozenset({*REQUIRED, *(alias for alias, proper in ALIASES.items() if proper == "identity"), "identity"})
_SCALARS = (str, int, float, bool)


@dataclass(frozen=True)
class Sighting:
    """An animal in a photo; of a photo without annotations, the photo alone.

    Attributes
    ----------
    photo : int
        Its place in the file's list of images.
    image, animal : Entry
        Their records.
    number : str
        What tells it from the others of its photo; empty where it is the only one.
    """

    photo: int
    image: Entry
    animal: Entry
    number: str = ""


class CocoFile:
    """A file of annotations, as it is written.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    WhalereidError
        It isn't COCO; the message names the entry and the field.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        content = read_json(path, "COCO annotations")
        self.images = entries(content, "images", str(path), _KIND)
        self.annotations = [_with_attributes(entry) for entry in entries(content, "annotations", str(path), _KIND)]
        info = content.get("info")
        self.told = info.get("identity") if isinstance(info, dict) else None  # of files that we wrote
        kinds = entries(content, "categories", str(path), _KIND) if content.get("categories") is not None else []
        self.categories: dict[Any, str | None] = {kind.key("id"): kind.text("name") for kind in kinds}
        self.names = distinct_names(self.images, "file_name")
        self._animals: list[list[Entry]] = [[] for _ in self.images]
        place: dict[int | str, int] = {}
        for at, image in enumerate(self.images):
            if place.setdefault(image.key("id"), at) != at:
                image.refuse("id", "a number or text of its own: two images have the same")
        for number, animal in enumerate(self.annotations):
            if number % 10_000 == 0:
                stopping.check()
            image_id = animal.key("image_id")
            if image_id not in place:
                animal.refuse("image_id", "the id of one of the images")
            self._animals[place[image_id]].append(animal)
        self._own_ids = _distinct([animal.fields.get("id") for animal in self.annotations])

    def sightings(self, left_out: Callable[[Sighting], bool]) -> list[Sighting]:
        """Every animal of every photo; photos all of whose annotations are left out aren't there."""
        found: list[Sighting] = []
        for at, (image, animals) in enumerate(zip(self.images, self._animals, strict=True)):
            seen = [Sighting(at, image, animal) for animal in animals or [Entry({}, image.place)]]
            kept = [one for one in seen if not left_out(one)]
            if len(kept) > 1:
                kept = [replace(one, number=self._number(one, number)) for number, one in enumerate(kept, start=1)]
            found += kept
        return found

    def _number(self, one: Sighting, number: int) -> str:
        return str(one.animal.fields["id"]).strip() if self._own_ids else str(number)

    def category(self, one: Sighting) -> str | None:
        """The name of a sighting's category; None where it has none, or one that isn't listed."""
        kind = one.animal.fields.get("category_id")
        return self.categories.get(kind) if isinstance(kind, int | float | str) else None

    def row_ids(self, sightings: list[Sighting]) -> list[str] | None:
        """The rows' ids where the file has them, as one that we wrote does."""
        ids = [one.animal.fields.get(ROW_ID) for one in sightings]
        return [str(own) for own in ids] if _distinct(ids) else None

    def further_fields(self, *, taken: set[str]) -> list[str]:
        """Fields of annotations and images that hold single values, and that no column is made of otherwise."""
        found: dict[str, None] = {}
        for records, own in ((self.annotations, _OF_ANNOTATIONS), (self.images, _OF_IMAGES)):
            for record in records:
                for name, value in record.fields.items():
                    if name not in own and name not in found and isinstance(value, _SCALARS):
                        found[name] = None
                if len(found) > MOST_FIELDS:  # then names of fields are data
                    break
        never = REQUIRED if isinstance(self.told, str) else _NEVER
        return [name for name in found if name not in taken and name.strip().lower() not in never and name.strip()]


def _with_attributes(entry: Entry) -> Entry:
    """An annotation with what stands in its ``attributes``, as CVAT writes them, as fields of its own."""
    inner = entry.fields.get("attributes")
    return Entry(inner | entry.fields, entry.place) if isinstance(inner, dict) else entry


def _distinct(ids: list[Any]) -> bool:
    """Whether all are there, as numbers or text, and no two are the same as text."""
    fit = all(isinstance(own, int | str) and not isinstance(own, bool) and str(own).strip() for own in ids)
    return fit and len({str(own).strip() for own in ids}) == len(ids)
