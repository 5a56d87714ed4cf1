"""Routers on a trace without a pool: time is the trace's, and passes as fast as it can be computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from heapq import heappop, heappush
from typing import NamedTuple

from tiergate.routing import Choice, PoolView, RequestFacts, Router, RouterSetup


class TraceClock:
    """A clock for `RouterSetup.clock` that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds since the trace began."""
        return self.now


class TimedRequest(NamedTuple):
    """A request of a trace: seconds from its beginning, what is known before it runs, and what it takes."""

    at_s: float
    facts: RequestFacts
    service_s: float


def replay(
    build: Callable[[RouterSetup], Router],
    setup: RouterSetup,
    requests: Iterable[TimedRequest],
    pool: PoolView,
) -> tuple[list[Choice], Router]:
    """The choices of a fresh router for requests in ascending order of time, and the router afterwards.

    It is told of each answer at the time of the trace at which that comes if nothing has to wait. So what it
    learns, forgets and watches is what it would in a live run, whatever the machine does meanwhile.

    Args:
        setup: what it is built from; its clock is replaced by that of the trace.
        pool: how it finds the pool, at every request.
    """
    clock = TraceClock()
    router = build(replace(setup, clock=clock))
    choices: list[Choice] = []
    ends: list[tuple[float, int, TimedRequest]] = []
    for number, one in enumerate(requests):
        while ends and ends[0][0] <= one.at_s:
            clock.now, answered, other = heappop(ends)
            router.completed(other.facts, choices[answered], other.service_s)
        clock.now = one.at_s
        choices.append(router.choose(one.facts, pool))
        heappush(ends, (one.at_s + one.service_s, number, one))
    return choices, router
