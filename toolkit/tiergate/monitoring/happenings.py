"""What happened to a service: of its workers, and what it did by itself, each with cause and effect."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from tiergate.pool import Pool, PoolEvent

KEPT = 1_000

EFFECTS = {
    "spawn": "a worker takes requests",
    "exit": "its requests go to others; it is replaced",
    "recycle": "it is replaced once it is done",
    "idle": "it ends; it comes again when it is needed",
    "hung": "it is killed and replaced",
    "start-failed": "it is tried again, later each time",
    "given-up": "its tier has a worker less",
    "deadline": "the caller is told; the work is stopped",
    "cancelled": "the work is stopped",
    "cancelled-work": "its worker is ended, as it did not stop by itself",
    "retry": "another worker serves the request",
    "quarantined": "the request is refused from now on",
    "overflow": "requests are refused until the queue is shorter",
}
"""What follows from an event of the pool, by its kind."""


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened.

    Attributes:
        at: moment, RFC 3339 in UTC.
        kind: a kind of event of the pool, see `tiergate.pool.PoolEvent`; or ``breaker-open``,
            ``breaker-half-open``, ``breaker-closed``, ``shedding``, ``shedding-ended``, ``read-only``,
            ``writable`` and ``fault``.
        who: the worker, operation or tier that it is about; empty where it is about the service.
        cause: why, in one line.
        effect: what follows, in one line.
    """

    at: str
    kind: str
    who: str = ""
    cause: str = ""
    effect: str = ""


class Happenings:
    """Keeps the last happenings, counts all of them, and tells subscribers.

    Args:
        now: the moment.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.counts: Counter[str] = Counter()
        self._now = now
        self._kept: deque[Happening] = deque(maxlen=KEPT)
        self._subscribers: list[Callable[[Happening], None]] = []

    def note(self, kind: str, who: str = "", cause: str = "", effect: str = "") -> None:
        """Keep it, count it and tell everybody. A subscriber that raises is not told again."""
        at = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        happening = Happening(at=at, kind=kind, who=who, cause=cause, effect=effect)
        self.counts[kind] += 1
        self._kept.append(happening)
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(happening)
            except Exception:
                self._forget(subscriber)

    def last(self, count: int = KEPT) -> Sequence[Happening]:
        """The last ones, the newest first."""
        return [*reversed(self._kept)][:count]

    def subscribe(self, subscriber: Callable[[Happening], None]) -> Callable[[], None]:
        """Tell of every happening from now on; must not block. Call what is returned to end that."""
        self._subscribers.append(subscriber)
        return lambda: self._forget(subscriber)

    def _forget(self, subscriber: Callable[[Happening], None]) -> None:
        if subscriber in self._subscribers:
            self._subscribers.remove(subscriber)

    def follow(self, pool: Pool) -> Callable[[], None]:
        """Take in what happens to the workers of a pool; call what is returned to end that."""

        def take(event: PoolEvent) -> None:
            self.note(event.kind, event.worker, event.detail, EFFECTS.get(event.kind, ""))

        return pool.subscribe(take)
