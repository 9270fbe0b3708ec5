"""Displays: one drawing each, on your own axes or on new ones, in scikit-learn's manner.

``CMCDisplay.from_report(report).plot(ax=ax)`` takes the numbers, then draws them; what was drawn is kept as ``ax_`` and
``figure_``. They need matplotlib, the extra ``plots``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from whalereid.arguments import choice, instance
from whalereid.arrays import floats, integers, names_of, real
from whalereid.calibration import expected_calibration_error, reliability
from whalereid.errors import WhalereidError
from whalereid.evaluation import OpenSetReport, Report, bootstrap_means, cmc, top_k
from whalereid.evaluation.open_set import score_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CMCDisplay", "MetricByGroupDisplay", "OpenSetDisplay", "ReliabilityDisplay", "new_figure"]

_INK, _FILL, _ACCENT = "#0b3c5d", "#7fb7d6", "#c0672b"


class CMCDisplay:
    """The CMC curve: the share of queries with a right photo among the best 1, 2, ... of their lists.

    Parameters
    ----------
    share : array-like of shape (k,)
        At ranks 1 to k.
    low, high : array-like of shape (k,), optional
        The ends of their intervals, drawn as a band.
    name : str, optional
        What the legend calls the curve; without one there is no legend.

    Attributes
    ----------
    ax_, figure_, line_ : matplotlib Axes, Figure and Line2D
        Once it is drawn.

    Examples
    --------
    >>> CMCDisplay([0.5, 0.75, 0.75]).share.tolist()
    [0.5, 0.75, 0.75]
    """

    def __init__(self, share: Any, low: Any = None, high: Any = None, *, name: str | None = None) -> None:
        self.share = floats(share, "share")
        self.low, self.high = _ends(low, high, len(self.share))
        self.name = _name(name)

    @classmethod
    def from_report(cls, report: Report, *, name: str | None = None) -> CMCDisplay:
        """Take the curve of a report, up to its `k`, with its intervals."""
        report = _report(report)
        hits, rows = report.hits, report.hits.scored
        share, low, high = cmc(hits.hit, hits.relevant, k=report.k), None, None
        if report.bootstrap.resamples:
            ranks = range(1, report.k + 1)
            found = np.stack([top_k(hits.hit[rows], hits.relevant[rows], k=rank) for rank in ranks], axis=1)
            bands = bootstrap_means(found, report.identities[rows], bootstrap=report.bootstrap)
            low, high = [band.low for band in bands], [band.high for band in bands]
        return cls(share, low, high, name=name)

    def plot(self, ax: Axes | None = None, **line: Any) -> CMCDisplay:
        """Draw on `ax`, or on a new figure; `line` holds options of matplotlib's ``plot``."""
        self.figure_, self.ax_ = _axes(ax, (5, 4))
        ranks = np.arange(1, len(self.share) + 1)
        style: dict[str, Any] = {"color": _INK, "marker": "o", "markersize": 3, "label": self.name} | line
        (self.line_,) = self.ax_.plot(ranks, self.share, **style)
        if self.low is not None and self.high is not None:
            fill = line.get("color", _FILL)
            self.ax_.fill_between(ranks, self.low, self.high, color=fill, alpha=0.4, linewidth=0)
        self.ax_.set(xlabel="rank", ylabel="queries with a hit by this rank", ylim=(0, 1.02), title="CMC")
        self.ax_.set_xticks([1, *range(5, len(self.share) + 1, 5)])
        self.ax_.grid(alpha=0.25)
        if self.name is not None:
            self.ax_.legend(frameon=False, loc="lower right")
        return self


