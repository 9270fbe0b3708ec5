"""Seen: how much of a score rests on animals, photos and encounters that the network was trained on."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from whalereid.catalogue import Catalogue, TrainedOn
from whalereid.evaluation.scored import ScoredRanking

__all__ = ["notes_of_seen", "trained_on_of"]


def trained_on_of(given: TrainedOn | Catalogue | Collection[str]) -> TrainedOn:
    """Take down what someone names as trained on: photos, or animals alone."""
    if isinstance(given, TrainedOn):
        return given
    return TrainedOn.of(given) if isinstance(given, Catalogue) else TrainedOn.of_identities(given)


def notes_of_seen(scored: ScoredRanking, by_seen: pd.DataFrame | None) -> list[str]:
    """Say in words how far the headline rests on what was trained on; a sentence each, the gravest first.

    Parameters
    ----------
    scored : ScoredRanking
    by_seen : DataFrame or None
        The report's breakdown by ``seen``.
    """
    learnt = scored.trained_on
    if learnt is None:
        return [
            "what was trained on isn't known here: if some of these animals were, the figures flatter; "
            "name the training photos with --train (in Python trained_on=)"
        ]
    if by_seen is None:
        return ["which queries are of animals that were trained on can't be told without the photos' table"]
    assert scored.catalogue is not None
    assert scored.query_images is not None
    counted = scored.hits.scored
    at, images = pd.factorize(scored.query_images[counted])
    photos, n, metric = scored.catalogue.subset(images), len(at), by_seen.columns[2]
    seen = learnt.has_identities(scored.query_column("identity")[counted])
    notes = []
    if seen.any():
        same = int(learnt.has_photos(photos)[at].sum())
        if "unseen" in by_seen.index:
            on_seen, on_unseen = by_seen[metric][["seen", "unseen"]]
            told = f"{metric} {on_seen:.4f} on these, {on_unseen:.4f} on animals never seen"
        else:
            told = "how well it ranks animals never seen isn't told here"
        notes.append(
            f"Warning: {int(seen.sum()):,} of {n:,} queries are of animals that were trained on"
            f"{f', {same:,} of them the very photos' if same else ''}, which flatters: {told}"
        )
    else:
        notes.append("no query is of an animal that was trained on")
    chose = int(learnt.chose_by(photos)[at].sum())
    if chose:
        notes.append(f"the epoch that was kept was chosen by {chose:,} of these photos, which flatters a little")
    if "encounter" in scored.catalogue.columns:
        met = int((learnt.has_encounters(scored.query_column("encounter")[counted]) & ~seen).sum())
        if met:
            notes.append(f"of animals not trained on, but of encounters that were: {met:,} queries")
    return notes
