"""The worker pool: the processes of the tiers, and the contract that every pool keeps.

Nothing here assumes that the workers are on this machine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import msgspec

from tiergate.errors import RunError, TiergateError
from tiergate.operation import Reply, Request
from tiergate.routing import Choice, PoolView


class PoolError(TiergateError):
    """The pool did not answer a request."""


class Overloaded(PoolError):
    """The queue is full; the request was not taken."""


class DeadlineExceeded(PoolError):
    """The request took longer than its deadline; the work was stopped."""


class WorkerDied(PoolError):
    """The worker ended while it held the request."""


class WorkerFailedToStart(RunError):
    """A worker could not start, and neither could its replacement."""


@dataclass(frozen=True, slots=True)
class TierSpec:
    """A tier of a pool: its name, how many workers, and their nice value (0 normal, 19 lowest priority)."""

    name: str
    workers: int
    nice: int = 0


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
    """

    tiers: Sequence[TierSpec]
    store: str
    store_plugins: Sequence[str]
    operation_plugins: Sequence[str]
    queue_limit: int = 10_000
    start_timeout_s: float = 30.0


class PoolEvent(msgspec.Struct, frozen=True):
    """Something that happened to a worker: `at_s` counts from the start of the pool."""

    at_s: float
    kind: str
    worker: str
    detail: str = ""


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
    """Carries requests to workers; used from one asyncio loop."""

    @abstractmethod
    async def start(self) -> None:
        """Start every worker and return when all are ready.

        Raises:
            WorkerFailedToStart: with what the worker wrote to its standard error.
        """

    @abstractmethod
    def view(self) -> PoolView:
        """The pool at this moment, as routers see it."""

    @abstractmethod
    async def submit(self, request: Request, choice: Choice, *, deadline_s: float | None = None) -> Reply:
        """Have a request served. An operation that refused it is a reply with a failure, not an error.

        Raises:
            Overloaded: the queue is full.
            DeadlineExceeded: `deadline_s` seconds after the call, wherever the request was.
            WorkerDied: the worker ended while it held the request.
        """

    @abstractmethod
    def events(self) -> Sequence[PoolEvent]:
        """Every start, end and replacement of a worker so far."""

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
