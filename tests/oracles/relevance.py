"""Who is relevant to whom, photo by photo: the slow, obvious reading of candidate rules."""

from __future__ import annotations

import pandas as pd

from whalereid.ranking import Task


def is_candidate(frame: pd.DataFrame, query: str, photo: str, task: Task) -> bool:
    """Whether one photo may be compared with one query; `frame` is indexed by image_id."""
    if photo == query or photo not in task.database_images:
        return False
    ours, theirs = frame.loc[query], frame.loc[photo]
    excluded = any(pd.notna(ours[c]) and ours[c] == theirs[c] for c in task.rules.exclude)
    matched = all(pd.notna(ours[c]) and ours[c] == theirs[c] for c in task.rules.match)
    return matched and not excluded


def relevant(frame: pd.DataFrame, task: Task) -> dict[str, set[str]]:
    """The relevant photos of each query id; queries without one are left out."""
    found: dict[str, set[str]] = {}
    for query_id, query in zip(task.query_ids, task.query_images, strict=True):
        identity = frame.loc[query, "identity"]
        photos = {
            photo
            for photo in task.database_images
            if pd.notna(identity)
            and frame.loc[photo, "identity"] == identity
            and is_candidate(frame, query, photo, task)
        }
        if photos:
            found[query_id] = photos
    return found
