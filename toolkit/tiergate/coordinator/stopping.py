"""How a server ends: the first signal lets it finish what it has begun, the second ends it at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from tiergate.dispatch import Dispatcher

DRAIN_S = 10.0
"""How long calls that are under way may take once a signal has come."""

_POLL_S = 0.005


class Stop:
    """Hears SIGTERM and SIGINT.

    Attributes:
        signal: the first that came; None while none has.
        came: set with it.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self.came = asyncio.Event()
        self._scope: anyio.CancelScope | None = None

    @contextmanager
    def heard(self, scope: anyio.CancelScope) -> Iterator[None]:
        """Listen within a block; the second signal cancels the scope."""
        loop = asyncio.get_running_loop()
        self._scope = scope
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._hear, number)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _hear(self, number: signal.Signals) -> None:
        if self.signal is None:
            self.signal = number
            self.came.set()
        elif self._scope is not None:
            self._scope.cancel()


async def drained(stop: Stop, dispatcher: Dispatcher) -> None:
    """Return once a signal has come and the calls that were under way are answered, or took too long."""
    await stop.came.wait()
    give_up = asyncio.get_running_loop().time() + DRAIN_S
    await dispatcher.pool.drain(DRAIN_S)
    while dispatcher.running and asyncio.get_running_loop().time() < give_up:
        await asyncio.sleep(_POLL_S)
    # Answers are on their way from the handlers to the transport.
    await asyncio.sleep(_POLL_S * 10)
