"""MegaDetector's batch results: where animals are, and how sure that is; not who they are.

The form with ``images`` and ``detection_categories`` is https://lila.science/megadetector-output-format (versions 1.0
to 1.6; boxes are shares of the photo). The list of photos with boxes as corners in pixels is
https://microsoft.github.io/MegaDetector/output_format/.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from whalereid import stopping
from whalereid.arguments import number, texts
from whalereid.catalogue.photo_sizes import ROUNDED, PhotoSizes, box_in_pixels
from whalereid.catalogue.readers.beside import PhotoPlace, photo_ids, place_of_photos
from whalereid.catalogue.readers.folder import Folder
from whalereid.catalogue.readers.reader import FoundPhotos
from whalereid.catalogue.readers.records import Entry, distinct_names, entries, json_files
from whalereid.errors import WhalereidError, listing
from whalereid.reading import has_keys, parse_json, read_text

__all__ = ["MegaDetector"]

_KIND = "MegaDetector's results"
_SHARES = "[x, y, width, height] as shares of the photo, from 0 to 1, with an area"
_MOST_REASONS = 8  # named, why detections were left out
_CORNERS = "[x, y, x, y] of two corners in pixels, with an area"


@dataclass(frozen=True)
class _Detection:
    photo: int
    number: int
    entry: Entry
    confidence: float
    species: str | None


class MegaDetector:
    """MegaDetector's batch results and their photos: a folder, or the JSON file.

    Parameters
    ----------
    min_conf : float, default=0.2
        Detections of less confidence are left out.
    photos : path, optional
        The folder that the photos' names start from. By default it is found.
    categories : sequence of str, default=("animal",)
        The kinds of detections that are taken.
    """

    wanted = "it needs MegaDetector's results, a .json whose photos have 'file' and 'detections'"

    def __init__(
        self, min_conf: float = 0.2, photos: str | None = None, categories: Sequence[str] = ("animal",)
    ) -> None:
        self.min_conf = number(min_conf, "min_conf", 0, 1)
        self.photos = photos
        self.categories = texts(categories, "categories", "kinds of detections, such as ['animal']")

    def recognises(self, source: Any) -> bool:
        """Whether it is a file of results, or a folder that holds one beside its photos."""
        return bool(_results(source))

    def read(self, source: Folder | Path) -> FoundPhotos:
        """Read one row for each animal that was detected surely enough; nobody is named."""
        found = _results(source)
        if len(found) != 1:
            held = f"holds several files of results: {listing(path.name for path in found)}; give one by its path"
            raise WhalereidError(f"{source}: {held if found else self.wanted}.")
        content, in_pixels = _content(found[0])
        images = entries(content, "images", str(found[0]), _KIND)
        names = distinct_names(images, "file")
        place = place_of_photos(names, found[0].parent, self.photos)
        left_out: Counter[str] = Counter()
        detections = self._detections(content, images, left_out, found[0])
        frame = _frame(images, detections, names, place, in_pixels=in_pixels, left_out=left_out)
        if not len(frame):
            why = f": {_said(left_out)}" if left_out else ""
            advice = place.note() or f"min_conf={self.min_conf:g} may be too high"
            raise WhalereidError(f"{found[0]}: no detection is left to make a row of{why}; {advice}.")
        notes = [f"detections of {' and '.join(self.categories)} from a confidence of {self.min_conf:g} (min_conf) up"]
        notes += [f"left out: {_said(left_out)}"] if left_out else []
        return FoundPhotos(frame, place.root, source=str(found[0]), notes=tuple(notes))

    def _detections(
        self, content: dict[str, Any], images: list[Entry], left_out: Counter[str], path: Path
    ) -> list[_Detection]:
        """The detections that are taken; why others weren't is counted."""
        kinds = _names(content, "detection_categories", path)
        classes = _names(content, "classification_categories", path)
        kept: list[_Detection] = []
        for at, image in enumerate(images):
            if at % 10_000 == 0:
                stopping.check()
            if image.get("failure") is not None:
                left_out["photos that failed"] += 1
                continue
            if "frame_rate" in image.fields or "frames_processed" in image.fields:
                left_out["videos (save frames of them as JPEG, and run MegaDetector on those)"] += 1
                continue
            before = len(kept)
            for number_, entry in enumerate(image.entries("detections"), start=1):
                kind = entry.text("category") or ""
                confidence = _confidence(entry)
                if kinds.get(kind, kind) not in self.categories:
                    left_out[f"detections of {kinds.get(kind, kind)}"] += 1
                elif confidence < self.min_conf:
                    left_out["less sure detections"] += 1
                else:
                    kept.append(_Detection(at, number_, entry, confidence, _species(entry, classes)))
            left_out["photos without such a detection"] += len(kept) == before
        return kept


