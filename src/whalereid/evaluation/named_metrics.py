"""Metrics by name: ``"mAP@20"`` is read here and nowhere else, and so is what each name computes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from whalereid.arguments import choice, instance, texts
from whalereid.arrays import floats
from whalereid.errors import WhalereidError
from whalereid.evaluation.checks import cut_off
from whalereid.evaluation.hits import Hits
from whalereid.evaluation.metrics import (
    Denominator,
    average_precision,
    inverse_negative_penalty,
    precision_at,
    r_precision,
    recall_at,
    top_k,
)
from whalereid.parts import METRICS
from whalereid.registry import Part
from whalereid.registry.signatures import options_of

__all__ = ["Metric", "metrics_of", "names_in_report", "usual_metrics"]

_MOST_DIGITS = 12  # of a cut-off: more are no number of ranks
_OF_ONE_QUERY = {"mAP": "AP", "mINP": "INP"}


@dataclass(frozen=True)
class Metric:
    """A metric as it is asked for: its name, its cut-off, and what else is set on it.

    Attributes
    ----------
    name : str
        As the registry ``whalereid.parts.METRICS`` knows it: ``"mAP"``, ``"top"``, ``"mINP"``.
    k : int or None
        Cut-off, in ranks; None where the metric has none.
    options : mapping of str to value
        Further options of it, such as mAP's ``denominator``.

    Raises
    ------
    WhalereidError
        There is no such metric or option, or it lacks a cut-off, or takes none.

    Examples
    --------
    >>> Metric.parse("mAP@20"), str(Metric("top", 1)), Metric.parse("mINP").k is None
    (Metric('mAP@20'), 'top-1', True)
    >>> Metric.parse("mAP@20:denominator=relevant").options["denominator"]
    'relevant'
    """

    name: str
    k: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", METRICS.part(Part(self.name, self.options)).options)
        cut = next((option for option in options_of(METRICS.find(self.name)) if option.name == "k"), None)
        if self.k is not None:
            object.__setattr__(self, "k", cut_off(self.k, f"k of the metric {self.name}"))
            if cut is None:
                raise WhalereidError(f"metric {self.name!r} takes no cut-off; write {self.name}.")
        elif cut is not None and cut.required:
            raise WhalereidError(f"metric {self.name!r} needs a cut-off; write {_with_cut_off(self.name, 20)}.")

    @classmethod
    def parse(cls, metric: str) -> Metric:
        """Read a metric's name: ``mAP@20``, ``top-1``, ``mINP``, ``mAP@20:denominator=relevant``.

        Raises
        ------
        WhalereidError
            There is no such metric; the message lists what there is.
        """
        text = instance(metric, "metric", str, "a metric's name, such as 'mAP@20'").strip()
        asked, colon, rest = text.partition(":")
        name, k = asked, None
        if asked not in METRICS:
            before, _, digits = asked.rpartition("@" if "@" in asked else "-")
            if before and digits.isdecimal() and len(digits) <= _MOST_DIGITS:
                name, k = before, int(digits)
        part = METRICS.part(f"{name}{colon}{rest}")
        return cls(part.name, k, part.options)

    @property
    def short(self) -> str:
        """Name and cut-off alone, as tables head their columns: ``mAP@20``."""
        return self.name if self.k is None else _with_cut_off(self.name, self.k)

    def values(self, hits: Hits) -> np.ndarray:
        """(Q,) float64: the metric of each query; NaN for a query without a relevant photo.

        Raises
        ------
        WhalereidError
            Another's metric doesn't give one finite number a query.
        """
        hits = instance(hits, "hits", Hits, "Hits (Hits.of(ranking, labels) makes them)")
        cut = {} if self.k is None else {"k": self.k}
        values = floats(METRICS.find(self.name)(hits, **cut, **self.options), f"what metric {self} gives")
        if len(values) != len(hits):
            raise WhalereidError(f"metric {self}: gives {len(values)} values for {len(hits)} queries; give one each.")
        wrong = np.flatnonzero(hits.scored & ~np.isfinite(values))
        if len(wrong):
            raise WhalereidError(
                f"metric {self}: gives {values[wrong[0]]} for query {hits.query_ids[wrong[0]]!r}, which has a relevant "
                "photo; give a finite number."
            )
        return np.where(hits.scored, values, np.nan)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        set_on_it = str(Part(self.name, self.options)).partition(":")[2]
        return f"{self.short}:{set_on_it}" if set_on_it else self.short

    def __repr__(self) -> str:
        return f"Metric({str(self)!r})"


def usual_metrics(k: int = 20, denominator: Denominator = "min") -> tuple[Metric, ...]:
    """Return what a report measures unless asked otherwise: mAP, top-1, -5, -20 and -k, precision, recall, and more.

    Parameters
    ----------
    k : int, default=20
        Cut-off of mAP, precision and recall, and the last of the top-k.
    denominator : {"min", "relevant", "retrieved"}, default="min"
        Of average precision; see `average_precision`.

    Examples
    --------
    >>> [str(metric) for metric in usual_metrics(5)]
    ['mAP@5', 'top-1', 'top-5', 'precision@5', 'recall@5', 'R-precision', 'mINP']
    """
    cut_off(k)
    choice(denominator, "denominator", get_args(Denominator))
    tops = sorted({1, 5, 20, k} - set(range(k + 1, 21)))
    return (
        Metric("mAP", k, {} if denominator == "min" else {"denominator": denominator}),
        *(Metric("top", rank) for rank in tops),
        Metric("precision", k),
        Metric("recall", k),
        Metric("R-precision"),
        Metric("mINP"),
    )


def metrics_of(asked: Sequence[str | Metric] | str | None, k: int) -> tuple[Metric, ...]:
    """Read what was given as ``metrics=``; each once, in the order asked for."""
    if asked is None:
        return usual_metrics(k)
    if isinstance(asked, Sequence) and not isinstance(asked, str | bytes):
        asked = [str(metric) if isinstance(metric, Metric) else metric for metric in asked]
    named = texts(asked, "metrics", "names of metrics, such as ['mAP@20', 'top-1']")
    if not named:
        raise WhalereidError("metrics holds none; give one at least, such as 'mAP@20'.")
    return tuple(dict.fromkeys(Metric.parse(name) for name in named))


def names_in_report(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """Return what a report calls metrics: short names where these differ, so that ``mAP@20`` is found by that name."""
    often = Counter(metric.short for metric in metrics)
    return tuple(metric.short if often[metric.short] == 1 else str(metric) for metric in metrics)


def name_of_one_query(metric: Metric, name: str) -> str:
    """Return what a metric is called of one query: it is no mean, ``AP@20`` instead of ``mAP@20``."""
    return name.replace(metric.name, _OF_ONE_QUERY.get(metric.name, metric.name), 1)


def _with_cut_off(name: str, k: int) -> str:
    return f"{name}-{k}" if name == "top" else f"{name}@{k}"


def average_precision_of(
    hits: Hits, k: int, denominator: Literal["min", "relevant", "retrieved"] = "min"
) -> np.ndarray:
    """Average precision at k; its mean is mAP. See `average_precision`."""
    return average_precision(hits.hit, hits.scores, hits.relevant, k=k, denominator=denominator)


def top_k_of(hits: Hits, k: int) -> np.ndarray:
    """Whether one of the best k is relevant; its mean is the CMC curve at k. See `top_k`."""
    return top_k(hits.hit, hits.relevant, k=k)


def precision_of(hits: Hits, k: int) -> np.ndarray:
    """Share of the best k that are relevant. See `precision_at`."""
    return precision_at(hits.hit, hits.relevant, k=k)


def recall_of(hits: Hits, k: int) -> np.ndarray:
    """Share of the relevant photos that are among the best k. See `recall_at`."""
    return recall_at(hits.hit, hits.relevant, k=k)


def r_precision_of(hits: Hits) -> np.ndarray:
    """Precision at the query's own number of relevant photos. See `r_precision`."""
    return r_precision(hits.hit, hits.relevant)


def inverse_negative_penalty_of(hits: Hits) -> np.ndarray:
    """Relevant photos over the rank of the last of them. See `inverse_negative_penalty`."""
    return inverse_negative_penalty(hits.hit, hits.relevant)
