"""Photos of a catalogue as a network takes them, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from whalereid.catalogue import Catalogue
from whalereid.images.classes import ClassName, class_labels, class_names, label_columns
from whalereid.images.items import Item, PhotoItems, identity_names, position
from whalereid.images.transforms import Transform

__all__ = ["PhotoDataset"]


class PhotoDataset(PhotoItems):
    """The photos of a catalogue: item i is (image (3, H, W) float32, label, row i).

    What an item looks like depends on (seed, epoch, row) alone, whatever the number of workers or the order.

    Parameters
    ----------
    catalogue : Catalogue of N photos
        Their ``bbox`` or, where they have none, the bounds of their ``mask`` are cut out; see `cropped`.
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
        self.identities = catalogue.identities if identities is None else identity_names(identities)
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
        return len(self.catalogue)

    def __getitem__(self, index: int) -> Item | None:
        row = position(index, len(self), "index")
        pixels = self.read_or_note(row)
        if pixels is None:
            return None
        self.seed_transform(row)
        return self.transformed(pixels), int(self.labels[row]), row
