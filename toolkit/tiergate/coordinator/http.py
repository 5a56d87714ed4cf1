"""The protocol over streamable HTTP, at ``/mcp``."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from tiergate.coordinator.guard import Guard, known_hosts
from tiergate.coordinator.limits import HttpLimits
from tiergate.coordinator.listening import HttpAddress
from tiergate.coordinator.patience import protocol_with

PATH = "/mcp"

_KEEP_ALIVE_S = 30
_FLUSH_S = 2
"""How long answers that are written may take to be read once the server ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPlan:
    """How to listen.

    Attributes:
        address: where.
        token: what requests have to bear; None for nothing, which only loopback allows.
        allowed_hosts: further names that the server is known by.
    """

    address: HttpAddress
    token: str | None = None
    allowed_hosts: Sequence[str] = ()
    limits: HttpLimits = field(default_factory=HttpLimits)


class QuietServer(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    def hang_up(self) -> None:
        """Close every connection once what is written has been sent."""
        for connection in tuple(self.server_state.connections):
            connection.transport.close()


def build_app(
    server: Server[Any], plan: HttpPlan, routes: Sequence[BaseRoute], refuses: Callable[[], str | None]
) -> ASGIApp:
    """The whole application: the protocol and further routes, behind the guard."""
    hosts = known_hosts(plan.address, plan.allowed_hosts)
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=plan.limits.body_bytes,
        # The guard has looked at every path already; this is the second lock on the same door.
        transport_security=TransportSecuritySettings(
            allowed_hosts=[*hosts, *(f"{host}:*" for host in hosts)],
            allowed_origins=[
                f"{scheme}://{host}{port}"
                for scheme in ("http", "https")
                for host in hosts
                for port in ("", ":*")
            ],
        ),
    )
    app.router.routes.extend(routes)
    return Guard(app, plan.limits, hosts, plan.token, refuses)


async def run_http(app: ASGIApp, plan: HttpPlan, listener: socket.socket, ended: asyncio.Event) -> None:
    """Serve the application on a socket that listens, until the event is set."""
    config = uvicorn.Config(
        app,
        http=protocol_with(plan.limits),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_FLUSH_S,
    )
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve([listener]))
    waiting = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        server.hang_up()
        await serving
    finally:
        waiting.cancel()
        serving.cancel()
        await asyncio.gather(serving, waiting, return_exceptions=True)
