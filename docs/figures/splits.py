"""Draw docs/images/splits.png: one table of photos, split in six ways by the library's own splitters."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch
from style import INK, save

from whalereid.catalogue import Catalogue
from whalereid.splits import (
    DateSplit,
    EncounterFolds,
    IdentityFolds,
    OpenSetSplit,
    PhotoFolds,
    Splitter,
    ViewpointSplit,
    leakage,
)

TRAINED, TESTED, UNSEEN, ENCOUNTER, EDGE = "#9db8cf", "#c0672b", "#7a1f3d", "#f1ece4", "#d5cbb9"
PANELS: list[tuple[str, str, Splitter]] = [
    ("PhotoFolds(3)", "known animals, photos like those trained on", PhotoFolds(3)),
    ("EncounterFolds(3)", "known animals, met again", EncounterFolds(3)),
    ("IdentityFolds(3)", "animals never seen", IdentityFolds(3)),
    ("DateSplit('2020-08-01')", "what comes later", DateSplit("2020-08-01")),
    ("OpenSetSplit(unseen=0.5)", "known or new?", OpenSetSplit(unseen=0.5, test_share=0.3)),
    ("ViewpointSplit('left', 'top')", "from a side the database doesn't show", ViewpointSplit("left", "top")),
]


def herd() -> Catalogue:
    """Eight animals, each met one to four times in a summer, two to five photos each time, from above and the left."""
    rng = np.random.default_rng(4)
    rows = []
    for animal, times in enumerate([4, 3, 4, 2, 3, 1, 2, 3]):
        for day in sorted(rng.choice(12, times, replace=False)):
            date = pd.Timestamp("2020-06-08") + pd.Timedelta(days=int(day) * 8)
            rows += [
                {"identity": f"animal {animal + 1}", "encounter": f"{animal}-{day}", "date": date, "shot": shot}
                for shot in range(rng.integers(2, 6))
            ]
    frame = pd.DataFrame(rows)
    frame["viewpoint"] = np.where(frame["shot"] % 2, "left", "top")
    frame["image_id"] = frame["path"] = [f"{row:03d}" for row in range(len(frame))]
    return Catalogue(frame.astype({"date": "str"}))


def panel(ax: Axes, photos: Catalogue, name: str, question: str, splitter: Splitter) -> None:
    folds = splitter.folds(photos)
    train, test = photos[folds != 0], photos[folds == 0]
    unseen = ~photos.column("identity").isin(train.identities).to_numpy() & (folds == 0)
    colours = np.select([unseen, folds == 0], [UNSEEN, TESTED], TRAINED)
    frame = photos.frame.assign(colour=colours, row=photos.labels(), day=pd.to_datetime(photos.dates()))
    x = (frame["day"] - pd.Timestamp("2020-06-01")).dt.days + frame["shot"].astype(int) * 1.45
    for _, met in frame.assign(x=x).groupby("encounter"):
        left, width, y = met["x"].min() - 1.1, np.ptp(met["x"]) + 2.2, met["row"].iloc[0]
        style = {"boxstyle": "round,pad=0,rounding_size=0.3", "fc": ENCOUNTER, "ec": EDGE, "lw": 0.7}
        ax.add_patch(FancyBboxPatch((left, y - 0.32), width, 0.64, **style))
    for viewpoint, marker in (("top", "o"), ("left", "<")):
        seen = (frame["viewpoint"] == viewpoint).to_numpy()
        ax.scatter(x[seen], frame["row"][seen], c=colours[seen], marker=marker, s=21, lw=0, zorder=3)
    shared = leakage(train, test).to_frame().set_index("cue").loc["encounter", "of_test"]
    ax.set_title(name, loc="left", fontsize=10.5, color=INK, weight="bold", family="monospace", pad=19)
    above = {"transform": ax.transAxes, "color": INK}
    ax.text(0, 1.03, question, fontsize=9.5, **above)
    ax.text(1, 1.03, f"same encounter in training: {shared:.0%}", fontsize=8.5, ha="right", **above)
    ax.set(xlim=(-1, 106), ylim=(7.6, -0.6), yticks=range(8), yticklabels=photos.identities, xticks=[0, 30, 61, 92])
    ax.set_xticklabels(["June", "July", "August", "September"], ha="left")
    ax.tick_params(length=0, labelsize=8, colors=INK)
    for spine in ax.spines.values():
        spine.set_visible(False)


def draw() -> plt.Figure:
    figure, axes = plt.subplots(3, 2, figsize=(12.4, 9.2), dpi=120, sharey=True)
    photos = herd()
    for ax, (name, question, splitter) in zip(axes.flat, PANELS, strict=True):
        panel(ax, photos, name, question, splitter)
    dot = {"marker": "o", "lw": 0, "markersize": 6}
    handles = [
        Line2D([], [], color=TRAINED, label="training (database)", **dot),
        Line2D([], [], color=TESTED, label="test (query), animal in training", **dot),
        Line2D([], [], color=UNSEEN, label="test, animal never seen", **dot),
        Line2D([], [], color=EDGE, lw=7, label="one encounter"),
        Line2D([], [], color=INK, marker="o", lw=0, markersize=5, label="from the top"),
        Line2D([], [], color=INK, marker="<", lw=0, markersize=5, label="from the left"),
    ]
    figure.legend(handles=handles, loc="lower center", ncols=6, frameon=False, fontsize=8.5, labelcolor=INK)
    figure.tight_layout(rect=(0, 0.035, 1, 1), h_pad=2.2, w_pad=2)
    return figure


if __name__ == "__main__":
    save(draw(), "splits.png", facecolor="white")
