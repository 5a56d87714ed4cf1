"""One timer for the deadlines of all requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heapify, heappop, heappush

from tiergate_plugins.pools.backlog import Job

_SLACK = 64


class Deadlines:
    """Calls back for each job that is still open at its deadline.

    A heap; jobs that were answered are thrown out when they are more than half of it, which costs O(1) per
    job in the mean.

    Args:
        expire: called with an open job and its deadline in seconds from its submission.
    """

    def __init__(self, expire: Callable[[Job, float], None]) -> None:
        self._expire = expire
        self._heap: list[tuple[float, int, Job]] = []
        self._compact_at = _SLACK
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, job: Job, deadline_s: float) -> None:
        """Call back for a job in that time from its submission."""
        entry = (job.since + deadline_s, job.order, job)
        heappush(self._heap, entry)
        if self._heap[0] is entry:
            self._arm(entry[0])
        if len(self._heap) > self._compact_at:
            self._compact()

    def close(self) -> None:
        """Call back no more."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            if not self._timer.cancelled() and self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._heap and (self._heap[0][2].done() or self._heap[0][0] <= now):
            when, _, job = heappop(self._heap)
            if not job.done():
                self._expire(job, when - job.since)
        if self._heap:
            self._arm(self._heap[0][0])

    def _compact(self) -> None:
        self._heap = [entry for entry in self._heap if not entry[2].done()]
        heapify(self._heap)
        self._compact_at = 2 * len(self._heap) + _SLACK
