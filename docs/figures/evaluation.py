"""Draw docs/images/evaluation.png (conventions and intervals) and docs/images/report.png (a report's figure)."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from style import BLUE, GREY, INK, ORANGE, open_axes, save

from whalereid.catalogue import Catalogue
from whalereid.evaluation import Bootstrap, Protocol, average_precision, bootstrap, compare, evaluate
from whalereid.ranking import Ranking
from whalereid.reporting import draw_report

K = 20


def denominators(axes: plt.Axes) -> None:
    """The same lists, divided three ways, for animals with few photos in the database and with many."""
    rng = np.random.default_rng(0)
    counts = [1, 2, 3, 5, 8, 12, 20, 30, 45, 60]
    lines: dict[str, list[float]] = {"retrieved": [], "min": [], "relevant": []}
    for count in counts:
        scores = rng.standard_normal((1500, 500))
        scores[:, :count] += 2.0  # the animal's own photos score higher, not always highest
        order = np.argsort(-scores, axis=1)[:, :K]
        hit, listed = order < count, np.take_along_axis(scores, order, axis=1)
        for name, line in lines.items():
            values = average_precision(hit, listed, np.full(len(hit), count), k=K, denominator=name)  # type: ignore[arg-type]
            line.append(float(values.mean()))
    said = {"retrieved": "hits among the best 20", "min": "min(relevant, 20)", "relevant": "all relevant"}
    for (name, line), colour in zip(lines.items(), (ORANGE, BLUE, GREY), strict=True):
        axes.plot(counts, line, color=colour, lw=2, marker="o", markersize=4, label=said[name])
    axes.axvline(K, color=INK, lw=0.8, ls=":")
    axes.set(xscale="log", xlabel="relevant photos in the database", ylabel="mAP@20 of the same lists", ylim=(0, 1))
    axes.set_xticks([1, 2, 5, 10, 20, 60], ["1", "2", "5", "10", "20", "60"])
    axes.minorticks_off()
    axes.legend(title="divided by", frameon=False)
    axes.set_title("One method, three scores", color=INK)


def animals(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Queries of n animals: few have many photos, and an animal's photos are alike in how well they are found."""
    photos = np.minimum(rng.geometric(0.15, n), 60)
    ease = rng.beta(0.8, 0.6, n)
    owner = np.repeat(np.arange(n), photos)
    return (rng.random(len(owner)) < ease[owner]) * rng.choice([1.0, 0.5], len(owner)), owner


def coverage(axes: plt.Axes) -> None:
    """How often a 95% interval holds the truth, by what is resampled."""
    rng = np.random.default_rng(0)
    truth = animals(rng, 400_000)[0].mean()
    counts, runs = [10, 20, 40, 80, 160], 1000
    held = {"identities, BCa": np.zeros(5), "identities, percentile": np.zeros(5), "photos": np.zeros(5)}
    for place, n in enumerate(counts):
        for run in range(runs):
            values, owner = animals(rng, n)
            made = {
                "identities, BCa": bootstrap(values, owner, bootstrap=Bootstrap(resamples=500, seed=run)),
                "identities, percentile": bootstrap(
                    values, owner, bootstrap=Bootstrap(resamples=500, method="percentile", seed=run)
                ),
                "photos": bootstrap(values, bootstrap=Bootstrap(resamples=200, method="percentile", seed=run)),
            }
            for name, interval in made.items():
                held[name][place] += (interval.low <= truth <= interval.high) / runs
    for (name, share), colour in zip(held.items(), (BLUE, GREY, ORANGE), strict=True):
        axes.plot(counts, share, color=colour, lw=2, marker="o", markersize=4, label=name)
        print(f"coverage, {name}: {dict(zip(counts, share.round(3).tolist(), strict=True))}")
    axes.axhline(0.95, color=INK, lw=0.8, ls=":")
    axes.set(xscale="log", xlabel="animals in the test", ylabel="95% intervals that hold the truth", ylim=(0.4, 1))
    axes.set_xticks(counts, [str(n) for n in counts])
    axes.minorticks_off()
    axes.legend(title="resampled", frameon=False, loc="lower right")
    axes.set_title("Photos of one animal are one fact", color=INK)


def paired(axes: plt.Axes) -> None:
    """Two rankings whose own intervals overlap, and their difference."""
    rng = np.random.default_rng(3)
    base, owner = animals(rng, 60)
    base = 0.8 * base
    better = np.clip(base + rng.normal(0.018, 0.06, 60)[owner] + rng.normal(0, 0.08, len(base)), 0, 1)
    difference = compare(better, base, owner)
    shown = [("B", bootstrap(base, owner), GREY), ("A", bootstrap(better, owner), BLUE)]
    for place, (_, interval, colour) in enumerate(shown, start=1):
        axes.plot([interval.low, interval.high], [place, place], color=colour, lw=3, solid_capstyle="butt")
        axes.plot(interval.estimate, place, "o", color=colour)
    axes.set_yticks([1, 2], ["ranking B", "ranking A"])
    axes.set(ylim=(-1.2, 2.6), xlabel="mAP@20, with 95% intervals")
    axes.set_title("Compare query by query", color=INK)
    inner = axes.inset_axes((0.1, 0.13, 0.8, 0.16))
    spread = difference.interval
    inner.plot([spread.low, spread.high], [0, 0], color=ORANGE, lw=3, solid_capstyle="butt")
    inner.plot(spread.estimate, 0, "o", color=ORANGE)
    inner.axvline(0, color=INK, lw=0.8, ls=":")
    inner.set(yticks=[], xlim=(-0.06, 0.06), ylim=(-1, 1))
    inner.set_title(f"A − B, paired: A is better in {100 * difference.probability:.1f}% of resamples", fontsize=9)
    inner.tick_params(labelsize=8)


def seals() -> tuple[Protocol, Ranking]:
    """A made-up population seen from two sides, matched by a made-up method that knows the left side better."""
    rng = np.random.default_rng(5)
    who = rng.choice(60, 400, p=(weights := rng.exponential(1, 60)) / weights.sum())
    side = rng.choice(["left", "right"], 400)
    ids = [f"photo{i:03d}" for i in range(400)]
    frame = pd.DataFrame({"image_id": ids, "path": ids, "identity": [f"seal{w:02d}" for w in who], "viewpoint": side})
    centre, noise = rng.standard_normal((60, 2, 16)), np.where(side == "left", 0.8, 1.4)[:, None]
    vectors = centre[who, (side == "right").astype(int)] + noise * rng.standard_normal((400, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, -np.inf)
    order = np.argsort(-cosine, axis=1)[:, :200]
    ranking = Ranking.from_codes(ids, ids, order, np.take_along_axis(cosine, order, axis=1))
    return Protocol.from_catalogue(Catalogue(frame), match=["viewpoint"]), ranking


def main() -> None:
    figure, axes = plt.subplots(1, 3, figsize=(13.2, 4.1), dpi=120, layout="constrained")
    for draw, one in zip((denominators, coverage, paired), axes, strict=True):
        draw(one)
        open_axes(one)
    save(figure, "evaluation.png")
    save(draw_report(evaluate(*seals())), "report.png", dpi=120)


if __name__ == "__main__":
    main()
