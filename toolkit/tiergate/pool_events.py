"""What happens to the workers of a pool: events as they come, and how many there were of each kind."""

from __future__ import annotations

import signal
from collections import Counter, deque
from collections.abc import Callable, Sequence
from time import monotonic

import msgspec

EVENTS_KEPT = 10_000
"""Events that a pool remembers; counters go on for ever."""


class PoolEvent(msgspec.Struct, frozen=True):
    """Something that happened to a worker.

    Attributes:
        at_s: seconds from the start of the pool.
        kind: ``spawn``; ``exit`` with its status; ``recycle``, ``idle`` and ``hung`` of a worker that is to
            end; ``start-failed`` and ``given-up``; ``deadline``, ``cancelled``, ``retry`` and ``quarantined``
            of a request, with its operation; ``overflow`` when the queue begins to refuse.
        worker: its name; empty for what is about no single one.
        detail: one line.
    """

    at_s: float
    kind: str
    worker: str
    detail: str = ""


class PoolCounters(msgspec.Struct, kw_only=True, frozen=True):
    """How often things happened since the start of a pool.

    Attributes:
        spawns: workers that became ready.
        exits: workers that ended after they were, for whatever reason.
        recycles: workers that were replaced for their age or size.
        idle_exits: workers that ended for want of work.
        hung: workers that were killed because they gave no sign of life.
        failed_starts: workers that did not become ready.
        retries: requests that were given to another worker because theirs had ended.
        overflows: requests that were refused because the queue was full.
        deadlines: requests whose deadline passed.
        cancelled: requests that were taken back.
        quarantined: requests that were refused because they had ended two workers.
    """

    spawns: int = 0
    exits: int = 0
    recycles: int = 0
    idle_exits: int = 0
    hung: int = 0
    failed_starts: int = 0
    retries: int = 0
    overflows: int = 0
    deadlines: int = 0
    cancelled: int = 0
    quarantined: int = 0


_COUNTER_OF_KIND = {
    "spawn": "spawns",
    "exit": "exits",
    "recycle": "recycles",
    "idle": "idle_exits",
    "hung": "hung",
    "start-failed": "failed_starts",
    "retry": "retries",
    "overflow": "overflows",
    "deadline": "deadlines",
    "cancelled": "cancelled",
    "quarantined": "quarantined",
}


class EventLog:
    """Notes events, counts them, and tells subscribers."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._events: deque[PoolEvent] = deque(maxlen=EVENTS_KEPT)
        self._counts: Counter[str] = Counter()
        self._subscribers: list[Callable[[PoolEvent], None]] = []

    def restart(self) -> None:
        """Count seconds from now."""
        self._began = monotonic()

    def count(self, kind: str) -> None:
        """Count something that is too frequent for an event."""
        self._counts[kind] += 1

    def note(self, kind: str, worker: str = "", detail: str = "") -> None:
        """Count it, remember it, and tell every subscriber."""
        self._counts[kind] += 1
        event = PoolEvent(round(monotonic() - self._began, 6), kind, worker, detail)
        self._events.append(event)
        for callback in tuple(self._subscribers):
            try:
                callback(event)
            except Exception:
                # A listener's fault is none of the pool's.
                self._forget(callback)

    def subscribe(self, callback: Callable[[PoolEvent], None]) -> Callable[[], None]:
        """Tell a callback of every event from now on; call what is returned to end that."""
        self._subscribers.append(callback)
        return lambda: self._forget(callback)

    def _forget(self, callback: Callable[[PoolEvent], None]) -> None:
        if callback in self._subscribers:
            self._subscribers.remove(callback)

    def events(self) -> Sequence[PoolEvent]:
        """The events that are remembered, the oldest first."""
        return tuple(self._events)

    def counters(self) -> PoolCounters:
        """How often each kind happened."""
        return PoolCounters(**{name: self._counts[kind] for kind, name in _COUNTER_OF_KIND.items()})


def exit_status(code: int) -> str:
    """How a process ended, in words; a code below 0 is the signal that killed it, as `subprocess` has it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
