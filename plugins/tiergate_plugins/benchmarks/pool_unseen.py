"""Operations that a router was never shown: where it sends their requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean, median

from tiergate.arrivals import NOMINAL_RPS, poisson
from tiergate.bench import BenchSetup
from tiergate.hooks import RouterDeclaration, StoreDeclaration
from tiergate.record import BenchRow
from tiergate.routing import TIERS, Cutoffs, Observation, PoolView, RouterSetup, WorkerView
from tiergate.tracetime import TimedRequest, replay
from tiergate.worker import open_service
from tiergate_plugins.benchmarks.pool_facts import agents, all_facts, fill, operations
from tiergate_plugins.benchmarks.pool_found import named
from tiergate_plugins.benchmarks.rounds import interval_of

TRAINING_SEED, JUDGED_SEED = 31, 32
PASSES = 3
RATE_RPS = 100.0
IDLE = PoolView([WorkerView(f"{tier}-1", tier, 0, 0.0) for tier in TIERS])


def rows(setup: BenchSetup, routers: Sequence[RouterDeclaration], cutoffs: Cutoffs) -> Iterator[BenchRow]:
    """Of each router: how many requests of an operation it was not trained with went where they belong."""
    setup.progress("where operations go that a router has never seen: requests of agents measured alone")
    training, judged = (measure(setup, seed) for seed in (TRAINING_SEED, JUDGED_SEED))
    for router in routers:
        yield row_of(router, cutoffs, training, judged)


def row_of(
    router: RouterDeclaration,
    cutoffs: Cutoffs,
    training: Sequence[TimedRequest],
    judged: Sequence[TimedRequest],
) -> BenchRow:
    """The mean over the operations, each left out of the training in its turn; each is one detail."""
    shares = {
        operation: share_right(router, cutoffs, operation, training, judged)
        for operation in sorted({one.facts.operation for one in judged})
    }
    found = list(shares.values())
    value, (low, high) = fmean(found), interval_of(found)
    return BenchRow(
        name=f"agents: an operation never seen before, accuracy of {router.name}",
        value=value,
        interval=(min(low, value), max(high, value)),
        unit="share",
        details=shares,
        note="the mean over the operations; its later requests count too",
    )


def share_right(
    router: RouterDeclaration,
    cutoffs: Cutoffs,
    operation: str,
    training: Sequence[TimedRequest],
    judged: Sequence[TimedRequest],
) -> float:
    """Share of the requests of an operation that went to their tier, the trace replayed in its own time."""
    known = [Observation(one.facts, one.service_s) for one in training if one.facts.operation != operation]
    choices, _ = replay(router.build, RouterSetup(cutoffs=cutoffs, training=known), judged, IDLE)
    return fmean(
        choice.meant_tier == cutoffs.tier(one.service_s)
        for one, choice in zip(judged, choices, strict=True)
        if one.facts.operation == operation
    )


def measure(setup: BenchSetup, seed: int) -> list[TimedRequest]:
    """Requests of a seed, each with the median of what it took alone, in this process."""
    sessions, requests = agents(seed, 1000 if setup.quick else 3000, 150 if setup.quick else 600)
    store_plugin, _ = named(StoreDeclaration, "sqlite")
    references = sorted({reference for reference, _ in operations().values()})
    times: list[list[float]] = [[] for _ in requests]
    facts = None
    for number in range(PASSES):
        address, sizes = fill(setup, setup.folder / f"unseen-{seed}-{number}.db", sessions)
        facts = facts or all_facts(requests, sizes)
        with open_service(address, [store_plugin], references) as service:
            for request, found in zip(requests, times, strict=True):
                found.append(service.handle(request).service_ns / 1e9)
    assert facts is not None
    starts = [start * NOMINAL_RPS / RATE_RPS for start in poisson(seed, len(requests))]
    return [
        TimedRequest(start, one, median(found))
        for start, one, found in zip(starts, facts, times, strict=True)
    ]
