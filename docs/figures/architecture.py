"""Draw docs/images/architecture.png: the floors, as pyproject.toml orders them, and the way of one photo up them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from style import BLUE, INK, ORANGE, save

ROOT = Path(__file__).resolve().parents[2]
PAPER, LINE = "#f4f6f8", "#cfd6dd"
GROUND = "decoding"  # this floor and those below are drawn as one
# What becomes of one photo, by room, in the order of its way.
WAY = [
    ("catalogue", "a row of the table: who, where, when"),
    ("splits", "trained on, or held out"),
    ("images", "pixels, cropped, augmented: (3, H, W)"),
    ("models", "a vector: (dim,)"),
    ("heads", "while training: a loss against its animal"),
    ("embeddings", "one row of the table of vectors"),
    ("ranking", "a list: its best candidates, with scores"),
    ("evaluation", "right or wrong at each rank: mAP@20"),
    ("reporting", "a cell of a contact sheet, a point of a curve"),
]


def floors() -> list[tuple[str, int]]:
    """The rooms from the ground up, each with its lines; the ground floor as one."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    names = [layer.removeprefix("whalereid.") for layer in reversed(contract["layers"])]
    ground = names[: names.index(GROUND) + 1]
    rooms = [(", ".join(reversed(ground)), sum(map(lines, ground)))]
    return rooms + [(name, lines(name)) for name in names[len(ground) :]]


def lines(room: str) -> int:
    place = ROOT / "src" / "whalereid" / room
    files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


def band(ax: Axes, floor: int, name: str, length: int) -> None:
    """One floor: its name, and how much there is of it."""
    tall = 1.7 if floor == 0 else 0.78
    bottom = 0.0 if floor == 0 else 0.95 + floor * 0.92
    style = {"boxstyle": "round,pad=0,rounding_size=0.12", "fc": PAPER, "ec": LINE, "lw": 1.2}
    ax.add_patch(FancyBboxPatch((0, bottom), 11.6, tall, **style))
    ax.text(11.45, bottom + tall / 2, f"{length:,} lines", ha="right", va="center", color=INK, fontsize=8.5)
    if floor == 0:
        ax.text(0.2, bottom + 1.35, "the ground floor", color=INK, fontsize=11, weight="bold")
        words = name.split(", ")
        half = len(words) // 2
        ax.text(0.2, bottom + 0.82, ", ".join(words[:half]) + ",", color=INK, fontsize=9)
        ax.text(0.2, bottom + 0.35, ", ".join(words[half:]), color=INK, fontsize=9)
    else:
        ax.text(0.2, bottom + tall / 2, name, va="center", color=INK, fontsize=11, weight="bold")


def draw() -> plt.Figure:
    rooms = floors()
    figure, ax = plt.subplots(figsize=(10.6, 9.4), dpi=120)
    ax.set(xlim=(-0.1, 11.7), ylim=(-0.1, 1.95 + 0.92 * len(rooms)))
    ax.axis("off")
    middle = {}
    for floor, (name, length) in enumerate(rooms):
        band(ax, floor, name, length)
        middle[name] = 0.95 + floor * 0.92 + 0.39
    before = None
    for number, (room, words) in enumerate(WAY, start=1):
        x, y = 3.1, middle[room]
        if before is not None:
            bend = "arc3,rad=-0.25"
            arrow = FancyArrowPatch((x, before + 0.2), (x, y - 0.2), arrowstyle="-|>", mutation_scale=11, color=BLUE)
            arrow.set_connectionstyle(bend if y - before > 1 else "arc3,rad=0")
            ax.add_patch(arrow)
        ax.plot(x, y, "o", ms=17, color=BLUE)
        ax.text(x, y, str(number), ha="center", va="center", color="white", fontsize=9, weight="bold")
        ax.text(x + 0.4, y, words, va="center", color=INK, fontsize=10)
        before = y
    for room, words in (
        ("registry", "name:key=value, checked against the part's signature"),
        ("parts", "every part that has a name"),
        ("candidates", "who may be compared with whom"),
        ("calibration", "a score as a chance"),
        ("training", "heads and networks learn; the best epoch is kept"),
        ("cli", "a command for each step"),
    ):
        ax.text(3.5, middle[room], words, va="center", color=ORANGE, fontsize=10)
    ax.text(0.2, 1.1 + 0.92 * len(rooms), "a room imports only from the floors below it", color=INK, fontsize=10)
    ax.text(7.2, 1.1 + 0.92 * len(rooms), "●  the way of one photo", color=BLUE, fontsize=10)
    return figure


if __name__ == "__main__":
    save(draw(), "architecture.png", bbox_inches="tight", facecolor="white")
