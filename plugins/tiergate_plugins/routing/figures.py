"""The figures of docs/explanation/tiers.md: ``python -m tiergate_plugins.routing.figures NAME``.

Each prints a table in Markdown, from simulation alone, the same on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import accumulate
from math import log, sqrt
from random import Random

import numpy as np

from tiergate.operation import Scope
from tiergate.routing import (
    Choice,
    Cutoffs,
    Observation,
    PoolView,
    RequestFacts,
    Router,
    RouterSetup,
    WorkerView,
)
from tiergate.tracetime import TraceClock
from tiergate_plugins.routing.affinity import TierAffinity, score
from tiergate_plugins.routing.least_work_left import LeastWorkLeft, lightest
from tiergate_plugins.routing.oracle import Oracle
from tiergate_plugins.routing.power_of_two import PowerOfTwo
from tiergate_plugins.routing.random_worker import RandomWorker
from tiergate_plugins.routing.shared_queue import SharedQueue
from tiergate_plugins.routing.simulation import (
    Arrival,
    Served,
    SimulatedPool,
    hit_rate,
    largest_load,
    percentile_s,
)
from tiergate_plugins.routing.size_heuristic import SizeHeuristic

REQUESTS = 20_000
SHORT_S, LONG_S = 0.001, 0.1
Row = Sequence[str]


def facts(number: int, session: str | None, service_s: float) -> RequestFacts:
    """Facts from which the service time can be foreseen: one nanosecond for each byte read."""
    return RequestFacts(
        request=number,
        operation="work",
        session=session,
        arguments={},
        payload_bytes=2,
        scope=Scope.SESSION,
        read_tasks=1,
        read_bytes=round(service_s * 1e9),
        writes=False,
    )


def arrivals(seed: int, rate_rps: float, times: Sequence[float], sessions: Sequence[str]) -> list[Arrival]:
    """Poisson arrivals of requests that take these times; no session where there are none."""
    random = Random(f"arrivals {seed}")
    found, now = [], 0.0
    for number, service_s in enumerate(times):
        now += random.expovariate(rate_rps)
        found.append(
            Arrival(now, facts(number, sessions[number] if sessions else None, service_s), service_s)
        )
    return found


def simulate(
    build: Callable[[RouterSetup], Router], tiers: dict[str, int], requests: list[Arrival], cutoffs: Cutoffs
) -> tuple[list[Served], Router]:
    """Serve the requests with a router that saw a few hundred of the same kind."""
    clock = TraceClock()
    setup = RouterSetup(
        cutoffs=cutoffs,
        training=[Observation(one.facts, one.service_s) for one in requests[:300]],
        sealed={one.facts.request: one.service_s for one in requests},
        seed=1,
        clock=clock,
    )
    router = build(setup)
    return SimulatedPool(tiers, router, clock).run(requests), router


def mix() -> Iterator[Row]:
    """95 % of 1 ms and 5 % of 100 ms on four workers: response time of short and long ones."""
    pools: list[tuple[str, Callable[[RouterSetup], Router], dict[str, int]]] = [
        ("shared queue", SharedQueue, {"shared": 4}),
        ("random", RandomWorker, {"shared": 4}),
        ("power of two", PowerOfTwo, {"shared": 4}),
        ("least work left", LeastWorkLeft, {"shared": 4}),
        ("tiers, 1 hot and 3 cold", SizeHeuristic, {"hot": 1, "cold": 3}),
        ("tiers, 2 hot and 2 cold", SizeHeuristic, {"hot": 2, "cold": 2}),
        ("tiers, 3 hot and 1 cold", SizeHeuristic, {"hot": 3, "cold": 1}),
    ]
    yield ("load", "router", "short p95, ms", "long p95, ms", "what the guard did")
    random = Random("mix")
    times = [LONG_S if random.random() < 0.05 else SHORT_S for _ in range(REQUESTS)]
    for load in (0.4, 0.6, 0.8):
        requests = arrivals(1, load * 4 / (sum(times) / len(times)), times, ())
        for name, build, tiers in pools:
            served, router = simulate(build, tiers, requests, Cutoffs(0.01, 0.01))
            short, long = (1000 * percentile_s(served, one, one, 95) for one in (SHORT_S, LONG_S))
            said = _gist(router.notices())
            yield f"{load:.1f}", name, f"{short:.1f}", f"{long:.0f}", said


def _gist(notices: Sequence[str]) -> str:
    """Whether a guard stepped back, or else whether it warned."""
    for gist in ("stepped back", "long requests pay"):
        found = next((notice for notice in notices if gist in notice), None)
        if found is not None:
            return f"{gist}, {found.partition(':')[0]}"
    return ""


def variability() -> Iterator[Row]:
    """Log-normal service times: what a perfect guess of the tier gains, by how much the times vary."""
    yield (
        "C²",
        "short p95 slowdown: least work left",
        "tiers",
        "mean log slowdown: least work left",
        "tiers",
    )
    for squared in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0):
        width = sqrt(log(1 + squared))
        times = np.random.default_rng(1).lognormal(log(0.01) - width**2 / 2, width, REQUESTS)
        ordered = np.sort(times)
        half = float(ordered[np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)])
        requests = arrivals(2, 0.6 * 4 / float(times.mean()), times.tolist(), ())
        short_s = float(np.median(times))
        columns = []
        for build, tiers in ((LeastWorkLeft, {"shared": 4}), (Oracle, {"hot": 2, "cold": 2})):
            served, _ = simulate(build, tiers, requests, Cutoffs(half, half))
            ratios = [one.response_s / one.arrival.service_s for one in served]
            short = [
                one.response_s / one.arrival.service_s for one in served if one.arrival.service_s <= short_s
            ]
            columns.append((float(np.quantile(short, 0.95)), float(np.log(ratios).mean())))
        (least, least_log), (tiered, tiered_log) = columns
        yield f"{squared:g}", f"{least:.2f}", f"{tiered:.2f}", f"{least_log:.3f}", f"{tiered_log:.3f}"


class _OneTier(Router):
    """Sends all to the hot tier, by one way to pick the worker."""

    def __init__(self, setup: RouterSetup, way: str) -> None:
        super().__init__(setup)
        self._way = way
        self._affinity = TierAffinity(0) if way == "pass on" else TierAffinity()

    def choose(self, facts: RequestFacts, pool: PoolView) -> Choice:
        session = facts.session or ""
        worker = self._pick(session, pool)
        self._affinity.placed(session, worker, pool.workers)
        return Choice("hot", worker, 1.0)

    def _pick(self, session: str, pool: PoolView) -> str:
        if self._way == "least work left":
            return lightest(pool).name
        if self._way == "hash alone":
            return max(pool.workers, key=lambda worker: self._hash(session, worker)).name
        return self._affinity.pick(session, pool.workers)

    def _hash(self, session: str, worker: WorkerView) -> bytes:
        return score(session, worker.name)


def affinity() -> Iterator[Row]:
    """200 sessions of Zipf popularity at a load of 0.5: hits, largest load, p95 of the response time."""
    ways = ("hash alone", "pass on", "stay", "least work left")
    yield ("workers", "exponent", *ways)
    for workers in (2, 4, 8, 16):
        for exponent in (0.8, 1.0, 1.2):
            random = Random(f"affinity {workers} {exponent}")
            weights = list(accumulate(1 / rank**exponent for rank in range(1, 201)))
            sessions = random.choices([f"s{number}" for number in range(200)], cum_weights=weights, k=6000)
            times = [random.expovariate(1.0) for _ in sessions]
            requests = arrivals(3, 0.5 * workers, times, sessions)
            cells = []
            for way in ways:
                build = partial(_OneTier, way=way)
                served, _ = simulate(build, {"hot": workers}, requests, Cutoffs(9, 9))
                slow = percentile_s(served, 0.0, float("inf"), 95)
                load = largest_load(served, "hot", workers)
                cells.append(f"{hit_rate(served):.3f} / {load:.2f} / {slow:.1f}")
            yield str(workers), f"{exponent:.1f}", *cells


FIGURES: dict[str, Callable[[], Iterator[Row]]] = {
    "mix": mix,
    "variability": variability,
    "affinity": affinity,
}


def main(names: Sequence[str]) -> int:
    """Print the tables of these names, each when it is done."""
    if not names or any(name not in FIGURES for name in names):
        print(f"name one or more of: {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    for name in names:
        for number, row in enumerate(FIGURES[name]()):
            print("| " + " | ".join(row) + " |", flush=True)
            if number == 0:
                print("|" + " --- |" * len(row))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
