"""Animals that a table gives two names: one box of one photo under several identities."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from whalereid.catalogue.finding import EXAMPLES, Finding, finding
from whalereid.catalogue.table import Catalogue

__all__ = ["findings_of_boxes"]

SAME = 0.9
"""Of two boxes: how much of what they cover they share, from which on they mean one animal."""

_NEIGHBOURS = 32  # boxes of a photo, by their left edge, that each is compared with


def findings_of_boxes(catalogue: Catalogue) -> list[Finding]:
    """Rows of one photo and one box, or of one photo without boxes, under different identities."""
    if not catalogue.n_identities:
        return []
    pairs = list(_conflicts(catalogue))
    ids, names = catalogue.image_ids, catalogue.column("identity").to_numpy(object)
    paths = catalogue.column("path").to_numpy(object)
    examples = (
        f"{ids[one]} ({names[one]}) and {ids[other]} ({names[other]}): {paths[one]}" for one, other in pairs[:EXAMPLES]
    )
    advice = "One of the two is wrong, or the boxes of two animals are missing: a row without a box is the whole photo."
    message = "photos or boxes that stand there again under another identity"
    offenders = dict.fromkeys(ids[other] for _, other in pairs)
    return finding("box-conflicts", "warning", message, advice, offenders, examples)


def _conflicts(catalogue: Catalogue) -> Iterator[tuple[int, int]]:
    """Pairs of rows, the earlier first, in the order of the later."""
    identity = pd.factorize(catalogue.column("identity"))[0]
    photo = pd.factorize(catalogue.column("path"))[0]
    several = (np.bincount(photo) > 1)[photo] & (identity >= 0)
    rows = np.flatnonzero(several)
    boxes = np.full((len(rows), 4), np.nan)
    if "bbox" in catalogue.columns:
        given = catalogue.column("bbox").to_numpy(object)[rows]
        for place, box in enumerate(given):
            if isinstance(box, tuple):
                boxes[place] = box
    # Boxes of one photo stand side by side, by their left edge; the whole photo comes last.
    order = np.lexsort((rows, boxes[:, 0], photo[rows]))
    rows, boxes = rows[order], boxes[order]
    found: set[tuple[int, int]] = set()
    for step in range(1, min(_NEIGHBOURS, len(rows) - 1) + 1):
        one, other = slice(None, -step), slice(step, None)
        same = photo[rows[one]] == photo[rows[other]]
        if not same.any():
            break
        clash = same & (identity[rows[one]] != identity[rows[other]]) & _are_one(boxes[one], boxes[other])
        found |= {
            (min(pair), max(pair)) for pair in zip(rows[one][clash].tolist(), rows[other][clash].tolist(), strict=True)
        }
    yield from sorted(found, key=lambda pair: pair[::-1])


def _are_one(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) bool: whether each two boxes share nearly all that they cover, or both are missing."""
    ends, other_ends = boxes[:, :2] + boxes[:, 2:], others[:, :2] + others[:, 2:]
    sides = np.minimum(ends, other_ends) - np.maximum(boxes[:, :2], others[:, :2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    union = boxes[:, 2:].prod(axis=1) + others[:, 2:].prod(axis=1) - shared
    missing = np.isnan(boxes[:, 0]) & np.isnan(others[:, 0])
    return np.asarray((shared >= SAME * union) | missing)
