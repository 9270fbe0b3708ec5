"""The first place's ranking as a plain loop: one query at a time, over pandas DataFrames, nothing of the library.

Written from the solution's description (the table of four routes), to be obvious and slow: the oracle of the tests and
the peer of the benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd
from sklearn.metrics.pairwise import cosine_similarity

COLUMNS = ["query_id", "database_image_id", "score"]
Mix = tuple[float, pd.DataFrame, pd.DataFrame]  # weight, the whole table, its rows of the candidates


@dataclass
class WhaledoLoop:
    """Ranks scenario after scenario.

    T, V, L: DataFrames of embeddings, `image_id` as index (five top-view B5, three top-view V2, four lateral B5,
    concatenated). viewpoints: Series over the same index. as_submitted: once a scenario that isn't top/top has been
    seen, the later top/top ones use L in T's place.
    """

    T: pd.DataFrame
    V: pd.DataFrame
    L: pd.DataFrame
    viewpoints: pd.Series
    as_submitted: bool = False
    k: int = 20
    left_first_row: bool = field(default=False, init=False)

    def scenario(self, query_ids: Sequence[str], query_images: Sequence[str], database: Sequence[str]) -> pd.DataFrame:
        """query_id, database_image_id, score of one scenario; best first."""
        queries_top = self.viewpoints.loc[list(query_images)] == "top"
        database_top = self.viewpoints.loc[list(database)] == "top"
        top, lateral = [(0.75, self.T), (0.25, self.V)], [(1.0, self.L)]
        weights, chain = (0.4, 0.4, 0.2), False
        if queries_top.all() and database_top.all():
            first = then = [(0.75, self.L), (0.25, self.V)] if self.as_submitted and self.left_first_row else top
        else:
            self.left_first_row = True
            if not queries_top.any() and database_top.all():
                first, then, weights, chain = lateral, top, (0.2, 0.4, 0.4), True
            elif queries_top.all() and not database_top.any():
                first = then = lateral
            else:
                first = then = [(0.75, self.L), (0.25, self.V)]
        first_here = [(w, table, table.loc[list(database)]) for w, table in first]
        then_here = [(w, table, table.loc[list(database)]) for w, table in then]
        rows = []
        for query_id, query_image in zip(query_ids, query_images, strict=True):
            # the query itself is never among the candidates
            s1_tables = [(w, table, here.drop(query_image, errors="ignore")) for w, table, here in first_here]
            s2_tables = s1_tables
            if then is not first:
                s2_tables = [(w, table, here.drop(query_image, errors="ignore")) for w, table, here in then_here]
            best = self.query(query_image, s1_tables, s2_tables, weights, chain)
            rows.append(
                pd.DataFrame(
                    {"query_id": query_id, "database_image_id": best.index.to_numpy(), "score": best.to_numpy()}
                )
            )
        return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COLUMNS)

    def query(
        self, query: str, s1_tables: list[Mix], s2_tables: list[Mix], weights: tuple[float, float, float], chain: bool
    ) -> pd.Series:
        if s1_tables[0][2].empty:
            return pd.Series(dtype=float)
        similarities = [similarity(query, s1_tables)]
        anchors = list(best_first(similarities[0]).index[:2])
        similarities.append(similarity(anchors[0], s2_tables))
        if chain:
            anchors = [anchors[0], *best_first(similarities[1]).index[1:2]]
        if len(anchors) > 1:
            similarities.append(similarity(anchors[1], s2_tables))
        final = sum(w * s**7 for w, s in zip(weights, similarities, strict=False))
        return best_first(final).head(self.k)


def similarity(photo: str, mix: list[Mix]) -> pd.Series:
    """A photo's mean cosine with every candidate, clipped to [0, 1] once mixed (and not before)."""
    total = pd.Series(0.0, index=mix[0][2].index)
    for weight, table, candidates in mix:
        total += weight * cosine_similarity(table.loc[[photo]], candidates)[0]
    return total.clip(0, 1)


def best_first(scores: pd.Series) -> pd.Series:
    return scores.sort_values(ascending=False, kind="stable")
