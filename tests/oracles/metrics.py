"""Slow, obvious metrics: one query at a time, one rank at a time, on plain lists of ids and scores."""

from __future__ import annotations

from sklearn.metrics import average_precision_score


def average_precision(ids: list[str], scores: list[float], relevant: set[str], k: int, denominator: str) -> float:
    """Precision at every distinct score of the cut list, weighted by the hits at that score."""
    ids, scores = ids[:k], scores[:k]
    total = 0.0
    for threshold in sorted(set(scores), reverse=True):
        accepted = [i for i, s in zip(ids, scores, strict=True) if s >= threshold]
        here = [i for i, s in zip(ids, scores, strict=True) if s == threshold]
        total += sum(i in relevant for i in here) * sum(i in relevant for i in accepted) / len(accepted)
    hits = sum(i in relevant for i in ids)
    divisor = {"min": min(len(relevant), k), "relevant": len(relevant), "retrieved": hits}[denominator]
    return total / divisor if divisor else 0.0


def competition_average_precision(ids: list[str], scores: list[float], relevant: set[str], k: int) -> float:
    """As the competition computes it: scikit-learn's on the list, times hits, by min(relevant, k)."""
    truth = [i in relevant for i in ids[:k]]
    if not any(truth):
        return 0.0
    return float(average_precision_score(truth, scores[:k]) * sum(truth) / min(len(relevant), k))


def top_k(ids: list[str], relevant: set[str], k: int) -> float:
    return float(any(i in relevant for i in ids[:k]))


def precision_at(ids: list[str], relevant: set[str], k: int) -> float:
    return sum(i in relevant for i in ids[:k]) / k


def recall_at(ids: list[str], relevant: set[str], k: int) -> float:
    return sum(i in relevant for i in ids[:k]) / len(relevant)


def r_precision(ids: list[str], relevant: set[str]) -> float:
    return sum(i in relevant for i in ids[: len(relevant)]) / len(relevant)


def inverse_negative_penalty(ids: list[str], relevant: set[str]) -> float:
    if not relevant <= set(ids):
        return 0.0
    return len(relevant) / max(ids.index(i) + 1 for i in relevant)
