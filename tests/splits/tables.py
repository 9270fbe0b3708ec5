"""Tables of photos to split: given outright, or any that hypothesis thinks of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from whalereid.catalogue import Catalogue


def table(**columns: Sequence[Any]) -> Catalogue:
    """A catalogue of these columns; photos are called p000, p001, ..."""
    ids = [f"p{row:03d}" for row in range(len(next(iter(columns.values()))))]
    return Catalogue(pd.DataFrame({"image_id": ids, "path": ids, **columns}), source="photos.csv")


@st.composite
def tables(draw: st.DrawFn, *, shared_encounters: bool = True, gaps: bool = True, most: int = 24) -> Catalogue:
    """Up to `most` photos of two identities or more, with days; encounters of one identity, or of several."""
    n = draw(st.integers(4, most))
    n_identities = draw(st.integers(2, max(2, n // 2)))
    identity = [f"w{draw(st.integers(0, n_identities - 1))}" for _ in range(n)]
    identity[:2] = ["w0", "w1"]
    most_encounters = draw(st.sampled_from([n // 2, 4 * n]))  # many, or hardly any, that several photos share
    encounter = [f"e{draw(st.integers(0, most_encounters))}" for _ in range(n)]
    if not shared_encounters:
        encounter = [f"{who}-{met}" for who, met in zip(identity, encounter, strict=True)]
    date = [f"2020-06-{draw(st.integers(1, 9)):02d}" for _ in range(n)]
    columns: dict[str, list[Any]] = {"identity": identity, "encounter": encounter, "date": date}
    if gaps:
        for name, values in columns.items():
            for row in draw(st.sets(st.integers(2, n - 1), max_size=n // 3)):
                columns[name] = [None if at == row else value for at, value in enumerate(values)]
                values = columns[name]
    return table(**columns)
