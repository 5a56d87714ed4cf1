"""Declares the benchmarks of the flow balancer: its speed, and how often its predictions come true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tiergate.bench import BenchSetup
from tiergate.hooks import BenchmarkDeclaration, Requirement, hookimpl
from tiergate.record import BenchRow


def run_flow(setup: BenchSetup) -> Iterator[BenchRow]:
    """Every row of the area, one theme after another."""
    from tiergate_plugins.benchmarks import flow_balance, flow_hits

    yield from flow_balance.rows(setup)
    yield from flow_hits.rows(setup)


@hookimpl
def tiergate_benchmarks() -> Iterable[BenchmarkDeclaration]:
    """The benchmarks of the flow balancer."""
    yield BenchmarkDeclaration(
        name="flow",
        summary="auto-balance by size and beside networkx; predictions beside naive guesses",
        requires=(Requirement(module="networkx", install="tiergate[bench]"),),
        run=run_flow,
    )
