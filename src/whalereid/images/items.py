"""What data sets of photos share: reading a row of the catalogue, drawing alike for the same seed, and batches."""

from __future__ import annotations

import copy
import operator
import os
import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Literal, Self

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, default_collate, get_worker_info

from whalereid import arguments
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.images.cropping import Crop
from whalereid.images.photos import PhotoReader
from whalereid.images.transforms import Transform

__all__ = ["Item", "PhotoItems", "UnreadablePhotoError", "collate", "identity_names", "position"]

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


class PhotoItems(Dataset[Item | None]):
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
        self._begin(Crop())

    def _begin(self, crop: Crop) -> None:
        self.crop = crop
        self._photos = PhotoReader(self.catalogue, crop, self.portrait)
        # Shared memory, so that workers that live on see a new epoch, and we see what they skipped.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self._unreadable = torch.zeros(len(self.catalogue), dtype=torch.bool).share_memory_()

    def cropped(self, crop: Crop) -> Self:
        """Return another data set of the same items, whose photos are cut so; by default boxes are cut as they are.

        Raises
        ------
        WhalereidError
            The background is to be hidden, and no photo has a mask.
        """
        arguments.instance(crop, "crop", Crop, "a Crop, such as Crop(pad=0.1)").check(self.catalogue)
        other = copy.copy(self)
        other._begin(crop)
        return other

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
        return self._photos.read(position(row, len(self.catalogue), "row"))

    def _reason(self, row: int) -> str:
        try:
            self.read(row)
        except WhalereidError as error:
            return str(error)
        return f"{self._photos.paths[row]}: couldn't be read at the time; it can now."

    def read_or_note(self, row: int) -> np.ndarray | None:
        """Read one photo; None where it can't be and is to be skipped, which is noted."""
        if get_worker_info() is not None:
            _one_thread(os.getpid())
        try:
            return self.read(row)
        except WhalereidError as error:
            if self.on_error == "raise":
                raise UnreadablePhotoError(str(error)) from None
            self._unreadable[row] = True
            return None

    def seed_transform(self, row: int) -> None:
        """Let what the transform draws next depend on (seed, epoch, row) alone."""
        # One stream for all steps: set_random_seed would give each its own, all alike, so that the steps' coin tosses
        # came down together.
        generator = np.random.default_rng((self.seed, self.epoch, row))
        self.transform.set_random_state(generator, random.Random(int(generator.integers(2**63))))

    def transformed(self, pixels: np.ndarray) -> torch.Tensor:
        """(3, H, W) float32: a photo as the transform makes it."""
        return self.transform(image=pixels)["image"]


@cache
def _one_thread(process: int) -> None:
    """Keep a worker's OpenCV to one thread: the workers are the parallelism."""
    cv2.setNumThreads(0)


def identity_names(identities: Sequence[str]) -> tuple[str, ...]:
    """Return names of animals as a tuple; one that stands there twice is refused."""
    names = arguments.texts(identities, "identities", "names of animals, such as catalogue.identities")
    if len(set(names)) < len(names):
        twice = [name for name, n in Counter(names).items() if n > 1]
        raise WhalereidError(f"identities has {listing(map(repr, twice), most=3)} twice; give each animal once.")
    return names


def position(index: int, n: int, name: str) -> int:
    """The place from 0 of an index that may count from the end; IndexError beyond, so that loops end."""
    try:
        place = operator.index(index)
    except TypeError:
        raise WhalereidError(f"{name} is {index!r:.60}; give one whole number: items come one at a time.") from None
    return range(n)[place]
