"""Our load driver on one core: it offers no-ops to what answers at once. Run in a process of its own.

It is the one module of a plugin that looks into the load engine: what is measured here is that engine.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from time import perf_counter

from tiergate.hooks import RouterDeclaration
from tiergate.load.driver import Timetable, drive_target
from tiergate.load.outcome import Fate
from tiergate.load.recorder import Recorder
from tiergate.operation import Reply, Request
from tiergate.pool import Pool, PoolEvent, PoolUsage
from tiergate.routed import RoutedPool
from tiergate.routing import Choice, Cutoffs, PoolView, RouterSetup, WorkerView
from tiergate.target import Flight, Target
from tiergate_plugins.benchmarks.pool_arrivals import facts_of
from tiergate_plugins.benchmarks.pool_found import make_runner, named

_VIEW = PoolView([WorkerView("hot-1", "hot", 0, 0.0)])

OFFERED_RPS = 1e7
"""More than any core can send, so that the driver never waits for a start."""


class AtOnce(Pool):
    """A pool without workers: every answer is there when the request is sent."""

    async def start(self) -> None:
        """Do nothing."""

    def view(self) -> PoolView:
        """One worker for which nothing waits."""
        return _VIEW

    async def submit(self, request: Request, choice: Choice, *, deadline_s: float | None = None) -> Reply:
        """Answer."""
        return await self.submit_nowait(request, choice, deadline_s=deadline_s)

    def submit_nowait(
        self, request: Request, choice: Choice, *, deadline_s: float | None = None
    ) -> asyncio.Future[Reply]:
        """Answer."""
        del choice, deadline_s
        future = asyncio.get_running_loop().create_future()
        future.set_result(Reply(request.id, None, None, 1, "hot-1"))
        return future

    def events(self) -> Sequence[PoolEvent]:
        """Nothing happens to workers that are not there."""
        return ()

    async def close(self) -> PoolUsage:
        """Do nothing."""
        return PoolUsage(cpu_s=0.0, peak_rss_bytes=0, worker_seconds=0.0)


class Answering(Target):
    """A target without a pool: every answer is there when the request is sent."""

    async def start(self) -> None:
        """Do nothing."""

    def send(self, flight: Flight) -> None:
        """Answer."""
        flight.reply = Reply(flight.request.id, None, None, 1, "none")
        flight.landed(flight)

    async def warm_up(self, requests: Sequence[Request]) -> None:
        """Do nothing."""

    async def close(self) -> PoolUsage:
        """Do nothing."""
        return PoolUsage(cpu_s=0.0, peak_rss_bytes=0, worker_seconds=0.0)


def main(through: str, count: int) -> None:
    """Print how many requests were offered and recorded as completed, and in which time.

    Args:
        through: ``target`` or ``pool``: to what the driver sends; with a pool, a router chooses first.
        count: how many requests.
    """
    requests = [Request(number, "no_op", None, {}) for number in range(count)]
    timetable = Timetable(
        requests=requests,
        facts=[facts_of(one) for one in requests],
        starts=[number / OFFERED_RPS for number in range(count)],
        warm_up=(),
        deadline_s=600.0,
    )
    with make_runner() as runner:
        began = perf_counter()
        done = runner.run(drive_target(_target(through), timetable, 0))
        completed = [one.response_s for one in done.outcomes if one.fate is Fate.COMPLETED]
        recorded = len(Recorder(completed))
        took = perf_counter() - began
    found = {"requests": len(done.outcomes), "recorded": recorded, "seconds": done.elapsed_s, "whole_s": took}
    print(json.dumps(found))


def _target(through: str) -> Target:
    if through == "target":
        return Answering()
    _, declaration = named(RouterDeclaration, "shared-queue")
    return RoutedPool(AtOnce(), declaration.build(RouterSetup(cutoffs=Cutoffs(1e-3, 1e-2))))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
