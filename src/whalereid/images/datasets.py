"""Photos of a catalogue as a network takes them: one at a time, or as pairs of two viewpoints of one animal."""

from __future__ import annotations

import operator
import os
import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Literal

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, default_collate, get_worker_info

from whalereid import arguments
from whalereid.catalogue import Catalogue
from whalereid.catalogue.schema import normalise_viewpoint
from whalereid.errors import WhalereidError, listing
from whalereid.images.classes import ClassName, class_labels, class_names, label_columns
from whalereid.images.photos import BBox, read_photo
from whalereid.images.transforms import Transform

__all__ = ["CrossViewPairs", "PhotoDataset", "UnreadablePhotoError", "collate"]

Item = tuple[torch.Tensor, int, int]


class UnreadablePhotoError(WhalereidError):
    """A photo of a data set can't be used; says so in one line, also out of a DataLoader's worker."""

    def __init__(self, message: str) -> None:
        # torch rebuilds an exception of a worker with the worker's whole traceback as its message.
        super().__init__(message.rpartition(f"{type(self).__name__}: ")[2].strip())


def collate(items: Sequence[Item | None]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Make a batch of items, leaving out those that were skipped; a DataLoader's ``collate_fn``.

    Parameters
    ----------
    items : sequence of B items of a `PhotoDataset` or `CrossViewPairs`
        None for a photo that was skipped.

    Returns
    -------
    tuple of tensors
        Images (b, ...) float32, labels (b,) int64 and rows (b,) int64, with b ≤ B. Where all were skipped, three
        empty tensors: a loop passes over a batch whose rows are empty.
    """
    arguments.instance(items, "items", Sequence, "a list of items of a data set")
    kept = [item for item in items if item is not None]
    if not all(isinstance(item, tuple) and len(item) == 3 and isinstance(item[0], torch.Tensor) for item in kept):
        raise WhalereidError("items has something else than items of a PhotoDataset or CrossViewPairs; give those.")
    if not kept:
        return torch.empty(0), torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.int64)
    images, labels, rows = default_collate(kept)
    return images, labels, rows


class _Photos(Dataset[Item | None]):
    """What both data sets share: reading a row of the catalogue, and the same pixels for the same seed."""

    def __init__(
        self,
        catalogue: Catalogue,
        transform: Transform,
        *,
        portrait: bool,
        on_error: Literal["raise", "skip"],
        seed: int,
    ) -> None:
        arguments.instance(catalogue, "catalogue", Catalogue, "a Catalogue (Catalogue.read(path) makes one)")
        if isinstance(transform, type) or not hasattr(transform, "set_random_state"):
            raise WhalereidError(
                f"transform is {type(transform).__name__}; an albumentations transform is needed, such as "
                "evaluation_transform(224) or TRAINING_TRANSFORMS['strong'](224)."
            )
        self.catalogue = catalogue
        self.transform = transform
        self.portrait = arguments.instance(portrait, "portrait", bool, "True or False")
        self.on_error: str = arguments.choice(on_error, "on_error", ("raise", "skip"))
        self.seed = arguments.seed(seed)
        self._paths = [os.fspath(path) for path in catalogue.paths]
        self._boxes = _boxes(catalogue)
        # Shared memory, so that workers that live on see a new epoch, and we see what they skipped.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self._unreadable = torch.zeros(len(catalogue), dtype=torch.bool).share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Draw anew: augmentations (and partners) depend on (seed, epoch, row) alone. Reaches running workers."""
        self._epoch.fill_(arguments.whole_number(epoch, "epoch", 0))

    @property
    def epoch(self) -> int:
        """The epoch that items are drawn for."""
        return int(self._epoch)

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Photos skipped so far, in the catalogue's order: (image_id, reason), also those that workers met."""
        ids = self.catalogue.image_ids
        return [(ids[row], self._reason(row)) for row in self._unreadable.nonzero()[:, 0].tolist()]

    def read(self, row: int) -> np.ndarray:
        """Read one photo as it is before the transform: (H, W, 3) uint8 RGB, cropped and turned."""
        row = _position(row, len(self._paths), "row")
        return read_photo(self._paths[row], self._boxes[row] if self._boxes else None, self.portrait)

    def _reason(self, row: int) -> str:
        try:
            self.read(row)
        except WhalereidError as error:
            return str(error)
        return f"{self._paths[row]}: couldn't be read at the time; it can now."

    def _read_or_note(self, row: int) -> np.ndarray | None:
        if get_worker_info() is not None:
            _one_thread(os.getpid())
        try:
            return self.read(row)
        except WhalereidError as error:
            if self.on_error == "raise":
                raise UnreadablePhotoError(str(error)) from None
            self._unreadable[row] = True
            return None

    def _seed_transform(self, row: int) -> None:
        # One stream for all steps: set_random_seed would give each its own, all alike, so that the steps' coin tosses
        # came down together.
        generator = np.random.default_rng((self.seed, self.epoch, row))
        self.transform.set_random_state(generator, random.Random(int(generator.integers(2**63))))

    def _transformed(self, pixels: np.ndarray) -> torch.Tensor:
        return self.transform(image=pixels)["image"]


class PhotoDataset(_Photos):
    """The photos of a catalogue: item i is (image (3, H, W) float32, label, row i).

    What an item looks like depends on (seed, epoch, row) alone, whatever the number of workers or the order.

    Parameters
    ----------
    catalogue : Catalogue of N photos
        Their ``bbox``, where known, is cut out.
    transform : albumentations transform
        uint8 RGB → {"image": float32 tensor}, such as `evaluation_transform`'s or a training transform.
    identities : sequence of str, optional
        The animals to learn; by default the catalogue's own. A photo of none of them has label -1.
    labels_from : str or sequence of str
        The columns whose values together are a photo's class. ``["identity", "viewpoint"]`` makes each flank of an
        animal a class of its own; a photo that lacks one of the values has label -1.
    portrait : bool
        Turn landscape photos by 90° clockwise.
    on_error : "raise" or "skip"
        A photo that can't be read raises, or its item is None: use `collate` in the DataLoader, and see `skipped`.
    seed : int
        Of the augmentations.

    Attributes
    ----------
    classes : tuple
        What labels index into, as `class_names` lists it: the identities where labels are those.
    labels : ndarray of shape (N,), int64
        Each photo's class; -1 where it has none.

    Raises
    ------
    WhalereidError
        An option that can't be, a path that leaves the catalogue's root; and from an item, naming the file, a photo
        that can't be read.

    Examples
    --------
    >>> import pandas as pd
    >>> from whalereid.images import evaluation_transform
    >>> photos = Catalogue(pd.DataFrame({"image_id": ["a"], "path": ["a.jpg"], "identity": ["nanuq"]}))
    >>> dataset = PhotoDataset(photos, evaluation_transform(224), on_error="skip")
    >>> dataset[0], dataset.skipped
    (None, [('a', 'a.jpg: no such file.')])
    """

    def __init__(
        self,
        catalogue: Catalogue,
        transform: Transform,
        *,
        identities: Sequence[str] | None = None,
        labels_from: str | Sequence[str] = "identity",
        portrait: bool = False,
        on_error: Literal["raise", "skip"] = "raise",
        seed: int = 0,
    ) -> None:
        super().__init__(catalogue, transform, portrait=portrait, on_error=on_error, seed=seed)
        self.labels_from = label_columns(labels_from)
        self.identities = catalogue.identities if identities is None else _names(identities)
        self._chosen = identities is not None
        learned = catalogue if identities is None else catalogue[catalogue.labels(self.identities) >= 0]
        self.classes: tuple[ClassName, ...] = (
            self.identities if self.labels_from == ("identity",) else class_names(learned, self.labels_from)
        )
        self.labels = self.labels_of(catalogue)

    def labels_of(self, photos: Catalogue) -> np.ndarray:
        """(N,) int64: the class of each of these photos among those learned here; -1 where it has none of them."""
        labels = class_labels(photos, self.labels_from, self.classes)
        return np.where(photos.labels(self.identities) >= 0, labels, -1) if self._chosen else labels

    @property
    def used(self) -> np.ndarray:
        """(N,) int64: the catalogue's rows of the photos that items show, all of them."""
        return np.arange(len(self))

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> Item | None:
        row = _position(index, len(self), "index")
        pixels = self._read_or_note(row)
        if pixels is None:
            return None
        self._seed_transform(row)
        return self._transformed(pixels), int(self.labels[row]), row


class CrossViewPairs(_Photos):
    """Pairs of two viewpoints of one animal: an anchor, and a partner drawn anew each epoch.

    Item i is (images (2, 3, H, W) float32, label, row of the anchor). There is one item for each photo of an anchor
    viewpoint whose identity also has photos of a partner viewpoint.

    Parameters
    ----------
    catalogue : Catalogue
        With known ``identity`` and ``viewpoint``.
    transform : albumentations transform
        As for `PhotoDataset`; the two photos are augmented independently.
    anchor, partner : str or sequence of str
        Viewpoints; none may be both.
    identities : sequence of str, optional
        What labels index into; by default those that have pairs, sorted, so that no class is without photos.
    portrait, on_error, seed : bool, "raise" or "skip", int
        As for `PhotoDataset`. An item is skipped if either of its photos can't be read.
    fixed : bool
        Draw the partners once and keep them in every epoch, as the beluga competition's winner did.

    Raises
    ------
    WhalereidError
        As for `PhotoDataset`, and where no identity has both viewpoints.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        transform: Transform,
        anchor: str | Sequence[str] = ("top",),
        partner: str | Sequence[str] = ("left", "right"),
        *,
        identities: Sequence[str] | None = None,
        portrait: bool = False,
        on_error: Literal["raise", "skip"] = "raise",
        seed: int = 0,
        fixed: bool = False,
    ) -> None:
        super().__init__(catalogue, transform, portrait=portrait, on_error=on_error, seed=seed)
        self.anchor, self.partner = _viewpoints(anchor, "anchor"), _viewpoints(partner, "partner")
        self.fixed = arguments.instance(fixed, "fixed", bool, "True or False")
        both = sorted(set(self.anchor) & set(self.partner))
        if both:
            raise WhalereidError(f"viewpoint {listing(both)} is both anchor and partner; a pair needs two viewpoints.")
        viewpoint = catalogue.column("viewpoint")
        own = catalogue.labels()
        is_partner = viewpoint.isin(self.partner).to_numpy(bool) & (own >= 0)
        is_anchor = viewpoint.isin(self.anchor).to_numpy(bool) & (own >= 0)
        #: (n,) int64, the catalogue's row of each item's anchor.
        self.rows = np.flatnonzero(is_anchor & np.isin(own, own[is_partner]))
        if not len(self.rows):
            there = ", ".join(f"{name} ({n})" for name, n in catalogue.counts("viewpoint").items()) or "none known"
            raise WhalereidError(
                f"{catalogue.source}: no identity has photos both of {' or '.join(self.anchor)} and of "
                f"{' or '.join(self.partner)}, so there are no pairs; viewpoints of its photos: {there}."
            )
        by_identity = np.flatnonzero(is_partner)
        by_identity = by_identity[np.argsort(own[by_identity], kind="stable")]
        starts = np.searchsorted(own[by_identity], own[self.rows], side="left")
        ends = np.searchsorted(own[by_identity], own[self.rows], side="right")
        self._partner_rows, self._starts, self._ends = by_identity, starts, ends
        if identities is None:
            identities = [catalogue.identities[label] for label in np.unique(own[self.rows])]
        self.identities = _names(identities)
        self.labels_from = ("identity",)  # the two photos of a pair share their label, whatever else differs
        self.classes: tuple[ClassName, ...] = self.identities
        self.labels = self.labels_of(catalogue)[self.rows]

    def labels_of(self, photos: Catalogue) -> np.ndarray:
        """(N,) int64: the identity of each of these photos among those learned here; -1 where it is none of them."""
        return photos.labels(self.identities)

    @property
    def used(self) -> np.ndarray:
        """(m,) int64, ascending: the catalogue's rows of the photos that items may show, anchors and partners."""
        partners = np.isin(self.catalogue.labels()[self._partner_rows], self.catalogue.labels()[self.rows])
        return np.union1d(self.rows, self._partner_rows[partners])

    def __len__(self) -> int:
        return len(self.rows)

    def partner_row(self, index: int) -> int:
        """Row of the partner of item `index` in this epoch."""
        index = _position(index, len(self), "index")
        start, end = int(self._starts[index]), int(self._ends[index])
        # A stream of its own (the last 1), so that fixed partners leave the augmentations as they were.
        generator = np.random.default_rng((self.seed, 0 if self.fixed else self.epoch, int(self.rows[index]), 1))
        return int(self._partner_rows[generator.integers(start, end)])

    def __getitem__(self, index: int) -> Item | None:
        index = _position(index, len(self), "index")
        row = int(self.rows[index])
        first, second = self._read_or_note(row), self._read_or_note(self.partner_row(index))
        if first is None or second is None:
            return None
        self._seed_transform(row)
        images = torch.stack([self._transformed(first), self._transformed(second)])
        return images, int(self.labels[index]), row


@cache
def _one_thread(process: int) -> None:
    """Keep a worker's OpenCV to one thread: the workers are the parallelism."""
    cv2.setNumThreads(0)


def _boxes(catalogue: Catalogue) -> list[BBox | None] | None:
    known = catalogue.known("bbox")
    if not known.any():
        return None
    return [box if there else None for there, box in zip(known, catalogue.column("bbox"), strict=True)]


def _viewpoints(names: str | Sequence[str], name: str) -> tuple[str, ...]:
    held = arguments.texts(names, name, "viewpoints, such as ['left', 'right']")
    if not held:
        raise WhalereidError("anchor and partner each need at least one viewpoint, such as 'top'.")
    return tuple(normalise_viewpoint(text) for text in held)


def _names(identities: Sequence[str]) -> tuple[str, ...]:
    names = arguments.texts(identities, "identities", "names of animals, such as catalogue.identities")
    if len(set(names)) < len(names):
        twice = [name for name, n in Counter(names).items() if n > 1]
        raise WhalereidError(f"identities has {listing(map(repr, twice), most=3)} twice; give each animal once.")
    return names


def _position(index: int, n: int, name: str) -> int:
    """The place from 0 of an index that may count from the end; IndexError beyond, so that loops end."""
    try:
        place = operator.index(index)
    except TypeError:
        raise WhalereidError(f"{name} is {index!r:.60}; give one whole number: items come one at a time.") from None
    return range(n)[place]