def _confidence(entry: Entry) -> float:
    field = "conf" if "conf" in entry.fields else "confidence"
    value = entry.number(field, 0, 1)
    return entry.refuse(field, "a number from 0 to 1") if value is None else value


def _results(source: Any) -> list[Path]:
    """The file that it is, or those in a folder."""
    files = json_files(source.files) if isinstance(source, Folder) else [source] if isinstance(source, Path) else []
    return [path for path in files if path.suffix.lower() == ".json" and _is_results(path)]


def _is_results(path: Path) -> bool:
    return has_keys(path, "file", "detections") and not has_keys(path, "annotations")


def _content(path: Path) -> tuple[dict[str, Any], bool]:
    """What a file holds, as an object with ``images``; and whether its boxes are in pixels."""
    text = read_text(path)
    is_list = text.lstrip()[:1] == "["
    content = parse_json(f'{{"images": {text}}}' if is_list else text, str(path), _KIND)
    return content, is_list


def _names(content: dict[str, Any], key: str, path: Path) -> dict[str, str]:
    held = content.get(key)
    if held is None:
        return {}
    if not isinstance(held, dict) or not all(isinstance(name, str) for name in held.values()):
        raise WhalereidError(f"{path}: {key} is {held!r:.60}; it is an object of names by number.")
    return held


def _species(entry: Entry, classes: dict[str, str]) -> str | None:
    """The likeliest of the classes that a classifier gave, which come first."""
    found = entry.get("classifications")
    if found is None or found == []:
        return None
    fits = isinstance(found, list) and isinstance(found[0], list) and found[0] and isinstance(found[0][0], str)
    if not fits:
        entry.refuse("classifications", "a list of [category, confidence]")
    return classes.get(found[0][0], found[0][0])


def _frame(
    images: list[Entry],
    detections: list[_Detection],
    names: list[str],
    place: PhotoPlace,
    *,
    in_pixels: bool,
    left_out: Counter[str],
) -> pd.DataFrame:
    paths = [place.path(name) for name in names]
    sizes = PhotoSizes(place.root)
    boxes = [_box(one, images[one.photo], paths[one.photo], sizes, in_pixels=in_pixels) for one in detections]
    rows = [(one, box, size) for one, (box, size) in zip(detections, boxes, strict=True) if box is not None]
    if sizes.problems:
        left_out[f"photos whose size can't be told ({sizes.problems[0].removesuffix('.')})"] = len(sizes.problems)
    several = Counter(one.photo for one in detections)
    ids = photo_ids(names, paths)
    columns: dict[str, list[Any]] = {
        "image_id": [ids[o.photo] + (f"#{o.number}" if several[o.photo] > 1 else "") for o, _, _ in rows],
        "path": [paths[one.photo] for one, _, _ in rows],
        "bbox": [box for _, box, _ in rows],
        "confidence": [one.confidence for one, _, _ in rows],
        "species": [one.species for one, _, _ in rows],
        "date": [images[one.photo].text("datetime") for one, _, _ in rows],
        "height": [size and size[1] for _, _, size in rows],
        "width": [size and size[0] for _, _, size in rows],
    }
    frame = pd.DataFrame({name: pd.Series(held, dtype=object) for name, held in columns.items()})
    return frame.dropna(axis="columns", how="all") if len(frame) else frame


def _box(
    one: _Detection, image: Entry, path: str, sizes: PhotoSizes, *, in_pixels: bool
) -> tuple[tuple[float, float, float, float] | None, tuple[float, float] | None]:
    """A detection's box in pixels, and the photo's width and height where they were needed; None where unknown."""
    if in_pixels:
        left, top, right, bottom = one.entry.numbers("bbox", 4, _CORNERS)
        if right <= left or bottom <= top:
            one.entry.refuse("bbox", _CORNERS)
        return (left, top, right - left, bottom - top), None
    x, y, w, h = one.entry.numbers("bbox", 4, _SHARES)
    if min(x, y) < -ROUNDED or max(x + w, y + h) > 1 + ROUNDED or min(w, h) <= 0:
        one.entry.refuse("bbox", _SHARES)
    width, height = image.number("width", 1), image.number("height", 1)
    size = (width, height) if width is not None and height is not None else sizes.of(path)
    if size is None:
        return None, None
    box = box_in_pixels((x, y, w, h), size)
    if min(box[2:]) <= 0:  # less than is told apart of a pixel
        one.entry.refuse("bbox", _SHARES)
    return box, size


def _said(left_out: Counter[str]) -> str:
    return listing((f"{count:,} {what}" for what, count in left_out.items() if count), most=_MOST_REASONS)