class MetricByGroupDisplay:
    """A metric in groups of the queries, such as mAP by viewpoint, as bars.

    Parameters
    ----------
    groups : sequence of n str
        What the groups are called.
    value : array-like of shape (n,)
        The metric in each.
    queries : sequence of n int
        How many queries each has.
    low, high : array-like of shape (n,), optional
        The ends of the intervals.
    metric, by : str
        What is measured, and what the groups are.

    Attributes
    ----------
    ax_, figure_, bars_ : matplotlib Axes, Figure and BarContainer
        Once it is drawn.
    """

    def __init__(
        self, groups: Sequence[str], value: Any, queries: Any, low: Any = None, high: Any = None, *,
        metric: str = "metric", by: str = "group",
    ) -> None:  # fmt: skip
        self.groups = [str(group) for group in names_of(groups, "groups")]
        self.value, self.queries = floats(value, "value"), integers(queries, "queries")
        if not len(self.groups) == len(self.value) == len(self.queries):
            raise WhalereidError(
                f"groups: {len(self.groups)} groups, but value holds {len(self.value)} and queries "
                f"{len(self.queries)}; give one of each for each."
            )
        self.low, self.high = _ends(low, high, len(self.value))
        self.metric = instance(metric, "metric", str, "the metric's name")
        self.by = instance(by, "by", str, "what the groups are, such as 'viewpoint'")

    @classmethod
    def from_report(cls, report: Report, by: str = "viewpoint", *, metric: str | None = None) -> MetricByGroupDisplay:
        """Take a report's breakdown; see `Report.by`. The leading metric, which is the default, has intervals."""
        report = _report(report)
        by = instance(by, "by", str, "the name of a breakdown, such as 'viewpoint'")
        metric = report.names[0] if metric is None else choice(metric, "metric", report.names)
        table = report.by(by)
        intervals = report.bootstrap.resamples and metric == report.names[0]
        low, high = (table["low"], table["high"]) if intervals else (None, None)
        return cls(list(table.index), table[metric], table["queries"].to_numpy(), low, high, metric=metric, by=by)

    def plot(self, ax: Axes | None = None, **bars: Any) -> MetricByGroupDisplay:
        """Draw on `ax`, or on a new figure; `bars` holds options of matplotlib's ``barh``."""
        self.figure_, self.ax_ = _axes(ax, (5, 4))
        places = np.arange(len(self.value))
        self.bars_ = self.ax_.barh(places, self.value, **({"color": _FILL} | bars))
        if self.low is not None and self.high is not None:
            reach = np.abs(np.stack([self.value - self.low, self.high - self.value]))
            self.ax_.errorbar(self.value, places, xerr=np.nan_to_num(reach), fmt="none", ecolor=_INK, capsize=3)
        labels = [f"{group}\n{n} queries" for group, n in zip(self.groups, self.queries, strict=True)]
        self.ax_.set_yticks(places, labels)
        self.ax_.invert_yaxis()
        self.ax_.set(xlabel=self.metric, xlim=(0, 1), title=f"{self.metric} by {self.by}")
        self.ax_.grid(axis="x", alpha=0.25)
        return self


class OpenSetDisplay:
    """Identification against false alarms, at every threshold; a dot marks the one that was chosen.

    Parameters
    ----------
    false_alarm_rate, identification_rate : array-like of shape (n,)
        The curve; see `OpenSetOutcome.curve`.
    threshold : float, optional
        The chosen one, for the title.
    point : tuple of float, optional
        False-alarm and identification rate there.
    auroc : float, optional
        For the title.

    Attributes
    ----------
    ax_, figure_, line_ : matplotlib Axes, Figure and Line2D
        Once it is drawn.
    """

    def __init__(
        self,
        false_alarm_rate: Any,
        identification_rate: Any,
        *,
        threshold: float | None = None,
        point: tuple[float, float] | None = None,
        auroc: float | None = None,
    ) -> None:
        self.false_alarm_rate = floats(false_alarm_rate, "false_alarm_rate")
        self.identification_rate = floats(identification_rate, "identification_rate")
        if len(self.false_alarm_rate) != len(self.identification_rate):
            raise WhalereidError(
                f"false_alarm_rate holds {len(self.false_alarm_rate)} and identification_rate "
                f"{len(self.identification_rate)}; give one of each for each threshold."
            )
        self.threshold = None if threshold is None else real(threshold, "threshold")
        self.point = None if point is None else tuple(floats(point, "point").tolist())
        if self.point is not None and len(self.point) != 2:
            raise WhalereidError(f"point holds {len(self.point)} numbers; give the two rates at the threshold.")
        self.auroc = None if auroc is None else real(auroc, "auroc")

    @classmethod
    def from_report(cls, report: OpenSetReport) -> OpenSetDisplay:
        """Take the curve of an open-set report, and the threshold that was chosen."""
        outcome, threshold = _open_set_report(report).outcome, report.threshold.value
        curve = outcome.curve()
        return cls(
            curve["false_alarm_rate"],
            curve["identification_rate"],
            threshold=threshold,
            point=(outcome.false_alarm_rate(threshold), outcome.identification_rate(threshold)),
            auroc=outcome.auroc(),
        )

    def plot(self, ax: Axes | None = None, **line: Any) -> OpenSetDisplay:
        """Draw on `ax`, or on a new figure; `line` holds options of matplotlib's ``plot``."""
        self.figure_, self.ax_ = _axes(ax, (5, 4))
        style: dict[str, Any] = {"color": _INK, "drawstyle": "steps-post"} | line
        (self.line_,) = self.ax_.plot(self.false_alarm_rate, self.identification_rate, **style)
        said = [] if self.auroc is None else [f"AUROC {self.auroc:.3f}"]
        if self.point is not None:
            self.ax_.plot(*self.point, "o", color=_ACCENT)
            said += [] if self.threshold is None else [f"the dot: threshold {score_text(self.threshold)}"]
        self.ax_.set(xlabel="new animals taken for known ones", ylabel="known animals named rightly", xlim=(-0.02, 1))
        self.ax_.set(ylim=(0, 1.02), title="; ".join(said))
        return self


