"""An MCP server at a URL as a target: each request is posted by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic, perf_counter
from typing import Any

from mcp.shared.inbound import encode_header_value, mcp_param_headers, x_mcp_header_map

from tiergate.catalogue import bare_facts
from tiergate.errors import RunError
from tiergate.operation import Failure, Reply, Request
from tiergate.pool import DeadlineExceeded, Overloaded, PoolUsage
from tiergate.target import BadAnswer, Flight, Target, TargetDied, Tool
from tiergate_plugins.targets.language import Answer
from tiergate_plugins.targets.mcp_connection import Exchange, Headers, Refusal
from tiergate_plugins.targets.mcp_greeting import START_TIMEOUT_S, Line, Refused, greet
from tiergate_plugins.targets.mcp_messages import (
    MODERN,
    Agreed,
    Message,
    RpcError,
    answer_to_server,
    cancelled,
    message,
    notification,
    read_answer,
    read_message,
)
from tiergate_plugins.targets.mcp_post import Connections, HttpAddress

QUEUE_LIMIT = 10_000
"""Requests that may be unanswered at once; one more is refused, as by a pool."""

BUSY = (429, 503)
"""HTTP statuses of a server that has too much to do."""

WHERE = "target mcp-http"


class McpPosts(Target, Line):
    """Posts tool calls to a server that runs already; it is neither started nor ended.

    Time in the worker is that from when a call is on its connection to its answer.

    Args:
        most: connections that may be open at once; further requests wait for one.
        token: that requests bear; None for none.

    Attributes:
        tools: what the server listed, once the target was started.
    """

    def __init__(self, address: HttpAddress, most: int, token: str | None) -> None:
        self.tools: Sequence[Tool] = ()
        self._address = address
        self._connections = Connections(address, most)
        self._agreed = Agreed()
        self._session = ""
        self._unanswered = 0
        self._headers: list[tuple[str, str]] = [
            ("host", address.name),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ]
        if token is not None:
            self._headers.append(("authorization", f"Bearer {token}"))
        self._parameters: dict[str, Any] = {}
        self._began = monotonic()

    async def start(self) -> None:
        """Agree on a version of the protocol, and list the tools.

        Raises:
            RunError: the server cannot be reached, or does not speak the protocol.
        """
        self._began = monotonic()
        self._agreed, self.tools = await greet(self, WHERE)
        self._parameters = {tool.name: x_mcp_header_map(tool.schema) for tool in self.tools}

    async def ask(
        self, method: str, params: dict[str, Any], *, version: str | None, timeout_s: float
    ) -> bytes:
        """Post a request, and wait for its answer; see `Line`."""
        came: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def take(text: bytes) -> bool:
            return self._take(text, method, came)

        def end(error: Exception | None) -> None:
            if not came.done():
                came.set_exception(_unanswered(error, method))

        headers = self._versioned(version, method)
        exchange = self._exchange(
            headers, message(method, method, params, modern=version == MODERN), take, end
        )
        self._connections.post(exchange)
        try:
            found = await asyncio.wait_for(came, timeout_s)
        except TimeoutError:
            self._connections.give_up(exchange)
            raise
        self._session = exchange.session if method == "initialize" else self._session
        if found.error is not None:
            raise Refused(found.error)
        if not found.has_result:
            raise RunError(f"no result of {method}", where=WHERE)
        return bytes(found.result)

    def _take(self, text: bytes, name: str, came: asyncio.Future[Message]) -> bool:
        try:
            found = read_message(text)
        except ValueError as error:
            came.set_exception(RunError(f"the server {error}", where=WHERE))
            return True
        # An error without an id is that of the only request of this answer.
        if found.method is not None or (found.id != name and found.error is None):
            return False
        came.set_result(found)
        return True

    async def tell(self, method: str, version: str) -> None:
        """Post a notification, and wait until the server has taken it."""
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(_error: Exception | None) -> None:
            if not taken.done():
                taken.set_result(None)

        headers = self._versioned(version, method)
        self._connections.post(self._exchange(headers, notification(method), _passed_over, end))
        await asyncio.wait_for(taken, START_TIMEOUT_S)

    def send(self, flight: Flight) -> None:
        """Post the call, or have it wait for a connection."""
        if self._unanswered >= QUEUE_LIMIT:
            flight.error = Overloaded(f"{QUEUE_LIMIT} requests wait already", hint="send fewer, or later")
            flight.landed(flight)
            return
        self._unanswered += 1
        name, arguments, body = self._agreed.call(flight.request)
        headers = self._versioned(self._agreed.version, "tools/call")
        if self._agreed.is_modern:
            headers.append(("mcp-name", encode_header_value(name)))
            headers += mcp_param_headers(self._parameters.get(name, {}), arguments).items()
        call = _Call(self, flight)
        call.exchange = self._exchange(headers, body, call.take, call.end)
        call.timer = asyncio.get_running_loop().call_later(flight.left_s, self._expire, call)
        self._connections.post(call.exchange)

    def _versioned(self, version: str | None, method: str) -> list[tuple[str, str]]:
        headers = list(self._headers)
        if version is not None:
            headers.append(("mcp-protocol-version", version))
        if version == MODERN:
            headers.append(("mcp-method", method))
        if self._session:
            headers.append(("mcp-session-id", self._session))
        return headers

    def _exchange(self, headers: Headers, body: bytes, take: Any, end: Any) -> Exchange:
        return Exchange(self._address.target, headers, body, take, end)

    def landed(self, flight: Flight) -> None:
        """A call is over."""
        self._unanswered -= 1
        flight.landed(flight)

    def reply_to_server(self, found: Message) -> None:
        """Answer what the server asks itself."""
        self._post_aside(answer_to_server(found))

    def _expire(self, call: _Call) -> None:
        """Closing the connection says that nobody waits; before 2026-07-28 a notification has to say it."""
        flight = call.flight
        if self._connections.give_up(call.exchange) and not self._agreed.is_modern:
            self._post_aside(cancelled(flight.request.id))
        flight.error = DeadlineExceeded(f"{flight.request.operation} took longer than {flight.left_s:g} s")
        self.landed(flight)

    def _post_aside(self, body: bytes) -> None:
        headers = self._versioned(self._agreed.version, "")
        self._connections.post(self._exchange(headers, body, _passed_over, _nothing_more))

    async def warm_up(self, requests: Sequence[Request]) -> None:
        """Have the server serve each request once.

        Raises:
            RunError: it did not.
        """
        for request in requests:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            now = perf_counter()
            flight = Flight(request, bare_facts(request), lambda _, done=done: done.set_result(None))  # type: ignore[misc]
            flight.intended = flight.sent = now
            flight.ends = now + START_TIMEOUT_S
            self.send(flight)
            await done
            if flight.error is not None:
                raise RunError(f"no answer to {request.operation}: {flight.error}", where=WHERE)

    async def close(self) -> PoolUsage:
        """Close the connections. What the server used is not known."""
        await self._connections.close()
        return PoolUsage(cpu_s=0.0, peak_rss_bytes=0, worker_seconds=monotonic() - self._began)


class _Call:
    """One flight on its way."""

    exchange: Exchange
    timer: asyncio.TimerHandle

    def __init__(self, target: McpPosts, flight: Flight) -> None:
        self._target = target
        self.flight = flight

    def take(self, text: bytes) -> bool:
        """A message of the answer; True when it is the result."""
        try:
            found = read_message(text)
            if found.method is not None:
                if found.id is not None:
                    self._target.reply_to_server(found)
                return False
            if found.error is not None:
                self.flight.error = BadAnswer(found.error.words())
            else:
                self._note(read_answer(found))
        except ValueError as error:
            self.flight.error = BadAnswer(f"the server {error}")
        return True

    def _note(self, answer: Answer) -> None:
        request = self.flight.request
        if answer.id != request.id:
            raise ValueError(f"answered request {answer.id} where {request.id} was asked")
        failure = None if answer.error is None else Failure(answer.kind, answer.error)
        took_s = perf_counter() - self.exchange.posted
        self.flight.reply = Reply(request.id, None, failure, round(took_s * 1e9), "server-1")

    def end(self, error: Exception | None) -> None:
        """The answer is there, or will not come."""
        self.timer.cancel()
        flight = self.flight
        if flight.reply is None and flight.error is None:
            flight.error = _no_result(error)
        self._target.landed(flight)


def _no_result(error: Exception | None) -> Exception:
    """What a call becomes whose answer carried no result."""
    if error is None:
        return BadAnswer("the server ended its answer without a result")
    if isinstance(error, Refusal):
        return Overloaded(str(error)) if error.status in BUSY else BadAnswer(f"the server answered {error}")
    return TargetDied(str(error))


def _unanswered(error: Exception | None, method: str) -> Exception:
    """What a question of the beginning becomes that got no answer."""
    if isinstance(error, Refusal) and error.status in (401, 403):
        hint = "give its token with mcp-http?token-file=FILE:URL"
        return RunError(f"the server answered {error}", where=WHERE, hint=hint)
    if isinstance(error, Refusal) and error.status < 500:
        return Refused(RpcError(error.status, f"HTTP status of {method}"))
    return RunError(str(error or f"no answer to {method}"), where=WHERE)


def _passed_over(_text: bytes) -> bool:
    return False


def _nothing_more(_error: Exception | None) -> None:
    """Nobody waits for it."""
