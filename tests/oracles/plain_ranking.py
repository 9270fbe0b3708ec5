"""Ranking as plain loops in float64: one pair at a time, nothing of the library. The oracle of the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    a, b = np.asarray(a, float), np.asarray(b, float)
    length = float(np.sqrt(a @ a) * np.sqrt(b @ b))
    return float(a @ b) / length if length else 0.0


def fused(members: Sequence[tuple[float, dict[str, Any]]], clip: tuple[float, float], a: str, b: str) -> float:
    """Weighted mean of the members' cosines, clipped; members are (weight, vectors by id)."""
    total = sum(weight for weight, _ in members)
    mean = sum(weight * cosine(vectors[a], vectors[b]) for weight, vectors in members) / total
    return min(max(mean, clip[0]), clip[1])


def best(scores: dict[str, float], k: int) -> list[tuple[str, float]]:
    """The k best, equal scores in the order given."""
    return sorted(scores.items(), key=lambda item: -item[1])[:k]


def ranked(
    similar: Callable[[str, str], float],
    query: str,
    database: Sequence[str],
    allowed: Callable[[str, str], bool],
    k: int,
) -> list[tuple[str, float]]:
    return best({d: similar(query, d) for d in database if d != query and allowed(query, d)}, k)


def power(value: float, exponent: float) -> float:
    return float(np.copysign(abs(value) ** exponent, value))


def expanded(
    similar: Callable[[str, str], float],
    among: Callable[[str, str], float],
    query: str,
    database: Sequence[str],
    k: int,
    weights: Sequence[float],
    exponent: float,
    chain: bool,
) -> list[tuple[str, float]]:
    """Top-k expansion, written out."""
    candidates = [d for d in database if d != query]
    terms = [{d: similar(query, d) for d in candidates}]
    anchors: list[str] = []
    while len(anchors) < min(len(weights) - 1, len(candidates)):
        source = terms[-1] if chain else terms[0]
        anchors.append(next(d for d, _ in best(source, len(source)) if d not in anchors))
        terms.append({d: among(anchors[-1], d) for d in candidates})
    total = {d: sum(w * power(t[d], exponent) for w, t in zip(weights, terms, strict=False)) for d in candidates}
    return best(total, k)
