"""Where messages are posted to, with which headers, and over how many connections."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

from tiergate.errors import UsageError
from tiergate_plugins.targets.mcp_connection import Broken, Exchange, HttpConnection

CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class HttpAddress:
    """A URL, taken apart."""

    host: str
    port: int
    target: str
    is_secure: bool

    @property
    def name(self) -> str:
        """What the header Host says."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.is_secure else 80
        return shown if self.port == usual else f"{shown}:{self.port}"


def parse_url(text: str, where: str) -> HttpAddress:
    """Read the URL of a server.

    Raises:
        UsageError: it is no such URL.
    """
    hint = "write --target mcp-http:http://HOST:PORT/mcp"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{text!r} is no URL: {error}", where=where, hint=hint) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{text!r} is no URL of a server", where=where, hint=hint)
    if parts.username is not None:
        raise UsageError("the URL carries a user", where=where, hint="give a token with token-file=FILE")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    return HttpAddress(parts.hostname, port or (443 if secure else 80), target, secure)


class Connections:
    """So many connections at most; what finds none free waits in order.

    Args:
        most: how many may be open at once.
    """

    def __init__(self, address: HttpAddress, most: int) -> None:
        self._address = address
        self._most = most
        self._free: list[HttpConnection] = []
        self._open: set[HttpConnection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: deque[Exchange] = deque()
        self._carrying: dict[Exchange, HttpConnection] = {}
        self._tls = ssl.create_default_context() if address.is_secure else None

    def post(self, exchange: Exchange) -> None:
        """Send a message now, or when a connection is free."""
        if self._free:
            self._send(self._free.pop(), exchange)
            return
        self._waiting.append(exchange)
        if len(self._open) + len(self._opening) < self._most:
            task = asyncio.get_running_loop().create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def give_up(self, exchange: Exchange) -> bool:
        """Nobody wants the answer; what carries it is closed. False where it was not sent yet."""
        exchange.is_over = True
        connection = self._carrying.pop(exchange, None)
        if connection is not None:
            connection.close()
        return connection is not None

    def _send(self, connection: HttpConnection, exchange: Exchange) -> None:
        self._carrying[exchange] = connection
        connection.carries = exchange
        connection.post(exchange)

    async def _connect(self) -> None:
        loop, address = asyncio.get_running_loop(), self._address
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, connection = await loop.create_connection(
                    lambda: HttpConnection(self._freed, self._lost), address.host, address.port, ssl=self._tls
                )
        except OSError as error:  # TimeoutError is one
            why = error.strerror or str(error) or f"no connection in {CONNECT_TIMEOUT_S:g} s"
            self._fail_next(f"cannot connect to {address.name}: {why}")
        else:
            self._open.add(connection)
            self._freed(connection)

    def _fail_next(self, why: str) -> None:
        """Where nothing is open, nothing that waits will be sent; else one message lacks its connection."""
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.is_over:
                exchange.end(Broken(why))
                if self._open:
                    return

    def _freed(self, connection: HttpConnection) -> None:
        self._forget(connection)
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.is_over:
                self._send(connection, exchange)
                return
        self._free.append(connection)

    def _forget(self, connection: HttpConnection) -> None:
        if connection.carries is not None:
            self._carrying.pop(connection.carries, None)
            connection.carries = None

    def _lost(self, connection: HttpConnection) -> None:
        self._forget(connection)
        self._open.discard(connection)
        if connection in self._free:
            self._free.remove(connection)
        if self._waiting and not self._opening:
            self.post(self._waiting.popleft())

    async def close(self) -> None:
        """Close them all; what they carry ends as broken."""
        for task in self._opening:
            task.cancel()
        if self._opening:
            await asyncio.gather(*self._opening, return_exceptions=True)
        waiting, self._waiting = list(self._waiting), deque()
        for exchange in waiting:
            exchange.end(Broken("the target was closed"))
        for connection in tuple(self._open):
            connection.close()
        while self._open:
            await asyncio.sleep(0)
