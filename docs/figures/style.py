"""What the docs' figures share: colours, axes without a frame, and where they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from whalereid.files import replacing

INK, BLUE, ORANGE, GREY = "#22313f", "#2f7ebc", "#c0672b", "#9aa5b1"
IMAGES = Path(__file__).resolve().parents[1] / "images"


def open_axes(axes: Axes) -> None:
    """Take the frame away above and to the right."""
    axes.spines[["top", "right"]].set_visible(False)


def save(figure: Figure, name: str, **options: Any) -> None:
    """Write a figure to docs/images, whole or not at all."""
    with replacing(IMAGES / name) as beside:
        figure.savefig(beside, **options)
