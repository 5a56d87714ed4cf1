"""The oracle: what each request costs when nothing else runs, and the tier that this calls for.

Every request of a trace is run alone, several times. Each pass replays the whole trace, in order, in
one resident worker on a fresh copy of the store, so that a request meets the state of its point of
the trace every time. The median of the passes is its sealed service time. Routers never see it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from statistics import median
from time import perf_counter

from tiergate.errors import RunError
from tiergate.load.stage import Stage
from tiergate.load.trace import Trace
from tiergate.model import Session
from tiergate.operation import Reply, Request
from tiergate.pool import Pool, PoolError, TierSpec
from tiergate.routed import warm_up
from tiergate.routing import Choice, Cutoffs, Tier

REFERENCE = (TierSpec("reference", 1),)
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Sealed:
    """Service times of the requests of one trace, by request id, in seconds.

    Attributes:
        times: one sorted list per request, one entry per pass.
        startup_s: time to start the reference worker, one entry per pass.
        refused: requests that the operation itself refuses, with the reason.
    """

    times: Sequence[Sequence[float]]
    startup_s: Sequence[float]
    refused: dict[int, str]

    def together_with(self, other: Sealed) -> Sealed:
        """The passes of both, of the same trace."""
        return Sealed(
            [sorted([*mine, *theirs]) for mine, theirs in zip(self.times, other.times, strict=True)],
            [*self.startup_s, *other.startup_s],
            {**self.refused, **other.refused},
        )

    def service_s(self, request: int) -> float:
        """The sealed service time: the median of the passes."""
        return median(self.times[request])

    def all_service_s(self) -> list[float]:
        """The sealed service time of every request, in order."""
        return [median(times) for times in self.times]

    def interval(self, request: int) -> tuple[float, float]:
        """An interval that holds the true median with 95 % confidence, or as near as the passes allow.

        From order statistics, so that nothing is assumed of the distribution (David & Nagaraja, Order
        Statistics, 3rd ed., section 7.1).
        """
        times = self.times[request]
        rank = interval_rank(len(times))
        return times[rank], times[-1 - rank]

    def label(self, request: int, cutoffs: Cutoffs) -> Tier | None:
        """The tier in which a request belongs; None when its interval crosses a cut-off."""
        low, high = self.interval(request)
        tier = cutoffs.tier(low)
        return tier if tier == cutoffs.tier(high) else None


@lru_cache
def interval_rank(passes: int) -> int:
    """How many of the lowest and of the highest values lie outside the interval of the median."""
    rank = 0
    outside = 0.0
    for candidate in range(passes // 2):
        outside += 2 * comb(passes, candidate) / 2**passes
        if outside > 1 - CONFIDENCE:
            break
        rank = candidate
    return rank


async def seal(
    stage: Stage,
    sessions: Sequence[Session],
    trace: Trace,
    passes: int,
    on_pass: Callable[[int], None] = lambda _: None,
) -> Sealed:
    """Run every request of a trace alone, `passes` times; `on_pass` is told after each pass."""
    times: list[list[float]] = [[] for _ in trace.requests]
    startup: list[float] = []
    refused: dict[int, str] = {}
    for number in range(passes):
        with stage.filled(sessions) as filled:
            pool = stage.pool(filled, REFERENCE)
            began = perf_counter()
            async with pool:
                startup.append(perf_counter() - began)
                await warm_up(pool, first_reads(stage, trace.requests))
                for index, request in enumerate(trace.requests):
                    reply = await _served(pool, request)
                    times[index].append(reply.service_ns / 1e9)
                    if reply.failure is not None:
                        refused[request.id] = reply.failure.message
        on_pass(number + 1)
    return Sealed([sorted(found) for found in times], startup, refused)


async def _served(pool: Pool, request: Request) -> Reply:
    try:
        return await pool.submit(request, Choice())
    except PoolError as error:
        raise RunError(f"request {request.id} could not be run alone: {error}") from error


def first_reads(stage: Stage, requests: Sequence[Request]) -> list[Request]:
    """The first request of each operation that changes nothing: enough to load code and open files."""
    reading = {operation.name for operation in stage.operations if not operation.writes}
    first: dict[str, Request] = {}
    for request in requests:
        if request.operation in reading:
            first.setdefault(request.operation, request)
    return list(first.values())
