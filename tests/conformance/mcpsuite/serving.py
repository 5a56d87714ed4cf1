"""`tiergate serve` over HTTP on a fresh store, for the suite, the Inspector and the tests of the wire."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from mcpsuite import wire

HOST = "127.0.0.1"
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 30.0


class Served(msgspec.Struct, frozen=True):
    """A server that runs.

    Attributes:
        store: the file of its sessions.
        log: gets what it says on standard error.
    """

    port: int
    store: Path
    log: Path

    @property
    def url(self) -> str:
        """Where it speaks MCP."""
        return f"http://{HOST}:{self.port}/mcp"


def command(store: Path, *words: str) -> list[str]:
    """What starts a server on a store; over stdio unless further words say more."""
    return [sys.executable, "-m", "tiergate", "serve", "--store", f"sqlite:{store}", *words]


@contextmanager
def served(folder: Path, *words: str) -> Iterator[Served]:
    """A server on a free port; it is stopped at the end, and must have lived until then.

    Args:
        folder: gets its store and its log.
        words: further ones of the command line.

    Raises:
        RuntimeError: it did not start, or ended by itself.
    """
    log = folder / "serve.log"
    store = folder / "sessions.db"
    port = free_port()
    with log.open("wb") as said:
        process = subprocess.Popen(
            command(store, "--http", f"{HOST}:{port}", *words),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        _await_port(process, port, log)
        yield Served(port, store, log)
        if process.poll() is not None:
            raise RuntimeError(f"the server ended by itself with {process.returncode}: {tail(log)}")
    finally:
        _stop(process)


def fill(server: Served) -> None:
    """Give a server sessions, so that lists are not empty and what is read has something to say."""
    for session in ("resume", "123", "testValue1 testValue2"):
        tasks = [
            {"task": "design", "title": "draw it"},
            {"task": "build", "title": f"build it for {session}", "dependencies": ["design"]},
        ]
        wire.call(server.url, "session_create", session=session, title=f"The work on {session}", tasks=tasks)


@contextmanager
def held(store: Path, seconds: float) -> Iterator[None]:
    """Writes to a store have to wait: another program, here this one, has begun one and takes its time.

    It lets go at the end, or after so many seconds. With 0 seconds nothing has to wait.
    """
    if not seconds:
        yield
        return
    connection = sqlite3.connect(store, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    letting_go = threading.Timer(seconds, connection.rollback)
    letting_go.start()
    try:
        yield
    finally:
        letting_go.cancel()
        letting_go.join()
        connection.close()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def tail(log: Path) -> str:
    """The last lines of a log, in one."""
    return " | ".join(log.read_text(errors="replace").splitlines()[-5:]) or "it says nothing"


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server did not start (exit code {process.returncode}): {tail(log)}")
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server does not listen after {_START_TIMEOUT_S:.0f} s: {tail(log)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
