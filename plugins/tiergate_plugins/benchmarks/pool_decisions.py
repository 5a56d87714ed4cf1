"""Routing decisions alone: how long a router takes to choose, without a pool behind it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from random import Random

from tiergate.bench import BenchSetup
from tiergate.hooks import RouterDeclaration
from tiergate.record import BenchRow
from tiergate.routing import TIERS, Cutoffs, PoolView, RequestFacts, RouterSetup, WorkerView
from tiergate_plugins.benchmarks.pool_arrivals import p95
from tiergate_plugins.benchmarks.pool_facts import agents, all_facts, fill, supposed
from tiergate_plugins.benchmarks.pool_found import tier_routers
from tiergate_plugins.benchmarks.rounds import value_row

CUTOFFS = Cutoffs(hot_s=1e-3, warm_s=1e-2)
_WORKERS = 4
"""Of each tier."""


def rows(setup: BenchSetup) -> Iterator[BenchRow]:
    """A row for every router that chooses a tier: p95 of `choose`, on the requests of the workload `agents`.

    The router is told of each request that it was answered, as it is in a run; that is not in the time.
    """
    sessions, requests = agents(7, 3000, 500 if setup.quick else 3000)
    _, sizes = fill(setup, setup.folder / "decisions.db", sessions)
    facts = all_facts(requests, sizes)
    for declaration in tier_routers(setup):
        setup.progress(f"a routing decision of {declaration.name}")
        found = [decisions_p95(declaration, facts, views(seed)) for seed in range(3 if setup.quick else 10)]
        yield value_row(
            f"routing decision of {declaration.name}, p95",
            [1e6 * one for one in found],
            unit="us",
            target="<= 20",
        )


def views(seed: int) -> list[PoolView]:
    """Pools in which anything from nothing to a dozen requests waits for each worker."""
    draw = Random(seed)
    return [
        PoolView(
            [
                WorkerView(f"{tier}-{number}", tier, waiting, 1e-3 * waiting)
                for tier in TIERS
                for number in range(1, _WORKERS + 1)
                for waiting in [draw.randrange(13)]
            ]
        )
        for _ in range(50)
    ]


def decisions_p95(
    declaration: RouterDeclaration, facts: Sequence[RequestFacts], pools: Sequence[PoolView]
) -> float:
    """Seconds that 95 % of the decisions of a fresh router do not exceed."""
    seen = supposed(facts)
    sealed = {one.facts.request: one.service_s for one in seen} if declaration.is_oracle else None
    router = declaration.build(RouterSetup(cutoffs=CUTOFFS, training=seen[:500], sealed=sealed))
    choose, now = router.choose, time.perf_counter
    took = []
    for number, one in enumerate(seen):
        pool = pools[number % len(pools)]
        start = now()
        choice = choose(one.facts, pool)
        took.append(now() - start)
        router.completed(one.facts, choice, one.service_s)
    return p95(took)
