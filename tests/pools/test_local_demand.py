"""A cold tier that is started by what a router chooses, and a tier whose workers cannot start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tiergate.hooks import RouterDeclaration
from tiergate.operation import Request
from tiergate.pool import PoolSpec, TierSpec, WorkerDied
from tiergate.routing import Choice, Cutoffs, Observation, RouterSetup
from tiergate.testing import make_facts
from tiergate_plugins.pools.local_pool import LocalPool
from tiergate_plugins.routing import learned, size_heuristic

pytestmark = pytest.mark.integration

SpecMaker = Callable[..., PoolSpec]
ROUTERS = {one.name: one for module in (learned, size_heuristic) for one in module.tiergate_routers()}
LIGHT_BYTES, HEAVY_BYTES = 1_000, 1_000_000


def nap(number: int) -> Request:
    return Request(number, "nap", None, {"seconds": 0.0, "line": "", "log": None})


def trained(declaration: RouterDeclaration) -> RouterSetup:
    """Naps that read a thousand bytes take a millisecond, those that read a million take a second."""
    seen = [(LIGHT_BYTES, 0.001)] * 57 + [(HEAVY_BYTES, 1.0)] * 3
    training = [
        Observation(make_facts(number, operation="nap", session=None, read_bytes=size), seconds)
        for number, (size, seconds) in enumerate(seen)
    ]
    return RouterSetup(cutoffs=Cutoffs(hot_s=0.01, warm_s=0.1), training=training)


@pytest.mark.parametrize("name", ROUTERS)
def test_a_heavy_request_starts_the_cold_tier_and_it_ends_when_idle(make_spec: SpecMaker, name: str) -> None:
    tiers = (TierSpec("hot", 1), TierSpec("cold", 1, min_workers=0, idle_timeout_s=0.2))
    router = ROUTERS[name].build(trained(ROUTERS[name]))

    async def run() -> None:
        async with LocalPool(make_spec(tiers)) as pool:

            async def serve(number: int, size: int) -> str:
                facts = make_facts(number, operation="nap", session=None, read_bytes=size)
                choice = router.choose(facts, pool.view())
                return (await pool.submit(nap(number), choice)).worker

            assert pool.view().capacity == {"hot": 1, "cold": 1}
            assert await serve(1, LIGHT_BYTES) == "hot-1"
            assert pool.counters().spawns == 1
            assert await serve(2, HEAVY_BYTES) == "cold-1"
            assert pool.counters().spawns == 2
            async with asyncio.timeout(60):
                while pool.counters().exits == 0:
                    await asyncio.sleep(0.01)
            assert [worker.name for worker in pool.view().workers] == ["hot-1"]
            assert await serve(3, HEAVY_BYTES) == "cold-1"
            assert pool.counters().spawns == 3

    asyncio.run(run())


def test_a_tier_that_replaces_its_only_worker_is_not_waited_for(make_spec: SpecMaker) -> None:
    async def run() -> None:
        async with LocalPool(make_spec((TierSpec("hot", 1), TierSpec("warm", 1)))) as pool:
            with pytest.raises(WorkerDied):
                await pool.submit(Request(1, "end", None, {"kind": "exit"}), Choice("hot"))
            assert pool.view().capacity == {"warm": 1}
            async with asyncio.timeout(60):
                while "hot" not in pool.view().capacity:
                    await asyncio.sleep(0.01)

    asyncio.run(run())


def test_a_tier_on_demand_that_cannot_start_fails_its_requests(make_spec: SpecMaker, tmp_path: Path) -> None:
    """Also where it has more places than the one that was tried."""

    async def run() -> None:
        spec = make_spec((TierSpec("cold", 2, min_workers=0),), store=f"sqlite:{tmp_path}/absent/store.db")
        async with LocalPool(spec) as pool:
            with pytest.raises(WorkerDied):
                await pool.submit(nap(1), Choice("cold"), deadline_s=60)
            assert pool.view().capacity == {}
            with pytest.raises(WorkerDied, match="no worker is left"):
                await pool.submit(nap(2), Choice("cold"), deadline_s=60)

    asyncio.run(run())
