"""How long requests are expected to take, to tell which may wait in a worker behind others."""

from __future__ import annotations

import asyncio

from tiergate_plugins.pools.backlog import Job
from tiergate_plugins.pools.process import WorkerProcess

PREFETCH_NS = 500_000
"""Work that a worker may hold: so long at most does a short request wait for those before it."""

MOST_HELD = 128

UNKNOWN_NS = 10**18
"""What an operation that was never seen is expected to take."""

DECAY = 0.99
"""Per request: a long one is remembered for several hundred others."""

STALLED_S = 2 * PREFETCH_NS / 1e9
"""A worker that has not answered for so long is at something longer than was expected."""


class Expectations:
    """The longest service time of each operation that was seen lately."""

    def __init__(self) -> None:
        self._longest_ns: dict[str, int] = {}

    def saw(self, operation: str, service_ns: int) -> None:
        """A request of this operation took so long."""
        known = self._longest_ns.get(operation, 0)
        self._longest_ns[operation] = service_ns if service_ns >= known else int(known * DECAY)

    def of(self, job: Job) -> int:
        """What a request is expected to take, nanoseconds: by its router or its operation, the longer."""
        seen = self._longest_ns.get(job.request.operation, UNKNOWN_NS)
        estimate_s = job.choice.estimate_s
        return max(seen, int(estimate_s * 1e9)) if estimate_s else seen

    def fits(self, worker: WorkerProcess, job: Job, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether a worker may be given a request beside those that it holds."""
        held = worker.held
        if not held:
            return True
        if worker.expected_ns + job.expected_ns > PREFETCH_NS or len(held) >= MOST_HELD:
            return False
        return loop.time() - worker.moved_at < STALLED_S
