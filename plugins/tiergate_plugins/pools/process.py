"""One worker process as its parent sees it: started, spoken to over a socket, ended and reaped."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import IO, cast

import msgspec

from tiergate.operation import Reply, Request
from tiergate.pool import PoolSpec, TierSpec, WorkerFailedToStart
from tiergate_plugins.pools.frames import BrokenStream, FrameBuffer, Open, Ready, frame

EXIT_GRACE_S = 10.0
"""How long a worker whose socket was closed may take to end before it is killed."""

_POLL_S = 0.005

_UNDECODABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What decoding raises for bytes that are no message, or one nested too deeply."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a worker ended: a readable status, and what it used."""

    status: str
    cpu_s: float
    peak_rss_bytes: int
    ready_s: float


class WorkerProcess(asyncio.Protocol):
    """A worker and the socket to it.

    Args:
        on_reply: called with the worker and each reply.
        on_lost: called once with the worker when its socket closes after it was ready.
    """

    def __init__(
        self,
        name: str,
        tier: TierSpec,
        on_reply: Callable[[WorkerProcess, Reply], None],
        on_lost: Callable[[WorkerProcess], None],
    ) -> None:
        self.name = name
        self.tier = tier
        self._on_reply = on_reply
        self._on_lost = on_lost
        self._buffer = FrameBuffer()
        self._decoder = msgspec.msgpack.Decoder(Reply)
        self._is_ready = False
        self._ready_at = 0.0
        self._fault = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    async def start(self, spec: PoolSpec) -> None:
        """Start the process and return when it is ready to take requests.

        Raises:
            WorkerFailedToStart: with what it reported or wrote to its standard error.
        """
        self._first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        try:
            errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by the block below)
        except OSError as error:
            raise self._failure(str(error)) from error
        with errors:
            ours = self._launch(errors)
            try:
                problem = await self._connect(ours, spec)
            except asyncio.CancelledError:
                self._abandon()
                raise
            if problem is not None:
                # One that closed the socket without a report is about to write why it ends.
                ended = await self.end(kill=bool(problem))
                raise self._failure(problem or _tail(errors) or f"it said nothing ({ended.status})")
        self._is_ready = True
        self._ready_at = monotonic()

    def _launch(self, errors: IO[bytes]) -> socket.socket:
        """Start the process; the parent's end of the socket to it."""
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise self._failure(str(error)) from error
        with theirs:
            try:
                self._process = _spawn(theirs.fileno(), errors)
            except OSError as error:
                ours.close()
                raise self._failure(str(error)) from error
        return ours

    async def _connect(self, ours: socket.socket, spec: PoolSpec) -> str | None:
        """Tell the process what it serves; see `_first_problem` for what is returned."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, sock=ours)
        self._write(frame(_opening(self.name, self.tier, spec)))
        return await self._first_problem(spec.start_timeout_s)

    def _abandon(self) -> None:
        """Kill and reap without waiting for anything but the kernel."""
        self._first.cancel()
        if self._transport is not None:
            self._transport.close()
        self.kill()
        if self._process is not None:
            self._process.wait()

    def send(self, request: Request) -> None:
        """Hand over a request; the reply comes through `on_reply`.

        Raises:
            TypeError, ValueError, OverflowError, RecursionError: the request cannot be encoded.
        """
        self._write(frame(request))

    def kill(self) -> None:
        """End the process at once, whatever it is doing."""
        if self._process is not None and self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)

    async def end(self, *, kill: bool = False) -> Ended:
        """Close the socket, wait for the process to end, and reap it."""
        self._is_ready = False
        if self._transport is not None:
            self._transport.close()
        if kill:
            self.kill()
        assert self._process is not None
        give_up = monotonic() + EXIT_GRACE_S
        while True:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                break
            if monotonic() > give_up:
                self.kill()
            await asyncio.sleep(_POLL_S)
        code = os.waitstatus_to_exitcode(status)
        self._process.returncode = code
        # ru_maxrss counts kibibytes on Linux and bytes on macOS.
        unit = 1 if sys.platform == "darwin" else 1024
        ready_s = monotonic() - self._ready_at if self._ready_at else 0.0
        status_text = _status(code) + (f" for {self._fault}" if self._fault else "")
        return Ended(status_text, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, ready_s)

    async def _first_problem(self, timeout_s: float) -> str | None:
        """None when the worker is ready; else what it said, empty if it said nothing."""
        try:
            body = await asyncio.wait_for(self._first, timeout_s)
            return msgspec.msgpack.decode(body, type=Ready).problem or None
        except TimeoutError:
            return f"not ready after {timeout_s:g} s"
        except (ConnectionError, *_UNDECODABLE):
            return ""

    def _failure(self, problem: str) -> WorkerFailedToStart:
        return WorkerFailedToStart(f"cannot start: {problem}", where=f"worker {self.name}")

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Bytes from the worker. What is no reply ends the connection, and so the worker."""
        try:
            for body in self._buffer.feed(data):
                if not self._first.done():
                    self._first.set_result(body)
                else:
                    self._on_reply(self, self._decoder.decode(body))
        except (BrokenStream, *_UNDECODABLE) as error:
            self._fault = f"an answer that cannot be read: {error}"
            self.kill()

    def connection_lost(self, _exc: Exception | None) -> None:
        """The socket is closed, by whichever side."""
        if not self._first.done():
            self._first.set_exception(ConnectionResetError("the worker closed the socket"))
        elif self._is_ready:
            self._is_ready = False
            self._on_lost(self)


def _spawn(descriptor: int, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        # -P: a module in the current folder must not shadow one that a worker imports.
        [sys.executable, "-P", "-m", "tiergate_plugins.pools.worker", str(descriptor)],
        pass_fds=(descriptor,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        process_group=0,
    )


def _opening(name: str, tier: TierSpec, spec: PoolSpec) -> Open:
    return Open(name, tier.nice, spec.store, list(spec.store_plugins), list(spec.operation_plugins))


def _tail(errors: IO[bytes]) -> str:
    """The last line that was written to standard error."""
    errors.seek(0, os.SEEK_END)
    errors.seek(max(0, errors.tell() - 4096))
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def _status(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
