"""Who an annotated animal is: the field that is named, or the likely one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from whalereid.arguments import instance
from whalereid.catalogue.readers.coco_file import CocoFile, Sighting
from whalereid.errors import WhalereidError, listing

__all__ = ["CATEGORY", "Naming", "find_naming"]

CATEGORY = "category_id"
"""The field that names the animal by its category."""
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


@dataclass(frozen=True)
class Naming:
    """Where the identities come from.

    Attributes
    ----------
    of : callable
        The identity of a sighting in a file; None where it is unknown.
    field : str or None
        The field they are in.
    notes : tuple of str
        What was taken, and what was left aside.
    """

    of: Callable[[CocoFile, Sighting], str | None]
    field: str | None
    notes: tuple[str, ...] = ()


def find_naming(files: Sequence[CocoFile], wanted: str | None) -> Naming:
    """Find the field that names the animals.

    Parameters
    ----------
    files : sequence of CocoFile
        All parts of the data set.
    wanted : str, optional
        The field, of the annotations or the images, or ``category_id``. By default the likeliest of the annotations'.

    Raises
    ------
    WhalereidError
        No record has the field that was named; the message lists those there are.
    """
    told = files[0].told
    if wanted is None and isinstance(told, str):  # by a file that we wrote
        return Naming(lambda _, one: one.animal.text(told), told)
    if wanted is None:
        likely = _likely(files)
        if likely:
            aside = listing(map(repr, likely[1:]))
            notes = [f"identities were taken from the annotations' {likely[0]!r}"]
            notes += [f"left aside, though they may name animals, too: the annotations' {aside}"] if likely[1:] else []
            return Naming(lambda _, one: one.animal.text(likely[0]), likely[0], tuple(notes))
        fields = _fields(files)
        said = f" of {listing(fields, most=12)}" if fields else ""
        return Naming(lambda *_: None, None, (f"nobody is named; identity=FIELD says which field{said} does",))
    field = instance(wanted, "identity", str, "the name of a field").strip()
    if field == CATEGORY and any(file.categories for file in files):
        return Naming(
            lambda file, one: file.category(one), field, ("identities were taken from the categories' names",)
        )
    if any(field in animal.fields for file in files for animal in file.annotations):
        return Naming(lambda _, one: one.animal.text(field), field)
    if any(field in image.fields for file in files for image in file.images):
        return Naming(
            lambda _, one: one.image.text(field), field, (f"identities were taken from the images' {field!r}",)
        )
    raise WhalereidError(
        f"{files[0].path}: no annotation and no image has a field {field!r} to take identities from; there are "
        f"{listing(_fields(files), most=12) or 'none'}."
    )


def _likely(files: Sequence[CocoFile]) -> list[str]:
    """The annotations' fields that name animals somewhere, the one to take first."""
    given = {
        field: None
        for file in files
        for animal in file.annotations
        for field, value in animal.fields.items()
        if isinstance(value, int | str) and not isinstance(value, bool) and str(value).strip()
    }
    plain = {field: re.sub(r"[^a-z0-9]", "", field.lower()) for field in given}
    return sorted((field for field in given if plain[field] in _NAMES), key=lambda field: _NAMES.index(plain[field]))


def _fields(files: Sequence[CocoFile]) -> list[str]:
    """Fields of annotations and images that could name animals: those that hold text or whole numbers."""
    found: dict[str, None] = {}
    for file in files:
        for record in (*file.annotations[:1000], *file.images[:1000]):
            found |= dict.fromkeys(name for name, value in record.fields.items() if _may_name(name, value))
    return list(found)


def _may_name(field: str, value: Any) -> bool:
    may = isinstance(value, int | str) and not isinstance(value, bool)
    return may and field not in ("id", "image_id", "iscrowd", "file_name", "height", "width")
