"""Learning-rate schedules: what share of its peak the learning rate has at each moment of training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Protocol

from whalereid import arguments
from whalereid.errors import WhalereidError

__all__ = ["SCHEDULES", "RampThenDecay", "Schedule", "WarmupCosine", "schedule_from_dict", "schedule_to_dict"]


class Schedule(Protocol):
    """What `fit` asks of a schedule: a frozen dataclass with a `name` and one verb."""

    name: ClassVar[str]

    def factor(self, epoch: float, epochs: int) -> float:
        """Return the share of the peak learning rate.

        Parameters
        ----------
        epoch : float
            Moment of training in epochs, from 0 (before the first step) to just below `epochs`; 2.5 is the middle of
            the third epoch.
        epochs : int
            Length of the whole training.

        Returns
        -------
        float
            0 or more; the learning rate of each group is its own peak times this.
        """
        ...


@dataclass(frozen=True)
class WarmupCosine:
    """Rise in a straight line to the peak, then fall along half a cosine; changes with every step.

    Attributes
    ----------
    warmup : float
        Share of the training spent rising, in [0, 1).
    start : float
        Share of the peak at the first step.
    floor : float
        Share of the peak reached at the end.

    References
    ----------
    Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017,
    https://arxiv.org/abs/1608.03983

    Examples
    --------
    >>> schedule = WarmupCosine(warmup=0.2, start=0.1, floor=0.0)
    >>> [round(schedule.factor(epoch, 10), 3) for epoch in (0, 1, 2, 6, 10)]
    [0.1, 0.55, 1.0, 0.5, 0.0]
    """

    name: ClassVar[str] = "warmup-cosine"

    warmup: float = 0.1
    start: float = 0.01
    floor: float = 0.01

    def __post_init__(self) -> None:
        _shares(self, "start", "floor", "warmup")
        if self.warmup == 1:
            raise WhalereidError(f"{self.name}: warmup is {self.warmup}; it is a share of the training, in [0, 1).")

    def factor(self, epoch: float, epochs: int) -> float:
        """Return the share of the peak at this moment; see `Schedule.factor`."""
        _moment(epoch, epochs)
        done = epoch / epochs
        if done < self.warmup:
            return self.start + (1 - self.start) * done / self.warmup
        falling = (done - self.warmup) / (1 - self.warmup)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * min(falling, 1.0)))


@dataclass(frozen=True)
class RampThenDecay:
    """Rise in a straight line to the peak, then fall towards a floor by a constant factor a step.

    The rate is constant within an epoch. With ``steps_per_epoch=2`` the schedule runs twice as fast as the training:
    the first place of "Where's Whale-do?" stepped its scheduler twice an epoch by accident, and annealed the better
    for it. Its networks trained with ``lr=1e-3`` and
    ``RampThenDecay(ramp=15, start=0.01, floor=0.009, decay=0.8, steps_per_epoch=2)``.

    Attributes
    ----------
    ramp : int
        Steps of the rise.
    start : float
        Share of the peak at step 0.
    floor : float
        Share of the peak that the fall tends to.
    decay : float
        What the height above the floor is multiplied by at each step after the rise, in (0, 1].
    steps_per_epoch : int
        Steps of this schedule in one epoch.

    Examples
    --------
    >>> schedule = RampThenDecay(ramp=2, start=0.5, floor=0.0, decay=0.5)
    >>> [schedule.factor(epoch, 5) for epoch in range(5)]
    [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    name: ClassVar[str] = "ramp-then-decay"

    ramp: int = 5
    start: float = 0.01
    floor: float = 0.01
    decay: float = 0.8
    steps_per_epoch: int = 1

    def __post_init__(self) -> None:
        _shares(self, "start", "floor", "decay")
        for name, least in (("ramp", 0), ("steps_per_epoch", 1)):
            count = arguments.whole_number(getattr(self, name), f"{self.name}: {name}", least)
            object.__setattr__(self, name, count)
        if self.decay == 0:
            raise WhalereidError(f"{self.name}: decay is {self.decay}; it is a factor in (0, 1].")

    def factor(self, epoch: float, epochs: int) -> float:
        """Return the share of the peak at this moment; see `Schedule.factor`."""
        _moment(epoch, epochs)
        step = self.steps_per_epoch * math.floor(epoch)
        if step < self.ramp:
            return self.start + (1 - self.start) * step / self.ramp
        return float(self.floor + (1 - self.floor) * self.decay ** (step - self.ramp))


SCHEDULES: dict[str, type[Any]] = {kind.name: kind for kind in (WarmupCosine, RampThenDecay)}


def schedule_to_dict(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule as JSON can hold it: its name and its settings."""
    return {"name": schedule.name, **asdict(schedule)}  # type: ignore[call-overload]


def schedule_from_dict(settings: Mapping[str, Any]) -> Schedule:
    """Build the schedule that `schedule_to_dict` described.

    Raises
    ------
    WhalereidError
        There is no schedule of that name, or it has no such setting.
    """
    arguments.instance(settings, "schedule", Mapping, "a mapping, as schedule_to_dict gives it")
    name = settings.get("name")
    if not isinstance(name, str) or name not in SCHEDULES:
        raise WhalereidError(f"Unknown schedule {name!r}; choose from {sorted(SCHEDULES)}.")
    known = [field.name for field in fields(SCHEDULES[name])]
    for setting in settings:
        if setting != "name" and setting not in known:
            raise WhalereidError(f"schedule {name!r} has no setting {setting!r}; it has {known}.")
    schedule: Schedule = SCHEDULES[name](**{key: value for key, value in settings.items() if key != "name"})
    return schedule


def _shares(schedule: Any, *names: str) -> None:
    for name in names:
        share = arguments.number(getattr(schedule, name), f"{schedule.name}: {name}", 0, 1)
        object.__setattr__(schedule, name, share)  # NumPy's numbers become Python's, which JSON can hold


def _moment(epoch: float, epochs: int) -> None:
    arguments.number(epoch, "epoch", 0)
    arguments.whole_number(epochs, "epochs", 1)
