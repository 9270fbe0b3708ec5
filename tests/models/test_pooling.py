from __future__ import annotations

import pytest
import torch

from whalereid.models import AveragePooling, GeM, MultiStageGeM


def by_hand(maps: torch.Tensor, p: float, eps: float = 1e-6) -> torch.Tensor:
    out = torch.zeros(maps.shape[:2], dtype=torch.float64)
    for photo in range(maps.shape[0]):
        for channel in range(maps.shape[1]):
            values = [max(float(v), eps) ** p for v in maps[photo, channel].flatten()]
            out[photo, channel] = (sum(values) / len(values)) ** (1 / p)
    return out.float()


@pytest.mark.parametrize("p", [1.0, 3.0, 3.25, 6.0])
def test_gem_is_the_generalised_mean(p: float) -> None:
    maps = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(GeM(p=p)(maps), by_hand(maps, p))


def test_gem_starts_at_three_and_learns() -> None:
    pooling = GeM()
    assert pooling.p.tolist() == [3.0]
    pooling(torch.rand(2, 3, 4, 4)).sum().backward()
    assert pooling.p.grad is not None
    assert pooling.p.grad.isfinite().all()
    assert pooling.p.grad.abs() > 0


def test_gem_of_nothing_positive_stays_finite_with_gradient() -> None:
    maps = torch.full((1, 2, 3, 3), -1.0, requires_grad=True)
    pooled = GeM()(maps)
    pooled.sum().backward()
    torch.testing.assert_close(pooled, torch.full((1, 2), 1e-6))
    assert maps.grad is not None
    assert maps.grad.isfinite().all()


def test_gem_computes_half_precision_maps_in_float32() -> None:
    maps = torch.full((1, 1, 4, 4), 100.0, dtype=torch.float16)  # 100³ is more than float16 can hold
    assert GeM()(maps).item() == pytest.approx(100.0)
    assert GeM()(maps).dtype == torch.float32


def test_gem_takes_tokens_as_well() -> None:
    maps = torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(GeM()(maps.flatten(2)), GeM()(maps))


def test_average() -> None:
    maps = torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(AveragePooling()(maps), maps.mean(dim=(2, 3)))


def test_multi_stage_is_gem_of_each_with_its_own_exponent() -> None:
    pooling = MultiStageGeM()
    pooling.p.data = torch.tensor([2.0, 4.0])
    before, last = torch.rand(2, 3, 8, 8), torch.rand(2, 5, 4, 4)
    expected = torch.cat([by_hand(before, 2.0), by_hand(last, 4.0)], dim=1)
    torch.testing.assert_close(pooling(before, last), expected)
