"""What a training is trained on: items of (image, label, row), from a catalogue or any data set that yields them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from whalereid import arguments, stopping
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.images import TRAINING_TRANSFORMS, Crop, PhotoDataset
from whalereid.images.reading import read_transform
from whalereid.models import Embedder
from whalereid.training.options import FitOptions
from whalereid.training.photos import check_files, labelled, refuse_one_class, sides_told_apart
from whalereid.training.recipe import Recipe

__all__ = ["PhotosAsItems", "PlainItems", "TrainingItems", "catalogue_of", "crop_of_items", "make_items"]

_PHOTOS = "a Catalogue (Catalogue.read(path) makes one), or a data set of (image, label, row)"


class TrainingItems(Protocol):
    """A data set as the loop knows it; `PhotoDataset` and `CrossViewPairs` are, and `PlainItems` makes one of any."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Any: ...

    def set_epoch(self, epoch: int) -> None:
        """Draw anew what is left to chance, by the epoch counted from 0."""

    def labels_of(self, photos: Catalogue) -> np.ndarray:
        """(N,) int64: the class of each of these photos; -1 where it has none of those learned."""

    @property
    def labels(self) -> np.ndarray:
        """(N,) int64: the class of each item."""

    @property
    def classes(self) -> Sequence[Any]:
        """What labels index into."""

    @property
    def identities(self) -> Sequence[str]:
        """The animals that are learned."""

    @property
    def labels_from(self) -> Sequence[str]:
        """The columns whose values make a class."""

    @property
    def on_error(self) -> str:
        """Whether an item that can't be read raises, or is None."""

    @property
    def seed(self) -> int:
        """Of what is left to chance."""

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Photos that couldn't be read: (image_id, reason)."""


@runtime_checkable
class PhotosAsItems(Protocol):
    """Items that are photos of a catalogue, and say how they are prepared."""

    @property
    def catalogue(self) -> Catalogue:
        """The photos."""

    @property
    def used(self) -> np.ndarray:
        """(m,) int64: the catalogue's rows of the photos that items show."""

    @property
    def transform(self) -> Any:
        """What each photo goes through."""

    @property
    def portrait(self) -> bool:
        """Whether landscape photos are turned."""


def catalogue_of(items: TrainingItems) -> Catalogue | None:
    """Return the photos that items show, as a catalogue; None where a data set doesn't tell."""
    return items.catalogue[items.used] if isinstance(items, PhotosAsItems) else None


def crop_of_items(items: Any) -> Crop:
    """How photos are cut for these items; a data set that doesn't tell cuts them as by default."""
    crop = getattr(items, "crop", None)
    return crop if isinstance(crop, Crop) else Crop()


class PlainItems:
    """Any map-style data set of (image, label, row), with defaults for what it doesn't tell of itself.

    Parameters
    ----------
    dataset : Dataset
        ``len(dataset)`` items; ``dataset[i]`` → (image (3, H, W) float tensor, or (views, 3, H, W); label; row). If it
        has ``labels`` or ``targets`` (N,), ``classes``, ``identities`` or ``set_epoch(epoch)``, those are used.

    Attributes
    ----------
    notes : list of str
        What can't be done with it.
    image_size : (int, int)
        Height and width of its first image.

    Raises
    ------
    WhalereidError
        It isn't such a data set.
    """

    on_error, seed = "raise", 0
    labels_from: Sequence[str] = ("label",)

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self.skipped: list[tuple[str, str]] = []
        image, first = self._first()
        self.image_size = (int(image.shape[-2]), int(image.shape[-1]))
        self.notes = [
            "The data set shows no catalogue: what it trains on isn't noted, and neither how it prepares photos nor "
            "whether validation shares any with it is compared."
        ]
        self.labels = self._labels(first)
        self.classes = tuple(getattr(dataset, "classes", range(int(self.labels.max()) + 1)))
        if int(self.labels.max()) >= len(self.classes):
            raise WhalereidError(
                f"train: its label {int(self.labels.max())} is none of its {len(self.classes)} classes."
            )
        names = all(isinstance(name, str) for name in self.classes)
        self.identities = tuple(getattr(dataset, "identities", self.classes if names else ()))
        if not self.identities:
            self.notes.append("It names no classes, so there is no validation loss.")
        self.draws_by_epoch = callable(getattr(dataset, "set_epoch", None))

    def _first(self) -> tuple[Tensor, int]:
        kind = type(self.dataset).__name__
        if isinstance(self.dataset, type) or not (hasattr(self.dataset, "__len__") and len(self.dataset)):
            raise WhalereidError(f"train is {self.dataset!r:.60}, which has no items; give {_PHOTOS}.")
        try:
            item = self.dataset[0]
        except WhalereidError:
            raise
        except Exception as error:
            raise WhalereidError(f"train is a {kind}, and its item 0 fails ({error!r:.80}); give {_PHOTOS}.") from error
        right = isinstance(item, tuple | list) and len(item) == 3 and isinstance(item[0], Tensor)
        if not right or item[0].ndim not in (3, 4) or item[0].shape[-3] != 3 or not item[0].is_floating_point():
            what = tuple(item[0].shape) if right else f"{item!r:.60}"
            raise WhalereidError(
                f"train is a {kind}, and its item 0 is {what}; give {_PHOTOS}: a float tensor (3, H, W), the number of "
                "its class, and its row."
            )
        return item[0], _class(item[1], 0)

    def _labels(self, first: int) -> np.ndarray:
        told = getattr(self.dataset, "labels", getattr(self.dataset, "targets", None))
        if told is None:
            self.notes.append("Its labels are read off its items one by one; an attribute labels (N,) spares that.")
            labels = [first]
            for index in range(1, len(self.dataset)):
                stopping.check()
                labels.append(_class(self.dataset[index][1], index))
            return np.array(labels, np.int64)
        labels = [_class(label, index) for index, label in enumerate(told)]
        if len(labels) != len(self.dataset) or labels[0] != first:
            raise WhalereidError(
                f"train: its {len(labels)} labels begin with {labels[:1]}, its {len(self.dataset)} items with {first}; "
                "let them agree."
            )
        return np.array(labels, np.int64)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        image, label, row = self.dataset[index]
        return image, int(label), int(row)

    def set_epoch(self, epoch: int) -> None:
        """Let the data set draw anew, if it can."""
        if self.draws_by_epoch:
            self.dataset.set_epoch(epoch)

    def labels_of(self, photos: Catalogue) -> np.ndarray:
        """(N,) int64: the class of each of these photos by its identity; -1 where classes have no names."""
        known = self.classes == self.identities
        return photos.labels(self.identities) if known else np.full(len(photos), -1, np.int64)


