"""One line of JSON for each call and each happening, for those who collect logs.

A line is made when a call ends and written by a thread of its own, so that a slow reader of standard error
holds up no call. When it is too slow for too long, lines are left out, and one says how many.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

import msgspec

from tiergate.dispatch import Call, Outcome
from tiergate.monitoring.happenings import Happening
from tiergate.recovery.breaker import is_failure
from tiergate.recovery.policy import one_line

KEPT = 20_000
"""Lines that may wait to be written."""

GATHER_S = 0.05
"""Lines are written together with those of so many seconds, which costs less than one by one."""

_CLOSE_S = 2.0

Level = Literal["info", "warning", "error"]

WORSE = frozenset({Outcome.SHED, Outcome.OVERLOADED, Outcome.TIMED_OUT})
"""Outcomes that are warnings."""

USUAL = frozenset({"spawn", "idle", "recycle", "cancelled", "breaker-closed", "shedding-ended", "writable"})
"""Kinds of happening that are no cause for concern."""


class CallLine(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A call that ended.

    Attributes:
        time: when it ended, RFC 3339 in UTC.
        request: id of the call.
        worker: that answered.
        response_ms: from when it came to its end.
        service_ms, store_ms: of that in the worker, and of that in its store.
        error: what went wrong, in one line; it names its class first.
    """

    time: datetime
    level: Level
    event: str
    request: str
    operation: str
    session: str | None = None
    tier: str | None = None
    worker: str = ""
    outcome: str
    response_ms: float
    service_ms: float = 0.0
    store_ms: float = 0.0
    error: str = ""


class HappeningLine(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Something that happened to a worker, or that recovery did; see `Happening`."""

    time: str
    level: Level
    event: str
    who: str = ""
    cause: str = ""
    effect: str = ""


class LostLine(msgspec.Struct, kw_only=True):
    """Lines were left out because nobody took them."""

    time: datetime
    level: Level = "warning"
    event: str = "lines-lost"
    lines: int


class JsonLog:
    """A watcher of calls and a subscriber of happenings that writes what it sees.

    Args:
        write: given whole lines as bytes, from another thread; may block.
        now: the moment.
    """

    def __init__(
        self, write: Callable[[bytes], object], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._write = write
        self._now = now
        self._encode = msgspec.json.Encoder().encode
        self._waiting: deque[bytes] = deque()
        self._lost = 0
        self._wake = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="json log", daemon=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write within a block; at its end, what still waits."""
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._wake.set()
            # A reader that takes nothing must not keep the process from ending.
            self._thread.join(_CLOSE_S)

    def began(self, call: Call) -> None:
        """Nothing is written before it has its outcome."""

    def ended(self, call: Call) -> None:
        """Write a line about it."""
        self._put(call_line(call, self._now()))

    def happened(self, happening: Happening) -> None:
        """Write a line about it."""
        self._put(
            HappeningLine(
                time=happening.at,
                level="info" if happening.kind in USUAL else "warning",
                event=happening.kind,
                who=happening.who,
                cause=happening.cause,
                effect=happening.effect,
            )
        )

    def _put(self, line: CallLine | HappeningLine) -> None:
        if len(self._waiting) >= KEPT:
            self._lost += 1
            return
        self._waiting.append(self._encode(line))
        if not self._wake.is_set():
            self._wake.set()

    def _work(self) -> None:
        while not self._over.is_set():
            self._wake.wait()
            self._over.wait(GATHER_S)
            self._wake.clear()
            if not self._flushed():
                return
        self._flushed()

    def _flushed(self) -> bool:
        """Write what waits; False where it can be written no more, as when standard error was closed."""
        waiting = self._waiting
        lines = [waiting.popleft() for _ in range(len(waiting))]
        if self._lost:
            lines.append(self._encode(LostLine(time=self._now(), lines=self._lost)))
            self._lost = 0
        try:
            if lines:
                self._write(b"\n".join(lines) + b"\n")
        except (OSError, ValueError):
            return False
        return True


def call_line(call: Call, now: datetime) -> CallLine:
    """What the log says of a call that ended."""
    reply, choice = call.reply, call.choice
    failure = reply.failure if reply is not None else None
    troubled = failure is not None or call.error is not None
    return CallLine(
        time=now,
        level=_level(call) if troubled else "info",
        event="call",
        request=call.id,
        operation=call.request.operation,
        session=call.request.session,
        tier=choice.tier if choice is not None else None,
        worker=reply.worker if reply is not None else "",
        outcome=str(call.outcome),
        response_ms=round(call.response_s * 1e3, 3),
        service_ms=round(call.service_s * 1e3, 3),
        store_ms=round(reply.store_ns / 1e6, 3) if reply is not None else 0.0,
        error=one_line(failure, call.error) if troubled else "",
    )


def _level(call: Call) -> Level:
    if call.outcome in WORSE:
        return "warning"
    return "error" if is_failure(call) or call.outcome is Outcome.FAILED else "info"
