"""Serving until a signal or the end of the input: over standard input and output, or over HTTP."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing

import anyio

from tiergate.coordinator.assembly import ServePlan, dispatching
from tiergate.coordinator.http import PATH, HttpPlan, build_app, run_http
from tiergate.coordinator.lines import LineReader, Writer
from tiergate.coordinator.listening import listen, require_token
from tiergate.coordinator.monitor import PlainMonitor
from tiergate.coordinator.server import build_server
from tiergate.coordinator.service import Extensions, Service
from tiergate.coordinator.stdio import MAX_MESSAGE_BYTES, claimed, stdio_streams
from tiergate.coordinator.stopping import DRAIN_S, Stop, drained
from tiergate.hooks import OperationDeclaration
from tiergate.plugins import PluginHost

Say = Callable[[str], None]

STOPPING = "the server is stopping"


@asynccontextmanager
async def serving(
    plan: ServePlan, host: PluginHost, say: Say, extensions: Extensions = ()
) -> AsyncIterator[Service]:
    """A service whose pool runs and whose extensions are in place."""
    async with dispatching(plan, host, say) as dispatcher, AsyncExitStack() as stack:
        service = Service(dispatcher, str(plan.store), say, PlainMonitor(dispatcher))
        for extension in extensions:
            await stack.enter_async_context(extension(service))
        yield service


async def serve_stdio(
    plan: ServePlan, host: PluginHost, say: Say, extensions: Extensions = ()
) -> signal.Signals | None:
    """Serve one client over standard input and output.

    Returns:
        The signal that ended it; None where the client did, or the second signal cut it short.

    Raises:
        TiergateError: as `tiergate.coordinator.assembly.dispatching`.
    """
    stop = Stop()
    with anyio.CancelScope() as scope, stop.heard(scope), claimed() as (reads, writes):
        async with serving(plan, host, say, extensions) as service:
            server = build_server(service, host.all(OperationDeclaration))
            reader = LineReader(reads, MAX_MESSAGE_BYTES)
            ending = asyncio.create_task(drained(stop, service.dispatcher))
            ending.add_done_callback(lambda _: reader.end())
            try:
                async with stdio_streams(reader, Writer(writes), DRAIN_S) as (received, sent):
                    say(f"serving {plan.store} on standard input and output")
                    await server.run(received, sent, server.create_initialization_options())
            finally:
                reader.stop()
                ending.cancel()
    return stop.signal


async def serve_http(
    plan: ServePlan, http: HttpPlan, host: PluginHost, say: Say, extensions: Extensions = ()
) -> signal.Signals | None:
    """Serve any number of clients over HTTP.

    Returns:
        The signal that ended it.

    Raises:
        UsageError: others could reach the server without a token, or the address cannot be used.
        TiergateError: as `tiergate.coordinator.assembly.dispatching`.
    """
    require_token(http.address, http.token)
    stop = Stop()
    with closing(listen(http.address)) as listener, anyio.CancelScope() as scope, stop.heard(scope):
        async with serving(plan, host, say, extensions) as service:
            pool = service.dispatcher.pool
            server = build_server(service, host.all(OperationDeclaration))
            app = build_app(server, http, service.routes, lambda: STOPPING if pool.is_draining else None)
            ended = asyncio.Event()
            ending = asyncio.create_task(drained(stop, service.dispatcher))
            ending.add_done_callback(lambda _: ended.set())
            url = f"http://{http.address.shown_host}:{listener.getsockname()[1]}{PATH}"
            try:
                say(f"serving {plan.store} on {url}")
                await run_http(app, http, listener, ended)
            finally:
                ending.cancel()
    return stop.signal
