"""What benchmarks/metrics.py claims."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.mark.slow
def test_fifty_times_faster_than_query_by_query_and_equal(repository: Path) -> None:
    spec = importlib.util.spec_from_file_location("benchmark_metrics", repository / "benchmarks" / "metrics.py")
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    figures = benchmark.measure(large=False)
    assert figures["largest difference"] <= 1e-12
    assert figures["times faster"] >= 50
    assert figures["4,419 queries, whalereid"] < 0.15
    assert figures["1,000 resamples of 8 metrics, BCa"] < 2
