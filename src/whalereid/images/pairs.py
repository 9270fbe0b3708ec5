"""Pairs of photos: two viewpoints of one animal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

from whalereid import arguments
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, listing
from whalereid.images.classes import ClassName
from whalereid.images.items import Item, PhotoItems, identity_names, position
from whalereid.images.transforms import Transform
from whalereid.text import normalise_viewpoint

__all__ = ["CrossViewPairs"]


class CrossViewPairs(PhotoItems):
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

    Attributes
    ----------
    fixed : bool
        Whether the partners stay the same in every epoch; see `fix_partners`.

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
    ) -> None:
        super().__init__(catalogue, transform, portrait=portrait, on_error=on_error, seed=seed)
        self.anchor, self.partner = _viewpoints(anchor, "anchor"), _viewpoints(partner, "partner")
        self.fixed = False
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
        self.identities = identity_names(identities)
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

    def fix_partners(self) -> CrossViewPairs:
        """Keep the partners of the first epoch in every other, as the beluga competition's winner did; returns self."""
        self.fixed = True
        return self

    def partner_row(self, index: int) -> int:
        """Row of the partner of item `index` in this epoch."""
        index = position(index, len(self), "index")
        start, end = int(self._starts[index]), int(self._ends[index])
        # A stream of its own (the last 1), so that fixed partners leave the augmentations as they were.
        generator = np.random.default_rng((self.seed, 0 if self.fixed else self.epoch, int(self.rows[index]), 1))
        return int(self._partner_rows[generator.integers(start, end)])

    def __getitem__(self, index: int) -> Item | None:
        index = position(index, len(self), "index")
        row = int(self.rows[index])
        first, second = self.read_or_note(row), self.read_or_note(self.partner_row(index))
        if first is None or second is None:
            return None
        self.seed_transform(row)
        images = torch.stack([self.transformed(first), self.transformed(second)])
        return images, int(self.labels[index]), row


def _viewpoints(names: str | Sequence[str], name: str) -> tuple[str, ...]:
    viewpoints = arguments.texts(names, name, "viewpoints, such as ['left', 'right']")
    if not viewpoints:
        raise WhalereidError("anchor and partner each need at least one viewpoint, such as 'top'.")
    return tuple(normalise_viewpoint(text) for text in viewpoints)
