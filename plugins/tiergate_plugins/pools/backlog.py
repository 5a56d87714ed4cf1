"""Requests on their way, and the queues in which they wait: for one worker, for a tier, or for any worker."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from tiergate.operation import Reply, Request
from tiergate.routing import Choice
from tiergate_plugins.pools.frames import check_size, encode


class Job(asyncio.Future[Reply]):
    """A request and the future of its reply; whoever cancels it takes the request back.

    Attributes:
        order: its place among all that were submitted, and its number on the socket.
        since: when it was submitted, on the loop's clock.
        body: the request as it goes over the socket.
        expected_ns: how long it is expected to take, set when a worker is given it.
        strikes: workers that ended while they served it.
        queue: where it waits, if it does.
        holder: the worker that was given it, if one was.
    """

    __slots__ = (
        "body",
        "choice",
        "expected_ns",
        "holder",
        "on_cancel",
        "order",
        "queue",
        "request",
        "since",
        "strikes",
    )

    def __init__(
        self,
        request: Request,
        choice: Choice,
        order: int,
        loop: asyncio.AbstractEventLoop,
        on_cancel: Callable[[Job], None],
    ) -> None:
        super().__init__(loop=loop)
        self.request = request
        self.choice = choice
        self.order = order
        self.on_cancel = on_cancel
        self.since = loop.time()
        self.body = b""
        self.expected_ns = 0
        self.strikes = 0
        self.queue: Queue | None = None
        self.holder: Any = None

    def encode(self) -> None:
        """Fix the request as it is now.

        Raises:
            TypeError, ValueError, OverflowError, RecursionError: it cannot be encoded, or is too long.
        """
        request = self.request
        self.body = check_size(
            encode((self.order, request.operation, request.session, request.arguments, request.key))
        )

    def cancel(self, msg: Any = None) -> bool:
        """Take the request back."""
        if not super().cancel(msg):
            return False
        self.on_cancel(self)
        return True


class Queue:
    """Jobs that wait, the oldest first; taking any of them out is O(1)."""

    __slots__ = ("jobs", "left_s")

    def __init__(self) -> None:
        self.jobs: OrderedDict[int, Job] = OrderedDict()
        self.left_s = 0.0

    def head(self) -> Job | None:
        """The oldest job."""
        return next(iter(self.jobs.values()), None) if self.jobs else None


class Backlog:
    """Counts what waits in any queue."""

    def __init__(self) -> None:
        self.waiting = 0

    def add(self, queue: Queue, job: Job) -> None:
        """Put a job at the end of a queue."""
        queue.jobs[job.order] = job
        queue.left_s += job.choice.estimate_s
        job.queue = queue
        self.waiting += 1

    def remove(self, job: Job) -> None:
        """Take a job out of the queue in which it waits."""
        queue = job.queue
        assert queue is not None
        del queue.jobs[job.order]
        queue.left_s = queue.left_s - job.choice.estimate_s if queue.jobs else 0.0
        job.queue = None
        self.waiting -= 1

    def put_back(self, queue: Queue, jobs: Iterable[Job]) -> None:
        """Put jobs where they were before they were taken: all stand in the order of their submission."""
        for job in jobs:
            self.add(queue, job)
        queue.jobs = OrderedDict(sorted(queue.jobs.items()))

    def take_all(self, queue: Queue) -> list[Job]:
        """Empty a queue."""
        jobs = list(queue.jobs.values())
        for job in jobs:
            self.remove(job)
        return jobs
