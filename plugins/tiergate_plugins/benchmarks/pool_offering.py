"""Our load driver on one core: it offers no-ops to a pool that answers at once. Run in a process of its own.

It is the one module of a plugin that looks into the load engine: what is measured here is that engine.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence

from tiergate.hooks import RouterDeclaration
from tiergate.load.driver import Timetable, drive
from tiergate.load.outcome import Fate
from tiergate.operation import Reply, Request
from tiergate.pool import Pool, PoolEvent, PoolUsage
from tiergate.routing import Choice, Cutoffs, PoolView, RouterSetup, WorkerView
from tiergate_plugins.benchmarks.pool_arrivals import facts_of
from tiergate_plugins.benchmarks.pool_found import make_runner, named

_VIEW = PoolView([WorkerView("hot-1", "hot", 0, 0.0)])


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


def main(count: int) -> None:
    """Print how many requests were offered and recorded as completed, and in which time."""
    requests = [Request(number, "no_op", None, {}) for number in range(count)]
    timetable = Timetable(
        requests=requests,
        facts=[facts_of(one) for one in requests],
        starts=[0.0] * count,
        warm_up=(),
        deadline_s=600.0,
    )
    _, declaration = named(RouterDeclaration, "shared-queue")
    router = declaration.build(RouterSetup(cutoffs=Cutoffs(1e-3, 1e-2)))
    with make_runner() as runner:
        done = runner.run(drive(AtOnce(), router, timetable, 0))
    recorded = sum(one.fate is Fate.COMPLETED for one in done.outcomes)
    print(json.dumps({"requests": len(done.outcomes), "recorded": recorded, "seconds": done.elapsed_s}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
