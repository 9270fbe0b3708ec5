"""Intervals: against SciPy's bootstrap, by hand where that can be, seeded, and covering what they should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from whalereid.errors import WhalereidError
from whalereid.evaluation import Bootstrap, bootstrap, bootstrap_means, bootstrap_statistic, compare

BARE = Bootstrap(resamples=0)  # no intervals


def animals(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Queries of n animals: few have many photos, and an animal's photos are alike in how well they are found."""
    photos = np.minimum(rng.geometric(0.15, n), 60)
    ease = rng.beta(0.8, 0.6, n)
    owner = np.repeat(np.arange(n), photos)
    return (rng.random(len(owner)) < ease[owner]) * rng.choice([1.0, 0.5], len(owner)), owner


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_the_same_as_scipys(method: str) -> None:
    values, owner = animals(np.random.default_rng(1), 40)
    sums = np.bincount(owner, values)
    sizes = np.bincount(owner).astype(float)
    theirs = stats.bootstrap(
        (sums, sizes),
        lambda s, n, axis: s.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method={"bca": "BCa"}.get(method, method),
        rng=np.random.default_rng(0),
    ).confidence_interval
    ours = bootstrap(values, owner, bootstrap=Bootstrap(resamples=20_000, method=method))  # type: ignore[arg-type]
    width = theirs.high - theirs.low
    assert ours.estimate == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.02 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.02 * width)
    assert ours.identities == 40


def test_bca_is_the_textbooks_on_the_same_draws() -> None:
    values = np.array([0.0, 0.1, 0.2, 0.9, 1.0, 0.4, 0.1])
    interval = bootstrap(values, bootstrap=Bootstrap(resamples=500, seed=3))
    generator = np.random.default_rng(3)
    draws = values[generator.integers(0, 7, (500, 7))].mean(axis=1)
    bias = stats.norm.ppf((draws < values.mean() - 1e-12).mean() + (abs(draws - values.mean()) <= 1e-12).mean() / 2)
    left_out = np.array([np.delete(values, i).mean() for i in range(7)])
    deviation = left_out.mean() - left_out
    acceleration = (deviation**3).sum() / (6 * (deviation**2).sum() ** 1.5)
    for level, end in ((0.025, interval.low), (0.975, interval.high)):
        shifted = bias + stats.norm.ppf(level)
        corrected = stats.norm.cdf(bias + shifted / (1 - acceleration * shifted))
        assert end == pytest.approx(np.quantile(draws, corrected))


def test_photos_of_one_animal_are_one_experiment() -> None:
    """The same values, a hundred photos each, say no more about other animals."""
    once = bootstrap([0.1, 0.9, 0.5, 0.7], list("abcd"))
    often = bootstrap(np.repeat([0.1, 0.9, 0.5, 0.7], 100), np.repeat(list("abcd"), 100))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    as_if_independent = bootstrap(np.repeat([0.1, 0.9, 0.5, 0.7], 100))
    assert as_if_independent.high - as_if_independent.low < 0.3 * (once.high - once.low)


def test_many_metrics_at_once_are_each_alone() -> None:
    rng = np.random.default_rng(2)
    values, owner = rng.random((200, 3)), rng.integers(0, 30, 200)
    together = bootstrap_means(values, owner, bootstrap=Bootstrap(seed=5))
    for column, interval in enumerate(together):
        alone = bootstrap(values[:, column], owner, bootstrap=Bootstrap(seed=5))
        assert (interval.low, interval.high) == pytest.approx((alone.low, alone.high), abs=1e-12)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_a_mean_as_any_statistic(method: str) -> None:
    values, owner = animals(np.random.default_rng(4), 15)
    mean = bootstrap(values, owner, bootstrap=Bootstrap(method=method, seed=1))  # type: ignore[arg-type]
    statistic = bootstrap_statistic(
        lambda weights: weights @ values / weights.sum(axis=1),
        owner,
        bootstrap=Bootstrap(method=method, seed=1),  # type: ignore[arg-type]
    )
    assert (statistic.estimate, statistic.low, statistic.high) == pytest.approx((mean.estimate, mean.low, mean.high))


def test_seeds_and_the_order_of_queries() -> None:
    values, owner = animals(np.random.default_rng(6), 20)
    assert bootstrap(values, owner, bootstrap=Bootstrap(seed=1)) == bootstrap(
        values, owner, bootstrap=Bootstrap(seed=1)
    )
    assert bootstrap(values, owner, bootstrap=Bootstrap(seed=1)) != bootstrap(
        values, owner, bootstrap=Bootstrap(seed=2)
    )


def test_blocks_of_resamples_don_t_show(monkeypatch: pytest.MonkeyPatch) -> None:
    values, owner = animals(np.random.default_rng(7), 20)
    weights: list[int] = []

    def statistic(counts: np.ndarray) -> np.ndarray:
        weights.append(len(counts))
        return np.asarray(counts @ values / counts.sum(axis=1))

    monkeypatch.setattr("whalereid.evaluation.resampling._BLOCK", 1000)
    interval = bootstrap_statistic(statistic, owner, bootstrap=Bootstrap(resamples=333))
    assert sum(weights) == 1 + 333 + 20
    assert max(weights) <= 1000 // len(values)
    assert interval.low < interval.estimate < interval.high


