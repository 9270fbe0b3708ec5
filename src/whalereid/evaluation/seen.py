"""Seen: how much of a score rests on animals, photos and encounters that the network was trained on."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import pandas as pd

from whalereid.catalogue import Catalogue, TrainedOn

if TYPE_CHECKING:
    from whalereid.evaluation.report import Report

__all__ = ["notes_of_seen", "trained_on_of"]


def trained_on_of(given: TrainedOn | Catalogue | Collection[str]) -> TrainedOn:
    """Take down what someone names as trained on: photos, or animals alone."""
    if isinstance(given, TrainedOn):
        return given
    return TrainedOn.of(given) if isinstance(given, Catalogue) else TrainedOn.of_identities(given)


def notes_of_seen(report: Report) -> list[str]:
    """Say in words how far the headline rests on what was trained on; a sentence each, the gravest first."""
    learnt = report.trained_on
    if learnt is None:
        return [
            "what was trained on isn't known here: if some of these animals were, the figures flatter; "
            "name the training photos with --train (in Python trained_on=)"
        ]
    if report.seen is None:
        return ["which queries are of animals that were trained on can't be told without the photos' table"]
    assert report.catalogue is not None
    assert report.query_images is not None
    scored = report.hits.scored
    at, images = pd.factorize(report.query_images[scored])
    photos, n, metric = report.catalogue.subset(images), len(at), report.seen.columns[2]
    seen = learnt.has_identities(report.query_column("identity")[scored])
    notes = []
    if seen.any():
        very = int(learnt.has_photos(photos)[at].sum())
        if "unseen" in report.seen.index:
            on_seen, on_unseen = report.seen[metric][["seen", "unseen"]]
            told = f"{metric} {on_seen:.4f} on these, {on_unseen:.4f} on animals never seen"
        else:
            told = "how well it ranks animals never seen isn't told here"
        notes.append(
            f"Warning: {int(seen.sum()):,} of {n:,} queries are of animals that were trained on"
            f"{f', {very:,} of them the very photos' if very else ''}, which flatters: {told}"
        )
    else:
        notes.append("no query is of an animal that was trained on")
    chose = int(learnt.chose_by(photos)[at].sum())
    if chose:
        notes.append(f"the epoch that was kept was chosen by {chose:,} of these photos, which flatters a little")
    if "encounter" in report.catalogue.columns:
        met = int((learnt.has_encounters(report.query_column("encounter")[scored]) & ~seen).sum())
        if met:
            notes.append(f"of animals not trained on, but of encounters that were: {met:,} queries")
    return notes
