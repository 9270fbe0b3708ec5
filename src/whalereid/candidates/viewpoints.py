"""A rule on which viewpoints can be compared at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from whalereid.arguments import instance, texts
from whalereid.candidates.columns import refuse_empty
from whalereid.candidates.rule import Compared, PhotoTable, check_unknown
from whalereid.errors import WhalereidError
from whalereid.text import normalise_viewpoint

__all__ = ["Viewpoints"]


@dataclass(frozen=True)
class Viewpoints:
    """Only these pairs of viewpoints are compared: a left flank shows nothing of the right one.

    Attributes
    ----------
    pairs : sequence of str
        Such as ``("left/left", "left/front", "front/front")``; a pair holds both ways, and ``up`` is ``top`` as in a
        catalogue.
    column : str, default="viewpoint"
        Holds the viewpoints.
    unknown : {"nothing", "anything"}, default="nothing"
        What a missing viewpoint is compared with: nothing, or anything.
    """

    pairs: Sequence[str]
    column: str = "viewpoint"
    unknown: Literal["nothing", "anything"] = "nothing"

    def __post_init__(self) -> None:
        wanted = "pairs of viewpoints, such as 'left/left'"
        pairs = texts(self.pairs, "viewpoints: pairs", wanted)
        sides = [[side for side in map(normalise_viewpoint, pair.split("/")) if side] for pair in pairs]
        wrong = [pair for pair, found in zip(pairs, sides, strict=True) if len(found) != 2]
        if wrong or not pairs:
            raise WhalereidError(f"viewpoints: pairs is {wrong[0] if wrong else 'empty'!r}; give {wanted}.")
        object.__setattr__(self, "pairs", tuple("/".join(found) for found in sides))
        instance(self.column, "viewpoints: column", str, "the name of a column")
        check_unknown(self.unknown, "viewpoints")

    def bind(self, queries: PhotoTable, database: PhotoTable) -> Compared:
        """Read the viewpoints; see `Rule.bind`."""
        pairs = [tuple(pair.split("/")) for pair in self.pairs]
        names = pd.Index(sorted({side for pair in pairs for side in pair}), dtype=object)
        allowed = np.zeros((len(names) + 2, len(names) + 2), bool)  # the last two: not in the table, and unknown
        for one, other in pairs:
            allowed[names.get_loc(one), names.get_loc(other)] = allowed[names.get_loc(other), names.get_loc(one)] = True
        allowed[-1, :] = allowed[:, -1] = self.unknown == "anything"
        seen = [photos.column(self.column) for photos in (queries, database)]
        query, candidate = (view.isna().to_numpy(bool) for view in seen)
        refuse_empty(self.column, query, candidate, queries)
        query, candidate = (_codes(view, names) for view in seen)
        return Compared(query, candidate, lambda query, candidate: allowed[query, candidate])

    def in_words(self) -> str:
        """``viewpoints left/left or left/front``."""
        return f"viewpoints {' or '.join(self.pairs)}"


def _codes(views: pd.Series, names: pd.Index) -> np.ndarray:
    codes = np.asarray(names.get_indexer(pd.Index(views.to_numpy(object))), np.int64)
    codes[codes < 0] = len(names)
    codes[views.isna().to_numpy(bool)] = len(names) + 1
    return codes
