"""Declares the benchmarks of the pool, its routers and the load driver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tiergate.bench import BenchSetup
from tiergate.hooks import BenchmarkDeclaration, Requirement, hookimpl
from tiergate.record import BenchRow

_PEERS = ("locust", "loky", "pebble")


def run_pool(setup: BenchSetup) -> Iterator[BenchRow]:
    """Every row of the area, one theme after another."""
    from tiergate_plugins.benchmarks import (
        pool_accuracy,
        pool_affinity,
        pool_decisions,
        pool_driver,
        pool_noops,
        pool_tiers,
        pool_worth,
    )

    themes = (
        pool_noops,
        pool_tiers,
        pool_decisions,
        pool_accuracy,
        pool_affinity,
        pool_worth,
        pool_driver,
    )
    for theme in themes:
        yield from theme.rows(setup)


@hookimpl
def tiergate_benchmarks() -> Iterable[BenchmarkDeclaration]:
    """The benchmarks of the pool."""
    yield BenchmarkDeclaration(
        name="pool",
        summary="the pool beside ProcessPoolExecutor, multiprocessing, loky, pebble; tiers beside one queue",
        requires=tuple(Requirement(module=peer, install="tiergate[bench-load]") for peer in _PEERS),
        run=run_pool,
    )
