"""Draw docs/images/open_set.png: what a threshold costs, what a score means, what both do to a population count."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from style import BLUE, GREY, INK, ORANGE, open_axes, save

from whalereid.calibration import ScoreCalibration, reliability
from whalereid.evaluation import OpenSetOutcome

ANIMALS, FIRST, SECOND = 300, 120, 120  # the population, and how many of it each season photographs


def season(rng: np.random.Generator) -> OpenSetOutcome:
    """A second season's photos, matched against the first season's catalogue."""
    first = rng.choice(ANIMALS, FIRST, replace=False)
    second = rng.choice(ANIMALS, SECOND, replace=False)
    known = np.isin(second, first)
    own = np.where(known, rng.normal(0.62, 0.13, SECOND), -np.inf)  # the score with its own earlier photo
    other = rng.normal(0.15, 0.11, (SECOND, FIRST)).max(axis=1)  # the best of everybody else's
    return OpenSetOutcome(np.maximum(own, other), known, own > other)


def chapman(matches: np.ndarray | float) -> np.ndarray:
    """Population size from two samples and how many of the second were seen before (Chapman 1951)."""
    return np.asarray((FIRST + 1) * (SECOND + 1) / (np.asarray(matches) + 1) - 1)


def draw() -> plt.Figure:
    rng = np.random.default_rng(0)
    validation = season(rng)
    chosen = validation.threshold(0.05)
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13.2, 4.1), dpi=120, layout="constrained")

    curve = validation.curve()
    left.plot(curve["false_alarm_rate"], curve["identification_rate"], color=BLUE, lw=2, drawstyle="steps-post")
    point = chosen.measured, validation.identification_rate(chosen.value)
    left.plot(*point, "o", color=ORANGE)
    left.annotate(f"threshold {chosen.value:.2f}", point, (12, -14), textcoords="offset points", color=ORANGE)
    left.set(
        xlabel="new animals taken for known ones", ylabel="known animals named rightly", xlim=(-0.02, 1), ylim=(0, 1.02)
    )
    left.set_title("What a threshold costs", color=INK)

    learn, judge = season(rng), [season(rng) for _ in range(20)]
    chance = ScoreCalibration("logistic").fit(learn.scores, learn.correct)
    scores = np.concatenate([o.scores for o in judge])
    right_match = np.concatenate([o.correct for o in judge])
    for said, colour, label in (
        (np.clip(scores, 0, 1), GREY, "the score as it is"),
        (chance.predict(scores), BLUE, "calibrated"),
    ):
        table = reliability(said, right_match, bins=8)
        middle.plot(table["predicted"], table["observed"], "o-", color=colour, label=label, ms=4)
    middle.plot([0, 1], [0, 1], ":", color=INK, lw=1)
    middle.set(xlabel="chance said", ylabel="share right", xlim=(0, 1), ylim=(0, 1))
    middle.legend(frameon=False, loc="upper left")
    middle.set_title("What a score means", color=INK)

    thresholds = np.linspace(0.2, 0.9, 71)
    counts = np.array([[chapman((o.scores >= t).sum()) for t in thresholds] for o in (season(rng) for _ in range(200))])
    low, mid, high = np.quantile(counts, [0.05, 0.5, 0.95], axis=0)
    right.fill_between(thresholds, low, high, color=BLUE, alpha=0.2, lw=0)
    right.plot(thresholds, mid, color=BLUE, lw=2, label="estimate (90% of surveys)")
    right.axhline(ANIMALS, color=INK, lw=1, ls=":")
    right.text(0.21, ANIMALS * 1.04, f"truth: {ANIMALS}", color=INK)
    right.axvline(chosen.value, color=ORANGE, lw=1.5, label="threshold at 5% false accepts")
    right.set(xlabel="threshold", ylabel="animals estimated", yscale="log", yticks=[100, 200, 300, 500, 1000, 2000])
    right.yaxis.set_major_formatter("{x:.0f}")
    right.yaxis.set_minor_formatter("")
    right.legend(frameon=False, loc="upper left")
    right.set_title("What it does to a population count", color=INK)
    for ax in (left, middle, right):
        open_axes(ax)
    return figure


if __name__ == "__main__":
    save(draw(), "open_set.png")
