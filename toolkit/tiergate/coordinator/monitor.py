"""What the tools ``health`` and ``metrics`` answer, and who answers them."""

from __future__ import annotations

from collections import Counter
from time import monotonic
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta

from tiergate.dispatch import Call, Dispatcher
from tiergate.pool import PoolCounters


class Monitor(Protocol):
    """Knows how the service is. Its answers are structs, or objects of plain JSON values."""

    @property
    def health_type(self) -> type[Any]:
        """The type of what `health` returns, for the schema of the tool."""

    @property
    def metrics_type(self) -> type[Any]:
        """The type of what `metrics` returns, likewise."""

    def health(self) -> Any:
        """Whether the service lives, is ready, or is degraded and why. Must not block."""

    def metrics(self) -> Any:
        """Counts and times since the start. Must not block."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the service is."""

    status: Annotated[
        Literal["ready", "degraded", "draining"],
        Meta(description="ready: all is well; degraded: it serves, see reasons; draining: it is stopping"),
    ]
    reasons: Annotated[list[str], Meta(description="why it is not ready, one sentence each")]
    workers: Annotated[dict[str, int], Meta(description="workers that are ready, by tier")]
    uptime_s: Annotated[float, Meta(description="seconds since the start")]


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the start."""

    calls: Annotated[dict[str, dict[str, int]], Meta(description="calls by operation and outcome")]
    running: Annotated[int, Meta(description="calls that are under way")]
    unanswered: Annotated[int, Meta(description="requests in the pool, waiting and served")]
    pool: Annotated[PoolCounters, Meta(description="what happened to workers and requests, by kind")]


class PlainMonitor:
    """Answers from the pool's view and counters, and counts calls as a watcher of the dispatcher."""

    health_type = Health
    metrics_type = Metrics

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._began = monotonic()
        self._calls: dict[str, Counter[str]] = {}
        dispatcher.watchers.append(self)

    def began(self, call: Call) -> None:
        """Nothing is counted before it has its outcome."""

    def ended(self, call: Call) -> None:
        """Count the call."""
        outcomes = self._calls.setdefault(call.request.operation, Counter())
        outcomes[call.outcome.value if call.outcome else "unknown"] += 1

    def health(self) -> Health:
        """Ready while every tier that has resident workers has one that is ready."""
        pool = self._dispatcher.pool
        view = pool.view()
        workers = {tier: len(view.of_tier(tier)) for tier in view.capacity}
        workers.update(Counter(worker.tier for worker in view.workers))
        reasons = [] if view.workers else ["no worker is ready"]
        status: Literal["ready", "degraded", "draining"] = "degraded" if reasons else "ready"
        return Health(
            status="draining" if pool.is_draining else status,
            reasons=reasons,
            workers=workers,
            uptime_s=round(monotonic() - self._began, 3),
        )

    def metrics(self) -> Metrics:
        """The counts."""
        return Metrics(
            calls={operation: dict(outcomes) for operation, outcomes in self._calls.items()},
            running=len(self._dispatcher.running),
            unanswered=self._dispatcher.pool.unanswered(),
            pool=self._dispatcher.pool.counters(),
        )
