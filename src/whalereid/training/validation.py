"""How good a network is on photos kept back: retrieval among them, and the head's loss where it knows the animals."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np
import torch
from torch import nn

from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings, Extraction, embed_as_is
from whalereid.embeddings.table import all_alike
from whalereid.errors import WhalereidError
from whalereid.evaluation import Hits, Labels, average_precision, top_k
from whalereid.images import CrossViewPairs
from whalereid.models import Embedder
from whalereid.ranking import CandidateRules, Ensemble, Member, Task
from whalereid.training.items import TrainingItems, crop_of_items

__all__ = ["Validation", "ValidationScores", "default_rules"]

_K = 20
_LOSS_BATCH = 4096


def default_rules(photos: Catalogue) -> CandidateRules:
    """Return the rules of a validation that nobody named: never of the same encounter, where encounters are known."""
    return CandidateRules(exclude=("encounter",) if photos.known("encounter").any() else ())


@dataclass(frozen=True)
class ValidationScores:
    """What one look at the validation photos gave; NaN where there was nothing to measure.

    Attributes
    ----------
    loss : float
        Mean over photos (or pairs) of classes that the head knows.
    mean_average_precision, top_1 : float
        mAP@20 and top-1 of the queries that have a relevant candidate.
    """

    loss: float = float("nan")
    mean_average_precision: float = float("nan")
    top_1: float = float("nan")


class Validation:
    """Photos kept back from training, who is looked for among whom, and by which rules.

    Every photo of known identity is looked for among all others; after training on pairs, every photo of an anchor
    viewpoint among those of the partners' viewpoints. Queries without a relevant candidate are left out.

    Parameters
    ----------
    photos : Catalogue
        The validation part.
    items : TrainingItems
        What is trained on: its classes are the head's.
    rules : CandidateRules, optional
        Who may be a candidate; by default `default_rules` of the photos.

    Attributes
    ----------
    photos : Catalogue
        The validation part.
    rules : CandidateRules
    notes : list of str
        What there is to say of photos that were skipped.
    n_queries : int
        Queries that have a relevant candidate.
    n_losses : int
        Photos or pairs that the head's loss is taken over.

    Raises
    ------
    WhalereidError
        There are no photos, none has a mask that its background could be hidden by, or a column is unknown.
    """

    def __init__(
        self,
        photos: Catalogue,
        items: TrainingItems,
        rules: CandidateRules | None = None,
    ) -> None:
        if not len(photos):
            raise WhalereidError(f"{photos.source}: the validation part has no photos.")
        self.rules = default_rules(photos) if rules is None else rules
        self.notes: list[str] = []
        self._items, self._crop = items, crop_of_items(items)
        self._crop.check(photos)
        self._pairs = items if isinstance(items, CrossViewPairs) else None
        self._take(photos)

    @property
    def n_queries(self) -> int:
        """Queries that have a relevant candidate."""
        return len(self._queries)

    @property
    def n_losses(self) -> int:
        """Photos or pairs that the head's loss is taken over."""
        return len(self._loss_labels)

    def measure(
        self,
        net: Embedder,
        head: nn.Module,
        *,
        precision: str = "auto",
        device: torch.device | None = None,
        workers: int | None = None,
        on_error: Literal["raise", "skip"] = "raise",
    ) -> ValidationScores:
        """Embed the photos, rank them, and take the head's loss; photos that are skipped once are left out for good."""
        with warnings.catch_warnings(record=True) as told:
            how = Extraction(precision, device, workers=workers, on_error=on_error, crop=self._crop)
            vectors = embed_as_is(net, self.photos, extraction=how)
        if len(vectors) < len(self.photos):
            self.notes += [str(warning.message) for warning in told]
            self._take(self.photos.subset(vectors.ids))
        average = first = float("nan")
        if self.n_queries and all_alike(vectors.vectors):
            average = first = 0.0  # it tells no photos apart, so it can't rank them
        elif self.n_queries:
            ensemble = Ensemble([Member("validation", vectors)])
            ranking = ensemble.rank(self._queries, self._database, _K, rules=self.rules)
            hits = Hits.of(ranking, self._labels)
            average = float(np.nanmean(average_precision(hits.hit, hits.scores, hits.relevant, k=_K)))
            first = float(np.nanmean(top_k(hits.hit, hits.relevant, k=1)))
        # A head need not have weights to tell where it is; in training it is where the network is.
        place = next((weight.device for weight in chain(head.parameters(), net.parameters())), torch.device("cpu"))
        return ValidationScores(self._loss(vectors, head, place), average, first)

    def _take(self, photos: Catalogue) -> None:
        self.photos = photos
        wanted = photos.known("identity")
        self._database = photos
        if self._pairs is not None:
            wanted = wanted & photos.column("viewpoint").isin(self._pairs.anchor).to_numpy(bool)
            self._database = photos.filter(viewpoint=list(self._pairs.partner))
        ids = tuple(photos.image_ids[wanted])
        if ids:
            task = Task("validation", ids, ids, tuple(self._database.image_ids), self.rules)
            self._labels = Labels.implied(photos, [task])
            ids = tuple(self._labels.query_ids)
        self._queries = photos.subset(ids)
        rows = self._loss_rows(photos)
        self._loss_labels = torch.from_numpy(self._items.labels_of(photos)[rows[0]])
        self._loss_rows_by_view = rows

    def _loss_rows(self, photos: Catalogue) -> list[np.ndarray]:
        """Of each view, the rows of the photos (or of the pairs' photos) whose class the head knows."""
        if self._pairs is None:
            return [np.flatnonzero(self._items.labels_of(photos) >= 0)]
        pairs = self._pairs
        try:
            known_pairs = CrossViewPairs(
                photos, pairs.transform, pairs.anchor, pairs.partner, identities=pairs.identities
            )
        except WhalereidError:  # no animal here has both viewpoints
            return [np.zeros(0, np.int64)]
        known_pairs.fix_partners()
        known = np.flatnonzero(known_pairs.labels >= 0)
        return [
            known_pairs.rows[known],
            np.array([known_pairs.partner_row(int(item)) for item in known], np.int64),
        ]

    @torch.no_grad()
    def _loss(self, vectors: Embeddings, head: nn.Module, device: torch.device) -> float:
        if not self.n_losses:
            return float("nan")
        head.eval()
        total = 0.0
        for items in torch.arange(self.n_losses).split(_LOSS_BATCH):
            labels = self._loss_labels[items].to(device)
            for rows in self._loss_rows_by_view:
                embeddings = torch.from_numpy(vectors.vectors[rows[items.numpy()]]).to(device)
                total += float(head(embeddings, labels)) * len(items)
        return total / self.n_losses
