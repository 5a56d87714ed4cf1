"""Many HTTP sessions: what holding a thousand of them costs those who speak, at the same total rate."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import quantiles
from time import monotonic, perf_counter

from tiergate.bench import BenchSetup
from tiergate.errors import RunError
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks.rounds import ratio_row
from tiergate_plugins.benchmarks.serve_stdio import PROTOCOL, call_message, initialize_params, message
from tiergate_plugins.benchmarks.serve_work import READ

FEW, MANY = 10, 1000
RATE_RPS = 50.0
SETTLE_S = 1.0
_PATIENCE_S = 30.0
_OPENING_AT_ONCE = 16


def rows(setup: BenchSetup, store: str) -> Iterator[BenchRow]:
    """The row about many sessions; response times count from the intended start."""
    each = 100 if setup.quick else 500
    rounds = 2 if setup.quick else 8
    with HttpServer(store) as server:
        setup.progress(f"{MANY} HTTP sessions beside {FEW}, {RATE_RPS:g} calls/s in all")
        few, many = asyncio.run(_measure(server.port, rounds, each))
    yield ratio_row(
        f"serve: p95 of a reading call, {MANY} HTTP sessions held",
        many,
        few,
        peer=f"{FEW} sessions, the same total rate",
        target="<= 3",
        unit="ms",
    )


class HttpServer:
    """``tiergate serve --http`` on a free port of the loopback.

    Raises:
        RunError: it does not listen.
    """

    def __init__(self, store: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        words = ["-m", "tiergate", "serve", "--store", store, "--http", f"127.0.0.1:{self.port}"]
        self._process = subprocess.Popen(
            [sys.executable, *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> HttpServer:
        give_up = monotonic() + _PATIENCE_S
        while self._process.poll() is None and monotonic() < give_up:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
        self.__exit__()
        raise RunError("does not listen", where="tiergate serve --http")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(slots=True)
class Session:
    """One session of the protocol on a connection of its own, which is held open."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    busy: asyncio.Lock
    id: str = ""

    @classmethod
    async def open(cls, port: int) -> Session:
        """Connect and initialize."""
        session = cls(*await asyncio.open_connection("127.0.0.1", port), asyncio.Lock())
        head, _ = await session.post(message(0, "initialize", initialize_params()))
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"mcp-session-id":
                session.id = value.strip().decode()
        await session.post(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
        return session

    async def post(self, body: bytes) -> tuple[bytes, bytes]:
        """Head and body of the answer to one message.

        Raises:
            RunError: its status is not one of success, or it is an error of a call.
        """
        extra = f"Mcp-Session-Id: {self.id}\r\nMcp-Protocol-Version: {PROTOCOL}\r\n" if self.id else ""
        head = (
            "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Accept: application/json, text/event-stream\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
        )
        async with self.busy:
            self.writer.write(head.encode() + body)
            answered = await self.reader.readuntil(b"\r\n\r\n")
            told = await self._body(answered.lower())
        if not answered.startswith(b"HTTP/1.1 2") or b'"isError":true' in told or b'"error":{' in told:
            raise RunError(f"refused: {(answered + told)[:300].decode(errors='replace')}", where="HTTP")
        return answered, told

    async def _body(self, head: bytes) -> bytes:
        if b"transfer-encoding: chunked" in head:
            parts = []
            while size := int(await self.reader.readline(), 16):
                parts.append(await self.reader.readexactly(size + 2))
            await self.reader.readline()
            return b"".join(parts)
        _, _, rest = head.partition(b"content-length:")
        return await self.reader.readexactly(int(rest.split(b"\r\n")[0])) if rest else b""


async def _measure(port: int, rounds: int, each: int) -> tuple[list[float], list[float]]:
    """The p95 of each round, with few sessions and with many, in turns; all of them are held throughout.

    The few are sessions of their own: opened for their round, when the many are not there.
    """
    few: list[float] = []
    many: list[float] = []
    for number in range(rounds):
        sides = [(FEW, few), (MANY, many)]
        for sessions, found in sides if number % 2 else reversed(sides):
            found.append(await _round(port, sessions, each))
    return few, many


async def _round(port: int, count: int, each: int) -> float:
    opening = asyncio.Semaphore(_OPENING_AT_ONCE)

    async def opened() -> Session:
        async with opening:
            return await Session.open(port)

    sessions = await asyncio.gather(*(opened() for _ in range(count)))
    # What is measured is how sessions are held, not how they are opened.
    began = perf_counter() + SETTLE_S
    calls = [_call(sessions[number % count], number, began + number / RATE_RPS) for number in range(each)]
    took = await asyncio.gather(*calls)
    for session in sessions:
        session.writer.close()
    return quantiles(took, n=20)[-1]


async def _call(session: Session, number: int, intended: float) -> float:
    await asyncio.sleep(intended - perf_counter())
    await session.post(call_message(number + 1, READ.tool, READ.arguments).rstrip())
    return perf_counter() - intended
