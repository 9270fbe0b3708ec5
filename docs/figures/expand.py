"""Draw docs/images/expand.png: what top-k expansion does to the ranks of seven photos."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from style import INK, save

from whalereid import Embeddings, Ensemble, Expand, Member, Ranking

MINE, OTHER = "#2f7ebc", "#c0672b"
# Two-number embeddings, as angles: the query's animal changes its look, another one is near the query by chance.
QUERY, SAME, ANOTHER = 0, (9, 17, 30, 39), (-26, -29, -33)


def photos() -> Embeddings:
    angles = np.deg2rad([QUERY, *SAME, *ANOTHER])
    names = ["query", *(f"same {a}" for a in SAME), *(f"other {a}" for a in ANOTHER)]
    return Embeddings.from_numpy(names, np.stack([np.sin(angles), np.cos(angles)], axis=1))


def panel(ax: Axes, title: str, embeddings: Embeddings, ranking: Ranking, anchors: int) -> None:
    where = dict(zip(embeddings.ids, embeddings.vectors, strict=True))
    arc = np.deg2rad(np.linspace(-40, 46, 200))
    ax.plot(np.sin(arc), np.cos(arc), color="#cfd6dd", lw=1.5, zorder=0)
    ax.plot(*where["query"], "*", ms=20, color=INK)
    ax.text(0, 1.06, "query", ha="center", color=INK, fontsize=11)
    for rank, (name, score) in enumerate(zip(ranking.ids[0], ranking.scores[0], strict=True), start=1):
        x, y = where[name]
        colour = MINE if name.startswith("same") else OTHER
        ax.plot(x, y, "o", ms=19, color=colour)
        ax.text(x, y, str(rank), ha="center", va="center", color="white", fontsize=11, weight="bold")
        ax.text(1.1 * x, 1.1 * y, f"{score:.2f}", ha="center", va="center", color=colour, fontsize=9)
        if rank <= anchors:
            ax.plot(x, y, "o", ms=27, mfc="none", mec=INK, mew=1.8)
    ax.set(xlim=(-0.75, 0.85), ylim=(0.68, 1.16), aspect="equal")
    ax.set_title(title, fontsize=12, color=INK)
    ax.axis("off")


def draw() -> plt.Figure:
    embeddings = photos()
    ensemble = Ensemble([Member("two numbers", embeddings)], clip=(0, 1))
    figure, axes = plt.subplots(1, 2, figsize=(11, 2.9), dpi=130)
    plain = ensemble.rank(["query"], embeddings.ids)
    expanded = ensemble.rank(["query"], embeddings.ids, rerank=Expand(weights=(0.4, 0.4, 0.2), power=7))
    panel(axes[0], "by the query alone: its cosines", embeddings, plain, 0)
    panel(axes[1], "expanded: .4 s1⁷ + .4 s2⁷ + .2 s3⁷, anchors ringed", embeddings, expanded, 2)
    figure.legend(
        handles=[
            axes[0].plot([], [], "o", ms=10, color=MINE, label="the query's animal")[0],
            axes[0].plot([], [], "o", ms=10, color=OTHER, label="another animal")[0],
        ],
        loc="lower center", ncols=2, frameon=False, fontsize=11,
    )  # fmt: skip
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    return figure


if __name__ == "__main__":
    save(draw(), "expand.png")
