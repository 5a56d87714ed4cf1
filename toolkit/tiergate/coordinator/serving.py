"""Serving until a signal or the end of the input: over standard input and output, or over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn
from mcp.server.stdio import stdio_server

from tiergate.coordinator.assembly import ServePlan, dispatching
from tiergate.coordinator.monitor import PlainMonitor
from tiergate.coordinator.server import build_server
from tiergate.hooks import OperationDeclaration
from tiergate.plugins import PluginHost

Say = Callable[[str], None]


async def serve_stdio(plan: ServePlan, host: PluginHost, say: Say) -> None:
    """Serve one client over standard input and output, until it closes them or a signal comes."""
    async with dispatching(plan, host, say) as dispatcher:
        server = build_server(dispatcher, host.all(OperationDeclaration), PlainMonitor(dispatcher))
        say(f"serving {plan.store} on standard input and output")
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())


async def serve_http(plan: ServePlan, host: PluginHost, address: str, port: int, say: Say) -> None:
    """Serve any number of clients over HTTP, until a signal comes."""
    async with dispatching(plan, host, say) as dispatcher:
        server = build_server(dispatcher, host.all(OperationDeclaration), PlainMonitor(dispatcher))
        app = server.streamable_http_app(host=address)
        config = uvicorn.Config(app, host=address, port=port, log_level="warning", access_log=False)
        say(f"serving {plan.store} on http://{address}:{port}/mcp")
        await uvicorn.Server(config).serve()
