from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from whalereid.errors import WhalereidError
from whalereid.parts import SCHEDULES
from whalereid.training import RampThenDecay, WarmupCosine

WINNER = RampThenDecay(ramp=15, start=0.01, floor=0.009, decay=0.8, steps_per_epoch=2)


@pytest.mark.shared
def test_the_winners_accident_to_the_digit(shared: Path) -> None:
    expected = np.load(shared / "golden" / "model" / "expected.npz")["lr_top"]
    rates = [1e-3 * WINNER.factor(epoch, 20) for epoch in range(20)]
    np.testing.assert_allclose(rates, expected, rtol=0, atol=1e-9)


def test_ramp_stepped_twice_by_hand() -> None:
    # A step of the rise is (1e-3 - 1e-5) / 15 = 6.6e-5, and an epoch takes two; step 16 is the first of the fall.
    rates = [1e-3 * WINNER.factor(epoch, 20) for epoch in (0, 1, 7, 8, 9)]
    fall = 1e-3 - 9e-6
    expected = [1e-5, 1e-5 + 2 * 6.6e-5, 1e-5 + 14 * 6.6e-5, 9e-6 + fall * 0.8, 9e-6 + fall * 0.8**3]
    np.testing.assert_allclose(rates, expected, rtol=0, atol=1e-15)


def test_the_floor_is_what_the_fall_tends_to() -> None:
    lateral = RampThenDecay(ramp=15, start=0.01, floor=0.001, decay=0.8, steps_per_epoch=2)
    assert 1e-3 * lateral.factor(500, 501) == pytest.approx(1e-6)
    assert lateral.factor(7, 20) == WINNER.factor(7, 20)  # the rise doesn't know the floor


def test_ramp_is_constant_within_an_epoch() -> None:
    assert WINNER.factor(9.0, 20) == WINNER.factor(9.99, 20)


def test_no_ramp_begins_at_the_peak() -> None:
    assert RampThenDecay(ramp=0).factor(0, 5) == 1.0


def test_warmup_cosine_rises_once_and_falls_once() -> None:
    schedule = WarmupCosine(warmup=0.25, start=0.0, floor=0.1)
    factors = np.array([schedule.factor(epoch, 8) for epoch in np.linspace(0, 8, 801)])
    peak = int(factors.argmax())
    assert peak == 200
    assert factors[peak] == pytest.approx(1)
    assert (np.diff(factors[: peak + 1]) > 0).all()
    assert (np.diff(factors[peak:]) <= 1e-12).all()
    assert factors[0] == 0
    assert factors[-1] == pytest.approx(0.1)


def test_warmup_of_none_begins_at_the_peak() -> None:
    assert WarmupCosine(warmup=0.0).factor(0, 3) == 1.0


@pytest.mark.parametrize("schedule", [WINNER, WarmupCosine(warmup=0.3, floor=0.0)])
def test_schedules_go_to_json_and_back(schedule: RampThenDecay | WarmupCosine) -> None:
    assert SCHEDULES.make(SCHEDULES.describe(schedule).to_dict()) == schedule


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"name": "linear"}, "'linear' is unknown; choose from .*ramp-then-decay.*warmup-cosine"),
        ({"name": "warmup-cosine", "warm": 0.1}, "'warm'"),
        ({"name": "warmup-cosine", "warmup": 1.0}, "warmup is 1.0"),
        ({"name": "warmup-cosine", "floor": -0.1}, "floor is -0.1"),
        ({"name": "ramp-then-decay", "decay": 0}, "decay is 0"),
        ({"name": "ramp-then-decay", "ramp": "long"}, "ramp is 'long'"),
        ({"name": "warmup-cosine", "start": None}, "start is None"),
        ({"name": ["warmup-cosine"]}, "a part's name is"),
        ({"name": "ramp-then-decay", "steps_per_epoch": 0}, "steps_per_epoch is 0"),
    ],
)
def test_what_cannot_be_is_refused_by_name(settings: dict[str, object], names: str) -> None:
    with pytest.raises(WhalereidError, match=names):
        SCHEDULES.make({"name": settings.pop("name"), "options": settings})
