"""What the live page is sent: the status of the service and how its sessions flow, once a second."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from tiergate.dispatch import Call
from tiergate.errors import TiergateError
from tiergate.monitoring.watching import Watching

EVERY_S = 1.0
SESSIONS = 12
"""Sessions that are shown: those that were called for last."""

FLOW_EVERY_S = 5.0
"""How often the flow of the sessions is asked for, while somebody looks."""

_FILES = {
    "": ("page.html", "text/html"),
    "live.css": ("live.css", "text/css"),
    "live.js": ("live.js", "text/javascript"),
}
_PAGE_RULES = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Feed:
    """Remembers which sessions were called for, and asks how they flow while somebody looks."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self._sessions: OrderedDict[str, None] = OrderedDict()
        self._flows: dict[str, dict[str, Any]] = {}
        self._asked_at = -FLOW_EVERY_S
        self._asking: asyncio.Task[None] | None = None

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Watch within a block."""
        self._watching.dispatcher.watchers.append(self)
        try:
            yield
        finally:
            if self._asking is not None:
                self._asking.cancel()

    def began(self, call: Call) -> None:
        """Nothing is known of it yet."""

    def ended(self, call: Call) -> None:
        """Remember the session of a call that was not made for this page."""
        session = call.request.session
        if (
            session is None
            or call.id.startswith(_OWN)
            or call.reply is None
            or call.reply.failure is not None
        ):
            return
        self._sessions[session] = None
        self._sessions.move_to_end(session)
        if len(self._sessions) > SESSIONS:
            gone, _ = self._sessions.popitem(last=False)
            self._flows.pop(gone, None)

    async def messages(self) -> AsyncIterator[bytes]:
        """One message a second, in the form of server-sent events, for as long as somebody reads."""
        while True:
            self._ask_beside()
            status = msgspec.to_builtins(self._watching.status())
            status["sessions"] = [
                self._flows[name] for name in reversed(self._sessions) if name in self._flows
            ]
            yield b"data: " + msgspec.json.encode(status) + b"\n\n"
            await asyncio.sleep(EVERY_S)

    def _ask_beside(self) -> None:
        """Ask how the sessions flow, unless that was just done.

        In a task of its own: a reader who leaves must not cancel work of the pool.
        """
        loop = asyncio.get_running_loop()
        if loop.time() - self._asked_at >= FLOW_EVERY_S and (self._asking is None or self._asking.done()):
            self._asked_at = loop.time()
            self._asking = loop.create_task(self._ask(self._asked_at))

    async def _ask(self, now: float) -> None:
        for name in list(self._sessions):
            flow = await self._flow(name, now)
            if flow is None:
                self._flows.pop(name, None)
            else:
                self._flows[name] = {"id": name, **flow}

    async def _flow(self, session: str, now: float) -> dict[str, Any] | None:
        try:
            reply = await self._watching.dispatcher.call("flow", session, {}, id=f"{_OWN}{session}-{now}")
        except TiergateError:
            return None
        return reply.result if reply.failure is None and isinstance(reply.result, dict) else None


_OWN = "live-page-"


def live_routes(feed: Feed) -> list[BaseRoute]:
    """``/`` with its style and script, and ``/events``."""
    return [*(_file(path, *found) for path, found in _FILES.items()), Route("/events", _events(feed))]


def _events(feed: Feed) -> Any:
    async def events(_request: Request) -> Response:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(feed.messages(), headers=headers, media_type="text/event-stream")

    return events


def _file(path: str, name: str, kind: str) -> Route:
    content = files(__package__).joinpath(name).read_bytes()
    headers = {"content-security-policy": _PAGE_RULES, "x-content-type-options": "nosniff"}

    async def answer(_request: Request) -> Response:
        return Response(content, headers=headers, media_type=kind)

    return Route(f"/{path}", answer)