def make_items(train: Any, net: Embedder, recipe: Recipe, options: FitOptions) -> tuple[TrainingItems, list[str]]:
    """Make what to train on; returns also what there is to say of it."""
    if isinstance(train, Catalogue):
        return _of_catalogue(train, net, recipe, options)
    if not isinstance(train, PhotosAsItems) or isinstance(train, type):
        plain = PlainItems(train)
        if options.labels_from is not None:
            raise WhalereidError("labels_from is for catalogues; a data set's labels are its own.")
        refuse_one_class("train", plain.labels, plain.classes)
        return plain, plain.notes
    items: Any = train
    if options.labels_from is not None and options.labels_from != items.labels_from:
        raise WhalereidError(
            f"labels_from is {list(options.labels_from)}, the data set's labels are from {list(items.labels_from)}; "
            "say it to the data set."
        )
    crop = crop_of_items(items)
    if options.crop not in (None, crop):
        raise WhalereidError(
            f"crop is {options.crop}, the data set's photos are cut by {crop}; say it to the data set (.cropped)."
        )
    notes = [unmasked] if (unmasked := crop.check(items.catalogue[items.used])) else []
    sides = sides_told_apart(items.catalogue[items.used])
    if sides and read_transform(items.transform).mirrors:
        told = f"though left and right are told apart here (viewpoint {listing(sides, most=4)})"
        notes.append(f"The data set mirrors photos, {told}; build its transform with flip=False if that matters.")
    _check(items)
    return items, notes


def _of_catalogue(
    train: Catalogue, net: Embedder, recipe: Recipe, options: FitOptions
) -> tuple[PhotoDataset, list[str]]:
    """The photos of known class, augmented as the recipe says."""
    photos, left_out = labelled(train, options.labels_from or ("identity",))
    flip, why = _mirroring(recipe, photos)
    look = net.preprocessing
    transform = TRAINING_TRANSFORMS[recipe.transform](
        look.image_size, look.mean, look.std, flip=flip, antialias=look.antialias, framing=look.framing
    )
    items = PhotoDataset(
        photos,
        transform,
        labels_from=options.labels_from or "identity",
        portrait=look.portrait,
        on_error="skip" if options.on_error == "skip" else "raise",
        seed=options.seed,
    ).cropped(Crop.of(options.crop))
    _check(items)
    return items, [note for note in (left_out, items.crop.check(photos), why) if note]


def _check(items: Any) -> None:
    """Refuse photos that can't be trained on."""
    source, labels = items.catalogue.source, items.labels
    if (labels < 0).any():
        raise WhalereidError(
            f"{source}: {int((labels < 0).sum())} of the data set's photos are of none of its classes; leave them out "
            "to train on it."
        )
    refuse_one_class(source, labels, items.classes)
    if items.on_error == "raise":
        check_files(items.catalogue, crop_of_items(items))


def _class(label: Any, index: int) -> int:
    if isinstance(label, Tensor | np.generic) and label.ndim == 0:
        label = label.item()
    return arguments.whole_number(label, f"train: the label of item {index}", 0)


def _mirroring(recipe: Recipe, photos: Catalogue) -> tuple[bool, str]:
    """Whether to mirror half of the photos, and why, in words."""
    sides = sides_told_apart(photos)
    if recipe.flip is None:
        if sides:
            told = f"left and right are told apart here (viewpoint {listing(sides, most=4)})"
            return False, f"Photos are not mirrored in training: {told}. --flip (flip=True) mirrors them all the same."
        return True, "Half of the photos are mirrored in training; where sides differ, --no-flip (flip=False) says no."
    return recipe.flip, f"{'Half of the photos' if recipe.flip else 'No photos'} are mirrored in training, as asked."
