"""Draw docs/images/encounters.png: photos of two boats and a camera ashore, and the encounters made of them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from style import BLUE, GREY, INK, ORANGE, open_axes, save

from whalereid.catalogue import Catalogue, Encounters

DAY, NORTH = pd.Timestamp("2019-05-06"), 58.7
KM = 1 / 111.19  # degrees of latitude
COLOURS = [BLUE, ORANGE, "#3d8f5f", "#8a63a8", "#b5494e", "#4b6a88", "#a5812e"]


def photos() -> Catalogue:
    """A morning's photos: where along the coast, and when."""
    rng = np.random.default_rng(4)
    parts = []
    for first, last, km, drift, count in (
        (8.2, 9.6, 1.0, 0.9, 22), (11.4, 12.1, 2.6, -0.3, 14),  # one boat, two meetings
        (8.6, 9.3, 6.4, 0.4, 16), (10.9, 11.9, 5.2, -0.6, 15),  # another one
        (8.0, 13.0, 9.0, 0.0, 26),  # a camera ashore
    ):  # fmt: skip
        hour = np.sort(rng.uniform(first, last, count))
        if first == 8.0:
            hour = np.sort(
                np.concatenate([rng.uniform(8.1, 8.8, 9), rng.uniform(10.4, 10.9, 8), rng.uniform(12.4, 12.9, 9)])
            )
        along = km + drift * (hour - first) / (last - first)
        parts.append(pd.DataFrame({"hour": hour, "km": along + rng.normal(0, 0.03, len(hour))}))
    table = pd.concat(parts, ignore_index=True)
    lost = rng.random(len(table)) < 0.06  # the GPS had no fix
    return Catalogue(
        pd.DataFrame(
            {
                "image_id": [f"p{row}" for row in range(len(table))],
                "path": [f"p{row}.jpg" for row in range(len(table))],
                "date": (DAY + pd.to_timedelta(table["hour"] * 3600, unit="s")).dt.strftime("%Y-%m-%d %H:%M:%S"),
                "latitude": np.where(lost, np.nan, NORTH + table["km"] * KM),
                "longitude": np.where(lost, np.nan, -94.2),
                "km": table["km"],
            }
        )
    )


def draw() -> plt.Figure:
    table = photos()
    found = Encounters(gap=45, distance=500).of(table)
    hours = (table.dates() - np.datetime64(DAY, "s")) / np.timedelta64(3600, "s")
    along, placed = table.column("km").to_numpy(), table.known("latitude")
    figure, ax = plt.subplots(figsize=(9.6, 3.9), dpi=120, layout="constrained")
    for number, (name, rows) in enumerate(pd.Series(range(len(table))).groupby(found.names)):
        colour, rows = COLOURS[number % len(COLOURS)], rows.to_numpy()
        seen = rows[placed[rows]]
        box = hours[rows].min() - 0.06, along[seen].min() - 0.35, hours[rows].max() + 0.06, along[seen].max() + 0.35
        ax.add_patch(plt.Rectangle(box[:2], box[2] - box[0], box[3] - box[1], fc=colour, alpha=0.13, lw=0))
        ax.plot(hours[seen], along[seen], "o", ms=4.5, color=colour)
        ax.plot(hours[rows[~placed[rows]]], np.full((~placed[rows]).sum(), -0.3), "|", ms=9, mew=2, color=colour)
        ax.text(box[0] + 0.03, box[3] + 0.06, str(name), color=colour, fontsize=7.5)
    ax.axhline(0.15, color=GREY, lw=0.8, ls=":")
    ax.text(13.35, -0.3, "no position: with\nthe one before", color=INK, fontsize=7.5, va="center", ha="left")
    ax.set(xlabel="hour of the day", ylabel="km along the coast", xlim=(7.8, 14.4), ylim=(-0.8, 10.3))
    ax.set_title("A gap of 45 minutes, a distance of 500 m", color=INK, fontsize=11)
    open_axes(ax)
    return figure


if __name__ == "__main__":
    save(draw(), "encounters.png")
