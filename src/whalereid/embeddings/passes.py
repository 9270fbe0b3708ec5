"""NetworkPass: one network's way through the photos."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from whalereid.catalogue import Catalogue
from whalereid.embeddings.devices import PRECISIONS, autocast
from whalereid.embeddings.store import PartStore
from whalereid.embeddings.table import Embeddings, all_alike
from whalereid.errors import WhalereidError
from whalereid.models import Network
from whalereid.models.network import check_embeddings, name_of

__all__ = ["NetworkPass"]

# What a kill may cost: embeddings go to disk when this much was made.
_PART_SECONDS, _PART_PHOTOS = 60.0, 4096


class NetworkPass:
    """One network's way through the photos: what is made, what is on disk."""

    def __init__(
        self,
        name: str,
        network: Network,
        photos: Catalogue,
        provenance: dict[str, Any],
    ) -> None:
        self.name, self.network = name, network
        self._photos, self._ids, self._provenance = photos, photos.image_ids, provenance
        self._vectors = np.empty((len(photos), network.dim), np.float32)
        self.done = np.zeros(len(photos), bool)
        self._unwritten: list[np.ndarray] = []
        self._written_at = time.monotonic()
        self._store: PartStore | None = None

    def keep_in(self, store: PartStore) -> None:
        """Keep what is made in a store, and go on from what it holds."""
        self._store = store
        for there in store.read():
            rows = self._photos.rows(there.ids)
            self._vectors[rows] = there.vectors
            self.done[rows] = True

    def take(self, images: Tensor, rows: np.ndarray, *, flip: bool, precision: str) -> None:
        """Embed a batch, (B, 3, H, W) of the photos in these rows, (B,)."""
        new = ~self.done[rows]
        if not new.any():
            return
        if not new.all():
            images, rows = images[torch.from_numpy(new).to(images.device)], rows[new]
        views = torch.cat([images, images.flip(3)]) if flip else images
        with torch.inference_mode(), autocast(images.device, PRECISIONS[precision]):
            vectors = check_embeddings(self.network(views), len(views), self.network.dim, self.name).float()
        if flip:
            vectors = vectors.unflatten(0, (2, len(rows))).mean(dim=0)
        made = vectors.cpu().numpy()
        finite = np.isfinite(made).all(axis=1)
        if not finite.all():
            photo = self._ids[rows[np.flatnonzero(~finite)[0]]]
            way = "its weights are broken" if precision == "fp32" else "try precision fp32"
            raise WhalereidError(f"{self.name}: the vector of {photo!r} in {precision} isn't finite; {way}.")
        self._vectors[rows] = made
        self.done[rows] = True
        self._unwritten.append(rows)
        waiting = sum(map(len, self._unwritten))
        if waiting >= _PART_PHOTOS or time.monotonic() - self._written_at >= _PART_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Bring what was made since to disk."""
        if self._store is not None and self._unwritten:
            rows = np.concatenate(self._unwritten)
            self._store.add(Embeddings(self._ids[rows], self._vectors[rows], self._provenance))
        self._unwritten, self._written_at = [], time.monotonic()

    def stop(self) -> None:
        """Keep what was made for another run, as far as the disk takes it."""
        try:
            self.flush()
        except WhalereidError:  # what stopped it says more: this disk may be what was full
            self._unwritten = []
        if self._store is not None:
            self._store.stop()

    def kept_in_words(self) -> str:
        """Say how much of what is unfinished is on disk; "" if nothing is."""
        kept = 0 if self._store is None else self._store.on_disk()
        return f"{self._store.path}: {kept} of {len(self.done)} photos are kept" if self._store and kept else ""

    def finish(self, *, judged: bool) -> Embeddings:
        """Give what was made, in the catalogue's order; `judged`, vectors that are all alike are refused."""
        every = bool(self.done.all())
        ids, vectors = (self._ids, self._vectors) if every else (self._ids[self.done], self._vectors[self.done])
        if judged and all_alike(vectors):
            self._unwritten = []
            if self._store is not None:
                self._store.discard()
            which = f"{self.name} ({name_of(self.network)})"
            raise WhalereidError(
                f"{which}: the vectors of all {len(vectors)} photos are alike, so they tell nobody apart. Either the "
                "network is dead (broken weights, a layer that gives only zeros), or all photos show the same."
            )
        whole = Embeddings(ids, vectors, self._provenance)
        if self._store is not None:
            self.flush()
            self._store.finish(whole)
        return whole
