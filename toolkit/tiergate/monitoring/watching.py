"""Everything that watches one service, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic

import tiergate
from tiergate.dispatch import Dispatcher
from tiergate.monitoring.affinity import AffinityWatch
from tiergate.monitoring.happenings import Happenings
from tiergate.monitoring.health import Health, LoopLag, health_of
from tiergate.monitoring.meters import Meters, percentiles
from tiergate.monitoring.status import (
    EVENTS,
    Affinity,
    Metrics,
    Queue,
    Status,
    overall,
    tier_statuses,
)
from tiergate.recovery.breaker import Breaker
from tiergate.recovery.policy import Policy
from tiergate.recovery.read_only import ReadOnlyFallback
from tiergate.recovery.shedding import Shedder


class Watching:
    """Meters, happenings, health and the policies of recovery of one dispatcher.

    Args:
        store: address of the store, as it is shown.
        resident: workers that each tier should always have.
        queue_limit: requests that may wait.
        deadline_s: how long a call may take.

    Attributes:
        meters, affinity, happenings, lag: what it watches with.
        policies: gatekeepers, in the order in which they are asked.
    """

    health_type = Health
    metrics_type = Metrics

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        store: str,
        resident: Mapping[str, int],
        queue_limit: int,
        deadline_s: float,
    ) -> None:
        self.dispatcher = dispatcher
        self.meters, self.affinity = Meters(), AffinityWatch()
        self.happenings, self.lag = Happenings(), LoopLag()
        note = self.happenings.note
        self.policies: list[Policy] = [
            ReadOnlyFallback(note),
            Breaker(note),
            Shedder(dispatcher.pool, queue_limit, deadline_s, note),
        ]
        self.queue_limit = queue_limit
        self._store = store
        self._resident = resident
        self._began = monotonic()

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Watch within a block; from one asyncio loop."""
        unsubscribe = self.happenings.follow(self.dispatcher.pool)
        self.dispatcher.watchers += [self.meters, self.affinity]
        self.dispatcher.gatekeepers += self.policies
        looking = asyncio.get_running_loop().create_task(self.lag.watch())
        try:
            yield
        finally:
            looking.cancel()
            unsubscribe()

    @property
    def uptime_s(self) -> float:
        """Seconds since the start."""
        return round(monotonic() - self._began, 3)

    def health(self) -> Health:
        """How the service is."""
        pool = self.dispatcher.pool
        return health_of(pool, self._resident, self.queue_limit, self.policies, self.lag.largest_s)

    def metrics(self) -> Metrics:
        """Counts and times since the start."""
        return Metrics(
            uptime_s=self.uptime_s,
            calls={name: dict(outcomes) for name, outcomes in self.meters.by_operation().items()},
            running=len(self.dispatcher.running),
            unanswered=self.dispatcher.pool.unanswered(),
            response_ms={tier: percentiles(recent.total) for tier, recent in self.meters.tiers.items()},
            pool=self.dispatcher.pool.counters(),
            happenings=dict(self.happenings.counts),
        )

    def status(self) -> Status:
        """All of it."""
        rate, times = overall(self.meters.tiers)
        return Status(
            version=tiergate.__version__,
            store=self._store,
            uptime_s=self.uptime_s,
            health=self.health(),
            calls_rps=rate,
            response_ms=times,
            queue=Queue(self.dispatcher.pool.unanswered(), self.queue_limit),
            running=len(self.dispatcher.running),
            lost=self.meters.lost(),
            affinity=Affinity(self.affinity.hits, self.affinity.of),
            tiers=tier_statuses(self.dispatcher.pool, self.meters),
            counters=self.dispatcher.pool.counters(),
            events=self.happenings.last(EVENTS),
        )
