"""benchmarks/metrics.py runs, and its peer's figures are ours; how fast either is, it prints."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.mark.slow
def test_values_are_those_of_scikit_learn_query_by_query(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("benchmark_metrics", repository / "benchmarks" / "metrics.py")
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    figures = benchmark.measure(large=False)
    assert figures["largest difference"] <= 1e-12
    benchmark.show(figures)
    assert len(capsys.readouterr().out.splitlines()) == len(figures)
