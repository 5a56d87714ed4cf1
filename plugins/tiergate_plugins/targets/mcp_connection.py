"""One HTTP connection, on which one message after another is posted; and what the answers carry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import h11

from tiergate_plugins.targets.mcp_events import EventReader

LONGEST_BODY = 64 * 1024 * 1024
_EVENTS = b"text/event-stream"
_JSON = b"application/json"

Headers = Sequence[tuple[str, str]]


class Refusal(Exception):
    """The server answered with an HTTP status that is no success, and nothing of the protocol with it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status


class Broken(Exception):
    """The connection ended, or what came is no HTTP, before the answer was there."""


@dataclass(slots=True, eq=False)
class Exchange:
    """One message that is posted.

    Attributes:
        target: path and query of the address.
        on_message: called with each message that the answer carries, and says whether it was the last that is
            wanted.
        on_end: called once: with None after an answer that ended in good order, else with what went wrong.
        is_over: nobody wants the answer, or it is there.
        posted: when it went onto its connection, in seconds of the clock `time.perf_counter`.
        session: the id of the session that the answer's head names, if any.
    """

    target: str
    headers: Headers
    body: bytes
    on_message: Callable[[bytes], bool]
    on_end: Callable[[Exception | None], None]
    is_over: bool = False
    posted: float = 0.0
    session: str = ""

    def end(self, error: Exception | None) -> None:
        """End it, once."""
        if not self.is_over:
            self.is_over = True
            self.on_end(error)


class HttpConnection(asyncio.Protocol):
    """A connection that is open.

    Attributes:
        carries: what was given to it last, for whoever shares connections out.

    Args:
        on_free: called with it when it can take the next message.
        on_lost: called with it once, when it is closed.
    """

    def __init__(
        self, on_free: Callable[[HttpConnection], None], on_lost: Callable[[HttpConnection], None]
    ) -> None:
        self._on_free = on_free
        self._on_lost = on_lost
        self._http = h11.Connection(h11.CLIENT)
        self.carries: Exchange | None = None
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport | None = None
        self._status = 0
        self._kind = b""
        self._body = bytearray()
        self._events = EventReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def post(self, exchange: Exchange) -> None:
        """Send a message; the connection must be free."""
        assert self._transport is not None
        self._exchange = exchange
        exchange.posted = perf_counter()
        length = ("content-length", str(len(exchange.body)))
        head = h11.Request(method="POST", target=exchange.target, headers=[*exchange.headers, length])
        parts = [head, h11.Data(data=exchange.body), h11.EndOfMessage()]
        self._transport.write(b"".join(self._http.send(part) or b"" for part in parts))

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer."""
        try:
            self._http.receive_data(data)
            while self._exchange is not None and self._took(self._http.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            self._break(f"the server sent what is no HTTP: {error}")

    def eof_received(self) -> None:
        """The server ended its side; an answer without a length ends here."""
        self.data_received(b"")

    def _took(self, event: object) -> bool:
        """Take an event; False when more bytes are needed."""
        if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
            return False
        if isinstance(event, h11.Response):
            self._begin(event)
        elif isinstance(event, h11.Data):
            self._take(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            self._finish()
        return True

    def _begin(self, head: h11.Response) -> None:
        fields = dict(head.headers)
        self._status, self._body = head.status_code, bytearray()
        self._kind = fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
        self._events = EventReader()
        assert self._exchange is not None
        self._exchange.session = fields.get(b"mcp-session-id", b"").decode("ascii", "replace")

    def _take(self, data: bytes) -> None:
        assert self._exchange is not None
        if self._kind == _EVENTS:
            for event in self._events.feed(data):
                if not self._exchange.is_over and self._exchange.on_message(event):
                    self._exchange.end(None)
        else:
            self._body += data
        if max(len(self._body), self._events.held) > LONGEST_BODY:
            self._break(f"the server sent an answer of more than {LONGEST_BODY} bytes")

    def _finish(self) -> None:
        exchange, self._exchange = self._exchange, None
        assert exchange is not None
        # Free first: what ends may lead to the next message.
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            free = True
        else:
            free = False
            self.close()
        is_json = self._kind == _JSON and bool(self._body) and not exchange.is_over
        if is_json and exchange.on_message(bytes(self._body)):
            exchange.end(None)
        is_well = 200 <= self._status < 300
        exchange.end(None if is_well else Refusal(self._status))
        if free:
            self._on_free(self)

    def _break(self, why: str) -> None:
        exchange, self._exchange = self._exchange, None
        self.close()
        if exchange is not None:
            exchange.end(Broken(why))

    def close(self) -> None:
        """Close it at once; an answer that is under way is not read."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._on_lost(self)
        self._break(f"the connection ended before the answer{f' ({exc})' if exc else ''}")