def test_nothing_to_resample() -> None:
    one = bootstrap([0.2, 0.4], ["ann", "ann"])
    assert one.estimate == pytest.approx(0.3)
    assert np.isnan([one.low, one.high]).all()
    assert np.isnan(compare([0.2, 0.4], [0.1, 0.1], ["ann", "ann"]).probability)
    same = bootstrap([0.5, 0.5, 0.5], list("abc"))
    assert (same.low, same.high) == (0.5, 0.5)
    skipped = bootstrap([0.5, np.nan, 0.7], ["ann", "bob", "cid"])
    assert (skipped.estimate, skipped.identities) == (pytest.approx(0.6), 2)


def test_a_comparison_is_of_the_same_queries() -> None:
    rng = np.random.default_rng(8)
    base, owner = animals(rng, 60)
    better = np.clip(base + 0.02 + 0.01 * rng.standard_normal(len(base)), 0, 2)
    paired = compare(better, base, owner)
    assert paired.interval.low > 0
    assert paired.probability > 0.99
    assert paired.interval.high - paired.interval.low < 0.02  # each alone is ten times as uncertain
    assert bootstrap(base, owner).high - bootstrap(base, owner).low > 0.1
    turned = compare(base, better, owner)
    assert turned.probability == pytest.approx(paired.probability)
    assert turned.interval.estimate == pytest.approx(-paired.interval.estimate)
    assert compare(base, base, owner).probability == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resamples": 1}, "resamples is 1; an interval takes 2 at least"),
        ({"resamples": -1}, "resamples is -1"),
        ({"confidence": 1.0}, "confidence is 1.0"),
        ({"method": "magic"}, "choose from bca, percentile"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_errors(options: dict[str, object], message: str) -> None:
    with pytest.raises(WhalereidError, match=message):
        Bootstrap(**options)  # type: ignore[arg-type]


def test_values_that_dont_go_together_are_refused() -> None:
    with pytest.raises(WhalereidError, match="2 values but 1 identities"):
        bootstrap([0.1, 0.2], ["a"])
    with pytest.raises(WhalereidError, match=r"bootstrap is 3; give a Bootstrap, such as Bootstrap\("):
        bootstrap([0.1, 0.2], bootstrap=3)  # type: ignore[arg-type]
    with pytest.raises(WhalereidError, match="no query has a value"):
        bootstrap([np.nan])
    with pytest.raises(WhalereidError, match="2 values and 1"):
        compare([0.1, 0.2], [0.1])


def test_without_resamples_there_is_no_interval() -> None:
    none = bootstrap([0.2, 0.4, 0.9], list("abc"), bootstrap=BARE)
    assert none.estimate == pytest.approx(0.5)
    assert np.isnan([none.low, none.high]).all()
    assert str(none) == "0.5000 –"
    assert str(bootstrap([0.5, 0.5], ["a", "b"])) == "0.5000 [0.5000, 0.5000]"
    assert [np.isnan(one.low) for one in bootstrap_means(np.eye(3), bootstrap=BARE)] == [True] * 3
    assert np.isnan(bootstrap_statistic(lambda weights: weights.sum(axis=1), list("abc"), bootstrap=BARE).low)
    against = compare([1.0, 0.5], [0.5, 0.5], ["a", "b"], bootstrap=BARE)
    assert against.interval.estimate == 0.25
    assert np.isnan([against.interval.low, against.interval.high, against.probability]).all()
    with pytest.raises(WhalereidError, match=r"resamples is 1; .* takes 2 at least"):
        compare([1.0, 0.5], [0.5, 0.5], bootstrap=Bootstrap(resamples=1))
    with pytest.raises(WhalereidError, match=r"resamples is 1; .* takes 2 at least"):
        bootstrap_statistic(lambda weights: weights.sum(axis=1), list("abc"), bootstrap=Bootstrap(resamples=1))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_cover_as_often_as_they_say(method: str) -> None:
    """Of 95% intervals from 100 animals, 95% hold the population's mean; resampling photos holds it far less often."""
    rng = np.random.default_rng(10)
    truth = animals(rng, 300_000)[0].mean()
    held = held_by_photos = 0
    runs = 1500
    for run in range(runs):
        values, owner = animals(rng, 100)
        interval = bootstrap(values, owner, bootstrap=Bootstrap(method=method, resamples=800, seed=run))  # type: ignore[arg-type]
        by_photos = bootstrap(values, bootstrap=Bootstrap(method="percentile", resamples=200, seed=run))
        held += interval.low <= truth <= interval.high
        held_by_photos += by_photos.low <= truth <= by_photos.high
    assert 0.92 <= held / runs <= 0.97
    assert held_by_photos / runs < 0.75
