"""The worker pool: the processes of the tiers, and the contract that every pool keeps.

Nothing here assumes that the workers are on this machine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from tiergate.errors import RunError, TiergateError, UsageError
from tiergate.operation import Reply, Request
from tiergate.pool_events import EventLog, PoolCounters, PoolEvent
from tiergate.profiler import ProfileSpec
from tiergate.routing import Choice, PoolView

if TYPE_CHECKING:
    import asyncio

__all__ = [
    "DeadlineExceeded",
    "EventLog",
    "Overloaded",
    "Pool",
    "PoolCounters",
    "PoolError",
    "PoolEvent",
    "PoolSpec",
    "PoolUsage",
    "Quarantined",
    "TierSpec",
    "WorkerDied",
    "WorkerFailedToStart",
]

_DRAIN_POLL_S = 0.005


class PoolError(TiergateError):
    """The pool did not answer a request."""


class Overloaded(PoolError):
    """The queue is full; the request was not taken."""


class DeadlineExceeded(PoolError):
    """The request took longer than its deadline; the work was stopped."""


class WorkerDied(PoolError):
    """The worker ended while it held a write without a key, or there is none left that could serve."""


class Quarantined(PoolError):
    """Two workers ended while they served this very request; it is not given to a third."""


class WorkerFailedToStart(RunError):
    """A worker could not start, and neither could its replacement."""


@dataclass(frozen=True, slots=True)
class TierSpec:
    """A tier of a pool.

    Attributes:
        name: of the tier; its workers have names that begin with it.
        workers: the most there may be.
        nice: 0 normal, 19 lowest priority.
        min_workers: as many are started with the pool and stay; None for all. More are started when requests
            wait, up to `workers`.
        idle_timeout_s: those beyond `min_workers` end after as many seconds without work; None keeps them.
        memory_limit_bytes: a worker that is larger between two requests is replaced, and inside a request it
            is refused more memory than that beyond what it had when it started, where the system can
            refuse it; None for no limit.
        recycle_after: a worker is replaced after as many requests; None for never.
    """

    name: str
    workers: int
    nice: int = 0
    min_workers: int | None = None
    idle_timeout_s: float | None = None
    memory_limit_bytes: int | None = None
    recycle_after: int | None = None

    def __post_init__(self) -> None:
        if self.workers < 0 or not 0 <= self.resident <= self.workers:
            raise UsageError(
                f"{self.resident} of {self.workers} workers cannot stay",
                where=f"tier {self.name}",
                hint="0 ≤ min_workers ≤ workers",
            )
        positive = (self.idle_timeout_s, self.memory_limit_bytes, self.recycle_after)
        if any(limit is not None and limit <= 0 for limit in positive):
            raise UsageError(
                "a limit that is not above 0", where=f"tier {self.name}", hint="None for no limit"
            )

    @property
    def resident(self) -> int:
        """Workers that are started with the pool and stay."""
        return self.workers if self.min_workers is None else self.min_workers


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSpec:
    """What a pool is built from.

    Attributes:
        tiers: in order from the shortest requests to the longest.
        store: address of the store that every worker opens.
        store_plugins: references of the plugins that declare the store and the caches in front of it, for
            `tiergate.hooks.find_plugin`.
        operation_plugins: references of the plugins whose operations the workers serve.
        queue_limit: requests that may wait in the whole pool; one more is refused.
        start_timeout_s: a worker that is not ready by then has failed to start.
        heartbeat_s: how often a worker says that it lives, also while it serves; one that neither says so for
            three times as long nor uses its processor is taken for hung, and replaced.
        resident_tasks: tasks that each worker keeps decoded, by whole sessions; 0 for none.
        profiling: has each worker profiled; for `tiergate.worker.open_service`.
    """

    tiers: Sequence[TierSpec]
    store: str
    store_plugins: Sequence[str]
    operation_plugins: Sequence[str]
    queue_limit: int = 10_000
    start_timeout_s: float = 30.0
    heartbeat_s: float = 1.0
    resident_tasks: int = 20_000
    profiling: ProfileSpec | None = None


class PoolUsage(msgspec.Struct, kw_only=True, frozen=True):
    """What the workers used, known once the pool is closed.

    Attributes:
        cpu_s: user and system time of all workers, seconds, start-up included.
        peak_rss_bytes: sum over workers of the largest resident size of each.
        worker_seconds: sum over workers of the time from ready to ended.
    """

    cpu_s: float
    peak_rss_bytes: int
    worker_seconds: float


class Pool(ABC):
    """Carries requests to workers; used from one asyncio loop.

    A request whose worker ends is served by another one, once, when its operation only reads, or when it
    carries a key and the store has `Capability.ONCE`. A request that was not begun when its worker ended does
    not count as served by it. A choice that names a worker which is gone means any of its tier.
    """

    is_draining = False

    @cached_property
    def log(self) -> EventLog:
        """Where an implementation notes what happens to its workers."""
        return EventLog()

    @abstractmethod
    async def start(self) -> None:
        """Start the workers that stay and return when all are ready.

        Raises:
            WorkerFailedToStart: with what the worker wrote to its standard error.
        """

    @abstractmethod
    def view(self) -> PoolView:
        """The workers that are ready, as routers see them. Cheap, whatever waits."""

    @abstractmethod
    async def submit(self, request: Request, choice: Choice, *, deadline_s: float | None = None) -> Reply:
        """Have a request served. An operation that refused it is a reply with a failure, not an error.

        Cancelling it takes the request back: it is not begun any more, and where it was, it is stopped.

        Raises:
            Overloaded: the queue is full.
            DeadlineExceeded: `deadline_s` seconds after the call, wherever the request was.
            WorkerDied: the worker ended while it held a request that may not be repeated, or the pool is
                draining or closed.
            Quarantined: two workers ended while they served it; so does the same request from then on.
            PoolError: the choice names what the pool does not have, or the request cannot be sent.
        """

    def submit_nowait(
        self, request: Request, choice: Choice, *, deadline_s: float | None = None
    ) -> asyncio.Future[Reply]:
        """As `submit`, without a coroutine: the reply, or the error, comes through the future."""
        # Imported where it is used: asyncio would make every listing of plugins slower.
        import asyncio

        return asyncio.ensure_future(self.submit(request, choice, deadline_s=deadline_s))

    def events(self) -> Sequence[PoolEvent]:
        """What happened to workers so far, the oldest first; of very many, the last."""
        return self.log.events()

    def subscribe(self, callback: Callable[[PoolEvent], None]) -> Callable[[], None]:
        """Have each event from now on told as it happens; call what is returned to end that.

        The callback must not block. One that raises is not called again.
        """
        return self.log.subscribe(callback)

    def counters(self) -> PoolCounters:
        """How often each kind of thing happened since the start."""
        return self.log.counters()

    async def stacks(self) -> Mapping[str, str]:
        """What the workers are at: the stacks of each one's threads as text, by its name.

        Nothing is stopped for it. Empty for a pool that cannot tell.
        """
        return {}

    def unanswered(self) -> int:
        """Requests that were taken and not answered yet; a pool that keeps a queue of its own adds that."""
        return sum(worker.waiting for worker in self.view().workers)

    async def drain(self, timeout_s: float) -> bool:
        """Take no more requests and wait until those taken are answered; whether all were in that time.

        Requests that come meanwhile raise `WorkerDied`. The workers live on until `close`.
        """
        import asyncio

        self.is_draining = True
        give_up = monotonic() + timeout_s
        while self.unanswered():
            if monotonic() >= give_up:
                return False
            await asyncio.sleep(_DRAIN_POLL_S)
        return True

    @abstractmethod
    async def close(self) -> PoolUsage:
        """End every worker; requests still waiting raise `WorkerDied`. Closing twice does nothing more."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