class ReliabilityDisplay:
    """What was said against what was seen: the chance that a pair shows one animal, and the share that does.

    Parameters
    ----------
    predicted, observed : array-like of shape (n,)
        Of each bin; see `reliability`.
    error : float, optional
        The calibration error, for the title.

    Attributes
    ----------
    ax_, figure_, line_ : matplotlib Axes, Figure and Line2D
        Once it is drawn.
    """

    def __init__(self, predicted: Any, observed: Any, *, error: float | None = None) -> None:
        self.predicted, self.observed = floats(predicted, "predicted"), floats(observed, "observed")
        if len(self.predicted) != len(self.observed):
            raise WhalereidError(
                f"predicted holds {len(self.predicted)} and observed {len(self.observed)}; give one of each for a bin."
            )
        self.error = None if error is None else real(error, "error")

    @classmethod
    def from_predictions(cls, probabilities: Any, same: Any, *, bins: int = 10) -> ReliabilityDisplay:
        """Sort pairs into bins of the chance that was said; see `reliability`."""
        table = reliability(probabilities, same, bins=bins)
        error = expected_calibration_error(probabilities, same, bins=bins)
        return cls(table["predicted"], table["observed"], error=error)

    @classmethod
    def from_report(cls, report: OpenSetReport) -> ReliabilityDisplay:
        """Take the calibrated scores of an open-set report, over the pairs judged."""
        scores, same = _open_set_report(report).pairs
        return cls.from_predictions(report.calibration.predict(scores), same)

    def plot(self, ax: Axes | None = None, **line: Any) -> ReliabilityDisplay:
        """Draw on `ax`, or on a new figure; `line` holds options of matplotlib's ``plot``."""
        self.figure_, self.ax_ = _axes(ax, (5, 4))
        self.ax_.plot([0, 1], [0, 1], ":", color="grey", linewidth=1)
        style: dict[str, Any] = {"color": _INK, "marker": "o", "markersize": 4} | line
        (self.line_,) = self.ax_.plot(self.predicted, self.observed, **style)
        self.ax_.set(xlabel="chance said", ylabel="share right", xlim=(0, 1), ylim=(0, 1.02))
        if self.error is not None:
            self.ax_.set_title(f"calibration error {self.error:.3f}")
        return self


def new_figure(size: tuple[float, float]) -> Figure:
    """Return an empty figure of this size, in inches.

    Raises
    ------
    WhalereidError
        matplotlib isn't installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise WhalereidError("figures need matplotlib; pip install whalereid[plots].") from error
    return Figure(figsize=size, layout="constrained")


def _axes(ax: Axes | None, size: tuple[float, float]) -> tuple[Figure, Axes]:
    if ax is None:
        ax = new_figure(size).subplots()
    elif not callable(getattr(ax, "set_xlabel", None)) or isinstance(ax, type):
        instance(ax, "ax", (), "matplotlib axes, such as plt.subplots()[1]")
    return ax.figure, ax  # type: ignore[return-value]


def _ends(low: Any, high: Any, n: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    if low is None and high is None:
        return None, None
    if low is None or high is None:
        raise WhalereidError("low and high go together; give both ends of the intervals, or neither.")
    ends = floats(low, "low"), floats(high, "high")
    if not len(ends[0]) == len(ends[1]) == n:
        raise WhalereidError(f"low holds {len(ends[0])} and high {len(ends[1])}; give {n} of each.")
    return ends


def _name(name: str | None) -> str | None:
    return None if name is None else instance(name, "name", str, "what the legend calls the curve")


def _report(report: Report) -> Report:
    return instance(report, "report", Report, "a Report (evaluate(protocol, ranking) makes one)")


def _open_set_report(report: OpenSetReport) -> OpenSetReport:
    return instance(report, "report", OpenSetReport, "an OpenSetReport (evaluate_open_set(report) makes one)")
