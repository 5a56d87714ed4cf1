"""Affinity: how many requests meet the worker of their session, and how even the workers' loads stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random
from statistics import fmean, median

import msgspec

from tiergate.bench import BenchSetup
from tiergate.hooks import RouterDeclaration
from tiergate.operation import Request
from tiergate.pool import TierSpec
from tiergate.record import BenchRow
from tiergate.routing import Cutoffs, Observation, RouterSetup
from tiergate_plugins.benchmarks.pool_arrivals import Answered, drive, facts_of, poisson
from tiergate_plugins.benchmarks.pool_found import make_pool, make_runner, tier_routers
from tiergate_plugins.benchmarks.rounds import value_row

WORKERS, SESSIONS, SERVICE_S, LOAD = 4, 500, 0.003, 0.5
"""The load is that of `tiergate load` by default."""


def rows(setup: BenchSetup) -> Iterator[BenchRow]:
    """Hit rate and largest load of one tier, through the real pool and a real router."""
    found = tier_routers(setup, "size-heuristic")
    if not found:
        return
    setup.progress(f"affinity of {found[0].name}: {WORKERS} workers, {SESSIONS} Zipf sessions")
    with make_runner() as runner:
        rounds = runner.run(_measure(setup, found[0]))
    hits = value_row(
        "affinity: requests that meet the worker of their session",
        [hit_rate(one) for one in rounds],
        unit="share",
        target=">= 0.9",
    )
    loads = [largest_load(one) for one in rounds]
    details = {"largest_load_x": median(loads), "requests": float(sum(len(one) for one in rounds))}
    yield msgspec.structs.replace(hits, details=details)
    yield value_row("affinity: busiest worker over the mean", loads, unit="x", target="<= 1.25")


async def _measure(setup: BenchSetup, declaration: RouterDeclaration) -> list[list[Answered]]:
    pool = make_pool([TierSpec("hot", WORKERS)], f"sqlite:{setup.folder / 'affinity.db'}")
    cutoffs = Cutoffs(hot_s=1.0, warm_s=2.0)
    training = [Observation(facts_of(_request(0, Random(3))), SERVICE_S)] * 20
    rounds = []
    async with pool:
        for number in range(2 if setup.quick else 6):
            router = declaration.build(RouterSetup(cutoffs=cutoffs, training=training))
            rate = LOAD * WORKERS / SERVICE_S
            dues = poisson(number, 600 if setup.quick else 2500, rate, _request)
            rounds.append(await drive(pool, router, dues))
    return rounds


_POPULARITY = list(accumulate(1 / rank for rank in range(1, SESSIONS + 1)))
"""Zipf with exponent 1, the middle of what the workload `agents` draws."""


def _request(number: int, draw: Random) -> Request:
    (session,) = draw.choices(range(SESSIONS), cum_weights=_POPULARITY)
    return Request(number, "bench_wait_short", f"s{session}", {"seconds": SERVICE_S})


def hit_rate(answers: Sequence[Answered]) -> float:
    """Share of the requests whose session a worker held that went to that worker.

    The worker that holds a session is the one that served it last. A request that overflowed to another one
    is a miss, and so is the next if it goes back.
    """
    holders: dict[str, str] = {}
    hits = []
    for worker, session in _served(answers):
        if session in holders:
            hits.append(holders[session] == worker)
        holders[session] = worker
    return fmean(hits)


def largest_load(answers: Sequence[Answered]) -> float:
    """Requests of the busiest worker over the mean of all workers, idle ones too."""
    served = Counter(worker for worker, _ in _served(answers))
    return max(served.values()) * WORKERS / served.total()


def _served(answers: Sequence[Answered]) -> Iterator[tuple[str, str]]:
    for one in answers:
        if one.reply is not None and one.due.request.session is not None:
            yield one.reply.worker, one.due.request.session
