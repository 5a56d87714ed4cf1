"""All that is known of a service in one document, for ``/status.json``, `tiergate top` and the live page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from tiergate.monitoring.happenings import Happening
from tiergate.monitoring.health import Health
from tiergate.monitoring.meters import Meters, Percentiles, Recent, merged, percentiles
from tiergate.pool import Pool, PoolCounters

SCHEMA = "tiergate.status/1"
EVENTS = 30
"""How many of the last happenings it has."""


class Queue(msgspec.Struct, frozen=True):
    """Requests that were taken and not answered, and how many there may be."""

    waiting: int
    limit: int


class TierStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One tier; rate and times are of the last minute.

    Attributes:
        workers: that are ready.
        capacity: that there may be.
        in_hand: requests that were given to its workers and not answered.
    """

    name: str
    workers: int
    capacity: int
    in_hand: int
    calls_rps: float
    response_ms: Percentiles


class Affinity(msgspec.Struct, frozen=True):
    """Calls that met the worker which served their session last in that tier, of those that could have."""

    hits: int
    of: int


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """Counts and times since the start."""

    uptime_s: Annotated[float, Meta(description="seconds since the start")]
    calls: Annotated[dict[str, dict[str, int]], Meta(description="calls by operation and outcome")]
    running: Annotated[int, Meta(description="calls that are under way")]
    unanswered: Annotated[int, Meta(description="requests in the pool, waiting and served")]
    response_ms: Annotated[
        dict[str, Percentiles], Meta(description="response time by tier since the start, in milliseconds")
    ]
    pool: Annotated[PoolCounters, Meta(description="what happened to workers and requests, by kind")]
    happenings: Annotated[dict[str, int], Meta(description="how often things happened, by kind")]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A service at one moment.

    Attributes:
        calls_rps: answered calls a second in the last minute; `response_ms` is of these.
        lost: calls that were let in and got no answer, since the start.
        events: the last happenings, the newest first.
    """

    schema: str = SCHEMA
    version: str
    store: str
    uptime_s: float
    health: Health
    calls_rps: float
    response_ms: Percentiles
    queue: Queue
    running: int
    lost: int
    affinity: Affinity
    tiers: Sequence[TierStatus]
    counters: PoolCounters
    events: Sequence[Happening]


def tier_statuses(pool: Pool, meters: Meters) -> list[TierStatus]:
    """The tiers of a pool in its order, then those that only calls know of."""
    view = pool.view()
    names = dict.fromkeys([*view.capacity, *(worker.tier for worker in view.workers), *meters.tiers])
    return [
        TierStatus(
            name=name,
            workers=len(workers := view.of_tier(name)),
            capacity=view.capacity.get(name, len(workers)),
            in_hand=sum(worker.waiting for worker in workers),
            calls_rps=round(recent.rate(), 2) if (recent := meters.tiers.get(name)) is not None else 0.0,
            response_ms=percentiles(recent.last_minute()) if recent is not None else Percentiles(),
        )
        for name in names
    ]


def overall(tiers: Mapping[str, Recent]) -> tuple[float, Percentiles]:
    """Answered calls a second in the last minute, and their times."""
    rate = sum((recent.rate() for recent in tiers.values()), 0.0)
    return round(rate, 2), percentiles(merged(recent.last_minute() for recent in tiers.values()))
