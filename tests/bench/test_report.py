"""Rendering the page of a gate with two hundred benchmarks."""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from tiergate.record import GateBenchmark, GateRecord
from tiergate_reports.render import render


def test_render(benchmark: BenchmarkFixture) -> None:
    many = [
        GateBenchmark(
            name=f"tests/b.py::test_{number}",
            ratio=1 + number / 1000,
            interval=(0.99 + number / 1000, 1.01 + number / 1000),
            verdict="same",
            seconds=1.0,
            reason="after 5 generations a difference of 2.5 % or more is ruled out",
        )
        for number in range(200)
    ]
    page = benchmark(render, [GateRecord(verdict="pass", benchmarks=many)])
    assert b"test_199" in page if isinstance(page, bytes) else "test_199" in page
