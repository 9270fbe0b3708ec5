"""Catalogues as COCO annotations: boxes, masks, and who it is.

https://cocodataset.org/#format-data
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from whalereid import stopping
from whalereid.arguments import instance
from whalereid.catalogue.masks import is_drawn
from whalereid.catalogue.readers.coco_file import NO_SPECIES, ROW_ID
from whalereid.catalogue.readers.segmentation import is_outline
from whalereid.catalogue.table import Catalogue
from whalereid.catalogue.writers.writer import is_given, paths_from
from whalereid.errors import WhalereidError, listing
from whalereid.outputs import COCO, SOFTWARE, Kind

__all__ = ["Coco"]

_OF_PHOTOS = {  # columns, and the fields of images that they are where all rows of a photo agree
    "width": "width", "height": "height", "date": "date_captured", "location": "location", "latitude": "latitude",
    "longitude": "longitude",
}  # fmt: skip
_TAKEN = ("id", "image_id", "category_id", "bbox", "area", "segmentation", "iscrowd", "attributes", "file_name", ROW_ID)
_OWN = ("image_id", "path", "identity", "species", "bbox", "mask")


class Coco:
    """COCO annotations: one a row, the species as its category.

    Parameters
    ----------
    identity : str, default="individual_id"
        The annotations' field of who it is.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"": COCO}

    def __init__(self, identity: str = "individual_id") -> None:
        self.identity = instance(identity, "identity", str, "the name of a field").strip()
        if not self.identity or self.identity in _TAKEN:
            raise WhalereidError(f"identity is {identity!r:.60}; give a field that COCO doesn't use itself.")

    def write(self, catalogue: Catalogue, files: Mapping[str, Path], out: Path) -> Sequence[str]:
        """Write one image a photo and one annotation a row."""
        paths, notes = paths_from(catalogue, out.parent)
        frame = catalogue.written()
        image_of, names = pd.factorize(pd.Series(paths, dtype=object))
        of_photos = [name for name in _OF_PHOTOS if name in frame and _agree(frame[name], image_of)]
        left = [str(name) for name in frame if name not in (*_OWN, *of_photos)]
        clash = [name for name in left if name in (*_TAKEN, self.identity, "mask", "species")]
        if clash:
            notes.append(f"left out, as COCO has fields of these names: columns {listing(clash)}")
        first = np.unique(image_of, return_index=True)[1]
        images = [{"id": at + 1, "file_name": str(name)} for at, name in enumerate(names)]
        for name in of_photos:
            _fill(images, _OF_PHOTOS[name], frame[name].iloc[first])
        kinds = self._kinds(frame)
        content = {
            "info": {"contributor": SOFTWARE, "description": "identified animals", "identity": self.identity},
            "images": images,
            "annotations": self._annotations(frame, image_of, kinds, [name for name in left if name not in clash]),
            "categories": [{"id": number, "name": name} for name, number in kinds.items()],
        }
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        files[""].write_text(text, encoding="utf-8")
        boxless = len(frame) - int(catalogue.known("bbox").sum())
        if boxless:
            notes.append(f"annotations without a box: {boxless:,}; they are of the whole photo")
        return notes

    def _kinds(self, frame: pd.DataFrame) -> dict[str, int]:
        """The categories: the species, and one for animals whose species is unknown."""
        species = sorted(frame["species"].dropna().unique()) if "species" in frame else []
        is_whole = "species" in frame and bool(frame["species"].notna().all())
        return {name: at for at, name in enumerate(species if is_whole else [*species, NO_SPECIES], start=1)}

    def _annotations(
        self, frame: pd.DataFrame, image_of: np.ndarray, kinds: Mapping[str, int], further: list[str]
    ) -> list[dict[str, Any]]:
        ids = frame["image_id"].astype(object)
        annotations: list[dict[str, Any]] = [
            {"id": row + 1, "image_id": int(image) + 1, ROW_ID: own, "iscrowd": 0}
            for row, (image, own) in enumerate(zip(image_of, ids, strict=True))
        ]
        species = frame["species"] if "species" in frame else pd.Series(np.nan, frame.index, dtype=object)
        _fill(annotations, "category_id", species.fillna(NO_SPECIES).map(kinds))
        _fill(annotations, "species", species.where(species == NO_SPECIES))
        for name, field in (("identity", self.identity), *((name, name) for name in further)):
            if name in frame:
                _fill(annotations, field, frame[name])
        for row, box in enumerate(frame.get("bbox", ())):
            if isinstance(box, tuple):
                area = box[2] * box[3]
                annotations[row] |= {"bbox": list(box)} | ({"area": area} if math.isfinite(area) else {})
        for row, mask in enumerate(frame["mask"].astype(object) if "mask" in frame else ()):
            if is_given(mask):
                shape = _shape(str(mask))
                annotations[row] |= {"mask": str(mask)} if shape is None else {"segmentation": shape}
        return annotations


def _agree(column: pd.Series, image_of: np.ndarray) -> bool:
    """Whether all rows of each photo have the same value."""
    seen = pd.DataFrame({"image": image_of, "value": column.map(lambda value: str(value) if is_given(value) else "")})
    return not seen.drop_duplicates()["image"].duplicated().any()


def _fill(records: list[dict[str, Any]], field: str, column: pd.Series) -> None:
    """Set a field of each record that has a value, as JSON holds it."""
    stopping.check()
    for record, value in zip(records, column.astype(object).tolist(), strict=True):
        if is_given(value):
            record[field] = _plain(value)


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | bool) else str(value)


def _shape(mask: str) -> Any:
    """Polygons or run lengths; None where the mask is a picture's path, or nothing that COCO has."""
    if not is_drawn(mask):
        return None
    try:
        shape = json.loads(mask)
    except (ValueError, RecursionError):
        return None
    return shape if is_outline(shape) else None
