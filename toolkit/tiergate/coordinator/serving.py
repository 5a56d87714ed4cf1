"""Serving until a signal or the end of the input: over standard input and output, or over HTTP."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio

from tiergate.coordinator.assembly import ServePlan, dispatching
from tiergate.coordinator.lines import LineReader, Writer
from tiergate.coordinator.monitor import PlainMonitor
from tiergate.coordinator.server import build_server
from tiergate.coordinator.stdio import MAX_MESSAGE_BYTES, claimed, stdio_streams
from tiergate.dispatch import Dispatcher
from tiergate.hooks import OperationDeclaration
from tiergate.plugins import PluginHost

Say = Callable[[str], None]

DRAIN_S = 10.0
"""How long calls that are under way may take once a signal has come."""


class Stop:
    """Set by the first SIGTERM or SIGINT; a second one ends everything at once.

    Attributes:
        signal: the first that came; None while none has.
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


async def serve_stdio(plan: ServePlan, host: PluginHost, say: Say) -> signal.Signals | None:
    """Serve one client over standard input and output, until it closes them or a signal comes.

    Returns:
        The signal; None where the client ended it.
    """
    stop = Stop()
    with anyio.CancelScope() as scope, stop.heard(scope), claimed() as (reads, writes):
        async with dispatching(plan, host, say) as dispatcher, _ended_by(stop, dispatcher) as served:
            server = build_server(dispatcher, host.all(OperationDeclaration), PlainMonitor(dispatcher))
            reader = LineReader(reads, MAX_MESSAGE_BYTES)
            say(f"serving {plan.store} on standard input and output")
            with served:
                async with stdio_streams(reader, Writer(writes)) as (received, sent):
                    await server.run(received, sent, server.create_initialization_options())
            reader.stop()
    return stop.signal


@asynccontextmanager
async def _ended_by(stop: Stop, dispatcher: Dispatcher) -> AsyncIterator[anyio.CancelScope]:
    """A scope that is cancelled once a signal has come and what was under way is answered."""
    scope = anyio.CancelScope()

    async def watch() -> None:
        await stop.came.wait()
        await dispatcher.pool.drain(DRAIN_S)
        while dispatcher.running:
            await asyncio.sleep(0)
        scope.cancel()

    watching = asyncio.create_task(watch())
    try:
        yield scope
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
