"""Members' cosines fused, block by block: how alike queries and database photos are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from whalereid.arguments import HIGHEST_WEIGHT, instance
from whalereid.candidates.rule import Photos, image_ids
from whalereid.embeddings import Embeddings
from whalereid.embeddings.table import all_alike
from whalereid.errors import WhalereidError
from whalereid.ranking.exact import slices

__all__ = ["COSINE_ERROR", "Member", "Similarity"]

COSINE_ERROR = 4e-6
"""How far a float32 matrix product of unit vectors may lie from the float64 one: ten times the most seen at widths of
3 to 10,240 numbers."""
_EXACT_BYTES = 32 << 20  # float64 vectors compared at a time
_UNIT_BYTES = 64 << 20  # vectors of the database brought to length 1 at a time


@dataclass(frozen=True, eq=False)
class Member:
    """One network's embeddings in an ensemble.

    Attributes
    ----------
    name : str
        What errors call it.
    embeddings : Embeddings
        Raw; the cosine normalises. A vector of zeros has cosine 0 with everything.
    weight : float, default=1.0
        Its share of the mix, positive.

    Raises
    ------
    WhalereidError
        The weight isn't a positive number, or three vectors or more are all alike: nothing can be ranked by them.
    """

    name: str
    embeddings: Embeddings
    weight: float = 1.0

    def __post_init__(self) -> None:
        instance(self.name, "name", str, "what errors call the member, a text")
        instance(self.embeddings, "embeddings", Embeddings, "Embeddings (Embeddings.read, Embeddings.from_numpy)")
        if (
            not isinstance(self.weight, Real)
            or isinstance(self.weight, bool)
            or not 0 < self.weight <= HIGHEST_WEIGHT  # nor is NaN
        ):
            raise WhalereidError(
                f"member {self.name!r}: weight {self.weight!r:.60} isn't a positive number up to {HIGHEST_WEIGHT:g}."
            )
        if all_alike(self.embeddings.vectors):
            raise WhalereidError(
                f"member {self.name!r}: the vectors of all {len(self.embeddings)} photos are alike, so they can't be "
                "ranked; is the network trained, and are these different photos?"
            )

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """(n,) int64: the row of each photo.

        Raises
        ------
        WhalereidError
            A photo has no vector here; names the member and the first few photos.
        """
        try:
            return self.embeddings.rows(ids)
        except WhalereidError as error:
            raise WhalereidError(f"member {self.name!r}: {error}") from error


class _UnitRows:
    """A member's vectors at length 1, made where they are asked for: all of them would take as much memory again."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.width = embeddings.dim
        self._vectors = embeddings.vectors
        self._lengths = np.where(embeddings.lengths > 0, embeddings.lengths, 1)[:, None]  # zeros stay zeros

    def take(self, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """(n, D) float32, of these rows; in `out` where that is given."""
        if out is None:
            out = np.empty((len(rows), self.width), np.float32)
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():  # a run: nothing to gather
            run = slice(int(rows[0]), int(rows[-1]) + 1)
            return np.divide(self._vectors[run], self._lengths[run], out=out, casting="same_kind")
        np.take(self._vectors, rows, axis=0, out=out, mode="clip")
        return np.divide(out, self._lengths[rows], out=out, casting="same_kind")


class Similarity:
    """Fused cosines of Q queries and D database photos, computed in blocks. Built by `Ensemble.similarity`.

    Parameters
    ----------
    shares : sequence of pairs of float and Member
        Each member with its share of the mix; the shares add up to 1.
    clip : tuple of float
        Bounds of the fused cosine.
    queries, database : Catalogue, or sequence of str
        Q and D photos.

    Attributes
    ----------
    shape : tuple of int
        (Q, D).
    """

    def __init__(
        self, shares: Sequence[tuple[float, Member]], clip: tuple[float, float], queries: Photos, database: Photos
    ) -> None:
        same = database is queries
        queries = image_ids(queries, "queries")
        database = queries if same else image_ids(database, "database")
        self.shape = (len(queries), len(database))
        self._low, self._high = clip
        self._members = []
        for share, member in shares:
            query_rows = member.rows(queries)
            database_rows = query_rows if database is queries else member.rows(database)
            self._members.append((share, _UnitRows(member.embeddings), query_rows, database_rows))
        self._buffers: dict[str, np.ndarray] = {}

    def block(self, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """(q, d) float32, for these queries and these database photos; valid until the next call."""
        total: np.ndarray | None = None
        for share, unit, query_rows, database_rows in self._members:
            asked, searched = query_rows[rows], database_rows[columns]
            left = unit.take(asked, self._buffer("left", len(asked), unit.width))
            product = self._buffer("total" if total is None else "product", len(asked), len(searched))
            for some in slices(len(searched), max(64, _UNIT_BYTES // (4 * unit.width))):
                right = unit.take(searched[some], self._buffer("right", some.stop - some.start, unit.width))
                np.matmul(left, right.T, out=product[:, some])
            total = self._mixed(total, product, share)
        return self._clipped(total)

    def own(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n, a, b) float32: of n groups, the a rows of each (n, a) with its own b columns (n, b)."""
        total: np.ndarray | None = None
        for share, unit, query_rows, database_rows in self._members:
            product = np.empty((*rows.shape, columns.shape[1]), np.float32)
            for some in slices(len(rows), max(1, _UNIT_BYTES // (4 * unit.width * max(columns.shape[1], 1)))):
                asked, searched = query_rows[rows[some]].reshape(-1), database_rows[columns[some]].reshape(-1)
                left = unit.take(asked, self._buffer("left", len(asked), unit.width))
                right = unit.take(searched, self._buffer("right", len(searched), unit.width))
                left, right = (part.reshape(some.stop - some.start, -1, unit.width) for part in (left, right))
                np.matmul(left, right.transpose(0, 2, 1), out=product[some])
            total = self._mixed(total, product, share)
        return self._clipped(total)

    def exact(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(n,) float64: the fused cosines of n pairs, each depending on its pair alone."""
        total = np.zeros(len(rows))
        for share, unit, query_rows, database_rows in self._members:
            step = max(1, _EXACT_BYTES // (16 * unit.width))
            for part in slices(len(rows), step):
                product = unit.take(query_rows[rows[part]]).astype(np.float64)
                product *= unit.take(database_rows[columns[part]])
                total[part] += share * np.add.reduce(product, axis=1)
        return self._clipped(total)

    def error(self, scores: np.ndarray) -> np.ndarray:
        """Bound how far `block` and `own` may lie from `exact`."""
        return np.full(scores.shape, COSINE_ERROR)

    @staticmethod
    def _mixed(total: np.ndarray | None, product: np.ndarray, share: float) -> np.ndarray:
        """Add a member's cosines to the others', in place."""
        if share != 1:
            product *= np.float32(share)
        return product if total is None else np.add(total, product, out=total)

    def _clipped(self, total: np.ndarray | None) -> np.ndarray:
        assert total is not None  # an ensemble has members
        return np.clip(total, self._low, self._high, out=total)

    def _buffer(self, name: str, n: int, width: int) -> np.ndarray:
        """(n, width) float32 in memory that is kept: allocating each block anew doubles the time."""
        size = n * width
        if name not in self._buffers or self._buffers[name].size < size:
            self._buffers[name] = np.empty(size, np.float32)
        return self._buffers[name][:size].reshape(n, width)
