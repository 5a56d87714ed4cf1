"""Where the time of a decision goes: ``python -m tiergate_plugins.routing.steps``.

Each step of the learned router is timed as it passes, on requests of many sessions, with the answers to
earlier requests learned in between: so the caches are as cold as they are in a pool.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from random import Random

from tiergate.operation import Scope
from tiergate.routing import TIERS, Cutoffs, Observation, PoolView, RequestFacts, RouterSetup, WorkerView
from tiergate_plugins.routing.learned import Learned
from tiergate_plugins.routing.tiered import serving

REQUESTS = 3000
SESSIONS = 1000
WORKERS = 4
"""Of each tier."""

CUTOFFS = Cutoffs(hot_s=1e-3, warm_s=1e-2)
STEPS = (
    "the service time expected",
    "the most probable tier",
    "the workers of that tier, of 12",
    "the session's worker among them",
    "where it went, remembered",
    "its arrival counted for the guard",
)


def requests(count: int, seed: int = 1) -> list[Observation]:
    """Requests of sessions of Zipf popularity, from 100 bytes to 10 MB: 50 µs and 10 ns a byte."""
    draw = Random(seed)
    names = [f"session-{number}" for number in range(SESSIONS)]
    popular = draw.choices(names, [1 / (rank + 1) for rank in range(SESSIONS)], k=count)
    facts = [
        RequestFacts(
            request=number,
            operation=f"operation-{number % 7}",
            session=session,
            arguments={},
            payload_bytes=100,
            scope=Scope.SESSION,
            read_tasks=1,
            read_bytes=int(10 ** draw.uniform(2, 7)),
            writes=False,
        )
        for number, session in enumerate(popular)
    ]
    return [Observation(one, 5e-5 + 1e-8 * one.read_bytes) for one in facts]


def view(draw: Random) -> PoolView:
    """A pool in which anything from nothing to a dozen requests waits for each worker."""
    return PoolView(
        [
            WorkerView(f"{tier}-{number}", tier, draw.randrange(13), 1e-3)
            for tier in TIERS
            for number in range(WORKERS)
        ]
    )


def steps(count: int = REQUESTS) -> Iterator[tuple[float, ...]]:
    """Of each decision, the seconds of every step."""
    seen, draw, now = requests(count), Random(2), time.perf_counter
    router = Learned(RouterSetup(cutoffs=CUTOFFS, training=seen[:500], sealed=None))
    estimator, affinity, watch = router._estimator, router._affinity, router._watch
    for one in seen:
        pool, marks = view(draw), [now()]
        expected = estimator.expect(one.facts)
        marks.append(now())
        belongs = expected.tier(CUTOFFS)
        marks.append(now())
        tier, workers = serving(belongs, pool)
        marks.append(now())
        choice = affinity.choice(tier, one.facts.session, expected.seconds, workers)
        marks.append(now())
        affinity.placed(one.facts.session, choice, workers)
        marks.append(now())
        watch.arrived(choice.estimate_s, router.setup.clock())
        marks.append(now())
        yield tuple(after - before for before, after in pairwise(marks))
        router.completed(one.facts, choice, one.service_s)


def quantile_us(seconds: list[float], share: float) -> float:
    """Microseconds that this share of them does not exceed."""
    return 1e6 * sorted(seconds)[int(share * (len(seconds) - 1))]


def main() -> int:
    """Print the table in Markdown."""
    took = list(steps())
    print("| what | p50, µs | p95, µs |\n| --- | --- | --- |")
    for name, one in zip((*STEPS, "a decision"), (*zip(*took, strict=True), map(sum, took)), strict=True):
        seconds = list(one)
        print(f"| {name} | {quantile_us(seconds, 0.5):.1f} | {quantile_us(seconds, 0.95):.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
