"""One decision of each router that chooses, on a pool of five workers."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tiergate.hooks import RouterDeclaration
from tiergate.operation import Scope
from tiergate.plugins import PluginHost
from tiergate.routing import Cutoffs, Observation, PoolView, RequestFacts, RouterSetup, WorkerView

ROUTERS = ("shared-queue", "random", "power-of-two", "least-work-left", "size-heuristic", "learned")
TIERS = {"hot": 2, "warm": 1, "cold": 2}
WORKERS = [WorkerView(f"{tier}-{n}", tier, n, 0.01 * n) for tier in TIERS for n in range(TIERS[tier])]
POOL = PoolView(WORKERS)


def facts(number: int) -> RequestFacts:
    """A read of one of fifty sessions of different sizes."""
    return RequestFacts(
        request=number,
        operation="task_get",
        session=f"session {number % 50}",
        arguments={},
        payload_bytes=40,
        scope=Scope.SESSION,
        read_tasks=number % 50,
        read_bytes=500 * (number % 50) + 100,
        writes=False,
    )


@pytest.mark.parametrize("name", ROUTERS)
def test_decision(benchmark: BenchmarkFixture, host: PluginHost, name: str) -> None:
    training = [Observation(facts(n), 1e-4 + 1e-8 * facts(n).read_bytes) for n in range(300)]
    setup = RouterSetup(cutoffs=Cutoffs(2e-4, 4e-4), training=training)
    router = host.get(RouterDeclaration, name).build(setup)
    asked = [facts(n) for n in range(50)]

    def decide() -> int:
        return sum(router.choose(one, POOL).tier is not None for one in asked)

    assert benchmark(decide) <= len(asked)
