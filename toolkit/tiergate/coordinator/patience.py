"""HTTP connections that do not wait for ever: for the head of a request, or for a client to read."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from tiergate.coordinator.limits import HttpLimits


class PatientProtocol(H11Protocol):
    """Ends a connection that is too slow (Slowloris), or is one too many."""

    limits = HttpLimits()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, unless there are too many."""
        self._waiting: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.abort()
            return
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes; the head is there once a request has begun."""
        super().data_received(data)
        self._watch_head()

    def on_response_complete(self) -> None:
        """Wait for the head of the next request."""
        super().on_response_complete()
        self._watch_head()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is written to."""
        super().pause_writing()
        if self._stuck is None:
            self._stuck = self.loop.call_later(self.limits.stuck_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        self._stuck = _cancelled(self._stuck)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._waiting = _cancelled(self._waiting)
        super().connection_lost(exc)
        self._stuck = _cancelled(self._stuck)

    def _watch_head(self) -> None:
        """Give up on a head that was begun, or on a connection that never said anything."""
        cycle: Any = self.cycle
        if cycle is not None and (not cycle.response_complete or self.timeout_keep_alive_task is not None):
            self._waiting = _cancelled(self._waiting)
        elif self._waiting is None:
            self._waiting = self.loop.call_later(self.limits.head_s, self.transport.abort)


def _cancelled(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


def protocol_with(limits: HttpLimits) -> type[PatientProtocol]:
    """The protocol class with these limits, as uvicorn takes a class."""
    return type("LimitedProtocol", (PatientProtocol,), {"limits": limits})
