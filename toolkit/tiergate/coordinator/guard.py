"""What every HTTP request has to pass before anything looks at it: who asks, from where, and how much."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from hmac import compare_digest
from math import ceil
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tiergate.coordinator.limits import HttpLimits, RateLimit
from tiergate.coordinator.listening import LOOPBACK_NAMES, HttpAddress

GONE = "tiergate.gone"
"""Key of the scope of a request: a `Gone`."""

OPEN_PATHS = frozenset({"/health/live", "/health/ready", "/", "/live.css", "/live.js"})
"""What needs no token to be read: whether the server is well, which supervisors ask, and the files of the
live page, which hold no data; the page asks for the token."""


class Gone:
    """Whether the client of a request went away, and what to call when it does."""

    def __init__(self) -> None:
        self.callback: Callable[[], None] | None = None

    def note(self) -> None:
        """It went away."""
        if self.callback is not None:
            self.callback()


class Refusal(Exception):
    """A request that is not let in.

    Args:
        status: of HTTP.
        what: one line: what is wrong, and what to do.
        headers: of the answer.
    """

    def __init__(self, status: int, what: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(what)
        self.status = status
        self.what = what
        self.headers = headers


class Guard:
    """Stands in front of the whole application, whatever the path.

    Args:
        hosts: names that requests may address the server by, without a port; any where it is empty.
        token: what requests have to bear; None for nothing.
        refuses: a line while no new work is taken; None otherwise.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: HttpLimits,
        hosts: Sequence[str],
        token: str | None,
        refuses: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._app = app
        self._limits = limits
        self._hosts = frozenset(host.lower() for host in hosts)
        self._token = None if token is None else token.encode()
        self._refuses = refuses
        self._rate = RateLimit(limits.rate, limits.burst)
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        counted = scope["method"] == "POST"
        try:
            self._check(scope, counted=counted)
        except Refusal as refusal:
            await _answer(refusal, scope, send)
            return
        self._running += counted
        try:
            await self._let_in(scope, receive, send)
        finally:
            self._running -= counted

    def _check(self, scope: Scope, *, counted: bool) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        self._check_origin(headers)
        if scope["path"] in OPEN_PATHS and scope["method"] in ("GET", "HEAD"):
            return
        self._check_token(headers)
        wait = self._rate.take((scope.get("client") or ("",))[0])
        if wait:
            raise Refusal(429, "too many requests; send them more slowly", _retry(wait))
        if counted and self._running >= self._limits.concurrency:
            raise Refusal(503, f"{self._running} requests are being answered; try again", _retry(1))
        refused = self._refuses() if counted else None
        if refused is not None:
            raise Refusal(503, refused, _retry(5))
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._most_bytes(scope):
            raise _too_large(self._most_bytes(scope))

    def _most_bytes(self, scope: Scope) -> int:
        """Only what is counted may carry a body; others would hold memory beside the limit of concurrency."""
        return self._limits.body_bytes if scope["method"] == "POST" else 0

    def _check_origin(self, headers: dict[bytes, bytes]) -> None:
        """A page from elsewhere, or one whose name was pointed at this machine, must not reach the server."""
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._knows(host):
            raise Refusal(421, "the Host header names another server; see --allow-host")
        origin = headers.get(b"origin")
        if origin is None:
            return
        scheme, _, rest = origin.decode("latin-1").partition("://")
        if scheme not in ("http", "https") or not self._knows(rest):
            raise Refusal(403, "the Origin header names another site; see --allow-host")

    def _knows(self, host: str) -> bool:
        name, colon, port = host.lower().rpartition(":")
        if not colon or host.endswith("]"):
            name, port = host.lower(), "0"
        return port.isdecimal() and name in self._hosts

    def _check_token(self, headers: dict[bytes, bytes]) -> None:
        if self._token is None:
            return
        kind, _, given = headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() != b"bearer" or not compare_digest(given.strip(), self._token):
            raise Refusal(
                401,
                "the bearer token is missing or wrong; see --token-file",
                [("www-authenticate", 'Bearer realm="tiergate"')],
            )

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = scope[GONE] = Gone()
        try:
            body = await self._body(receive, self._most_bytes(scope))
        except Refusal as refusal:
            await _answer(refusal, scope, send)
            return
        if body is None:
            return
        first: Message | None = {"type": "http.request", "body": body, "more_body": False}

        async def replayed() -> Message:
            nonlocal first
            if first is not None:
                message, first = first, None
                return message
            message = await receive()
            if message["type"] == "http.disconnect":
                gone.note()
            return message

        await self._app(scope, replayed, send)

    async def _body(self, receive: Receive, most: int) -> bytes | None:
        """The body of a request; None where its client left before it was there."""
        body: bytes = b""
        try:
            async with asyncio.timeout(self._limits.body_s):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        return None
                    body += bytes(message.get("body", b""))
                    if len(body) > most:
                        raise _too_large(most)
                    if not message.get("more_body", False):
                        return body
        except TimeoutError as error:
            raise Refusal(408, f"the body did not come within {self._limits.body_s:g} s") from error


def known_hosts(address: HttpAddress, allowed: Sequence[str]) -> list[str]:
    """The names that requests may address a server by that listens there."""
    return [*LOOPBACK_NAMES, address.shown_host, *allowed]


def _too_large(most: int) -> Refusal:
    return Refusal(413, f"the body is larger than {most} bytes")


def _retry(seconds: float) -> list[tuple[str, str]]:
    return [("retry-after", str(max(1, ceil(seconds))))]


async def _answer(refusal: Refusal, scope: Scope, send: Send) -> None:
    """Say why in the form that the path speaks; the connection ends, as its body may not have been read."""
    line = f"tiergate: {refusal.what}"
    value: dict[str, Any] = {"error": line}
    if scope["path"] == "/mcp":
        value = {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": line}}
    body = msgspec.json.encode(value)
    headers = [
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
        ("connection", "close"),
        *refusal.headers,
    ]
    encoded = [(name.encode(), text.encode()) for name, text in headers]
    await send({"type": "http.response.start", "status": refusal.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
