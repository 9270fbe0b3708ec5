"""Draw docs/images/training.png: the learning rate's course under the schedules there are."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from style import BLUE, GREY, INK, ORANGE, open_axes, save

from whalereid.training import RampThenDecay, Schedule, WarmupCosine

EPOCHS = 20
WINNER = {"ramp": 15, "start": 0.01, "floor": 0.009, "decay": 0.8}
SHOWN: list[tuple[str, Schedule, str]] = [
    ("WarmupCosine(): the default", WarmupCosine(), BLUE),
    (
        "RampThenDecay(ramp=15, ..., steps_per_epoch=2): the first place",
        RampThenDecay(**WINNER, steps_per_epoch=2),
        ORANGE,
    ),
    ("the same, stepped once an epoch: what it seems to say", RampThenDecay(**WINNER), GREY),
]


def draw() -> plt.Figure:
    figure, axes = plt.subplots(figsize=(9.5, 4.2), dpi=120, layout="constrained")
    moments = np.linspace(0, EPOCHS, 2001)[:-1]
    for label, schedule, colour in SHOWN:
        axes.plot(moments, [schedule.factor(at, EPOCHS) for at in moments], color=colour, lw=2, label=label)
    axes.set(xlabel="epoch", ylabel="learning rate, as a share of its peak", yscale="log", xlim=(0, EPOCHS))
    axes.xaxis.set_major_locator(plt.MultipleLocator(2))
    axes.legend(frameon=False, loc="lower center", labelcolor=INK)
    open_axes(axes)
    return figure


def main() -> None:
    save(draw(), "training.png")


if __name__ == "__main__":
    main()
