"""Requests that wait: for one worker, for any of a tier, or for any at all."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass

from tiergate.operation import Reply, Request
from tiergate.routing import Choice


@dataclass(slots=True, eq=False)
class Job:
    """A request on its way; `order` is its place among all that were submitted."""

    request: Request
    choice: Choice
    answer: asyncio.Future[Reply]
    order: int

    @property
    def is_open(self) -> bool:
        """Whether somebody still waits for the answer."""
        return not self.answer.done()


_Place = tuple[str, str]


class Backlog:
    """Jobs that no worker has taken yet. Each worker takes the oldest of those that it may."""

    def __init__(self) -> None:
        self._queues: dict[_Place, deque[Job]] = defaultdict(deque)

    def __len__(self) -> int:
        return sum(job.is_open for queue in self._queues.values() for job in queue)

    def add(self, job: Job) -> None:
        """Put a job at the end of the queue that its choice names."""
        self._queues[_place(job.choice)].append(job)

    def take(self, worker: str, tier: str) -> Job | None:
        """The oldest job that a worker may take; jobs that nobody waits for any more are thrown away."""
        queues = [self._queues[place] for place in (("worker", worker), ("tier", tier), ("pool", ""))]
        for queue in queues:
            while queue and not queue[0].is_open:
                queue.popleft()
        first = min((queue for queue in queues if queue), key=lambda queue: queue[0].order, default=None)
        return first.popleft() if first is not None else None

    def of_worker(self, worker: str) -> list[Job]:
        """The open jobs that wait for just this worker."""
        return [job for job in self._queues[("worker", worker)] if job.is_open]

    def drain(self) -> list[Job]:
        """Take every open job out."""
        jobs = [job for queue in self._queues.values() for job in queue if job.is_open]
        self._queues.clear()
        return jobs


def _place(choice: Choice) -> _Place:
    if choice.worker is not None:
        return ("worker", choice.worker)
    return ("tier", choice.tier) if choice.tier is not None else ("pool", "")
