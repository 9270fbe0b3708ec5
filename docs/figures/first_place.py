"""Draw docs/images/first_place.png: how the first-place solution ranks, from photos to scores."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from style import INK, save

TOP, V2, LATERAL, PAPER = "#2f7ebc", "#3d9970", "#c0672b", "#f4f6f8"


def box(ax: Axes, x: float, y: float, w: float, h: float, text: str, colour: str, *, filled: bool = True) -> None:
    shape = FancyBboxPatch(
        (x, y), w, h, boxstyle="round,pad=0,rounding_size=0.12", lw=1.6, ec=colour, fc=colour if filled else PAPER
    )
    ax.add_patch(shape)
    ink = "white" if filled else INK
    ax.text(x + w / 2, y + h / 2, text, ha="center", va="center", color=ink, fontsize=9.2, linespacing=1.35)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = INK) -> None:
    style = {"arrowstyle": "-|>", "color": colour, "lw": 1.5, "shrinkA": 2, "shrinkB": 2}
    ax.annotate("", xy=end, xytext=start, arrowprops=style)


def draw() -> plt.Figure:
    figure, ax = plt.subplots(figsize=(12.4, 6.6), dpi=130)
    ax.set(xlim=(0, 12.4), ylim=(0.1, 6.7))
    ax.axis("off")
    for x, title in ((0.1, "photos"), (2.2, "twelve networks"), (5.2, "three tables"), (7.4, "routes by viewpoint")):
        ax.text(x, 6.4, title, fontsize=12, color=INK, weight="bold")
    box(ax, 0.1, 3.0, 1.6, 1.5, "512 × 512\nlandscape turned\nphoto + mirror\nimage", INK, filled=False)
    rows = [
        (4.9, "b5-top × 5\nGeM ×3 → BN → Linear", "T\n10240 wide", TOP),
        (3.2, "v2m-top × 3\nGeM → BN", "V\n6456 wide", V2),
        (1.5, "b5-lateral × 4\nGeM ×3 → BN\n→ Hardtanh → Linear", "L\n8192 wide", LATERAL),
    ]
    for y, network, table, colour in rows:
        box(ax, 2.2, y, 2.4, 1.05, network, colour)
        box(ax, 5.2, y + 0.1, 1.4, 0.85, table, colour)
        arrow(ax, (1.7, 3.75), (2.2, y + 0.52))
        arrow(ax, (4.6, y + 0.52), (5.2, y + 0.52), colour)
    routes = [
        (5.15, "top → top", "s1: .75 T + .25 V, two anchors\n.4 s1⁷ + .4 s2⁷ + .2 s3⁷", INK),
        (
            3.85,
            "lateral → top",
            "s1: L; anchor 1 is its best, anchor 2\nthe second of s2; s2, s3: .75 T + .25 V\n.2 s1⁷ + .4 s2⁷ + .4 s3⁷",
            INK,
        ),
        (1.25, "anything else", "s1: .75 L + .25 V, two anchors\n.4 s1⁷ + .4 s2⁷ + .2 s3⁷", INK),
    ]
    for y, route, text, colour in routes:
        box(ax, 7.4, y, 1.35, 0.95, route, colour)
        box(ax, 8.85, y, 3.45, 0.95, text, colour, filled=False)
        arrow(ax, (6.6, 3.75), (7.4, y + 0.47))
    ax.text(
        0.1,
        0.45,
        "An anchor is a database photo the query resembles most; the database is searched again from it. "
        "Each score is the cosine, clipped to [0, 1];\nthe seventh power keeps the sure matches and drops the rest. "
        "The best 20 by the final score are submitted.",
        fontsize=9.5,
        color=INK,
        va="center",
    )
    return figure


if __name__ == "__main__":
    save(draw(), "first_place.png", bbox_inches="tight", facecolor="white")
