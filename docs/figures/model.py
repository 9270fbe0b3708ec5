"""Draw docs/images/model.png: the parts of an Embedder, and how much each place of a photo counts in GeM pooling."""

from __future__ import annotations

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from style import BLUE, INK, ORANGE, save

from whalereid.images.synthetic import Beluga, Encounter, SurveyDay

LIGHT = "#eef2f6"
PARTS = [  # part, what it is, what comes out, always there?
    ("backbone", "any timm\nnetwork", "C maps\nh × w", True),
    ("pooling", "gem, avg or\nmulti-gem", "C", True),
    ("copies", "side by side", "C × copies", False),
    ("BatchNorm", "BNNeck", "C × copies", False),
    ("activation", "such as\nHardtanh", "C × copies", False),
    ("linear", "to any\nwidth", "dim", False),
]
CELL = 8  # px of the photo that one place of the map stands for


def pipeline(ax: Axes) -> None:
    """The parts from left to right; dashed ones are there if asked for."""
    ax.set(xlim=(-0.8, len(PARTS) + 0.8), ylim=(-0.62, 0.62))
    ax.axis("off")
    ax.text(-0.42, 0, "photo\n3 × H × W", ha="center", va="center", fontsize=9.5, color=INK)
    for place, (name, what, out, always) in enumerate(PARTS):
        x = place + 0.12
        style = "-" if always else (0, (4, 2))
        box = FancyBboxPatch((x, -0.3), 0.66, 0.6, boxstyle="round,pad=0.02", fc=LIGHT, ec=BLUE, lw=1.6, ls=style)
        ax.add_patch(box)
        ax.text(x + 0.33, 0.08, name, ha="center", va="center", fontsize=8.8, color=INK, weight="bold")
        ax.text(x + 0.33, -0.14, what, ha="center", va="center", fontsize=8, color=INK)
        ax.annotate("", (x - 0.03, 0), (x - 0.26, 0), arrowprops={"arrowstyle": "-|>", "color": INK})
        ax.text(x + 0.82, -0.5, out, ha="center", va="center", fontsize=8.5, color=ORANGE)
    end = len(PARTS)
    ax.annotate("", (end + 0.08, 0), (end - 0.18, 0), arrowprops={"arrowstyle": "-|>", "color": INK})
    ax.text(end + 0.42, 0, "embedding\nfloat32, raw", ha="center", va="center", fontsize=9.5, color=INK)
    ax.plot([2.98, 5.92, 5.92, 2.98, 2.98], [-0.4, -0.4, 0.42, 0.42, -0.4], color=INK, lw=0.8, ls=":")
    ax.text(4.45, 0.5, "the neck: none, BatchNorm, or all of it (dropout before the linear layer)", ha="center",
            fontsize=8.5, color=INK)  # fmt: skip


def shares(photo: np.ndarray, p: float) -> np.ndarray:
    """(h, w): each place's share of the sum that GeM takes, for a map that answers to edges."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    answers = cv2.resize(edges, (photo.shape[1] // CELL, photo.shape[0] // CELL), interpolation=cv2.INTER_AREA)
    powers = np.maximum(answers, 1e-6) ** p
    return powers / powers.sum()


def draw() -> plt.Figure:
    """The pipeline above, the shares below."""
    rng = np.random.default_rng(4)
    met = Encounter.draw(SurveyDay.draw(rng), rng)
    photo = Beluga.draw(rng).photo("left", met, rng, height=128, width=400)
    figure = plt.figure(figsize=(11, 4.3), dpi=130)
    grid = figure.add_gridspec(2, 4, height_ratios=[1.45, 1], hspace=0.1, wspace=0.06)
    pipeline(figure.add_subplot(grid[0, :]))
    below = [figure.add_subplot(grid[1, column]) for column in range(4)]
    below[0].imshow(photo)
    below[0].set_title("a photo", fontsize=10, color=INK)
    for ax, (p, name) in zip(below[1:], {1: "the average", 3: "GeM to begin with", 6: "sharper"}.items(), strict=True):
        share = shares(photo, p)
        ax.imshow(share, cmap="magma", vmin=0, vmax=np.quantile(share, 0.995))
        half = int((np.cumsum(np.sort(share.ravel())[::-1]) < 0.5).sum()) + 1
        ax.set_title(f"p = {p}: {name}\nhalf from {half} of {share.size} places", fontsize=10, color=INK)
    for ax in below:
        ax.axis("off")
    return figure


if __name__ == "__main__":
    save(draw(), "model.png", bbox_inches="tight")
